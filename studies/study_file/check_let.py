"""Names of `let` that a quantity would take for a variable of the results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studies import registry
from studies.study_file import asked
from studies.study_file.arm import Arm
from studies.study_file.document import Mistake
from studies.study_file.model import StudyModel


def mistakes(study: StudyModel, arms: Sequence[Arm]) -> Iterator[Mistake]:
    """One for each name that is recorded too: a quantity would mean that, and a formula the number.

    Args:
        study: typed.
        arms: of the study.
    """
    if not study.let:
        return
    kept = {"ledger": study.ledger is not None, "timed": study.timing is not None}
    ours = set(asked.recorded(arms, recorded(study), **kept))
    for name in study.let:
        if name in ours:
            text = f"{name} is recorded in every world of this study; take another name"
            yield Mistake(("let", name), text, at_key=True)


def recorded(study: StudyModel) -> Iterator[str]:
    """What the study records itself."""
    for label, spec in study.record.items():
        yield label
        yield from registry.build(spec, "instrument").variables if "kind" in spec else ()
