"""The steps of selection that the noise ledger holds a step against.

By exact enumeration, by naive loops, by Lande; and the verdicts on them.
"""

import itertools
import math
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
import xarray as xr
from scipy import stats

from landscapes import LANDSCAPES as LAND
from landscapes.base import FitnessLaw
from landscapes.oracle.evaluation import evaluate
from landscapes.oracle.noise import Noise
from optimizers import OPTIMIZERS as METHODS
from studies.analysis.intervals import bootstrap
from studies.analysis.noise import noise as analysis
from studies.cells.ledger import population, record, selection
from studies.cells.ledger.references import REFERENCES
from studies.cells.ledger.selection import directions
from studies.kinds.registry import build
from studies.study_file.values import Reference
from tests.support.ledgers import book, ledger, now, search
from tests.truths.table import told, told_mean

ALONE = {"crossover": "none", "mutation_rate": 0.0}
LANDE = "step of selection on a Gaussian population, G grad ln W"
RUGGED = LAND["nk"](n=4, k=3)
FAR = stats.norm.sf(4.5)  # the house's 4.5 standard errors


@pytest.fixture
def no_intervals(monkeypatch):
    monkeypatch.setattr(
        bootstrap,
        "intervals",
        lambda statistic, arrays, *_: (
            np.full((len(arrays[0]), 2), np.nan),
            np.full(len(arrays[0]), "none"),
        ),
    )


def fit(loss, kind, beta):
    return max(0.0, 1 - beta * loss) if kind == "linear" else math.exp(-beta * loss)


def expected_step(points, losses, kind, beta, ploidy=1):
    """The mean over all ways to draw P parents with replacement, in proportion to fitness, of how far the mean haplotype moves: a naive loop."""
    individuals = [list(range(i, i + ploidy)) for i in range(0, len(points), ploidy)]
    w = [fit(sum(losses[h] for h in own) / ploidy, kind, beta) for own in individuals]
    dim, total = len(points[0]), [0.0] * len(points[0])
    for drawn in itertools.product(range(len(individuals)), repeat=len(individuals)):
        chance = math.prod(w[i] / sum(w) for i in drawn)
        for d in range(dim):
            total[d] += (
                chance
                * sum(sum(points[h][d] for h in individuals[i]) / ploidy for i in drawn)
                / len(individuals)
            )
    return [total[d] - sum(x[d] for x in points) / len(points) for d in range(dim)]


def chosen(landscape, optimizer, worlds=3, costs=(0.0,), points=1, **options):
    """The scene, the last moment, the population, and the two steps."""
    scene, moments, _ = search(landscape, optimizer, worlds=worlds, costs=costs, **options)
    members = population.members(scene, moments[-1])
    return scene, moments[-1], members, directions(scene, moments[-1], members, points)


@pytest.mark.parametrize("kind", ["linear", "exponential"])
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("wright_fisher", {"population": 4}),
        ("wright_fisher", {"population": 3, "ploidy": 2}),
        ("ga", {"population": 4, "selection": "proportional"}),
        ("island_ga", {"population": 4, "islands": 1, "migrants": 0, "selection": "proportional"}),
    ],
)
def test_selection_is_the_mean_step_of_a_tiny_population(method, options, kind):
    """Epistasis of the highest order, and linkage: the mean over all N^N draws of parents."""
    optimizer = METHODS[method](fitness=kind, selection_strength=1.3, **options, **ALONE)
    scene, _, (points, _), found = chosen(RUGGED, optimizer)
    losses = evaluate(scene.landscape, points).value.tolist()
    for r in range(3):
        law = expected_step(points[r].tolist(), losses[r], kind, 1.3, options.get("ploidy", 1))
        assert found.selection[r].tolist() == pytest.approx(law, abs=1e-14)
        assert any(abs(part) > 0.01 for part in law)


