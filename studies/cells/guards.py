"""Guards around a kind of the user's while its cells are searched.

What breaks the contract is refused in one line, before it becomes a number; a landscape is also tried before
the search (`studies.cells.landscape_guards`).

A wrong plugin seldom fails: it gives other numbers at each run, lets worlds look at each other, or changes a
state that a record still shows. So shapes, and the counters that torch keeps of changes in place, are looked
at in every step; all numbers, the generators of torch, NumPy and Python, and a world alone beside the same
world in its batch at the first steps and then ever more rarely. Kinds of ours are held to the same by the
tests. Nothing here changes a number, and no look counts among the seconds of a search.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.oracle.oracle import Oracle
from landscapes.starts import Law, starts
from landscapes.streams import Streams
from optimizers.base import Optimizer, State
from studies.cells import contract
from studies.cells import landscape_promises as of_landscapes
from studies.cells import optimizer_promises as of_optimizers
from studies.cells.contract import Given, Method, Sizes, Unchanged, thorough
from studies.cells.generators import Generators
from studies.cells.landscape_guards import author, own, value_method
from studies.cells.timing import finish
from studies.cells.trees import rows_of
from studies.text.shapes import Tree

if TYPE_CHECKING:
    from studies.cells.task import Task

METHODS = ("init", "ask", "tell", "recommend", "center")
OFTEN = 64  # steps between looks at the global generators


def guarded(task: Task, optimizer: Optimizer, oracle: Oracle, streams: Streams) -> tuple[Given, Given]:
    """The optimizer and the oracle of a cell, watched where one of its kinds is the user's."""
    ours = not (own(task.optimizer) or own(task.landscape) or oracle.landscape.code)
    if ours:
        return optimizer, oracle
    of_landscapes.check_names(optimizer, oracle.landscape, author(oracle.landscape))
    watch, foreign = Watch(optimizer, oracle, streams, task.start), own(task.optimizer)
    return (GuardedOptimizer(watch) if foreign else optimizer), GuardedOracle(watch, alone=not foreign)


class Watch:
    """What is looked at when: the step, the worlds, and the global generators since the last look.

    Args:
        optimizer: of the cell.
        oracle: of the cell.
        streams: of its worlds.
        start: where searches start, of the task.
    """

    def __init__(
        self, optimizer: Optimizer, oracle: Oracle, streams: Streams, start: Law | None = None
    ) -> None:
        landscape = oracle.landscape
        self.optimizer, self.oracle, self.streams, self.start = optimizer, oracle, streams, start
        self.author = author(landscape)
        self.value = value_method(self.author, landscape)
        self.sizes = Sizes(
            streams.size, landscape.dim, landscape.domain, streams.dtype, len(landscape.players)
        )
        self.step, self.thorough, self.row = 0, True, streams.size - 1
        # (R,): all that an optimizer saw so far was so
        self.moderate = torch.ones(streams.size, dtype=torch.bool, device=streams.device)
        self.generators = Generators.now(streams.device)
        self.own = self.looked = 0.0  # seconds that what is watched took, and those of the looks at it

    def timed(self, call: Callable[..., Given], *given: Given) -> Given:
        """What is watched, called in a step."""
        began = time.perf_counter()
        result = call(*given)
        finish(str(self.streams.device))
        self.own += time.perf_counter() - began
        return result

    def begin(self, step: int) -> None:
        """A step begins."""
        self.step = step
        self.thorough = thorough(step)
        if self.thorough:
            self.row = (self.row + 1) % self.streams.size  # the last world, the first, ..

    def open(self) -> Tensor:
        """(R,): worlds that run, and saw moderate numbers alone: NaN in them is no divergence."""
        return self.moderate & torch.from_numpy(self.oracle.bill.alive).to(self.moderate.device)

    def alone(self) -> Streams:
        """The streams of the one world that is looked at."""
        return self.streams.subset(self.streams.worlds[[self.row]]).at(self.step)

    def again(self) -> Streams:
        """The streams of this step, of which nothing was drawn."""
        return self.streams.at(self.step)

    def look(self, suspects: Mapping[Method, Callable[[], Given]]) -> None:
        """Refuse a draw from a global generator since the last look, naming the method that drew.

        A draw from Python's generator that does not recur is forgiven, since other threads use it.
        """
        device = self.streams.device
        moved = self.generators.moved(Generators.now(device))
        if moved:
            for method, call in suspects.items():
                contract.draws_nothing(method, call, device)
            if moved != ["Python"]:
                method = next(iter(suspects))
                raise method.broken(
                    f"at step {self.step} or before it something drew from a global generator"
                    f" ({', '.join(moved)}); {method.remedy}"
                )
        self.generators = Generators.now(device)


