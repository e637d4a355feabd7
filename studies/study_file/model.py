"""The typed model of a study file (pydantic).

That of every landscape and optimizer is made from the fields of its dataclass.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Union, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    create_model,
)
from pydantic.fields import FieldInfo

from landscapes.parameters import Parameters
from studies.kinds import registry
from studies.study_file.clocks import CLOCKS, Budget
from studies.study_file.cluster import Cluster, a_time
from studies.study_file.document import Path
from studies.study_file.fields import OF_USERS, by_kind, kind_tag, kinds_of, parameter_model
from studies.study_file.figures import QUESTIONS, entry
from studies.study_file.sections import (
    TARGETS,
    LedgerModel,
    MatchModel,
    NoiseModel,
    OracleModel,
    PicturesModel,
    Price,
    Targets,
    TimingModel,
    TuningModel,
)
from studies.study_file.spaced import KEYS as SPACED
from studies.study_file.spaced import Checkpoints
from studies.study_file.values import (
    CHECKPOINTS,
    OF_LET,
    OR_FORMULA,
    TAG,
    WHOLE,
    Count,
    Dtype,
    Share,
    Strict,
    check_seed,
    per_landscape,
)
from studies.text.shapes import Data, Hint, Json

WORLDS = 100_000_000  # of an arm, at most
FAMILIES = ("landscapes", "optimizers")
Kinds = tuple[tuple[str, type], ...]  # (kind, class)
ENTRIES = (*FAMILIES, "claims")  # keys of a study whose values are label -> {kind: .., parameters}
RECORD: Data = {  # JSON schema: expressions by their labels, or a list of names
    "anyOf": [
        {
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "object"}]},
        },
        {"type": "array", "items": {"type": "string"}},
    ]
}
FIGURES = {  # name (studies.figures.FIGURES) -> key of a study that it shows, which it needs
    "convergence": "",
    "critical_difference": "",
    "break_even": "",  # and a range of prices, which it asks for itself
    "phase": "sweep",
    "profile": QUESTIONS["profile"].needs,
    "ecdf": QUESTIONS["ecdf"].needs,
    "diversity": "",
    "noise_sources": "ledger",
    "spectra": "ledger",
    "alignment": "ledger",
    "price": "ledger",
    "factorial": "factors",
    "trajectories": "pictures",
    "sensitivity": "tuning",
    "claims": "claims",
}

DEFAULT = "default"  # the label of every landscape not named in a map label -> value


def section_of(figure: str) -> str:
    """The section of a study that a figure shows, which it needs; empty where it needs none."""
    return QUESTIONS[figure].needs if figure in QUESTIONS else FIGURES[figure]


class StudyModel(Strict):
    """A study: which optimizers, on which landscapes, under which noise, at which budget."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")] = Field(
        description="lower-case letters, digits, - and _"
    )
    question: str | None = Field(default=None, description="what the study asks")
    seed: Annotated[int, Ge(0), Lt(2**32), WHOLE, BeforeValidator(check_seed)] = Field(
        default=1, description="every draw follows from it and the number of the world"
    )
    replicates: Annotated[Count, Le(WORLDS), OF_LET] = Field(
        default=32, description="worlds of each arm"
    )
    instances: Annotated[Count, OR_FORMULA] | None = Field(
        default=None, description="world r has instance r mod instances; null: its own"
    )
    budget: per_landscape(Budget, CLOCKS) = Field(  # type: ignore[valid-type]
        description=(
            "evaluations of the whole loss, or on another clock {steps: 480}, {epochs: 3}, {virtual_time:"
            " 50} or {seconds: 60}; or landscape label -> either. A run ends after the last whole step"
            " within it; an optimizer's own `budget` wins"
        )
    )
    gradient_cost: Price = Field(
        default=3.0, description="evaluations that one gradient costs; or {value: 3, range: [1, 20]}"
    )
    dtype: Dtype = Field(default="float64", description="precision")
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="auto: cuda where there is one"
    )
    targets: per_landscape(Targets, TARGETS) = Field(  # type: ignore[valid-type]
        default=[],
        description=(
            "losses whose first hit is noted; or {values: [0.5, 0.1], relative: start}, fractions of the gap"
            " at the start; or landscape label -> either. An axis of `sweep` may set `targets.LABEL` with the"
            " parameter that they belong to"
        ),
    )
    precision: per_landscape(Annotated[float, Gt(0), Lt(1), OF_LET]) = Field(  # type: ignore[valid-type]
        default=1e-8,
        description=(
            "losses that differ by less are equal: relative to how far the starts are from the optimum, or to"
            " their spread"
        ),
    )
    checkpoints: per_landscape(Checkpoints, SPACED) = Field(  # type: ignore[valid-type]
        default=CHECKPOINTS,
        description=(
            "per decade over the last three decades of the budget (see `truth`); or a list of fractions of"
            " the budget; or {count: 60, spacing: log | linear, clock: steps}; or landscape label -> any of"
            " these. An optimizer's own `checkpoints` win"
        ),
    )
    truth: Annotated[Share, OR_FORMULA] = Field(
        default=0.1,
        description=(
            "share of an arm's time that its true losses may take where they take longer than its steps:"
            " fewer checkpoints are looked at (10 at least), and hits of targets are known to intervals;"
            " estimated from the terms and coordinates that are read"
        ),
    )
    landscapes: Data = Field(description="label -> {kind: .., parameters}")
    optimizers: Data = Field(description="label -> {kind: .., parameters}")
    let: dict[str, float | str] = Field(
        default={},
        description="name -> number or formula, for all formulas of the study",
    )
    noise: NoiseModel = Field(default=NoiseModel(), description="what disturbs the answers")
    oracle: OracleModel = Field(default=OracleModel(), description="how much is evaluated at a time")
    ledger: LedgerModel | None = Field(
        default=None,
        description="the noise ledger; null: it is not kept, {}: it is, with these defaults",
    )
    pictures: PicturesModel | None = Field(
        default=None,
        description="frames for the figure `trajectories`; null: none, {}: with these defaults",
    )
    timing: TimingModel | None = Field(
        default=None,
        description=(
            "steps are timed, each world alone and those of all cells in turn, for quantities such as"
            " timing.least; null: they are not, {}: with these defaults"
        ),
    )
    record: Annotated[dict[str, Data], WithJsonSchema(RECORD)] = Field(
        default={},
        description=(
            "what else is recorded at each checkpoint: label -> expression of what the loop knows, such as"
            " center[0], norm(gradient), average(norm(state.velocity)), or {expression: .., units: ..,"
            " long_name: ..}; a list of names; or an instrument of your own, label -> 'module:Class' or"
            " {kind: 'module:Class', its parameters}; see `describe record`"
        ),
    )
    match: MatchModel | None = Field(
        default=None, description="which arms are to have equal noise; null: values are as given"
    )
    tuning: TuningModel | None = Field(
        default=None,
        description="ranges from which each optimizer's setting is chosen; null: values are as given",
    )
    sweep: Data = Field(
        default={},
        description=(
            "dotted path -> values; or axis name -> {values: [..], sets: [paths]}, {from, to, count, spacing,"
            " sets} or {choices: {name: {path: value}}}, where sets may be path -> formula of the axis"
        ),
    )
    factors: list[str | dict[str, Annotated[list[str], Field(min_length=1)]]] = Field(
        default=[],
        description=(
            "sources that are switched on and off, each a dim: [data, drift, {recombination: [on, off,"
            " free]}]"
        ),
    )
    claims: Data = Field(
        default={}, description="name -> {kind: .., parameters}: what is predicted, and is to be judged"
    )
    figures: list[entry(tuple(FIGURES))] = Field(  # type: ignore[valid-type]
        default=["convergence"],
        description="figures to draw: names, or {curve: {x: .., y: ..}} with what they are to show",
    )
    cluster: Cluster = Field(default=Cluster(), description="where cells are computed")
    compile: Literal["auto", "on", "off"] = Field(
        default="auto",
        description=(
            "whether the steps of a search become one compiled graph, which has the same bits: auto, once a"
            " minute of steps is left to a cell; on, from its second step; off"
        ),
    )
    cell_timeout: Annotated[str, AfterValidator(a_time)] | None = Field(
        default=None,
        description=(
            "how long a cell may take, as 90s, 30min, 2h: one that takes longer has failed, where it stood is"
            " noted, and the others go on; null: as long as it takes"
        ),
    )


