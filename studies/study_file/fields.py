"""From a dataclass to an entry in a study file.

Of the fields of a landscape or an optimizer a pydantic model is made.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import types
from collections.abc import Callable, Mapping
from typing import Annotated, Literal, Union, get_args, get_origin

from docstring_parser import DocstringStyle, parse
from pydantic import (
    AfterValidator,
    BaseModel,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    create_model,
)
from torch import Tensor

from landscapes import LANDSCAPES
from landscapes.base import Landscape
from landscapes.parameters import Parameters, hints_of, parameter_fields
from studies.kinds import registry
from studies.study_file.clocks import Budget
from studies.study_file.sections import Targets
from studies.study_file.spaced import Checkpoints
from studies.study_file.start import ABOUT, Start
from studies.study_file.values import OF_LET, OR_FORMULA, TAG, WHOLE, Dtype, OfLet, OrFormula, Strict
from studies.text.shapes import Data, Hint, Json


def numbers(cls: type[Parameters]) -> dict[str, bool]:
    """The parameters that are numbers -> whether they are whole."""
    hints = hints_of(cls)  # type: ignore[arg-type]
    kinds_of = {name: {hints[name], *get_args(hints[name])} for name in parameter_names(cls)}
    return {name: float not in kinds for name, kinds in kinds_of.items() if kinds & {int, float}}


def literals(cls: type[Parameters]) -> dict[str, list[str]]:
    """Parameter -> the words that it may be."""
    hints = hints_of(cls)  # type: ignore[arg-type]
    return {name: _literals_in(hints[name]) for name in parameter_names(cls)}


def _literals_in(hint: object) -> list[str]:
    if get_origin(hint) is Literal:
        return [*get_args(hint)]
    return [word for member in get_args(hint) for word in _literals_in(member)]


RELAXATIONS = ("extension", "lovasz", "threshold")
OWN = "own"  # the tag of a landscape of the user's inside another
OF_USERS: Data = {  # the JSON schema of an entry of a kind of the user's, of any parameters
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"type": "string", "pattern": r"^[\w.]+:\w+$"}},
}


class LandscapeEntry(Strict):
    """One landscape of a study."""

    dtype: Dtype | None = Field(
        default=None, description="precision on this landscape; null: the study's"
    )
    start: Start | None = Field(default=None, description=f"{ABOUT}; null: the landscape's own")


OF_ARMS = (
    "relaxation",
    "budget",
    "targets",
    "checkpoints",
    "start",
)  # that differ between grids and landscapes


class OptimizerEntry(Strict):
    """One optimizer of a study."""

    budget: Budget | None = Field(
        default=None, description="its own, in place of the study's; null: the study's"
    )
    targets: Targets | None = Field(
        default=None, description="its own, in place of the study's; null: the study's"
    )
    checkpoints: Checkpoints | None = Field(
        default=None, description="its own, in place of the study's; null: the study's"
    )

    relaxation: Literal["extension", "lovasz", "threshold"] = Field(
        default="extension", description="how a real-valued method sees a landscape on bits"
    )
    grid: dict[str, Annotated[list[Json], Field(min_length=1)]] = Field(
        default={}, description="parameter -> values; each combination is a labelled variant"
    )
    on: dict[str, Data] = Field(
        default={}, description="landscape label -> parameters that differ on that landscape"
    )
    only: Annotated[list[str], Field(min_length=1)] | None = Field(
        default=None,
        description="labels of the landscapes on which it runs; on others it is absent. null: on all",
    )
    start: Start | None = Field(default=None, description=f"{ABOUT}; null: that of the landscape")


def by_kind(family: str, classes: Mapping[str, type[Parameters]]) -> Hint:
    """The entry of a family: its model is chosen by `kind`."""
    models = {kind: entry_model(family, kind, cls) for kind, cls in classes.items()}  # type: ignore[arg-type]
    members = [Annotated[model, Tag(TAG + kind)] for kind, model in models.items()]
    return Annotated[Union[tuple(members)], Discriminator(kind_tag)]  # noqa: UP007


def kind_tag(value: object) -> str | None:
    """The tag of the model that an entry is read by; None where it names no kind."""
    kind = value.get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None)
    return None if kind is None else f"{TAG}{kind}"


# the model of a class of parameters -------------------------------------------------------------------------


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
        raise ValueError(
            f"{cls.__qualname__}.{taken[0]}: every entry of a study has this key; rename the parameter"
        )
    literal: Json = (Literal[kind], Field(description=summary(cls)))
    return create_model(
        f"{family}_{re.sub(r'[^A-Za-z0-9_]', '_', kind)}",
        __base__=base,
        __doc__=cls.__doc__,
        kind=literal,
        **fields,
    )


@functools.cache
def parameter_model(
    cls: type, kind: str | None = None, formula: OrFormula | OfLet = OR_FORMULA
) -> type[Strict]:
    """The model of parameters inside an entry, such as a schedule.

    Args:
        cls: of the parameters.
        kind: where it is one of several.
        formula: of which formulas their numbers may be.
    """
    named: Data = {"kind": (Literal[kind], ...)} if kind else {}
    fields = _fields(cls, formula)
    return create_model(cls.__name__, __base__=Strict, __doc__=cls.__doc__, **named, **fields)


def parameter_names(cls: type) -> list[str]:
    """The parameters of a class, its bound tables left out."""
    return [f.name for f in parameter_fields(cls)]


def summary(cls: type) -> str:
    """The first line of a docstring."""
    return (cls.__doc__ or "").strip().split("\n")[0]


def descriptions(cls: type) -> dict[str, str]:
    """Parameter -> its description in the docstring's Args."""
    return {
        p.arg_name: " ".join((p.description or "").split())
        for p in parse(cls.__doc__ or "", DocstringStyle.GOOGLE).params
    }