def test_a_birth_and_a_death_make_a_share_of_it():
    """Moran: E step = Cov(w, x) / W / N, by all parents and all deaths."""
    optimizer = METHODS["wright_fisher"](population=4, model="moran", fitness="linear", **ALONE)
    scene, moment, (points, _), found = chosen(RUGGED, optimizer, costs=(0.0, 4.0))
    w = [
        [fit(z, "linear", 1.0) for z in row] for row in evaluate(scene.landscape, points).value.tolist()
    ]
    for r, own in enumerate(points.tolist()):
        pairs = itertools.product(range(4), repeat=2)
        step = sum(
            w[r][a] / sum(w[r]) / 4 * (np.array(own[a], float) - np.array(own[b], float)) / 4
            for a, b in pairs
        )
        assert (
            found.selection[r] * optimizer.rates(moment.state)["selection"]
        ).tolist() == pytest.approx(step.tolist(), abs=1e-14)


@pytest.mark.parametrize("law", [None, FitnessLaw(1.5), FitnessLaw(log=True)])
@pytest.mark.parametrize("kind", ["linear", "exponential"])
def test_mean_fitness_of_bits_beside_a_loop(kind, law, monkeypatch):
    """G grad ln W, W(p) the sum over genotypes at linkage equilibrium.

    Its slope as the difference that each locus makes.
    """
    monkeypatch.setattr(LAND["nk"], "fitness_law", law)
    optimizer = METHODS["wright_fisher"](population=5, fitness=kind, selection_strength=0.7, **ALONE)
    scene, _, (points, _), found = chosen(RUGGED, optimizer)
    every = list(itertools.product((0, 1), repeat=4))
    losses = evaluate(
        scene.landscape, torch.tensor(every, dtype=torch.uint8).expand(3, -1, -1)
    ).value.tolist()

    def standing(loss):
        v = (1.5 - loss) / 1.5 if law == FitnessLaw(1.5) else math.exp(-loss)
        return (1 - 0.7 * (1 - v) if kind == "linear" else v**0.7) if law else fit(loss, kind, 0.7)

    for r in range(3):
        x = points[r].double().numpy()
        p = x.mean(0)

        def w(p, r=r):
            return sum(
                standing(z) * math.prod(q if bit else 1 - q for q, bit in zip(p, g, strict=True))
                for g, z in zip(every, losses[r], strict=True)
            )

        slope = [w([*p[:i], 1.0, *p[i + 1 :]]) - w([*p[:i], 0.0, *p[i + 1 :]]) for i in range(4)]
        law_step = np.cov(x.T, bias=True) @ np.array(slope) / w(p)
        assert found.mean_fitness[0][r].tolist() == pytest.approx(law_step.tolist(), abs=1e-12)
        assert torch.equal(*found.mean_fitness)


def test_mean_fitness_of_many_loci_is_sampled(monkeypatch):
    """Beside the sum over all genotypes, which would be dear.

    The same in the mean over worlds, to 4.5 standard errors.
    """
    optimizer = METHODS["wright_fisher"](population=30, selection_strength=3.0, **ALONE)
    *_, exact = chosen(LAND["nk"](n=6, k=3), optimizer, worlds=300)
    monkeypatch.setattr(selection, "ENUMERATED", 0)
    *_, sampled = chosen(LAND["nk"](n=6, k=3), optimizer, worlds=300, points=16)
    law = exact.mean_fitness[0]
    for half in sampled.mean_fitness:
        along = ((half - law) * law).sum(1) / law.square().sum(1).mean()
        assert abs(along.mean()) < 4.5 * along.std() / 300**0.5 < 0.05
    assert not torch.equal(*sampled.mean_fitness)


def test_both_agree_at_linkage_equilibrium():
    """All genotypes once each: what the population is, is the distribution that it came from."""
    every = torch.cartesian_prod(*[torch.arange(2, dtype=torch.uint8)] * 3)
    optimizer = METHODS["wright_fisher"](population=8, **ALONE)
    *_, found = chosen(LAND["nk"](n=3, k=2), optimizer, start=lambda n: every.expand(3, n, 3))
    assert torch.allclose(found.selection, found.mean_fitness[0], atol=1e-14)


