"""Closed-form laws of learning problems. Each rejects a wrong law, or a landscape of which it is not true."""

import itertools
import math

import pytest
import torch

from landscapes.base import Answer, Problem, Reals, Terms
from landscapes.networks.batch_norm import BatchNorm, batch_statistics, normalised
from landscapes.networks.contrastive import Contrastive
from landscapes.networks.linear_rnn import LinearRNN
from landscapes.oracle.evaluation import evaluate
from landscapes.streams import Streams
from optimizers import OPTIMIZERS
from studies.theory.sampling import u_statistic_variance
from tests.truths.table import told

ERRORS = 4.5  # standard errors allowed

LAWS = {
    59: (
        "scale-invariant loss, w . grad L = 0, grad L(a w) = grad L / a; |w|^4 = eta g^2 / 2 lambda, angle"
        " sqrt(2 eta lambda); batch norm 1 - 1/B"
    ),
    61: "InfoNCE of K: bias -Var(e^s) / (2 K mu^2) from the negatives; bound on the information at most ln K",
}


def streams(worlds=1):
    return Streams(seed=6, worlds=torch.arange(worlds))


def batches(index):
    """Terms of batches (R, B), equal weights."""
    index = torch.as_tensor(index)[:, None]
    return Terms(index, torch.full(index.shape, 1 / index.shape[-1]).double())


# the exploding gradient of a linear recurrent network: Pascanu, Mikolov and Bengio 2013 ---------------------


@pytest.mark.parametrize(("steps", "target"), [(50, 0.5), (10, 0.5), (100, 2.0)])
def test_the_gradient_of_a_product_of_equal_weights(steps, target):
    w = torch.tensor([0.5, 1.0, 1.02, 1.05, 1.1]).double()
    landscape = LinearRNN(steps=steps, target=target).bind(streams())
    slope = evaluate(landscape, w[None, :, None], gradient=True).gradient[0, :, 0]
    law = torch.tensor(
        [(v**steps - target) * steps * v ** (steps - 1) for v in w.tolist()], dtype=torch.float64
    )
    wrong = torch.tensor(
        [(v**steps - target) * steps * v**steps for v in w.tolist()], dtype=torch.float64
    )
    torch.testing.assert_close(slope, law, rtol=1e-10, atol=0)
    assert not torch.allclose(slope, wrong, rtol=0.015)


def test_the_gradients_that_explode():
    w = torch.tensor([1.0, 1.02, 1.05, 1.1]).double()
    slope = evaluate(LinearRNN().bind(streams()), w[None, :, None], gradient=True).gradient[0, :, 0]
    assert [f"{g:.2g}" if g > 1e5 else f"{g:.0f}" for g in slope.tolist()] == [
        "25",
        "289",
        "5989",
        "6.2e+05",
    ]


# batch norm: Santurkar et al. 2018; law 59: van Laarhoven 2017 ----------------------------------------------


def jacobian(z, *, through):
    """Of the normalised z (m,), times the standard deviation: (m, m).

    `through` the statistics, or with them constant.
    """

    def layer(z):
        mean, variance = batch_statistics(z)
        return (
            normalised(z, mean, variance, 0.0)
            if through
            else normalised(z, mean.detach(), variance.detach(), 0.0)
        )

    return torch.autograd.functional.jacobian(layer, z) * z.std(unbiased=False)


@pytest.mark.parametrize("m", [2, 3, 4, 8, 32])
def test_batch_norm_projects_gradients(m):
    z = streams().normal("init", (m,))[0]
    hat = (z - z.mean()) / z.std(unbiased=False)
    one = torch.ones_like(z)
    found = jacobian(z, through=True)
    law = torch.eye(m).double() - one[:, None] * one / m - hat[:, None] * hat / m
    torch.testing.assert_close(found, law, rtol=1e-9, atol=1e-12)
    kept = float((found * found).sum()) / m  # of the squared length of a random gradient
    assert kept == pytest.approx((m - 2) / m, abs=1e-12)
    static = jacobian(z, through=False)
    assert float((static * static).sum()) / m == pytest.approx(1, abs=1e-12)
    assert kept != pytest.approx((m - 1) / m, abs=1e-3)


def hidden_gradient(statistics, size, x=None, eps=0.0):
    """Weights of the hidden layer (P, hidden, 64) and their gradient, on a batch of so many images."""
    landscape = BatchNorm(hidden=4, statistics=statistics, eps=eps, activation="tanh")
    x = landscape.start(streams(), 3) if x is None else x
    index = streams().choice("data", landscape.terms, size)
    slope = evaluate(landscape, x, batches(index), gradient=True).gradient
    return x, *(part[0, :, :256].unflatten(-1, (4, 64)) for part in (x, slope))


