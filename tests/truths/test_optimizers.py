"""Closed-form laws of the optimizers.

Each is checked at 4.5 standard errors (or 1e-8 where it is an identity) and must reject a mutant.

The answers of the oracle are written by hand, so that nothing but the optimizer is tested.
"""

import itertools
import math

import pytest
import torch

from landscapes.base import Answer, Bits, Problem, Reals
from landscapes.streams import Streams
from optimizers import OPTIMIZERS
from studies.theory.descent import (
    gd_rate,
    heavy_ball_momentum,
    heavy_ball_rate,
    mean_square_limit,
    nesterov_rate,
)
from studies.theory.gradient_noise import batch_variance, stationary_variance
from studies.theory.sampling import normal_miss
from tests.truths.table import ratio, told, told_mean

Z = 4.5  # standard errors

LAWS = {
    47: (
        "stationary covariance of SGD, S = A S A' + eta^2 C / B, A = 1 - eta H; in 1-D eta sigma^2 / [B h (2"
        " - eta h)]"
    ),
    48: "stationary variance of heavy ball, eta sigma^2 (1 + beta) / {B h (1 - beta) [2 (1 + beta) - eta h]}",
    49: "mean-square stability of SGD on least squares, eta < 2 h / (h^2 + v / B)",
    50: "variance of a batch mean without replacement, (sigma^2 / B) (n - B) / (n - 1)",
    52: (
        "Chebyshev: B = sigma^2 / (epsilon^2 delta) terms miss the mean by epsilon with a chance of at most"
        " delta"
    ),
    56: (
        "rates of tuned descent: GD (k - 1) / (k + 1), heavy ball (sqrt k - 1) / (sqrt k + 1), Nesterov 1 - 1"
        " / sqrt k"
    ),
}


def make(worlds, **options):
    return Streams(seed=2024, worlds=torch.arange(worlds), **options)


def begin(optimizer, points, streams):
    """The state at the given points (R, n, D)."""
    domain = Bits() if points.dtype == torch.uint8 else Reals()
    return optimizer.init(
        Problem(points.shape[-1], domain, False, lambda n: points[:, :n].clone()), streams
    )


def mean_deviation(sample, truth):
    """Largest distance of the mean of sample (R, ...) from truth, in standard errors."""
    return ((sample.mean(0) - truth).abs() / (sample.std(0) / len(sample) ** 0.5)).max().item()


def covariance_deviation(sample, truth):
    """Largest distance of the covariance of sample (R, k) from truth (k, k), in the standard errors of a normal sample."""
    error = ((truth.diagonal()[:, None] * truth.diagonal() + truth**2) / len(sample)).sqrt()
    return ((sample.T.cov().reshape(truth.shape) - truth).abs() / error).max().item()


# law 3: Wright-Fisher sampling (Wright 1931) ----------------------------------------------------------------


def next_frequencies(n, counts, loss, worlds=10_000, **options):
    """Frequencies (R, 4) of the four genotypes of two bits after one generation.

    Counts and losses by genotype.
    """
    genotype = torch.repeat_interleave(torch.arange(4), torch.tensor(counts))
    points = torch.stack([genotype >> 1, genotype & 1], -1).to(torch.uint8).expand(worlds, n, 2)
    optimizer = OPTIMIZERS["ga"](
        population=n, selection="proportional", crossover="none", mutation_rate=0.0, **options
    )
    streams = make(worlds)
    state = begin(optimizer, points, streams)
    value = torch.tensor(loss, dtype=torch.float64)[genotype].expand(worlds, n)
    new, _ = optimizer.tell(state, optimizer.ask(state, streams), Answer(value), streams)
    children = new.points.long()
    return torch.nn.functional.one_hot(2 * children[..., 0] + children[..., 1], 4).double().mean(1)


def wright_fisher(n, counts, w):
    p = torch.tensor(counts, dtype=torch.float64) / sum(counts) * torch.tensor(w, dtype=torch.float64)
    p = p / p.sum()
    return p, (p.diag() - p[:, None] * p) / n


