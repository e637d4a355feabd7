"""Small pictures of kinds, for the reference: landscapes, search methods, figures.

A landscape is drawn as in the gallery of `studies.probe`; a search method on one cheap problem, its trail and its
curve; a figure from results of small studies, most of them those of the tests of figures. All have a white ground,
so that they are read on a dark page too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from xarray import Dataset

from landscapes import LANDSCAPES
from landscapes.base import Bits, Reals
from optimizers import OPTIMIZERS
from studies.cells.loop import run_cell
from studies.figures import FIGURES, QUESTIONS, forms, pages_of, style
from studies.probe.examples import EXAMPLES
from studies.probe.named import named
from studies.probe.pictures import picture
from studies.results.figures import asked
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from tests.studies.figures.test_images import SHOWN
from tests.support.results import real
from tests.support.runs import here

HEIGHT, GRID = 2.0, 49  # inches; points along each axis of a plane
LOOKS = style.PAPER | {"figure.dpi": 100, "savefig.dpi": 100, "savefig.facecolor": "white"}
FORMS = {  # form of a landscape's picture -> what it shows
    "plane": "the loss on a plane; a star is the optimum, hollow where it is the best point seen",
    "line": "the loss along its one coordinate",
    "network": "all genotypes, by their distance to the best one",
    "band": "the loss by the distance to the best genotype: median, and 50, 90 and 100 % of genotypes",
    "field": "the step that each player takes down its own gradient",
}


def write(folder: Path) -> dict[str, str]:
    """Draw all pictures into a folder, NAME.png; name -> caption.

    Args:
        folder: made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    captions = {}
    with rc_context(LOOKS):
        for draw in (landscapes, optimizers, figures):
            for name, figure, caption in draw():
                figure.savefig(folder / f"{name}.png")
                captions[name] = caption
    return captions


Pictures = Iterator[tuple[str, Figure, str]]  # name, picture, caption


def landscapes() -> Pictures:
    """World 0 of an example of each."""
    for kind in LANDSCAPES:
        word = EXAMPLES.get(kind, (kind,))[-1]
        data = picture(named([word])[0], grid=GRID)
        figure = Figure(figsize=(1.4 * HEIGHT, HEIGHT))
        forms.draw(data, figure.add_axes((0.2, 0.21, 0.52, 0.7)))
        yield kind, figure, f"`{word}`: {FORMS[data.attrs['form']]}."


# search methods ---------------------------------------------------------------------------------------------

BOWL, GAME, BITS = "quadratic:dim=2,condition=10", "bilinear:dim=2,condition=1", "nk:n=10,k=3"
ON = dict.fromkeys(("extragradient", "alternating", "coevolution"), GAME)  # else a bowl, or bits
ON["linkage_equilibrium"] = "onemax:n=10"
SETTINGS: dict[str, dict[str, Any]] = {  # where a default hardly moves in so few evaluations
    "adam": {"learning_rate": 0.1},
    "signed_sgd": {"learning_rate": 0.05},
    "torch_optim": {"learning_rate": 0.1},
    "quasispecies": {"selection_strength": 50.0},
    "sswm": {"selection_strength": 50.0},
    "linkage_equilibrium": {"relaxation": "extension", "selection_strength": 0.1},
}
BUDGET, WORLDS, LOWEST = 400, 5, 1e-6


def optimizers() -> Pictures:
    """Each on a bowl of two coordinates, on bits, or on a game."""
    for kind, cls in OPTIMIZERS.items():
        word = ON.get(kind, BOWL if Reals in cls.domains else BITS)
        (problem,) = named([word])
        data = _searched(kind, problem.spec)
        if problem.landscape.domain == Bits():
            figure = Figure(figsize=(1.4 * HEIGHT, HEIGHT))
            _curve(data, figure.add_axes((0.2, 0.22, 0.75, 0.73)), decades=False)
            trail = ""
        else:
            figure = Figure(figsize=(2.5 * HEIGHT, HEIGHT))
            _trail(data, picture(problem, grid=GRID), figure.add_axes((0.08, 0.22, 0.36, 0.73)))
            _curve(data, figure.add_axes((0.58, 0.22, 0.4, 0.73)))
            trail = "the trail of the center in world 0, from the ring; "
        own = ", ".join(f"`{name}: {value}`" for name, value in SETTINGS.get(kind, {}).items())
        said = f"On `{word}`, with {own or 'its defaults'}: {trail}the gap over that at the start, in"
        yield kind, figure, f"{said} {WORLDS} worlds (their median dark)."


def _searched(kind: str, landscape: dict[str, Any]) -> Dataset:
    """Results of a search method on a landscape."""
    study = {
        "name": "picture",
        "replicates": WORLDS,
        "budget": BUDGET,
        "checkpoints": {"count": 20, "spacing": "linear"},
        "landscapes": {"it": landscape},
        "optimizers": {"it": {"kind": kind} | SETTINGS.get(kind, {})},
        "record": {"center_": "center"},
        "figures": [],
    }
    (cell,) = make_plan(load_study(study)).cells(())
    return run_cell(cell)


