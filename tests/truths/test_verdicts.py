"""The verdicts of the noise ledger where theory knows the answer, and its false alarms, which must be as many as the level of the test says."""

import math
import sys

import numpy as np
import pytest
import torch
import xarray as xr

from landscapes import LANDSCAPES
from landscapes.oracle.noise import Noise
from optimizers import OPTIMIZERS
from studies.analysis.intervals import bootstrap
from studies.analysis.noise import noise as analysis
from studies.cells.ledger import references
from tests.support.ledgers import DRAWN, EXACT, ledger
from tests.truths.table import told

LAND, METHODS = LANDSCAPES, OPTIMIZERS
BOWL = LAND["quadratic"](dim=4, condition=10.0, terms=31)
RUGGED = LAND["cosine_rugged"](dim=3, ruggedness=20.0)
ES = {"population": 20, "sigma": 0.3, "learning_rate": 0.01}

UNBIASED = {  # method, landscape, noise, reference
    "sgd, noisy gradients": (METHODS["sgd"](), BOWL, Noise(gradient=2.0), "raw"),
    "sgd, replacement": (METHODS["sgd"](), BOWL, Noise(batch=4), "raw"),
    "sgd, without replacement": (METHODS["sgd"](), BOWL, Noise(batch=4, sampling="batch"), "raw"),
    "langevin": (METHODS["langevin"](temperature=1.0), BOWL, EXACT, "raw"),
    "spsa on a bowl": (METHODS["spsa"](), BOWL, EXACT, "raw"),
    "raw es on a bowl": (METHODS["openai_es"](shaping="raw", **ES), BOWL, EXACT, "raw"),
    "raw es on ripples, smoothed": (
        METHODS["openai_es"](shaping="raw", **ES),
        RUGGED,
        EXACT,
        "smoothed",
    ),
    "raw natural bernoulli nes": (
        METHODS["bernoulli_nes"](shaping="raw", learning_rate=1e-3),
        LAND["nk"](n=6, k=2),
        EXACT,
        "preconditioned",
    ),
    "pairwise contrastive": (
        METHODS["sgd"](),
        LAND["contrastive"](objective="pairwise", features=2, embedding=1, pairs=60),
        Noise(batch=4, sampling="batch"),
        "raw",
    ),
    "players of a game": (METHODS["sgd"](), LAND["bilinear"](dim=4), Noise(gradient=0.5), "raw"),
    "weak selection of linked loci": (
        METHODS["wright_fisher"](
            population=12,
            fitness="linear",
            selection_strength=0.02,
            crossover="none",
            mutation_rate=0.0,
        ),
        LAND["onemax"](n=8),
        EXACT,
        "preconditioned",
    ),
}
BIASED = {
    "clipped sgd": (METHODS["sgd"](clip=2.0), BOWL, Noise(gradient=0.3), "raw"),
    "signed sgd": (METHODS["signed_sgd"](), BOWL, Noise(gradient=0.3), "raw"),
    "adam": (METHODS["adam"](), BOWL, Noise(gradient=2.0), "raw"),
    "momentum": (METHODS["sgd"](momentum=0.9), BOWL, Noise(gradient=2.0), "raw"),
    "within an epoch": (METHODS["sgd"](), BOWL, Noise(batch=4, sampling="epoch"), "raw"),
    "weight decay": (METHODS["sgd"](weight_decay=0.5), BOWL, Noise(gradient=2.0), "raw"),
    "es of ranks": (METHODS["openai_es"](population=20, sigma=0.3), BOWL, EXACT, "smoothed"),
    "raw es on ripples, raw": (METHODS["openai_es"](shaping="raw", **ES), RUGGED, EXACT, "raw"),
    "spsa on ripples": (METHODS["spsa"](perturbation=0.3), RUGGED, EXACT, "raw"),
    "strong selection": (
        METHODS["wright_fisher"](population=40, selection_strength=20.0),
        LAND["nk"](n=8, k=2),
        EXACT,
        "preconditioned",
    ),
    "truncation": (
        METHODS["ga"](population=20, selection="truncation", crossover="none", mutation_rate=0.0),
        LAND["nk"](n=8, k=2),
        EXACT,
        "preconditioned",
    ),
    "infonce": (
        METHODS["sgd"](),
        LAND["contrastive"](features=2, embedding=1, pairs=60),
        Noise(batch=3, sampling="batch"),
        "raw",
    ),
    "another metric": (
        METHODS["natural_sgd"](metric="given", matrix=[1.0, 2.0, 4.0, 8.0]),
        BOWL,
        Noise(gradient=0.3),
        "raw",
    ),
}


