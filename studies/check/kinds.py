"""The object of a kind that is named on the command line."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from landscapes import LANDSCAPES
from landscapes.base import Landscape
from optimizers import OPTIMIZERS
from optimizers.base import Optimizer
from studies.check.promises import STEPS
from studies.kinds import registry
from studies.study_file import fields
from studies.study_file.document import Mistake, dotted, value_of
from studies.study_file.errors import mistakes_in
from studies.text.shapes import Data

NEITHER = (
    "expected an optimizer or a landscape: a name that `python -m studies.list` prints, or an import"
    " path 'module:Class'"
)
INSTRUMENT = (
    "expected an optimizer or a landscape, got an instrument, which is held to its contract while a"
    " study runs"
)


def load(kind: str, settings: Sequence[str] = ()) -> Optimizer | Landscape:
    """The object of a kind with these parameters, "name=value" each, values as in a study file.

    Raises:
        ValueError: there is no such kind, or it does not take these parameters.
    """  # noqa: DOC502
    family = _family(kind)
    cls = registry.find(kind, family)
    parameters = _checked(cls, family, {"kind": kind} | dict(map(_setting, settings)))
    made = registry.build({"kind": kind, **parameters}, family)
    return made if family == "landscape" else made.budgeted(STEPS)


def _checked(cls: type, family: str, given: Data) -> Data:
    """The parameters of a kind, as a study file would have them.

    Raises:
        ValueError: it does not take them.
    """
    model = fields.entry_model(f"{family}s", given["kind"], cls)
    try:
        checked = model.model_validate(given)
    except ValidationError as error:
        raise ValueError("; ".join(map(_line, mistakes_in(error, model, given)))) from error
    return checked.model_dump(include=set(fields.parameter_names(cls)), mode="json")


def _family(kind: str) -> str:
    if kind in LANDSCAPES:
        return "landscape"
    if kind in OPTIMIZERS:
        return "optimizer"
    if ":" not in kind:
        raise ValueError(NEITHER)
    family = registry.family(kind)
    if family == "instrument":
        raise ValueError(INSTRUMENT)
    return family


def _setting(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--set: expected PARAMETER=VALUE, got {text!r}")
    try:
        return name, value_of(value)
    except ValueError as error:
        raise ValueError(f"--set: {value!r} is no value") from error


def _line(mistake: Mistake) -> str:
    return f"{dotted(mistake.path)}: {mistake.text}"
