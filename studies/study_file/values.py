"""What the values of a study file may be, as pydantic types."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Tag

CHECKPOINTS = 20  # per decade, at least
MOMENTS = 2  # decades of the budget, covered by the noise ledger
# begins the tags of our unions, so that they are told from the keys of a study in the path of an error
TAG = "~"


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


# values -----------------------------------------------------------------------------------------------------


def _whole(value: Any) -> Any:  # noqa: ANN401
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _batch(value: Any) -> Any:  # noqa: ANN401
    fraction = isinstance(value, float) and 0 < value < 1
    if value is None or fraction or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError("expected a number of terms 1, 2, .., a fraction 0 < f < 1 of them, or null for all")


def checkpoint_fractions(value: Any) -> Any:  # noqa: ANN401
    """A number of checkpoints per decade, or increasing fractions of the budget."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= CHECKPOINTS:
        return value
    if (
        isinstance(value, list)
        and value
        and all(isinstance(v, (int, float)) and 0 < v <= 1 for v in value)
        and sorted(set(value)) == value
    ):
        return [float(v) for v in value]
    raise ValueError(
        f"expected a number per decade >= {CHECKPOINTS}, or a list of increasing fractions of the budget,"
        " each 0 < f <= 1"
    )


WHOLE = BeforeValidator(_whole)  # 16.0 is 16; after the bounds, so that these stay in the JSON schema
Count = Annotated[int, Ge(1), WHOLE]
Positive = Annotated[float, Gt(0)]
Share = Annotated[float, Gt(0), Le(1)]
Dtype = Literal["float64", "float32"]


def per_landscape(value_type: Any, keys: tuple[str, ...] = ()) -> Any:  # noqa: ANN401
    """One value, or a mapping landscape label -> value.

    A value that is itself a mapping has the given keys.
    """

    def which(value: Any) -> str:  # noqa: ANN401
        return (
            f"{TAG}map"
            if isinstance(value, Mapping) and not (value and set(value) <= set(keys))
            else f"{TAG}one"
        )

    return Annotated[
        Union[Annotated[value_type, Tag(f"{TAG}one")], Annotated[dict[str, value_type], Tag(f"{TAG}map")]],  # noqa: UP007
        Discriminator(which),
    ]


Batch = Annotated[int | float | None, BeforeValidator(_batch)]


def check_moments(value: Any) -> Any:  # noqa: ANN401
    """Moments of the ledger as fractions of the budget."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return [float(f"{10 ** (-MOMENTS * (1 - (i + 1) / value)):.9g}") for i in range(value)]
    if (
        isinstance(value, list)
        and value
        and all(isinstance(v, (int, float)) and 0 <= v <= 1 for v in value)
        and sorted(set(value)) == value
    ):
        return [float(v) for v in value]
    raise ValueError(
        "expected a number of moments >= 1, or a list of increasing fractions of the budget, each 0 <= f <= 1"
    )


Reference = Literal["raw", "smoothed", "preconditioned", "selection", "mean_fitness"]


def check_range(value: Any) -> Any:  # noqa: ANN401
    """A range of positive numbers, low before high."""
    numbers = (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value)
    )
    if numbers and 0 < value[0] < value[1] < float("inf"):
        return value
    raise ValueError("expected a range [low, high] with 0 < low < high")


SPAN = (
    "expected a range [low, high] with low < high, {low: .., high: .., scale: log | linear}, a list of texts,"
    " or {choices: [..]}"
)


def _span(value: Any) -> Any:  # noqa: ANN401
    """A range of numbers as {low, high, scale}, or values to choose from as {choices}."""
    if isinstance(value, list) and not (value and all(map(_number, value))):
        value = {"choices": value}
    elif isinstance(value, list) and len(value) == 2:
        value = {"low": value[0], "high": value[1]}
    keys = set(value) if isinstance(value, Mapping) else set()
    if (
        keys == {"choices"}
        and isinstance(value["choices"], list)
        and len({repr(choice) for choice in value["choices"]}) == len(value["choices"]) > 1
    ):
        return dict(value)
    if (
        {"low", "high"} <= keys <= {"low", "high", "scale"}
        and _number(value["low"])
        and _number(value["high"])
    ):
        scale = value.get("scale", "log" if value["low"] > 0 else "linear")
        if scale == "log" and value["low"] <= 0:
            raise ValueError(f"expected low > 0 on a log scale, got {value['low']:g}; say scale: linear")
        if value["low"] < value["high"] and scale in ("log", "linear"):
            return {"low": value["low"], "high": value["high"], "scale": scale}
    raise ValueError(SPAN)


def _number(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


Span = Annotated[dict[str, Any], BeforeValidator(_span, json_schema_input_type=list[Any] | dict[str, Any])]
