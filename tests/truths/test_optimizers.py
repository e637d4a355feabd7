"""Closed-form laws of the optimizers. Each is checked at 4.5 standard errors (or 1e-8 where it is an identity) and must reject a mutant.

The answers of the oracle are written by hand, so that nothing but the optimizer is tested.
"""

import math

import pytest
import torch

from landscapes.base import Answer, Bits, Problem, Reals
from landscapes.streams import Streams
from optimizers import OPTIMIZERS

Z = 4.5  # standard errors


def make(worlds, **options):
    return Streams(seed=2024, worlds=torch.arange(worlds), **options)


def begin(optimizer, points, streams):
    """The state at the given points (R, n, D)."""
    domain = Bits() if points.dtype == torch.uint8 else Reals()
    return optimizer.init(Problem(points.shape[-1], domain, False, lambda n: points[:, :n].clone()), streams)


def mean_deviation(sample, truth):
    """Largest distance of the mean of sample (R, ...) from truth, in standard errors."""
    return ((sample.mean(0) - truth).abs() / (sample.std(0) / len(sample) ** 0.5)).max().item()


def covariance_deviation(sample, truth):
    """Largest distance of the covariance of sample (R, k) from truth (k, k), in the standard errors of a normal sample."""
    error = ((truth.diagonal()[:, None] * truth.diagonal() + truth**2) / len(sample)).sqrt()
    return ((sample.T.cov().reshape(truth.shape) - truth).abs() / error).max().item()


# law 3: Wright-Fisher sampling (Wright 1931) --------------------------------------------------------------------------------


def next_frequencies(n, counts, loss, worlds=10_000, **options):
    """Frequencies (R, 4) of the four genotypes of two bits after one generation; counts and losses by genotype."""
    genotype = torch.repeat_interleave(torch.arange(4), torch.tensor(counts))
    points = torch.stack([genotype >> 1, genotype & 1], -1).to(torch.uint8).expand(worlds, n, 2)
    optimizer = OPTIMIZERS["ga"](population=n, selection="proportional", crossover="none", mutation_rate=0.0, **options)
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
    (100, (25, 25, 25, 25), (0.0, 0.2, 0.5, 0.9), {"fitness": "linear", "selection_strength": 0.8}, lambda v: 1 - 0.8 * v),
    (40, (4, 16, 12, 8), (0.7, 0.0, 1.3, 0.4), {"fitness": "exponential", "selection_strength": 1.5}, lambda v: math.exp(-1.5 * v)),
]


@pytest.mark.parametrize(("n", "counts", "loss", "options", "fitness"), WRIGHT_FISHER, ids=["linear", "exponential"])
def test_law_3_multinomial_sampling(n, counts, loss, options, fitness):
    """E p' = p w / W and Cov p' = (diag p* - p* p*^T) / N."""
    p = next_frequencies(n, counts, loss, **options)
    mean, covariance = wright_fisher(n, counts, [fitness(v) for v in loss])
    assert mean_deviation(p, mean) < Z
    assert covariance_deviation(p, covariance) < Z
    assert covariance_deviation(p, wright_fisher(2 * n, counts, [fitness(v) for v in loss])[1]) > Z  # mutant: diploid, 2 N
    assert covariance_deviation(p, 2 * covariance / n) > Z  # mutant: one Moran event
    other = [math.exp(-0.8 * v) if options["fitness"] == "linear" else max(0.0, 1 - 1.5 * v) for v in loss]
    assert mean_deviation(p, wright_fisher(n, counts, other)[0]) > Z  # mutant: s <-> ln(1 + s)


# law 12: decay of linkage disequilibrium (Robbins 1918; Hill and Robertson 1968) -----------------------------------------------


@pytest.mark.parametrize(("n", "r", "t"), [(200, 0.1, 10), (20, 0.2, 5)])
def test_law_12_linkage_disequilibrium(n, r, t):
    """E D_t = D_0 [(1 - r)(1 - 1/N)]^t without selection."""
    worlds = 8000
    optimizer = OPTIMIZERS["ga"](population=n, selection="none", crossover="one_point", recombination_rate=r, mutation_rate=0.0)
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


# law 42: the estimate of an evolution strategy (Nesterov and Spokoiny 2017) ----------------------------------------------------


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
    assert mean_deviation(square, (d + 1) * norm / n) < Z
    assert mean_deviation(square, (d + 1) * norm / (2 * n)) > Z  # mutant: every point counted as a pair
    assert mean_deviation(g, 2 * slope) > Z  # mutant: divided by the number of pairs, not of points


