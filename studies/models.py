"""The typed model of a study file (pydantic), and that of every landscape and optimizer, made from the fields of its dataclass."""

from __future__ import annotations

import dataclasses
import functools
import re
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt
from docstring_parser import DocstringStyle, parse
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, ValidationError, create_model, model_validator
from pydantic.fields import FieldInfo
from torch import Tensor

from landscapes import LANDSCAPES
from landscapes.base import Landscape, Parameters
from studies import kinds
from studies.ledger.record import VARIABLES

FAMILIES = ("landscapes", "optimizers")
FIGURES = {"convergence": None, "noise_sources": "ledger", "factorial": "factors"}  # name (studies.figures.FIGURES) -> key of a study that it shows
RELAXATIONS = ("extension", "threshold")
CHECKPOINTS = 20  # per decade, at least
MOMENTS = 2  # decades of the budget, covered by the noise ledger
TAG = "~"  # begins the tags of our unions, so that they are told from the keys of a study in the path of an error
RESERVED = frozenset(  # words that a sweep may not use for a dim: those of the Dataset
    "landscape optimizer replicate checkpoint target cost target_loss loss best_loss observed population_loss diversity step_length status"
    " hit_cost best_hit_cost value_terms gradient_terms steps seconds virtual_time staleness".split()
    + "moment source direction reference half mode force".split()
    + list(VARIABLES)
)
OWN = "own"  # the tag of a landscape of the user's inside another
DEFAULT = "default"  # the label of every landscape not named in a map label -> value


class Strict(BaseModel):
    """No unknown keys, no silent conversions, no infinities."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, validate_default=True, protected_namespaces=())


# values ------------------------------------------------------------------------------------------------------------------


def _whole(value: Any) -> Any:  # noqa: ANN401
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _batch(value: Any) -> Any:  # noqa: ANN401
    fraction = isinstance(value, float) and 0 < value < 1
    if value is None or fraction or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError("expected a number of terms 1, 2, .., a fraction 0 < f < 1 of them, or null for all")


def _checkpoints(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, int) and not isinstance(value, bool) and value >= CHECKPOINTS:
        return value
    if isinstance(value, list) and value and all(isinstance(v, (int, float)) and 0 < v <= 1 for v in value) and sorted(set(value)) == value:
        return [float(v) for v in value]
    raise ValueError(f"expected a number per decade >= {CHECKPOINTS}, or a list of increasing fractions of the budget, each 0 < f <= 1")


WHOLE = BeforeValidator(_whole)  # 16.0 is 16; after the bounds, so that these stay in the JSON schema
Count = Annotated[int, Ge(1), WHOLE]
Positive = Annotated[float, Gt(0)]
Dtype = Literal["float64", "float32"]


def _per_landscape(value_type: Any, keys: tuple[str, ...] = ()) -> Any:  # noqa: ANN401
    """One value, or a mapping landscape label -> value; a value that is itself a mapping has the given keys."""

    def which(value: Any) -> str:  # noqa: ANN401
        return f"{TAG}map" if isinstance(value, Mapping) and not (value and set(value) <= set(keys)) else f"{TAG}one"

    return Annotated[
        Union[Annotated[value_type, Tag(f"{TAG}one")], Annotated[dict[str, value_type], Tag(f"{TAG}map")]],  # noqa: UP007
        Discriminator(which),
    ]


class GradientCost(Strict):
    """What a gradient costs, and the prices to which an analysis may change it afterwards."""

    value: Positive = Field(default=3.0, description="evaluations that one gradient costs")
    range: Annotated[tuple[Positive, Positive], Field(strict=False)] | None = Field(
        default=None, description="lowest and highest price; null: the value alone"
    )

    @model_validator(mode="after")
    def _ordered(self) -> GradientCost:
        low, high = self.range or (self.value, self.value)
        if not low <= self.value <= high:
            raise ValueError(f"expected a range [low, high] with low <= value = {self.value:g} <= high")
        return self

    @property
    def low(self) -> float:
        """The lowest price, at which the budget is spent."""
        return self.range[0] if self.range else self.value

    @property
    def high(self) -> float:
        """The highest price."""
        return self.range[1] if self.range else self.value


class Evaluation(Strict):
    """Gaussian noise of the oracle's answers."""

    value: Annotated[float, Ge(0)] = Field(default=0.0, description="standard deviation on each value, in units of the loss")
    gradient: Annotated[float, Ge(0)] = Field(default=0.0, description="standard deviation on each coordinate of a gradient, in loss per unit of x")


