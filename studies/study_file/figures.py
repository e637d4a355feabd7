"""The figures of a study that are told what to show, as pydantic models: `{curve: {x: B, y: loss}}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Union

from pydantic import (
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    create_model,
    model_serializer,
)

from studies.study_file.values import TAG, Strict
from studies.text.shapes import Data, Hint

PLACES = ("x", "hue", "rows", "columns")  # options that are axes; `map` has y too
QUANTITIES = ("y", "colour", "of")  # options that are quantities
CLOCKS = ("cost", "steps", "epochs", "virtual_time", "seconds")


class Said(Strict):
    """What was said of a figure; the rest is left out."""

    @model_serializer(mode="wrap")
    def _given(self, handler: SerializerFunctionWrapHandler) -> Data:
        return {name: value for name, value in handler(self).items() if value is not None}


class Options(Said):
    """What every such figure may be told."""

    needs: ClassVar[str | None] = None  # the section of a study that it shows
    example: ClassVar[str] = ""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")] | None = Field(
        default=None, description="of its files; null: the figure's, the second time with -2"
    )


class Faceted(Options):
    """What a figure with panels may be told."""

    rows: str | None = Field(
        default=None, description="the axis, `landscape` or `optimizer` of the rows"
    )
    columns: str | None = Field(default=None, description="the same of the columns of panels")


class CurveModel(Faceted):
    """A quantity against an axis or a clock."""

    example: ClassVar[str] = "x: B, y: median(loss), hue: optimizer"

    x: str | None = Field(
        default=None,
        description=(
            "an axis, `landscape`, `optimizer`, or a clock: cost, steps, epochs, virtual_time, seconds; null:"
            " the first axis of numbers, else cost"
        ),
    )
    y: str = Field(
        default="median(loss)", description="the quantity, as python -m studies.ask takes it"
    )
    hue: str | None = Field(
        default=None, description="the axis, `landscape` or `optimizer` whose values are lines"
    )


QUESTIONS: dict[str, type[Options]] = {"curve": CurveModel}


def entry(figures: tuple[str, ...]) -> Hint:
    """The type of a figure: the name of any, or one with what it is to show."""
    fields: Data = {
        name: (model | None, Field(default=None, description=(model.__doc__ or "").split("\n")[0]))
        for name, model in QUESTIONS.items()
    }
    shown = create_model(
        "FigureModel", __base__=Said, __doc__="A figure, and what it is to show.", **fields
    )
    plain = Annotated[Literal[(*figures, *QUESTIONS)], Tag(f"{TAG}name")]  # type: ignore[valid-type]
    return Annotated[Union[plain, Annotated[shown, Tag(f"{TAG}shown")]], Discriminator(_tag)]  # noqa: UP007


def _tag(value: object) -> str:
    return f"{TAG}shown" if isinstance(value, Mapping | Said) else f"{TAG}name"
