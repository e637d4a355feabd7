"""Landscapes that differ in numbers, bound as one: what each world has alone."""

import contextlib
from dataclasses import replace
from typing import get_args

import pytest
import torch

from landscapes import LANDSCAPES, together
from landscapes.binary.jump import Jump
from landscapes.binary.max_sat import MaxSat
from landscapes.binary.mount_fuji import RoughMountFuji
from landscapes.binary.quantitative_trait import QuantitativeTrait
from landscapes.binary.trap import Trap
from landscapes.binary.valley_crossing import ValleyCrossing
from landscapes.continuous.double_well import DoubleWell
from landscapes.continuous.fisher import Fisher
from landscapes.continuous.quadratic import Quadratic
from landscapes.continuous.rosenbrock import Rosenbrock
from landscapes.continuous.saddle import Saddle
from landscapes.games.biased_gan import BiasedGAN
from landscapes.parameters import hints_of
from landscapes.wrappers.finite_sum import FiniteSum
from landscapes.wrappers.moving import Moving
from landscapes.wrappers.relaxation import Relaxation
from studies.study_file.cell_size import Alike, numbers_in_tables
from tests.contract.landscapes import DOUBLE, KINDS, SINGLE, batch, everything, streams
from tests.support.each import each

MORE = {  # forms that numbers meet, beside the kinds
    "fisher-box": Fisher(dim=3, starts="box", mutation_condition=3.0),
    "fisher-sphere": Fisher(dim=3, epistasis=1.3),
    "double_well-right": DoubleWell(dim=3, starts="wrong_well", spread=0.3, rotated=True),
    "saddle-starts": Saddle(dim=3, unstable=2, confinement=0.7),
    "biased_gan-stable": BiasedGAN(beta=0.1),
    "mount_fuji-long": RoughMountFuji(n=22),
    "trap-relaxed": Relaxation(inner=Trap(n=6, block=3, target="random")),
    "quantitative_trait-equal": QuantitativeTrait(n=27, effects="equal", theta=0.3),
    "valley-any": ValleyCrossing(n=5, width=2),
    "sum": FiniteSum(inner=Moving(inner=Quadratic(dim=3, rotated=True)), terms=5, law="pareto"),
    "sum-student": FiniteSum(inner=Quadratic(dim=3), terms=7, law="student"),
    "sum-rare": FiniteSum(inner=Quadratic(dim=3), terms=101, law="rare"),
    **{
        f"reals-{path}": Moving(inner=Quadratic(dim=3, shifted=True), path=path, period=3.7)
        for path in ("linear", "jump", "cycle", "random_walk")
    },
    **{
        f"bits-{path}": Moving(inner=Jump(n=7, width=2), path=path, period=3.7, speed=0.3)
        for path in ("linear", "jump", "cycle", "random_walk")
    },
    "moving-max_sat": Moving(inner=MaxSat(n=7), path="jump", period=3.7),
    "moving-trap": Moving(inner=Trap(n=6, block=3), path="jump", period=3.7),
}
ALL = {kind: made for kind, made in (KINDS | MORE).items() if together.numbers(made)}
TIMES = (0.0, 5.5, 40.0)
PAIRS = [(SINGLE, 3), pytest.param(DOUBLE, 1, marks=pytest.mark.verify)]


def put(landscape, place, value):
    """The landscape with a number, perhaps of one inside it; None: it may not be."""
    name, *rest = place
    with contextlib.suppress(ValueError):
        new = put(getattr(landscape, name), rest, value) if rest else value
        return None if new is None else replace(landscape, **{name: new})
    return None


def alike(one, other):
    return other is not None and together.likeness(one) == together.likeness(other)


def moved(landscape):
    """The landscape with all the numbers others that may be."""
    found = landscape
    for place, value in together.numbers(landscape).items():
        tried = (put(found, place, factor * value or 0.01) for factor in (0.5, 1.5, 1.01))
        found = next((each for each in tried if alike(landscape, each)), found)
    return found


def special(landscape):
    """The landscape with one number at 0, or 1, each that may be."""
    for place in together.numbers(landscape):
        tried = (put(landscape, place, value) for value in (0.0, 1.0))
        yield from (each for each in tried if alike(landscape, each) and each != landscape)


def whole(landscape, worlds, dtype, count):
    """All that a bound landscape computes, at times too, and where its optima are."""
    found = everything(landscape, worlds, dtype, count)
    for time in TIMES if landscape.clock else ():
        now, some = time + 0.7 * worlds.double(), batch(landscape, 1, 5, worlds, dtype)
        found[f"loss {time}"] = landscape.loss(found["start"], some, now)
        found[f"optima {time}"] = landscape.optima_at(now)
    return found | {"optimum": landscape.optimum, "optima": landscape.optima}


