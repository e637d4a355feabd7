"""A landscape of the user's, held to its contract before a search.

A few points of a few worlds are asked, of the worlds together and of the first alone; what breaks a promise
is refused in one line, before it becomes a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from landscapes.base import Answer, Landscape, Reals, Terms
from landscapes.oracle.evaluation import evaluate
from landscapes.oracle.noise import dropout_of
from landscapes.streams import Streams
from studies.cells import contract
from studies.cells import landscape_promises as promises
from studies.cells.contract import Method, Sizes, Unchanged
from studies.cells.optimizer_promises import moderate
from studies.cells.rows import plain
from studies.cells.trees import described
from studies.kinds import registry
from studies.text.shapes import Tree

if TYPE_CHECKING:
    from studies.cells.task import Task

POINTS = 2  # of each world at which a landscape is tried
TERMS = 3  # of a mini-batch there


def own(spec: Tree) -> bool:
    """Whether a spec, or one inside it, names a kind by an import path."""
    return ":" in str(spec.get("kind", "")) or any(
        own(value) for value in spec.values() if isinstance(value, Mapping)
    )


def author(made: Landscape) -> Landscape:
    """The user's landscape, itself or inside another."""
    inner = [value for value in made.parameters().values() if isinstance(value, Landscape)]
    return author(inner[0]) if inner else made


def value_method(named: Landscape, landscape: Landscape) -> Method:
    """The method of the user's that gives the values of a landscape around it."""
    return Method(named, "loss" if named.domain == landscape.domain else "extension")


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
    made = registry.build(plain(task.landscape, 0), "landscape")
    if not (own(task.landscape) or made.code):
        return
    last = int(streams.worlds[-1])
    another = int(streams.worlds[0]) if streams.size > 1 else last ^ 1
    worlds = torch.tensor([last, another, last ^ 2])
    few, one = streams.subset(worlds), streams.subset(worlds[:1])
    check_bind(made, streams.subset(worlds[:1]))
    Bound(bind(task, few), bind(task, one), few, one, author(made)).check(gradient=gradient)


def check_bind(made: Landscape, streams: Streams) -> None:
    """Binding gives a landscape."""
    bound = made.bind(streams)
    if not isinstance(bound, Landscape):
        raise Method(author(made), "bind").broken(
            f"expected the bound landscape, as in `return self.bound(table=..)`, got {described(bound)}"
        )