def test_a_batch_of_two_passes_no_gradient():
    assert hidden_gradient("batch", 2)[2].abs().max() <= 1e-12
    assert hidden_gradient("batch", 3)[2].abs().max() > 1e-3
    assert hidden_gradient("batch_constant", 2)[2].abs().max() > 1e-3


@pytest.mark.parametrize("size", [5, 20])
def test_law_59_batch_norm_has_no_gradient_along_the_weights(size):
    def cosine(statistics):
        _, w, slope = hidden_gradient(statistics, size)
        return ((w * slope).sum(-1).abs() / (w.norm(dim=-1) * slope.norm(dim=-1))).max()

    told(
        59,
        LAWS[59],
        f"batch norm, B = {size}, cosine of w and grad L",
        0.0,
        cosine("batch"),
        bias=1e-10,
        mutant=cosine("batch_constant"),
    )


@pytest.mark.parametrize("alpha", [0.3, 7.0])
def test_batch_norm_does_not_see_the_length_of_weights(alpha):
    def seen(statistics, eps=0.0):
        """The gradient times alpha on longer weights, and both gradients, at weights of length 1."""
        x, w, slope = hidden_gradient(statistics, 20, eps=eps)
        longer = x.clone()
        longer[..., :256] *= alpha
        return hidden_gradient(statistics, 20, longer, eps)[2], slope, w / w.norm(dim=-1, keepdim=True)

    def holds(statistics, eps=0.0):
        stretched, slope, w = seen(statistics, eps)
        across = (w * slope).sum(-1).abs() <= 1e-10 * slope.norm(dim=-1)
        return bool(across.all()) and torch.allclose(stretched, slope / alpha, rtol=1e-10, atol=1e-13)

    stretched, slope, _ = seen("batch")
    told(
        59,
        LAWS[59],
        f"batch norm, |grad L(a w)| / |grad L|, a = {alpha:g}",
        1 / alpha,
        stretched.norm() / slope.norm(),
        bias=1e-10,
        mutant=1.0,
    )
    assert holds("batch")
    assert not holds("batch", eps=1e-3)
    assert not holds("batch_constant")
    assert not holds("fixed")


@pytest.mark.parametrize("size", [2, 3, 5])
def test_law_59_the_variance_within_a_batch_is_too_small(size):
    """Its mean over all batches of independent draws is (B - 1) / B of the variance of all."""
    z = streams().normal("init", (5,))[0]
    _, variance = batch_statistics(z[torch.cartesian_prod(*[torch.arange(5)] * size)])
    whole = z.var(correction=0)
    told(
        59,
        LAWS[59],
        f"batch norm, variance within a batch of {size}, of 5",
        (1 - 1 / size) * whole,
        variance.mean(),
        bias=1e-12,
        mutant=whole,
    )


@pytest.mark.parametrize(
    ("eta", "decay", "g"),
    [
        pytest.param(0.1, 0.005, 1.0, marks=pytest.mark.verify),
        pytest.param(0.5, 0.002, 0.3, marks=pytest.mark.verify),
        (0.1, 0.05, 2.0),
    ],
)
def test_law_59_the_equilibrium_of_weight_decay(eta, decay, g):
    """Gradients across w, of length g / |w|: SGD ends at |w|^4 = eta g^2 / [lambda (2 - eta lambda)] and turns w by acos(1 - eta lambda) a step."""
    optimizer, first, law = (
        OPTIMIZERS["sgd"](learning_rate=eta, weight_decay=decay),
        streams(),
        (eta * g**2 / (2 * decay)) ** 0.25,
    )
    start = first.normal("init", (1, 6))
    state = optimizer.init(Problem(6, Reals(), False, lambda n: start), first)
    for step in range(1, math.ceil(5 / (eta * decay))):
        before, s = state.points, first.at(step)
        unit = before / before.norm()
        across = s.normal("evaluation", (1, 6))
        across = across - (across * unit).sum() * unit
        gradient = across / across.norm() * g / before.norm()
        state, _ = optimizer.tell(state, optimizer.ask(state, s), Answer(gradient[..., 0], gradient), s)
    turned = torch.acos((before * state.points).sum() / before.norm() / state.points.norm())
    where, small = (
        f"eta = {eta:g}, lambda = {decay:g}, g = {g:g}",
        eta * decay,
    )  # the laws are those of small eta lambda
    told(
        59, LAWS[59], f"|w|, {where}", law, state.points.norm(), bias=small * law, mutant=law * 2**0.25
    )  # mutants: no factor 2
    told(
        59,
        LAWS[59],
        f"angle of a step, {where}",
        (2 * small) ** 0.5,
        turned,
        bias=small * (2 * small) ** 0.5,
        mutant=small**0.5,
    )
    assert state.points.norm().item() == pytest.approx(law / (1 - small / 2) ** 0.25, rel=1e-7)
    assert turned.item() == pytest.approx(math.acos(1 - small), rel=1e-7)


