"""Continuous landscapes beside naive loops, what they say of themselves, and the covariances that they set."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.special
import torch

from landscapes.base import Terms
from landscapes.continuous.barrier import Barrier
from landscapes.continuous.canyon import Canyon
from landscapes.continuous.cosine_rugged import CosineRugged
from landscapes.continuous.double_well import DoubleWell
from landscapes.continuous.fisher import Fisher
from landscapes.continuous.gaussian_field import GaussianField
from landscapes.continuous.quadratic import Quadratic
from landscapes.continuous.rosenbrock import Rosenbrock
from landscapes.continuous.saddle import Saddle
from landscapes.oracle.evaluation import evaluate
from landscapes.streams import Streams
from tests.references import continuous as reference
from tests.support.each import each

WORLDS = torch.arange(4)
ERRORS = 4.5  # standard errors allowed


def streams(worlds=WORLDS, dtype=torch.float64):
    return Streams(seed=11, worlds=torch.as_tensor(worlds), dtype=dtype)


def columns(landscape, r):
    return None if landscape.rotation is None else landscape.rotation[r].tolist()


# each beside a loop -----------------------------------------------------------------------------------------


def naive_double_well(one, r, x):
    y = reference.seen_from(x, [0.0] * one.dim, columns(one, r))
    lowest = scipy.optimize.minimize_scalar(
        lambda u: reference.double_well(u, [], one.barrier, one.tilt, 0),
        bounds=(-3, 0),
        method="bounded",
        options={"xatol": 1e-12},
    )
    return (
        reference.double_well(y[0] / one.width, y[1:], one.barrier, one.tilt, one.stiffness)
        - lowest.fun
    )


def naive_barrier(one, r, x):
    del r
    return reference.barrier(x, one.height, one.distance, one.step, one.curvature)


def naive_saddle(one, r, x):
    y, h = reference.seen_from(x, [0.0] * one.dim, columns(one, r)), one.hessian().tolist()
    depth = sum(v * v / (4 * one.confinement) for v in h if v < 0) if one.confinement else 0.0
    return reference.saddle(y, h, one.confinement) + depth


def naive_canyon(one, r, x):
    y = reference.seen_from(x, one.optimum[r].tolist(), columns(one, r))
    return reference.canyon(y, one.condition, one.curvature, one.bend, one.period)


def naive_cosine_rugged(one, r, x):
    y = reference.seen_from(x, one.optimum[r].tolist(), columns(one, r))
    return reference.cosine_rugged(y, one.curvature, one.amplitude, one.wavelength)


def naive_fisher(one, r, x):
    selection, mutation = one.selection[r].square().tolist(), one.mutation[r].square().tolist()
    return reference.fisher(
        x, one.optimum[r].tolist(), columns(one, r), selection, mutation, one.width, one.epistasis
    )


KINDS = {
    "double_well": (
        DoubleWell(dim=3, barrier=2.0, width=0.7, tilt=1.9, stiffness=3.0),
        naive_double_well,
    ),
    "double_well-rotated": (DoubleWell(dim=5, tilt=0.0, rotated=True), naive_double_well),
    "barrier": (Barrier(distance=5.0, spread=2.0), naive_barrier),
    "barrier-3d": (
        Barrier(dim=3, height=0.3, distance=2.1, step=0.1, curvature=3.0, spread=1.0),
        naive_barrier,
    ),
    "saddle": (
        Saddle(
            dim=4,
            unstable=3,
            stable_curvature=5.0,
            unstable_curvature=0.5,
            condition=10.0,
            starts="box",
        ),
        naive_saddle,
    ),
    "saddle-confined": (
        Saddle(dim=5, unstable=2, condition=4.0, confinement=0.3, rotated=True, starts="box", box=3.0),
        naive_saddle,
    ),
    "canyon": (Canyon(dim=3, condition=30.0, curvature=2.0, bend=0.5, period=3.0), naive_canyon),
    "canyon-rotated": (Canyon(dim=5, rotated=True, shifted=True), naive_canyon),
    "rosenbrock": (
        Rosenbrock(dim=5, steepness=7.0),
        lambda one, r, x: reference.rosenbrock(x, one.steepness),
    ),
    "cosine_rugged": (
        CosineRugged(dim=3, ruggedness=20.0, wavelength=0.4, curvature=3.0),
        naive_cosine_rugged,
    ),
    "cosine_rugged-rotated": (CosineRugged(dim=5, rotated=True, shifted=True), naive_cosine_rugged),
    "fisher": (
        Fisher(
            dim=4,
            width=2.0,
            epistasis=3.0,
            selection_condition=50.0,
            mutation_condition=7.0,
            shifted=True,
        ),
        naive_fisher,
    ),
    "fisher-cusp": (
        Fisher(dim=3, epistasis=0.7, mutation_condition=9.0, rotated=False, starts="box"),
        naive_fisher,
    ),
}
kinds = each("kind", KINDS)


@kinds
def test_losses_against_loops(kind):
    landscape, naive = KINDS[kind]
    bound = landscape.bind(streams())
    x = bound.start(streams(), 3)
    wanted = [[naive(bound, r, point) for point in x[r].tolist()] for r in range(4)]
    np.testing.assert_allclose(bound.loss(x), wanted, rtol=1e-11, atol=1e-12)


@kinds
def test_the_optimum_has_loss_zero_and_slope_zero(kind):
    bound = KINDS[kind][0].bind(streams())
    assert (bound.optimum is not None) == bound.gap_known == (kind != "saddle")
    if bound.gap_known:
        answer = evaluate(bound, bound.optimum[:, None], gradient=True)
        assert answer.value.abs().max() <= 1e-20
        assert answer.gradient.abs().max() <= 1e-13


@kinds
def test_single_precision_agrees_with_double(kind):
    bound = KINDS[kind][0].bind(streams())
    tables = {k: v.float() for k, v in vars(bound).items() if isinstance(v, torch.Tensor)}
    numbers = tuple(number.float() for number in getattr(bound, "numbers", ()))
    single = bound.bound(**tables, numbers=numbers)
    x = bound.start(streams(), 5)
    near, exact = evaluate(single, x.float(), gradient=True), evaluate(bound, x, gradient=True)
    scale = exact.gradient.abs().amax()
    assert near.value.dtype == torch.float32
    torch.testing.assert_close(near.value.double(), exact.value, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        near.gradient.double() / scale, exact.gradient / scale, rtol=0, atol=1e-4
    )


@each(
    ("make", "message"),
    [
        (
            lambda: DoubleWell(barrier=1.0, tilt=1.54),
            r"double_well.tilt: expected < 1.54 barriers = 1.54, or one well is left, got 1.54",
        ),
        (lambda: DoubleWell(tilt=-0.1), "double_well.tilt: expected >= 0, got -0.1"),
        (
            lambda: DoubleWell(dim=3, terms=3),
            "double_well.terms: expected 1 .* more than dim = 3, got 3",
        ),
        (
            lambda: DoubleWell(starts="left"),
            "double_well.starts: expected one of box, wrong_well, got 'left'",
        ),
        (
            lambda: Barrier(height=1.0, step=0.0, distance=2.8),
            r"barrier.distance: expected >= 2.828, at which both wells reach the height 1, got 2.8",
        ),
        (lambda: Saddle(dim=3, unstable=3), "saddle.unstable: expected at most dim - 1 = 2, got 3"),
        (lambda: Saddle(dim=1, unstable=1), "saddle.dim: expected >= 2, got 1"),
        (lambda: Saddle(dim=3, terms=2), "saddle.terms: expected 1 .* more than dim = 3, got 2"),
        (
            lambda: Saddle(dim=3, noise="axes", noise_axes=(1.0,)),
            "saddle.noise_axes: expected 3 numbers with noise 'axes', got 1",
        ),
        (
            lambda: Saddle(dim=3, noise_axes=(1.0,)),
            "saddle.noise_axes: expected 0 numbers with noise 'isotropic', got 1",
        ),
        (
            lambda: Saddle(dim=2, noise="axes", noise_axes=(1.0, -1.0)),
            r"saddle.noise_axes: expected numbers >= 0, got \[1.0, -1.0\]",
        ),
        (lambda: Canyon(dim=1), "canyon.dim: expected >= 2, got 1"),
        (lambda: Canyon(condition=0.9), "canyon.condition: expected >= 1, got 0.9"),
        (lambda: Rosenbrock(dim=1), "rosenbrock.dim: expected >= 2, got 1"),
        (lambda: CosineRugged(ruggedness=-1.0), "cosine_rugged.ruggedness: expected >= 0, got -1.0"),
        (lambda: CosineRugged(wavelength=0.0), "cosine_rugged.wavelength: expected > 0, got 0.0"),
        (
            lambda: GaussianField(spectrum="matern", smoothness=0.7),
            "gaussian_field.smoothness: expected a multiple of 1/2, got 0.7",
        ),
        (
            lambda: GaussianField(spectrum="matern", smoothness=0.0),
            "gaussian_field.smoothness: expected >= 0.5, got 0.0",
        ),
        (
            lambda: GaussianField(spectrum="power_law", inner=1.0),
            "gaussian_field.inner: expected < length = 1.0, got 1.0",
        ),
        (
            lambda: GaussianField(spectrum="white"),
            "gaussian_field.spectrum: expected one of rbf, matern, power_law, got 'white'",
        ),
    ],
)
def test_parameters_out_of_range_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# noise of the terms -----------------------------------------------------------------------------------------


def gradient_covariance(bound):
    """Of the terms, at a point that does not matter: (R, D, D)."""
    x, m = bound.start(streams(), 1), bound.terms
    ones = torch.ones(4, 1, 1).double()
    g = torch.stack(
        [
            evaluate(bound, x, Terms(torch.full((4, 1, 1), i), ones), gradient=True).gradient[:, 0]
            for i in range(m)
        ],
        1,
    )
    g = g - g.mean(1, keepdim=True)
    return g.mT @ g / m


SIZES = [3.0, 1.5, 0.5, 0.25]
NOISES = {
    "isotropic": [1.0] * 4,
    "hessian": [4 * h / sum(SIZES) for h in SIZES],
    "inverse_hessian": [4 / h / sum(1 / s for s in SIZES) for h in SIZES],
    "axes": [4.0, 0.0, 0.25, 1e-4],
}


@each("noise", NOISES)
@each("rotated", [False, True])
def test_saddle_noise_has_exactly_the_set_covariance(noise, rotated):
    axes = (2.0, 0.0, 0.5, 0.01) if noise == "axes" else ()
    options = {
        "unstable": 2,
        "stable_curvature": 3.0,
        "unstable_curvature": 0.5,
        "condition": 2.0,
        "terms": 7,
        "starts": "box",
    }
    bound = Saddle(
        dim=4, rotated=rotated, noise=noise, noise_axes=axes, noise_scale=1.5, **options
    ).bind(streams())
    basis = torch.eye(4).double().expand(4, 4, 4) if bound.rotation is None else bound.rotation
    found = basis.mT @ gradient_covariance(bound) @ basis
    torch.testing.assert_close(
        found,
        2.25 * torch.tensor(NOISES[noise], dtype=torch.float64).diag().expand(4, 4, 4),
        rtol=0,
        atol=1e-12,
    )
    assert noise == "axes" or abs(float(found[0].trace()) - 4 * 2.25) <= 1e-12, (
        "laws are compared at equal trace"
    )
    if noise == "axes" and not rotated:
        assert torch.equal(bound.slopes[..., 1], torch.zeros(4, 7).double()), (
            "no noise at all on that axis"
        )


def test_barrier_is_what_it_says():
    """Bottoms and top at their heights, flat between the rims, and slopes of the wells beside them."""
    landscape = Barrier(dim=2, height=0.5, distance=4.0, step=0.3, curvature=2.0)
    rims = 0.8**0.5, 4 - 0.5**0.5
    assert landscape.flat == pytest.approx(rims[1] - rims[0])
    loss, slope, _ = along(landscape, (0.0, 4.0, 2.0, rims[0] + 1e-9, rims[1] - 1e-9, rims[1] + 1e-9))
    np.testing.assert_allclose(loss, [0, 0.3, 0.8, 0.8, 0.8, 0.8], atol=1e-8)
    np.testing.assert_allclose(slope, [0, 0, 0, 0, 0, -2 * 0.5**0.5], atol=1e-8)
    bound = landscape.bind(streams())
    assert torch.equal(bound.start(streams(), 3), torch.tensor([4.0, 0.0]).double().expand(4, 3, 2))
    even = Barrier(step=0.0).bind(streams())
    assert torch.equal(even.loss(even.optima), torch.zeros(4, 2).double())


@pytest.mark.parametrize("rotated", [False, True])
def test_double_well_noise_has_exactly_the_set_covariance(rotated):
    bound = DoubleWell(dim=3, terms=5, noise_scale=0.5, rotated=rotated).bind(streams())
    found = gradient_covariance(bound)
    torch.testing.assert_close(found, 0.25 * torch.eye(3).double().expand(4, 3, 3), rtol=0, atol=1e-12)
    assert not torch.allclose(found * 5 / 4, 0.25 * torch.eye(3).double(), rtol=0.01), (
        "the normaliser is M, not M - 1"
    )


# double well ------------------------------------------------------------------------------------------------


def along(landscape, places):
    """Loss, slope and curvature along x_1 at places, by automatic differentiation."""
    bound = landscape.bind(streams([0]))
    y = torch.tensor(places, dtype=torch.float64, requires_grad=True)
    x = torch.nn.functional.pad(y[None, :, None], (0, landscape.dim - 1))
    loss = bound.loss(x)[0]
    (slope,) = torch.autograd.grad(loss.sum(), y, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), y)
    return loss.detach(), slope.detach(), curvature


@each(
    ("barrier", "width", "tilt"),
    [(1.0, 1.0, 0.0), (0.25, 1.0, 0.05), (3.0, 0.4, 4.6), (2.0, 5.0, 1e-3)],
)
def test_double_well_says_where_its_wells_and_its_saddle_are(barrier, width, tilt):
    landscape = DoubleWell(dim=2, barrier=barrier, width=width, tilt=tilt)
    loss, slope, curvature = along(landscape, landscape.stationary)
    np.testing.assert_allclose(slope, 0, atol=1e-12)
    np.testing.assert_allclose(curvature, landscape.curvatures, rtol=1e-9)
    np.testing.assert_allclose(loss, [0, landscape.barrier_left, landscape.step], atol=1e-13)
    left, saddle, right = landscape.stationary
    assert left < saddle < right
    assert curvature[1] < 0 < min(curvature[0], curvature[2])
    assert landscape.barrier_right == pytest.approx(landscape.barrier_left - landscape.step)
    assert 0 < landscape.barrier_right <= landscape.barrier_left
    assert abs(landscape.step - 2 * tilt) <= tilt**2 / barrier + 1e-14


def test_double_well_is_the_textbook_quartic():
    landscape = DoubleWell(dim=1, barrier=0.25, width=1.0, tilt=0.0)
    assert landscape.stationary == pytest.approx((-1, 0, 1), abs=1e-15)
    assert landscape.curvatures == pytest.approx((2, -1, 2))
    assert landscape.barrier_left == pytest.approx(0.25)
    x = torch.linspace(-2, 2, 9).double()
    np.testing.assert_allclose(
        landscape.bind(streams([0])).loss(x[None, :, None])[0], x**4 / 4 - x**2 / 2 + 0.25, atol=1e-15
    )


@pytest.mark.parametrize("rotated", [False, True])
def test_starts_in_the_wrong_well(rotated):
    landscape = DoubleWell(dim=3, tilt=0.3, starts="wrong_well", rotated=rotated)
    bound = landscape.bind(streams())
    answer = evaluate(bound, bound.start(streams(), 5), gradient=True)
    np.testing.assert_allclose(answer.value, landscape.step, rtol=1e-12)
    np.testing.assert_allclose(answer.gradient, 0, atol=1e-12)
    many = torch.arange(2000)
    bound = DoubleWell(dim=3, starts="wrong_well", spread=0.2).bind(streams(many))
    away = bound.start(streams(many), 1)[:, 0] - torch.tensor(
        [bound.stationary[2], 0, 0], dtype=torch.float64
    )
    assert (away.mean(0).abs() <= ERRORS * 0.2 / 2000**0.5).all()
    assert ((away.square().mean(0) - 0.04).abs() <= ERRORS * 0.04 * (2 / 2000) ** 0.5).all()


# the others -------------------------------------------------------------------------------------------------


@each("ruggedness", [0.0, 0.9, 4.59, 4.62, 30.0, 20 * math.pi**2])
@each("wavelength", [0.3, 1.0])
def test_minima_of_the_rugged_bowl_are_counted(ruggedness, wavelength):
    landscape = CosineRugged(dim=1, ruggedness=ruggedness, wavelength=wavelength)
    reach = (ruggedness / (2 * math.pi) + 2) * wavelength
    x = torch.linspace(-reach, reach, 200_001).double()
    value = landscape.bind(streams([0])).loss(x[None, :, None])[0]
    found = int(((value[1:-1] < value[:-2]) & (value[1:-1] < value[2:])).sum())
    assert found == landscape.minima_per_axis
    assert ruggedness < 30 or abs(found - ruggedness / math.pi) <= 2
    assert ruggedness != 20 * math.pi**2 or found == 63


def test_the_rugged_bowl_is_a_quadratic_and_rastrigin_at_its_ends():
    smooth = CosineRugged(dim=3, ruggedness=0.0, curvature=1.5).bind(streams())
    x = smooth.start(streams(), 4)
    torch.testing.assert_close(
        smooth.loss(x), Quadratic(dim=3, condition=1.0, curvature=1.5).bind(streams()).loss(x)
    )
    rastrigin = CosineRugged(dim=3, ruggedness=20 * math.pi**2, curvature=2.0).bind(streams())
    torch.testing.assert_close(rastrigin.loss(x), 30 + (x**2 - 10 * torch.cos(2 * math.pi * x)).sum(-1))


def flat_direction(bound, along):
    """Eigenvector of the smallest eigenvalue of the Hessian on the floor of a canyon, and the condition number."""
    floor = torch.tensor(
        [along, bound.bend * math.sin(2 * math.pi * along / bound.period), 0.0], dtype=torch.float64
    )
    hessian = torch.autograd.functional.hessian(lambda x: bound.loss(x[None, None])[0, 0], floor)
    values, vectors = torch.linalg.eigh(hessian)
    return vectors[:, 0], float(values[-1] / values[0])


def test_a_straight_canyon_is_a_quadratic_and_a_winding_one_turns():
    straight = Canyon(dim=3, condition=50.0, bend=0.0).bind(streams([0]))
    hessian = torch.autograd.functional.hessian(
        lambda x: straight.loss(x[None, None])[0, 0], torch.tensor([1.0, 2.0, 3.0]).double()
    )
    torch.testing.assert_close(hessian, torch.tensor([0.02, 1.0, 1.0]).double().diag())
    winding = Canyon(dim=3, condition=1e4, bend=1.0, period=4.0).bind(streams([0]))
    (ahead, _), (back, _) = flat_direction(winding, 0.0), flat_direction(winding, 2.0)
    angle = math.acos(abs(float(ahead @ back)))
    assert angle == pytest.approx(math.pi - 2 * math.atan(math.pi / 2), abs=1e-3), (
        "the floor turns by twice arctan(2 pi b / p)"
    )


def test_rosenbrock_is_that_of_scipy_and_has_a_second_minimum():
    landscape = Rosenbrock(dim=6).bind(streams())
    x = landscape.start(streams(), 3)
    np.testing.assert_allclose(
        landscape.loss(x), [[scipy.optimize.rosen(p) for p in row] for row in x.numpy()], rtol=1e-13
    )
    for dim in (4, 5, 7):
        other = scipy.optimize.minimize(
            scipy.optimize.rosen, [-1.0] + [1.0] * (dim - 1), jac=scipy.optimize.rosen_der, tol=1e-10
        )
        point = torch.from_numpy(other.x)[None, None]
        one = Rosenbrock(dim=dim).bind(streams([0]))
        assert 3.7 < float(one.loss(point)) < 4
        assert evaluate(one, point, gradient=True).gradient.abs().max() < 1e-6
        assert (
            torch.linalg.eigvalsh(
                torch.autograd.functional.hessian(
                    lambda y, one=one: one.loss(y[None, None])[0, 0], point[0, 0]
                )
            ).min()
            > 0
        )


def test_saddle_is_what_it_says():
    bound = Saddle(dim=5, unstable=2, rotated=True, condition=4.0, stable_curvature=3.0).bind(
        streams([0])
    )
    hessian = torch.autograd.functional.hessian(
        lambda x: bound.loss(x[None, None])[0, 0], torch.ones(5).double()
    )
    np.testing.assert_allclose(torch.linalg.eigvalsh(hessian), [-1, -0.25, 0.75, 1.5, 3], rtol=1e-12)
    assert torch.equal(bound.loss(bound.start(streams([0]), 2)), torch.zeros(1, 2).double())
    assert float(bound.loss(1e3 * bound.rotation[:, None, :, 4])) == pytest.approx(-0.125e6)
    confined = Saddle(dim=5, unstable=2, unstable_curvature=2.0, confinement=0.5).bind(streams([0]))
    assert float(confined.loss(torch.zeros(1, 1, 5).double())) == pytest.approx(2 * 4 / (4 * 0.5)), (
        "the height of the saddle"
    )
    four = torch.tensor([[0, 0, 0, a, b] for a in (-2, 2) for b in (-2, 2)]).double()
    torch.testing.assert_close(confined.loss(four[None]), torch.zeros(1, 4).double())


# spectra of the gaussian field ------------------------------------------------------------------------------


def matern(r, nu):
    s = math.sqrt(2 * nu) * r
    return 1.0 if r == 0 else 2 ** (1 - nu) / scipy.special.gamma(nu) * s**nu * scipy.special.kv(nu, s)


def power_law(r, dim, exponent, low, high):
    """Mean of the characteristic function of a uniform direction over wave numbers q in [low, high] with density q^-exponent."""

    def sphere(z):
        if dim == 1:
            return math.cos(z)
        return (
            1.0
            if z == 0
            else scipy.special.gamma(dim / 2)
            * (2 / z) ** (dim / 2 - 1)
            * scipy.special.jv(dim / 2 - 1, z)
        )

    mass = scipy.integrate.quad(lambda q: q**-exponent, low, high)[0]
    return scipy.integrate.quad(lambda q: q**-exponent * sphere(q * r), low, high, limit=200)[0] / mass


LAGS = [0.0, 0.4, 1.0, 2.5]
SPECTRA = {
    "matern-1/2": (
        {"spectrum": "matern", "smoothness": 0.5},
        2,
        lambda r: math.exp(-r),
        lambda r: matern(r, 1.5),
    ),
    "matern-3/2": (
        {"spectrum": "matern", "smoothness": 1.5},
        1,
        lambda r: matern(r, 1.5),
        lambda r: matern(r, 0.5),
    ),
    "matern-2": (
        {"spectrum": "matern", "smoothness": 2.0},
        3,
        lambda r: matern(r, 2),
        lambda r: matern(r, 1),
    ),
    "power-1": (
        {"spectrum": "power_law", "exponent": 1.0, "inner": 0.05},
        2,
        lambda r: power_law(r, 2, 1, 1, 20),
        lambda r: power_law(r, 2, 2, 1, 20),
    ),
    "power-5/3": (
        {"spectrum": "power_law", "exponent": 5 / 3, "inner": 0.1},
        1,
        lambda r: power_law(r, 1, 5 / 3, 1, 10),
        lambda r: power_law(r, 1, 1, 1, 10),
    ),
    "power-3d": (
        {"spectrum": "power_law", "exponent": 2.5, "inner": 0.2},
        3,
        lambda r: power_law(r, 3, 2.5, 1, 5),
        lambda r: power_law(r, 2, 2.5, 1, 5),
    ),
}


@pytest.mark.verify
@each("law", SPECTRA)
@each("length", [1.0, 0.3])
def test_gaussian_field_has_the_covariance_of_its_spectrum(law, length):
    options, dim, right, wrong = SPECTRA[law]
    if "inner" in options:
        options = options | {"inner": options["inner"] * length}
    count = 20_000
    direction = (
        torch.tensor([0.6, -0.8, 0.0], dtype=torch.float64)[:dim] if dim > 1 else torch.ones(1).double()
    )
    x = (0.3 + torch.tensor(LAGS, dtype=torch.float64)[:, None] * length * direction).expand(
        count, -1, -1
    )
    field = GaussianField(dim=dim, waves=8, amplitude=1.5, length=length, bowl=0.0, **options).bind(
        streams(torch.arange(count))
    )
    value = field.loss(x)
    products = value * value[:, :1]
    error = products.std(0) / count**0.5

    def deviation(covariance):
        return (
            (
                products.mean(0)
                - 2.25 * torch.tensor([covariance(r) for r in LAGS], dtype=torch.float64)
            ).abs()
            / error
        ).numpy()

    assert (deviation(right) <= ERRORS).all()
    assert (deviation(wrong) > ERRORS).any()


def test_wave_numbers_keep_within_the_cutoffs():
    for exponent in (-1.0, 1.0, 2.0, 3.0):
        field = GaussianField(
            dim=3, waves=500, spectrum="power_law", exponent=exponent, length=2.0, inner=0.1
        ).bind(streams())
        size = field.vectors.square().sum(-1).sqrt()
        assert 0.5 - 1e-12 <= size.min() <= 1.0
        assert 5.0 <= size.max() <= 10 + 1e-12


def test_the_default_field_is_the_same_as_ever():
    """Other spectra draw at addresses of their own."""
    field = GaussianField(dim=3, waves=5, length=0.7).bind(streams())
    assert torch.equal(field.vectors, streams().normal("instance", (5, 3)) / 0.7)
    assert torch.equal(field.phases, 2 * math.pi * streams().uniform("instance", (1, 5), part=1))
    other = GaussianField(dim=3, waves=5, length=0.7, spectrum="matern").bind(streams())
    assert torch.equal(other.phases, field.phases)
