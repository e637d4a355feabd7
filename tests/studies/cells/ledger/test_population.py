"""What a population is made of, beside counting.

The parts of its change beside the Price equation (TRUTHS 17), and their laws.
"""

import numpy as np
import pytest
import torch

from landscapes import LANDSCAPES as L
from landscapes.base import Bits
from landscapes.oracle.evaluation import evaluate
from landscapes.oracle.noise import Noise
from optimizers import OPTIMIZERS as O
from studies.cells.ledger import record
from studies.cells.ledger.population import FORCES, observe
from studies.text.schema import POPULATION
from tests.references import systematic as naive
from tests.support.each import each
from tests.support.ledgers import alone, book, ledger, search

NK = L["nk"](n=7, k=2)
BOWL = L["quadratic"](dim=3, terms=5)
POPULATIONS = {
    "ga": (NK, O["ga"](population=9, recombination_rate=0.7), Noise(value=0.05)),
    "ga with elites": (BOWL, O["ga"](population=8, elite=2, selection="truncation"), Noise(batch=2)),
    "islands": (
        NK,
        O["island_ga"](population=8, islands=2, interval=1, crossover="one_point"),
        Noise(),
    ),
    "wright_fisher": (
        NK,
        O["wright_fisher"](population=9, selection_strength=4.0, crossover="multi_point"),
        Noise(),
    ),
    "diploids": (NK, O["wright_fisher"](population=5, ploidy=2, selection_strength=4.0), Noise()),
    "moran": (NK, O["wright_fisher"](population=6, model="moran"), Noise()),
    "steady state": (NK, O["steady_state_ga"](population=6, children=2), Noise()),
    "noisy steady state": (NK, O["steady_state_ga"](population=6, children=2), Noise(value=0.1)),
}


def seen(name, costs=(0.0, 40.0), redraws=8, worlds=3):
    landscape, optimizer, noise = POPULATIONS[name]
    scene, moments, _ = search(landscape, optimizer, noise, costs=costs, worlds=worlds)
    return scene, moments, [observe(scene, moment, redraws) for moment in moments]


def next_generation(scene, moment):
    """The members before the step that the search itself takes, after it, and the parents that the optimizer tells of."""
    oracle_noise = scene.noise
    s = scene.streams.at(moment.step + 1)
    query = scene.optimizer.ask(moment.state, s)
    assert oracle_noise == Noise()
    answer = evaluate(scene.landscape, query.points)
    state, info = scene.optimizer.tell(moment.state, query, answer, s)
    return query.points, state.points, info["parents"]


@each("name", POPULATIONS)
def test_genotypes_beside_counting(name):
    scene, moments, found = seen(name)
    for moment, told in zip(moments, found, strict=True):
        loss = evaluate(scene.landscape, moment.state.points).value
        assert torch.allclose(told["loss_variance"], loss.var(1, correction=0), rtol=1e-12, atol=1e-15)
        for row, genotypes in enumerate(moment.state.points.tolist()):
            assert told["genotypes"][row] == len({tuple(g) for g in genotypes})
            if not isinstance(scene.landscape.domain, Bits):
                assert all(
                    told[key][row].isnan()
                    for key in ("heterozygosity", "linkage_disequilibrium", "fixed_loci")
                )
                continue
            p = np.mean(genotypes, 0)
            assert abs(told["heterozygosity"][row] - np.mean(2 * p * (1 - p))) < 1e-12
            assert abs(told["fixed_loci"][row] - np.mean((p == 0) | (p == 1))) < 1e-12
            assert np.isclose(
                float(told["linkage_disequilibrium"][row]),
                naive.r_squared(genotypes),
                rtol=1e-10,
                equal_nan=True,
            )


def test_more_loci_than_individuals_and_fewer():
    for n, population in ((30, 5), (4, 20)):
        scene, (moment,), _ = search(L["onemax"](n=n), O["ga"](population=population))
        told = observe(scene, moment, 4)
        expected = [naive.r_squared(g) for g in moment.state.points.tolist()]
        assert np.allclose(told["linkage_disequilibrium"], expected, rtol=1e-10)