@dataclass(frozen=True, eq=False)
class Bound:
    """A landscape bound to several worlds, and to the first of them alone."""

    landscape: Landscape
    alone: Landscape
    few: Streams
    one: Streams
    named: Landscape  # the user's, itself or inside it

    def check(self, *, gradient: bool) -> None:
        """Hold it to the contract; `gradient` says whether the optimizer asks for gradients.

        Raises:
            PluginError: it breaks a promise.
        """
        promises.check_attributes(self.landscape)
        contract.check_call(self._value_method, "x", "terms", "time")
        points = self._starts()
        value = self._values(
            points,
            slope=gradient and self.landscape.sloped and isinstance(self.landscape.domain, Reals),
        )
        self._truth(points)
        if self.landscape.noisy:
            self._noise(points, value)
        if self.named.extras:
            measures = self.landscape.measures(points[:, 0])
            contract.check_measures(
                Method(self.named, "measures"), measures, self.landscape.extras, self.few.size
            )

    @property
    def _sizes(self) -> Sizes:
        landscape = self.landscape
        return Sizes(
            self.few.size, landscape.dim, landscape.domain, self.few.dtype, len(landscape.players)
        )

    @property
    def _value_method(self) -> Method:
        return value_method(self.named, self.landscape)

    def _starts(self) -> Tensor:
        """Starting points (R, n, D)."""
        method = Method(self.named, "start")
        starts = lambda: self.landscape.start(self.few.at(0), POINTS)  # noqa: E731
        points = starts()
        promises.check_starts(method, points, self._sizes, POINTS)
        contract.draws_nothing(method, starts, self.few.device)
        alone = lambda: self.alone.start(self.one.at(0), POINTS)  # noqa: E731
        contract.alone_as_in_batch(method, starts, alone, 0, points)
        return points

    def _values(self, points: Tensor, *, slope: bool) -> Tensor:
        """The values (R, P) of points; `slope` asks for their gradients too."""
        method = self._value_method
        call = lambda: self._answer(points, gradient=slope)  # noqa: E731
        single = lambda: _answer(self.alone, points[:1], self.one.at(1), method, gradient=slope)  # noqa: E731
        kept = Unchanged(method, {"x": points}, thorough=True)
        if slope:  # what is no loss at all has no slope either
            plain = self._answer(points, gradient=False)
            promises.check_values(method, plain.value, points, self._sizes)
        answer = call()
        kept.check()
        self._check_answer(answer, points)
        contract.draws_nothing(method, call, self.few.device)
        contract.alone_as_in_batch(method, call, single, 0, answer)
        first = self._answer(points[:, :1], gradient=slope)
        contract.point_alone(method, answer.value[:, :1], first.value)
        return answer.value

    def _answer(self, points: Tensor, *, gradient: bool) -> Answer:
        """The answer at these points, each time with the same draws."""
        return _answer(self.landscape, points, self.few.at(1), self._value_method, gradient=gradient)

    def _check_answer(self, answer: Answer, points: Tensor) -> None:
        """Values and gradients are numbers of the right shape."""
        method = self._value_method
        promises.check_values(method, answer.value, points, self._sizes)
        promises.check_numbers(method, answer.value)
        if answer.gradient is not None:
            promises.check_gradient(method, answer.gradient, moderate(points) & moderate(answer.value))

    def _truth(self, points: Tensor) -> None:
        """The loss of points as an answer."""
        method = Method(self.named, "solution_loss")
        truth = lambda: self.landscape.solution_loss(points)  # noqa: E731
        promises.check_values(method, truth(), points, self._sizes._replace(players=1))
        alone = lambda: self.alone.solution_loss(points[:1])  # noqa: E731
        contract.alone_as_in_batch(method, truth, alone, 0, truth())

    def _noise(self, points: Tensor, value: Tensor) -> None:
        """The landscape's own noise on values (R, P)."""
        method = Method(self.named, "observe")
        noisy = lambda: self.landscape.observe(value, points, self.few.at(1))  # noqa: E731
        alone = lambda: self.alone.observe(value[:1], points[:1], self.one.at(1))  # noqa: E731
        promises.check_values(method, noisy(), points, self._sizes._replace(players=1))
        contract.draws_nothing(method, noisy, self.few.device)
        contract.alone_as_in_batch(method, noisy, alone, 0, noisy())


def _answer(
    landscape: Landscape, points: Tensor, streams: Streams, method: Method, *, gradient: bool
) -> Answer:
    """Its answer over a small mini-batch, as an oracle sees it.

    Args:
        landscape: bound to R worlds.
        points: (R, P, D).
        streams: of the worlds, at a step.
        method: to be named where torch cannot differentiate.
        gradient: whether it is asked for.
    """
    clock, terms = landscape.clock, _mini_batch(landscape, streams)
    time = None if clock is None else points.new_zeros(len(points), dtype=torch.float64)
    if landscape.drops:
        landscape = landscape.dropping(dropout_of(points.shape[1], streams))
    if not (gradient and isinstance(landscape.domain, Reals)):
        with torch.no_grad():
            return Answer(landscape.loss(points, terms, time))
    try:
        return evaluate(landscape, points, terms, gradient=True, time=time)
    except RuntimeError as error:
        if "does not require grad" not in str(error):
            raise
        raise method.broken(
            "expected a loss that torch can differentiate, since the optimizer asks for gradients; compute it"
            " from x by torch's operations, without .detach(), .item() or .numpy()"
        ) from error


def _mini_batch(landscape: Landscape, streams: Streams) -> Terms | None:
    """Some of its terms, where it has several."""
    if landscape.terms == 1:
        return None
    size = min(landscape.terms, max(TERMS, landscape.smallest_batch))
    index = streams.choice("data", landscape.terms, size, (1,))
    return Terms(index, torch.full(index.shape, 1 / size, dtype=streams.dtype, device=index.device))