def test_diploids_respond_half():
    """Linear fitness: W(p) = 1 - beta l(p), and haplotypes respond by p q / (2 W) dW/dp.

    From samples of pairs, to 4.5 standard errors.
    """
    beta, worlds, n = 0.1, 200, 50
    optimizer = METHODS["wright_fisher"](
        population=n, ploidy=2, fitness="linear", selection_strength=beta, **ALONE
    )
    *_, (points, _), found = chosen(LAND["onemax"](n=4), optimizer, worlds=worlds, points=16)
    p = points.double().mean(1)
    away = points.double() - p[:, None]
    fitness = 1 - beta * (4 - p.sum(1, keepdim=True))  # the loss is 4 less the ones, its slope -1
    law = beta * (away.mT @ away / (2 * n)).sum(2) / 2 / fitness
    error = (found.mean_fitness[0] - law).mean(1)
    assert abs(error.mean()) < 4.5 * error.std() / worlds**0.5
    assert (
        abs((found.mean_fitness[0] - 2 * law).mean()) > 4.5 * error.std() / worlds**0.5
    )  # mutant: haploids


@pytest.mark.parametrize(("n", "dim"), [(200, 1), (5, 3)])
def test_lande_on_reals(n, dim):
    """W = exp(-beta h x^2 / 2) on the sphere: G grad ln W = -G (V + G)^-1 m, V = 1 / (beta h).

    Any G, also of fewer individuals than coordinates.
    """
    beta, worlds = 0.5, 400
    optimizer = METHODS["wright_fisher"](
        population=n, selection_strength=beta, crossover="none", mutation_rate=0.0
    )
    _, _, (points, _), found = chosen(
        LAND["quadratic"](dim=dim, condition=1.0), optimizer, worlds=worlds, points=64
    )
    mean = points.mean(1)
    away = points - mean[:, None]
    g = away.mT @ away / n
    law = -(g @ torch.linalg.solve(torch.eye(dim, dtype=torch.float64) / beta + g, mean[..., None]))[
        ..., 0
    ]
    along = (found.mean_fitness[0] * law).sum(1) / law.square().sum(1)
    naive = -(g @ mean[..., None])[..., 0] * beta
    wrong = (naive * law).sum(1) / law.square().sum(1)
    told_mean(
        21,
        LANDE,
        f"ledger, mean_fitness per G grad ln W, N = {n}, D = {dim}",
        1.0,
        along.numpy(),
        mutant=wrong.mean().item(),
    )
    other = (found.mean_fitness[1] * law).sum(1) / law.square().sum(1)
    assert abs(np.corrcoef(along, other)[0, 1]) < 4.5 / worlds**0.5  # the halves are drawn apart


def test_where_they_are_not_defined():
    bowl, bits = LAND["quadratic"](dim=2), LAND["nk"](n=5, k=1)
    cells = [
        (bowl, METHODS["sgd"]()), (bowl, METHODS["openai_es"](shaping="raw", population=6)), (bits, METHODS["ga"](population=6)),
        (bits, METHODS["sswm"]()), (bits, METHODS["island_ga"](population=6, islands=2, selection="proportional")), (bits, METHODS["cga"]()),
        (LAND["bilinear"](dim=2), METHODS["coevolution"](population=4, opponents=1, selection="proportional")),
    ]  # fmt: skip
    for landscape, optimizer in cells:
        data = ledger(landscape, optimizer, redraws=4)
        assert data["reference_squared"].sel(reference=["selection", "mean_fitness"]).isnull().all(), (
            optimizer.name
        )
    islands = METHODS["island_ga"](
        population=6, islands=2, migrants=0, selection="proportional", **ALONE
    )
    data = ledger(bits, islands, redraws=4)
    assert data["reference_squared"].sel(reference="selection").notnull().all()  # within islands
    assert (
        data["reference_squared"].sel(reference="mean_fitness").isnull().all()
    )  # they have no common distribution


