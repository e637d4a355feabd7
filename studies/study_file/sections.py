"""The parts of a study file, as pydantic models: noise, oracle, ledger, match, tuning, prices, the cluster.

And what their values may be.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Literal, get_args

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from studies.study_file.values import (
    MOST,
    OF_LET,
    OR_FORMULA,
    TAG,
    WHOLE,
    Batch,
    Count,
    Positive,
    Reference,
    Span,
    Strict,
    check_moments,
    check_range,
    per_landscape,
    quantity_or,
)

Loss = Annotated[float, OR_FORMULA]
Cost = Annotated[Positive, OR_FORMULA]
Deviation = Annotated[float, Ge(0), OR_FORMULA]
Pieces = Annotated[Count, OR_FORMULA]


class TargetsModel(Strict):
    """Targets that are not losses as they stand.

    Above the best known loss, or parts of the way from there to the start.
    """

    values: list[Loss] = Field(
        description="losses above `best`, or with `relative: start` fractions of the gap there"
    )
    relative: Literal["start"] | None = Field(
        default=None,
        description=(
            "start: fractions of what each world's common start (`start_loss`) lies above `best`; null:"
            " losses"
        ),
    )
    best: Loss | None = Field(
        default=None,
        description=(
            "the best known loss, where the optimum is not known; where it is, loss is the gap to it and this"
            " is 0"
        ),
    )


TARGETS = tuple(TargetsModel.model_fields)


def _targets_tag(value: object) -> str:
    return f"{TAG}model" if isinstance(value, Mapping | TargetsModel) else f"{TAG}list"


Targets = Annotated[
    Annotated[list[Loss], Tag(f"{TAG}list")] | Annotated[TargetsModel, Tag(f"{TAG}model")],
    Discriminator(_targets_tag),
]


class GradientCost(Strict):
    """What a gradient costs, and the prices to which an analysis may change it afterwards."""

    value: Cost = Field(default=3.0, description="evaluations that one gradient costs")
    range: Annotated[tuple[Cost, Cost], Field(strict=False)] | None = Field(
        default=None, description="lowest and highest price; null: the value alone"
    )

    @model_validator(mode="after")
    def _ordered(self) -> GradientCost:
        low, high = self.range or (self.value, self.value)
        later = any(isinstance(price, str) for price in (low, self.value, high))  # with its formulas
        if not (later or low <= self.value <= high):
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

    value: Deviation = Field(
        default=0.0, description="standard deviation on each value, in units of the loss"
    )
    gradient: Deviation = Field(
        default=0.0,
        description="standard deviation on each coordinate of a gradient, in loss per unit of x",
    )


Price = Annotated[
    Loss | GradientCost,
    AfterValidator(lambda v: v if isinstance(v, GradientCost) else GradientCost(value=v)),
]
Sigma = Annotated[
    Deviation | Evaluation,
    AfterValidator(lambda v: v if isinstance(v, Evaluation) else Evaluation(value=v)),
]


class NoiseModel(Strict):
    """The noise laid over the landscapes; each entry one value, or landscape label -> value."""

    batch: per_landscape(Annotated[Batch, OR_FORMULA]) = Field(  # type: ignore[valid-type]
        default=None, description="terms in a mini-batch, or a fraction of them; null: all"
    )
    sampling: per_landscape(Literal["replacement", "batch", "epoch"]) = Field(  # type: ignore[valid-type]
        default="replacement",
        description=(
            "how a mini-batch is drawn: replacement, each term independently; batch, different terms, a fresh"
            " set each step; epoch, a fresh permutation of all terms, read in order, whose last batch is"
            " smaller where the batch does not divide them"
        ),
    )
    shared: per_landscape(bool) = Field(  # type: ignore[valid-type]
        default=True, description="every point of a world sees the same mini-batch"
    )
    evaluation: per_landscape(Sigma, ("value", "gradient")) = Field(  # type: ignore[valid-type]
        default=0.0,
        description="standard deviation of Gaussian noise on values; or {value: .., gradient: ..}",
    )
    off: dict[Literal["data", "evaluation", "dropout"], bool] = Field(
        default={},
        description="source -> true: answers are as without it, and billed as with it; what `factors` sets",
    )


class OracleModel(Strict):
    """How much is evaluated at a time; each entry one value, or landscape label -> value.

    Less is slower, and needs less memory.
    """

    micro_batches: per_landscape(Pieces) = Field(  # type: ignore[valid-type]
        default=1,
        description=(
            "pieces into which the terms of a mini-batch (or all terms) go; their weighted sum is exact where"
            " the loss is a sum"
        ),
    )
    chunks: per_landscape(Pieces) = Field(  # type: ignore[valid-type]
        default=1, description="groups into which the points go"
    )
    accumulate: per_landscape(Literal["weighted", "mean_of_means"]) = Field(  # type: ignore[valid-type]
        default="weighted",
        description=(
            "how the answers of micro-batches are put together: weighted by their terms; or the mean of their"
            " means, the last with the terms that are left, which is another loss where it is smaller"
        ),
    )


SECTIONS: dict[str, type[Strict]] = {
    "noise": NoiseModel,
    "oracle": OracleModel,
}  # their entries may differ by landscape


class LedgerModel(Strict):
    """The noise ledger.

    From frozen states the next step is taken again and again, its sources drawn afresh one by one.
    """

    moments: Annotated[
        Annotated[int, OR_FORMULA] | list[Annotated[float, OR_FORMULA]], BeforeValidator(check_moments)
    ] = Field(
        default=5,
        description=(
            "states that are frozen, log-spaced over the last two decades of the budget; or a list of"
            " fractions of the budget"
        ),
    )
    redraws: Annotated[int, Ge(4), WHOLE, OR_FORMULA] = Field(
        default=256,
        description="steps from each state in each arm; there are two arms and one per source",
    )
    modes: Pieces = Field(
        default=3,
        description="largest eigenvalues of the noise, and directions of largest curvature, that are shown",
    )
    points: Pieces = Field(
        default=256,
        description="points asked at which the true gradient is averaged, in each of two arms",
    )
    references: Annotated[list[Reference], Field(min_length=1)] = Field(
        default=list(get_args(Reference)),
        description=(
            "what the mean step is held against; of the others nothing is told (temperatures need the"
            " gradients)"
        ),
    )
    against: dict[str, object] = Field(
        default={},
        description=(
            "path -> value: the same steps are taken with these settings too, and the error of a step beside"
            " such a one is told (ledger.error); paths as in sweep, {oracle.micro_batches: 1},"
            " {optimizers.*.clip: null}, or {optimizers.*.workers: 1} for gradients that are not stale"
        ),
    )


class PicturesModel(Strict):
    """Frames of the search, and the loss on the plane in which it moves: for the figure `trajectories`."""

    worlds: Pieces = Field(default=1, description="the first worlds, of which pictures are taken")
    frames: Annotated[int, Ge(2), Le(MOST), WHOLE, OR_FORMULA] = Field(
        default=30, description="states seen: the first, others log-spaced over the last two decades"
    )
    points: Pieces = Field(default=48, description="most points of a step that are kept")
    grid: Annotated[int, Ge(2), WHOLE, OR_FORMULA] = Field(
        default=49, description="points along each side of the plane at which the loss is evaluated"
    )


class TimingModel(Strict):
    """How long a step takes on this device, and the memory that it holds: `timing.least`, `timing.memory`.

    Each round takes all worlds of all cells in turn, before any cell is computed.
    """

    worlds: Pieces = Field(default=8, description="the first worlds, each of which is timed alone")
    rounds: Pieces = Field(
        default=8,
        description="visits to each world; each round takes those of all cells, in an order drawn anew",
    )
    warm_up: Annotated[int, Ge(0), WHOLE, OR_FORMULA] = Field(
        default=5, description="steps of each visit before those that count"
    )
    repeats: Pieces = Field(default=5, description="steps of each visit that count")


CURRENCIES = ("noise_to_signal", "noise_scale", "effective_population", "temperature")  # of match


class MatchModel(Strict):
    """Arms of equal noise.

    The value of one parameter is sought, on each landscape, at which an arm's noise is that of the reference.
    """

    reference: str = Field(description="label of the optimizer whose noise the others are to have")
    quantity: Annotated[str, AfterValidator(quantity_or(*CURRENCIES))] = Field(
        default="noise_to_signal",
        description=(
            "what is to be equal: noise_to_signal, noise_scale, effective_population, temperature"
            " (studies.analysis.noise.noise.currencies), or a quantity: ledger.gain[raw], mean(loss)"
        ),
    )
    at: Annotated[float, Ge(0), Le(1), OF_LET] = Field(
        default=0.01,
        description="when it is measured, as a fraction of the budget; of steps at the nearest whole one",
    )
    vary: Annotated[
        dict[
            str,
            Annotated[
                dict[str, Annotated[list[float], BeforeValidator(check_range)]],
                Field(min_length=1, max_length=1),
            ],
        ],
        Field(min_length=1),
    ] = Field(description="label -> {parameter: [low, high]}")

    @property
    def labels(self) -> tuple[str, ...]:
        """The optimizers whose noise is measured."""
        return (self.reference, *self.vary)

    @property
    def given(self) -> Mapping[str, Collection[str]]:
        """Optimizer -> the parameter that is set."""
        return self.vary

    @property
    def asked(self) -> str | None:
        """The quantity, where it is one of the grammar."""
        return None if self.quantity in CURRENCIES else self.quantity


OF_LOSSES = ("loss", "area")  # objectives; any other is a quantity


class TuningModel(Strict):
    """Equal effort for every optimizer.

    So many settings, drawn from its ranges, are tried on worlds of their own; the study runs with the best.
    """

    trials: Annotated[int, Ge(2), Le(MOST), WHOLE, OF_LET] = Field(
        default=32, description="settings tried of each optimizer; the first is that of the study"
    )
    worlds: Annotated[Count, OF_LET] = Field(
        default=8,
        description="worlds of each trial; they, and their instances, are none of the study's",
    )
    at: Annotated[float, Gt(0), Le(1), OF_LET] = Field(
        default=1.0,
        description=(
            "when trials are judged, as a fraction of the budget at the nominal price; of steps after the"
            " nearest whole number of them, 1 at least"
        ),
    )
    objective: Annotated[str, AfterValidator(quantity_or(*OF_LOSSES))] = Field(
        default="loss",
        description=(
            "what is lowest of the best setting: loss, median over worlds of the true loss then, or area,"
            " of its mean over log-spaced costs up to then, or a quantity: median(hit(0.1, clock=steps))"
        ),
    )
    per: Literal["landscape", "study"] = Field(
        default="landscape",
        description=(
            "one setting for each landscape (and swept value), or one for the study: the lowest mean rank"
        ),
    )
    ranges: Annotated[
        dict[str, Annotated[dict[str, Span], Field(min_length=1)]], Field(min_length=1)
    ] = Field(
        description=(
            "label -> {parameter: [low, high], or {low, high, scale: log | linear, count: whole number >= 2},"
            " of which a count makes a grid, or a list of texts, or {choices: [..]}}"
        )
    )

    @property
    def labels(self) -> tuple[str, ...]:
        """The optimizers that are tried."""
        return (*self.ranges,)

    @property
    def given(self) -> Mapping[str, Collection[str]]:
        """Optimizer -> the parameters that are set."""
        return self.ranges

    @property
    def asked(self) -> str | None:
        """The objective, where it is a quantity of the grammar."""
        return None if self.objective in OF_LOSSES else self.objective