@each("kind", ALL)
@pytest.mark.parametrize(("dtype", "count"), PAIRS, ids=str)
def test_a_world_has_the_bits_that_it_has_alone(kind, dtype, count):
    one, other = ALL[kind], moved(ALL[kind])
    check([(one, [0, 1, 2]), (other, [5, 2]), (one, [7])], dtype, count)
    check([(one, [3]), (other, [3])], dtype, count)


@each("kind", ALL)
def test_numbers_that_leave_a_part_out_are_numbers(kind):
    given = [ALL[kind], *special(ALL[kind])]
    check([(made, [4, 1]) for made in given], SINGLE, 3)


def check(parts, dtype, count):
    made = together.bind([(landscape, streams(worlds, dtype)) for landscape, worlds in parts])
    worlds = torch.tensor([world for _, some in parts for world in some])
    found, first = whole(made, worlds, dtype, count), 0
    for landscape, some in parts:
        rows = slice(first, first := first + len(some))
        alone = whole(landscape.bind(streams(some, dtype)), torch.tensor(some), dtype, count)
        for name, value in alone.items():
            got = found[name] if value is None else found[name][rows]
            assert value is got is None or torch.equal(got, value), name


# numbers in which landscapes are not bound as one, for what else they decide
APART = {
    "box": "where starts are, of which optimizers make their first steps",
    "distance": "of a barrier, its box",
    "advantage": "the fitness of the best genotype",
    "missing": "a table that is that of a file",
    "eps": "nothing that anyone compares",
    "ratio": "how many clauses there are",
}


def test_which_numbers_may_differ():
    """All floats but those listed."""
    examples = {
        cls: [made for made in ALL.values() if type(made) is cls] for cls in LANDSCAPES.values()
    }
    for cls, landscapes in examples.items():
        floats = {name for name, hint in hints_of(cls).items() if float in (hint, *get_args(hint))}
        floats &= {name for made in landscapes for name in made.parameters()}
        differ = {
            place[0]
            for made in landscapes
            for place in together.numbers(made)
            for other in (moved(made), *special(made))
            if together.numbers(other)[place] != together.numbers(made)[place]
        }
        floats -= {"noise_axes"}
        left = floats - differ - APART.keys()
        assert not left, (cls.name, left)


def test_worlds_of_one_table_go_on_sharing_it():
    parts = [(Rosenbrock(dim=5, steepness=each), streams([4, 4])) for each in (1.0, 2.0)]
    made = together.bind(parts)
    assert made.optimum.shape == (4, 5)
    assert made.optimum.stride(0) == 0
    assert made.numbers[0].flatten().tolist() == [1.0, 1.0, 2.0, 2.0]


def test_a_number_that_differs_is_none_in_the_whole():
    """It may be compared, since all are of one form; what computes with it fails and harms no result."""
    parts = [(Saddle(dim=3, confinement=each), streams([4])) for each in (2.0, 3.0)]
    made = together.bind(parts)
    assert made.confinement
    assert made.confinement == 2
    assert 1 < made.confinement < 3
    for wrong in (lambda: made.confinement * torch.ones(2), lambda: torch.ones(2) / made.confinement):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(TypeError):
        torch.where(torch.ones(2) > 0, made.confinement, 1.0)


def test_what_differs_in_shape_is_not_alike():
    pairs = [
        (Quadratic(dim=3), Quadratic(dim=4)),
        (Quadratic(dim=3), Quadratic(dim=3, box=2.0)),
        (Saddle(), Saddle(confinement=1.0)),
        (DoubleWell(tilt=0.0), DoubleWell(tilt=0.1)),
        (Fisher(), Fisher(mutation_condition=2.0)),
        (MaxSat(n=9), MaxSat(n=9, ratio=5.0)),
        (ValleyCrossing(), ValleyCrossing(advantage=0.2)),
        (Moving(inner=Fisher()), Moving(inner=Fisher(epistasis=1.0))),
    ]
    assert not [pair for pair in pairs if alike(*pair)]


@each("kind", ALL)
def test_tables_of_those_that_differ_in_numbers_alone_are_counted_once(kind):
    one, other = ALL[kind], moved(ALL[kind])
    assert Alike.of(one) == Alike.of(other)
    assert numbers_in_tables(one) == numbers_in_tables(other)


def test_tables_of_others_are_counted_anew():
    bowl = Quadratic(dim=3, terms=5)
    others = [replace(bowl, dim=2), replace(bowl, terms=6), replace(bowl, rotated=True)]
    assert all(Alike.of(bowl) != Alike.of(other) for other in others)
    assert numbers_in_tables(bowl) == 3 + 3 + 5 * 3  # eigenvalues, optimum, a slope for each term
