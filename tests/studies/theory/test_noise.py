"""Descent, its noise and sampling, against recursions, quadrature and exact sums written out here."""

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from studies.theory import descent, gradient_noise, sampling, workers


def settled(matrix, push, steps=20_000):
    """S = A S A' + Q by the recursion."""
    covariance = np.zeros_like(push)
    for _ in range(steps):
        covariance = matrix @ covariance @ matrix.T + push
    return covariance


def slowest(curvatures, eta, momentum, *, nesterov=False):
    """The spectral radius of the map of (x, x before), the largest over axes."""
    radii = []
    for h in curvatures:
        a = 1 - eta * h
        row = [(1 + momentum) * a, -momentum * a] if nesterov else [a + momentum, -momentum]
        radii.append(np.abs(np.linalg.eigvals(np.array([row, [1.0, 0.0]]))).max())
    return max(radii)


@pytest.mark.parametrize("condition", [3.7, 61.0])
def test_rates(condition):
    curvatures = np.geomspace(0.3, 0.3 * condition, 7)
    low, high, root = curvatures[0], curvatures[-1], math.sqrt(condition)
    tuned = slowest(curvatures, 2 / (low + high), 0.0)
    assert descent.gd_rate(condition) == pytest.approx(tuned, rel=1e-12)
    momentum = descent.heavy_ball_momentum(condition)
    polyak = slowest(curvatures, (2 / (math.sqrt(low) + math.sqrt(high))) ** 2, momentum)
    assert descent.heavy_ball_rate(condition) == pytest.approx(polyak, rel=1e-6)
    nesterov = slowest(curvatures, 1 / high, (root - 1) / (root + 1), nesterov=True)
    assert descent.nesterov_rate(condition) == pytest.approx(nesterov, rel=1e-6)
    assert abs(tuned - descent.heavy_ball_rate(condition)) > 0.1 * tuned


@pytest.mark.parametrize(("condition", "dim"), [(9.0, 2), (70.0, 5)])
def test_steps_of_nesterov(condition, dim):
    """Powers of the matrix that takes (x, v) to the next step, in PyTorch's form, axis by axis."""
    q, steps = math.sqrt(condition), 400
    beta = (q - 1) / (q + 1)
    loss = np.zeros(steps)
    for h in np.geomspace(1, 1 / condition, dim):
        matrix = np.array([[1 - h - beta * h, -(beta**2)], [h, beta]])
        loss += [h * np.linalg.matrix_power(matrix, t)[0, 0] ** 2 for t in range(steps)]
    first, last = (int(np.argmax(loss <= share * loss[0])) for share in (1e-3, 1e-9))
    assert descent.nesterov_steps(condition, dim, 1e-3, 1e-9) == last - first


@pytest.mark.parametrize(("eta", "h", "beta"), [(0.3, 0.7, 0.0), (0.3, 0.7, 0.9), (2.9, 1.1, 0.45)])
def test_the_rate_with_momentum(eta, h, beta):
    law = descent.momentum_rate(eta, h, beta)
    assert law == pytest.approx(slowest([h], eta, beta), rel=1e-9)


@pytest.mark.parametrize("delay", [0, 1, 3, 7])
def test_the_limit_of_late_gradients(delay):
    def radius(product):
        roots = np.roots([1, -1, *[0] * (delay - 1), product]) if delay else [1 - product]
        return np.abs(roots).max()

    limit = descent.delay_limit(delay, curvature=2.5) * 2.5
    assert radius(limit * (1 - 1e-6)) < 1 < radius(limit * (1 + 1e-6))


def test_the_limit_in_mean_square():
    """Curvatures 1 and 4 with equal chance, batches of 3: the mean of (1 - eta h)^2 by enumeration."""
    eta = descent.mean_square_limit(2.5, 2.25, batch=3)
    means = [(a + b + c) / 3 for a in (1, 4) for b in (1, 4) for c in (1, 4)]
    assert np.mean([(1 - eta * h) ** 2 for h in means]) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize(("eta", "h", "beta", "batch"), [(0.4, 0.6, 0.0, 3), (0.2, 1.7, 0.8, 5)])