def seen(optimizer, landscape, noise, worlds=48, costs=(0.0, 3.0), **options):
    """The bias after a few steps, when momenta are not 0; no intervals."""
    batch = 1.0 if noise.batch is None else noise.batch / landscape.terms
    return ledger(
        landscape,
        optimizer,
        noise,
        worlds=worlds,
        redraws=32,
        points=64,
        costs=tuple(cost * batch for cost in costs),
        **options,
    )


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


@pytest.mark.parametrize("name", UNBIASED)
def test_unbiased(name, no_intervals):
    optimizer, landscape, noise, reference = UNBIASED[name]
    found = analysis.bias(seen(optimizer, landscape, noise)).sel(reference=reference)
    assert (found["p_value"] > 1e-3).all()
    assert found["p_value"].notnull().all()


@pytest.mark.parametrize("name", BIASED)
def test_biased(name, no_intervals):
    optimizer, landscape, noise, reference = BIASED[name]
    found = analysis.bias(seen(optimizer, landscape, noise)).sel(reference=reference)
    assert found["biased"].isel(moment=-1)
    assert found["bias"].isel(moment=-1) > 0


@pytest.mark.verify
@pytest.mark.parametrize(("statistics", "biased"), [("fixed", False), ("batch", True)])
def test_batch_norm(statistics, biased, no_intervals):
    """The statistics of a batch bias its gradient; fixed ones do not."""
    found = analysis.bias(
        seen(
            METHODS["sgd"](),
            LAND["batch_norm"](hidden=1, statistics=statistics),
            Noise(batch=4),
            costs=(0.0,),
        )
    ).sel(reference="raw")
    assert found["biased"] == biased
    assert found["p_value"] > 1e-3 or biased


# along an axis ----------------------------------------------------------------------------------------------


def along_batches(batches, worlds=48, redraws=64, sources=DRAWN, **options):
    landscape = LAND["contrastive"](**({"features": 2, "embedding": 1, "pairs": 256} | options))
    settings = {"worlds": worlds, "redraws": redraws, "sources": sources}
    cells = [
        ledger(landscape, METHODS["sgd"](), Noise(batch=b, sampling="batch"), **settings)
        for b in batches
    ]
    return xr.concat(cells, xr.Variable("batch", [float(b) for b in batches]))


@pytest.mark.verify
def test_law_61_verdict_along_batches():
    """InfoNCE is biased, the less the larger the batch (not as 1 / B where e^s has no variance, see below).

    The pairwise loss is not.
    """
    data = along_batches((4, 8, 16), objective="infonce")
    assert (analysis.verdict(data, "batch").sel(reference="raw") != "unbiased").all()
    found = analysis.bias(data).sel(reference="raw")
    assert (found["biased"]).any()
    assert (
        analysis.exponent(data, "batch")["exponent_interval"].sel(reference="raw", bound="high") < 0
    ).all()
    assert (
        analysis.verdict(along_batches((4, 8, 16), objective="pairwise"), "batch").sel(reference="raw")
        == "unbiased"
    ).all()


@pytest.mark.verify
def test_law_61_the_bias_of_infonce_falls_as_one_over_the_batch(monkeypatch):
    """Where e^s has a variance: with Gaussian views E e^(2 s) = prod_i [1 - (2 l_i / T)^2]^(-1/2), l_i the eigenvalues of E'E, is finite for
    2 l_i < T only. At T = 1 it is not, and the length of the bias falls about as B^-0.55 from B = 4 to 128; at T = 8 the law holds.
    """

    def flat(
        slopes, center, raw, noise, count, streams
    ):  # no curvature: its many gradients over all pairs are dear
        nothing = center.new_full((len(center),), torch.nan)
        return references.Ground(
            center.new_zeros(len(center), 1 + count, center.shape[1]),
            nothing[:, None].expand(-1, count),
            nothing,
            nothing,
        )

    monkeypatch.setattr(sys.modules["studies.cells.ledger.record"], "ground", flat)
    settings = {
        "worlds": 24,
        "redraws": 384,
        "sources": ("data",),
        "features": 3,
        "embedding": 3,
        "pairs": 1024,
        "temperature": 8.0,
    }
    data = along_batches((16, 32, 64), **settings)
    assert (analysis.verdict(data, "batch").sel(reference="raw") == "biased O(1/batch)").all()
    found = analysis.exponent(data, "batch").sel(reference="raw").isel(moment=0)
    slope, error = found["exponent"], found["exponent_error"]
    law, where = (
        "bias of the gradient of InfoNCE beside its direction, as B^-1 where e^s has a variance",
        "ledger, exponent of B = 16 to 64, T = 8",
    )
    told(
        61, law, where, -1.0, float(slope) / 2, error=float(error) / 2, mutant=0.0
    )  # mutant: a bias that the batch does not change


