"""Names of `let` that a quantity takes for something else: what is recorded, the values of worlds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from studies.analysis.quantities.distance import OTHER_NAME
from studies.analysis.quantities.grammar import parsed
from studies.analysis.quantities.parts import names_of_worlds, walk
from studies.kinds import registry
from studies.study_file import asked
from studies.study_file.arm import Arm
from studies.study_file.document import Mistake
from studies.study_file.model import StudyModel

ASKING = {"claims", "figures", "tuning", "match"}  # sections with quantities


def mistakes(study: StudyModel, arms: Sequence[Arm]) -> Iterator[Mistake]:
    """What a quantity would take for something else.

    Args:
        study: typed.
        arms: of the study.
    """
    yield from _recorded(study, arms)
    for section, names in (("let", study.let), ("sweep", study.sweep)):
        if OTHER_NAME in names and _of_worlds(study.model_dump(include=ASKING)):
            text = (
                f"{OTHER_NAME} is a world's value in a density, which this study has; take another name"
            )
            yield Mistake((section, OTHER_NAME), text, at_key=True)


def _of_worlds(asked: object, key: str = "") -> bool:
    """Whether a density somewhere in these data, beside this key, names the values of worlds so."""
    match asked:
        case str():
            return _says(asked, density=key == "against")
        case Mapping():
            return any(_of_worlds(inner, str(name)) for name, inner in asked.items())
        case list() | tuple():
            return any(_of_worlds(inner) for inner in asked)
    return False


def _says(text: str, *, density: bool) -> bool:
    """Whether a text is a density, or a quantity with one, that says so."""
    try:
        tree = parsed(text)
    except ValueError:
        return False
    if density:
        return any(each.name == OTHER_NAME for each in walk(tree))
    return names_of_worlds(tree)


def _recorded(study: StudyModel, arms: Sequence[Arm]) -> Iterator[Mistake]:
    """Names that are recorded too: a quantity would mean that, and a formula the number."""
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
