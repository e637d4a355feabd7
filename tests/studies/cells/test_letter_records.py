"""What `record:` says of letters, of substitutions and of genotypes, beside brute force on a stored trajectory."""

import itertools
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.references import random_tables as reference
from tests.studies.cells.test_loop import task
from tests.support.each import each
from tests.support.expressions import driven, recorded

TABLE = {"kind": "empirical", "file": str(Path(__file__).parents[2] / "support/letters.csv")}
SIZES = (4, 2, 3)
BITS = {"kind": "nk", "n": 3, "k": 1}
WILD = {"start": {"wild_type": True}, "budget": 240.0}
DRIFT = {"kind": "wright_fisher", "population": 4, "selection_strength": 0.0, "mutation_rate": 0.05}
METHODS = {
    "wright_fisher": DRIFT,
    "diploid": {**DRIFT, "ploidy": 2},
    "sswm": {"kind": "sswm", "population": 3},
    "random_search": {"kind": "random_search", "population": 3},
}
ASKED = {
    "ps": "frequency",
    "het": "heterozygosity",
    "fixed": "fixed_loci",
    "all_s": "genotype_frequency",
}
SUBSTITUTED = {"counts": "substitutions", "first_s": "substitution_step", "alleles": "fixed_allele"}


def members(optimizer, state):
    """The individuals of each world (P, D), or where its search is, and whether there are individuals."""
    points, _ = optimizer.individuals(state) or (None, None)
    there = points is not None
    return (points if there else optimizer.recommend(state)[:, None]).numpy().astype(int), there


def brute(points):
    """Frequencies of letters, heterozygosity, fixed sites and frequencies of genotypes of one population."""
    p = [[np.mean(points[:, site] == letter) for letter in range(n)] for site, n in enumerate(SIZES)]
    count = Counter(x + 4 * y + 8 * z for x, y, z in points.tolist())
    return (
        sum(p, []),
        np.mean([1 - sum(x * x for x in each) for each in p]),
        np.mean([max(each) == 1 for each in p]),
        [count[number] / len(points) for number in range(math.prod(SIZES))],
    )


def trail(landscape, method, worlds=6):
    """The letters that are fixed after each step, of each world and site; None: none is."""
    optimizer, first, steps = driven(task(landscape, method, **WILD), range(worlds))
    fixed = []
    for state in (first, *(step.state for step in steps)):
        points, _ = members(optimizer, state)
        same = (points == points[:, :1]).all(1)
        fixed.append(np.where(same, points[:, 0], -1))
    return np.stack(fixed)  # (steps + 1, R, D)


@each("name", METHODS)
def test_populations_of_letters_are_as_by_brute_force(name):
    optimizer, first, steps = driven(task(TABLE, METHODS[name], budget=60.0), range(3))
    options = {"budget": 60.0, "checkpoints": [0.5, 20.0, 60.0]}
    data = recorded(TABLE, METHODS[name], ASKED, **options)
    states = [first, *(step.state for step in steps)]
    for world, place in np.ndindex(data["steps"].shape):
        points, there = members(optimizer, states[int(data["steps"][world, place])])
        expected = brute(points[world])
        for label, number in zip(ASKED, expected, strict=True):
            seen = data[label].values[world, place]
            if there or label == "ps":
                np.testing.assert_allclose(seen, number, rtol=1e-12, atol=1e-14)
            else:
                assert np.isnan(seen).all()
    assert np.isnan(data["step_length"]).all()
    assert (data["diversity"][:, -1] >= 0).all()


@each(
    ("landscape", "label", "names"),
    [
        (TABLE, "ps", "A1A A1C A1G A1T A2A A2G T3T T3C T3A"),
        (BITS, "all_s", "000 100 010 110 001 101 011 111"),
        (BITS, "ps", None),
    ],
)
def test_parts_of_vectors_have_names(landscape, label, names):
    data = recorded(landscape, DRIFT, {label: ASKED[label]}, budget=60.0, checkpoints=[60.0])
    assert data[label].attrs.get("members") == names
    genotypes = recorded(TABLE, DRIFT, {"all_s": "genotype_frequency"}, budget=60.0, checkpoints=[60.0])
    assert genotypes["all_s"].attrs["members"].split()[:10] == (
        "AAT CAT GAT TAT AGT CGT GGT TGT AAC CAC".split()
    )


@each("name", METHODS)
def test_a_world_of_letters_alone_is_that_in_a_batch(name):
    options = {"budget": 60.0, "checkpoints": [20.0, 60.0]}
    asked = {**ASKED, **SUBSTITUTED}
    whole = recorded(TABLE, METHODS[name], asked, range(3), **options)
    alone = recorded(TABLE, METHODS[name], asked, [1], **options)
    for label in (*asked, "loss", "diversity"):
        np.testing.assert_array_equal(alone[label][0], whole[label][1])


@each("landscape", [TABLE, BITS], ids=["letters", "bits"])
@each("name", ["wright_fisher", "sswm"])
def test_substitutions_are_those_of_a_stored_trajectory(landscape, name):
    """From the wild type, whose alleles are fixed at the start."""
    fixed = trail(landscape, METHODS[name])
    data = recorded(landscape, METHODS[name], SUBSTITUTED, range(6), checkpoints=[240.0], **WILD)
    repeated = 0
    for world, site in np.ndindex(fixed.shape[1:]):
        kept = [(step, letter) for step, letter in enumerate(fixed[:, world, site]) if letter >= 0]
        changes = [step for (_, before), (step, after) in itertools.pairwise(kept) if before != after]
        assert data["counts"].values[world, 0, site] == len(changes)
        assert data["first_s"].values[world, 0, site] == min(changes, default=np.inf)
        assert data["alleles"].values[world, 0, site] == 0
        repeated += len(changes) > 1
    assert repeated > 0


@pytest.mark.parametrize(("steps", "orders"), [(5, 18), (3, 0)])
def test_walks_weighed_by_their_ways_count_the_orders_uphill(steps, orders):
    """Knuth 1975: an order is walked with the chance of 1 over the product of its ways.

    Mathematics of Computation 29:122. Of TEM-1, beside a loop over all orders; none is over after 3 steps.
    """
    walk, table = {"kind": "adaptive_walk"}, {"kind": "empirical"}
    asked = {"way": "average(log(fitter))", "there": "min(recommendation)"}
    budget = 1.0 + 5 * steps
    options = {"budget": budget, "checkpoints": [budget], "start": {"wild_type": True}}
    data = recorded(table, walk, asked, range(2000), **options)
    assert (data["steps"] == steps).all()
    found = (np.exp(steps * data["way"]) * data["there"]).values[:, 0]
    error = found.std() / 2000**0.5
    assert abs(found.mean() - orders) <= 4.5 * error
    if orders:
        assert error < 0.05 * orders
        text = (
            Path(reference.__file__).parents[2] / "landscapes/binary/data/weinreich2006.csv"
        ).read_text()
        rows = [line.split(",") for line in text.splitlines() if line[:1] in "01"]
        assert reference.uphill_orders({row[0]: float(row[1]) for row in rows}, 5) == orders