def test_the_variance_at_rest(eta, h, beta, batch):
    law = gradient_noise.stationary_variance(eta, 1.3, h, batch, beta)
    matrix = np.array([[1 + beta - eta * h, -beta], [1.0, 0.0]])
    push = np.diag([eta**2 * 1.3**2 / batch, 0.0])
    assert law == pytest.approx(settled(matrix, push)[0, 0], rel=1e-9)


def test_the_loss_at_rest():
    """Three axes, their curvatures by hand: 2, 2 / sqrt 50, 2 / 50."""
    law = gradient_noise.stationary_loss(3, 0.3, 1.1, 4, 0.5, condition=50, curvature=2)
    loss = 0.0
    for h in (2.0, 2 / math.sqrt(50), 0.04):
        matrix = np.array([[1.5 - 0.3 * h, -0.5], [1.0, 0.0]])
        loss += h * settled(matrix, np.diag([0.09 * 1.21 / 4, 0.0]))[0, 0] / 2
    assert law == pytest.approx(loss, rel=1e-9)


@pytest.mark.parametrize("delay", [0, 1, 4])
def test_the_variance_of_late_gradients(delay):
    """By the sum of the squared response to one push."""
    eta, h = 0.11, 1.3
    past, total = [0.0] * delay + [1.0], 0.0
    for _ in range(4000):
        total += past[-1] ** 2
        past.append(past[-1] - eta * h * past[-1 - delay])
    law = gradient_noise.delayed_variance(eta, 0.9, delay, h, batch=2)
    assert law == pytest.approx(total * eta**2 * 0.81 / 2, rel=1e-9)


def test_langevin_and_temperature():
    eta, temperature, h = 0.3, 0.7, 1.9
    push = np.array([[2 * eta * temperature + eta**2 * 0.25 / 3]])
    rest = settled(np.array([[1 - eta * h]]), push)[0, 0]
    assert gradient_noise.langevin_variance(eta, temperature, h, 0.5, 3) == pytest.approx(rest)
    small = gradient_noise.stationary_variance(1e-6, 2.0, 1.7, 5)
    assert gradient_noise.sgd_temperature(1e-6, 2.0, 5) / 1.7 == pytest.approx(small, rel=1e-5)


def test_a_batch_without_replacement():
    """All batches of 3 of 6 terms."""
    import itertools

    terms = np.array([0.3, -2.0, 5.0, 1.0, 0.0, 2.2])
    means = [np.mean(some) for some in itertools.combinations(terms, 3)]
    assert gradient_noise.batch_variance(terms.std(), 3, 6) == pytest.approx(np.var(means))


def test_the_noise_scale_and_the_best_step():
    """The learning rate that minimises the mean of a quadratic after a noisy step, on a fine grid."""
    h, slope, noise = np.diag([2.0, 0.5]), np.array([0.4, -1.0]), np.diag([3.0, 0.2])
    batch, rates = 7, np.linspace(0, 3, 300_001)
    bend = slope @ h @ slope + np.trace(h @ noise) / batch
    best = rates[np.argmin(-rates * (slope @ slope) + rates**2 * bend / 2)]
    limit = (slope @ slope) / (slope @ h @ slope)
    scale = np.trace(h @ noise) / (slope @ h @ slope)
    assert gradient_noise.best_learning_rate(limit, scale, batch) == pytest.approx(best, abs=2e-5)
    equal = gradient_noise.simple_noise_scale(3.2, 1.16)
    assert 3.2 / equal == pytest.approx(1.16)  # the noise of that batch is the gradient's square


def test_behind_a_moving_optimum():
    eta, h, lag, variance = 0.25, 1.2, 3.0, 1.0
    for _ in range(2000):
        lag = (1 - eta * h) * lag - 0.07
        variance = (1 - eta * h) ** 2 * variance + eta**2 * 0.64 / 3 + 0.04
    law = gradient_noise.tracking_error(eta, h, 0.8, 3, speed=0.07, step=0.2)
    assert law == pytest.approx(lag**2 + variance, rel=1e-9)