def test_linkage_disequilibrium_of_independent_loci_is_that_of_sampling():
    """At linkage equilibrium E r^2 = 1 / (P - 1) for a sample of P genotypes, whatever the frequencies.

    1 / P is rejected.
    """
    scene, (moment,), _ = search(L["onemax"](n=30), O["ga"](population=8), worlds=300)
    told = observe(scene, moment, 4)["linkage_disequilibrium"]
    error = told.std() / len(told) ** 0.5
    assert abs(told.mean() - 1 / 7) < 4.5 * error
    assert abs(told.mean() - 1 / 8) > 4.5 * error


@each("name", POPULATIONS)
def test_parts_add_up_to_the_change_of_the_mean(name):
    """An identity: the sum of the parts is the change of the mean true loss in the step that the search takes."""
    landscape, optimizer, noise = POPULATIONS[name]
    scene, moments, trail = search(
        landscape, optimizer, noise, costs=(0.0, 40.0), budget=60.0, worlds=3
    )
    for moment in moments:
        parts = observe(scene, moment, 5)["price"]
        after = [trail[int(step) + 1].state.points[row] for row, step in enumerate(moment.step)]
        loss = [
            evaluate(scene.landscape, points).value.mean(1)
            for points in (moment.state.points, torch.stack(after))
        ]
        assert torch.allclose(parts.sum(1), loss[1] - loss[0], rtol=0, atol=1e-12)
        assert parts.shape == (3, len(FORCES))
    assert (parts[:, 0] != 0).any()


@each("name", ["islands", "wright_fisher", "diploids"])
def test_parts_beside_the_price_equation(name):
    """With one parent, w the offspring of each.

    Selection and drift are Cov(w, z) / w_mean, the rest is E(w dz) / w_mean; to 1e-12.
    """
    scene, moments, found = seen(name)
    for moment, told in zip(moments, found, strict=True):
        before, after, parents = next_generation(scene, moment)
        z = [evaluate(scene.landscape, points).value.tolist() for points in (before, after)]
        first = (
            parents[..., :1].expand_as(parents).tolist()
        )  # alone, a child is the copy of its first parent
        for row in range(len(before)):
            covariance, transmission = naive.price(z[0][row], z[1][row], first[row])
            parts = dict(zip(FORCES, told["price"][row].tolist(), strict=True))
            assert abs(parts["selection"] + parts["drift"] - covariance) < 1e-12
            assert abs(parts["recombination"] + parts["mutation"] - transmission) < 1e-12
            assert abs(parts["selection"] - covariance) > 1e-12  # mutant: without drift


def test_what_is_switched_off_has_no_part():
    options = {"population": 8, "selection_strength": 3.0}
    for source, off in ((name, levels["off"]) for name, levels in O["wright_fisher"].switches.items()):
        scene, (moment,), _ = search(NK, O["wright_fisher"](**options, **off))
        parts = dict(zip(FORCES, observe(scene, moment, 6)["price"].T, strict=True))
        assert (parts[source].abs() < 1e-15).all()
        others = [name for name in FORCES if name != source]
        assert all((parts[name] != 0).any() for name in others)


def test_selection_is_the_replicator_step():
    """E W(reproduction) - W = Cov(w, z) / w_mean with w the fitness itself, within 4.5 standard errors of M draws; the mean drift is 0."""
    beta, redraws = 2.0, 400
    scene, (moment,), _ = search(
        NK, O["wright_fisher"](population=10, selection_strength=beta), worlds=60
    )
    parts = dict(zip(FORCES, observe(scene, moment, redraws)["price"].T, strict=True))
    z = evaluate(scene.landscape, moment.state.points).value
    w = torch.exp(-beta * z)
    share = w / w.sum(1, keepdim=True)
    exact = (share * z).sum(1) - z.mean(1)
    spread = ((share * z.square()).sum(1) - (share * z).sum(1).square()) / 10  # of a mean of P children
    assert ((parts["selection"] - exact).abs() < 4.5 * (spread / redraws).sqrt()).all()
    assert not ((parts["selection"] - exact / 2).abs() < 4.5 * (spread / redraws).sqrt()).all()
    assert abs(parts["drift"].mean()) < 4.5 * (spread.mean() / 60).sqrt()
    assert (
        abs((parts["drift"].square() / spread).mean() - 1) < 4.5 * (2 / 60) ** 0.5
    )  # its variance is that of drift
    assert abs((parts["drift"].square() / (4 * spread)).mean() - 1) > 4.5 * (2 / 60) ** 0.5