Price = Annotated[float | GradientCost, AfterValidator(lambda v: v if isinstance(v, GradientCost) else GradientCost(value=v))]
Sigma = Annotated[Annotated[float, Ge(0)] | Evaluation, AfterValidator(lambda v: v if isinstance(v, Evaluation) else Evaluation(value=v))]
Batch = Annotated[int | float | None, BeforeValidator(_batch)]


class NoiseModel(Strict):
    """The noise laid over the landscapes; each entry one value, or landscape label -> value."""

    batch: _per_landscape(Batch) = Field(default=None, description="terms in a mini-batch, or a fraction of them; null: all")  # type: ignore[valid-type]
    sampling: _per_landscape(Literal["replacement", "batch", "epoch"]) = Field(default="replacement", description="how a mini-batch is drawn")  # type: ignore[valid-type]
    shared: _per_landscape(bool) = Field(default=True, description="every point of a world sees the same mini-batch")  # type: ignore[valid-type]
    evaluation: _per_landscape(Sigma, ("value", "gradient")) = Field(  # type: ignore[valid-type]
        default=0.0, description="standard deviation of Gaussian noise on values; or {value: .., gradient: ..}"
    )
    off: dict[Literal["data", "evaluation"], bool] = Field(
        default={}, description="source -> true: answers are as without it, and billed as with it; what `factors` sets"
    )


class OracleModel(Strict):
    """How much is evaluated at a time; each entry one value, or landscape label -> value. Less is slower, and needs less memory."""

    micro_batches: _per_landscape(Count) = Field(  # type: ignore[valid-type]
        default=1, description="pieces into which the terms of a mini-batch (or all terms) go; their weighted sum is exact where the loss is a sum"
    )
    chunks: _per_landscape(Count) = Field(default=1, description="groups into which the points go")  # type: ignore[valid-type]


SECTIONS: dict[str, type[Strict]] = {"noise": NoiseModel, "oracle": OracleModel}  # their entries may differ by landscape


def _moments(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return [float(f"{10 ** (-MOMENTS * (1 - (i + 1) / value)):.9g}") for i in range(value)]
    if isinstance(value, list) and value and all(isinstance(v, (int, float)) and 0 <= v <= 1 for v in value) and sorted(set(value)) == value:
        return [float(v) for v in value]
    raise ValueError("expected a number of moments >= 1, or a list of increasing fractions of the budget, each 0 <= f <= 1")


class LedgerModel(Strict):
    """The noise ledger: from frozen states the next step is taken again and again, its sources drawn afresh one by one."""

    moments: Annotated[int | list[float], BeforeValidator(_moments)] = Field(
        default=5, description="states that are frozen, log-spaced over the last two decades of the budget; or a list of fractions of the budget"
    )
    redraws: Annotated[int, Ge(4), WHOLE] = Field(default=256, description="steps from each state in each arm; there are two arms and one per source")
    modes: Count = Field(default=3, description="largest eigenvalues of the noise, and directions of largest curvature, that are shown")
    points: Count = Field(default=256, description="points asked at which the true gradient is averaged, in each of two arms")


def _range(value: Any) -> Any:  # noqa: ANN401
    numbers = isinstance(value, list) and len(value) == 2 and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value)
    if numbers and 0 < value[0] < value[1] < float("inf"):
        return value
    raise ValueError("expected a range [low, high] with 0 < low < high")


