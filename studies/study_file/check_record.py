"""`record:` of a study: instruments of the user's, each named by its import path."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pydantic import ValidationError

from studies import registry
from studies.instruments import Instrument
from studies.study_file import fields
from studies.study_file.arm import Arm
from studies.study_file.axes import Axis
from studies.study_file.document import Mistake, Path
from studies.study_file.errors import mistakes_in
from studies.text.shapes import Data
from studies.text.user_code import one_line
from studies.text.words import show

Spec = Data  # {"kind": .., parameters}, complete


def completed(record: object) -> tuple[object, list[Mistake]]:
    """The instruments of a study with all parameters, label -> {kind: .., parameters}; and what is wrong.

    Those that are wrong are left out. What is no mapping stays as it is.

    Args:
        record: label -> import path, or {kind: import path, parameters}.
    """
    if not isinstance(record, dict):
        return record, []
    complete: dict[str, Spec] = {}
    wrong: list[Mistake] = []
    for label, given in record.items():
        spec_or_mistakes = _completed(("record", label), given)
        if isinstance(spec_or_mistakes, dict):
            complete[label] = spec_or_mistakes
        else:
            wrong += spec_or_mistakes
    return complete, wrong


def _completed(place: Path, given: object) -> Spec | list[Mistake]:
    spec = {"kind": given} if isinstance(given, str) else given
    kind = spec.get("kind") if isinstance(spec, dict) else None
    if not isinstance(kind, str):
        text = "expected an import path 'module:Class', or {kind: 'module:Class', its parameters}"
        return [Mistake(place, f"{text}, got {show(given)}")]
    try:
        model = fields.parameter_model(registry.find(kind, "instrument"), kind)
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
    record: Mapping[str, Spec], arms: Sequence[Arm], axes: Sequence[Axis]
) -> Iterator[Mistake]:
    """Variables that an instrument records, and that others of this study have too.

    Args:
        record: label -> instrument.
        arms: of the study.
        axes: of its sweep.
    """
    taken = {axis.name: f"an axis of `sweep` is called {axis.name!r}" for axis in axes}
    taken |= dict(_recorded(arms))
    for label, spec in record.items():
        instrument: Instrument = registry.build(spec, "instrument")
        for name in instrument.variables:
            if name in taken:
                yield Mistake(
                    ("record", label), f"records {name!r}, but {taken[name]}; choose another name"
                )
        taken |= dict.fromkeys(instrument.variables, f"{label!r} records it too")


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