def study_model(
    kinds: Mapping[str, Mapping[str, type[Parameters]]], *, claims: bool = True
) -> type[StudyModel]:
    """The model of a study file whose entries may be of these kinds, family -> kind -> class.

    `claims` load much, so only where there are any.
    """
    known: list[tuple[str, Kinds]] = [(family, (*kinds[family].items(),)) for family in FAMILIES]
    if claims:
        from studies.claims import CLAIMS

        known.append(("claims", (*CLAIMS.items(),)))
    return _model_of(tuple(known))


@functools.lru_cache(maxsize=8)
def _model_of(known: tuple[tuple[str, Kinds], ...]) -> type[StudyModel]:
    """Made once for all studies of the same kinds, for that takes longer than to read a study."""
    types = {family: _entry(family, dict(kinds)) for family, kinds in known}
    fields: Data = {
        name: (dict[str, entry], _field(name))  # type: ignore[valid-type]
        for name, entry in types.items()
    }
    return create_model("Study", __base__=StudyModel, __doc__=StudyModel.__doc__, **fields)


def _entry(family: str, kinds: Mapping[str, type]) -> Hint:
    """The type of an entry of a family: its model is chosen by `kind`."""
    if family in FAMILIES:
        return by_kind(family, kinds)
    models = {kind: parameter_model(cls, kind, OF_LET) for kind, cls in kinds.items()}
    members = [Annotated[model, Tag(TAG + kind)] for kind, model in models.items()]
    return Annotated[Union[tuple(members)], Discriminator(kind_tag)]  # noqa: UP007


