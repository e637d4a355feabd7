"""Closed-form laws seen through the noise ledger, at 4.5 standard errors over worlds.

Each must reject a mutant.
"""

import math

import numpy as np
import pytest
import torch
import xarray as xr

from landscapes import LANDSCAPES
from landscapes.oracle.noise import Noise
from optimizers import OPTIMIZERS
from studies.analysis.intervals import bootstrap
from studies.analysis.noise import noise as analysis
from tests.support.ledgers import around, ledger, now, search
from tests.truths.table import ratio, told, told_mean

LAND, METHODS = LANDSCAPES, OPTIMIZERS
Z = 4.5  # standard errors

COCHRAN = "variance of a batch mean without replacement, (sigma^2 / B) (n - B) / (n - 1)"
NOISE_SCALE = "gradient noise scale, B_simple = tr Sigma / |G|^2; eta_opt = eta_max / (1 + B_noise / B)"


@pytest.fixture(autouse=True)
def no_intervals(monkeypatch):
    """Their resampling is slow for so many worlds, and looked at elsewhere."""
    monkeypatch.setattr(
        bootstrap,
        "intervals",
        lambda statistic, arrays, *_: (
            np.full((len(arrays[0]), 2), np.nan),
            np.full(len(arrays[0]), "none"),
        ),
    )


def far(sample, truth=0.0):
    """How many standard errors the mean over worlds of sample (R,) - truth is from 0."""
    sample, truth = (
        torch.as_tensor(part.values if isinstance(part, xr.DataArray) else part)
        for part in (sample, truth)
    )
    away = sample - truth
    return float(away.mean().abs() / (away.std() / len(away) ** 0.5))


def raw(data):
    return now(data)["reference_squared"].sel(reference="raw")


# SGD given the state: rows 50 and 51 ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sampling", "batch", "eta", "scale"),
    [("replacement", 4, 0.1, 2.0), ("batch", 8, 0.3, 0.5), ("batch", 20, 0.1, 1.0)],
)
def test_mini_batches(sampling, batch, eta, scale):
    """Var = eta^2 C / B, of B different terms of M times (M - B) / (M - 1) (Cochran 1977).

    The mean step is -eta grad, whatever B.
    """
    terms, noise = 23, 0.1
    landscape = LAND["quadratic"](
        dim=3, terms=terms, noise="hessian", noise_scale=scale, condition=10.0
    )
    data = ledger(
        landscape,
        METHODS["sgd"](learning_rate=eta),
        Noise(batch=batch, sampling=sampling, gradient=noise),
        worlds=500,
    )
    h = 10 ** -torch.linspace(0, 1, 3, dtype=torch.float64)
    factor = (terms - batch) / (terms - 1) if sampling == "batch" else 1.0
    law = eta**2 * scale**2 * h.sum() / batch * factor
    first, found = now(data)["step_variance_first"], now(data)["step_variance"]
    heat = 3 * eta**2 * noise**2
    assert far(found, law + heat) < Z
    if sampling == "batch":
        share = first.sel(source="data") / float(law / factor * batch)
        told_mean(
            50,
            COCHRAN,
            f"ledger, sigma^2 = 1, n = {terms}, B = {batch}",
            factor / batch,
            share,
            mutant=1 / batch,
        )
    assert far(first.sel(source="data"), law) < Z
    assert far(first.sel(source="evaluation"), heat) < Z
    assert far(found - first.sum("source")) < Z  # independent parts
    assert (
        far(
            data["step_variance"].sel(direction="curvature 1").isel(moment=0),
            law * h[0] / h.sum() + heat / 3,
        )
        < Z
    )
    mutant = law / factor if sampling == "batch" else law * (terms - batch) / (terms - 1)
    assert far(first.sel(source="data"), mutant) > Z
    assert far(first.sel(source="data"), law / 2) > Z
    assert far(now(data)["mean_step_squared"], eta**2 * raw(data)) < Z
    assert (
        far(now(data)["mean_step_squared"], eta**2 * raw(data) * batch / terms) > Z
    )  # mutant: a step that depends on B
    assert (now(data)["sample_size"] == batch).all()
    assert (
        abs(analysis.currencies(data)["temperature"].item() / float((law + heat) / (6 * eta)) - 1) < 0.1
    )  # eta sigma^2 / 2 B


