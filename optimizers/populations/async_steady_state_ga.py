"""A steady-state genetic algorithm with W workers in virtual time.

A child takes its place when its evaluation ends.

Every worker evaluates one individual, which takes a time of `service`. Virtual time only orders the events.

    async  one step is one event: the worker that finishes first delivers its child, which competes with the
           members as they are now; then the worker begins with a child bred of the members as they are then
           (Scott and De Jong 2015, FOGA 13:54, "(mu + n)")
    sync   one step is one barrier: W children bred together compete with their elders, when all are evaluated

Breeding and replacement are those of `steady_state_ga`, which this is, bit for bit, with one worker and
`children` 1, or with sync and `children` W. Between breeding and competition the members change: a child is s
steps stale, W - 1 on average in async. A slow child is not a worse one here: times do not depend on the
point, so that nothing is selected for being quick.

Where values are exact, the starts are the first P individuals that the workers take, and K = 1 or W values
are asked in a step; a start that is evaluated after a child took its place competes like a child. Else the
members are asked again beside the children, P + K values: the worker of a child evaluates it and then P / K
members, one after the other, and each of these takes a service time. So W workers that never wait make W / E
T evaluations per unit of time, with noise and without. Draws: staleness (service times), those of
`steady_state_ga`; a child's are those of the step after its breeding (of all first children: step 1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.streams import Streams
from optimizers import operators
from optimizers.base import Info, Recorded, Switches
from optimizers.operators import unseen
from optimizers.populations.steady_state_ga import Replacing
from optimizers.workers import RECORDED, Service, advanced, everybody, finished


class State(NamedTuple):
    """The members, and what the W workers evaluate."""

    points: Tensor  # (R, P, D)
    value: Tensor  # (R, P) their values when last asked; inf where they never were
    exact: Tensor  # (R, 1) where the oracle adds no noise, else (R, 0); see `operators.mark`
    held: Tensor  # (R, W, D) the individuals at the workers
    # (R, W) int64, how many individuals were taken before; where values are exact, the first P are the starts
    job: Tensor
    read: Tensor  # (R, W) int64, steps that were completed when the worker began
    left: Tensor  # (R, W) virtual time that it still needs
    clock: Tensor  # (R, 2) virtual time, and what rounding left out of it
    step: Tensor  # (R,) int64, completed steps
    changes: Tensor  # (R, D, A, A) where a mutation leads; (R, 0): to the other bit, or on reals


@dataclass(frozen=True, kw_only=True)
class AsyncSteadyStateGA(Replacing):
    """Genetic algorithm without generations whose children are evaluated in virtual time.

    It searches reals, bits or letters.

    The recommendation is the member that was last seen lowest, the center is the mean of the members.

    Args:
        population: P >= 1 members; with sync a multiple of the workers.
        workers: W >= 1; more than P begin with children of members not yet seen.
        mode: async, every child competes when it is evaluated; sync, all workers wait for each other.
        service: the law of the time that one evaluation takes.
        replacement: who goes: the worst of members and children, or random members.
        tournament: entrants of one tournament, >= 1; 1: parents are uniform.
        sampling: of parents: random, or systematic (numbers of offspring are expected ones, rounded down or
            up: no drift; mates meet at random).
        crossover: uniform, one_point, two_point (on a ring) or none.
        recombination_rate: probability that a child has two parents, 0 to 1.
        mutation_rate: probability that a coordinate mutates, 0 to 1; None: 1 on reals, 1/D on bits and
            letters.
        spectrum: to which letter one mutates: to each other alike, unless {transitions: kappa} or {rates:
            {A>G: 2}} say otherwise, on bits {rates: {0>1: 2}}. With unequal rates the mutation rate is that
            of the most mutable letter of a site.
        mutation_sigma: standard deviation of a real mutation, >= 0, in units of x.

    Source: Scott and De Jong 2015, FOGA 13:54; Whitley 1989, ICGA 3:116; Syswerda 1991, Foundations of
    Genetic Algorithms 1:94.
    """

    name: ClassVar[str] = "async_steady_state_ga"
    sources: ClassVar[tuple[str, ...]] = ("mutation", "recombination", "drift", "staleness", "pairing")
    switches: ClassVar[Switches] = {
        **Replacing.switches,
        "staleness": {"off": {"workers": 1, "mode": "async"}},
    }
    shown_first: ClassVar[tuple[str, ...]] = ("population", "workers", "mode", "service", "replacement")
    recorded: ClassVar[Recorded] = RECORDED
    workers: Annotated[int, Ge(1)] = 8
    mode: Literal["async", "sync"] = "async"
    service: Service = field(default_factory=Service)

    def check(self) -> None:
        """Behind a barrier all workers have starts, or none."""
        if self.population % self._children:
            raise ValueError(
                f"{self.name}.population: expected a multiple of workers = {self.workers} with sync, got"
                f" {self.population}"
            )
        self.service.fits(self.name, self.workers)

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts; the workers hold the first, or children of them where values are noisy."""
        points = problem.start(self.population)
        value, job = unseen(points, streams.dtype), everybody(self.workers, len(points), points.device)
        exact = operators.mark(problem.exact, points)
        changes = operators.changes(problem, self.spectrum, streams)
        held = self._taken(points, value, exact, job, streams, changes)
        left = self._busy(streams, job, problem.exact)
        clock = torch.zeros(len(points), 2, dtype=streams.dtype, device=points.device)
        read = torch.zeros_like(job)
        return State(points, value, exact, held, job, read, left, clock, read[:, 0], changes)

    def ask(self, state: State, streams: Streams) -> Query:
        """The individuals of the workers that finish next, after the members where values are noisy."""
        del streams
        born = operators.rows(state.held, finished(state.left, self._children)[0])
        return Query(born if operators.marked(state.exact) else torch.cat([state.points, born], 1))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Who survives.

        Info: accepted (R, K), the children that do; their staleness and worker (R, K); clock (R,).
        """
        who, elapsed = finished(state.left, self._children)
        job = state.job.gather(1, who)
        points, value, accepted = self._competed(state, query, answer, job, streams)
        next_job = state.job.amax(1, keepdim=True) + 1 + torch.arange(self._children, device=who.device)
        taken = self._taken(points, value, state.exact, next_job, streams, state.changes)
        busy = self._busy(streams, who, operators.marked(state.exact))
        clock = advanced(state.clock, elapsed)
        info = {
            "accepted": accepted,
            "staleness": state.step[:, None] - state.read.gather(1, who),
            "worker": who,
            "clock": clock.double().sum(1),
        }
        after = State(
            points,
            value,
            state.exact,
            held=state.held.scatter(1, who[..., None].expand_as(taken), taken),
            job=state.job.scatter(1, who, next_job),
            read=state.read.scatter(1, who, (state.step[:, None] + 1).expand_as(who)),
            left=(state.left - elapsed).scatter(1, who, busy),
            clock=clock,
            step=state.step + 1,
            changes=state.changes,
        )
        return after, info

    def _competed(
        self, state: State, query: Query, answer: Answer, job: Tensor, streams: Streams
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Members (R, P, D) and values after these children (R, K) have competed, and which live (R, K)."""
        k, answered = self._children, operators.worst_last(answer.value)
        exact = query.points.shape[1] == k  # only the children were asked
        value = torch.cat([answered[:, -k:], state.value if exact else answered[:, :-k]], 1)
        survivors = self.survivors(value, streams, k)
        if exact:  # a start takes its place, unless a child was there first
            place = job.clamp_max(self.population - 1)
            empty = (job < self.population) & (state.value.gather(1, place) == torch.inf)
            settled = operators.replaced(place, self.population)
            survivors = torch.where(empty.all(1, keepdim=True), settled, survivors)
        points = operators.rows(torch.cat([query.points[:, -k:], state.points], 1), survivors)
        return points, value.gather(1, survivors), operators.accepted(survivors, k)

    def individuals(self, state: State) -> tuple[Tensor, Tensor] | None:
        """The members."""
        return state.points, operators.equal_shares(state.points)

    def recommend(self, state: State) -> Tensor:
        """The member that was last seen lowest: (R, D)."""
        return operators.best(state.points, state.value)

    def center(self, state: State) -> Tensor:
        """The mean of the members; on bits, their allele frequencies: (R, D)."""
        return state.points.to(state.value.dtype).mean(1)

    @property
    def _children(self) -> int:
        """K, how many evaluations one step waits for."""
        return 1 if self.mode == "async" else self.workers

    def _busy(self, streams: Streams, who: Tensor, exact: bool) -> Tensor:
        """How long the workers who (R, n) are busy: (R, n).

        With a child and, where values are noisy, with their share of the members.
        """
        return self.service.draw(streams, who, 1 if exact else 1 + self.population // self._children)

    def _taken(
        self,
        points: Tensor,
        value: Tensor,
        exact: Tensor,
        job: Tensor,
        streams: Streams,
        changes: Tensor,
    ) -> Tensor:
        """The individuals (R, n, D) of the next jobs: starts not yet taken, else children.

        Args:
            points: (R, P, D), the members.
            value: (R, P), their values.
            exact: marked where the oracle adds no noise.
            job: (R, n).
            streams: at the step; children are drawn at the next one.
            changes: where a mutation leads, as in the state.
        """
        later = streams.at(streams.step + 1)
        born, _ = operators.breed(points, value, later, job.shape[1], self, changes=changes)
        start = operators.rows(points, job.clamp_max(self.population - 1))
        return torch.where((operators.marked(exact) & (job < self.population))[..., None], start, born)
