"""The typed model of a study file (pydantic), and that of every landscape and optimizer, made from the fields of its dataclass."""

from __future__ import annotations

import dataclasses
import functools
import re
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Lt
from docstring_parser import DocstringStyle, parse
from pydantic import AfterValidator, BaseModel, BeforeValidator, Discriminator, Field, Tag, ValidationError, create_model
from pydantic.fields import FieldInfo
from torch import Tensor

from landscapes import LANDSCAPES
from landscapes.base import Landscape, Parameters
from studies import kinds
from studies.sections import (
    CHECKPOINTS,
    TAG,
    TARGETS,
    WHOLE,
    Cluster,
    Count,
    Dtype,
    LedgerModel,
    MatchModel,
    NoiseModel,
    OracleModel,
    PicturesModel,
    Positive,
    Price,
    Share,
    Strict,
    Targets,
    TuningModel,
    checkpoint_fractions,
    per_landscape,
)

FAMILIES = ("landscapes", "optimizers")
ENTRIES = (*FAMILIES, "claims")  # keys of a study whose values are label -> {kind: .., parameters}
FIGURES = {  # name (studies.figures.FIGURES) -> key of a study that it shows, which it needs
    "convergence": None,
    "critical_difference": None,
    "break_even": None,  # and a range of prices, which it asks for itself
    "phase": "sweep",
    "profile": "targets",
    "ecdf": "targets",
    "diversity": None,
    "noise_sources": "ledger",
    "spectra": "ledger",
    "alignment": "ledger",
    "price": "ledger",
    "factorial": "factors",
    "trajectories": "pictures",
    "sensitivity": "tuning",
    "claims": "claims",
}
RELAXATIONS = ("extension", "lovasz", "threshold")
OWN = "own"  # the tag of a landscape of the user's inside another
DEFAULT = "default"  # the label of every landscape not named in a map label -> value


class LandscapeEntry(Strict):
    """One landscape of a study."""

    dtype: Dtype | None = Field(default=None, description="precision on this landscape; null: the study's")


class OptimizerEntry(Strict):
    """One optimizer of a study."""

    relaxation: Literal["extension", "lovasz", "threshold"] = Field(
        default="extension", description="how a real-valued method sees a landscape on bits"
    )
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
    budget: per_landscape(Positive) = Field(description="evaluations of the whole loss, or landscape label -> evaluations")  # type: ignore[valid-type]
    gradient_cost: Price = Field(default=3.0, description="evaluations that one gradient costs; or {value: 3, range: [1, 20]}")
    dtype: Dtype = Field(default="float64", description="precision")
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="auto: cuda where there is one")
    targets: per_landscape(Targets, TARGETS) = Field(  # type: ignore[valid-type]
        default=[],
        description="losses whose first hit is noted; or {values: [0.5, 0.1], relative: start}, fractions of the gap at the start; or landscape label"
        " -> either. A sweep may set them too: `targets.LABEL`, in a zip with the parameter that they belong to",
    )
    precision: per_landscape(Annotated[float, Gt(0), Lt(1)]) = Field(  # type: ignore[valid-type]
        default=1e-8, description="losses that differ by less are equal: relative to how far the starts are from the optimum, or to their spread"
    )
    checkpoints: Annotated[int | list[float], BeforeValidator(checkpoint_fractions)] = Field(
        default=CHECKPOINTS,
        description="per decade over the last three decades of the budget (see `truth`); or a list of fractions of the budget",
    )
    truth: Share = Field(
        default=0.1,
        description="share of an arm's time that its true losses may take where they take longer than its steps: fewer checkpoints are looked at"
        " (10 at least), and hits of targets are known to intervals; estimated from the terms and coordinates that are read",
    )
    landscapes: dict[str, Any] = Field(description="label -> {kind: .., parameters}")
    optimizers: dict[str, Any] = Field(description="label -> {kind: .., parameters}")
    noise: NoiseModel = Field(default=NoiseModel(), description="what disturbs the answers")
    oracle: OracleModel = Field(default=OracleModel(), description="how much is evaluated at a time")
    ledger: LedgerModel | None = Field(default=None, description="the noise ledger; null: it is not kept, {}: it is, with these defaults")
    pictures: PicturesModel | None = Field(default=None, description="frames for the figure `trajectories`; null: none, {}: with these defaults")
    match: MatchModel | None = Field(default=None, description="which arms are to have equal noise; null: values are as given")
    tuning: TuningModel | None = Field(default=None, description="ranges from which each optimizer's setting is chosen; null: values are as given")
    sweep: dict[str, Any] = Field(default={}, description="dotted path -> values, or axis name -> {zip: {path: values, path: values}}")
    factors: list[str | dict[str, Annotated[list[str], Field(min_length=1)]]] = Field(
        default=[], description="sources that are switched on and off, each a dim: [data, drift, {recombination: [on, off, free]}]"
    )
    claims: dict[str, Any] = Field(default={}, description="name -> {kind: .., parameters}: what is predicted, and is to be judged")
    figures: list[Literal[tuple(FIGURES)]] = Field(default=["convergence"], description="figures to draw")  # type: ignore[valid-type]
    cluster: Cluster = Field(default=Cluster(), description="where cells are computed")


def study_model(kinds: Mapping[str, Mapping[str, type[Parameters]]], *, claims: bool = True) -> type[StudyModel]:
    """The model of a study file whose entries may be of these kinds, family -> kind -> class; `claims` load much, so only where there are any."""
    fields: dict[str, Any] = {
        family: (dict[str, _by_kind(family, kinds[family])], Field(description=StudyModel.model_fields[family].description))  # type: ignore[misc]
        for family in FAMILIES
    }
    if claims:
        from studies.claims import CLAIMS

        members = [Annotated[parameter_model(cls, kind), Tag(TAG + kind)] for kind, cls in CLAIMS.items()]  # type: ignore[arg-type]
        described: Any = Field(default={}, description=StudyModel.model_fields["claims"].description)
        fields["claims"] = (dict[str, Annotated[Union[tuple(members)], Discriminator(_kind_tag)]], described)  # type: ignore[misc]  # noqa: UP007
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
        if not (depth == 1 and path[0] in ENTRIES):  # there a label, whatever it is called
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
