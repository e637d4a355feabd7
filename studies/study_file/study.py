"""A study as it was read: typed, checked, with its arms."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from studies.study_file import document, meanings, remarks, sections
from studies.study_file.arm import Arm
from studies.study_file.cluster import Cluster
from studies.text.shapes import Axes, Data, Json


class StudyError(ValueError):
    """A study that cannot run.

    Args:
        lines: one for each mistake.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = list(lines)


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study that can run.

    Args:
        arms: each a landscape, an optimizer and the values of the swept axes.
        axes: name of a dim -> its coordinate values: landscape, optimizer, then the swept axes.
        match: which arms are to have equal noise.
        tuning: the ranges from which settings are chosen.
        resolved: the study with all defaults, as plain data; `load_study(resolved)` gives the same study.
        matched: what `run.calibration.pilots` found for `match`, one mapping for each arm, once it is set
            in the arms.
        tuned: what `run.calibration.trials` found for `tuning`, likewise.
    """

    name: str
    question: str | None
    replicates: int
    device: str
    figures: list[Json]  # names, or {name: what it is to show}
    cluster: Cluster
    arms: list[Arm]
    axes: Axes
    match: sections.MatchModel | None
    tuning: sections.TuningModel | None
    resolved: Data
    matched: list[Data] | None = None
    tuned: list[Data] | None = None
    compile: str = "auto"  # whether steps become one graph: auto, on or off
    cell_timeout: str | None = None  # how long a cell may take, as 30min; None: any time

    @functools.cached_property
    def notes(self) -> list[str]:
        """What is said when it is read.

        Which arms cannot take one step, and where a loss is a gap in some arms and none in others.
        """
        return [*remarks.notes(self.arms), *meanings.notes(self.arms)]

    def yaml(self) -> str:
        """The resolved study as a study file."""
        return document.write(self.resolved)
