"""Which stages a study has, in their order."""

from __future__ import annotations

from studies.run.calibration.pilots import Pilots
from studies.run.calibration.stage import Stage
from studies.run.calibration.trials import Trials
from studies.study_file.study import Study


def stages_of(study: Study) -> list[type[Stage]]:
    """Tuning comes first: noise is matched at the settings that are compared."""
    asked: dict[type[Stage], object] = {Trials: study.tuning, Pilots: study.match}
    return [stage for stage, section in asked.items() if section]