def test_scale_invariant_weights():
    """The squared length where a step across and the decay balance, and the angle of a step there."""
    eta, decay, gradient, square = 0.2, 0.003, 1.7, 5.0
    for _ in range(200_000):
        square = (1 - eta * decay) ** 2 * square + eta**2 * gradient**2 / square
    law = gradient_noise.scale_invariant_norm(eta, decay, gradient)
    assert law**2 == pytest.approx(square, rel=1e-9)
    turn = eta * gradient / square / (1 - eta * decay)
    angle = gradient_noise.scale_invariant_angle(eta, decay)
    assert angle == pytest.approx(math.atan(turn), rel=1e-3)


# sampling ---------------------------------------------------------------------------------------------------


def test_chebyshev_and_the_normal_law():
    batch = sampling.chebyshev_batch(1.7, 0.3, 0.04)
    assert sampling.chebyshev_miss(1.7, batch, 0.3) == pytest.approx(0.04)
    assert sampling.chebyshev_miss(1.7, 1, 0.3) == 1
    fewer = sampling.normal_batch(1.7, 0.3, 0.04)
    missed = 2 * stats.norm.sf(0.3, scale=1.7 / math.sqrt(fewer))
    assert missed == pytest.approx(0.04)
    assert sampling.normal_miss(1.7, fewer, 0.3) == pytest.approx(missed)


@pytest.mark.parametrize(("batch", "epsilon"), [(30, 0.35), (60, 0.4)])
def test_edgeworth_of_exponentials(batch, epsilon):
    """The mean of exponentials is a gamma law: the expansion is ten times nearer than the normal law."""
    exact = stats.gamma.sf(batch * (1 + epsilon), batch) + stats.gamma.cdf(batch * (1 - epsilon), batch)
    law = sampling.edgeworth_miss(1.0, batch, epsilon, skewness=2, excess_kurtosis=6)
    crude = sampling.normal_miss(1.0, batch, epsilon)
    assert abs(law - exact) < 0.1 * abs(crude - exact)


@pytest.mark.parametrize(("batch", "epsilon"), [(2, 1.1), (3, 0.9)])
def test_misses_of_exponentials(batch, epsilon):
    """The law of a sum of two or three, by hand: 1 - P = e^-x (1 + x) and e^-x (1 + x + x^2 / 2)."""

    def above(x):
        return math.exp(-x) * sum(x**k / math.factorial(k) for k in range(batch)) if x > 0 else 1.0

    off = batch * epsilon / 1.7
    expected = above(batch + off) + 1 - above(batch - off)
    assert sampling.exponential_miss(1.7, batch, epsilon) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("batch", [5, 40])
def test_berry_esseen_bounds_the_error_of_coins(batch):
    """Coins of +-1: the largest distance of the binomial from the normal law, at its jumps."""
    heads = np.arange(batch + 1)
    z = (2 * heads - batch) / math.sqrt(batch)
    above = np.abs(stats.binom.cdf(heads, batch, 0.5) - stats.norm.cdf(z))
    below = np.abs(stats.binom.cdf(heads - 1, batch, 0.5) - stats.norm.cdf(z))
    bound = sampling.berry_esseen(1.0, batch, 1.0)
    assert 0.5 * bound < max(above.max(), below.max()) < bound


def test_the_variance_of_a_mean_over_pairs():
    """The kernel (x - y)^2 / 2 of values 0, 1, 3 with chances .5, .3, .2: all samples of four."""
    import itertools

    values, chances = np.array([0.0, 1.0, 3.0]), np.array([0.5, 0.3, 0.2])
    kernel = (values[:, None] - values) ** 2 / 2
    mean = chances @ kernel @ chances
    first = chances @ (kernel @ chances - mean) ** 2
    second = chances @ (kernel - mean) ** 2 @ chances
    square = 0.0
    for sample in itertools.product(range(3), repeat=4):
        pairs = [kernel[a, b] for a, b in itertools.combinations(sample, 2)]
        square += np.prod(chances[list(sample)]) * (np.mean(pairs) - mean) ** 2
    assert sampling.u_statistic_variance(4, first, second) == pytest.approx(square, rel=1e-12)


