"""What `record:` says of populations, beside brute force; first fixations beside a stored trajectory."""

import itertools

import numpy as np
import pytest
import torch

from studies.cells.expressions.populations import Population
from tests.studies.cells.test_loop import task
from tests.support.each import each
from tests.support.expressions import driven, recorded

NK = {"kind": "nk", "n": 7, "k": 1}
WRIGHT_FISHER = {"kind": "wright_fisher", "population": 6, "mutation_rate": 0.02}
METHODS = {
    "wright_fisher": WRIGHT_FISHER,
    "diploid": {**WRIGHT_FISHER, "ploidy": 2},
    "ga": {"kind": "ga", "population": 5, "mutation_rate": 0.1},
    "shrinking ga": {
        "kind": "ga",
        "population": 4,
        "coupling": "decay_and_grow",
        "largest": 9,
        "schedule": {"kind": "exponential", "steps": 6},
    },
    "island_ga": {"kind": "island_ga", "population": 6, "islands": 2},
    "steady_state_ga": {"kind": "steady_state_ga", "population": 5},
}
ASKED = {
    "het": "heterozygosity",
    "ld": "linkage_disequilibrium",
    "fixed": "fixed_loci",
    "kinds": "genotypes",
    "freqs": "frequency",
}
ASKED = {label.rstrip("s") if label == "kinds" else label: text for label, text in ASKED.items()}


def brute(points):
    """Heterozygosity, linkage disequilibrium, fixed loci and genotypes of one population (P, D)."""
    count, loci = points.shape
    p = [sum(row[locus] for row in points) / count for locus in range(loci)]
    held = [locus for locus in range(loci) if 0 < sum(row[locus] for row in points) < count]
    squares = []
    for a, b in itertools.combinations(held, 2):
        both = sum(row[a] * row[b] for row in points) / count
        squares.append((both - p[a] * p[b]) ** 2 / (p[a] * (1 - p[a]) * p[b] * (1 - p[b])))
    return (
        sum(2 * x * (1 - x) for x in p) / loci,
        sum(squares) / len(squares) if squares else np.nan,
        1 - len(held) / loci,
        len({tuple(row) for row in points.tolist()}),
    )


def members(optimizer, state):
    """The living individuals of each world, a list of (P, D)."""
    points, share = optimizer.individuals(state)
    return [own[lives > 0].numpy().astype(int) for own, lives in zip(points, share, strict=True)]


@each("seed", range(20))
def test_of_any_population_as_by_brute_force(seed):
    rng = np.random.default_rng(seed)
    count, loci = rng.integers(2, 9), rng.integers(1, 8)
    bits = (rng.random((5, count, loci)) < rng.random(loci)).astype(np.uint8)
    points = torch.from_numpy(bits)
    share = torch.full((5, int(count)), 1 / count, dtype=torch.float64)
    population = Population(points, share, 5)
    expected = np.array([brute(own.astype(int)) for own in bits]).T
    seen = (
        population.heterozygosity,
        population.linkage_disequilibrium,
        population.fixed_loci,
        population.genotypes,
    )
    for values, numbers in zip(seen, expected, strict=True):
        np.testing.assert_allclose(values, numbers, rtol=1e-12, atol=1e-14)