WRIGHT_FISHER = [
    (
        100,
        (25, 25, 25, 25),
        (0.0, 0.2, 0.5, 0.9),
        {"fitness": "linear", "selection_strength": 0.8},
        lambda v: 1 - 0.8 * v,
    ),
    (
        40,
        (4, 16, 12, 8),
        (0.7, 0.0, 1.3, 0.4),
        {"fitness": "exponential", "selection_strength": 1.5},
        lambda v: math.exp(-1.5 * v),
    ),
]


@pytest.mark.parametrize(
    ("n", "counts", "loss", "options", "fitness"), WRIGHT_FISHER, ids=["linear", "exponential"]
)
def test_law_3_multinomial_sampling(n, counts, loss, options, fitness):
    """E p' = p w / W and Cov p' = (diag p* - p* p*^T) / N."""
    p = next_frequencies(n, counts, loss, **options)
    mean, covariance = wright_fisher(n, counts, [fitness(v) for v in loss])
    assert mean_deviation(p, mean) < Z
    assert covariance_deviation(p, covariance) < Z
    assert (
        covariance_deviation(p, wright_fisher(2 * n, counts, [fitness(v) for v in loss])[1]) > Z
    )  # mutant: diploid, 2 N
    assert covariance_deviation(p, 2 * covariance / n) > Z  # mutant: one Moran event
    other = [
        math.exp(-0.8 * v) if options["fitness"] == "linear" else max(0.0, 1 - 1.5 * v) for v in loss
    ]
    assert mean_deviation(p, wright_fisher(n, counts, other)[0]) > Z  # mutant: s <-> ln(1 + s)


# law 12: decay of linkage disequilibrium (Robbins 1918; Hill and Robertson 1968) ----------------------------