def stepped(landscape, batch, height, eta, worlds):
    """Points (R, D) after one step of SGD with mini-batches from where all coordinates are `height`."""

    def start(n):
        return torch.full((worlds, n, landscape.dim), height, dtype=torch.float64)

    *_, last = search(
        landscape,
        METHODS["sgd"](learning_rate=eta),
        Noise(batch=batch),
        worlds=worlds,
        budget=2.0 * batch,
        start=start,
        steps=1,
    )[2]
    return last.state.points[:, 0]


@pytest.mark.parametrize(
    ("dim", "height", "scale"), [pytest.param(100, 0.1, 1.0, marks=pytest.mark.verify), (10, 0.5, 2.0)]
)
def test_law_51_the_simple_noise_scale(dim, height, scale):
    """Of the ledger at any B, and of the gradients of two B (ratios of means), at G_i = height, Sigma = scale^2 I."""
    landscape, small, big = (
        LAND["quadratic"](dim=dim, condition=1.0, terms=257, noise_scale=scale),
        16,
        256,
    )
    law, where = scale**2 / height**2, f"d = {dim}, G_i = {height:g}, Sigma = {scale**2:g} I"

    def start(n):
        return torch.full((50, n, dim), height, dtype=torch.float64)

    for batch in (small, 64):
        data = ledger(
            landscape,
            METHODS["sgd"](),
            Noise(batch=batch),
            worlds=50,
            redraws=32,
            sources=("data",),
            start=start,
        )
        sample = ratio(
            now(data)["step_variance"] * now(data)["sample_size"], now(data)["mean_step_squared"]
        )
        told_mean(
            51,
            NOISE_SCALE,
            f"B_simple of the ledger, {where}, B = {batch}",
            law,
            sample,
            mutant=law / 2,
        )  # mutant: B <-> 2 B
        assert analysis.currencies(data)["noise_scale"].item() == pytest.approx(sample.mean(), rel=1e-9)
    few, many = (
        (height - stepped(landscape, batch, height, 1.0, 400)).square().sum(1) for batch in (small, big)
    )  # of the gradients
    noise, signal = (few - many) / (1 / small - 1 / big), (big * many - small * few) / (big - small)
    told_mean(
        51,
        NOISE_SCALE,
        f"B_simple of B = {small} and {big}, {where}",
        law,
        ratio(noise, signal),
        mutant=law / 2,
    )
    told_mean(
        51,
        NOISE_SCALE,
        f"|G|^2 of B = {small} and {big}, {where}",
        dim * height**2,
        signal,
        mutant=many.mean(),
    )  # mutant: with its noise
    told_mean(
        51,
        NOISE_SCALE,
        f"tr Sigma of B = {small} and {big}, {where}",
        dim * scale**2,
        noise,
        mutant=float(few.mean()) * small,
    )


@pytest.mark.parametrize(
    ("batch", "condition"), [(4, 10.0), pytest.param(32, 10.0, marks=pytest.mark.verify), (8, 1.0)]
)
def test_law_51_the_best_learning_rate(batch, condition):
    """Where the expected loss after one step is lowest.

    Eta_max / (1 + B_noise / B), eta_max = |G|^2 / G'HG, B_noise = tr(H Sigma) / G'HG.
    """
    dim, height, eta = 10, 0.5, 0.2
    landscape = LAND["quadratic"](dim=dim, condition=condition, terms=40, noise_scale=1.0)
    h = condition ** -torch.linspace(0, 1, dim, dtype=torch.float64)
    slope, bent = h * height, float((h * (h * height) ** 2).sum())
    longest, scale = float(slope.square().sum()) / bent, float(h.sum()) / bent
    once, twice = (
        (h * (height**2 - stepped(landscape, batch, height, e, 4000) ** 2)).sum(1) / 2
        for e in (eta, 2 * eta)
    )  # how far the loss fell
    gain, cost = (
        (4 * once - twice) / (2 * eta),
        (2 * once - twice) / (2 * eta**2),
    )  # of the parabola in eta through 0 and both
    where, simple = f"eta_opt, B = {batch}, condition {condition:g}", dim / float(slope.square().sum())
    law, mutant = (longest / (1 + scale / b) for b in (batch, 2 * batch))
    told_mean(51, NOISE_SCALE, where, law, ratio(gain, 2 * cost), mutant=mutant)
    assert condition == 1 or scale != pytest.approx(simple, rel=0.1)  # B_noise is not B_simple


