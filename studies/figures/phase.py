"""Phase diagram: the best optimizer at every combination of two swept axes, or of one axis and the landscapes.

A cell has the colour of the winner, and tells by how much the runner-up's median loss is larger: times as large where the loss is the gap to a known
optimum, else what is added. Where the winner's gap is the precision or less, the runner-up's is at least so many times as large. Where both are
equal at the precision it is a tie, or, where the winner is sure nevertheless, the faster. A cell is hatched where the winner is not told apart from
all others (`studies.analysis.comparison.winners`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from studies.analysis.comparison.winners import NONE, touched, winners
from studies.figures import style
from studies.text.words import taken_apart

CELL = 0.34  # inches, the height of a cell
LEAST = 0.33  # inches, the narrowest cell that has a text
PALE = 0.5  # how much of a colour is left, so that text is read on it
TIE, FASTER = "tie", "faster"
Looks = dict[str, dict[str, Any]]


def phase(dataset: xr.Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of a whole Dataset: a diagram for every landscape that two axes touch.

    Those that one axis touches share one.

    Args:
        dataset: a study's results with a sweep.
        width: inches.

    Raises:
        ValueError: nothing is swept, or there are fewer than two optimizers.
    """
    maps, looks = diagrams(dataset), _looks(dataset)
    if not maps:
        raise ValueError(
            "phase: expected a study with a `sweep:` that changes a loss, found none in these results"
        )
    across = min(len(maps), 1 if width < 5 else 2)
    down = -(-len(maps) // across)
    heights = [
        max(CELL * part["winner"].shape[0] for _, part in maps[row * across : (row + 1) * across]) + 0.55
        for row in range(down)
    ]
    used = {name for _, part in maps for name in part["winner"].values.ravel()}
    handles = [
        Patch(facecolor=_pale(looks[name]), label=style.wrapped(name, width - 1))
        for name in looks
        if name in used
    ]
    handles.append(
        Patch(facecolor="white", edgecolor="#777777", hatch="//////", linewidth=0, label="not told apart")
    )
    columns = style.across([str(handle.get_label()) for handle in handles], width)
    lines = -(-len(handles) // columns) + (width < 5) * 2
    figure = Figure(figsize=(width, sum(heights) + 0.5 + 0.17 * lines), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False, height_ratios=heights)
    for i, axes in enumerate(grid.ravel()):
        axes.set_visible(i < len(maps))
        if i < len(maps):
            cells(maps[i][1], axes, looks, width / across)
            axes.set_title(style.wrapped(maps[i][0], width / across - 0.9), loc="left", fontweight="bold")
    gone = "; –: no optimizer has a finite one" if NONE in used or "nan" in used else ""
    note = (
        f"lowest median loss of {style.worlds(dataset.sizes['replicate'])} at equal cost; numbers: how much"
        " larger the runner-up's is"
    )
    note += _words([part for _, part in maps]) + gone
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=columns,
        title=style.wrapped(note, width - 0.4, 7.5),
        title_fontsize=7.5,
    )
    return figure


def panel(dataset: xr.Dataset, axes: Axes, width: float = style.COLUMN) -> Axes:
    """Draw one landscape (no `landscape` dim), which two axes touch, on Axes and return them.

    `width`: of the Axes, in inches.
    """
    told = winners(dataset)
    if told["winner"].ndim != 2:
        raise ValueError(
            "phase: expected two axes that change a loss, got"
            f" {', '.join(map(str, told['winner'].dims)) or 'none'}"
        )
    return cells(told, axes, _looks(dataset), width)


def diagrams(dataset: xr.Dataset) -> list[tuple[str, xr.Dataset]]:
    """(title, winners by two dims): of more than two axes the others are at their first values, as the title tells."""
    maps, single = [], {}  # type: ignore[var-annotated]
    for name in map(str, dataset["landscape"].values):
        part = touched(dataset.sel(landscape=name))
        axes = [str(dim) for dim in part["loss"].dims if dim not in ("optimizer", "replicate", "checkpoint")]
        more = {axis: part[axis].values[0] for axis in axes[2:]}
        told = winners(part.sel(more))
        if told["winner"].ndim == 2:
            maps.append((", ".join([name, *(f"{axis} = {value}" for axis, value in more.items())]), told))
        elif told["winner"].ndim == 1:
            single.setdefault(str(told["winner"].dims[0]), {})[name] = told
    for parts in single.values():
        along = xr.Variable("landscape", list(parts))
        rows = [
            part.assign(times=part["logarithmic"]).drop_vars(["cost", "logarithmic"])
            for part in parts.values()
        ]
        maps.append((
            "",
            xr.concat(rows, along, coords="minimal", compat="override", join="outer").assign_coords(
                logarithmic=True
            ),
        ))
    return maps


def cells(told: xr.Dataset, axes: Axes, looks: Looks, width: float = style.COLUMN) -> Axes:
    """Draw winners by two dims, the first from below upwards.

    Args:
        told: of `studies.analysis.comparison.winners`.
        axes: where to draw.
        looks: optimizer -> keywords of `Axes.plot`.
        width: of the Axes, in inches.
    """
    down, across = (str(dim) for dim in told["winner"].dims)
    rows, columns = told["winner"].shape
    for row, column in np.ndindex(rows, columns):
        cell = told.isel({down: row, across: column})
        _cell(cell, axes, row, column, looks, text=(width - 0.8) / columns >= LEAST)
    (below, names), (beside, others) = (_parted(told[dim].values) for dim in (across, down))
    axes.set(
        xlim=(-0.5, columns - 0.5),
        ylim=(-0.5, rows - 0.5),
        xlabel=_axis(across, names),
        ylabel=_axis(down, others) if down != "landscape" else "",
    )
    axes.set_xticks(range(columns), _ticks(below, (width - 0.8) / columns, "\n"))
    axes.set_yticks(range(rows), _ticks(beside, 0.3 * width, ", "))
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    return axes


def _cell(cell: xr.Dataset, axes: Axes, row: int, column: int, looks: Looks, *, text: bool) -> None:
    name, decided = str(cell["winner"].item()), bool(cell["decided"])
    box = (column - 0.5, row - 0.5)
    if name in (NONE, "nan"):
        axes.text(column, row, "–", ha="center", va="center", color="#777777", fontsize=7)
        return
    axes.add_patch(
        Rectangle(box, 1, 1, facecolor=_pale(looks[name]), edgecolor="white", linewidth=1, gid=name)
    )
    if not decided:
        axes.add_patch(
            Rectangle(
                box, 1, 1, facecolor="none", edgecolor="#777777", hatch="//////", linewidth=0, gid="undecided"
            )
        )
    if text and not np.isnan(float(cell["lead"])):
        back = {"facecolor": _pale(looks[name]), "edgecolor": "none", "pad": 0.8}
        axes.text(
            column, row, _lead(cell), ha="center", va="center", fontsize=6.5, bbox=None if decided else back
        )


def _lead(cell: xr.Dataset) -> str:
    """By how much the winner is ahead, in a word."""
    if bool(cell["tied"]):
        return FASTER if bool(cell["decided"]) else TIE
    lead, times = float(cell["lead"]), bool(cell["times"] if "times" in cell else cell["logarithmic"])
    return f"{'≥' if bool(cell['at_least']) else ''}{_short(lead)}×" if times else f"+{_short(lead)}"


def _words(maps: list[xr.Dataset]) -> str:
    """What the words and signs of the cells mean, of those that are there."""
    said = {
        "≥": "the winner's is the precision or less",
        TIE: "equal at the precision",
        FASTER: "equal at the end, sooner on the way",
    }
    there: set[str] = set()
    for part in maps:
        shown = part["runner_up"].isin([NONE, np.nan]) ^ True
        least, tied, sure = ((part[name] == True) & shown for name in ("at_least", "tied", "decided"))  # noqa: E712  NaN: no such combination
        there |= {
            sign
            for sign, where in (("≥", least), (TIE, tied & ~sure), (FASTER, tied & sure))
            if bool(where.any())
        }
    return "".join(f"; {sign}: {words}" for sign, words in said.items() if sign in there)


def _short(value: float) -> str:
    """Two digits, short enough for a cell."""
    if np.isinf(value):
        return "∞"
    if value != 0 and not 0.01 <= abs(value) < 1000:
        return f"1e{np.log10(abs(value)):.0f}"
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"


def _parted(values: np.ndarray) -> tuple[list[list[str]], list[str]]:
    """The parts of each label, and their names where all labels are of the same.

    Of "value=0 gradient=1" 0 and 1, value and gradient.
    """
    texts = [
        f"{value:g}" if isinstance(value, int | float | np.number) else str(value)
        for value in values.tolist()
    ]
    pairs = [taken_apart(text) for text in texts]
    named = {tuple(name for name, _ in row) for row in pairs}
    if len(named) == 1 and all(pairs):
        return [[value for _, value in row] for row in pairs], list(named.pop())
    return [[text] for text in texts], []


def _axis(name: str, parts: list[str]) -> str:
    return f"{name}: {', '.join(parts)}" if parts else name


def _ticks(labels: list[list[str]], inches: float, between: str) -> list[str]:
    """Labels that fit into so many inches each."""
    most = max(4, int(inches / (style.LETTER * 7)))
    cut = [[text if len(text) <= most else text[: most - 1] + "…" for text in parts] for parts in labels]
    return [between.join(parts) for parts in cut]


def _looks(dataset: xr.Dataset) -> Looks:
    return style.looks([str(name) for name in dataset["optimizer"].values])


def _pale(look: dict[str, Any]) -> tuple[float, float, float]:
    red, green, blue = (1 - PALE * (1 - part) for part in to_rgb(look["color"]))
    return red, green, blue