def _curve(data: Dataset, axes: Axes, *, decades: bool = True) -> None:
    """The gap over that at the start, against cost."""
    share = (
        (data["loss"] / data["start_loss"]).clip(min=LOWEST / 10).transpose("checkpoint", "replicate")
    )
    axes.plot(data["cost"], share, color=style.COLOURS[0], alpha=0.3, linewidth=0.6)
    axes.plot(data["cost"], np.median(share, axis=1), color=style.COLOURS[0], linewidth=1.6)
    axes.set(xlim=(0, BUDGET), xlabel="evaluations", ylabel="gap over start's")
    axes.set(**({"yscale": "log", "ylim": (LOWEST, 4)} if decades else {"ylim": (0, 1.2)}))
    if decades:
        axes.set_yticks([1e-6, 1e-4, 1e-2, 1], ["1e-6", "1e-4", "0.01", "1"])
        axes.minorticks_off()


def _trail(data: Dataset, plane: Dataset, axes: Axes) -> None:
    """The way of the center in world 0, on the map."""
    if plane.attrs["form"] == "plane":
        forms.thumbnail(plane.assign_attrs(start=np.nan), axes)
        axes.set_title("", loc="left")
        axes.set_xlabel("")
    else:
        forms.draw(plane, axes)
    u, v = data["center_"].isel(replicate=0).transpose("center__index", "checkpoint").values
    axes.plot(u, v, color=forms.GOLD, linewidth=1.2, marker=".", markersize=3)
    axes.plot(u[:1], v[:1], **forms.DOT, clip_on=False)


# figures ----------------------------------------------------------------------------------------------------

ONE = ("nk",)  # the landscape that most of the small studies show
WHOLE = ("claims", "critical_difference", "phase", "break_even")  # figures of all landscapes
ASKED: dict[
    str, dict[str, Any]
] = {  # figure -> what it is told, of the study `told` below or of `swept`
    "curve": {"x": "k", "y": "median(loss)", "landscape": "nk"},
    "scaling": {"x": "k", "target": 0.1, "landscape": "nk"},
    "attainment": {"landscape": "nk", "at": {"k": 3, "noise.evaluation.nk": 0.0}},
    "map": {
        "x": "k",
        "y": "noise.evaluation.nk",
        "colour": 'median(loss["ES"] - loss["GA"])',
        "line": 0,
        "landscape": "nk",
    },
    "density": {
        "of": "theta",
        "against": "exp(-theta**2 / (2 * T))",
        "landscape": "bowl",
        "optimizer": "Langevin",
        "at": {"T": 0.5},
    },
    "law": {"claim": "temperature"},
    "answer": {"claim": [["temperature"]], "across": "T", "label": "mean loss"},
    "frequencies": {"of": "p", "world": 0, "landscape": "genotypes", "optimizer": "WF"},
    "plane": {"world": 0, "landscape": "bowl", "at": {"T": 0.25}},
}
OF_SWEPT = ("curve", "scaling", "attainment", "map")
TOLD: dict[str, Any] = {
    "name": "told",
    "replicates": 128,
    "budget": {"steps": 120},
    "checkpoints": {"count": 40, "spacing": "linear", "clock": "steps"},
    "landscapes": {
        "bowl": {"kind": "quadratic", "dim": 2, "condition": 1},
        "genotypes": {"kind": "mount_fuji", "n": 4, "slope": 0.02, "noise_scale": 0.01},
    },
    "optimizers": {
        "Langevin": {"kind": "langevin", "learning_rate": 0.1, "temperature": 0.5, "only": ["bowl"]},
        "WF": {
            "kind": "wright_fisher",
            "population": 100,
            "mutation_rate": 0.002,
            "only": ["genotypes"],
        },
    },
    "sweep": {"T": {"values": [0.25, 0.5, 1.0, 2.0], "sets": "optimizers.Langevin.temperature"}},
    "record": {"theta": "center[0]", "p": "frequency"},
    "pictures": {"worlds": 1, "frames": 30, "grid": 41},
    "claims": {
        "temperature": {
            "kind": "law",
            "optimizer": "Langevin",
            "landscape": "bowl",
            "along": "T",
            "observe": "mean(loss, since=0.5)",
            "predicted": "T / (1 - learning_rate / 2)",
            "control": "2 * T",
            "tolerance": 0.2,
        }
    },
    "figures": [],
}


def figures() -> Pictures:
    """An example of each, for a column of a paper, the first page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told = here(TOLD, folder / "told").load()
        for figure in (*FIGURES, *QUESTIONS):
            options = ASKED.get(figure, {})
            if figure in QUESTIONS and figure not in OF_SWEPT:
                data = told
            else:
                study = "swept" if figure in OF_SWEPT else SHOWN.get(figure, "search")
                data = real(study, folder)
            if figure in FIGURES and figure not in WHOLE and "nk" in data["landscape"]:
                data = data.sel(landscape=list(ONE))
            (question,) = asked([{figure: options}] if options else [figure])
            yield figure, pages_of(question, data, style.COLUMN)[0], _of_figure(figure, options)


def _of_figure(figure: str, options: dict[str, Any]) -> str:
    """What a figure's picture was asked to show."""
    if not options:
        return "An example, from a small study."
    said = yaml.safe_dump(
        {figure: options}, default_flow_style=True, width=1000, sort_keys=False
    ).strip()
    return f"An example: `{said[1:-1]}`." if said else "An example, from a small study."