class MatchModel(Strict):
    """Arms of equal noise: the value of one parameter is sought, on each landscape, at which an arm's noise is that of the reference."""

    reference: str = Field(description="label of the optimizer whose noise the others are to have")
    quantity: Literal["noise_to_signal", "noise_scale", "effective_population", "temperature"] = Field(
        default="noise_to_signal", description="what is to be equal, see studies.analysis.noise.currencies"
    )
    at: Annotated[float, Ge(0), Le(1)] = Field(default=0.01, description="when it is measured, as a fraction of the budget")
    vary: Annotated[
        dict[str, Annotated[dict[str, Annotated[list[float], BeforeValidator(_range)]], Field(min_length=1, max_length=1)]], Field(min_length=1)
    ] = Field(description="label -> {parameter: [low, high]}")

    @property
    def labels(self) -> tuple[str, ...]:
        """The optimizers whose noise is measured."""
        return (self.reference, *self.vary)


class Cluster(Strict):
    """Where cells are computed."""

    kind: str = Field(default="local", description="local, or the address of a Dask scheduler, tcp://host:port")
    workers: Count | None = Field(default=None, description="worker processes of a local cluster; null: one per core")


class LandscapeEntry(Strict):
    """One landscape of a study."""

    dtype: Dtype | None = Field(default=None, description="precision on this landscape; null: the study's")


class OptimizerEntry(Strict):
    """One optimizer of a study."""

    relaxation: Literal["extension", "threshold"] = Field(default="extension", description="how a real-valued method sees a landscape on bits")
    grid: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(
        default={}, description="parameter -> values; each combination is a labelled variant"
    )
    on: dict[str, dict[str, Any]] = Field(default={}, description="landscape label -> parameters that differ on that landscape")