def _field(name: str) -> Json:
    """The field of a key, whose entries get types of their own: its default and what it means."""
    field = StudyModel.model_fields[name]
    given = {} if field.is_required() else {"default": field.default}
    return Field(description=field.description, **given)


@functools.cache
def json_schema() -> Data:
    """The JSON schema of a study file, for editors, made once: it is not to be changed.

    Own kinds are accepted by their import path, their parameters unchecked.
    """
    kinds = {family: dict(registry.FAMILIES[family[:-1]][0]) for family in FAMILIES}
    schema = _of_any(study_model(kinds).model_json_schema())
    for family in FAMILIES:
        entry = schema["properties"][family]["additionalProperties"]
        registered = entry.pop("anyOf", None) or [{"$ref": entry.pop("$ref")}]
        entry.pop("discriminator", None)
        entry["oneOf"] = [*registered, OF_USERS]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _of_any(node: Json) -> Json:
    """A schema where a value may have several forms at once: {steps: 480} could map a label to a budget."""
    if isinstance(node, list):
        return [_of_any(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {"anyOf" if key == "oneOf" else key: _of_any(inner) for key, inner in node.items()}


# what a key of a study may be -------------------------------------------------------------------------------


def fields_at(model: type[BaseModel], path: Path, data: Json) -> dict[str, FieldInfo]:
    """The keys that the model knows for the mapping at `path` of the data."""
    models = [model]
    for depth, part in enumerate(path):
        data = data[part]
        label = depth == 1 and path[0] in ENTRIES  # whatever it is called
        inner = [] if label else [each for m in models for each in _models_of(m, str(part))]
        models = inner or models
        kind = data.get("kind") if isinstance(data, dict) else None
        models = [m for m in models if kind in kinds_of(m)] or models
    return {key: info for m in models for key, info in m.model_fields.items()}


def _models_of(model: type[BaseModel], key: str) -> Iterator[type[BaseModel]]:
    """The models that stand in the type of one key."""
    if key in model.model_fields:
        yield from _models_in(model.model_fields[key].annotation)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
