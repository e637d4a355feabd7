"""The figures that a study names, drawn from its results into OUT/figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from studies.text.shapes import Json

if TYPE_CHECKING:
    from rich.console import Console
    from xarray import Dataset


class Drawn(NamedTuple):
    """What came of a study's figures."""

    paths: list[Path]
    complete: bool  # whether all could be drawn


def draw(dataset: Dataset, out: Path, figures: Sequence[Json], log: Console) -> Drawn:
    """Draw figures; one that cannot be drawn is said in a line, and takes nothing else with it.

    Args:
        dataset: a study's results; where every cell failed there is nothing to draw.
        out: the study's folder.
        figures: as the study asks for them.
        log: where it is said what could not be drawn, or takes several pages.
    """
    if not figures or "loss" not in dataset:
        return Drawn([], complete=True)
    from studies.figures import save
    from studies.figures.saving import why_not
    from studies.results.figures import asked

    paths, complete = list[Path](), True
    for figure in asked(figures):
        try:
            files = save(figure, dataset, out / "figures")
        except Exception as error:  # noqa: BLE001
            log.print(f"figures: {why_not(figure.file, error)}", soft_wrap=True)
            complete = False
            continue
        paths += files.paths
        if files.said:
            log.print(f"figures: {files.said}", soft_wrap=True)
    return Drawn(paths, complete)