@pytest.mark.parametrize(("beta", "eta"), [(0.0, 0.5), (0.8, 0.1), (0.5, 1.5)])
def test_momentum(beta, eta):
    """Given the state one step has the variance eta^2 s^2.

    It meets the next with correlation r / sqrt(1 + r^2), r = beta - eta h.
    """
    data = ledger(
        LAND["quadratic"](dim=1),
        METHODS["sgd"](learning_rate=eta, momentum=beta),
        Noise(gradient=0.5),
        worlds=200,
        redraws=64,
        costs=(3.0,),
    )
    r = beta - eta
    assert far(now(data)["step_variance"], eta**2 / 4) < Z
    assert far(now(data)["step_variance"], eta**2 / 4 / (1 - beta / 2 + 0.1)) > Z
    assert far(now(data)["step_correlation"], r / (1 + r * r) ** 0.5) < Z
    assert far(now(data)["step_correlation"], (beta + eta) / (1 + (beta + eta) ** 2) ** 0.5) > Z
    assert far(now(data)["noise_kurtosis"]) < Z
    assert (now(data)["mean_curvature"] - 1).max() < 1e-6


@pytest.mark.parametrize(("sampling", "law"), [("epoch", -0.5), ("batch", 0.0), ("replacement", 0.0)])
def test_batches_of_an_epoch_exclude_each_other(sampling, law):
    """Successive batches of one pass have the correlation -B / (M - B), here -1/2.

    Batches drawn afresh none.
    """
    landscape = LAND["quadratic"](dim=2, terms=12, noise_scale=1.0)
    data = ledger(
        landscape,
        METHODS["sgd"](learning_rate=1e-3),
        Noise(batch=4, sampling=sampling),
        worlds=100,
        redraws=64,
    )
    assert far(now(data)["step_correlation"], law) < Z
    assert far(now(data)["step_correlation"], -0.25 - law) > Z


# evolution strategies: rows 40, 42, 43 ----------------------------------------------------------------------


@pytest.mark.parametrize(("dim", "pairs"), [(4, 3), (10, 2), (1, 5)])
def test_law_42_es_on_a_quadratic(dim, pairs):
    """N mirrored pairs: mean step -eta grad, tr Var = eta^2 (d + 1) |grad|^2 / n.

    On a quadratic both hold exactly. lambda_noise = 2 (d + 1).
    """
    eta = 0.05
    optimizer = METHODS["openai_es"](population=2 * pairs, learning_rate=eta, sigma=0.3, shaping="raw")
    data = ledger(
        LAND["quadratic"](dim=dim, condition=5.0 if dim > 1 else 1.0), optimizer, worlds=600, redraws=32
    )
    square = eta**2 * raw(data)
    where, found, more = (
        f"ledger, d = {dim}, n = {pairs}",
        now(data)["step_variance"] / square,
        (dim + 2) / pairs,
    )
    told_mean(
        42,
        "trace of the variance of the ES gradient, in units of |grad f|^2, (d + 1) / n",
        where,
        (dim + 1) / pairs,
        found,
        mutant=more,
    )
    assert far(found, (dim + 1) / (2 * pairs)) > Z
    law, sample = around(now(data)["mean_step_squared"], square)
    told_mean(
        42, "squared mean step of an ES, eta^2 |grad f|^2", where, law, sample, mutant=4 * law
    )  # divided by pairs, not points
    found = analysis.currencies(data)["noise_scale"].isel(moment=0)
    assert abs(found / (2 * (dim + 1)) - 1) < 0.15


