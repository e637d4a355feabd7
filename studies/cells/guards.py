"""Guards around a kind of the user's while its cells are computed.

What breaks the contract is refused in one line, before it becomes a number.

A wrong plugin seldom fails: it gives other numbers at each run, lets worlds look at each other, or changes a
state that a record still shows. So shapes, and the counters that torch keeps of changes in place, are looked
at in every step; all numbers, the generators of torch, NumPy and Python, and a world alone beside the same
world in its batch at the first steps and then ever more rarely. Kinds of ours are held to the same by the
tests. Nothing here changes a number; so a cell's address does not depend on this file.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from landscapes.base import Answer, Bits, Landscape, Problem, Query, Terms
from landscapes.oracle.evaluation import evaluate
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams
from optimizers.base import Optimizer, State
from studies import registry
from studies.cells import contract
from studies.cells.contract import Generators, Method, Sizes, Unchanged

if TYPE_CHECKING:
    from studies.cells.task import Task

FIRST = 3  # steps at which everything is looked at
LATER = frozenset(8**k for k in range(1, 11))
OFTEN = 64  # steps between looks at the global generators
POINTS = 2  # of each world at which a landscape is tried
TERMS = 3  # of a mini-batch there


def own(spec: Mapping[str, Any]) -> bool:
    """Whether a spec, or one inside it, names a kind by an import path."""
    return ":" in str(spec.get("kind", "")) or any(
        own(value) for value in spec.values() if isinstance(value, Mapping)
    )


def guarded(task: Task, optimizer: Optimizer, oracle: Oracle, streams: Streams) -> tuple[Any, Any]:
    """The optimizer and the oracle of a cell, watched where one of its kinds is the user's."""
    ours = not (own(task.optimizer) or own(task.landscape) or oracle.landscape.code)
    if ours:
        return optimizer, oracle
    contract.check_names(optimizer, oracle.landscape, author(oracle.landscape))
    watch, foreign = Watch(optimizer, oracle, streams), own(task.optimizer)
    return (GuardedOptimizer(watch) if foreign else optimizer), GuardedOracle(watch, alone=not foreign)


# a landscape, before the search -----------------------------------------------------------------------------


def try_landscape(
    task: Task, streams: Streams, bind: Callable[[Task, Streams], Landscape], *, gradient: bool
) -> None:
    """Hold a landscape of the user's to its contract, at the starting points of three worlds.

    Args:
        task: that names it.
        streams: of the cell's worlds.
        bind: a task and streams -> the landscape of these worlds.
        gradient: whether the optimizer asks for gradients.

    Raises:
        PluginError: it breaks a promise.
    """
    made = registry.build(task.landscape, "landscape")
    if not (own(task.landscape) or made.code):
        return
    last = int(streams.worlds[-1])
    worlds = torch.tensor([last, int(streams.worlds[0]) if streams.size > 1 else last ^ 1, last ^ 2])
    few, one = streams.subset(worlds), streams.subset(worlds[:1])
    check_bind(made, streams.subset(worlds[:1]))
    landscape, alone = bind(task, few), bind(task, one)
    check_landscape(landscape, alone, few, one, named=author(made), gradient=gradient)


def author(made: Landscape) -> Landscape:
    """The user's landscape, itself or inside another."""
    inner = [value for value in made.parameters().values() if isinstance(value, Landscape)]
    return author(inner[0]) if inner else made


def check_bind(made: Landscape, streams: Streams) -> None:
    """Binding gives a landscape."""
    bound, method = made.bind(streams), Method(author(made), "bind")
    if not isinstance(bound, Landscape):
        raise method.broken(
            "expected the bound landscape, as in `return self.bound(table=..)`, got"
            f" {contract.described(bound)}"
        )


def check_landscape(
    landscape: Landscape, alone: Landscape, few: Streams, one: Streams, *, named: Landscape, gradient: bool
) -> None:
    """Hold a landscape, bound to several worlds and to the first of them alone, to the contract.

    `named` is the user's, itself or inside it.
    """
    contract.check_attributes(landscape)
    sizes = Sizes(few.size, landscape.dim, landscape.domain, few.dtype, len(landscape.players))
    first, method = (
        Method(named, "start"),
        Method(named, "loss" if named.domain == landscape.domain else "extension"),
    )

    contract.check_call(method, "x", "terms", "time")

    def starts() -> Tensor:
        return landscape.start(few.at(0), POINTS)

    points = starts()
    contract.check_starts(first, points, sizes, POINTS)
    contract.draws_nothing(first, starts, few.device)
    contract.alone_as_in_batch(first, starts, lambda: alone.start(one.at(0), POINTS), 0, points)

    slope = gradient and landscape.sloped and not isinstance(landscape.domain, Bits)
    call = lambda: _answer(landscape, points, few.at(1), method, gradient=slope)  # noqa: E731
    single = lambda: _answer(alone, points[:1], one.at(1), method, gradient=slope)  # noqa: E731
    kept = Unchanged(method, {"x": points}, thorough=True)
    if slope:  # what is no loss at all has no slope either
        contract.check_values(
            method, _answer(landscape, points, few.at(1), method, gradient=False).value, points, sizes
        )
    answer = call()
    kept.check()
    contract.check_values(method, answer.value, points, sizes)
    contract.check_numbers(method, answer.value)
    if answer.gradient is not None:
        contract.check_gradient(
            method, answer.gradient, contract.moderate(points) & contract.moderate(answer.value)
        )
    contract.draws_nothing(method, call, few.device)
    contract.alone_as_in_batch(method, call, single, 0, answer)
    contract.point_alone(
        method,
        answer.value[:, :1],
        _answer(landscape, points[:, :1], few.at(1), method, gradient=slope).value,
    )
    _check_others(landscape, alone, few, one, named, points, answer.value)


