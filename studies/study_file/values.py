"""What the values of a study file may be, as pydantic types."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Literal, TypeGuard, Union

from annotated_types import Ge, Gt, Le
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Tag,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
)
from pydantic_core import CoreSchema, core_schema

from studies.analysis.quantities.grammar import parsed
from studies.text.formulas import reads_as_formula
from studies.text.shapes import Data, Hint, Tree

CHECKPOINTS = 20  # per decade, at least
MOST = 100_000  # checkpoints of a run, moments of its ledger, frames of its pictures, trials of tuning
MOMENTS = 2  # decades of the budget, covered by the noise ledger
# begins the tags of our unions, so that they are told from the keys of a study in the path of an error
TAG = "~"
FORMULA = "formula"  # the format of a formula in a JSON schema


class Strict(BaseModel):
    """No unknown keys, no silent conversions, no infinities."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        validate_default=True,
        protected_namespaces=(),
    )


# formulas ---------------------------------------------------------------------------------------------------


class Formula(str):
    """The text of a formula where a number is expected; each arm has its value."""

    __slots__ = ()


class OrFormula:
    """Beside what a type allows, a text that reads as a formula.

    The names that there are come as `context` of a validation, {"words": names}.
    """

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read by `_read`, written as it is."""
        return core_schema.with_info_wrap_validator_function(
            self._read,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value),
        )

    def __get_pydantic_json_schema__(self, schema: Data, handler: GetJsonSchemaHandler) -> Data:
        """The type's own, or a text."""
        return {"anyOf": [handler(schema["schema"]), {"type": "string", "format": FORMULA}]}

    def _read(
        self, value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> object:
        if isinstance(value, Formula):
            return value
        try:
            return handler(value)
        except ValidationError:
            words = (info.context or {}).get("words", ())
            if isinstance(value, str) and reads_as_formula(value, words):
                return Formula(value)
            raise


OR_FORMULA = OrFormula()


class OfLet:
    """What a type allows; in the schema also a formula, of which `studies.study_file.whole` made a number."""

    def __get_pydantic_json_schema__(self, schema: Data, handler: GetJsonSchemaHandler) -> Data:
        """The type's own, or a text."""
        return {"anyOf": [handler(schema), {"type": "string", "format": FORMULA}]}


OF_LET = OfLet()


# values -----------------------------------------------------------------------------------------------------


def check_seed(value: object) -> object:
    """A seed, which is no formula.

    Raises:
        ValueError: it is a text.
    """
    if isinstance(value, str):
        raise ValueError("expected a whole number, and no formula, as every draw follows from it")
    return value


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _batch(value: object) -> object:
    fraction = isinstance(value, float) and 0 < value < 1
    if value is None or fraction or _count(value):
        return value
    raise ValueError(
        "expected a number of terms 1, 2, .., a fraction 0 < f < 1 of them, or null for all"
    )


def _count(value: object, least: int = 1, most: float = math.inf) -> TypeGuard[int]:
    """Whether it is a whole number, large enough and not too large."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _with_formulas(value: object, info: ValidationInfo) -> object | None:
    """A formula, or a list with formulas in it, to be looked at when these are numbers; None of others."""
    words = (info.context or {}).get("words", ())
    given = value if isinstance(value, list) else [value]
    texts = [each for each in given if isinstance(each, str)]
    if not texts or not all(
        isinstance(text, Formula) or reads_as_formula(text, words) for text in texts
    ):
        return None
    read = [Formula(each) if isinstance(each, str) else each for each in given]
    return read if isinstance(value, list) else read[0]


def _fractions(value: object, allowed: Callable[[float], bool]) -> list[float] | None:
    """Increasing fractions of the budget; None where it is something else."""
    if not isinstance(value, list) or not value:
        return None
    if not all(isinstance(fraction, int | float) and allowed(fraction) for fraction in value):
        return None
    return [float(fraction) for fraction in value] if sorted(set(value)) == value else None


def _or_formulas(check: Callable[[object], object]) -> Callable[[object, ValidationInfo], object]:
    """A check of what has no formulas in it; what has some is checked when these are numbers."""

    def checked(value: object, info: ValidationInfo) -> object:
        later = _with_formulas(value, info)
        return check(value) if later is None else later

    return checked


@_or_formulas
def checkpoint_fractions(value: object) -> object:
    """A number of checkpoints per decade, or increasing fractions of the budget."""
    fractions = value if _count(value, CHECKPOINTS, MOST) else _fractions(value, lambda f: 0 < f <= 1)
    if fractions is None:
        raise ValueError(
            f"expected a number per decade, {CHECKPOINTS} to {MOST}, a list of increasing fractions of the"
            " budget, each 0 < f <= 1, or {count: .., spacing: log | linear, clock: ..}"
        )
    return fractions


WHOLE = BeforeValidator(_whole)  # 16.0 is 16; after the bounds, so that these stay in the JSON schema
Count = Annotated[int, Ge(1), WHOLE]
Positive = Annotated[float, Gt(0)]
Share = Annotated[float, Gt(0), Le(1)]
Dtype = Literal["float64", "float32"]


def per_landscape(value_type: Hint, keys: tuple[str, ...] = ()) -> Hint:
    """One value, or a mapping landscape label -> value.

    A value that is itself a mapping has one of the given keys at least.
    """

    def which(value: object) -> str:
        labelled = isinstance(value, Mapping) and not set(value) & set(keys)
        return f"{TAG}map" if labelled else f"{TAG}one"

    single = Annotated[value_type, Tag(f"{TAG}one")]
    labelled = Annotated[dict[str, value_type], Tag(f"{TAG}map")]
    return Annotated[Union[single, labelled], Discriminator(which)]  # noqa: UP007


Batch = Annotated[int | float | None, BeforeValidator(_batch)]


@_or_formulas
def check_moments(value: object) -> object:
    """Moments of the ledger as fractions of the budget."""
    if _count(value, most=MOST):
        return [float(f"{10 ** (-MOMENTS * (1 - (i + 1) / value)):.9g}") for i in range(value)]
    fractions = _fractions(value, lambda f: 0 <= f <= 1)
    if fractions is None:
        raise ValueError(
            f"expected a number of moments, 1 to {MOST}, or a list of increasing fractions of the budget,"
            " each 0 <= f <= 1"
        )
    return fractions


Reference = Literal["raw", "smoothed", "preconditioned", "selection", "mean_fitness"]


def quantity_or(*names: str) -> Callable[[str], str]:
    """A check that a text is one of these names, or a quantity."""

    def check(text: str) -> str:
        if text in names:
            return text
        if text.isidentifier():
            choices = ", ".join(map(repr, names))
            raise ValueError(f"expected {choices} or a quantity such as median(hit(0.1))")
        parsed(text)
        return text

    return check


def check_range(value: object) -> object:
    """A range of positive numbers, low before high."""
    if (
        isinstance(value, list)
        and len(value) == 2
        and all(map(_number, value))
        and 0 < value[0] < value[1]
    ):
        return value
    raise ValueError("expected a range [low, high] with 0 < low < high")


SPAN = (
    "expected a range [low, high] with low < high, {low: .., high: .., scale: log | linear, count: whole"
    " number >= 2}, a list of texts, or {choices: [..]}"
)


def _span(value: object) -> Data:
    """A range of numbers as {low, high, scale}, with a count where it is a grid; or {choices}."""
    given = _as_mapping(value)
    if given.keys() == {"choices"} and _several(given["choices"]):
        return dict(given)
    if not {"low", "high"} <= given.keys() <= {"low", "high", "scale", "count"}:
        raise ValueError(SPAN)
    low, high, count = given["low"], given["high"], given.get("count", 2)
    if not (_number(low) and _number(high) and _number(count) and count >= 2 and count == int(count)):
        raise ValueError(SPAN)
    scale = given.get("scale", "log" if low > 0 else "linear")
    if scale == "log" and low <= 0:
        raise ValueError(f"expected low > 0 on a log scale, got {low:g}; say scale: linear")
    if low >= high or scale not in ("log", "linear"):
        raise ValueError(SPAN)
    return {
        "low": low,
        "high": high,
        "scale": scale,
        **({"count": int(count)} if "count" in given else {}),
    }


def _as_mapping(value: object) -> Tree:
    """A list of two numbers is a range, any other list has choices; what is no mapping is empty."""
    if isinstance(value, list):
        if value and all(map(_number, value)):
            return {"low": value[0], "high": value[1]} if len(value) == 2 else {}
        return {"choices": value}
    return value if isinstance(value, Mapping) else {}


def _several(choices: object) -> bool:
    """Whether these are two different values or more."""
    return isinstance(choices, list) and len({repr(choice) for choice in choices}) == len(choices) > 1


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf


Span = Annotated[Data, BeforeValidator(_span, json_schema_input_type=list[object] | Data)]
