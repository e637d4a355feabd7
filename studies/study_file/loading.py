"""The study file: read, typed, checked; every mistake in one line, all at once.

    study.yaml:10:9: optimizers.sgd.momentun: unknown key for sgd; did you mean 'momentum'?

What a key may hold is said by `studies.study_file.model`. What needs more than one entry (a method that
cannot search a landscape, a batch larger than the data) is checked for every combination of the swept
values, on the objects themselves, by `studies.study_file.arms`. Here is the order of the checks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from studies.study_file import (
    against,
    check_calibrated,
    check_expressions,
    check_figures,
    check_labels,
    check_let,
    check_match,
    check_record,
    check_size,
    check_tuning,
    factors,
    formulas,
    only,
    own_code,
    whole,
)
from studies.study_file.arm import Arm
from studies.study_file.arms import Resolver
from studies.study_file.axes import Axis, Setting, axes_of, known_paths
from studies.study_file.document import Document, Mistake, beyond, first_of, from_mapping, mapping_at
from studies.study_file.draft import Draft
from studies.study_file.files import read_file
from studies.study_file.model import FAMILIES, StudyModel
from studies.study_file.overrides import override
from studies.study_file.study import Study, StudyError
from studies.text import labels
from studies.text.shapes import Data, Named

AS_GIVEN = (*FAMILIES, "question", "sweep")  # keys of a study in which texts are no labels
# of entries, what is left out where it is empty
EMPTY = ("dtype", "grid", "on", "only", "start", "budget", "targets", "checkpoints")
NO_MAPPING = Mistake((), "expected a mapping with the keys name, budget, landscapes, optimizers")


def load_study(
    source: Path | str | Named,
    overrides: Mapping[str, object] | Sequence[str] = (),
    *,
    plugins: bool = True,
    many: bool = True,
) -> Study:
    """Read and check a study.

    Args:
        source: a file, the name of a study in studies/configs/, or the study as a mapping.
        overrides: dotted path -> value, or texts "path=value" with the value in YAML.
        plugins: whether it may name code by import path, which runs here.
        many: whether it may have a million cells or more; else it is refused before its arms are made, where
            its text shows that it has.

    Returns:
        The study, complete.

    Raises:
        StudyError: with one line per mistake.
    """
    document = from_mapping(source) if isinstance(source, Mapping) else read_file(str(source))
    readable = isinstance(document.data, dict)
    if readable:
        override(document, overrides)
        document.data = {
            key: value if key in AS_GIVEN else labels.tidied(value)
            for key, value in document.data.items()
        }
    if not readable or (document.mistakes and not document.data):
        raise StudyError(document.lines(document.mistakes or [NO_MAPPING]))
    if not plugins and (named := [*own_code.mistakes(document.data)]):
        raise StudyError(document.lines(named))
    if huge := [*beyond(document.data)]:
        raise StudyError(document.lines(huge))
    return _checked(document, many=many)


def _checked(document: Document, *, many: bool) -> Study:
    """The study of a document that is a mapping, or all its mistakes."""
    draft = Draft.of(document)
    if endless := [*check_size.too_many_variants(draft.entries("optimizers"), [])]:
        raise StudyError(document.lines(endless))
    draft.mistakes += check_labels.mistakes(draft)
    draft.mistakes += formulas.mistakes_in_let(draft.data)
    draft.mistakes += whole.settled(draft.data)
    if "record" in draft.data:
        draft.data["record"], wrong = check_record.completed(draft.data["record"])
        draft.mistakes += wrong
    swept = _swept(draft)
    study = draft.typed([setting for axis in swept for setting in axis.settings[0]])
    switched, wrong = factors.axes_of(draft, [axis.name for axis in swept])
    draft.mistakes += wrong
    axes = [*swept, *switched]
    resolver = Resolver(draft, axes)
    grids = check_size.too_many_variants(draft.entries("optimizers"), axes)
    draft.mistakes += (endless := [*check_size.too_many(axes), *grids])
    if study is None or endless:
        raise StudyError(document.lines(draft.mistakes))
    if not many and (unmeant := check_size.unmeant(draft.data, axes, study)):
        raise StudyError(document.lines(draft.mistakes) or [unmeant])
    arms = against.beside(draft, resolver.arms(), resolver)
    draft.mistakes += check_record.mistakes(study.record, arms, axes, study.ledger is not None)
    arms, wrong = check_expressions.of_arms(study.record, arms, missing=_missing(draft, arms))
    draft.mistakes += wrong
    _check_ranges(study, draft, arms, resolver)
    # what follows is checked of a study that has no other mistakes
    for check in (
        check_let.mistakes(study, arms),
        only.nobody(draft.labels["landscapes"], arms),
        _of_claims(study, draft, arms, axes),
        check_figures.mistakes(study, arms, axes),
        check_size.mistakes(study, arms, axes),
        factors.idle(switched, arms, draft.data),
    ):
        draft.mistakes += [] if draft.mistakes else check
    if draft.mistakes:
        raise StudyError(document.lines(draft.mistakes))
    return _study(study, draft, arms, axes)


def _missing(draft: Draft, arms: list[Arm]) -> bool:
    """Whether a landscape or an optimizer has no arm, as something is wrong with it."""
    there = {*(arm.label for arm in arms), *(str(arm.coords["landscape"]) for arm in arms)}
    return bool(draft.mistakes) and any(not there.issuperset(own) for own in draft.labels.values())


def _swept(draft: Draft) -> list[Axis]:
    """The axes of `sweep`; what is wrong there is noted."""
    paths, taken = known_paths(draft.data, draft.classes), labels.reserved(draft.classes)
    axes, mistakes = axes_of(draft.data, paths, taken)
    draft.mistakes += [*mistakes, *check_labels.of_axes(axes, draft)]
    for axis in axes:
        draft.mistakes += (
            _in_grid(setting) for setting in axis.settings[0] if _has_grid(setting, draft)
        )
    return axes


def _has_grid(setting: Setting, draft: Draft) -> bool:
    """Whether the grid of an optimizer gives the values of this parameter too."""
    family, *rest = setting.path
    if family != "optimizers" or len(rest) < 2:
        return False
    return rest[1] in mapping_at((family, rest[0], "grid"), draft.data)


def _in_grid(setting: Setting) -> Mistake:
    text = "is in the optimizer's grid too; give it in one of the two"
    return Mistake(setting.source[:-1], text, at_key=True)


def _check_ranges(study: StudyModel, draft: Draft, arms: list[Arm], resolver: Resolver) -> None:
    """Note what is wrong with `match` and `tuning`, also with the ends of their ranges and their choices.

    Args:
        study: the study, typed.
        draft: the same, in which mistakes are noted.
        arms: of the study.
        resolver: tries values of a range in all arms.
    """
    axes = resolver.axes
    if study.match:
        wrong = first_of(
            check_match.mistakes(study.match, draft, axes),
            check_match.unknown_quantities(study.match, arms),
            check_match.alone(study.match, arms),
            check_calibrated.mistakes(study.match, arms, study.let),
        )
        draft.mistakes += wrong
        for ends in [] if wrong else check_match.probes(draft):
            resolver.arms(ends)
    if study.tuning:
        wrong = first_of(
            check_tuning.mistakes(study.tuning, draft, axes),
            check_calibrated.mistakes(study.tuning, arms, study.let),
        )
        draft.mistakes += wrong
        for values in [] if wrong else check_tuning.probes(study.tuning, draft):
            resolver.arms(values)


def _of_claims(study: StudyModel, draft: Draft, arms: list[Arm], axes: list[Axis]) -> Iterator[Mistake]:
    if study.claims:
        from studies.study_file import check_claims  # loads much

        yield from check_claims.mistakes(_resolved(study, draft), arms, axes)


def _study(checked: StudyModel, draft: Draft, arms: list[Arm], axes: list[Axis]) -> Study:
    named = {key: _in_order(key, draft, arms) for key in ("landscape", "optimizer")}
    return Study(
        name=checked.name,
        question=checked.question,
        replicates=checked.replicates,
        device=checked.device,
        figures=json.loads(checked.model_dump_json(include={"figures"}))["figures"],
        cluster=checked.cluster,
        arms=arms,
        axes=named | {axis.name: axis.coords for axis in axes},
        match=checked.match,
        tuning=checked.tuning,
        cell_timeout=checked.cell_timeout,
        compile=checked.compile,
        resolved=_resolved(checked, draft),
    )


def _in_order(key: str, draft: Draft, arms: list[Arm]) -> list[str]:
    """The labels of the arms, in the order of the study's entries, also where some arms are absent."""
    order = draft.labels[f"{key}s"]
    own = {str(arm.coords[key]): arm.coords[key] if key == "landscape" else arm.label for arm in arms}
    return sorted(own, key=lambda name: order.index(own[name]))


def _resolved(checked: StudyModel, draft: Draft) -> Data:
    """As plain data, the kind of an entry first, what is empty left out, formulas as written."""
    data = json.loads(json.dumps(checked.model_dump()))
    for family in FAMILIES:
        for label, entry in data[family].items():
            data[family][label] = {"kind": entry["kind"]} | {
                key: value for key, value in entry.items() if key not in EMPTY or value
            }
    if not data["let"]:
        del data["let"]
    return data
