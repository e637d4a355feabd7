"""Guards around a kind of the user's while its cells are searched.

What breaks the contract is refused in one line, before it becomes a number; a landscape is also tried before
the search (`studies.cells.landscape_guards`).

A wrong plugin seldom fails: it gives other numbers at each run, lets worlds look at each other, or changes a
state that a record still shows. So shapes, and the counters that torch keeps of changes in place, are looked
at in every step; all numbers, the generators of torch, NumPy and Python, and a world alone beside the same
world in its batch at the first steps and then ever more rarely. Kinds of ours are held to the same by the
tests. Nothing here changes a number.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams
from optimizers.base import Optimizer, State
from studies.cells import contract
from studies.cells import landscape_promises as of_landscapes
from studies.cells import optimizer_promises as of_optimizers
from studies.cells.contract import Generators, Method, Sizes, Unchanged
from studies.cells.landscape_guards import author, own, value_method
from studies.cells.trees import rows_of

if TYPE_CHECKING:
    from studies.cells.task import Task

FIRST = 3  # steps at which everything is looked at
LATER = frozenset(8**k for k in range(1, 11))
OFTEN = 64  # steps between looks at the global generators


def guarded(task: Task, optimizer: Optimizer, oracle: Oracle, streams: Streams) -> tuple[Any, Any]:
    """The optimizer and the oracle of a cell, watched where one of its kinds is the user's."""
    ours = not (own(task.optimizer) or own(task.landscape) or oracle.landscape.code)
    if ours:
        return optimizer, oracle
    of_landscapes.check_names(optimizer, oracle.landscape, author(oracle.landscape))
    watch, foreign = Watch(optimizer, oracle, streams), own(task.optimizer)
    return (GuardedOptimizer(watch) if foreign else optimizer), GuardedOracle(watch, alone=not foreign)


class Watch:
    """What is looked at when: the step, the worlds, and the global generators since the last look.

    Args:
        optimizer: of the cell.
        oracle: of the cell.
        streams: of its worlds.
    """

    def __init__(self, optimizer: Optimizer, oracle: Oracle, streams: Streams) -> None:
        landscape = oracle.landscape
        self.optimizer, self.oracle, self.streams = optimizer, oracle, streams
        self.author = author(landscape)
        self.value = value_method(self.author, landscape)
        self.sizes = Sizes(
            streams.size, landscape.dim, landscape.domain, streams.dtype, len(landscape.players)
        )
        self.step, self.thorough, self.row = 0, True, streams.size - 1
        self.moderate = torch.ones(
            streams.size, dtype=torch.bool, device=streams.device
        )  # (R,) all that an optimizer saw so far was so
        self.generators = Generators.now(streams.device)

    def begin(self, step: int) -> None:
        """A step begins."""
        self.step = step
        self.thorough = step <= FIRST or step in LATER
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

    def look(self, suspects: Mapping[Method, Callable[[], Any]]) -> None:
        """Refuse a draw from a global generator since the last look.

        The method is named that draws when it is called again.

        A draw from Python's that is not seen again is forgiven, for other threads draw from it.
        """
        now = Generators.now(self.streams.device)
        moved = self.generators.moved(now)
        if moved:
            for method, call in suspects.items():
                contract.draws_nothing(method, call, self.streams.device)
            now = Generators.now(self.streams.device)
            if moved != ["Python"]:
                text = (
                    f"at step {self.step} or before it something drew from a global generator"
                    f" ({', '.join(moved)})"
                )
                raise next(iter(suspects)).broken(f"{text}; {next(iter(suspects)).remedy}")
        self.generators = now