class StudyModel(Strict):
    """A study: which optimizers, on which landscapes, under which noise, at which budget."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")] = Field(description="lower-case letters, digits, - and _")
    question: str | None = Field(default=None, description="what the study asks")
    seed: Annotated[int, Ge(0), Lt(2**32), WHOLE] = Field(default=1, description="every draw follows from it and the number of the world")
    replicates: Count = Field(default=32, description="worlds of each arm")
    instances: Count | None = Field(default=None, description="world r has instance r mod instances; null: its own")
    budget: _per_landscape(Positive) = Field(description="evaluations of the whole loss, or landscape label -> evaluations")  # type: ignore[valid-type]
    gradient_cost: Price = Field(default=3.0, description="evaluations that one gradient costs; or {value: 3, range: [1, 20]}")
    dtype: Dtype = Field(default="float64", description="precision")
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="auto: cuda where there is one")
    targets: _per_landscape(list[float]) = Field(default=[], description="losses whose first hit is noted")  # type: ignore[valid-type]
    checkpoints: Annotated[int | list[float], BeforeValidator(_checkpoints)] = Field(
        default=CHECKPOINTS, description="per decade over the last three decades of the budget; or a list of fractions of the budget"
    )
    landscapes: dict[str, Any] = Field(description="label -> {kind: .., parameters}")
    optimizers: dict[str, Any] = Field(description="label -> {kind: .., parameters}")
    noise: NoiseModel = Field(default=NoiseModel(), description="what disturbs the answers")
    oracle: OracleModel = Field(default=OracleModel(), description="how much is evaluated at a time")
    ledger: LedgerModel | None = Field(default=None, description="the noise ledger; null: it is not kept, {}: it is, with these defaults")
    match: MatchModel | None = Field(default=None, description="which arms are to have equal noise; null: values are as given")
    sweep: dict[str, Any] = Field(default={}, description="dotted path -> values, or axis name -> {zip: {path: values, path: values}}")
    factors: list[str | dict[str, Annotated[list[str], Field(min_length=1)]]] = Field(
        default=[], description="sources that are switched on and off, each a dim: [data, drift, {recombination: [on, off, free]}]"
    )
    figures: list[Literal["convergence", "noise_sources", "factorial"]] = Field(default=["convergence"], description="figures to draw")
    cluster: Cluster = Field(default=Cluster(), description="where cells are computed")


def study_model(kinds: Mapping[str, Mapping[str, type[Parameters]]]) -> type[StudyModel]:
    """The model of a study file whose entries may be of these kinds: family -> kind -> class."""
    fields: dict[str, Any] = {
        family: (dict[str, _by_kind(family, kinds[family])], Field(description=StudyModel.model_fields[family].description))  # type: ignore[misc]
        for family in FAMILIES
    }
    return create_model("Study", __base__=StudyModel, __doc__=StudyModel.__doc__, **fields)


def _by_kind(family: str, classes: Mapping[str, type[Parameters]]) -> Any:  # noqa: ANN401
    members = [Annotated[entry_model(family, kind, cls), Tag(TAG + kind)] for kind, cls in classes.items()]  # type: ignore[arg-type]
    return Annotated[Union[tuple(members)], Discriminator(_kind_tag)]  # noqa: UP007


def _kind_tag(value: Any) -> str | None:  # noqa: ANN401
    kind = value.get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None)
    return None if kind is None else f"{TAG}{kind}"


# the model of a class of parameters -----------------------------------------------------------------------------------------


@functools.cache
def entry_model(family: str, kind: str, cls: type) -> type[Strict]:
    """The model of a study's entry of this kind.

    Raises:
        ValueError: a parameter has the name of a key that every entry has.
    """
    base = LandscapeEntry if family == "landscapes" else OptimizerEntry
    fields = _fields(cls)
    taken = sorted({"kind", *base.model_fields} & set(fields))
    if taken:
        raise ValueError(f"{cls.__qualname__}.{taken[0]}: every entry of a study has this key; rename the parameter")
    literal: Any = (Literal[kind], Field(description=summary(cls)))  # type: ignore[valid-type]
    return create_model(f"{family}_{re.sub(r'[^A-Za-z0-9_]', '_', kind)}", __base__=base, __doc__=cls.__doc__, kind=literal, **fields)


@functools.cache
def parameter_model(cls: type, kind: str | None = None) -> type[Strict]:
    """The model of parameters inside an entry, such as a schedule; with a kind where it is one of several."""
    named: dict[str, Any] = {"kind": (Literal[kind], ...)} if kind else {}  # type: ignore[valid-type]
    return create_model(cls.__name__, __base__=Strict, __doc__=cls.__doc__, **named, **_fields(cls))


def parameter_names(cls: type) -> list[str]:
    """The parameters of a class, its bound tables left out."""
    return [f.name for f in dataclasses.fields(cls) if f.init]  # type: ignore[arg-type]


def summary(cls: type) -> str:
    """The first line of a docstring."""
    return (cls.__doc__ or "").strip().split("\n")[0]


def descriptions(cls: type) -> dict[str, str]:
    """Parameter -> its description in the docstring's Args."""
    return {p.arg_name: " ".join((p.description or "").split()) for p in parse(cls.__doc__ or "", DocstringStyle.GOOGLE).params}


def _fields(cls: type) -> dict[str, Any]:
    hints, texts, fields = get_type_hints(cls, include_extras=True), descriptions(cls), {}
    for f in dataclasses.fields(cls):  # type: ignore[arg-type]
        if f.init:
            default = f.default if f.default_factory is dataclasses.MISSING else f.default_factory()
            given = {} if default is dataclasses.MISSING else {"default": _raw(default)}
            fields[f.name] = (_annotation(hints[f.name]), Field(description=texts.get(f.name), **given))
    return fields


def _raw(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Parameters):
        kind = {"kind": value.name} if isinstance(value, Landscape) else {}
        return kind | {key: _raw(inner) for key, inner in value.parameters().items()}
    return list(value) if isinstance(value, tuple) else value


