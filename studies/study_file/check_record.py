"""`record:` of a study: expressions of what the loop knows, and instruments of the user's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pydantic import ValidationError

from studies.cells.expressions.recorder import dim_of
from studies.kinds import registry
from studies.kinds.instruments import Instrument
from studies.study_file import check_expressions, fields
from studies.study_file.arm import Arm
from studies.study_file.axes import Axis
from studies.study_file.document import Mistake, Path
from studies.study_file.errors import mistakes_in
from studies.study_file.values import OF_LET
from studies.text.shapes import Data
from studies.text.user_code import one_line
from studies.text.words import show

Spec = Data  # {"kind": .., parameters}, complete


def completed(record: object) -> tuple[object, list[Mistake]]:
    """What a study records, complete: label -> {kind: .., parameters} or {expression: .., ..}; what is wrong.

    What is wrong is left out. What is neither a mapping nor a list stays as it is.

    Args:
        record: label -> expression, {expression: .., units, long_name}, import path of an instrument, or
            {kind: import path, parameters}; or a list of names.
    """
    wrong: list[Mistake] = []
    if isinstance(record, list):
        record, wrong = _listed(record)
    if not isinstance(record, dict):
        return record, []
    complete: dict[str, Spec] = {}
    for label, given in record.items():
        spec_or_mistakes = _completed(("record", label), given)
        if isinstance(spec_or_mistakes, dict):
            complete[label] = spec_or_mistakes
        else:
            wrong += spec_or_mistakes
    return complete, wrong


def _listed(names: list) -> tuple[Data, list[Mistake]]:
    """A list of names as a mapping: each is its own label."""
    text = (
        "expected a name, such as heterozygosity; what is computed needs a label: {LABEL: EXPRESSION}"
    )
    wrong = [
        Mistake(("record", place), f"{text}, got {show(name)}")
        for place, name in enumerate(names)
        if not isinstance(name, str) or not name.isidentifier()
    ]
    return {name: name for name in names if isinstance(name, str) and name.isidentifier()}, wrong


def _completed(place: Path, given: object) -> Spec | list[Mistake]:
    if check_expressions.is_expression(given):
        return check_expressions.completed(place, given)
    spec = {"kind": given} if isinstance(given, str) else given
    kind = spec.get("kind") if isinstance(spec, dict) else None
    if not isinstance(kind, str):
        text = (
            "expected an expression, such as center[0], {expression: .., units: .., long_name: ..},"
            " an import path 'module:Class', or {kind: 'module:Class', its parameters}"
        )
        return [Mistake(place, f"{text}, got {show(given)}")]
    try:
        model = fields.parameter_model(registry.find(kind, "instrument"), kind, OF_LET)
        complete = model.model_validate(spec).model_dump(mode="json")
        problem = next(registry.recorded_problems(registry.build(complete, "instrument")), None)
    except ValidationError as error:
        return [replace(wrong, path=(*place, *wrong.path)) for wrong in mistakes_in(error, model, spec)]
    except ValueError as error:
        where = place if isinstance(given, str) else (*place, "kind")
        return [Mistake(where, " ".join(str(error).split()))]
    except (Exception, SystemExit) as error:  # noqa: BLE001  a kind of the user's may fail in any way
        return [Mistake(place, one_line(error))]
    return [Mistake(place, f"{kind}: {problem}")] if problem else complete


def mistakes(
    record: Mapping[str, Spec], arms: Sequence[Arm], axes: Sequence[Axis], ledger: bool = False
) -> Iterator[Mistake]:
    """Variables that are recorded, and that others of this study have too.

    Args:
        record: label -> instrument or expression.
        arms: of the study.
        axes: of its sweep.
        ledger: whether it keeps the noise ledger.
    """
    taken = {axis.name: f"an axis of `sweep` is called {axis.name!r}" for axis in axes}
    taken |= dict(_recorded(arms))
    for label, spec in record.items():
        variables = _variables(label, spec)
        problem = None if "kind" in spec else check_expressions.wrong_name(label, ledger=ledger)
        if problem:
            yield Mistake(("record", label), problem, at_key=True)
        for name in variables:
            if name in taken:
                yield Mistake(
                    ("record", label), f"records {name!r}, but {taken[name]}; choose another name"
                )
        taken |= dict.fromkeys(variables, f"{label!r} records it too")


def _variables(label: str, spec: Spec) -> list[str]:
    """The names that come into the Dataset."""
    if "kind" not in spec:
        return [label, dim_of(label)]
    instrument: Instrument = registry.build(spec, "instrument")
    return [*instrument.variables]


def _recorded(arms: Sequence[Arm]) -> Iterator[tuple[str, str]]:
    """Variables that optimizers and landscapes record -> who does."""
    for kind in {arm.optimizer["kind"] for arm in arms}:
        cls = registry.find(kind, "optimizer")
        for name, *_ in (*cls.recorded.values(), *cls.counted.values()):
            yield name, f"the optimizer {kind} records it too"
    for text in {json.dumps(arm.landscape) for arm in arms}:
        landscape = registry.build(json.loads(text), "landscape")
        for name in landscape.extras:
            yield name, f"the landscape {landscape.name} records it too"