# a pairwise loss is a U-statistic: Hoeffding 1948 -----------------------------------------------------------


def encoder(objective, pairs, worlds, **others):
    """A landscape whose worlds share one instance, and a point for each."""
    landscape = Contrastive(objective=objective, features=3, embedding=2, pairs=pairs, **others)
    one = landscape.start(streams(), 1)
    return landscape.bind(Streams(seed=6, worlds=torch.zeros(worlds, dtype=torch.int64))), one.expand(
        worlds, -1, -1
    )


def losses(objective, pairs, index):
    """Of every batch in index (R, B)."""
    landscape, x = encoder(objective, pairs, len(index))
    return landscape.loss(x, batches(index))[:, 0]


def whole(objective, pairs):
    landscape, x = encoder(objective, pairs, 1)
    return float(landscape.loss(x))


@pytest.mark.parametrize("size", [2, 3, 5])
def test_over_all_batches_of_different_pairs_the_pairwise_loss_is_unbiased(size):
    index = list(itertools.combinations(range(7), size))
    assert float(losses("pairwise", 7, index).mean()) == pytest.approx(whole("pairwise", 7), rel=1e-12)
    assert abs(float(losses("infonce", 7, index).mean()) - whole("infonce", 7)) > 1e-3


@pytest.mark.parametrize(("pairs", "size"), [(5, 2), (5, 3), (4, 5)])
def test_the_variance_of_a_pairwise_batch(pairs, size):
    h = losses("pairwise", pairs, list(itertools.product(range(pairs), repeat=2))).view(
        pairs, pairs
    )  # the kernel: a batch of two
    one, two = float(h.mean(1).var(unbiased=False)), float(h.var(unbiased=False))
    sample = losses(
        "pairwise", pairs, list(itertools.product(range(pairs), repeat=size))
    )  # every outcome of independent draws
    law = u_statistic_variance(size, one, two)
    assert float(sample.mean()) == pytest.approx(float(h.mean()), rel=1e-12)
    assert float(sample.var(unbiased=False)) == pytest.approx(law, rel=1e-10)
    wrong = 4 * one / size  # the leading order alone
    assert float(sample.var(unbiased=False)) != pytest.approx(wrong, rel=0.05)
    infonce = losses("infonce", pairs, list(itertools.product(range(pairs), repeat=size)))
    kernel = losses("infonce", pairs, list(itertools.product(range(pairs), repeat=2))).view(
        pairs, pairs
    )
    assert size == 2 or float(infonce.mean()) != pytest.approx(float(kernel.mean()), rel=1e-3)


# law 61: InfoNCE is biased by O(1 / B) ----------------------------------------------------------------------


@pytest.mark.parametrize("size", [32, 64])
def test_the_bias_of_infonce(size):
    count, pairs = 6000, 300
    landscape, x = encoder("infonce", pairs, count, correlation=0.0, temperature=1.5)
    first, second = (landscape.views[0, :, view] @ x[0, 0].view(2, 3).T for view in (0, 1))
    scores = torch.exp(first @ second.T / 1.5)  # (M, M)
    mean = scores.mean(1)
    own = scores.diagonal()
    index = streams(count).integers("data", pairs, (size,))
    exact = (mean.log() - own.log())[index].mean(
        1
    )  # of the same anchors, against all pairs: its mean has no bias
    bias = landscape.loss(x, batches(index))[:, 0] - exact
    negatives, positive = (
        -(scores.var(1, unbiased=False) / mean**2 / 2).mean() / size,
        (own / mean - 1).mean() / size,
    )
    error, next_order = bias.std() / count**0.5, 0.1 * negatives.abs()
    told(
        61,
        LAWS[61],
        f"bias, K = {size}",
        negatives + positive,
        bias.mean(),
        error=error,
        bias=next_order,
        mutant=2 * negatives + positive,
    )
    assert abs(float(bias.mean())) > ERRORS * float(error + next_order), "it is biased"
    assert landscape.loss(x, batches(index)).min() >= -math.log(size), (
        "the bound on information is at most ln B"
    )


@pytest.mark.parametrize("size", [8, 128])
def test_law_61_the_bound_on_information_ends_at_ln_k(size):
    """Views that tell their pair from all others reach it; the positive is one of the K."""
    landscape = Contrastive(
        objective="infonce", features=64, embedding=64, pairs=size, correlation=1.0
    ).bind(streams())
    loss = landscape.loss(torch.eye(64, dtype=torch.float64).flatten()[None, None] * 3)
    told(
        61,
        LAWS[61],
        f"bound, K = {size}",
        math.log(size),
        -loss.item(),
        bias=1e-9,
        mutant=math.log(size - 1),
    )
