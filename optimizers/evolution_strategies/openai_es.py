"""An evolution strategy that follows an estimate of the gradient of the loss smoothed by a Gaussian.

With P points x_i = m + sigma e_i, e_i ~ N(0, I), and F_i their losses (raw, or shaped into centered ranks):

    g = 1 / (P sigma) sum_i F_i e_i,    m <- m - eta (g + w m)
        (Salimans, Ho, Chen, Sidor, Sutskever 2017, arXiv:1703.03864, algorithm 1)

Antithetic: the second half of the points is the first half mirrored at m. The e_i are recovered as
(x_i - m) / sigma: the displacement that was really evaluated, after rounding. The F_i are shaped in groups
(demes) of n points, or all at once, n = P:

    centered_ranks   ranks within the group, evenly over [-1/2, 1/2]
    raw              F_i - mean F of the group; P (n - 1) / n stands for P, so that g stays unbiased
    uncentered       F_i: unbiased too, and noisier by the square of the mean loss
    z_score          (F_i - mean F) / s, s^2 the mean square of F_i - mean F in the group, as batch
                     normalisation has it

Means cancel in mirrored pairs, which are of one group: raw is then uncentered.

Eta and sigma may each change by a schedule, and the population P_t with one of them (`optimizers.schedules`):
coupled to eta it is the twin of a batch, as a step on a linear loss has the variance eta^2 (D + 1) |grad|^2 /
P_t (antithetic: twice that); coupled to sigma, sigma^2 / P_t is the variance of the mean of the points. Then
P is the largest size, and only P_t points are alive: asked, billed and ranked, mirrored pairs whole. P values
per step; draws: mutation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.numerics import column, safe_unit
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.gradient import steps
from optimizers.schedules import Coupling, Schedule, check_population


class State(NamedTuple):
    """The search distribution's mean and what its inner step remembers."""

    center: Tensor  # (R, 1, D) m
    velocity: Tensor  # (R, 1, D) running mean of g (adam), or its discounted sum (sgd)
    square: Tensor  # (R, 1, D) running mean of g * g (adam), in units of unit^2
    unit: Tensor  # (R, 1, D) see `trajectories.Moments`
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class OpenAIES(Optimizer):
    """Evolution strategy that steps along a sampled gradient of the smoothed loss.

    Args:
        population: P_0 >= 2 points per step, even when antithetic.
        sigma: standard deviation of the perturbations, > 0, in units of x.
        learning_rate: eta > 0; in units of x^2 per unit of loss for raw losses and the sgd step, of x for
            adam.
        antithetic: mirror half of the points.
        shaping: centered_ranks (invariant under monotone transforms of the loss), raw, uncentered (without a
            baseline; not with antithetic points, where raw has none) or z_score.
        group: points that are shaped together, 2 <= group, a divisor of the population, even with antithetic
            points; only with a population that does not change. None: all.
        inner: the step taken along g: sgd, or adam.
        momentum: beta of the sgd step v <- beta v + g, 0 <= beta < 1.
        beta1: adam's decay of the mean of g, 0 <= beta1 < 1.
        beta2: adam's decay of the mean of g * g, 0 <= beta2 < 1.
        weight_decay: w >= 0; w m is added to g.
        schedule: how the learning rate changes with the steps.
        sigma_schedule: how sigma changes with the steps.
        coupled: what the population follows: sigma or learning_rate, by its schedule.
        coupling: how it follows, see `optimizers.schedules`; with grow that does not change, but the
            population does.
        largest: P >= P_0, where a growing population stops; needed with grow and decay_and_grow. None: P_0.

    Source: Salimans et al. 2017, arXiv:1703.03864; adam: Kingma and Ba 2015, ICLR, algorithm 1.
    """

    name: ClassVar[str] = "openai_es"
    quantities: ClassVar[Mapping[str, Quantity]] = named.velocity() | {
        "learning_rate": Quantity(
            named.RATE,
            "as the inner step and the shaping have it",
            lambda method, state, info: method.schedule.scheduled(
                method.learning_rate, state.step, method._coupling("learning_rate")
            ),
        ),
        "sigma": Quantity(
            "standard deviation of the search distribution",
            named.LENGTH,
            lambda method, state, info: method._sigma(state),
        ),
    }
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    defaults: ClassVar[Defaults] = {
        "group": lambda method, task: method.all_points,
        "largest": lambda method, task: method.population,
    }
    population: Annotated[int, Ge(2)] = 16
    sigma: Annotated[float, Gt(0)] = 0.1
    learning_rate: Annotated[float, Gt(0)] = 0.1
    antithetic: bool = True
    shaping: Literal["centered_ranks", "raw", "uncentered", "z_score"] = "centered_ranks"
    group: Annotated[int | None, Ge(2)] = None
    inner: Literal["sgd", "adam"] = "sgd"
    momentum: Annotated[float, Ge(0), Lt(1)] = 0.0
    beta1: Annotated[float, Ge(0), Lt(1)] = 0.9
    beta2: Annotated[float, Ge(0), Lt(1)] = 0.999
    weight_decay: Annotated[float, Ge(0)] = 0.0
    schedule: Schedule = field(default_factory=Schedule)
    sigma_schedule: Schedule = field(default_factory=Schedule)
    coupled: Literal["sigma", "learning_rate"] = "sigma"
    coupling: Coupling = "none"
    largest: Annotated[int | None, Ge(2)] = None

    @property
    def cost_follows_schedule(self) -> bool:
        """Whether the population does."""
        return self.coupling != "none"

    def check(self) -> None:
        """Mirrored points come in pairs, and a growing population ends somewhere."""
        check_population(self.name, self.coupling, self.population, self.largest)
        for key in ("population", "largest") if self.antithetic else ():
            if getattr(self, key) is not None and getattr(self, key) % 2:
                raise ValueError(
                    f"openai_es.{key}: expected an even number with antithetic points, got"
                    f" {getattr(self, key)}"
                )
        if self.antithetic and self.shaping == "uncentered":
            raise ValueError(
                "openai_es.shaping: mirrored points have no baseline; expected raw, or antithetic: false"
            )
        if self.group is not None:
            self._check_group(self.group)

    @property
    def all_points(self) -> int | None:
        """The points of a step, which are shaped together; None where their number changes."""
        steady = self.coupling == "none" and self.largest is None
        return self.population if steady else None

    def _check_group(self, group: int) -> None:
        if self.coupling != "none" or self.largest not in (None, self.population):
            raise ValueError(
                "openai_es.group: expected a population that does not change (coupling: none)"
            )
        if self.population % group or (self.antithetic and group % 2):
            even = ", even with antithetic points" if self.antithetic else ""
            raise ValueError(
                f"openai_es.group: expected a divisor of the population {self.population}{even}, got {group}"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """The mean at the first start."""
        center = problem.start(1)
        step = torch.zeros(streams.size, dtype=torch.int64, device=center.device)
        return State(center, *steps.Moments.none(center), step)

    def ask(self, state: State, streams: Streams) -> Query:
        """P points around the mean; when antithetic, the mirrored half comes last."""
        size = self.population if self.largest is None else self.largest
        z = streams.normal("mutation", (size // 2 if self.antithetic else size, state.center.shape[-1]))
        step, alive = z * column(self._sigma(state), z), self._alive(state, z[..., 0])
        if not self.antithetic:
            return Query(state.center + step, alive=alive)
        both = None if alive is None else torch.cat([alive, alive], 1)
        return Query(torch.cat([state.center + step, state.center - step], 1), alive=both)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Move the mean."""
        del streams
        slope = self._gradient(state, query, answer.value)
        if isinstance(self.weight_decay, Tensor) or self.weight_decay:
            slope = slope + column(self.weight_decay, slope) * state.center
        rate = self.schedule.rate(
            self.learning_rate, state.step, slope, self._coupling("learning_rate")
        )
        if self.inner == "adam":
            before = steps.Moments(state.velocity, state.square, state.unit)
            move, moments = steps.adam(before, slope, (state.step + 1).double(), self.beta1, self.beta2)
        else:
            move = column(self.momentum, slope) * state.velocity + slope
            moments = steps.Moments(move, state.square, state.unit)
        return State(state.center - rate * move, *moments, state.step + 1), {}

    def rates(self, state: State) -> Mapping[str, float | Tensor]:
        """The learning rate, of raw losses and plain sgd steps."""
        if self.shaping not in ("raw", "uncentered") or self.inner != "sgd":
            return {}
        rate = self.schedule.scheduled(self.learning_rate, state.step, self._coupling("learning_rate"))
        plain = steps.plain_rate(rate, momentum=self.momentum, weight_decay=self.weight_decay)
        return {"raw": plain, "smoothed": plain}

    def recommend(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.center[:, 0]

    def center(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.center[:, 0]

    def _sigma(self, state: State) -> Tensor:
        """Sigma (R,) float64 of this step."""
        return self.sigma_schedule.scheduled(self.sigma, state.step, self._coupling("sigma"))

    def _coupling(self, name: str) -> Coupling:
        """How the population is coupled to this parameter."""
        return self.coupling if self.coupled == name else "none"

    def _alive(self, state: State, drawn: Tensor) -> Tensor | None:
        """Which of the points drawn (R, n), single or pairs, are asked at this step: (R, n) bool.

        None: all.
        """
        if self.coupling == "none" and self.largest is None:
            return None
        schedule = self.sigma_schedule if self.coupled == "sigma" else self.schedule
        first = self.population / 2 if self.antithetic else self.population
        size = schedule.size(first, state.step, self.coupling)
        return operators.leading(drawn, size.clamp_min(1 if self.antithetic else 2))

    def _gradient(self, state: State, query: Query, value: Tensor) -> Tensor:
        """The estimate g (R, 1, D) from the points asked (R, P, D) and their losses (R, P)."""
        points = query.points
        half = value.shape[1] // 2
        sigma = self._sigma(state)
        size = value.shape[1] if query.alive is None else query.alive.sum(1).double()
        shaped = self._shaped(value, query.alive)
        if self.antithetic:  # a pair: (F+ - F-) e, and x+ - x- = 2 sigma e
            weight = shaped[:, :half] - shaped[:, half:]
            step = points[:, :half] - points[:, half:]
            count = 2 * size
        else:
            weight, step, count = shaped, points - state.center, size - self._lost()
        unit = safe_unit(sigma.to(points.dtype)).to(sigma)  # where sigma^2 would be 0 or infinite
        own = sigma / unit
        slope = (weight[..., None] * (step / column(unit, points))).sum(1, keepdim=True)
        return slope * column(1.0 / (own * own * count) / unit, points)

    def _lost(self) -> int:
        """By how many points the means that are taken off shorten the sum: one of each group."""
        groups = 1 if self.group is None else self.population // self.group
        return groups if self.shaping == "raw" else 0

    def _shaped(self, value: Tensor, alive: Tensor | None) -> Tensor:
        """What weighs the points of losses (R, P), group by group."""
        centered = not self.antithetic
        if self.group is None:
            return operators.shaped(value, self.shaping, alive, centered=centered)
        sides = 2 if self.antithetic else 1
        demes = value.unflatten(1, (sides, -1, self.group // sides)).transpose(1, 2)
        shaped = operators.shaped(demes.reshape(-1, self.group), self.shaping, centered=centered)
        return shaped.reshape(demes.shape).transpose(1, 2).reshape(value.shape)