@pytest.mark.parametrize("sigma", [0.1, 0.3])
def test_law_43_es_sees_the_smoothed_gradient(sigma):
    """A sinusoid's slope is met times exp(-(2 pi sigma / l)^2 / 2), in the mean step and in the smoothed reference; not in the raw one."""
    landscape, eta = LAND["cosine_rugged"](dim=2, ruggedness=20.0, wavelength=1.0), 0.01
    optimizer = METHODS["openai_es"](population=40, learning_rate=eta, sigma=sigma, shaping="raw")
    _, moments, _ = search(landscape, optimizer, worlds=400)
    data = ledger(landscape, optimizer, worlds=400, points=200)
    x, turn = optimizer.center(moments[0].state), 2 * math.pi
    ripple = landscape.amplitude * turn * torch.sin(turn * x)
    slope, smooth = 2 * x + ripple, 2 * x + ripple * math.exp(-((turn * sigma) ** 2) / 2)
    along, square = now(data)["mean_step_along"].mean("half"), now(data)["reference_squared"]
    law, sample = around(now(data)["mean_step_squared"], eta**2 * smooth.square().sum(1))
    where, here = (
        f"ledger, ripples of length 1, sigma = {sigma}",
        eta**2 * slope.square().sum(1).mean(),
    )  # the gradient at the mean
    told_mean(
        43,
        "squared mean step of an ES on a sinusoid, whose slope is met times e^(-omega^2 sigma^2 / 2)",
        where,
        law,
        sample,
        mutant=here,
    )
    assert far(along.sel(reference="raw"), eta * (smooth * slope).sum(1)) < Z
    assert far(along.sel(reference="smoothed"), eta * smooth.square().sum(1)) < Z
    assert far(square.sel(reference="smoothed"), smooth.square().sum(1)) < Z
    few = now(ledger(landscape, optimizer, worlds=400, redraws=4, points=1))
    assert (
        far(few["mean_step_along"].mean("half").sel(reference="smoothed"), eta * smooth.square().sum(1))
        < Z
    )
    assert far(now(data)["mean_step_squared"], eta**2 * slope.square().sum(1)) > Z
    assert far(along.sel(reference="raw"), eta * slope.square().sum(1)) > Z
    assert far(square.sel(reference="smoothed"), slope.square().sum(1)) > Z
    assert torch.allclose(torch.tensor(square.sel(reference="raw").values), slope.square().sum(1))


@pytest.mark.parametrize(
    ("kind", "options"),
    [("openai_es", {}), ("ga", {"population": 8}), ("snes", {"population": 6}), ("signed_sgd", {})],
)
def test_law_40_ranks_do_not_see_the_size_of_the_gradient(kind, options):
    """The loss times 2^4: the same steps, bit by bit; steps on raw losses grow 2^4 times."""
    few, more = (
        ledger(LAND["quadratic"](dim=3, curvature=c), METHODS[kind](**options), worlds=4)
        for c in (1.0, 16.0)
    )
    for name in ("step_variance", "mean_step_squared", "step_variance_total"):
        assert (now(few)[name] == now(more)[name]).all()
    growth = (now(more)["mean_step_squared"] / now(few)["mean_step_squared"]).mean()
    told(
        40,
        "growth of squared steps of ranked values when f -> 2^4 f, 1",
        f"ledger, {kind}",
        1.0,
        growth,
        mutant=16.0**2,
    )
    raw_few, raw_more = (
        ledger(
            LAND["quadratic"](dim=3, curvature=c),
            METHODS["openai_es"](shaping="raw", population=4, learning_rate=0.01),
            worlds=4,
        )
        for c in (1.0, 16.0)
    )
    assert torch.allclose(
        *(
            torch.tensor(now(d)["mean_step_squared"].values) * s
            for d, s in ((raw_few, 256.0), (raw_more, 1.0))
        )
    )


# populations: rows 3 and 19 ---------------------------------------------------------------------------------


ONE_STEP = "one step: mean p* = p w / W, variance p* (1 - p*) / N; neutral Moran event 2 p q / N^2"
WRIGHT = "Wright's equation, dp_i = (p_i q_i / W) dW/dp_i; diploid half"


def population(optimizer, loci=3, worlds=1200, beta=0.5):
    """The ledger of a first generation, p and p* (R, n): allele frequencies, and those among parents under fitness exp(-beta loss)."""
    landscape = LAND["onemax"](n=loci)
    _, moments, _ = search(landscape, optimizer, worlds=worlds)
    x = moments[0].state.points.double()
    w = torch.exp(-beta * (1 - x).sum(-1, keepdim=True))
    if optimizer.ploidy == 2:
        w = torch.exp(-beta * (1 - x).sum(-1).unflatten(1, (-1, 2)).mean(-1)).repeat_interleave(2, 1)[
            ..., None
        ]
    return ledger(landscape, optimizer, worlds=worlds), x.mean(1), (w * x).sum(1) / w.sum(1)