def _fields(cls: type, formula: OrFormula | OfLet = OR_FORMULA) -> Data:
    hints, texts, fields = hints_of(cls, include_extras=True), descriptions(cls), {}
    for f in parameter_fields(cls):
        default = f.default if f.default_factory is dataclasses.MISSING else f.default_factory()
        given = {} if default is dataclasses.MISSING else {"default": _raw(default)}
        hint = _annotation(hints[f.name], formula=formula)
        fields[f.name] = (hint, Field(description=texts.get(f.name), **given))
    return fields


def _raw(value: object) -> Json:
    if isinstance(value, Parameters):
        kind = {"kind": value.name} if isinstance(value, Landscape) else {}
        return kind | {key: _raw(inner) for key, inner in value.parameters().items()}
    return list(value) if isinstance(value, tuple) else value


def _annotation(
    hint: Hint, bounds: tuple[object, ...] = (), formula: OrFormula | OfLet = OR_FORMULA
) -> Hint:
    """What pydantic validates for a type hint of ours."""
    origin: Hint = get_origin(hint)
    args = get_args(hint)
    if origin is Annotated:
        return _annotation(args[0], args[1:], formula)
    if origin in (Union, types.UnionType):
        return _union([arg for arg in args if arg is not Tensor], bounds, formula)
    if hint is Landscape:
        return _inner_landscape()
    if isinstance(hint, type) and issubclass(hint, Parameters):
        return parameter_model(hint)  # type: ignore[arg-type]
    if origin in (tuple, list):
        return Annotated[
            origin[tuple(arg if arg is ... else _annotation(arg, (), formula) for arg in args)],
            Field(strict=False),
        ]
    if origin is dict and formula is OF_LET:
        return origin[args[0], _annotation(args[1], (), formula)]
    if hint is int:
        return Annotated[(int, *bounds, WHOLE, formula)]
    if hint is float:
        return Annotated[(float, *bounds, formula)]
    return hint


@functools.cache
def _inner_landscape() -> Hint:
    """A landscape inside another.

    Any registered kind that does not itself hold one, or an own kind by its import path.
    """
    plain = {kind: cls for kind, cls in LANDSCAPES.items() if Landscape not in hints_of(cls).values()}
    tagged = [Annotated[parameter_model(cls, kind), Tag(TAG + kind)] for kind, cls in plain.items()]
    own: Hint = Annotated[
        Data, AfterValidator(_own_landscape), WithJsonSchema(OF_USERS), Tag(TAG + OWN)
    ]
    tagged.append(own)
    return Annotated[Union[tuple(tagged)], Discriminator(_inner_tag)]  # noqa: UP007


def _inner_tag(value: object) -> str | None:
    tag = kind_tag(value)
    return TAG + OWN if tag is not None and ":" in tag else tag


def _own_landscape(value: Data, info: ValidationInfo) -> Data:
    kind = str(value["kind"])
    try:
        cls = registry.find(kind, "landscape")
    except ValueError as error:
        raise ValueError(f"a landscape; {error}") from error
    try:
        return parameter_model(cls, kind).model_validate(value, context=info.context).model_dump()
    except ValidationError as error:
        raise ValueError(
            "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg'].lower()}" for e in error.errors())
        ) from error


def _union(members: list[Hint], bounds: tuple[object, ...], formula: OrFormula | OfLet) -> Hint:
    classes = [m for m in members if isinstance(m, type) and issubclass(m, Parameters)]
    if len(classes) < 2:
        return Union[tuple(_annotation(m, bounds, formula) for m in members)]  # noqa: UP007
    plain = [_annotation(m, bounds) for m in members if m not in classes]
    models = {cls.name: parameter_model(cls, cls.name) for cls in classes}  # type: ignore[arg-type]
    tagged = [Annotated[model, Tag(TAG + name)] for name, model in models.items()]
    tagged += [Annotated[Union[tuple(plain)], Tag(f"{TAG}plain")]] if plain else []  # noqa: UP007
    tag = _tagger(bool(plain))
    return Annotated[Union[tuple(tagged)], Discriminator(tag)]  # noqa: UP007


def _tagger(plain: bool) -> Callable[[object], str | None]:
    def tag(value: object) -> str | None:
        return (
            f"{TAG}plain" if plain and not isinstance(value, (Mapping, BaseModel)) else kind_tag(value)
        )

    return tag


def kinds_of(model: type[BaseModel]) -> tuple[object, ...]:
    """The kinds that a model is for; none where it is not that of a kind."""
    return get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()
