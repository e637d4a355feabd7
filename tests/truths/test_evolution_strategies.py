"""Closed-form laws of the evolution strategies on reals.

Each is checked at 4.5 standard errors and must reject a mutant.
"""

import functools
import math

import pytest
import torch
from scipy import integrate, stats

from landscapes.base import Answer, Problem, Reals
from landscapes.streams import Streams
from optimizers import OPTIMIZERS
from studies.theory.strategies import one_plus_one_progress, one_plus_one_success, residual_distance
from tests.truths.table import told, told_mean

Z = 4.5  # standard errors


def streams(worlds, **options):
    return Streams(seed=2024, worlds=torch.arange(worlds), **options)


def begin(optimizer, start, worlds, exact=True):
    """The state of all worlds at one start (D,)."""
    return optimizer.init(
        Problem(len(start), Reals(), exact, lambda n: start.repeat(worlds, n, 1)), streams(worlds)
    )


def generation(optimizer, state, loss, step=1):
    s = streams(len(state.sigma)).at(step)
    query = optimizer.ask(state, s)
    return optimizer.tell(state, query, Answer(loss(query.points)), s)[0]


def sphere(x):
    return (x * x).sum(-1)


def deviation(sample, truth, bias=0.0):
    """Distance of the mean of sample (R,) from truth, less an allowed bias, in standard errors."""
    return ((sample.mean() - truth).abs().item() - bias) / (sample.std().item() / len(sample) ** 0.5)


@functools.cache
def order_statistics(n):
    """E of the k-th smallest of n standard normals, k = 1 .. n, by quadrature."""

    def density(x, k):
        below, above = math.erfc(-x / 2**0.5) / 2, math.erfc(x / 2**0.5) / 2
        normal = math.exp(-x * x / 2) / (2 * math.pi) ** 0.5
        return x * normal * n * math.comb(n - 1, k) * below**k * above ** (n - 1 - k)

    return torch.tensor(
        [integrate.quad(density, -9, 9, args=(k,))[0] for k in range(n)], dtype=torch.float64
    )


# law 38: progress of the (1+1)-ES on the sphere (Rechenberg 1973; Beyer 2001) -------------------------------


def exact_progress(s, n):
    """E (R - R')^+ N / R by quadrature of the noncentral chi-square law of (R' / sigma)^2, and P(R' < R).

    R = 1, sigma = s / N.
    """

    def below(r):
        return stats.ncx2.cdf((r * n / s) ** 2, n, (n / s) ** 2)

    return n * integrate.quad(below, 1 - 20 / n, 1, limit=200)[0], below(1.0)


@pytest.mark.parametrize(("s", "n"), [(1.224, 100), (3.0, 100), (0.4, 30)])
def test_law_38_progress_of_one_plus_one(s, n):
    """phi* = sigma* exp(-sigma*^2 / 8) / sqrt(2 pi) - sigma*^2 / 2 [1 - Phi(sigma* / 2)], and the success rate 1 - Phi(sigma* / 2)."""
    worlds = 20_000
    optimizer = OPTIMIZERS["one_plus_one"](sigma=s / n)
    start = torch.nn.functional.one_hot(torch.tensor(0), n).double()
    state = generation(optimizer, begin(optimizer, start, worlds), sphere, step=1)
    state = generation(optimizer, state, sphere, step=2)
    progress = n * (1 - sphere(state.parent[:, 0]).sqrt())
    success = (math.sqrt(n + 1) * (state.sigma[:, 0, 0] * n / s).log()) + 0.2  # read off the step size
    (truth, rate), where = exact_progress(s, n), f"sigma* = {s}, N = {n}"
    longer, failures = exact_progress(1.5 * s, n)[0], 1 - rate
    told_mean(
        38,
        "progress of the (1+1)-ES on the sphere, quadrature at finite N",
        where,
        truth,
        progress,
        mutant=longer,
    )
    told_mean(
        38,
        "success rate of the (1+1)-ES on the sphere, quadrature at finite N",
        where,
        rate,
        success,
        mutant=failures,
    )
    endless = one_plus_one_progress(s)
    assert truth == pytest.approx(endless, abs=0.02 * max(endless, 0.1))
    assert rate == pytest.approx(one_plus_one_success(s), abs=3 / n)
    assert deviation(progress, -s * s / 2) > Z  # mutant: every offspring survives