@pytest.mark.parametrize(
    ("n", "ploidy"), [(10, 1), pytest.param(25, 1, marks=pytest.mark.verify), (8, 2)]
)
def test_law_3_drift(n, ploidy):
    """Selection and sampling alone.

    All variance is drift, p* (1 - p*) / N (2 N where diploid, whose coin of meiosis is recombination's); N_e
    = N.
    """
    optimizer = METHODS["wright_fisher"](
        population=n, ploidy=ploidy, crossover="none", mutation_rate=0.0, selection_strength=0.5
    )
    data, p, after = population(optimizer)
    found, where = now(data), f"ledger over 3 loci, {'diploid, ' * (ploidy - 1)}N = {n}"
    law, moved = (
        part.sum(1).numpy() for part in (after * (1 - after) / (n * ploidy), (after - p).square())
    )
    told_mean(
        3,
        ONE_STEP,
        f"variance, {where}",
        law.mean(),
        found["step_variance"] - law + law.mean(),
        mutant=2 * law.mean(),
    )
    told_mean(
        3,
        ONE_STEP,
        f"squared mean, {where}",
        moved.mean(),
        found["mean_step_squared"] - moved + moved.mean(),
        mutant=4 * moved.mean(),
    )
    assert far(found["binomial_variance"], n * ploidy * law) < Z
    assert (
        far(found["binomial_variance"], (n * ploidy - 1 / 16) * law) > Z
    )  # mutant: one arm's mean squared
    assert far(found["binomial_variance"] - n * ploidy * found["step_variance"]) < Z
    assert far(found["binomial_variance"] - (n * ploidy + 2) * found["step_variance"]) > Z
    if ploidy == 1:
        assert (found["step_variance_first"].sel(source="drift") == found["step_variance"]).all()
    size = analysis.currencies(data)["effective_population"].isel(moment=0)
    assert abs(size / (n * ploidy) - 1) < 0.03


@pytest.mark.parametrize(("n", "u"), [(10, 0.1), pytest.param(20, 0.3, marks=pytest.mark.verify)])
def test_shares_of_mutation_and_drift(n, u):
    """With v = u (1 - u) and q = p* (1 - p*), N times.

    Drift alone (1 - 2u)^2 q, mutation alone (1 - 4q) v, the two together 4 q v; N_e = N.
    """
    data, _, after = population(
        METHODS["wright_fisher"](
            population=n, crossover="none", mutation_rate=u, selection_strength=0.5
        )
    )
    q, v = (after * (1 - after)).sum(1) / n, u * (1 - u) / n
    first, total = now(data)["step_variance_first"], now(data)["step_variance_total"]
    assert far(first.sel(source="drift"), (1 - 2 * u) ** 2 * q) < Z
    assert far(first.sel(source="mutation"), (1 - 4 * q * n / 3) * 3 * v) < Z
    assert far(total.sel(source="mutation"), 3 * v) < Z
    assert far(total.sel(source="drift"), (1 - 2 * u) ** 2 * q + 4 * q * v * n) < Z
    assert far(first.sel(source="drift"), (1 - u) ** 2 * q) > Z
    assert far(first.sel(source="mutation"), 3 * v) > Z
    assert (first.sel(source="recombination") == 0).all()
    assert abs(analysis.currencies(data)["effective_population"].isel(moment=0) / n - 1) < 0.03


@pytest.mark.parametrize("n", [6, pytest.param(20, marks=pytest.mark.verify)])
def test_shares_of_recombination(n):
    """Free recombination moves no allele by itself.

    Alone nothing, with the choice of parents half of p* (1 - p*) / N, whose sum is as without it.
    """
    data, _, after = population(
        METHODS["wright_fisher"](
            population=n, crossover="free", mutation_rate=0.0, selection_strength=0.5
        )
    )
    q = (after * (1 - after)).sum(1) / n
    first, total = now(data)["step_variance_first"], now(data)["step_variance_total"]
    assert far(now(data)["step_variance"], q) < Z
    assert far(first.sel(source="recombination")) < Z
    assert far(total.sel(source="recombination"), q / 2) < Z
    assert far(first.sel(source="drift"), q / 2) < Z
    assert far(total.sel(source="drift"), q) < Z
    assert far(total.sel(source="recombination"), q / 3) > Z
    assert far(first.sel(source="drift"), q) > Z