def test_an_infinite_population_takes_the_step_exactly():
    data = ledger(
        LAND["nk"](n=6, k=3),
        METHODS["quasispecies"](founders=9, mutation_rate=0.0),
        redraws=4,
        worlds=8,
        costs=(64.0,),
    )
    found = (
        xr
        .merge([analysis.alignment(data), analysis.bias(data, "learning_rate")], compat="override")
        .isel(moment=-1)
        .sel(reference="selection")
    )
    assert float(found["cosine"]) == pytest.approx(1)
    assert float(found["relative_gain"]) == pytest.approx(1)
    assert abs(float(found["bias"])) < 1e-12
    assert not found["biased"]
    assert not found["unresolved"]


# verdicts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [10, *(pytest.param(n, marks=pytest.mark.verify) for n in (40, 160))])
@pytest.mark.parametrize("kind", ["linear", "exponential"])
@pytest.mark.verify
def test_wright_fisher_is_unbiased_under_epistasis(n, kind, monkeypatch, no_intervals):
    """NK k = 3 without mutation: unbiased beside Cov(w, x) / W, by direction and by length.

    Biased beside p (1 - p) times the gradient.
    """
    cell = (LAND["nk"](n=8, k=3), METHODS["wright_fisher"](population=n, fitness=kind, **ALONE))
    settings = {"worlds": 400, "redraws": 48, "points": 16, "sources": ("drift",)}
    data = ledger(*cell, **settings)
    for scale in ("fitted", "learning_rate"):
        found = analysis.bias(data, scale).isel(moment=0)
        assert found["p_value"].sel(reference="selection") > FAR
    assert found["relative_gain"].sel(reference="selection") == pytest.approx(1, abs=0.15)
    assert found["p_value"].sel(reference="preconditioned").isnull()  # no learning rate
    assert analysis.bias(data).isel(moment=0)["p_value"].sel(reference="preconditioned") < FAR
    monkeypatch.setattr(population, "members", lambda scene, moment: None)
    mutant = analysis.bias(ledger(*cell, **settings)).isel(moment=0).sel(reference="preconditioned")
    assert mutant["p_value"] < FAR
    assert mutant["bias"] > 0.05


@pytest.mark.verify
def test_verdicts_along_the_population(no_intervals):
    """What is said of N = 10, 40 and 160: unbiased beside selection, by either scale.

    Biased beside the gradients.
    """
    cells = [
        ledger(
            LAND["nk"](n=8, k=3),
            METHODS["wright_fisher"](population=n, fitness="linear", **ALONE),
            worlds=400,
            redraws=48,
            sources=("drift",),
        )
        for n in (10, 40, 160)
    ]
    data = xr.concat(cells, xr.Variable("population", [10.0, 40.0, 160.0]))
    for scale in ("fitted", "learning_rate"):
        assert (
            analysis.verdict(data, "population", scale).sel(reference="selection") == "unbiased"
        ).all()
    said = analysis.verdict(data, "population").sel(reference=["raw", "smoothed", "preconditioned"])
    assert all(text.startswith("biased") for text in said.values.ravel())


def test_the_length_of_a_step_of_selection(no_intervals):
    """At N = 400: mean_fitness has gain 1 on a Gaussian population.

    The gradient bent by G, of the mean loss and not of ln W, less.
    """
    landscape, beta = LAND["quadratic"](dim=1, condition=1.0), 0.5
    optimizer = METHODS["wright_fisher"](
        population=400, selection_strength=beta, crossover="none", mutation_rate=0.0
    )

    def start(n):
        return 1.0 + torch.randn(
            (40, n, 1), generator=torch.Generator().manual_seed(2), dtype=torch.float64
        )

    data = ledger(
        landscape, optimizer, worlds=40, redraws=16, points=64, sources=("drift",), start=start
    )
    gain = analysis.alignment(data)["gain"].isel(moment=0)
    told(
        21,
        LANDE,
        "ledger, gain of mean_fitness, N = 400, V = 1",
        1.0,
        float(gain.sel(reference="mean_fitness")),
        bias=0.02,
        mutant=1 / 1.5,
    )
    told(
        21,
        LANDE,
        "ledger, gain of G grad, N = 400, V = 1",
        beta / (1 + beta),
        float(gain.sel(reference="preconditioned")),
        bias=0.02,
        mutant=beta,
    )