class GuardedOptimizer:
    """The user's optimizer, whose answers are looked at; all else is its own."""

    def __init__(self, watch: Watch) -> None:
        self.inner, self.watch = watch.optimizer, watch
        self.methods = {
            name: Method(self.inner, name) for name in ("init", "ask", "tell", "recommend", "center")
        }

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
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
        watch.look(self._calls(state, "recommend", "center"))
        return state

    def ask(self, state: State, streams: Streams) -> Query:
        """The points of the next step."""
        watch, method = self.watch, self.methods["ask"]
        watch.begin(int(streams.step))
        self.kept = Unchanged(method, {"state": state}, thorough=watch.thorough)
        query = self.inner.ask(state, streams)
        if watch.thorough:
            self.kept.check()
        if (
            watch.thorough
            or type(query) is not Query
            or query.points.shape[::2] != (watch.sizes.worlds, watch.sizes.dim)
        ):
            of_optimizers.check_query(method, query, watch.sizes)
        self._check_finite(query)
        self.kept.add(query=query)
        return query

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Any]:
        """The state after the step."""
        watch, method = self.watch, self.methods["tell"]
        given = {"state": state, "query": query, "answer": answer}
        if watch.thorough:
            self.kept = Unchanged(method, given, thorough=True)
        else:  # once a step is enough
            self.kept.method = method
            self.kept.add(answer=answer)
        answered = (
            answer.value
            if answer.gradient is None
            else torch.cat([answer.value.flatten(1), answer.gradient.flatten(1)], 1)
        )
        watch.moderate = watch.moderate & of_optimizers.moderate(answered)
        told = self.inner.tell(state, query, answer, streams)
        self.kept.check()
        if watch.thorough:
            self._look_back(given, told)
        elif watch.step % OFTEN == 0:
            watch.look(self._steps(given))
        return told

    # the steps at which everything is looked at -------------------------------------------------------------

    def _look_back(self, given: Mapping[str, Any], told: Any) -> None:  # noqa: ANN401
        """At what this step was, once it is over."""
        watch = self.watch
        of_optimizers.check_told(self.methods["tell"], told, watch.sizes)
        self._check_points(told[0])
        watch.look(self._steps(given) | self._calls(told[0], "recommend", "center"))
        mine, steps = rows_of(given, [watch.row]), self._steps(given)
        ask, tell = (
            lambda: self.inner.ask(mine["state"], watch.alone()),
            lambda: self.inner.tell(mine["state"], mine["query"], mine["answer"], watch.alone()),
        )
        for alone, result, (method, again) in zip(
            (ask, tell), (given["query"], told), steps.items(), strict=False
        ):
            contract.alone_as_in_batch(method, again, alone, watch.row, result)

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

    def _steps(self, given: Mapping[str, Any]) -> dict[Method, Callable[[], Any]]:
        """The calls of this step, to be made again."""
        watch, landscape = self.watch, self.watch.oracle.landscape
        return {
            self.methods["ask"]: lambda: self.inner.ask(given["state"], watch.again()),
            self.methods["tell"]: lambda: self.inner.tell(
                given["state"], given["query"], given["answer"], watch.again()
            ),
            watch.value: lambda: landscape.solution_loss(given["query"].points),
        }

    def _calls(self, state: State, *names: str) -> dict[Method, Callable[[], Any]]:
        return {self.methods[name]: lambda name=name: getattr(self.inner, name)(state) for name in names}  # type: ignore[misc]

    def _check_points(self, state: State) -> None:
        """`recommend` and `center` of a state."""
        row = self.watch.row
        mine = rows_of(state, [row])
        for method, call in self._calls(state, "recommend", "center").items():
            kept = Unchanged(method, {"state": state}, thorough=True)
            point = call()
            kept.check()
            of_optimizers.check_point(method, point, self.watch.sizes)
            if point.is_floating_point():
                of_optimizers.check_finite(
                    method, point, self.watch.open(), "centers" if method.name == "center" else "points"
                )
            contract.alone_as_in_batch(
                method, call, functools.partial(getattr(self.inner, method.name), mine), row, point
            )

    def _problem(self, problem: Problem, row: int | None = None) -> Problem:
        """The task with starts that may be drawn anew, of all worlds or of one."""
        rows, landscape, streams = (
            slice(None) if row is None else slice(row, row + 1),
            self.watch.oracle.landscape,
            self.watch.streams,
        )
        return problem._replace(start=lambda n: landscape.start(streams.at(0), n)[rows])


class GuardedOracle:
    """The oracle of a cell with a kind of the user's; all but answering is its own."""

    def __init__(self, watch: Watch, *, alone: bool) -> None:
        self.inner, self.watch, self.alone = (
            watch.oracle,
            watch,
            alone,
        )  # alone: the optimizer is ours, and looks at nothing

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self.inner, name)

    def __call__(self, query: Query, streams: Streams) -> Answer:
        """Answer one query of all worlds."""
        watch = self.watch
        if self.alone:
            watch.begin(int(streams.step))
        if self.alone or watch.thorough:
            kept = Unchanged(watch.value, {"x": query.points}, thorough=watch.thorough)
            answer = self.inner(query, streams)
            kept.check()
        else:
            answer = self.inner(query, streams)
        if watch.thorough or answer.value.shape != query.points.shape[:2]:
            of_landscapes.check_values(watch.value, answer.value, query.points, watch.sizes)
        if answer.gradient is not None and bool(answer.gradient.isnan().any()):
            fine = watch.open() & of_optimizers.moderate(query.points) & of_optimizers.moderate(answer.value)
            of_landscapes.check_gradient(watch.value, answer.gradient, fine)
        if self.alone and (watch.thorough or watch.step % OFTEN == 0):
            watch.look({watch.value: lambda: self.inner.landscape.solution_loss(query.points)})
        return answer
