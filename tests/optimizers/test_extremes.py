"""Numbers so large or so small that their squares cannot be held.

Methods do with them what they do with ordinary ones.
"""

import math

import pytest
import torch

from landscapes.base import Answer, Problem, Reals
from landscapes.numerics import norm, safe_unit
from optimizers import OPTIMIZERS
from optimizers.gradient.step_sizes import StepSize
from tests.support.each import each
from tests.support.play import bowl, build, make, play

FLOATS = {
    torch.float32: 80,
    torch.float64: 600,
}  # the square of 2^80, and of 2^-80, is no number of float32
BOTH = each("dtype", FLOATS)
SIGN = each("sign", [1, -1], ids=["large", "small"])


# lengths ----------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("exponent", [-1000, -500, -148, -120, -60, 0, 60, 120, 126, 500, 1022])
def test_lengths_beside_those_of_python(dtype, exponent):
    limits = torch.finfo(dtype)
    if not math.log2(limits.smallest_normal) - 20 < exponent < math.log2(limits.max) - 1:
        pytest.skip("no number of this dtype")
    x = (
        torch
        .tensor([[3.0, -4.0, 12.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
        .mul_(2.0 ** (exponent - 4))
        .to(dtype)
    )
    lengths = [math.hypot(*row) for row in x.tolist()]
    torch.testing.assert_close(
        norm(x),
        torch.tensor(lengths, dtype=dtype),
        rtol=4 * limits.eps,
        atol=limits.smallest_normal * limits.eps,
    )


@BOTH
def test_ordinary_numbers_keep_their_bits(dtype):
    x = make(dtype=dtype).normal("mutation", (50, 7)) * 1e6
    assert torch.equal(norm(x), (x * x).sum(-1).sqrt())
    assert (safe_unit(torch.tensor([0.0, 1e-9, 1.0, 1e9, math.nan], dtype=dtype)) == 1).all()
    assert norm(
        torch.tensor([[math.inf, 1.0], [math.nan, 1.0]], dtype=dtype)
    ).tolist() == pytest.approx([math.inf, math.nan], nan_ok=True)


# gradients --------------------------------------------------------------------------------------------------


def scaled(power):
    return lambda query, dtype: bowl(query, dtype, scale=2.0**power)


def path(kind, options, power, dtype, steps=12):
    states = play(build(kind, options), Reals(), make(dtype=dtype), answer=scaled(power), steps=steps)[
        0
    ]
    return torch.stack([state.points if hasattr(state, "points") else state.point for state in states])


@BOTH
@SIGN
@each(
    ("kind", "options"),
    [
        ("sgd", {"momentum": 0.5, "starts": 3}),
        ("async_sgd", {"workers": 3}),
        ("recombined_sgd", {"population": 3}),
        ("pbt", {"population": 5, "interval": 3}),
    ],
)
def test_a_clipped_step_does_not_depend_on_the_size_of_the_gradient(kind, options, sign, dtype):
    """Clipped at 2^-20, 2^k g makes the step of g clipped there, bit for bit.

    With clip and rate scaled instead, so does 2^-k g.
    """
    clip, rate, power = 2.0**-20, 2.0**16, sign * FLOATS[dtype]
    if sign > 0:
        changed = path(kind, options | {"clip": clip, "learning_rate": rate}, power, dtype)
    else:
        changed = path(
            kind,
            options | {"clip": clip * 2.0**power, "learning_rate": rate / 2.0**power},
            power,
            dtype,
        )
    plain = path(kind, options | {"clip": clip, "learning_rate": rate}, 0, dtype)
    assert torch.equal(changed, plain)
    assert not torch.equal(plain[1], plain[0])


@BOTH
@each("size", [1e-6, 1.0, 1e20, 1e37])
def test_the_length_of_a_clipped_step(dtype, size):
    """One step from 0: exactly the rate times the clip along -g, whatever the length of g."""
    slope = torch.tensor([[[3.0, 4.0]]], dtype=dtype) * size
    optimizer = build("sgd", {"clip": 1e-7, "learning_rate": 100.0})
    s = make([0], dtype)
    state = optimizer.init(Problem(2, Reals(), True, lambda n: torch.zeros(1, n, 2, dtype=dtype)), s)
    state, _ = optimizer.tell(
        state, optimizer.ask(state, s), Answer(torch.zeros(1, 1, dtype=dtype), slope), s
    )
    torch.testing.assert_close(
        state.points[0, 0], torch.tensor([-6e-6, -8e-6], dtype=dtype), rtol=1e-6, atol=0
    )


@BOTH
@SIGN
def test_adam_does_not_depend_on_the_size_of_the_gradient(dtype, sign):
    """Where epsilon is negligible.

    Between steps of ordinary size too, since a moment of 2^80 fades over many steps.
    """
    epsilon, power = 2.0**-100, sign * FLOATS[dtype]
    options = {"learning_rate": 0.05, "beta2": 0.9}
    plain = path("adam", options | {"epsilon": epsilon}, 0, dtype)
    least = 2.0**-125 if dtype == torch.float32 else 2.0**-1000
    torch.testing.assert_close(
        path("adam", options | {"epsilon": least}, power, dtype), plain, rtol=1e-5, atol=0
    )
    if sign > 0:
        assert torch.equal(
            path("adam", options | {"epsilon": epsilon}, 3, dtype),
            path("adam", options | {"epsilon": epsilon}, power, dtype),
        )


def naive_adam(slopes, rate, beta1, beta2, epsilon):
    """One coordinate in Python's integers of any size: fractions of 2^-400."""
    from fractions import Fraction as F

    m, v, x, out = F(0), F(0), 0.0, []
    for t, g in enumerate(slopes, 1):
        m, v = F(beta1) * m + (1 - F(beta1)) * F(g), F(beta2) * v + (1 - F(beta2)) * F(g) ** 2
        top, square = m / (1 - F(beta1) ** t), v / (1 - F(beta2) ** t)
        root = math.isqrt(square.numerator * 4**600 // square.denominator)
        x -= rate * float(top / (F(root, 2**600) + F(epsilon)))
        out.append(x)
    return out


@BOTH
def test_adam_beside_a_loop_of_fractions(dtype):
    """Gradients that jump between 1, 1e25 and 1e-25.

    Beta2 = 1/2 lets the second moment fall through all sizes.
    """
    slopes = [1.0, 1e25, *[1.0] * 60, 0.0, *[1e-25] * 200, -1e25, 1.0, 1e-25]
    slopes = torch.tensor(slopes, dtype=dtype)
    moving, x = told_moments(slopes, dtype), []
    for move in moving:
        x.append((x[-1] if x else 0.0) - 0.5 * move)
    naive = naive_adam(slopes.double().tolist(), 0.5, 0.75, 0.5, 2.0**-120)
    torch.testing.assert_close(
        torch.tensor(x),
        torch.tensor(naive),
        rtol=1e-4 if dtype == torch.float32 else 1e-10,
        atol=1e-4 if dtype == torch.float32 else 1e-10,
    )


def told_moments(slopes, dtype):
    from optimizers.gradient.steps import Moments, adam

    moments, moves = Moments.none(torch.zeros(1, 1, 1, dtype=dtype)), []
    for t, slope in enumerate(slopes, 1):
        move, moments = adam(
            moments, slope.reshape(1, 1, 1), torch.tensor([float(t)]).double(), 0.75, 0.5, 2.0**-120
        )
        moves.append(move.double().item())
    return moves


@BOTH
def test_lbfgs_does_not_depend_on_the_unit_of_the_loss(dtype):
    """2^k L for L, bit for bit: the first step is as long in both, and later ones divide by the curvature."""
    options = {"first_step": 2.0**-3, "memory": 3}
    plain, large = (path("lbfgs", options, power, dtype, steps=40) for power in (6, FLOATS[dtype]))
    assert torch.equal(plain, large)
    assert (plain[-1] - 0.3).abs().max() < 1e-3


@BOTH
@each("size", [1e-15, 1e-25, 1.0, 1e10, 1e25])
def test_step_sizes_follow_noise_of_any_size(dtype, size):
    """Of clt with a tolerance in units of the noise, and inverse_variance, multiply by the same numbers whatever the unit."""
    g = make(dtype=dtype).normal("mutation", (30, 5)) * (1 + torch.arange(30, dtype=dtype)[:, None] % 7)
    multipliers = []
    for unit in (1.0, size):
        for kind, tolerance in (("clt", 2.0 * unit), ("inverse_variance", None)):
            rule = StepSize(kind=kind, tolerance=tolerance, memory=4)
            mean, spread = torch.zeros(8, 1, 5, dtype=dtype), torch.zeros(8, 1, 2, dtype=dtype)
            for t in range(30):
                mean, spread = rule.seen(mean, spread, g[:, t : t + 1] * unit, torch.full((8,), t))
            multipliers.append(rule.multiplier(spread))
    assert ((multipliers[0] > 0) & (multipliers[0] < 1)).all()
    for plain, other in zip(multipliers[:2], multipliers[2:], strict=True):
        torch.testing.assert_close(other, plain, rtol=1e-4, atol=1e-6)


# points -----------------------------------------------------------------------------------------------------

LENGTHS = {  # hyperparameters in units of x, or of the loss, which here is a length
    "metropolis": ("sigma", "temperature"),
    "simulated_annealing": ("sigma", "temperature"),
    "parallel_tempering": ("sigma", "coldest", "hottest"),
    "nelder_mead": ("step",),
    **dict.fromkeys(
        ("ga", "wright_fisher", "steady_state_ga", "island_ga", "async_steady_state_ga", "coevolution"),
        ("mutation_sigma",),
    ),
}
FREE = {
    "consensus": {"alpha": 0.0, "noise": "isotropic"},
    "wright_fisher": {"selection_strength": 0.0},
}  # of what is not a length
FIXED = (
    "openai_es",
    "spsa",
)  # their learning rate is in units of x^2 per loss, or their gains are numbers
LIBRARIES = ("evotorch", "pycma", "deap_ga", "deap_cma")  # another library's numbers
KINDS = [
    kind
    for kind, cls in OPTIMIZERS.items()
    if Reals in cls.domains and not cls.gradient and kind not in FIXED + LIBRARIES
]
UNITS = [  # each kind in a large and in a small unit, one in each dtype; the other way round in `make verify`
    pytest.param(kind, sign, dtype, marks=[pytest.mark.verify] * ((place + i + j) % 2))
    for place, kind in enumerate(KINDS)
    for i, sign in enumerate((1, -1))
    for j, dtype in enumerate(FLOATS)
]


def cone(unit):
    """Of a unit for all worlds, or one for each (R, 1, 1)."""

    def answer(query, dtype):
        away = (query.points.to(dtype) - 0.3 * unit).abs()
        return Answer((away * (1 + torch.arange(away.shape[-1], dtype=dtype) / 4)).sum(-1))

    return answer


def in_a_cone(kind, options, unit, dtype, box=1.0):
    """Recommendations (steps, R, D), start and loss in a unit."""
    optimizer, s = build(kind, options | FREE.get(kind, {})), make(dtype=dtype)
    domain = Reals(-box, box)
    where = Problem(5, domain, True, lambda n: (2 * s.at(0).uniform("init", (n, 5)) - 1) * unit)
    states = [optimizer.init(where, s.at(0))]
    for step in range(1, 9):
        query = optimizer.ask(states[-1], s.at(step))
        states.append(optimizer.tell(states[-1], query, cone(unit)(query, dtype), s.at(step))[0])
    return torch.stack([optimizer.recommend(state) for state in states])


@pytest.mark.parametrize(("kind", "sign", "dtype"), UNITS)
def test_methods_that_read_values_do_not_depend_on_the_unit_of_length(kind, sign, dtype):
    """Box, start, hyperparameters and loss in units of 2^k.

    Every recommendation is 2^k times what it was, bit for bit.
    """

    def run(unit):
        options = {key: getattr(OPTIMIZERS[kind](), key) * unit for key in LENGTHS.get(kind, ())}
        return in_a_cone(kind, options, unit, dtype, box=unit)

    unit = 2.0 ** (sign * FLOATS[dtype])
    plain = run(1.0)
    assert torch.equal(run(unit) / unit, plain)
    assert not torch.equal(plain[-1], plain[0]) or kind == "wright_fisher"


SIZED = [kind for kind in KINDS if "sigma" in OPTIMIZERS[kind]().parameters()]


@each("kind", SIZED)
def test_worlds_of_different_sizes_do_not_meet(kind):
    """Start, hyperparameters and loss of each world in a unit of its own, 2^80 and 2^-80 side by side in float32.

    Every recommendation of a world is its unit times what it was, bit for bit.
    """
    lengths = {key: getattr(OPTIMIZERS[kind](), key) or 0.6 for key in LENGTHS.get(kind, ("sigma",))}
    units = 2.0 ** torch.tensor([80.0, 0.0, -80.0, 0.0, 40.0, -40.0, 0.0, 80.0], dtype=torch.float64)
    sized = {key: length * units for key, length in lengths.items()}
    unit = units.float()[:, None, None]
    plain = in_a_cone(kind, lengths, 1.0, torch.float32)
    assert torch.equal(in_a_cone(kind, sized, unit, torch.float32) / unit[:, 0], plain)
    assert not torch.equal(plain[-1], plain[0])


@pytest.mark.parametrize("antithetic", [True, False])
def test_a_sigma_whose_square_is_no_number(antithetic):
    """openai_es with sigma 1e-25 in float32: beside the estimate of the gradient in Python's numbers."""
    optimizer, s = (
        build(
            "openai_es",
            {"sigma": 1e-25, "learning_rate": 1e-30, "antithetic": antithetic, "shaping": "raw"},
        ),
        make(dtype=torch.float32),
    )
    state = optimizer.init(
        Problem(3, Reals(), True, lambda n: torch.zeros(8, n, 3, dtype=torch.float32)), s.at(0)
    )
    query = optimizer.ask(state, s.at(1))
    value = query.points[..., 0].sign() + query.points[..., 1].sign() / 4
    state, _ = optimizer.tell(state, query, Answer(value), s.at(1))
    for world, (points, values) in enumerate(zip(query.points.tolist(), value.tolist(), strict=True)):
        base = 0.0 if antithetic else sum(values) / len(values)
        count = len(values) - (not antithetic)
        slope = [
            sum((v - base) * p[d] for v, p in zip(values, points, strict=True)) / (1e-50 * count)
            for d in range(3)
        ]
        assert optimizer.recommend(state)[world].tolist() == pytest.approx(
            [-1e-30 * g for g in slope], rel=1e-4, abs=0
        )