@pytest.mark.parametrize(("n", "r", "t"), [(200, 0.1, 10), (20, 0.2, 5)])
def test_law_12_linkage_disequilibrium(n, r, t):
    """E D_t = D_0 [(1 - r)(1 - 1/N)]^t without selection."""
    worlds = 8000
    optimizer = OPTIMIZERS["ga"](
        population=n, selection="none", crossover="one_point", recombination_rate=r, mutation_rate=0.0
    )
    points = (torch.arange(n) < n // 2).to(torch.uint8)[:, None].expand(worlds, n, 2)
    streams = make(worlds)
    state = begin(optimizer, points, streams)
    nothing = Answer(torch.zeros(worlds, n, dtype=torch.float64))
    for step in range(1, t + 1):
        s = streams.at(step)
        state, _ = optimizer.tell(state, optimizer.ask(state, s), nothing, s)
    a, b = state.points.double().unbind(-1)
    d = (a * b).mean(1) - a.mean(1) * b.mean(1)

    def law(n, r):
        return 0.25 * ((1 - r) * (1 - 1 / n)) ** t

    assert mean_deviation(d, law(n, r)) < Z
    assert mean_deviation(d, law(2 * n, r)) > Z
    assert mean_deviation(d, law(n, r / 2)) > Z  # mutant: half of the crossovers are lost


# law 42: the estimate of an evolution strategy (Nesterov and Spokoiny 2017) ---------------------------------


@pytest.mark.parametrize(("d", "n", "sigma"), [(50, 25, 0.1), (8, 3, 2.0)])
def test_law_42_variance_of_the_es_gradient(d, n, sigma):
    """On a linear loss n antithetic pairs give E g = grad f and tr Var g = (d + 1) |grad f|^2 / n."""
    worlds, slope = 4000, torch.linspace(-1, 2, d, dtype=torch.float64)
    optimizer = OPTIMIZERS["openai_es"](population=2 * n, sigma=sigma, learning_rate=1.0, shaping="raw")
    streams = make(worlds)
    state = begin(optimizer, torch.zeros(worlds, 1, d, dtype=torch.float64), streams)
    query = optimizer.ask(state, streams)
    new, _ = optimizer.tell(state, query, Answer((query.points * slope).sum(-1)), streams)
    g = -optimizer.recommend(new)
    square, norm = ((g - slope) ** 2).sum(1), slope.square().sum()
    assert mean_deviation(g, slope) < Z
    law, pairs, where = (
        (d + 1) * norm / n,
        (d + 1) * norm / (2 * n),
        f"d = {d}, n = {n}, sigma = {sigma}",
    )  # every point counted as a pair
    told_mean(
        42,
        "trace of the variance of the ES gradient on a slope, (d + 1) |grad f|^2 / n",
        where,
        law,
        square,
        mutant=pairs,
    )
    along, cosine, single = (
        (g * slope).sum(1) / norm,
        (n / (n + d + 1)) ** 0.5,
        (2 * n / (2 * n + d + 1)) ** 0.5,
    )
    told_mean(
        42,
        "mean of the ES gradient on a slope, along grad f, in units of |grad f|",
        where,
        1.0,
        along,
        mutant=2.0,
    )  # divided by pairs
    found = (g @ slope) / (g.norm(dim=1) * norm**0.5)
    told_mean(
        42,
        "cosine of the ES gradient with grad f, about sqrt(n / (n + d + 1))",
        where,
        cosine,
        found,
        bias=0.02 * cosine,
        mutant=single,
    )


# laws 47 and 48: the stationary distribution of SGD on a quadratic (Mandt 2017; exact) ----------------------


def final_points(h, c, eta, b, steps, worlds=20_000, **options):
    """Points (R, D) of SGD from 0 on sum_d h_d x_d^2 / 2, whose gradients have noise of covariance c / b."""
    h, root = (
        torch.tensor(h, dtype=torch.float64),
        torch.linalg.cholesky(torch.tensor(c, dtype=torch.float64) / b),
    )
    optimizer, streams = OPTIMIZERS["sgd"](learning_rate=eta, **options), make(worlds)
    state = begin(optimizer, torch.zeros(worlds, 1, len(h), dtype=torch.float64), streams)
    for step in range(1, steps + 1):
        s = streams.at(step)
        query = optimizer.ask(state, s)
        noise = (s.normal("evaluation", query.points.shape[1:])[..., None, :] * root).sum(-1)
        state, _ = optimizer.tell(
            state, query, Answer((h * query.points**2).sum(-1) / 2, h * query.points + noise), s
        )
    return optimizer.recommend(state)


def covariance_after(h, c, eta, b, steps, beta=0.0):
    """The covariance of x after `steps` steps from 0, by the recursion of the joint covariance of (x, v)."""
    d = len(h)
    h, eye = torch.tensor(h, dtype=torch.float64).diag(), torch.eye(d, dtype=torch.float64)
    a = torch.cat([torch.cat([eye - eta * h, -eta * beta * eye], 1), torch.cat([h, beta * eye], 1)])
    push = (
        torch.cat([-eta * eye, eye])
        @ (torch.tensor(c, dtype=torch.float64) / b)
        @ torch.cat([-eta * eye, eye]).T
    )
    joint = torch.zeros(2 * d, 2 * d, dtype=torch.float64)
    for _ in range(steps):
        joint = a @ joint @ a.T + push
    return joint[:d, :d]


QUADRATICS = [
    ((1.0,), ((4.0,),), 0.1, 8, 150),
    ((1.0, 0.1), ((2.0, 0.5), (0.5, 1.0)), 0.5, 8, 250),
    pytest.param((1.0, 0.1), ((2.0, 0.5), (0.5, 1.0)), 0.1, 8, 400, marks=pytest.mark.verify),
]


@pytest.mark.parametrize(("h", "c", "eta", "b", "steps"), QUADRATICS)
def test_law_47_stationary_covariance(h, c, eta, b, steps):
    """Sigma = A Sigma A^T + eta^2 C / B with A = I - eta H.

    In one dimension eta sigma^2 / [B h (2 - eta h)].
    """
    x, truth = final_points(h, c, eta, b, steps), covariance_after(h, c, eta, b, steps)
    assert covariance_deviation(x, truth) < Z
    assert covariance_deviation(x, covariance_after(h, c, eta, 2 * b, steps)) > Z  # mutant: B <-> 2 B
    assert (
        covariance_deviation(x, covariance_after(h, c, 1.2 * eta, b, steps)) > Z
    )  # mutant: a longer step
    steep, where = (
        torch.tensor(h),
        f"h = {', '.join(f'{v:g}' for v in h)}, C = {[list(row) for row in c]}, B = {b}, eta = {eta:g}",
    )
    half = covariance_after(h, c, eta, 2 * b, steps)  # mutant: B <-> 2 B
    law, mutant = ((steep * covariance.diagonal()).sum() / 2 for covariance in (truth, half))
    told_mean(47, LAWS[47], f"loss, {where}", law, (steep * x**2).sum(1) / 2, mutant=mutant)
    for i, j in itertools.combinations_with_replacement(range(len(h)), 2):
        told_mean(
            47,
            LAWS[47],
            f"S_{i + 1}{j + 1}, {where}",
            truth[i, j],
            x[:, i] * x[:, j],
            mutant=half[i, j],
        )
    closed = torch.tensor([
        [c[i][j] * eta / (b * (h[i] + h[j] - eta * h[i] * h[j])) for j in range(len(h))]
        for i in range(len(h))
    ])
    assert torch.allclose(covariance_after(h, c, eta, b, 2000), closed.double(), rtol=1e-6)


@pytest.mark.parametrize(("beta", "eta"), [(0.5, 0.1), (0.9, 0.1)])
def test_law_48_heavy_ball(beta, eta):
    """Variance eta sigma^2 (1 + beta) / {B h (1 - beta) [2 (1 + beta) - eta h]}."""
    x, truth = (
        final_points((1.0,), ((4.0,),), eta, 8, 250, momentum=beta),
        covariance_after((1.0,), ((4.0,),), eta, 8, 250, beta),
    )
    closed = stationary_variance(learning_rate=eta, noise_scale=2.0, batch=8, momentum=beta)
    assert truth.item() == pytest.approx(closed, rel=1e-10)
    where, plain = (
        f"beta = {beta:g}, eta = {eta:g}, h = 1, sigma^2 / B = .5",
        stationary_variance(learning_rate=eta, noise_scale=2.0, batch=8),
    )
    told_mean(48, LAWS[48], where, closed, x[:, 0] ** 2, mutant=plain)
    damped = covariance_after((1.0,), ((4.0,),), eta * (1 - beta), 8, 1000, beta)
    assert covariance_deviation(x, damped) > Z  # mutant: the gradient enters with weight 1 - beta
    assert (
        covariance_deviation(x, covariance_after((1.0,), ((4.0,),), eta / (1 - beta), 8, 1000)) > Z
    )  # mutant: plain SGD at eta / (1 - beta)


# law 49: how large a step is stable in mean square (least mean squares) -------------------------------------


def after_one_step(eta, b, worlds=40_000):
    """The point (R,) after one step from 1 on the mean of b terms a^2 x^2 / 2, a ~ N(0, 1): their curvatures have mean 1 and variance 2."""
    optimizer, streams = OPTIMIZERS["sgd"](learning_rate=eta), make(worlds)
    state = begin(optimizer, torch.ones(worlds, 1, 1, dtype=torch.float64), streams)
    gradient = (streams.normal("data", (b,)) ** 2).mean(1)[:, None, None] * state.points
    new, _ = optimizer.tell(
        state, optimizer.ask(state, streams), Answer(gradient[..., 0] / 2, gradient), streams
    )
    return new.points[:, 0, 0]


@pytest.mark.parametrize("b", [1, 4, 16])
def test_law_49_largest_step_stable_in_mean_square(b):
    """E x^2 grows by (1 - eta h)^2 + eta^2 v / B a step.

    By 1 at eta = 2 h / (h^2 + v / B), 2/3 and 4/3 for B = 1 and 4, below 2 / h.
    """
    law, longer = (mean_square_limit(1.0, 2.0, batch) for batch in (b, 2 * b))  # mutant: B <-> 2 B
    curvature = 1 - after_one_step(1.0, b)
    told_mean(
        49,
        LAWS[49],
        f"largest eta, h = 1, v = 2, B = {b}",
        law,
        ratio(2 * curvature, curvature**2),
        mutant=longer,
    )
    told_mean(
        49,
        LAWS[49],
        f"growth of E x^2 at that eta, B = {b}",
        1.0,
        after_one_step(law, b) ** 2,
        mutant=(1 - law) ** 2 + law**2 * 2 / (2 * b),
    )
    assert mean_deviation(after_one_step(0.7 * law, b) ** 2, 1.0) > Z
    assert mean_deviation(after_one_step(1.3 * law, b) ** 2, 1.0) > Z


# laws 50 and 52: means of a batch (Cochran 1977; Chebyshev 1867) --------------------------------------------


def batch_steps(terms):
    """Steps (R, 1) of SGD at learning rate 1 on the mean of terms whose gradients are (R, B)."""
    optimizer, streams = OPTIMIZERS["sgd"](learning_rate=1.0), make(len(terms))
    state = begin(optimizer, torch.zeros(len(terms), 1, 1, dtype=torch.float64), streams)
    gradient = terms.mean(1)[:, None, None]
    return optimizer.recommend(
        optimizer.tell(
            state, optimizer.ask(state, streams), Answer(gradient[..., 0], gradient), streams
        )[0]
    )


@pytest.mark.parametrize(("n", "b"), [(1000, 300), (20, 7)])
def test_law_50_variance_of_a_batch_mean(n, b):
    """Var = (sigma^2 / B) (n - B) / (n - 1), as the step of SGD at learning rate 1 shows it."""
    streams = make(20_000)
    terms = torch.sin(torch.arange(n, dtype=torch.float64))
    terms = (terms - terms.mean()) / terms.std(correction=0)
    law = batch_variance(1.0, b, n)
    drawn = batch_steps(terms[streams.choice("data", n, b)])
    assert mean_deviation(drawn, 0.0) < Z
    told_mean(50, LAWS[50], f"sigma^2 = 1, n = {n}, B = {b}", law, drawn[:, 0] ** 2, mutant=1 / b)
    again = batch_steps(terms[streams.integers("data", n, (b,), part=1)])
    assert (
        covariance_deviation(again, torch.tensor([[law]], dtype=torch.float64)) > Z
    )  # mutant: with replacement


def missed(b, epsilon, variance, worlds=20_000):
    """Whether (R,) the mean of b terms is wrong by epsilon, where they are the worst.

    So rare and so large that one of them is enough.
    """
    large = b * epsilon
    terms = torch.zeros(round(2 * large**2 / variance), dtype=torch.float64)
    terms[0], terms[1] = large, -large
    assert terms.var(correction=0).item() == pytest.approx(variance, rel=1e-12)
    drawn = batch_steps(terms[make(worlds).integers("data", len(terms), (b,))])
    return (drawn[:, 0].abs() >= epsilon * (1 - 1e-9)).double(), 2 / len(terms)


@pytest.mark.parametrize(("epsilon", "delta", "variance"), [(0.2, 0.05, 0.4), (0.5, 0.1, 2.0)])
def test_law_52_a_batch_that_is_large_enough(epsilon, delta, variance):
    """It fails at most with chance delta, for the worst terms nearly so: half of it is too few.

    For normal terms (z sigma / epsilon)^2 would do.
    """
    b = round(variance / (epsilon**2 * delta))
    assert b == pytest.approx(variance / (epsilon**2 * delta), rel=1e-12)

    def chance(b, q):
        """Of not as many +large as -large among b terms, each rare with chance q."""
        return 1 - sum(
            math.comb(b, k) * math.comb(k, k // 2) * (q / 2) ** k * (1 - q) ** (b - k)
            for k in range(0, 8, 2)
        )

    def chance_if_normal(b):
        return normal_miss(variance**0.5, b, epsilon)

    (fails, q), (more, often) = missed(b, epsilon, variance), missed(b // 2, epsilon, variance)
    where = f"epsilon = {epsilon:g}, delta = {delta:g}, sigma^2 = {variance:g}"
    assert chance(b, q) <= delta
    told_mean(
        52,
        LAWS[52],
        f"{where}, B = {b}, terms rare and large",
        chance(b, q),
        fails,
        mutant=chance(b // 2, often),
    )
    told_mean(
        52,
        LAWS[52],
        f"{where}, half of that B, terms rare and large",
        chance(b // 2, often),
        more,
        mutant=delta,
    )
    few = math.ceil(
        2
        * variance
        * (torch.special.erfinv(torch.tensor(1 - delta, dtype=torch.float64)).item() / epsilon) ** 2
    )
    normal = batch_steps(variance**0.5 * make(20_000).normal("data", (few,)))[:, 0].abs() >= epsilon
    assert few < b / 3
    told_mean(
        52,
        LAWS[52],
        f"{where}, B = {few}, normal terms",
        chance_if_normal(few),
        normal.double(),
        mutant=chance_if_normal(2 * few),
    )


# law 56: rates of convergence on a quadratic (Polyak 1964; Nesterov 2004) -----------------------------------


def rate(h, **options):
    """The spectral radius of the map (x, v) -> (x', v') of SGD on h x^2 / 2, read off its two columns."""
    optimizer, streams = OPTIMIZERS["sgd"](**options), make(2)
    state = begin(optimizer, torch.tensor([[[1.0]], [[0.0]]], dtype=torch.float64), streams)
    state = state._replace(velocity=torch.tensor([[[0.0]], [[1.0]]], dtype=torch.float64))
    new, _ = optimizer.tell(
        state,
        optimizer.ask(state, streams),
        Answer(h * state.points[..., 0] ** 2 / 2, h * state.points),
        streams,
    )
    (a, b), (c, d) = new.points[:, 0, 0].tolist(), new.velocity[:, 0, 0].tolist()
    trace, determinant = a + d, a * d - b * c
    discriminant = trace**2 - 4 * determinant
    if discriminant < 1e-12:  # a double root at the optimal tuning, where rounding decides its sign
        return math.sqrt(abs(determinant))
    return (abs(trace) + math.sqrt(discriminant)) / 2


@pytest.mark.parametrize("kappa", [100.0, 7.0])
def test_law_56_rates(kappa):
    """GD (kappa - 1) / (kappa + 1), heavy ball (sqrt kappa - 1) / (sqrt kappa + 1), Nesterov 1 - 1 / sqrt kappa, on curvatures 1 .. kappa."""
    q, ball = math.sqrt(kappa), heavy_ball_rate(kappa)
    curvatures = [1.0, (1 + kappa) / 3, kappa]

    def slowest(**options):
        return max(rate(h, **options) for h in curvatures)

    polyak, nesterov = (
        {"learning_rate": (2 / (q + 1)) ** 2, "momentum": heavy_ball_momentum(kappa)},
        {"learning_rate": 1 / kappa, "momentum": ball},
    )
    for method, law, found, mutant in (
        (
            "GD",
            gd_rate(kappa),
            slowest(learning_rate=2 / (kappa + 1)),
            slowest(learning_rate=1 / kappa),
        ),  # mutant: eta = 1 / L
        (
            "heavy ball",
            ball,
            slowest(**polyak),
            slowest(**polyak, nesterov=True),
        ),  # mutants: the other momentum
        ("Nesterov", nesterov_rate(kappa), slowest(**nesterov, nesterov=True), slowest(**nesterov)),
    ):
        told(56, LAWS[56], f"{method}, k = {kappa:g}", law, found, bias=1e-8, mutant=mutant)


@pytest.mark.parametrize(("kappa", "gd", "ball"), [(100.0, 691, 69), (25.0, 173, 35)])
def test_law_56_steps_to_a_millionth(kappa, gd, ball):
    """Asymptotic rates as steps: ln 1e-6 / ln rate."""
    q = math.sqrt(kappa)
    polyak = rate(1.0, learning_rate=(2 / (q + 1)) ** 2, momentum=heavy_ball_momentum(kappa))
    found = [
        math.ceil(math.log(1e-6) / math.log(r))
        for r in (rate(1.0, learning_rate=2 / (kappa + 1)), polyak)
    ]
    told(56, LAWS[56], f"steps to 1e-6 at the rate of GD, k = {kappa:g}", gd, found[0], mutant=ball)
    told(
        56,
        LAWS[56],
        f"steps to 1e-6 at the rate of heavy ball, k = {kappa:g}",
        ball,
        found[1],
        mutant=gd,
    )