@pytest.mark.verify
def test_a_bias_of_length(no_intervals):
    """InfoNCE: the gradient of a small batch is short, and hardly turned.

    SGD of noisy gradients is neither.
    """
    contrastive = LAND["contrastive"](features=2, embedding=1, pairs=60)
    data = ledger(
        contrastive, METHODS["sgd"](), Noise(batch=3, sampling="batch"), worlds=48, redraws=32
    )
    found = analysis.bias(data, "learning_rate").isel(moment=0).sel(reference="raw")
    assert found["biased"]
    assert 0 < found["relative_gain"] < 0.5
    assert found["bias"] > 4 * max(
        analysis.bias(data).isel(moment=0).sel(reference="raw")["bias"], 0.01
    )
    plain = ledger(
        LAND["quadratic"](dim=4, condition=10.0),
        METHODS["sgd"](learning_rate=0.03),
        Noise(gradient=2.0),
        worlds=48,
        redraws=32,
    )
    unbiased = analysis.bias(plain, "learning_rate").isel(moment=0).sel(reference="raw")
    assert unbiased["p_value"] > 1e-3
    assert unbiased["relative_gain"] == pytest.approx(1, abs=0.05)
    assert now(plain)["nominal_rate"].sel(reference="raw").values.tolist() == [0.03] * 48


def made(length, noise=0.0, worlds=64):
    """Mean steps of this length along the reference, the factor meant 1, beside noise: by hand."""
    generator = torch.Generator().manual_seed(1)
    reference, *apart = torch.randn((3, worlds, 5), generator=generator, dtype=torch.float64)
    a, b = (-length * reference + noise * part for part in apart)
    half = torch.stack([-(reference * a).sum(-1), -(reference * b).sum(-1)], -1)[:, None]
    variables = {
        "mean_step_squared": ("replicate", (a * b).sum(-1)),
        "mean_step_along": (("replicate", "reference", "half"), half),
        "reference_squared": (("replicate", "reference"), reference.square().sum(-1)[:, None]),
        "nominal_rate": (("replicate", "reference"), np.ones((worlds, 1))),
    }
    return xr.Dataset(variables, {"half": ["a", "b"], "reference": ["raw"]})


def test_scales_of_a_bias_made_up(no_intervals):
    for length, biased in ((1.0, False), (0.5, True), (1.2, True)):
        data = made(length, 0.02)
        assert not analysis.bias(data)["biased"].item()
        found = analysis.bias(data, "learning_rate").squeeze()
        assert bool(found["biased"]) == biased
        assert float(found["relative_gain"]) == pytest.approx(length, abs=0.01)
        assert float(found["bias"]) == pytest.approx((1 - 1 / length) ** 2, abs=0.01)
    with pytest.raises(ValueError, match="scale: expected fitted or learning_rate, got 'length'"):
        analysis.bias(data, "length")


@pytest.mark.parametrize(
    ("kind", "options"), [("ga", {}), ("island_ga", {"islands": 2, "migrants": 0})]
)
def test_elites_are_no_offspring(kind, options):
    """With them the mean moves by (P - e) / P of the step of selection and by e / P towards the elite.

    No factor is meant.
    """
    for elite in (0, 1):
        optimizer = METHODS[kind](population=8, selection="proportional", elite=elite, **options)
        assert bool(optimizer.rates(None)) == (elite == 0)