def _annotation(hint: Any, bounds: tuple[Any, ...] = ()) -> Any:  # noqa: ANN401
    """What pydantic validates for a type hint of ours."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotation(args[0], args[1:])
    if origin in (Union, types.UnionType):
        return _union([arg for arg in args if arg is not Tensor], bounds)
    if hint is Landscape:
        return _inner_landscape()
    if isinstance(hint, type) and issubclass(hint, Parameters):
        return parameter_model(hint)  # type: ignore[arg-type]
    if origin in (tuple, list):
        return Annotated[origin[tuple(arg if arg is ... else _annotation(arg) for arg in args)], Field(strict=False)]
    if hint is int:
        return Annotated[(int, *bounds, WHOLE)]  # type: ignore[return-value]
    return Annotated[(float, *bounds)] if hint is float and bounds else hint  # type: ignore[return-value]


@functools.cache
def _inner_landscape() -> Any:  # noqa: ANN401
    """A landscape inside another: any registered kind that does not itself hold one, or an own kind by its import path."""
    plain = {kind: cls for kind, cls in LANDSCAPES.items() if Landscape not in get_type_hints(cls).values()}
    tagged = [Annotated[parameter_model(cls, kind), Tag(TAG + kind)] for kind, cls in plain.items()]  # type: ignore[arg-type]
    tagged.append(Annotated[dict[str, Any], AfterValidator(_own_landscape), Tag(TAG + OWN)])  # type: ignore[arg-type]
    return Annotated[Union[tuple(tagged)], Discriminator(_inner_tag)]  # noqa: UP007


def _inner_tag(value: Any) -> str | None:  # noqa: ANN401
    tag = _kind_tag(value)
    return TAG + OWN if tag is not None and ":" in tag else tag


def _own_landscape(value: dict[str, Any]) -> dict[str, Any]:
    kind = str(value["kind"])
    try:
        cls = kinds.find(kind, "landscape")
    except ValueError as error:
        raise ValueError(f"a landscape; {error}") from error
    try:
        return parameter_model(cls, kind).model_validate(value).model_dump(mode="json")
    except ValidationError as error:
        raise ValueError("; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg'].lower()}" for e in error.errors())) from error


def _union(members: list[Any], bounds: tuple[Any, ...]) -> Any:  # noqa: ANN401
    classes = [m for m in members if isinstance(m, type) and issubclass(m, Parameters)]
    if len(classes) < 2:
        return Union[tuple(_annotation(m, bounds) for m in members)]  # noqa: UP007
    plain = [_annotation(m, bounds) for m in members if m not in classes]
    tagged = [Annotated[parameter_model(c, c.name), Tag(TAG + c.name)] for c in classes]  # type: ignore[arg-type]
    tagged += [Annotated[Union[tuple(plain)], Tag(f"{TAG}plain")]] if plain else []  # noqa: UP007
    tag = _tagger(bool(plain))
    return Annotated[Union[tuple(tagged)], Discriminator(tag)]  # noqa: UP007


def _tagger(plain: bool) -> Callable[[Any], str | None]:
    def tag(value: Any) -> str | None:  # noqa: ANN401
        return f"{TAG}plain" if plain and not isinstance(value, (Mapping, BaseModel)) else _kind_tag(value)

    return tag


# what a key of a study may be -------------------------------------------------------------------------------------------------


def fields_at(model: type[BaseModel], path: tuple[str | int, ...], data: Any) -> dict[str, FieldInfo]:  # noqa: ANN401
    """The keys that the model knows for the mapping at `path` of the data."""
    found = [model]
    for depth, part in enumerate(path):
        data = data[part]
        if not (depth == 1 and path[0] in FAMILIES):  # there a label, whatever it is called
            named = [m for m in found if part in m.model_fields]
            found = [inner for m in named for inner in _models_in(m.model_fields[str(part)].annotation)] or found
        kind = data.get("kind") if isinstance(data, dict) else None
        found = [m for m in found if kind in _kinds(m)] or found
    return {key: info for m in found for key, info in m.model_fields.items()}


def _kinds(model: type[BaseModel]) -> tuple[Any, ...]:
    return get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