def test_the_bias_of_a_logarithm():
    """Weights that are gamma(1): E ln of a mean of K is digamma(K) - ln K."""
    from scipy.special import digamma

    k = 200
    assert sampling.infonce_bias(k, 1.0, 1.0) == pytest.approx(digamma(k) - math.log(k), rel=2e-3)
    assert math.exp(sampling.infonce_bound(128)) == pytest.approx(128)


@pytest.mark.parametrize(("mean", "scale", "clip"), [(0.5, 1.0, 1.0), (-2.0, 0.7, 1.5)])
def test_the_mean_of_a_clipped_normal(mean, scale, clip):
    def clipped(x):
        return np.clip(x, -clip, clip) * stats.norm.pdf(x, mean, scale)

    whole = integrate.quad(clipped, -12, 12, points=[-clip, clip])[0]
    assert sampling.clipped_normal(mean, scale, clip) == pytest.approx(whole, rel=1e-7)


@pytest.mark.parametrize(("scale", "batch", "difference"), [(2.0, 3, 0.8), (0.4, 12, 1.5)])
def test_two_points_in_the_wrong_order(scale, batch, difference):
    """Phi(-x sqrt(n / 2) / s), averaged over their difference |x| by quadrature."""

    def wrong(x):
        return 2 * stats.norm.pdf(x, 0, difference) * stats.norm.sf(x * math.sqrt(batch / 2) / scale)

    whole = integrate.quad(wrong, 0, 12 * difference)[0]
    assert sampling.misranked(scale, batch, difference) == pytest.approx(whole, rel=1e-7)


# workers ----------------------------------------------------------------------------------------------------


def largest(service, count, rank=0):
    """Mean of the largest but `rank` of so many services, by quadrature of its survival."""

    def survival(t):
        return stats.binom.sf(rank, count, service.sf(t))

    return integrate.quad(survival, 0, 60, limit=500, points=[0.9, 1.0])[0]


def test_barriers():
    assert workers.harmonic(9) == pytest.approx(largest(stats.expon(), 9), rel=1e-7)
    shifted = stats.expon(loc=0.9, scale=0.4)
    law = workers.barrier_time(7, scale=0.4, offset=0.9, backups=2)
    assert law == pytest.approx(largest(shifted, 7, rank=2), rel=1e-7)
    speed = largest(shifted, 7) / 1.3
    assert workers.async_speed_up(7, scale=0.4, offset=0.9) == pytest.approx(speed, rel=1e-7)


def test_barriers_of_pareto_services():
    def quantile(u):  # of the largest of 6, shape 4.5
        return (1 - u ** (1 / 6)) ** (-1 / 4.5)

    ratio = integrate.quad(quantile, 0, 1, limit=500)[0] / (4.5 / 3.5)
    assert workers.pareto_speed_up(6, 4.5) == pytest.approx(ratio, rel=1e-5)


def test_staleness():
    """A race of 5 workers without memory: the chance that the reader finishes next is 1/5 each time."""
    count = np.arange(4000)
    chance = (4 / 5) ** count / 5
    mean = chance @ count
    assert workers.staleness_mean(5) == pytest.approx(mean)
    assert workers.staleness_variance(5) == pytest.approx(chance @ (count - mean) ** 2)
    slow = 1 / 3 / (4 + 1 / 3)  # chance of a worker three times slower
    assert workers.staleness_mean(5, slowdown=3) == pytest.approx(1 / slow - 1)
    assert workers.staleness_momentum(5) == pytest.approx(chance[1] / chance[0])


@pytest.mark.parametrize("exponent", [0.5, 0.8, 1.0, 1.3])
def test_the_batch_that_is_soonest_there(exponent):
    """Steps times the time of one, minimised by Brent's method."""

    def time(logarithm):
        batch = math.exp(logarithm)
        return (1 + 512 / batch) * (20 + batch**exponent)

    least = math.exp(optimize.minimize_scalar(time, bracket=(1.0, 5.0), tol=1e-12).x)
    law = gradient_noise.fastest_batch(512, 20, 1, exponent)
    assert law == pytest.approx(least, rel=1e-5)
    assert gradient_noise.fastest_batch(512, 20, 1) == pytest.approx(math.sqrt(512 * 20), rel=1e-12)