def test_law_38_worked_numbers():
    assert one_plus_one_progress(1.224) == pytest.approx(0.2025, abs=5e-5)
    assert exact_progress(1.224, 100)[0] == pytest.approx(0.2033, abs=1e-3)
    assert one_plus_one_success(1.224) == pytest.approx(0.270, abs=5e-4)


@pytest.mark.verify
def test_law_38_slope_of_a_run():
    """Under the success rule ln R falls at the rate phi*(sigma*) of p* = 1/5.

    .188 / N an evaluation, less what its own swing costs.
    """
    n, worlds, steps = 100, 64, 3000
    optimizer = OPTIMIZERS["one_plus_one"](sigma=1.3 / n)
    state, distance = (
        begin(optimizer, torch.nn.functional.one_hot(torch.tensor(0), n).double(), worlds),
        [],
    )
    for step in range(1, steps + 1):
        state = generation(optimizer, state, sphere, step)
        if step in (500, steps):
            distance.append(state.value.log() / 2)
    slope = -n * (distance[1] - distance[0]) / (steps - 500)
    told_mean(
        38,
        "N times the slope of a run under the success rule, phi* at P = 1/5",
        f"N = {n}",
        0.188,
        slope,
        bias=0.05 * 0.188,
        mutant=0.188 / 2,
    )


# laws 39 and 41: the (mu/mu, lambda)-ES on the sphere, without and with noise (Beyer 2001; Arnold and Beyer 2


def beyer(s, mu, c, n=None):
    """phi* of the (mu/mu, lambda)-ES; None: N -> infinity."""
    if n is None:
        return c * s - s * s / (2 * mu)
    mean = (
        c
        * s
        * (1 + s * s / (2 * mu * n))
        / (math.sqrt(1 + s * s / (2 * n)) * math.sqrt(1 + s * s / (mu * n)))
    )
    return mean - n * (math.sqrt(1 + s * s / (mu * n)) - 1)


@pytest.mark.parametrize(
    ("mu", "size", "s", "n"),
    [
        pytest.param(5, 20, 3.0, 100, marks=pytest.mark.verify),
        pytest.param(5, 20, 9.0, 100, marks=pytest.mark.verify),
        (3, 10, 2.0, 200),
    ],
)
def test_law_39_progress_of_recombination(mu, size, s, n):
    """The finite form of phi* = c sigma* - sigma*^2 / (2 mu), within 1 %.

    C is the mean of the mu best of lambda normals.
    """
    optimizer = OPTIMIZERS["mu_lambda"](population=size, parents=mu, weights="equal", sigma=s / n)
    state = begin(optimizer, torch.nn.functional.one_hot(torch.tensor(0), n).double(), 5000)
    progress = n * (1 - sphere(generation(optimizer, state, sphere).mean[:, 0]).sqrt())
    c = -order_statistics(size)[:mu].mean().item()
    truth, twice = beyer(s, mu, c, n), beyer(s, 2 * mu, c, n)  # the parents
    where = f"({mu}/{mu}, {size}), sigma* = {s}, N = {n}"
    told_mean(
        39,
        "progress of the (mu/mu, lambda)-ES on the sphere, at finite N",
        where,
        truth,
        progress,
        bias=0.01 * truth,
        mutant=twice,
    )
    assert (
        deviation(progress, beyer(s, mu, -order_statistics(size)[0].item(), n), bias=0.01 * truth) > Z
    )  # mutant: the best alone
    if s > 5:
        assert deviation(progress, beyer(s, mu, c), bias=0.01 * truth) > Z  # mutant: N infinite


def test_law_39_worked_numbers():
    c = -order_statistics(20)[:5].mean().item()
    assert (c, beyer(3, 5, c), beyer(3, 5, c, 100)) == pytest.approx((1.2145, 2.743, 2.668), abs=6e-4)


