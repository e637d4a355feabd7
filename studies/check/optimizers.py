"""What an optimizer promises, tried on a bowl."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import torch

from landscapes.base import Answer, Domain, Letters, Problem, Query, Reals, uniform_letters
from landscapes.streams import Streams
from optimizers.base import Optimizer, State
from studies.cells import contract
from studies.cells import optimizer_promises as promises
from studies.cells.trees import difference, rows_of
from studies.check.promises import ALONE, DIM, SEED, STEPS, WORLDS, Check
from studies.text.shapes import Data

ROUNDED = (
    "but for the last digits, which depend on the batch; see matmul, logistic and power in"
    " landscapes.base"
)
RESUMED = (
    "differs when another object goes on from the state of step {}; keep in the state all that counts"
)
METHODS = ("init", "ask", "tell", "recommend", "center")


class Step(NamedTuple):
    """One step, and the state that it began with."""

    number: int
    state: State
    query: Query
    answer: Answer
    outcome: tuple[State, dict[str, torch.Tensor]]  # what `tell` returned
    drawn: set[str]  # sources

    @property
    def given(self) -> Data:
        """What `tell` takes."""
        return {
            "state": self.state,
            "query": self.query,
            "answer": self.answer,
        }

    def given_to(self, name: str) -> Data:
        """What a method takes, its draws left out."""
        return self.given if name == "tell" else {"state": self.state}


def example(domain: type[Domain]) -> Domain:
    """A domain of DIM coordinates of its type."""
    return Letters((tuple("ACGT"),) * DIM) if domain is Letters else domain()  # type: ignore[call-arg]


class OptimizerTrial:
    """An optimizer on a bowl without noise.

    Args:
        made: the optimizer.
        domain: where it searches.
        dtype: precision.
        device: where tensors are.
    """

    def __init__(
        self,
        made: Optimizer,
        domain: Domain,
        dtype: torch.dtype,
        device: str = "cpu",
    ) -> None:
        self.made, self.domain, self.dtype = made, domain, dtype
        worlds = torch.tensor(WORLDS)
        self.few = Streams(seed=SEED, worlds=worlds, dtype=dtype, device=device, sources=made.sources)
        self.single = self.few.subset([WORLDS[ALONE]])
        self.sizes = contract.Sizes(len(WORLDS), DIM, domain, dtype)
        self.methods = {name: contract.Method(made, name) for name in METHODS}

    def checks(self) -> Iterator[Check]:
        """What it promises."""
        yield "shapes and types", self.shapes
        yield "points are numbers", self.finite
        yield "nothing is changed in place", self.unchanged
        yield "no draw without an address", self.addressed
        yield "draws from its sources alone", self.declared
        yield "a world alone is that world in a batch", self.alone
        yield "goes on from a state as if it had not stopped", self.resumed
        yield "tensors stay on their device", self.on_its_device

    # the bowl -----------------------------------------------------------------------------------------------

    def problem(self, streams: Streams) -> Problem:
        """The bowl as the optimizer sees it."""
        return Problem(DIM, self.domain, True, partial(self.start, streams))

    def start(self, streams: Streams, n: int) -> torch.Tensor:
        """So many points (R, n, DIM) at which a search may begin."""
        draws = streams.at(0)
        if isinstance(self.domain, Reals):
            return 2 * draws.uniform("init", (n, DIM)) - 1
        if isinstance(self.domain, Letters):
            return uniform_letters(self.domain.sizes, draws, "init", n)
        return draws.bernoulli("init", 0.5, (n, DIM)).to(torch.uint8)

    def answer(self, query: Query) -> Answer:
        """The answer of the bowl sum_d (x_d - 0.3)^2."""
        x = query.points.to(self.dtype) - 0.3
        return Answer(x.square().sum(-1), 2 * x if query.gradient else None)

    def init(self, streams: Streams) -> State:
        """The state before the first step."""
        return self.made.init(self.problem(streams), streams.at(0))

    def steps(
        self,
        streams: Streams,
        made: Optimizer | None = None,
        state: State | None = None,
        first: int = 1,
    ) -> Iterator[Step]:
        """The steps from the first one on, or from a state.

        Args:
            streams: of the worlds.
            made: another object in the optimizer's place.
            state: from which to go on.
            first: number of the first step, >= 1.
        """
        made = made or self.made
        state = self.init(streams) if state is None else state
        for number in range(first, STEPS + 1):
            draws = streams.at(number)
            query = made.ask(state, draws)
            answer = self.answer(query)
            outcome = made.tell(state, query, answer, draws)
            yield Step(number, state, query, answer, outcome, draws.drawn)
            state = outcome[0]

    def calls(self, step: Step, streams: Streams) -> list[tuple[str, Callable[[], object]]]:
        """The methods of a step, to be called again."""
        made, state = self.made, step.state
        draws = partial(streams.at, step.number)
        return [
            ("recommend", lambda: made.recommend(state)),
            ("center", lambda: made.center(state)),
            ("ask", lambda: made.ask(state, draws())),
            ("tell", lambda: made.tell(state, step.query, step.answer, draws())),
        ]

    def each_call(self) -> Iterator[tuple[Step, str, Callable[[], object]]]:
        """The methods of all steps, to be called again."""
        for step in self.steps(self.few):
            for name, call in self.calls(step, self.few):
                yield step, name, call

    # promises -----------------------------------------------------------------------------------------------

    def shapes(self) -> str:
        """Shapes of everything that it returns; each is looked at before it is used."""
        state = self.init(self.few)
        self._hold(promises.check_state, "init", state)
        for number in range(1, STEPS + 1):
            state = self._shapes_of_step(state, self.few.at(number))
        return ""

    def _shapes_of_step(self, state: State, draws: Streams) -> State:
        """Look at what the methods return in a step; the state after it."""
        for name in ("recommend", "center"):
            self._hold(promises.check_point, name, getattr(self.made, name)(state))
        query = self.made.ask(state, draws)
        self._hold(promises.check_query, "ask", query)
        outcome = self.made.tell(state, query, self.answer(query), draws)
        self._hold(promises.check_told, "tell", outcome)
        return outcome[0]

    def _hold(self, check: Callable[..., None], name: str, returned: object) -> None:
        """Hold what a method returned to its shapes."""
        check(self.methods[name], returned, self.sizes)

    def finite(self) -> str:
        """No point is NaN or infinite, while all that it saw is moderate."""
        rows = torch.ones(len(WORLDS), dtype=torch.bool)
        for step in self.steps(self.few):
            center = self.made.center(step.state)
            self._check_finite("recommend", self.made.recommend(step.state), rows)
            self._check_finite("center", center, rows, "centers")
            self._check_finite("ask", step.query.points, rows)
            rows = rows & _moderate(step)
        return ""

    def _check_finite(
        self,
        name: str,
        points: torch.Tensor,
        rows: torch.Tensor,
        what: str = "points",
    ) -> None:
        """Raise where points that a method gave are not finite.

        Args:
            name: of the method.
            points: (R, P, D) or (R, D).
            rows: the worlds that count (R,).
            what: they are.
        """
        if points.is_floating_point():
            promises.check_finite(self.methods[name], points, rows, what)

    def unchanged(self) -> str:
        """States, queries and answers stay what they were."""
        for step, name, call in self.each_call():
            kept = contract.Unchanged(self.methods[name], step.given_to(name), thorough=True)
            call()
            kept.check()
        return ""

    def addressed(self) -> str:
        """The global generators stay where they are."""
        contract.draws_nothing(self.methods["init"], lambda: self.init(self.few))
        for _, name, call in self.each_call():
            contract.draws_nothing(self.methods[name], call)
        return ""

    def declared(self) -> str:
        """It draws from no source that it does not declare."""
        drawn = self._drawn()
        missing = sorted(drawn - set(self.made.sources))
        if missing:
            raise self._undeclared(missing)
        return f"it draws from {', '.join(sorted(drawn)) or 'none'}"

    def _undeclared(self, missing: list[str]) -> contract.PluginError:
        """That it draws from sources which it does not declare."""
        sources = ", ".join(f'"{name}"' for name in (*self.made.sources, *missing))
        return self.methods["ask"].broken(
            f"draws from {', '.join(missing)}, which it does not declare; write `sources = ({sources},)`"
            " in the class"
        )

    def _drawn(self) -> set[str]:
        """The sources from which it draws."""
        first = self.few.at(0)
        state = self.made.init(self.problem(self.few), first)
        return first.drawn.union(*(step.drawn for step in self.steps(self.few, state=state)))

    def alone(self) -> str:
        """Every method gives one world what it gives it among others."""
        self._alone("init", partial(self.init, self.few), partial(self.init, self.single))
        every = [self._step_alone(step) for step in self.steps(self.few)]  # all are looked at
        return "" if all(every) else ROUNDED

    def _step_alone(self, step: Step) -> bool:
        """Whether the methods of a step give one world the same bits."""
        part = step._replace(**rows_of(step.given, [ALONE]))
        both = zip(self.calls(step, self.few), self.calls(part, self.single), strict=True)
        return all([self._alone(name, together, alone) for (name, together), (_, alone) in both])

    def _alone(self, name: str, together: Callable[[], object], alone: Callable[[], object]) -> bool:
        """Whether a method gives one world the same bits; raises where it gives other numbers.

        Args:
            name: of the method.
            together: calls it for all worlds.
            alone: calls it for the one.
        """
        result = together()
        contract.alone_as_in_batch(self.methods[name], together, alone, ALONE, result)
        return not difference(rows_of(result, [ALONE]), alone(), rounding=False)

    def resumed(self) -> str:
        """Another object, made of the same parameters, goes on from a state as the first did."""
        rest = [*self.steps(self.few)][STEPS // 2 :]
        fresh = type(self.made)(**self.made.parameters())
        begun = rest[0].number
        for step, again in zip(rest, self.steps(self.few, fresh, rest[0].state, begun), strict=True):
            other = difference(step.outcome, again.outcome, rounding=False)
            if other:
                raise self.methods["tell"].broken(f"{other} {RESUMED.format(begun - 1)}")
        return ""

    def on_its_device(self) -> str:
        """On a device that holds no numbers, or a GPU where there is one, nothing comes from the CPU."""
        return contract.on_a_device(
            lambda device: [*OptimizerTrial(self.made, self.domain, self.dtype, device).computed()]
        )

    def computed(self) -> Iterator[object]:
        """All that it computes in its steps."""
        for step in self.steps(self.few):
            yield step.query, step.outcome
            yield self.made.recommend(step.state)
            yield self.made.center(step.state)


def _moderate(step: Step) -> torch.Tensor:
    """The worlds (R,) in which all points and values of a step are moderate."""
    points = step.query.points
    if not points.is_floating_point():
        return torch.ones(len(points), dtype=torch.bool)
    return promises.moderate(points) & promises.moderate(step.answer.value)
