"""Asynchronous stochastic gradient descent.

W workers in virtual time, with stale gradients or behind a barrier.

Every worker holds a copy of the point and computes a gradient there, which takes a time of `service`. Virtual
time only orders the events.

    async  one step is one event: the worker k that finishes first delivers g(x_k), taken at its copy x_k,
               v <- beta v + c g(x_k),   x <- x - eta v,   x_k <- x
           (Recht et al. 2011, "Hogwild!") and begins anew; its copy is s steps old, s the updates since it
           read. c = 1, or 1 / max(1, s) (Zhang et al. 2016)
    sync   one step is one barrier: all W read x, and when the first W - b of them have finished
               v <- beta v + mean of their gradients,   x <- x - eta v
           the b others, backup workers, are stopped and begin anew with the rest (Chen et al. 2016)

With exponential services s is geometric of mean W - 1, which acts, in mean, as momentum 1 - 1/W at the
learning rate eta / W (Mitliagkas et al. 2016; so `momentum` may be negative, which undoes it). Constant
services of equal workers give a fixed delay, s = W - 1 after the first W steps. `service` says how much
faster async is than sync, per gradient.

A step costs 1 gradient, or W: what the stopped workers computed is billed too. In sync all points are equal,
and the gradients differ where the study gives every point noise, or a mini-batch (`noise.shared: false`), of
its own. Draws: staleness (service times), and its start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity, Recorded, Switches
from optimizers.gradient import steps
from optimizers.schedules import Schedule
from optimizers.workers import RECORDED, Service, advanced, everybody, finished


class State(NamedTuple):
    """One trajectory and its W workers."""

    points: Tensor  # (R, 1, D) x
    velocity: Tensor  # (R, 1, D) v, in units of a gradient
    copies: Tensor  # (R, W, D) the points that the workers read
    read: Tensor  # (R, W) int64, steps that were completed when they did
    left: Tensor  # (R, W) virtual time that they still need
    clock: Tensor  # (R, 2) virtual time, and what rounding left out of it
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class AsyncSGD(Optimizer):
    """Stochastic gradient descent by several workers in virtual time.

    Stale gradients at once, or fresh ones behind a barrier.

    Args:
        learning_rate: eta > 0, in units of x^2 per unit of loss.
        workers: W >= 1.
        mode: async, every gradient is used when it is there; sync, all workers wait for each other.
        backups: b, 0 <= b < W, how many of the W workers a barrier does not wait for; 0 with async.
        service: the law of the time that one gradient takes.
        momentum: beta, -1 < beta < 1.
        staleness_aware: divide a gradient that is s steps old by max(1, s); no effect with sync, where s = 0.
        clip: largest norm of one worker's gradient, > 0; None: no clipping.
        schedule: how the learning rate changes with the steps.

    Source: Recht, Re, Wright, Niu 2011, NIPS 24; Zhang, Gupta, Lian, Liu 2016, IJCAI, arXiv:1511.05950; Chen,
    Pan, Monga, Bengio, Jozefowicz 2016, arXiv:1604.00981; Mitliagkas, Zhang, Hadjis, Re 2016, Allerton,
    arXiv:1605.09774.
    """

    name: ClassVar[str] = "async_sgd"
    quantities: ClassVar[Mapping[str, Quantity]] = named.learning_rate() | named.velocity()
    sources: ClassVar[tuple[str, ...]] = ("staleness",)
    switches: ClassVar[Switches] = {"staleness": {"off": {"workers": 1, "mode": "async", "backups": 0}}}
    gradient: ClassVar[bool] = True
    recorded: ClassVar[Recorded] = RECORDED
    learning_rate: Annotated[float, Gt(0)] = 0.1
    workers: Annotated[int, Ge(1)] = 8
    mode: Literal["async", "sync"] = "async"
    backups: Annotated[int, Ge(0)] = 0
    service: Service = field(default_factory=Service)
    momentum: Annotated[float, Gt(-1), Lt(1)] = 0.0
    staleness_aware: bool = False
    clip: Annotated[float | None, Gt(0)] = None
    schedule: Schedule = field(default_factory=Schedule)

    def check(self) -> None:
        """Only a barrier has backups, and it waits for somebody."""
        limit = self.workers if self.mode == "sync" else 1
        if self.backups >= limit:
            raise ValueError(
                f"async_sgd.backups: expected 0 <= backups < {limit} with {self.workers} workers and"
                f" {self.mode}, got {self.backups}"
            )
        self.service.fits(self.name, self.workers)

    def init(self, problem: Problem, streams: Streams) -> State:
        """All workers begin at the landscape's start."""
        points = problem.start(1)
        who = everybody(self.workers, len(points), points.device)
        clock = torch.zeros(len(points), 2, dtype=streams.dtype, device=points.device)
        read = torch.zeros_like(who)
        left, copies = self.service.draw(streams, who), points.repeat(1, self.workers, 1)
        return State(points, torch.zeros_like(points), copies, read, left, clock, read[:, 0])

    def ask(self, state: State, streams: Streams) -> Query:
        """The gradient at the copy of the worker that finishes next, or at all copies."""
        del streams
        return Query(operators.rows(state.copies, self._asked(state)), gradient=True)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """One update.

        Info: staleness (R, P) of the gradients, clock (R,), worker (R, P), whose points were asked.
        """
        del query
        step, asked = state.step, self._asked(state)
        who, elapsed = finished(state.left, self._awaited)
        stale = step[:, None] - state.read.gather(1, asked)
        slope = self._delivered(steps.slope(answer, self.name), stale, who)
        rate = self.schedule.rate(self.learning_rate, step, state.points)
        x, velocity = steps.descent(state.points, state.velocity, slope, rate, momentum=self.momentum)
        clock = advanced(state.clock, elapsed)
        place = asked[..., None].expand(-1, -1, x.shape[-1])
        after = State(
            x,
            velocity,
            copies=state.copies.scatter(1, place, x.expand(-1, asked.shape[1], -1)),
            read=state.read.scatter(1, asked, (step[:, None] + 1).expand_as(asked)),
            left=(state.left - elapsed).scatter(1, asked, self.service.draw(streams, asked)),
            clock=clock,
            step=step + 1,
        )
        return after, {"staleness": stale, "clock": clock.double().sum(1), "worker": asked}

    def resumed(self, state: State) -> State:
        """Workers that read the point now, where one is alone or all wait for each other."""
        if self.mode == "async" and self.workers > 1:
            return state
        return state._replace(
            copies=state.points.expand(-1, self.workers, -1),
            read=state.step[:, None].expand(-1, self.workers),
            left=state.left[:, :1].expand(-1, self.workers),
        )

    def rates(self, state: State) -> Mapping[str, float | Tensor]:
        """The learning rate of plain steps, to the gradient at the point: that of the copies is stale."""
        rate = self.schedule.scheduled(self.learning_rate, state.step)
        shortened = self.staleness_aware and self.mode == "async"
        return {
            "raw": steps.plain_rate(rate, momentum=self.momentum, clip=self.clip, shortened=shortened)
        }

    def recommend(self, state: State) -> Tensor:
        """The point: (R, D)."""
        return state.points[:, 0]

    def center(self, state: State) -> Tensor:
        """The point: (R, D)."""
        return state.points[:, 0]

    @property
    def _awaited(self) -> int:
        """How many gradients one step waits for."""
        return 1 if self.mode == "async" else self.workers - self.backups

    def _asked(self, state: State) -> Tensor:
        """The workers whose gradients are asked, and who begin anew afterwards: (R, P) int64."""
        if self.mode == "async":
            return finished(state.left, 1)[0]
        return everybody(self.workers, len(state.left), state.left.device)

    def _delivered(self, gradient: Tensor, stale: Tensor, who: Tensor) -> Tensor:
        """The gradient of the step (R, 1, D), of gradients (R, P, D) of which the workers who (R, n) have."""
        gradient = steps.clipped(gradient, self.clip)
        if self.staleness_aware:
            gradient = gradient / stale.clamp_min(1).to(gradient)[..., None]
        return gradient if self.mode == "async" else operators.rows(gradient, who).mean(1, keepdim=True)