@pytest.mark.parametrize(("n", "noise"), [pytest.param(40, 1.0, marks=pytest.mark.verify), (40, 0.3)])
@pytest.mark.verify
def test_law_41_residual_distance(n, noise):
    """With noise N(0, sigma_eps^2) on f = R^2 the (mu/mu, lambda)-ES stays at R = sqrt(N sigma_eps / (4 mu c)), within 7 % at a small sigma."""
    mu, size, worlds = 5, 20, 100
    truth = residual_distance(n, noise, mu, size)
    optimizer = OPTIMIZERS["mu_lambda"](
        population=size, parents=mu, weights="equal", sigma=0.06 * truth, damping=math.inf
    )
    state = begin(
        optimizer, truth * torch.nn.functional.one_hot(torch.tensor(0), n).double(), worlds, exact=False
    )
    distance = torch.zeros(worlds, dtype=torch.float64)
    for step in range(1, 601):
        s = streams(worlds).at(step)
        state = generation(
            optimizer, state, lambda x, s=s: sphere(x) + noise * s.normal("evaluation", (size,)), step
        )
        distance += (step > 300) * sphere(state.mean[:, 0]).sqrt() / 300
    where, twice = f"(5/5, 20), N = {n}, sigma_eps = {noise}", 2**0.5 * truth  # the noise
    told_mean(
        41,
        "distance left by noise, sqrt(N sigma_eps / (4 mu c))",
        where,
        truth,
        distance,
        bias=0.07 * truth,
        mutant=twice,
    )
    assert deviation(distance, 2**-0.5 * truth, bias=0.07 * truth) > Z  # mutant: half the noise


# law 40: rank selection forgets the size of the gradient ----------------------------------------------------


