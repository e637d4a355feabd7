"""Records the expressions of a study: at checkpoints, and averages over the steps between them.

An average at a checkpoint is the mean over the steps that a world has completed since its last checkpoint;
where a step has gone beyond several checkpoints at once, each shows the same. Sums are taken step by step and
begin anew at a checkpoint, so nothing depends on how many there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from xarray import Dataset

from landscapes.oracle.bill import Bill
from studies.cells.contract import PluginError
from studies.cells.expressions.arithmetic import Shapes
from studies.cells.expressions.compiled import Average, Expression, compiled
from studies.cells.expressions.fixation import Fixation
from studies.cells.expressions.names import FIXATIONS, Absent, NotYet, Scope
from studies.cells.expressions.parts import behind
from studies.cells.expressions.search import Search, members
from studies.cells.milestones import Watcher
from studies.kinds.instruments import Moment
from studies.text import schema
from studies.text.schema import Variable
from studies.text.shapes import Data

LONGEST = 1024  # numbers of a vector


@dataclass
class Sum:
    """What an average has added up since the last checkpoint of each world.

    A world that has ended has no checkpoint left, so that what is added to it afterwards is never seen.
    """

    of: Average
    total: Tensor | None = None  # (R, ..) float64
    steps: Tensor | None = None  # (R,) float64, added up

    def add(self, scope: Scope) -> None:
        """Add a step."""
        value = self.of.read(scope)
        value = value * value if self.of.squared else value
        if self.total is None or self.steps is None:
            self.total, self.steps = torch.zeros_like(value), torch.zeros(len(value)).to(value)
        self.total, self.steps = self.total + value, self.steps + 1

    def mean(self) -> Tensor:
        """The average; NaN where no step was added."""
        if self.total is None or self.steps is None:
            raise NotYet
        return self.total / behind(self.steps, self.total)

    def begin(self, worlds: Tensor) -> None:
        """Begin anew in the worlds (R,) bool."""
        if self.total is not None and self.steps is not None:
            self.total = self.total.masked_fill(behind(worlds, self.total), 0.0)
            self.steps = self.steps.masked_fill(worlds, 0.0)


@dataclass
class Kept:
    """One expression, and what was kept of it.

    Args:
        label: its variable.
        expression: to be computed.
        about: what the variable holds.
        vector: whether each world has several numbers.
        sums: of its averages.
        values: (R, C, ..); None before anything was seen.
    """

    label: str
    expression: Expression
    about: Variable
    vector: bool
    sums: list[Sum] = field(default_factory=list)
    values: np.ndarray | None = None

    @staticmethod
    def of(label: str, spec: Data) -> Kept:
        """What is kept, from what a task says of it."""
        expression = compiled(spec["expression"])
        return Kept(
            label,
            expression,
            Variable(spec["long_name"], spec["units"]),
            spec["vector"],
            [*map(Sum, expression.averages)],
        )

    def value(self, scope: Scope) -> Tensor:
        """Its numbers: (R,), or (R, n) where it is a vector.

        Raises:
            NotYet: it has none before the first step.
            PluginError: it has no such numbers.
        """
        scope.averages = [each.mean() for each in self.sums]
        try:
            return shaped(self.expression.read(scope), vector=self.vector)
        except (Shapes, Absent) as error:
            raise PluginError(f"record.{self.label}: {self.expression.text}: {error}") from error

    def keep(
        self, value: Tensor, worlds: np.ndarray, places: np.ndarray, shape: tuple[int, int]
    ) -> None:
        """Keep numbers (R, ..) as these checkpoints of these worlds, of R x C."""
        if self.values is None:
            self.values = np.full((*shape, *value.shape[1:]), np.nan)
        self.values[worlds, places] = value.cpu().numpy()[worlds]

    def array(
        self, shape: tuple[int, int], search: Search
    ) -> tuple[tuple[str, ...], np.ndarray, dict[str, str]]:
        """Dims, numbers, attributes, with the names of its parts where they have any."""
        empty = np.full((*shape, 1), np.nan) if self.vector else np.full(shape, np.nan)
        dims = (*schema.RECORDS, dim_of(self.label)) if self.vector else schema.RECORDS
        attrs = self.about.attrs | {"expression": self.expression.text}
        names = members(self.expression.text, search)
        attrs |= {schema.MEMBERS: " ".join(names)} if names else {}
        return dims, empty if self.values is None else self.values, attrs


class ExpressionRecorder(Watcher):
    """Keeps the expressions of R worlds at C checkpoints.

    Args:
        search: the worlds.
        bill: their bills.
        checkpoints: (C,) times, increasing.
        specs: label -> expression, long_name, units, vector.
        clock: of the checkpoints; None: that of the bills.
    """

    part = "expressions"

    def __init__(
        self,
        search: Search,
        bill: Bill,
        checkpoints: Sequence[float],
        specs: Mapping[str, Data],
        clock: str | None = None,
    ) -> None:
        super().__init__(bill, checkpoints, clock)
        self.search = search
        self.kept = [Kept.of(label, spec) for label, spec in specs.items()]
        self.sums = [each for kept in self.kept for each in kept.sums]
        self.follows = any(FIXATIONS & set(kept.expression.names) for kept in self.kept)
        self.fixation: Fixation | None = None
        self.scope: Scope | None = None  # of the last moment

    def __call__(self, moment: Moment) -> None:
        """Take the moment before the first step, and that after each."""
        before = self.last
        if before is not None:
            self._keep(before, self.milestones.passed())
        self._follow(moment)
        self.scope = Scope(self.search, moment, None if before is None else before.state, self.fixation)
        if before is not None:
            self._add(self.scope)
        self.last = moment
        self._keep(moment, self.milestones.left())

    def _follow(self, moment: Moment) -> None:
        """See which alleles are fixed, where that is asked."""
        if self.follows:
            streams, loci = self.search.streams, self.search.landscape.dim
            fixation = self.fixation or Fixation.none(streams.size, loci, streams.device)
            self.fixation = fixation.after(self.search.optimizer, moment, self.search.sizes)

    def _add(self, scope: Scope) -> None:
        for kept in self.kept:
            for each in kept.sums:
                try:
                    each.add(scope)
                except NotYet:
                    continue
                except (Shapes, Absent) as error:
                    text = f"record.{kept.label}: {kept.expression.text}: {error}"
                    raise PluginError(text) from error

    def keep(self, moment: Moment, worlds: np.ndarray, places: np.ndarray) -> None:
        """Keep a moment as these checkpoints of these worlds."""
        assert self.scope is not None  # noqa: S101 - for the type checker
        for kept in self.kept:
            try:
                value = kept.value(self.scope)
            except NotYet:
                continue
            kept.keep(value, worlds, places, self.milestones.shape)
        passed = torch.zeros(len(moment.steps), dtype=torch.bool)
        passed[torch.from_numpy(worlds)] = True
        for each in self.sums:
            each.begin(passed.to(self.search.streams.device))

    def dataset(self) -> Dataset:
        """What was kept: dims replicate and checkpoint; of vectors also one of their own."""
        return Dataset({
            kept.label: kept.array(self.milestones.shape, self.search) for kept in self.kept
        })


def dim_of(label: str) -> str:
    """The dim along which the numbers of a vector lie."""
    return f"{label}{schema.PLACES}"


def shaped(value: Tensor, *, vector: bool) -> Tensor:
    """The numbers of an expression: (R,), or (R, n) where it is a vector.

    Raises:
        Shapes: they are of another shape, or too many.
    """
    sizes = tuple(value.shape[1:])
    if len(sizes) > 1:
        raise Shapes(
            f"expected a number or a vector of each world, got {sizes}; give a place, or a mean"
        )
    if sizes and sizes[0] > LONGEST:
        raise Shapes(f"expected at most {LONGEST} numbers of each world, got {sizes[0]}")
    if vector:
        return value.reshape(len(value), -1)
    if sizes and sizes[0] != 1:
        raise Shapes(f"expected one number of each world, got {sizes[0]}")
    return value.reshape(len(value))
