"""How many worlds a cell of an arm holds.

A step takes a time of its own, however many worlds take it, so that many worlds cost little more than a few.
A cell holds as many as take a second, or as make this time a fifth of all: of 500 steps of 40 individuals at
2 loci a world takes 26 ms in a cell of 32, 7.9 of 128, 4.5 of 512 and 3.3 of 2048. But none takes more than
ten seconds for that, or, where these alone take longer, twice as long as they.

It is 32 times a power of two, from what the arm itself costs: an address depends on no clock, and stays where
a study comes to have more worlds. Time is counted in numbers read, as in `studies.cells.hits`; memory in
numbers that are held at once for each world: the terms of a step or of a true loss, and the tables that the
landscape draws. With a noise ledger, whose redraws are many more steps (128 worlds mostly take as long as
four times 32), with methods of other libraries, which run one world after another, and on landscapes of the
user's, which no plan binds, it is 32.

A budget in seconds is a world's own: its cell holds no other, so that worlds are alike, however many there
are. So are trials and pilots that are judged by seconds.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from landscapes import together
from landscapes.base import Landscape
from landscapes.streams import Streams
from studies.cells.hits import STEP, reads, reads_of_truth
from studies.cells.task import BLOCK, LARGEST
from studies.kinds import registry
from studies.study_file import built
from studies.study_file.arm import Arm
from studies.study_file.spending import Spending, landscape_of, spending, steps_within
from studies.text.schema import SECONDS

ALONE = "alone"  # of an arm's scalars: each world is a cell
READS = 5e9  # numbers read in a second or so
LONG = 10 * READS
FIXED = 6e6  # in the time that a step takes whatever it moves: 1.2 ms
WORLDS = 4  # times as long as that its worlds may take
WORLD = 5e3  # in the time that a step takes for each world: 1 microsecond
POINT = 600  # for each point asked
COORDINATE = 100  # and for each coordinate of it
HELD = 2**24  # numbers held at once, 128 MiB in float64
LOOK = 2  # true losses at a checkpoint
OWN = re.compile(r'"kind":"[^"]*:')  # an import path, of the landscape or of one in it
RECORDED = 20  # numbers kept of a checkpoint


def worlds_of_a_cell(arm: Arm, checkpoints: int) -> int:
    """Worlds in a full cell of an arm: 32 times a power of two, or 1.

    Args:
        arm: the arm.
        checkpoints: how many it has.
    """
    each = spending(arm)
    if arm.scalars["clock"] == SECONDS or arm.scalars.get(ALONE):
        return 1
    foreign = registry.find(arm.optimizer["kind"], "optimizer").libraries
    steps = steps_within(arm)
    if each is None or steps is None or arm.scalars["ledger"] or foreign:
        return BLOCK
    landscape = landscape_of(arm)
    most = _full_time(steps + 1) / _time(each, steps + 1, landscape, checkpoints)
    if most < 2 * BLOCK:
        return BLOCK
    sizes = (float(reads(landscape, step.values, step.gradients)) - STEP for step in each)
    held = max(*sizes, reads_of_truth(landscape), RECORDED * checkpoints)
    return _full(min(most, HELD / (held + _tables(arm.specs.landscape))))


def _full_time(steps: int) -> float:
    """Numbers read in the time that the worlds of a full cell may take, beside that of the steps alone."""
    alone = FIXED * steps
    return max(READS, alone, min(WORLDS * alone, LONG))


def _time(each: Spending, steps: int, landscape: Landscape, checkpoints: int) -> float:
    """Numbers read for one more world: steps, the one beyond the budget too, and looks at the truth."""
    points = (each.later.values + each.later.gradients) / each.later.terms
    handling = WORLD + (POINT + COORDINATE * landscape.dim) * points - STEP
    looks = LOOK * min(steps, checkpoints) * reads_of_truth(landscape)
    return each.reads(landscape, steps) + handling * steps + looks


def _full(most: float) -> int:
    """The largest full cell of at most so many worlds, 32 at least."""
    size = LARGEST
    while size > max(most, BLOCK):
        size //= 2
    return size


@dataclass(frozen=True)
class Alike:
    """A landscape, equal to those that differ from it in numbers of single worlds alone.

    Tables of these have one shape, since they are put one behind the other (`landscapes.together`).
    """

    form: str
    landscape: Landscape = field(compare=False)

    @classmethod
    def of(cls, made: Landscape) -> Alike:
        """A landscape that is not bound."""
        return cls(repr((_fixed(made), together.likeness(made))), made)


@functools.cache
def _tables(spec: str) -> float:
    """Numbers in the tables of one world of a landscape, as canonical JSON; inf where it cannot be bound."""
    if OWN.search(spec):
        return float("inf")
    try:
        made = built.landscape(spec, None)
        return _tables_of(Alike.of(made))
    except (Exception, SystemExit):  # noqa: BLE001  what is wrong with it is said where it runs
        return float("inf")


def _fixed(made: Landscape) -> tuple[object, ...]:
    """Kind and parameters, without the numbers of single worlds, also of a landscape inside."""
    swept = {name for name, *inside in together.numbers(made) if not inside}
    values = {name: value for name, value in made.parameters().items() if name not in swept}
    inner = [_fixed(value) for value in values.values() if isinstance(value, Landscape)]
    own = {name: value for name, value in values.items() if not isinstance(value, Landscape)}
    return type(made), own, inner


@functools.cache
def _tables_of(alike: Alike) -> float:
    return numbers_in_tables(alike.landscape)


def numbers_in_tables(made: Landscape) -> float:
    """How many numbers the tables of one world of a landscape hold, which is bound for this."""
    streams = Streams(seed=0, worlds=torch.zeros(1, dtype=torch.int64))
    return float(sum(table.numel() for table in _tensors(made.bind(streams))))


def _tensors(part: object) -> Iterator[Tensor]:
    """The tensors of a landscape and of what it holds."""
    if isinstance(part, Tensor):
        yield part
    elif isinstance(part, Landscape):
        yield from _tensors(vars(part))
    elif isinstance(part, Mapping | tuple | list):
        for inner in part.values() if isinstance(part, Mapping) else part:
            yield from _tensors(inner)