def recombination_weights(kind, n):
    if kind == "cem":  # an elite of a quarter, smoothed by 0.7
        return torch.where(torch.arange(n) < n // 4, 0.7 / (n // 4), 0.0).double()
    log = torch.arange(1, n + 1, dtype=torch.float64).log()
    raw = (
        (math.log(n / 2 + 1) if kind in ("snes", "xnes") else math.log((n + 1) / 2)) - log
    ).clamp_min(0)
    return raw / raw.sum() - (1 / n if kind in ("snes", "xnes") else 0)


@pytest.mark.parametrize(
    ("kind", "n"),
    [("snes", 9), ("cma_es", 10), ("cma_es", 4), ("mu_lambda", 7), ("xnes", 6), ("cem", 8)],
)
def test_law_40_step_on_a_slope(kind, n):
    """On a linear loss E step = -sigma c g / |g| with c = -sum_k w_k E z_(k), whatever |g|.

    F -> 2^k f gives the same bits.
    """
    worlds, sigma = 20_000, 0.7
    slope = torch.tensor([3.0, 0.0, -4.0], dtype=torch.float64)
    optimizer = OPTIMIZERS[kind](population=n, sigma=sigma)
    state = begin(optimizer, torch.zeros(3, dtype=torch.float64), worlds)
    new = [
        generation(optimizer, state, lambda x, k=k: 2.0**k * (x * slope).sum(-1)) for k in (0, -9, 30)
    ]
    assert all(torch.equal(a, b) for other in new[1:] for a, b in zip(new[0], other, strict=True))
    along = (new[0].mean[:, 0] * slope).sum(-1) / 5
    c = (recombination_weights(kind, n) * order_statistics(n)).sum().item()
    larger = 5 * sigma * c  # the step knows |g|
    told_mean(
        40,
        "step of an ES on a slope, sigma c whatever |grad f|",
        f"{kind}, lambda = {n}",
        sigma * c,
        along,
        mutant=larger,
    )
    assert deviation(new[0].mean[:, 0, 1], 0.0) < Z
    assert deviation(along, sigma * order_statistics(n)[: n // 2].mean()) > Z  # mutant: equal weights


# law 43: what an evolution strategy follows is the smoothed loss (Lehman et al. 2018) -----------------------

SMOOTHED = [  # loss, its mean under N(x, sigma^2), where
    ("x^4 at 1", lambda x: x**4, lambda x, s: x**4 + 6 * x**2 * s**2 + 3 * s**4, 1.0, 0.5),
    ("x^4 at -0.7", lambda x: x**4, lambda x, s: x**4 + 6 * x**2 * s**2 + 3 * s**4, -0.7, 1.2),
    (
        "sin 3x at 0.3",
        lambda x: torch.sin(3 * x),
        lambda x, s: torch.sin(3 * x) * torch.exp(-9 * s**2 / 2),
        0.3,
        0.4,
    ),
]


def slopes(mean, x, s):
    """D / dx and d / d sigma of the smoothed loss."""
    x, s = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (x, s))
    return [float(v) for v in torch.autograd.grad(mean(x, s), (x, s))]


@pytest.mark.parametrize(("shape", "loss", "mean", "x", "sigma"), SMOOTHED)
@pytest.mark.parametrize("antithetic", [True, False])
def test_law_43_smoothing(shape, loss, mean, x, sigma, antithetic):
    """The mean step of openai_es is the gradient of f * N(0, sigma^2): 4 x^3 + 12 sigma^2 x for x^4, that of sin times exp(-omega^2 sigma^2 / 2)."""
    optimizer = OPTIMIZERS["openai_es"](
        population=8, sigma=sigma, learning_rate=1.0, shaping="raw", antithetic=antithetic
    )
    state, s = begin(optimizer, torch.tensor([x], dtype=torch.float64), 20_000), streams(20_000)
    query = optimizer.ask(state, s)
    step = (
        x
        - optimizer.recommend(optimizer.tell(state, query, Answer(loss(query.points[..., 0])), s)[0])[
            :, 0
        ]
    )
    where, here = (
        f"openai_es, {'pairs' if antithetic else 'points'}, {shape}, sigma = {sigma}",
        slopes(mean, x, 0.0)[0],
    )  # the gradient at the mean
    told_mean(
        43,
        "mean ES gradient, that of f * N(0, sigma^2)",
        where,
        slopes(mean, x, sigma)[0],
        step,
        mutant=here,
    )


@pytest.mark.parametrize("height", [0.0, 2.0])
@pytest.mark.parametrize(("shaping", "group"), [("uncentered", None), ("raw", None), ("raw", 4)])
def test_law_43_variance_with_and_without_a_baseline(shaping, group, height):
    """On height + g' x a step has the variance [(d + 1) |g|^2 + d height^2 / sigma^2] / P without a baseline.

    With the mean of n points for a baseline it is (d + 1) |g|^2 n / (P (n - 1)), whatever the height.
    """
    slope, sigma, points, dim = torch.tensor([3.0, 0.0, 4.0]).double(), 0.5, 8, 3
    options = {"population": points, "sigma": sigma, "learning_rate": 1.0, "antithetic": False}
    optimizer = OPTIMIZERS["openai_es"](shaping=shaping, group=group, **options)
    state, s = begin(optimizer, torch.zeros(3).double(), 20_000), streams(20_000)
    query = optimizer.ask(state, s)
    answer = Answer(height + (query.points * slope).sum(-1))
    step = -optimizer.recommend(optimizer.tell(state, query, answer, s)[0])
    squares = (step - slope).square().sum(-1)
    n = group or points
    with_baseline = (dim + 1) * 25 * n / (points * (n - 1))
    without = ((dim + 1) * 25 + dim * height**2 / sigma**2) / points
    right, wrong = (without, with_baseline) if shaping == "uncentered" else (with_baseline, without)
    where = f"openai_es, {shaping}, groups of {n}, height = {height:g}"
    told_mean(43, "variance of an ES step on a slope", where, right, squares, mutant=wrong)


@pytest.mark.parametrize(("shape", "loss", "mean", "x", "sigma"), SMOOTHED)
@pytest.mark.parametrize("n", [8, 30])
def test_law_43_both_slopes_of_pgpe(shape, loss, mean, x, sigma, n):
    """E g_m = sigma^2 d/dm and E g_sigma = (1 - 1/N) sigma^2 d/d sigma of the smoothed loss."""
    optimizer = OPTIMIZERS["pgpe"](
        population=n, sigma=sigma, learning_rate=1.0, sigma_learning_rate=1e-6, limit=0.9, shaping="raw"
    )
    new = generation(
        optimizer,
        begin(optimizer, torch.tensor([x], dtype=torch.float64), 20_000),
        lambda points: loss(points[..., 0]),
    )
    along, wider = (sigma**2 * slope for slope in slopes(mean, x, sigma))
    stretch = (sigma - new.sigma[:, 0, 0]) * 1e6
    where, divided, pairs = (
        f"pgpe, {shape}, sigma = {sigma}, P = {n}",
        along / sigma**2,
        wider / 2,
    )  # by the variance; points counted as pairs
    told_mean(
        43,
        "mean PGPE step, sigma^2 d/dm of f * N(0, sigma^2)",
        where,
        along,
        x - new.mean[:, 0, 0],
        mutant=divided,
    )
    told_mean(
        43,
        "mean PGPE step of sigma, (1 - 2 / P) sigma^2 d/d sigma of f * N(0, sigma^2)",
        where,
        (1 - 2 / n) * wider,
        stretch,
        mutant=pairs,
    )


@pytest.mark.parametrize("sigma", [0.1, 0.2])
def test_law_43_a_narrow_peak_loses_to_a_broad_one(sigma):
    """Offspring meet the height h w / sqrt(w^2 + sigma^2) of a peak h exp(-x^2 / (2 w^2)): (1, .1) is above (.6, 1) up to sigma = .135."""

    def met(h, w):
        optimizer = OPTIMIZERS["openai_es"](population=8, sigma=sigma, shaping="raw")
        points = optimizer.ask(
            begin(optimizer, torch.zeros(1, dtype=torch.float64), 4000), streams(4000)
        ).points[..., 0]
        return (h * torch.exp(-points.square() / (2 * w * w))).mean(1)

    truth = 0.1 / math.hypot(0.1, sigma) - 0.6 / math.hypot(1.0, sigma)
    assert (truth > 0) == (sigma < 0.135)
    told_mean(
        43,
        "narrow less broad peak under N(0, sigma^2)",
        f"sigma = {sigma}",
        truth,
        met(1.0, 0.1) - met(0.6, 1.0),
        mutant=1 - 0.6,
    )  # the peaks


def test_law_43_worked_number():
    assert slopes(SMOOTHED[0][2], 1.0, 0.5)[0] == pytest.approx(7.0)


# row 20's variance: what truncation leaves of a normal ------------------------------------------------------


def test_the_elite_of_a_slope_is_narrower():
    """On a linear loss the squared sigma of CEM becomes, in the mean, E of the variance of the n lowest of P normals; across it (n - 1) / n."""
    p, n, worlds = 20, 5, 20_000
    optimizer = OPTIMIZERS["cem"](population=p, fraction=n / p, smoothing=1.0, sigma=1.0)
    new = generation(
        optimizer, begin(optimizer, torch.zeros(2, dtype=torch.float64), worlds), lambda x: x[..., 0]
    )
    variance = new.sigma[:, 0].square()
    drawn = (
        torch
        .from_numpy(stats.norm.rvs(size=(200_000, p), random_state=5))
        .sort(-1)
        .values[:, :n]
        .var(-1, correction=0)
    )
    error = math.hypot((variance[:, 0].std() / worlds**0.5).item(), (drawn.std() / 200_000**0.5).item())
    assert abs((variance[:, 0].mean() - drawn.mean()).item()) < Z * error
    assert deviation(variance[:, 1], (n - 1) / n) < Z
    assert deviation(variance[:, 1], 1.0) > Z  # mutant: divided by n - 1
    assert abs((variance[:, 0].mean() - drawn.mean() * n / (n - 1)).item()) > Z * error


# law 45: CMA-ES learns the inverse Hessian (Hansen and Ostermeier 2001) -------------------------------------


def evaluations(loss, dim, worlds, target=1e-9, **options):
    """-> evaluations of each world until a point is below the target, and the last state.

    From (1, .., 1) at sigma .5.
    """
    optimizer = OPTIMIZERS["cma_es"](sigma=0.5, **options)
    state, hit, spent = (
        begin(optimizer, torch.ones(dim, dtype=torch.float64), worlds),
        torch.zeros(worlds, dtype=torch.float64),
        0,
    )
    for step in range(1, 2000):
        s = streams(worlds).at(step)
        query = optimizer.ask(state, s)
        value = loss(query.points)
        spent += value.shape[1]
        hit = torch.where((hit == 0) & (value.amin(1) <= target), float(spent), hit)
        state = optimizer.tell(state, query, Answer(value), s)[0]
        if (hit > 0).all():
            return hit, state
    raise AssertionError(f"{int((hit == 0).sum())} worlds missed the target")


AXES = 10.0 ** (6 * torch.arange(10, dtype=torch.float64) / 9)


def ellipsoid(x):
    return (AXES * x * x).sum(-1)


@pytest.mark.verify  # step by step beside pycma: test_generations_are_those_of_pycma
def test_law_45_evaluations():
    """4126 +- 15 % on the ellipsoid, 1498 +- 15 % on the sphere; C becomes the inverse Hessian."""
    (hit, state), passive = (
        evaluations(ellipsoid, 10, 30),
        evaluations(ellipsoid, 10, 10, active=False)[0].mean(),
    )  # no negative weights
    told_mean(
        45,
        "CMA-ES, evaluations to 1e-9",
        "ellipsoid, D = 10, condition 1e6",
        4126,
        hit,
        bias=0.15 * 4126,
        mutant=passive,
    )
    condition, wrong = torch.linalg.cond(state.covariance).log10(), 3.0  # C ~ H^(-1/2)
    told_mean(
        45,
        "CMA-ES, log10 of the condition of C ~ H^-1",
        "ellipsoid, D = 10, condition 1e6",
        6.0,
        condition,
        bias=math.log10(2),
        mutant=wrong,
    )
    product = state.covariance @ AXES.diag()  # proportional to I
    share = product.diagonal(dim1=1, dim2=2)
    assert (share.amax(1) / share.amin(1)).median() < 10  # of a million
    assert passive > 1.25 * hit.mean()
    round_, elongated = evaluations(sphere, 10, 30)[0], hit.mean()
    told_mean(
        45,
        "CMA-ES, evaluations to 1e-9",
        "sphere, D = 10",
        1498,
        round_,
        bias=0.15 * 1498,
        mutant=elongated,
    )


@pytest.mark.verify
def test_law_45_rotations():
    """On a rotated ellipsoid the mean of evaluations is the same, and that of the diagonal variant is not."""
    turn = torch.linalg.qr(torch.sin(torch.arange(100, dtype=torch.float64) ** 2).reshape(10, 10)).Q
    start = turn.T @ torch.ones(10, dtype=torch.float64) - 1  # so that the run begins at the same value

    def turned(x):
        return ellipsoid((x + start) @ turn.T)

    plain, rotated = evaluations(ellipsoid, 10, 200)[0], evaluations(turned, 10, 200)[0]
    error = ((plain.var() + rotated.var()) / 200).sqrt().item()
    diagonal = evaluations(ellipsoid, 10, 50, covariance="diagonal")[0]
    assert abs((plain.mean() - diagonal.mean()).item()) > Z * error
    where = "ellipsoid, D = 10, condition 1e6"
    told(
        45,
        "CMA-ES, evaluations do not depend on the axes",
        where,
        plain.mean(),
        rotated.mean(),
        error=error,
        mutant=diagonal.mean(),
    )


@pytest.mark.verify
def test_separable_is_linear_in_the_dimension():
    """Ros and Hansen 2008: on the separable ellipsoid the diagonal variant needs about half the evaluations in 10-D, and ever less beyond."""
    hit, state = evaluations(ellipsoid, 10, 30, covariance="diagonal")
    full = evaluations(ellipsoid, 10, 10)[0]
    assert 0.4 < hit.mean().item() / full.mean().item() < 0.65
    assert 0.5e6 < (state.covariance.amax(-1) / state.covariance.amin(-1)).median().item() < 2e6
