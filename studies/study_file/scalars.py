"""What an arm runs with beside its landscape and optimizer, as `Arm.scalars` has it."""

from __future__ import annotations

from studies.study_file import clocks, sections
from studies.study_file.draft import STAND_INS
from studies.study_file.fields import OptimizerEntry
from studies.study_file.fits import of
from studies.study_file.grounds import Ground
from studies.study_file.model import StudyModel
from studies.study_file.spaced import SpacedModel
from studies.study_file.values import CHECKPOINTS
from studies.text.shapes import Data


def scalars_of(study: StudyModel, ground: Ground, own: OptimizerEntry) -> Data:
    """What an arm runs with.

    Args:
        study: at one combination of the swept values.
        ground: the landscape and its noise.
        own: the optimizer's entry, whose own budget, targets and checkpoints go before the study's.
    """
    price = study.gradient_cost
    assert isinstance(price, sections.GradientCost)
    targets = of(study.targets, ground.label, []) if own.targets is None else own.targets
    budget = study.budget if own.budget is None else own.budget
    budget = budget if clocks.on_clock(budget) else of(budget, ground.label, STAND_INS["budget"])
    return {
        "seed": study.seed,
        "instances": study.instances,
        **clocks.scalars(budget),
        "checkpoints": _checkpoints(study, ground.label, own),
        "gradient_cost": {"value": price.value, "low": price.low, "high": price.high},
        **_targets(targets, gap_known=ground.landscape.made.gap_known),
        "dtype": ground.landscape.model.dtype or study.dtype,
        "ledger": study.ledger and study.ledger.model_dump(exclude={"against"}),
        "pictures": study.pictures and study.pictures.model_dump(),
        "timing": study.timing and study.timing.model_dump(),
        "record": [spec for spec in study.record.values() if "kind" in spec],
        "expressions": {},
        "truth": study.truth,
    }


def _checkpoints(study: StudyModel, label: str, own: OptimizerEntry) -> int | list[float] | Data:
    """An arm's checkpoints as the study gives them, as plain data."""
    given = of(study.checkpoints, label, CHECKPOINTS) if own.checkpoints is None else own.checkpoints
    return given.model_dump() if isinstance(given, SpacedModel) else given


def _targets(asked: list[float] | sections.TargetsModel, *, gap_known: bool) -> Data:
    """Losses; or, with a floor, fractions of the way from there to the start."""
    if not isinstance(asked, sections.TargetsModel):
        return {"targets": list(asked), "target_floor": None}
    best = 0.0 if gap_known or asked.best is None else asked.best
    if asked.relative:
        return {"targets": list(asked.values), "target_floor": best}
    return {"targets": [best + value for value in asked.values], "target_floor": None}