@pytest.mark.parametrize(("n", "beta"), [(20, 0.2), pytest.param(40, 0.1, marks=pytest.mark.verify)])
@pytest.mark.verify
def test_temperature_of_a_population(n, beta):
    """One locus: selection moves p by beta p q, drift by p q / N, so the temperature is 1 / (2 N beta), to beta^2 / 10."""
    optimizer = METHODS["wright_fisher"](
        population=n, crossover="none", mutation_rate=0.0, selection_strength=beta
    )
    data = ledger(LAND["onemax"](n=1), optimizer, worlds=1500, redraws=32)
    found, law = analysis.currencies(data)["temperature"].isel(moment=0), 1 / (2 * n * beta)
    assert abs(found / law - 1) < 0.06
    natural = now(data).sel(reference="preconditioned")  # p q d loss / dp
    gain = ratio(natural["mean_step_along"].mean("half"), natural["reference_squared"])
    told_mean(
        19,
        WRIGHT,
        f"ledger, step over p q, one locus, N = {n}, beta = {beta}",
        beta,
        gain,
        bias=beta**2 / 5,
        mutant=2 * beta,
    )
    assert (
        abs(
            analysis.alignment(data)["gain"].sel(reference="preconditioned").isel(moment=0)
            / gain.mean()
            - 1
        )
        < 1e-9
    )
    assert abs(found / (law / 2) - 1) > 0.06  # mutant: 2 N for N


# walks and clipping: rows 44, 60 ----------------------------------------------------------------------------


def phi(x):
    return 0.5 * math.erfc(-x / 2**0.5)


@pytest.mark.parametrize(("sigma", "a"), [(0.1, 10.0), (0.1, 3.0), (0.2, 10.0)])
def test_law_44_metropolis(sigma, a):
    """Along a slope a = |grad| / T the mean step is -a s^2 exp(a^2 s^2 / 2) Phi(-a s).

    The curvature of the bowl is 1e-6 of the slope.
    """
    optimizer = METHODS["metropolis"](sigma=sigma, temperature=1e6 / a)

    def start(n):
        return torch.full((200, n, 1), 1e6, dtype=torch.float64)

    data = now(
        ledger(LAND["quadratic"](dim=1), optimizer, worlds=200, redraws=200, costs=(1.0,), start=start)
    )
    law = a * sigma**2 * math.exp((a * sigma) ** 2 / 2) * phi(-a * sigma)
    along, small = (
        data["mean_step_along"].mean("half").sel(reference="raw") / 1e6,
        -a * sigma**2 / 2,
    )  # the limit of small steps
    told_mean(
        44,
        "mean Metropolis step on a slope, -a s^2 e^(a^2 s^2 / 2) Phi(-|a| s)",
        f"ledger, a = {a}, s = {sigma}",
        -law,
        -along,
        mutant=small,
    )
    assert far(data["mean_step_squared"], law**2) < Z
    for source in ("mutation", "acceptance"):
        assert (data["step_variance_total"].sel(source=source) > 0).all()


@pytest.mark.parametrize(("noise", "clip"), [(1.0, 1.0), (3.0, 2.0)])
def test_law_60_clipping(noise, clip):
    """Of g ~ N(m, s^2), a = (-c - m) / s, b = (c - m) / s.

    E clip(g) = m [Phi(b) - Phi(a)] - s [phi(b) - phi(a)] + c [1 - Phi(b) - Phi(a)].
    """
    data = now(
        ledger(
            LAND["quadratic"](dim=1, box=2.0),
            METHODS["sgd"](learning_rate=0.1, clip=clip),
            Noise(gradient=noise),
            worlds=500,
            redraws=32,
        )
    )
    m = torch.tensor(data["reference_squared"].sel(reference="raw").values).sqrt()
    z = torch.distributions.Normal(0.0, 1.0)
    low, high = (-clip - m) / noise, (clip - m) / noise
    inside = m * (z.cdf(high) - z.cdf(low)) - noise * (z.log_prob(high).exp() - z.log_prob(low).exp())
    law = inside - clip * z.cdf(low) + clip * (1 - z.cdf(high))
    along = data["mean_step_along"].mean("half").sel(reference="raw")
    mean, sample = around(along, 0.1 * law * m)
    wrong = float((0.1 * m * m.clamp_max(clip)).mean())  # the clipped mean
    told_mean(
        60,
        "clipping is biased, E clip(g, c) != clip(E g, c)",
        f"ledger, -step . g, s = {noise:g}, c = {clip:g}",
        mean,
        sample,
        mutant=wrong,
    )
    assert far(along, 0.1 * m * m) > Z
