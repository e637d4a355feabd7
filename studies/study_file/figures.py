"""The figures of a study that are told what to show, as pydantic models: `{curve: {x: B, y: loss}}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self, Union

from annotated_types import Ge, Le
from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    create_model,
    model_serializer,
    model_validator,
)

from studies.study_file.values import TAG, Strict
from studies.text.shapes import Data, Hint

PLACES = ("x", "hue", "rows", "columns")  # options that are axes; `map` has y too
QUANTITIES = ("y", "colour", "of")  # options that are quantities
FORMULAS = ("against", "theory", "along")  # options that are formulas of the arms' numbers
CLOCKS = ("cost", "steps", "epochs", "virtual_time", "seconds")


class Said(Strict):
    """What was said of a figure; the rest is left out."""

    @model_serializer(mode="wrap")
    def _given(self, handler: SerializerFunctionWrapHandler) -> Data:
        return {name: value for name, value in handler(self).items() if value is not None}


class Options(Said):
    """What every such figure may be told."""

    needs: ClassVar[str] = ""  # the section of a study that it shows
    instead: ClassVar[str] = ""  # the key that needs no such section
    example: ClassVar[str] = ""
    command: ClassVar[str] = "--KEY VALUE .."

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")] | None = Field(
        default=None, description="of its files; null: the figure's, the second time with -2"
    )
    landscape: str | list[str] | None = Field(
        default=None, description="the one that is shown, or a list; null: all"
    )
    optimizer: str | list[str] | None = Field(
        default=None, description="the one that is shown, or a list, as its arms are called; null: all"
    )
    at: dict[str, float | str | list[float | str]] | None = Field(
        default=None, description="axis -> its value that is shown, or a list; others: all"
    )


class PlainModel(Options):
    """The landscapes and optimizers that it shows."""

    example: ClassVar[str] = "optimizer: [SGD, GA]"
    command: ClassVar[str] = "--optimizer SGD GA"


class Faceted(Options):
    """What a figure with panels may be told."""

    rows: str | None = Field(
        default=None, description="the axis, `landscape` or `optimizer` of the rows"
    )
    columns: str | None = Field(default=None, description="the same of the columns of panels")


LABEL = "what stands at the vertical axis, in place of the quantity"


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
    label: str | None = Field(default=None, description=LABEL)


class MapModel(Faceted):
    """A quantity over two axes, as colours, with the line at which it has a given value."""

    example: ClassVar[str] = "x: barrier, y: width, colour: 'median(loss[\"SGD\"])', line: 1"
    x: str = Field(description="the axis across")
    y: str = Field(description="the axis upwards")
    colour: str = Field(description="the quantity")
    line: float | None = Field(
        default=None, description="its value in the middle of the colours, at which there is a line"
    )
    theory: str | None = Field(
        default=None, description="a formula of the arms' numbers that predicts it; its line is dashed"
    )
    label: str | None = Field(default=None, description="what it is, in words; null: the quantity")


class DensityModel(Faceted):
    """The histogram of a number of the worlds, beside the density that theory gives it."""

    example: ClassVar[str] = "of: theta, against: exp(-theta**2 / (2 * temperature))"
    of: str = Field(description="a number of each world at the end, such as a recorded name")
    against: str | None = Field(
        default=None,
        description="a formula of that name, or of x, and of the arm's numbers; it need not be normalised",
    )
    bins: Annotated[int, Ge(2), Le(1000)] = Field(default=20, description="of the histogram")


class LawModel(Options):
    """Laws as curves, with what was observed and the residuals."""

    needs: ClassVar[str] = "claims"
    example: ClassVar[str] = "claim: noise falls as 1/B"
    claim: str | list[str] | None = Field(
        default=None,
        description="its name, a list of names, or several with commas between; null: all along an axis",
    )
    label: str | None = Field(default=None, description=LABEL)


class BesideModel(Strict):
    """A mark at two quantities, of a method that has no such axis."""

    x: str = Field(description="the quantity across")
    y: str = Field(description="the quantity upwards")
    called: str = Field(description="what it is, in words")


class AnswerModel(Options):
    """Laws as lines with what was observed on top, several claims in a panel."""

    needs: ClassVar[str] = "claims"
    example: ClassVar[str] = "claim: [[noise of SGD, noise of ES]], across: batch, label: variance"
    claim: str | list[str | list[str]] = Field(
        description="its name, or a list with an entry for each panel: a claim, or a list of those in it"
    )
    along: str | None = Field(
        default=None,
        description="what stands across in place of the axis, a formula of the arms' numbers",
    )
    label: str | list[str] | None = Field(default=None, description=f"{LABEL}; a list: of each panel")
    across: str | list[str] | None = Field(
        default=None,
        description="what stands at the horizontal axis, in place of the axis or the formula",
    )
    above: str | None = Field(default=None, description="words above the lines")
    below: str | None = Field(default=None, description="words below the lines")
    beside: BesideModel | None = Field(default=None, description="one more mark for each line")
    outside: bool = Field(default=True, description="whether what lies outside of the regime is drawn")
    over: bool = Field(default=False, description="whether all is divided by what is predicted")
    least: bool = Field(default=False, description="whether the least point of each law has a star")
    wrong: bool = Field(default=False, description="whether wrong laws are drawn too")
    log: bool = Field(default=False, description="whether vertical axes are logarithmic in any case")


class FrequenciesModel(Faceted):
    """Frequencies of alleles or genotypes over generations."""

    needs: ClassVar[str] = "record"
    example: ClassVar[str] = "of: p, stacked: true"
    of: str | None = Field(default=None, description="a recorded vector; null: the first that there is")
    world: Annotated[int, Ge(0)] | Literal["mean"] = Field(
        default="mean", description="the number of a world, or mean"
    )
    stacked: bool = Field(default=False, description="true: areas on top of one another")


class PlaneModel(Options):
    """Trajectories and populations on the same map."""

    needs: ClassVar[str] = "pictures"
    example: ClassVar[str] = "world: 0"
    world: Annotated[int, Ge(0)] = Field(default=0, description="of which pictures were taken")


class ClockedModel(Options):
    """A figure along a clock."""

    example: ClassVar[str] = "clock: steps"
    command: ClassVar[str] = "--clock steps"
    clock: Literal["cost", "steps", "epochs", "virtual_time", "seconds"] | None = Field(
        default=None, description="of the horizontal axis; null: cost"
    )


class ConvergenceModel(ClockedModel):
    """Loss along a clock."""


class EcdfModel(ClockedModel):
    """Running times on a clock, as distributions."""

    needs: ClassVar[str] = "targets"
    instead: ClassVar[str] = "group"
    group: str | None = Field(
        default=None,
        description=(
            "landscapes that are drawn together, with 51 targets of each its own: all, or those with the same"
            " kind, dim or value of a swept axis that changes them; null: each has a panel, with the study's"
            " targets"
        ),
    )
    reference: str | None = Field(
        default=None,
        description="with a group, the optimizer behind the others; best: of each target the best arm",
    )


class ProfileModel(ClockedModel):
    """Running times on a clock over the least of any optimizer."""

    needs: ClassVar[str] = "targets"


class ScalingModel(ClockedModel):
    """Expected running time against a swept axis of numbers, with exponents."""

    needs: ClassVar[str] = "sweep"
    example: ClassVar[str] = "x: dim, target: 0.01"
    command: ClassVar[str] = "--x dim --target 0.01"
    x: str | None = Field(
        default=None, description="the axis; null: the first with two numbers above 0 or more"
    )
    target: float | None = Field(
        default=None, description="the loss; null: the last of the study's targets"
    )


class AttainmentModel(ClockedModel):
    """Losses that shares of the worlds had reached along a clock."""

    example: ClassVar[str] = "surface: true"
    command: ClassVar[str] = "--surface true"
    surface: bool = Field(
        default=False, description="whether each arm has a panel, with the share of worlds as shades"
    )


QUESTIONS: dict[str, type[Options]] = {
    "convergence": ConvergenceModel,
    "ecdf": EcdfModel,
    "profile": ProfileModel,
    "curve": CurveModel,
    "scaling": ScalingModel,
    "attainment": AttainmentModel,
    "map": MapModel,
    "density": DensityModel,
    "law": LawModel,
    "answer": AnswerModel,
    "frequencies": FrequenciesModel,
    "plane": PlaneModel,
}


def model_of(name: str) -> type[Options]:
    """What a figure may be told."""
    return QUESTIONS.get(name, PlainModel)


class Single(Said):
    """One figure by its name."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    @model_validator(mode="after")
    def _one(self) -> Self:
        names = [name for name in self.model_fields_set if getattr(self, name) is not None]
        if len(names) != 1:
            had = " and ".join(sorted(names)) or "none"
            raise ValueError(
                f"expected one figure, and what it is to show, as {{curve: {{..}}}}, got {had}"
            )
        return self


def entry(figures: tuple[str, ...]) -> Hint:
    """The type of a figure: the name of any, or one with what it is to show."""
    models = dict.fromkeys(figures, PlainModel) | QUESTIONS
    fields: Data = {
        name: (model | None, Field(default=None, description=(model.__doc__ or "").split("\n")[0]))
        for name, model in models.items()
    }
    shown = create_model(
        "FigureModel", __base__=Single, __doc__="A figure, and what it is to show.", **fields
    )
    alone = [name for name, model in QUESTIONS.items() if not required(model)]
    plain = Annotated[Literal[(*figures, *alone)], Tag(f"{TAG}name")]  # type: ignore[valid-type]
    return Annotated[Union[plain, Annotated[shown, Tag(f"{TAG}shown")]], Discriminator(_tag)]  # noqa: UP007


def required(model: type[Options]) -> list[str]:
    """What a figure has to be told."""
    return [name for name, field in model.model_fields.items() if field.is_required()]


def _tag(value: object) -> str:
    return f"{TAG}shown" if isinstance(value, Mapping | Said) else f"{TAG}name"