# laws 47 and 48: the stationary distribution of SGD on a quadratic (Mandt 2017; exact) -------------------------------------------


def final_points(h, c, eta, b, steps, worlds=20_000, **options):
    """Points (R, D) of SGD from 0 on sum_d h_d x_d^2 / 2, whose gradients have noise of covariance c / b."""
    h, root = torch.tensor(h, dtype=torch.float64), torch.linalg.cholesky(torch.tensor(c, dtype=torch.float64) / b)
    optimizer, streams = OPTIMIZERS["sgd"](learning_rate=eta, **options), make(worlds)
    state = begin(optimizer, torch.zeros(worlds, 1, len(h), dtype=torch.float64), streams)
    for step in range(1, steps + 1):
        s = streams.at(step)
        query = optimizer.ask(state, s)
        noise = (s.normal("evaluation", query.points.shape[1:])[..., None, :] * root).sum(-1)
        state, _ = optimizer.tell(state, query, Answer((h * query.points**2).sum(-1) / 2, h * query.points + noise), s)
    return optimizer.recommend(state)


def covariance_after(h, c, eta, b, steps, beta=0.0):
    """The covariance of x after `steps` steps from 0, by the recursion of the joint covariance of (x, v)."""
    d = len(h)
    h, eye = torch.tensor(h, dtype=torch.float64).diag(), torch.eye(d, dtype=torch.float64)
    a = torch.cat([torch.cat([eye - eta * h, -eta * beta * eye], 1), torch.cat([h, beta * eye], 1)])
    push = torch.cat([-eta * eye, eye]) @ (torch.tensor(c, dtype=torch.float64) / b) @ torch.cat([-eta * eye, eye]).T
    joint = torch.zeros(2 * d, 2 * d, dtype=torch.float64)
    for _ in range(steps):
        joint = a @ joint @ a.T + push
    return joint[:d, :d]


QUADRATICS = [((1.0,), ((4.0,),), 0.1, 8, 150), ((1.0, 0.1), ((2.0, 0.5), (0.5, 1.0)), 0.5, 8, 250)]


@pytest.mark.parametrize(("h", "c", "eta", "b", "steps"), QUADRATICS, ids=["one", "two"])
def test_law_47_stationary_covariance(h, c, eta, b, steps):
    """Sigma = A Sigma A^T + eta^2 C / B with A = I - eta H; in one dimension eta sigma^2 / [B h (2 - eta h)]."""
    x, truth = final_points(h, c, eta, b, steps), covariance_after(h, c, eta, b, steps)
    assert covariance_deviation(x, truth) < Z
    assert covariance_deviation(x, covariance_after(h, c, eta, 2 * b, steps)) > Z  # mutant: B <-> 2 B
    assert covariance_deviation(x, covariance_after(h, c, 1.2 * eta, b, steps)) > Z  # mutant: a longer step
    closed = torch.tensor([[c[i][j] * eta / (b * (h[i] + h[j] - eta * h[i] * h[j])) for j in range(len(h))] for i in range(len(h))])
    assert torch.allclose(covariance_after(h, c, eta, b, 2000), closed.double(), rtol=1e-6)


@pytest.mark.parametrize(("beta", "eta"), [(0.5, 0.1), (0.9, 0.1)])
def test_law_48_heavy_ball(beta, eta):
    """Variance eta sigma^2 (1 + beta) / {B h (1 - beta) [2 (1 + beta) - eta h]}."""
    x, truth = final_points((1.0,), ((4.0,),), eta, 8, 250, momentum=beta), covariance_after((1.0,), ((4.0,),), eta, 8, 250, beta)
    closed = eta * 0.5 * (1 + beta) / ((1 - beta) * (2 * (1 + beta) - eta))
    assert truth.item() == pytest.approx(closed, rel=1e-10)
    assert covariance_deviation(x, truth) < Z
    damped = covariance_after((1.0,), ((4.0,),), eta * (1 - beta), 8, 1000, beta)
    assert covariance_deviation(x, damped) > Z  # mutant: the gradient enters with weight 1 - beta
    assert covariance_deviation(x, covariance_after((1.0,), ((4.0,),), eta / (1 - beta), 8, 1000)) > Z  # mutant: plain SGD at eta / (1 - beta)