@each(
    ("optimizer", "varied", "parts"),
    [
        (O["sgd"](), False, False),
        (O["sgd"](starts=3), True, False),
        (O["openai_es"](population=4), True, False),
        (O["async_sgd"](), False, False),
    ],
    ids=["one trajectory", "several", "search distribution", "copies"],
)
def test_where_there_is_no_population(optimizer, varied, parts):
    data = ledger(BOWL, optimizer, Noise(batch=2), redraws=4, costs=(0.0, 20.0))
    assert bool(data["loss_variance"].notnull().all()) == varied
    assert bool(data["price"].notnull().any()) == parts
    assert data["heterozygosity"].isnull().all()
    for name, (_, _, dims) in POPULATION.items():
        assert data[name].dims == ("replicate", "moment", *dims)


def test_worlds_alone_and_few_redraws_at_a_time(monkeypatch):
    """A world's numbers do not depend on the others, nor on how many redraws memory allows at a time."""
    landscape, optimizer, noise = POPULATIONS["ga"]
    scene, moments, _ = search(landscape, optimizer, noise, worlds=5)
    whole = record(scene, moments, book(6))
    monkeypatch.setattr("studies.cells.ledger.population.LIMIT", 5 * 9 * 7 * 2)
    part = record(scene, moments, book(6))
    rows = torch.tensor([3, 1])
    moment = type(moments[0])(
        type(moments[0].state)(*(leaf[rows] for leaf in moments[0].state)),
        moments[0].step[rows],
        moments[0].spent[rows],
        None,
    )
    few = record(alone(scene, rows), [moment], book(6))
    for name in POPULATION:
        assert (part[name] == whole[name]).all()
        assert (few[name].values == whole[name].values[[3, 1]]).all()


@pytest.mark.parametrize("u", [0.0, 0.1])
def test_an_infinite_population_counts_by_frequency(u):
    """Quasispecies: all that is observed of it is weighted by the frequencies of genotypes, here by a loop over them."""
    scene, (_, moment), _ = search(
        L["nk"](n=4, k=2),
        O["quasispecies"](founders=5, mutation_rate=u, selection_strength=3.0),
        costs=(0.0, 32.0),
    )
    found = observe(scene, moment, 4)
    loss = evaluate(scene.landscape, moment.state.genotypes).value
    for r in range(len(loss)):
        x, genotypes, z = (
            part[r].tolist() for part in (moment.state.frequency, moment.state.genotypes, loss)
        )
        mean = sum(f * value for f, value in zip(x, z, strict=True))
        assert found["loss_variance"][r].item() == pytest.approx(
            sum(f * (value - mean) ** 2 for f, value in zip(x, z, strict=True))
        )
        p = [sum(f for f, g in zip(x, genotypes, strict=True) if g[i]) for i in range(4)]
        assert found["heterozygosity"][r].item() == pytest.approx(sum(2 * q * (1 - q) for q in p) / 4)
        assert (
            found["genotypes"][r].item()
            == sum(f > 0 for f in x)
            == (16 if u else found["genotypes"][r].item())
        )
        pairs = [(i, j) for i in range(4) for j in range(i) if 0 < p[i] < 1 and 0 < p[j] < 1]
        both = {
            (i, j): sum(f for f, g in zip(x, genotypes, strict=True) if g[i] and g[j]) for i, j in pairs
        }
        r2 = [
            (both[i, j] - p[i] * p[j]) ** 2 / (p[i] * (1 - p[i]) * p[j] * (1 - p[j])) for i, j in pairs
        ]
        assert found["linkage_disequilibrium"][r].item() == pytest.approx(sum(r2) / len(r2))