@each("name", METHODS)
def test_along_a_run_as_by_brute_force(name):
    """Before the first step too, and of those alive alone."""
    options = {"budget": 60.0, "checkpoints": [0.5, 20.0, 60.0]}
    made = task(NK, METHODS[name], **options)
    optimizer, first, steps = driven(made, range(4))
    data = recorded(NK, METHODS[name], ASKED, range(4), **options)
    states = [first, *(step.state for step in steps)]
    done = data["steps"].values
    for world, place in np.ndindex(done.shape):
        own = members(optimizer, states[done[world, place]])[world]
        expected = brute(own)
        seen = [data[label].values[world, place] for label in ("het", "ld", "fixed", "kind")]
        np.testing.assert_allclose(seen, expected, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(data["freqs"].values[world, place], own.mean(0), rtol=1e-12)


@each("name", METHODS)
def test_a_world_alone_has_the_same_population(name):
    options = {"budget": 60.0, "checkpoints": [20.0, 60.0]}
    whole = recorded(NK, METHODS[name], ASKED, range(3), **options)
    alone = recorded(NK, METHODS[name], ASKED, [1], **options)
    for label in ASKED:
        np.testing.assert_array_equal(alone[label][0], whole[label][1])


def test_what_has_no_population_has_no_number():
    data = recorded(NK, {"kind": "sswm"}, {"a": "heterozygosity", "b": "genotypes", "cs": "frequency"})
    assert data["a"].isnull().all()
    assert data["b"].isnull().all()
    assert data["cs"].isin([0.0, 1.0]).all()


@pytest.mark.parametrize("scale", ["raw", "log"])
def test_mean_fitness_is_that_of_the_landscapes_law(scale, tmp_path):
    """Fitness 1, 2, 3, 4 of the genotypes 00, 10, 01, 11; or its logarithms, and then relative to the best."""
    path = tmp_path / "table.csv"
    path.write_text("genotype,fitness\n00,1\n10,2\n01,3\n11,4\n")
    table = {"kind": "empirical", "file": str(path), "scale": scale}
    method = {"kind": "wright_fisher", "population": 5, "mutation_rate": 0.2}
    _, _, steps = driven(task(table, method, budget=30.0), range(3))
    data = recorded(table, method, {"a": "mean_fitness"}, budget=30.0, checkpoints=[30.0])
    genotypes = steps[-1].query.points.numpy()
    own = 1.0 + genotypes[..., 0] + 2.0 * genotypes[..., 1]
    expected = own if scale == "raw" else np.exp(own - 4)
    np.testing.assert_allclose(data["a"][:, 0], expected.mean(1), rtol=1e-12)


# traits on reals --------------------------------------------------------------------------------------------

BOWL = {"kind": "quadratic", "dim": 3}
ON_REALS = {
    "ga": {"kind": "ga", "population": 5},
    "wright_fisher": {"kind": "wright_fisher", "population": 6, "mutation_sigma": 0.3},
    "de": {"kind": "de", "population": 5},
    "shrinking ga": METHODS["shrinking ga"],
}


@each("name", ON_REALS)
def test_the_variance_of_a_trait_is_that_over_all_who_live(name):
    """Over the population itself, so divided by its size; the sum is the trace of the covariance."""
    asked = {"traits": "trait_variance", "trace": "sum(trait_variance)"}
    options = {"budget": 60.0, "checkpoints": [0.5, 20.0, 60.0]}
    optimizer, first, steps = driven(task(BOWL, ON_REALS[name], **options), range(3))
    data = recorded(BOWL, ON_REALS[name], asked, **options)
    states = [first, *(step.state for step in steps)]
    for world, place in np.ndindex(data["steps"].shape):
        points, share = optimizer.individuals(states[int(data["steps"][world, place])])
        own = points[world][share[world] > 0].numpy()
        expected = np.array([np.mean((x - np.mean(x)) ** 2) for x in own.T])
        np.testing.assert_allclose(data["traits"][world, place], expected, rtol=1e-9, atol=1e-18)
        trace = np.trace(np.cov(own.T, bias=True))
        np.testing.assert_allclose(data["trace"][world, place], trace, rtol=1e-9, atol=1e-18)


def test_individuals_count_by_their_shares():
    points = torch.tensor([[[1.0, 5.0], [3.0, 5.0], [100.0, 0.0]]])
    share = torch.tensor([[0.25, 0.75, 0.0]], dtype=torch.float64)
    told = Population(points, share, 1).trait_variance(2)
    np.testing.assert_allclose(told, [[0.25 * 0.75 * (3 - 1) ** 2, 0.0]])


def test_a_trajectory_has_no_traits_that_vary():
    data = recorded(BOWL, {"kind": "sgd"}, {"traits": "trait_variance"})
    assert data["traits"].shape[-1] == 3
    assert data["traits"].isnull().all()


# first fixations ---------------------------------------------------------------------------------------------


FIRST = {"alleles": "fixed_allele", "steps_s": "fixation_step", "costs": "fixation_cost"}
DRIFT = {"kind": "wright_fisher", "population": 4, "selection_strength": 0.0, "mutation_rate": 0.01}


@pytest.mark.parametrize("checkpoints", [[120.0], [0.5, 40.0, 41.0, 120.0]])
def test_first_fixations_are_those_of_a_stored_trajectory(checkpoints):
    """Seen after every step: an allele that is lost again before a checkpoint was fixed all the same."""
    optimizer, first, steps = driven(task(NK, DRIFT, budget=120.0), range(6))
    frequencies = [
        optimizer.center(state).numpy() for state in (first, *(step.state for step in steps))
    ]
    costs = [np.zeros(6), *(step.cost for step in steps)]
    data = recorded(NK, DRIFT, FIRST, range(6), budget=120.0, checkpoints=checkpoints)
    done = data["steps"].values
    lost_again = 0
    for world, place, locus in np.ndindex(*done.shape, 7):
        trail = [each[world, locus] for each in frequencies[: done[world, place] + 1]]
        when = next((step for step, p in enumerate(trail) if p in (0.0, 1.0)), None)
        seen = [data[label].values[world, place, locus] for label in FIRST]
        if when is None:
            assert np.isnan(seen).all()
            continue
        assert seen == [trail[when], when, costs[when][world]]
        lost_again += trail[-1] not in (0.0, 1.0)
    assert lost_again > 0