@pytest.mark.parametrize(
    ("kind", "options", "factor"),
    [
        ("sgd", {}, 1.0),
        (
            "sgd",
            {"momentum": 0.5},
            1 + 0.5 / 0.9,
        ),  # v = g before the step was 1 / 0.9 of g now, on a bowl of curvature 1 at eta = .1
        ("sgd", {"clip": 0.01}, None),
        ("sgd", {"weight_decay": 3.0}, None),
        ("sgd", {"step_size": {"kind": "clt", "tolerance": 0.1}}, None),
        ("async_sgd", {"workers": 1}, 1.0),
        ("async_sgd", {"workers": 1, "momentum": 0.5}, 1 + 0.5 / 0.9),
        ("async_sgd", {"workers": 1, "clip": 0.01}, None),
        ("async_sgd", {"workers": 3, "staleness_aware": True}, None),
        ("openai_es", {"shaping": "raw", "momentum": 0.5}, None),
        ("openai_es", {"shaping": "raw", "weight_decay": 3.0}, None),
    ],
)
def test_only_plain_steps_have_a_length_that_they_are_meant_to_have(
    kind, options, factor, no_intervals
):
    """The learning rate is no measure of a step with momentum, clipping, weight decay or a noise-driven step size."""
    optimizer = build({"kind": kind, "learning_rate": 0.1, **options}, "optimizer")
    data = ledger(
        LAND["quadratic"](dim=3, condition=1),
        optimizer,
        costs=(1.0,),
        redraws=4,
        sources=("mutation", "staleness"),
    )
    found = (
        xr
        .merge([analysis.alignment(data), analysis.bias(data, "learning_rate")], compat="override")
        .isel(moment=-1)
        .sel(reference="raw")
    )
    if factor is not None:
        assert float(found["gain"]) == pytest.approx(0.1 * factor)
    assert float(found["relative_gain"]) == pytest.approx(1.0 if factor == 1 else math.nan, nan_ok=True)
    assert bool(found["p_value"].isnull()) == (factor != 1)


def test_a_cosine_above_one_is_not_resolved():
    sharp, drowned = (
        analysis.alignment(made(1.0)).squeeze(),
        analysis.alignment(
            made(1.0, 0.02).assign(mean_step_squared=lambda d: d["mean_step_squared"] / 4)
        ),
    )
    assert float(sharp["cosine"]) == pytest.approx(1)
    assert float(sharp["angle"]) == pytest.approx(0, abs=1e-3)
    assert not sharp["unresolved"].item()
    assert drowned["unresolved"].item()
    assert np.isnan(drowned["cosine"].item())
    assert np.isnan(drowned["angle"].item())
    assert (abs(drowned["cosine_interval"]) <= 1).all()
    negative = analysis.alignment(made(1.0).assign(mean_step_squared=lambda d: -d["mean_step_squared"]))
    assert negative["unresolved"].item()
    nowhere = made(1.0)
    assert not analysis.alignment(
        nowhere.assign(reference_squared=nowhere["reference_squared"] * np.nan)
    )["unresolved"].item()  # not defined


def test_what_is_not_asked_is_not_told():
    """The study chooses; the words of its file are those of the ledger."""
    assert get_args(Reference) == REFERENCES
    optimizer = METHODS["wright_fisher"](population=5, **ALONE)
    scene, moments, _ = search(RUGGED, optimizer)
    few = record(scene, moments, replace(book(4), references=("raw", "selection")))
    whole = record(scene, moments, book(4))
    for name in ("mean_step_along", "reference_squared"):
        assert few[name].sel(reference=["smoothed", "preconditioned", "mean_fitness"]).isnull().all()
        xr.testing.assert_identical(
            few[name].sel(reference=["raw", "selection"]),
            whole[name].sel(reference=["raw", "selection"]),
        )
    assert whole["reference_squared"].notnull().all()