def looking(method: Callable[..., Given]) -> Callable[..., Given]:
    """A method of what has a `watch`: what it takes beside the call that is watched is a look."""

    @functools.wraps(method)
    def timed(self: Given, *given: Given) -> Given:
        watch = self.watch
        began, own = time.perf_counter(), watch.own
        result = method(self, *given)
        watch.looked += time.perf_counter() - began - (watch.own - own)
        return result

    return timed


class GuardedOptimizer:
    """The user's optimizer, whose answers are looked at; all else is its own."""

    def __init__(self, watch: Watch) -> None:
        self.inner, self.watch = watch.optimizer, watch
        self.methods = {name: Method(self.inner, name) for name in METHODS}

    def __getattr__(self, name: str) -> Given:
        return getattr(self.inner, name)

    def init(self, problem: Problem, streams: Streams) -> State:
        """The state before the first step."""
        watch, method = self.watch, self.methods["init"]
        state = self.inner.init(problem, streams)
        of_optimizers.check_state(method, state, watch.sizes)
        again = lambda: self.inner.init(self._problem(problem), watch.again())  # noqa: E731
        watch.look({method: again})
        alone = lambda: self.inner.init(self._problem(problem, watch.row), watch.alone())  # noqa: E731
        contract.alone_as_in_batch(method, again, alone, watch.row, state)
        self._check_points(state)
        watch.look(self._calls(state))
        return state

    @looking
    def ask(self, state: State, streams: Streams) -> Query:
        """The points of the next step."""
        watch, method = self.watch, self.methods["ask"]
        watch.begin(int(streams.step))
        self.kept = Unchanged(method, {"state": state}, thorough=watch.thorough)
        query = watch.timed(self.inner.ask, state, streams)
        if watch.thorough:
            self.kept.check()
        sizes = watch.sizes
        plain = type(query) is Query and query.points.shape[::2] == (sizes.worlds, sizes.dim)
        if watch.thorough or not plain:
            of_optimizers.check_query(method, query, sizes)
        self._check_finite(query)
        self.kept.add(query=query)
        return query

    @looking
    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Given]:
        """The state after the step."""
        watch, method = self.watch, self.methods["tell"]
        given = {"state": state, "query": query, "answer": answer}
        if watch.thorough:
            self.kept = Unchanged(method, given, thorough=True)
        else:  # once a step is enough
            self.kept.method = method
            self.kept.add(answer=answer)
        answered = answer.value.flatten(1)
        if answer.gradient is not None:
            answered = torch.cat([answered, answer.gradient.flatten(1)], 1)
        watch.moderate = watch.moderate & of_optimizers.moderate(answered)
        told = watch.timed(self.inner.tell, state, query, answer, streams)
        self.kept.check()
        if watch.thorough:
            self._look_back(given, told)
        elif watch.step % OFTEN == 0:
            watch.look(self._steps(given))
        return told

    # the steps at which everything is looked at -------------------------------------------------------------

    def _look_back(self, given: Tree, told: Given) -> None:
        """Look at what this step was, once it is over."""
        watch = self.watch
        of_optimizers.check_told(self.methods["tell"], told, watch.sizes)
        self._check_points(told[0])
        watch.look(self._steps(given) | self._calls(told[0]))
        mine = rows_of(given, [watch.row])
        alone = self._steps(mine, watch.alone)
        again = self._steps(given)
        for name, result in (("ask", given["query"]), ("tell", told)):
            method = self.methods[name]
            contract.alone_as_in_batch(method, again[method], alone[method], watch.row, result)

    def _check_finite(self, query: Query) -> None:
        """The points of a step, in the worlds that run."""
        watch, points = self.watch, query.points
        if not points.is_floating_point():
            return
        if query.alive is not None:
            points = points.where(query.alive[..., None], 0.0)
        moderate = of_optimizers.moderate(points)
        if not bool(moderate.all()):
            of_optimizers.check_finite(self.methods["ask"], points, watch.open())
            watch.moderate = watch.moderate & moderate

    def _steps(
        self, given: Tree, streams: Callable[[], Streams] | None = None
    ) -> dict[Method, Callable[[], Given]]:
        """The calls of this step, to be made again, with its own streams or with others."""
        state, query, answer = given["state"], given["query"], given["answer"]
        landscape, draws = self.watch.oracle.landscape, streams or self.watch.again
        return {
            self.methods["ask"]: lambda: self.inner.ask(state, draws()),
            self.methods["tell"]: lambda: self.inner.tell(state, query, answer, draws()),
            self.watch.value: lambda: landscape.solution_loss(query.points),
        }

    def _calls(self, state: State) -> dict[Method, Callable[[], Given]]:
        """Those that look at a state."""
        return {
            self.methods["recommend"]: lambda: self.inner.recommend(state),
            self.methods["center"]: lambda: self.inner.center(state),
        }

    def _check_points(self, state: State) -> None:
        """`recommend` and `center` of a state."""
        row = self.watch.row
        alone = self._calls(rows_of(state, [row]))
        for method, call in self._calls(state).items():
            kept = Unchanged(method, {"state": state}, thorough=True)
            point = call()
            kept.check()
            of_optimizers.check_point(method, point, self.watch.sizes)
            if point.is_floating_point():
                what = "centers" if method.name == "center" else "points"
                of_optimizers.check_finite(method, point, self.watch.open(), what)
            contract.alone_as_in_batch(method, call, alone[method], row, point)

    def _problem(self, problem: Problem, row: int | None = None) -> Problem:
        """The task with starts that may be drawn anew, of all worlds or of one."""
        rows = slice(None) if row is None else slice(row, row + 1)
        landscape, streams = self.watch.oracle.landscape, self.watch.streams
        law = self.watch.start
        return problem._replace(start=lambda n: starts(landscape, law, streams.at(0), n)[rows])


