"""Where selection in proportion to fitness had nothing to select.

Steps in which nobody of a population had fitness.
"""

from __future__ import annotations

from xarray import Dataset

from studies.results.arms import arms

REMEDY = (
    "a smaller selection_strength or fitness: exponential gives fitness to all; a table of logarithms is read"
    " with scale: log"
)


def unfit(dataset: Dataset) -> list[str]:
    """One line for each arm in which nobody had fitness at some step, so that it did not select there.

    None where all had.

    Args:
        dataset: a study's results.
    """
    if "unfit_steps" not in dataset:
        return []
    lines = [
        line
        for name in dataset["landscape"].values.tolist()
        for label, arm in arms(dataset.sel(landscape=name))
        for line in _line(str(name), label, arm.isel(checkpoint=-1))
    ]
    return [*lines, f"fitness: {REMEDY}"] if lines else []


def _line(landscape: str, label: str, end: Dataset) -> list[str]:
    steps = end["unfit_steps"].fillna(0)
    all_steps = end["steps"]
    worlds = int((steps > 0).sum())
    if not worlds:
        return []
    share = 100 * float(steps.sum() / all_steps.sum())
    return [
        f"{label} on {landscape}: nobody of a population had fitness in {share:.3g} % of its steps ({worlds}"
        f" of {steps.size} worlds), so that there was no selection in them"
    ]