def test_verdicts_along_an_axis():
    """SGD at any batch: unbiased.

    Clipped SGD: biased, and not as 1 / B once the bias no longer comes from the noise.
    """
    cells = {"unbiased": METHODS["sgd"](), "biased": METHODS["sgd"](clip=0.5)}
    for verdict, optimizer in cells.items():
        data = [ledger(BOWL, optimizer, Noise(batch=b), worlds=32, redraws=16) for b in (4, 8, 16)]
        found = analysis.verdict(xr.concat(data, xr.Variable("batch", [4.0, 8.0, 16.0])), "batch")
        assert (found.sel(reference="raw") == verdict).all()


@pytest.mark.parametrize(
    ("power", "verdict"),
    [(-1.0, "biased O(1/batch)"), (0.0, "biased"), (-2.5, "biased"), (None, "unbiased")],
)
def test_verdict_of_made_up_biases(power, verdict):
    """Mean steps with a bias of length B^power beside noise, written by hand."""
    generator = torch.Generator().manual_seed(1)
    batches, worlds = np.array([2.0, 4.0, 8.0, 16.0]), 64
    reference, across, *noise = torch.randn((4, 4, worlds, 5), generator=generator, dtype=torch.float64)
    size = 0.0 if power is None else 0.3 * torch.tensor(batches**power)[:, None, None]
    a, b = (-reference + size * across + 0.02 * one for one in noise)
    dims = ("batch", "replicate")
    half = torch.stack([-(reference * a).sum(-1), -(reference * b).sum(-1)], -1)[:, :, None]
    data = xr.Dataset(
        {
            "mean_step_squared": (dims, (a * b).sum(-1)),
            "mean_step_along": ((*dims, "reference", "half"), half),
            "reference_squared": ((*dims, "reference"), reference.square().sum(-1)[..., None]),
        },
        {"batch": batches, "half": ["a", "b"], "reference": ["raw"]},
    )
    assert (analysis.verdict(data, "batch") == verdict).all()


# false alarms -----------------------------------------------------------------------------------------------


def p_values(seeds, optimizer, landscape, noise, worlds=32, **options):
    """The p values (reference, seed) of so many studies, whose worlds are taken from one batch of them."""
    data = ledger(landscape, optimizer, noise, worlds=seeds * worlds, redraws=4, **options)
    found = analysis.bias(
        data.drop_vars("replicate").coarsen(replicate=worlds).construct(replicate=("seed", "replicate"))
    ).isel(moment=0)
    assert (found["bias"].where(found["p_value"] < 0.1, 1.0) > 0).all()  # a test of one side
    return found["p_value"]


def check_level(p, levels):
    """As many p values below each level as it says, to 4.5 standard errors of that count."""
    for level in levels:
        assert abs(float((p < level).mean()) - level) < 4.5 * math.sqrt(level * (1 - level) / p.size)


def test_false_alarms_of_a_hundred_seeds(no_intervals):
    p = p_values(100, METHODS["sgd"](), LAND["quadratic"](dim=5), Noise(gradient=2.0)).sel(
        reference="raw"
    )
    check_level(p, (0.01, 0.1, 0.5))
    few = p_values(400, METHODS["sgd"](), LAND["quadratic"](dim=1), Noise(gradient=2.0), worlds=4).sel(
        reference="raw"
    )
    check_level(
        few, (0.5,)
    )  # the fit of k takes a quarter of the freedom, and does not lean to either side
    clipped = p_values(
        100, METHODS["sgd"](clip=2.0), LAND["quadratic"](dim=5, condition=10.0), Noise(gradient=0.5)
    ).sel(reference="raw")
    assert float((clipped < 0.01).mean()) > 0.5


@pytest.mark.verify
@pytest.mark.parametrize("dim", [2, 5, 20])
def test_false_alarms_of_a_thousand_seeds(dim, no_intervals):
    p = p_values(1000, METHODS["sgd"](), LAND["quadratic"](dim=dim), Noise(gradient=2.0)).sel(
        reference="raw"
    )
    check_level(p, (0.01, 0.05, 0.1, 0.25, 0.5, 0.75))
    with pytest.raises(AssertionError):
        check_level(p / 4, (0.01,))  # mutant: a test whose level is four times as high


@pytest.mark.verify
def test_false_alarms_of_mini_batches_and_es(no_intervals):
    check_level(
        p_values(1000, METHODS["sgd"](), BOWL, Noise(batch=4)).sel(reference="raw"), (0.01, 0.1, 0.5)
    )
    es = p_values(
        1000,
        METHODS["openai_es"](shaping="raw", population=20, learning_rate=0.01),
        LAND["quadratic"](dim=5),
        EXACT,
    ).sel(reference="raw")
    assert float((es < 0.01).mean()) < 0.01 + 4.5 * math.sqrt(
        0.01 * 0.99 / 1000
    )  # noise that grows with the gradient: fewer worlds count