class GuardedOracle:
    """The oracle of a cell with a kind of the user's; all but answering is its own."""

    def __init__(self, watch: Watch, *, alone: bool) -> None:
        self.inner, self.watch = watch.oracle, watch
        self.alone = alone  # the optimizer is ours, and looks at nothing

    def __getattr__(self, name: str) -> Given:
        return getattr(self.inner, name)

    @property
    def looked(self) -> float:
        """Seconds that the looks at the kinds took."""
        return self.watch.looked

    @looking
    def __call__(self, query: Query, streams: Streams) -> Answer:
        """Answer one query of all worlds."""
        watch = self.watch
        if self.alone:
            watch.begin(int(streams.step))
        answer = self._answer(query, streams)
        if watch.thorough or answer.value.shape != query.points.shape[:2]:
            of_landscapes.check_values(watch.value, answer.value, query.points, watch.sizes)
        if answer.gradient is not None and bool(answer.gradient.isnan().any()):
            fine = (
                watch.open()
                & of_optimizers.moderate(query.points)
                & of_optimizers.moderate(answer.value)
            )
            of_landscapes.check_gradient(watch.value, answer.gradient, fine)
        if self.alone and (watch.thorough or watch.step % OFTEN == 0):
            watch.look({watch.value: lambda: self.inner.landscape.solution_loss(query.points)})
        return answer

    def _answer(self, query: Query, streams: Streams) -> Answer:
        """The oracle's, which leaves the points as they are."""
        watch = self.watch
        if not (self.alone or watch.thorough):
            return watch.timed(self.inner, query, streams)
        kept = Unchanged(watch.value, {"x": query.points}, thorough=watch.thorough)
        answer = watch.timed(self.inner, query, streams)
        kept.check()
        return answer