def _check_others(
    landscape: Landscape,
    alone: Landscape,
    few: Streams,
    one: Streams,
    named: Landscape,
    points: Tensor,
    value: Tensor,
) -> None:
    """The loss as an answer, the landscape's own noise, and further measures."""
    sizes, method = (
        Sizes(few.size, landscape.dim, landscape.domain, few.dtype),
        Method(named, "solution_loss"),
    )
    truth = lambda: landscape.solution_loss(points)  # noqa: E731
    contract.check_values(method, truth(), points, sizes)
    contract.alone_as_in_batch(method, truth, lambda: alone.solution_loss(points[:1]), 0, truth())
    if landscape.noisy:
        method = Method(named, "observe")
        noisy = lambda: landscape.observe(value, points, few.at(1))  # noqa: E731
        contract.check_values(method, noisy(), points, sizes)
        contract.draws_nothing(method, noisy, few.device)
        contract.alone_as_in_batch(
            method, noisy, lambda: alone.observe(value[:1], points[:1], one.at(1)), 0, noisy()
        )
    if named.extras:
        contract.check_measures(
            Method(named, "measures"), landscape.measures(points[:, 0]), landscape.extras, sizes.worlds
        )


def _answer(
    landscape: Landscape, points: Tensor, streams: Streams, method: Method, *, gradient: bool
) -> Answer:
    """Its answer over a small mini-batch."""
    terms, time = (
        None,
        None if landscape.clock is None else points.new_zeros(len(points), dtype=torch.float64),
    )
    if landscape.terms > 1:
        size = min(landscape.terms, max(TERMS, landscape.smallest_batch))
        index = streams.choice("data", landscape.terms, size, (1,))
        terms = Terms(index, torch.full(index.shape, 1 / size, dtype=streams.dtype, device=index.device))
    if isinstance(landscape.domain, Bits) or not gradient:
        with torch.no_grad():
            return Answer(landscape.loss(points, terms, time))
    try:
        return evaluate(landscape, points, terms, gradient=True, time=time)
    except RuntimeError as error:
        if "does not require grad" not in str(error):
            raise
        remedy = "compute it from x by torch's operations, without .detach(), .item() or .numpy()"
        raise method.broken(
            f"expected a loss that torch can differentiate, since the optimizer asks for gradients; {remedy}"
        ) from error


# an optimizer, during the search ----------------------------------------------------------------------------


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
        self.value = Method(self.author, "loss" if self.author.domain == landscape.domain else "extension")
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
        contract.check_state(method, state, watch.sizes)
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
            contract.check_query(method, query, watch.sizes)
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
        watch.moderate = watch.moderate & contract.moderate(answered)
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
        contract.check_told(self.methods["tell"], told, watch.sizes)
        self._check_points(told[0])
        watch.look(self._steps(given) | self._calls(told[0], "recommend", "center"))
        mine, steps = contract.rows_of(given, [watch.row]), self._steps(given)
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
        moderate = contract.moderate(points)
        if not bool(moderate.all()):
            contract.check_finite(self.methods["ask"], points, watch.open())
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
        mine = contract.rows_of(state, [row])
        for method, call in self._calls(state, "recommend", "center").items():
            kept = Unchanged(method, {"state": state}, thorough=True)
            point = call()
            kept.check()
            contract.check_point(method, point, self.watch.sizes)
            if point.is_floating_point():
                contract.check_finite(
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
            contract.check_values(watch.value, answer.value, query.points, watch.sizes)
        if answer.gradient is not None and bool(answer.gradient.isnan().any()):
            fine = watch.open() & contract.moderate(query.points) & contract.moderate(answer.value)
            contract.check_gradient(watch.value, answer.gradient, fine)
        if self.alone and (watch.thorough or watch.step % OFTEN == 0):
            watch.look({watch.value: lambda: self.inner.landscape.solution_loss(query.points)})
        return answer