# law 50: sampling without replacement (Cochran 1977) -----------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "b"), [(1000, 300), (20, 7)])
def test_law_50_variance_of_a_batch_mean(n, b):
    """Var = (sigma^2 / B) (n - B) / (n - 1), as the step of SGD at learning rate 1 shows it."""
    worlds, streams = 20_000, make(20_000)
    terms = torch.sin(torch.arange(n, dtype=torch.float64))
    terms = (terms - terms.mean()) / terms.std(correction=0)
    optimizer = OPTIMIZERS["sgd"](learning_rate=1.0)
    state = begin(optimizer, torch.zeros(worlds, 1, 1, dtype=torch.float64), streams)

    def steps(index):
        gradient = terms[index].mean(1)[:, None, None]
        return optimizer.recommend(optimizer.tell(state, optimizer.ask(state, streams), Answer(gradient[..., 0], gradient), streams)[0])

    law = torch.tensor([[(n - b) / (b * (n - 1))]], dtype=torch.float64)
    drawn = steps(streams.choice("data", n, b))
    assert mean_deviation(drawn, 0.0) < Z
    assert covariance_deviation(drawn, law) < Z
    assert covariance_deviation(drawn, torch.full_like(law, 1 / b)) > Z
    assert covariance_deviation(steps(streams.integers("data", n, (b,), part=1)), law) > Z  # mutant: with replacement


# law 56: rates of convergence on a quadratic (Polyak 1964; Nesterov 2004) ----------------------------------------------------------


def rate(h, **options):
    """The spectral radius of the map (x, v) -> (x', v') of SGD on h x^2 / 2, read off its two columns."""
    optimizer, streams = OPTIMIZERS["sgd"](**options), make(2)
    state = begin(optimizer, torch.tensor([[[1.0]], [[0.0]]], dtype=torch.float64), streams)
    state = state._replace(velocity=torch.tensor([[[0.0]], [[1.0]]], dtype=torch.float64))
    new, _ = optimizer.tell(state, optimizer.ask(state, streams), Answer(h * state.points[..., 0] ** 2 / 2, h * state.points), streams)
    (a, b), (c, d) = new.points[:, 0, 0].tolist(), new.velocity[:, 0, 0].tolist()
    trace, determinant = a + d, a * d - b * c
    discriminant = trace**2 - 4 * determinant
    if discriminant < 1e-12:  # a double root at the optimal tuning, where rounding decides its sign
        return math.sqrt(abs(determinant))
    return (abs(trace) + math.sqrt(discriminant)) / 2


@pytest.mark.parametrize("kappa", [100.0, 7.0])
def test_law_56_rates(kappa):
    """GD (kappa - 1) / (kappa + 1), heavy ball (sqrt kappa - 1) / (sqrt kappa + 1), Nesterov 1 - 1 / sqrt kappa, on curvatures 1 .. kappa."""
    q = math.sqrt(kappa)
    ball = (q - 1) / (q + 1)
    curvatures = [1.0, (1 + kappa) / 3, kappa]

    def slowest(**options):
        return max(rate(h, **options) for h in curvatures)

    polyak, nesterov = {"learning_rate": (2 / (q + 1)) ** 2, "momentum": ball**2}, {"learning_rate": 1 / kappa, "momentum": ball}
    assert slowest(learning_rate=2 / (kappa + 1)) == pytest.approx((kappa - 1) / (kappa + 1), abs=1e-8)
    assert slowest(**polyak) == pytest.approx(ball, abs=1e-8)
    assert slowest(**nesterov, nesterov=True) == pytest.approx(1 - 1 / q, abs=1e-8)
    assert slowest(**nesterov) != pytest.approx(1 - 1 / q, abs=1e-3)  # mutant: the other momentum
    assert slowest(**polyak, nesterov=True) != pytest.approx(ball, abs=1e-3)
    assert slowest(learning_rate=1 / kappa) != pytest.approx((kappa - 1) / (kappa + 1), abs=1e-3)  # mutant: eta = 1 / L


@pytest.mark.parametrize(("kappa", "gd", "ball"), [(100.0, 691, 69), (25.0, 173, 35)])
def test_law_56_steps_to_a_millionth(kappa, gd, ball):
    """Asymptotic rates as steps: ln 1e-6 / ln rate."""
    q = math.sqrt(kappa)
    polyak = rate(1.0, learning_rate=(2 / (q + 1)) ** 2, momentum=((q - 1) / (q + 1)) ** 2)
    found = [math.log(1e-6) / math.log(r) for r in (rate(1.0, learning_rate=2 / (kappa + 1)), polyak)]
    assert found == pytest.approx([gd, ball], abs=1)
