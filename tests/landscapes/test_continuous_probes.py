"""Probes of landscapes on real coordinates.

Beside naive loops, beside closed forms with wrong laws rejected, and their standard errors.
"""

import math

import numpy as np
import pytest
import torch

from landscapes.base import Terms
from landscapes.binary.nk import NK
from landscapes.continuous.cosine_rugged import CosineRugged
from landscapes.continuous.double_well import DoubleWell
from landscapes.continuous.gaussian_field import GaussianField
from landscapes.continuous.quadratic import Quadratic
from landscapes.continuous.saddle import Saddle
from landscapes.networks.digits import Digits
from landscapes.oracle.evaluation import evaluate
from landscapes.probes import correlation, estimates
from landscapes.probes.continuous import extent, gradients, information, line_minima, sampling, walking
from landscapes.streams import Streams
from landscapes.wrappers.moving import Moving
from tests.references import continuous_probes as reference
from tests.support.each import each

ERRORS = 4.5  # standard errors allowed


def streams(worlds, seed=3, dtype=torch.float64):
    return Streams(
        seed=seed,
        worlds=torch.as_tensor(range(worlds) if isinstance(worlds, int) else worlds),
        dtype=dtype,
    )


def bound(landscape, worlds, **kinds):
    return landscape.bind(streams(worlds, **kinds))


def agrees(sample, truth):
    """Whether the mean of a sample over worlds is within the allowed error of a law."""
    return abs(float(sample.mean()) - truth) <= ERRORS * float(sample.std()) / len(sample) ** 0.5


FIELD = GaussianField(dim=3, waves=7, bowl=0.5)


# beside loops -----------------------------------------------------------------------------------------------


def test_autocorrelation_and_length_against_loops():
    landscape, size = bound(FIELD, 3), {"walks": 5, "steps": 40, "step": 0.2}
    rho, length = (
        walking.autocorrelation(landscape, streams(3), **size),
        walking.correlation_length(landscape, streams(3), **size),
    )
    walks = walking.walk(
        landscape, streams(3).at(extent.PLACES["autocorrelation"]), **size
    ).loss.tolist()
    lags = (rho.axis[1] / 0.2).round().long()
    for r in range(3):
        naive = [reference.autocorrelation(walks[r], lag) for lag in lags[r].tolist()]
        np.testing.assert_allclose(rho.value[r], naive, rtol=1e-9, atol=1e-12)
        assert float(length.value[r]) == pytest.approx(
            0.2 * reference.falls_to(naive, lags[r].tolist(), math.exp(-1)), rel=1e-9
        )
    assert (rho.value[:, 0] == 1).all()


def test_falls_to_knows_flat_curves_and_no_numbers():
    at = torch.arange(3.0)
    curves = torch.tensor([[1, 0.5, 0], [1, 1, 1], [1, math.nan, math.nan]])
    assert walking.falls_to(curves, at, 0.25).tolist()[:2] == [1.5, math.inf]
    assert walking.falls_to(curves, at, 0.25)[2].isnan()


def test_walks_have_their_step_and_stay_in_the_box():
    landscape = bound(FIELD, 2)
    for straight in (True, False):
        points = walking.walk(
            landscape, streams(2), walks=3, steps=200, step=0.3, straight=straight
        ).points
        assert points.shape == (2, 3, 201, 3)
        assert points.abs().max() <= 5
        length = points.diff(dim=2).norm(dim=-1)
        assert length.max() <= 0.3 + 1e-9
        assert (length > 0.3 - 1e-9).double().mean() > 0.8, "all but those that meet a wall"
        turns = points.diff(dim=2).diff(dim=2).norm(dim=-1)
        assert (turns < 1e-9).double().mean() > 0.8 if straight else (turns > 1e-3).all()


def test_distance_correlation_against_loops():
    for landscape, kept in ((bound(Quadratic(dim=3, shifted=True), 2), 40), (bound(FIELD, 2), 39)):
        loss, distance, known = sampling.distances(landscape, streams(2), 40)
        assert known == (landscape.optimum is not None)
        assert loss.shape == distance.shape == (2, kept)
        for r in range(2):
            a, b = loss[r].tolist(), distance[r].tolist()
            values = [
                sampling.distance_correlation(landscape, streams(2), samples=40, kind=kind).value[r]
                for kind in ("pearson", "spearman")
            ]
            np.testing.assert_allclose(
                values,
                [reference.pearson(a, b), reference.pearson(reference.ranks(a), reference.ranks(b))],
                rtol=1e-10,
            )
    place = int(sampling.sample(landscape, streams(2).at(extent.PLACES["distance"]), 40)[1][0].argmin())
    assert place not in (
        0,
        39,
    ), "the best stands in the middle, or the test does not see which one is left out"
    assert distance.min() > 0


@each(
    "landscape",
    [
        Saddle(dim=2, unstable=1, confinement=1.0, starts="box", box=2.0),
        Saddle(dim=4, unstable=2, confinement=2.0, condition=3.0, rotated=True, starts="box"),
        DoubleWell(dim=3, rotated=True, tilt=0.0),
    ],
    ids=["saddle", "four minima", "wells"],
)
def test_distances_are_to_the_nearest_of_several_minima(landscape):
    bound_to = bound(landscape, 2)
    _, found, known = sampling.distances(bound_to, streams(2), 60)
    x, loss = sampling.sample(bound_to, streams(2).at(extent.PLACES["distance"]), 60)
    assert known
    assert bound_to.optima.shape[1] == 2 ** getattr(landscape, "unstable", 1)
    for r in range(2):
        minima = bound_to.optima[r].tolist()
        assert all(math.dist(a, b) > 0.5 for i, a in enumerate(minima) for b in minima[:i])
        apart = [min(math.dist(point, one) for one in minima) for point in x[r].tolist()]
        np.testing.assert_allclose(found[r], apart, rtol=1e-12)
        value = sampling.distance_correlation(bound_to, streams(2), samples=60).value[r]
        assert float(value) == pytest.approx(reference.pearson(loss[r].tolist(), apart), rel=1e-10)
    assert bound_to.loss(bound_to.optima).abs().max() < 1e-12


def test_a_tilted_well_and_more_minima_than_are_listed():
    assert bound(DoubleWell(dim=3, tilt=0.2), 2).optima.shape == (2, 1, 3)
    assert bound(Saddle(dim=12, unstable=10, confinement=1.0), 2).optima.shape == (2, 1024, 12)
    many = bound(Saddle(dim=12, unstable=11, confinement=1.0, starts="box"), 2)
    assert many.optima is None
    assert not sampling.distances(many, streams(2), 40)[2]


def test_ranks_share_ties():
    x = torch.tensor([[3.0, 1, 2, 2, 5, 2]])
    assert correlation.ranks(x).tolist() == [reference.ranks(x[0].tolist())]


def test_dispersion_against_loops():
    landscape = bound(FIELD, 2)
    found = sampling.dispersion(landscape, streams(2), samples=50, fractions=(0.01, 0.1, 0.5))
    x, loss = sampling.sample(landscape, streams(2).at(extent.PLACES["dispersion"]), 50)
    naive = [
        [reference.dispersion(x[r].tolist(), loss[r].tolist(), f) for f in (0.01, 0.1, 0.5)]
        for r in range(2)
    ]
    np.testing.assert_allclose(found.value, naive, rtol=1e-10)
    kept = [i for i in range(50) if i * 20 // 50 != 3]
    y, f = x[0, kept], loss[0, kept]
    assert float(
        sampling._dispersions(y[f.argsort()], torch.ones(1, len(kept), dtype=torch.bool), (0.5,))
    ) == pytest.approx(reference.dispersion(y.tolist(), f.tolist(), 0.5), rel=1e-10)


def test_information_against_loops():
    landscape, size = bound(CosineRugged(dim=2), 2), {"walks": 4, "steps": 60, "step": 0.3}
    found = information.information(landscape, streams(2), **size)
    walked = walking.walk(
        landscape, streams(2).at(extent.PLACES["information"]), straight=False, **size
    )
    slope = walked.loss.diff(dim=2) / walked.points.diff(dim=2).norm(dim=-1)
    for r in range(2):
        scale = float(slope[r].square().mean().sqrt())
        for k in (0, 20, 35, 41, 45, 61):
            eps = float(found.content.axis[1][k]) * scale
            assert float(found.content.value[r, k]) == pytest.approx(
                reference.information_content(slope[r].tolist(), eps), abs=1e-12
            )
            assert float(found.partial.value[r, k]) == pytest.approx(
                reference.partial_information_content(slope[r].tolist(), eps), abs=1e-12
            )
        flat = found.content.value[r] < 0.05
        first = int(np.flatnonzero(~flat.numpy())[-1]) + 1
        assert float(found.settling.value[r]) == pytest.approx(
            math.log10(information.THRESHOLDS[first])
        )
    assert torch.equal(found.maximum.value, found.content.value.amax(-1))
    assert torch.equal(found.initial.value, found.partial.value[:, 0])


def test_walks_settle_where_they_stay_flat():
    eps = torch.tensor([0.0, 0.1, 1.0, 10.0, 100.0])
    content = torch.tensor([
        [0.4, 0.01, 0.2, 0.01, 0.0],
        [0.4, 0.01, 0.01, 0.01, 0.2],
        [0.0, 0.0, 0.0, 0.0, 0.0],
    ])
    found = information.settling(content, eps)
    assert found[[0, 2]].tolist() == pytest.approx([1, -1])
    assert found[1].isnan()


@each(
    ("values", "count"),
    [
        ([3, 1, 2], 1),
        ([1, 2, 3], 0),
        ([3, 1, 1, 1, 2, 0, 5], 2),
        ([1, 1, 2, 1, 1], 0),
        ([2, 1, 1], 0),
        ([5, 4, 4, 3, 4], 1),
        ([0, 1, 0, 1, 0], 1),
    ],
)
def test_minima_are_valleys(values, count):
    assert reference.minima(values) == count
    assert int(line_minima.count_minima(torch.tensor([values], dtype=torch.float64))) == count


def test_lines_run_from_wall_to_wall():
    landscape = bound(FIELD, 2)
    place, loss = line_minima.lines(landscape, streams(2), 6, 11)
    assert loss.shape == place.shape == (2, 6, 11)
    ahead = streams(2).at(extent.PLACES["minima"])
    x, drawn = landscape.start(ahead, 6), ahead.normal("mutation", (6, 3))
    unit = drawn / drawn.norm(dim=-1, keepdim=True)
    assert (place[..., 0] <= 0).all()
    for end in (0, -1):
        np.testing.assert_allclose((x + place[..., end, None] * unit).abs().amax(-1), 5, rtol=1e-12)
    torch.testing.assert_close(
        landscape.loss(x + place[..., 5, None] * unit), loss[..., 5], rtol=1e-10, atol=1e-10
    )
    counts = line_minima.minima(landscape, streams(2), count=6, points=101)
    dense = line_minima.lines(landscape, streams(2), 6, 101)
    naive = [
        sum(map(reference.minima, dense[1][r].tolist()))
        / float((dense[0][r, :, -1] - dense[0][r, :, 0]).sum())
        for r in range(2)
    ]
    np.testing.assert_allclose(counts.density.value, naive, rtol=1e-12)


def test_gradients_against_loops():
    landscape = bound(Quadratic(dim=3, terms=7, shifted=True), 2)
    x = torch.ones(2, 1, 3, dtype=torch.float64)
    found = gradients.noise_scale(landscape, streams(2), at=x, points=1, samples=40_000)
    for r in range(2):
        each = [
            evaluate(
                landscape,
                x,
                Terms(torch.full((2, 1, 1), i), torch.ones(2, 1, 1).double()),
                gradient=True,
            )
            .gradient[r, 0]
            .tolist()
            for i in range(7)
        ]
        assert abs(float(found.value[r]) - reference.noise_scale(each)) <= ERRORS * float(
            found.error[r]
        )
        assert float(found.error[r]) < 0.03 * float(found.value[r])
    norm = gradients.gradient_norm(landscape, streams(2), samples=9)
    points = landscape.start(streams(2).at(gradients._START), 9)
    lengths = evaluate(landscape, points, gradient=True).gradient.norm(dim=-1)
    torch.testing.assert_close(norm.value, lengths.mean(-1))
    torch.testing.assert_close(norm.error, lengths.std(-1) / 3)


def test_curvature_is_that_of_the_hessian():
    landscape = bound(Quadratic(dim=4, condition=50, rotated=True, shifted=True), 3)
    hessian = landscape.rotation @ landscape.eigenvalues.diag_embed() @ landscape.rotation.mT
    torch.testing.assert_close(
        gradients.hessian(landscape, landscape.optimum), hessian, rtol=0, atol=1e-9
    )
    found = gradients.curvature(landscape, streams(3))
    np.testing.assert_allclose(found.condition.value, 50, rtol=1e-8)
    assert (found.negative.value == 0).all()
    assert (found.condition.error == 0).all()
    field = bound(FIELD, 3)
    for measure in gradients.curvature(field, streams(3)):
        assert measure.value.isfinite().all()
        assert measure.error.isnan().all(), "one start does not tell how much another would differ"
    x = field.start(streams(3).at(gradients._START), 1)[:, 0]
    for r in range(3):
        exact = torch.autograd.functional.hessian(
            lambda y, r=r: field.loss(torch.cat((x[:r], y[None], x[r + 1 :]))[:, None])[r, 0], x[r]
        )
        torch.testing.assert_close(
            gradients.curvature(field, streams(3)).eigenvalues.value[r],
            torch.linalg.eigvalsh(exact),
            rtol=0,
            atol=1e-6,
        )
    assert float(gradients.curvature(field, streams(3)).negative.value.mean()) == pytest.approx(
        float((gradients.curvature(field, streams(3)).eigenvalues.value < 0).double().mean())
    )


# closed forms -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dim", "scale"), [(2, 1.0), (5, 0.5)])
def test_autocorrelation_of_a_field_is_its_covariance(dim, scale):
    worlds, walks = 60, 64
    field = bound(GaussianField(dim=dim, bowl=0.0, box=40.0, length=scale), worlds)
    size = {"walks": walks, "steps": 48, "step": 0.1 * scale}
    found = walking.autocorrelation(field, streams(worlds), **size)
    lag = found.axis[1][0]
    law, wrong = torch.exp(-(lag**2) / (2 * scale**2)), torch.exp(-(lag**2) / scale**2)
    bias = (
        2.5 / 4.8 / walks
    )  # of the mean that is taken off, itself a mean of so many independent values
    error = found.value.std(0) / worlds**0.5
    assert ((found.value.mean(0) - law).abs() <= ERRORS * error + bias)[1:].all()
    middle = (lag > 0.5 * scale) & (lag < 1.5 * scale)
    assert ((found.value.mean(0) - wrong).abs() > ERRORS * error + bias)[middle].all()
    length = walking.correlation_length(field, streams(worlds), **size).value
    assert agrees(length, scale * 2**0.5)
    assert not agrees(length, scale)


@pytest.mark.parametrize(("dim", "scale"), [(1, 1.0), (4, 0.7)])
def test_density_of_minima_of_a_field_is_rices(dim, scale):
    """Law 37 along a line: sqrt(3) / (2 pi l), whatever the dimension.

    Not the density of zeros, nor that of a plane.
    """
    field = bound(GaussianField(dim=dim, bowl=0.0, box=30.0, length=scale, waves=400), 40)
    found = line_minima.minima(field, streams(40), count=4, points=1025)
    law = 3**0.5 / (2 * math.pi * scale)
    assert agrees(found.density.value, law)
    assert not agrees(found.density.value, 1 / (2 * math.pi * scale))
    assert not agrees(found.density.value, 1 / (2 * math.pi * 3**0.5 * scale**2))
    assert float(found.coarse.value.mean() / found.density.value.mean()) > 0.98, (
        "the grid is fine enough"
    )
    assert (
        float(line_minima.minima(field, streams(40), count=4, points=33).coarse.value.mean())
        < 0.7 * law
    ), "and this one is not"


@pytest.mark.parametrize(
    ("large", "small"), [(None, 1), (None, 16), pytest.param(256, 16, marks=pytest.mark.verify)]
)
def test_noise_scale_of_a_quadratic(large, small):
    """Law 51: G_i = 0.1 in 100 dimensions and Sigma = I give 100."""
    landscape = bound(Quadratic(dim=100, condition=1.0, terms=1000), 12)
    at = torch.full((12, 1, 100), 0.1, dtype=torch.float64)
    found = gradients.noise_scale(landscape, streams(12), at=at, small=small, large=large, samples=100)
    assert agrees(found.value, 100)
    assert not agrees(found.value, 101.5 if large is None else 110)
    spread = float(found.value.std())
    assert 0.5 * spread < float(found.error.mean()) < 2 * spread
    twice = gradients.noise_scale(
        landscape, streams(12), at=2 * at, small=small, large=large, samples=100
    )
    assert agrees(twice.value, 25)


def test_sphere_has_distance_correlation_one():
    """Of ranks exactly; of values that of |x|^2 with |x|, in one dimension sqrt(15)/4."""
    for dim in (1, 6):
        sphere = bound(Quadratic(dim=dim, condition=1.0), 20)
        assert (
            sampling.distance_correlation(sphere, streams(20), samples=200, kind="spearman").value - 1
        ).abs().max() < 1e-12
    found = sampling.distance_correlation(bound(Quadratic(dim=1), 40), streams(40), samples=500)
    assert agrees(found.value, 15**0.5 / 4)
    assert not agrees(found.value, 1)
    needle = bound(GaussianField(dim=2, bowl=0.0, length=0.01), 40)
    assert agrees(sampling.distance_correlation(needle, streams(40), samples=200).value, 0)


def test_dispersion_of_an_interval_and_a_square():
    """The best q of a bowl are an interval of q times the width.

    In the plane a disc of area q, whose mean distance is 128 r / 45 pi.
    """
    fractions = (0.05, 0.1, 0.25)
    line = sampling.dispersion(
        bound(Quadratic(dim=1), 40), streams(40), samples=400, fractions=fractions
    ).value
    plane = sampling.dispersion(
        bound(Quadratic(dim=2, condition=1.0), 40), streams(40), samples=400, fractions=fractions
    ).value
    square = (2 + 2**0.5 + 5 * math.log(1 + 2**0.5)) / 15
    for k, q in enumerate(fractions):
        law = 128 / (45 * math.pi) * (q / math.pi) ** 0.5 / square
        assert abs(float(line[:, k].mean()) - q) < ERRORS * float(line[:, k].std()) / 40**0.5 + 0.003
        assert agrees(plane[:, k], law)
        assert not agrees(plane[:, k], q)
        assert not agrees(line[:, k], q**0.5)


def test_information_of_independent_values():
    """H(0) = 2/3 log_6 3 and M(0) = 2/3; of a random walk 1/2 log_6 4 and 1/2."""
    noise = bound(GaussianField(dim=3, bowl=0.0, length=1e-3), 20)
    found = information.information(noise, streams(20), walks=16, steps=128)
    assert agrees(found.content.value[:, 0], 2 / 3 * math.log(3) / math.log(6))
    assert not agrees(found.content.value[:, 0], 0.5 * math.log(4) / math.log(6))
    assert (
        abs(float(found.initial.value.mean()) - 2 / 3)
        <= ERRORS * float(found.initial.value.std()) / 20**0.5 + 1 / 128
    )
    smooth = information.information(
        bound(GaussianField(dim=3, bowl=0.0, length=100.0), 20), streams(20), walks=16, steps=128
    )
    assert agrees(smooth.content.value[:, 0], 0.5 * math.log(4) / math.log(6)), (
        "on a plane a walk goes up and down by turns of a coin"
    )
    assert not agrees(smooth.content.value[:, 0], 2 / 3 * math.log(3) / math.log(6))


# standard errors, worlds, bad input -------------------------------------------------------------------------

PROBES = {
    "autocorrelation": lambda f, s: walking.autocorrelation(f, s, walks=40, steps=30, step=0.2),
    "correlation_length": lambda f, s: walking.correlation_length(f, s, walks=40, steps=60, step=0.2),
    "pearson": lambda f, s: sampling.distance_correlation(f, s, samples=200),
    "spearman": lambda f, s: sampling.distance_correlation(f, s, samples=200, kind="spearman"),
    "dispersion": lambda f, s: sampling.dispersion(f, s, samples=200),
    "information": lambda f, s: information.information(f, s, walks=40, steps=30).content,
    "partial": lambda f, s: information.information(f, s, walks=40, steps=30).partial,
    "minima": lambda f, s: line_minima.minima(f, s, count=40, points=65).density,
    "gradient_norm": lambda f, s: gradients.gradient_norm(f, s, samples=100),
    "noise_scale": lambda f, s: gradients.noise_scale(f, s, points=1, samples=100, small=4),
}


DAILY = [*PROBES][::4]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in DAILY else pytest.mark.verify) for name in PROBES]
)
def test_standard_errors_are_those_of_drawing_again(name):
    """One instance measured in 150 worlds of luck: the spread of the values is what each says of itself."""
    field = bound(GaussianField(dim=3, waves=30), [5] * 150)
    if name == "noise_scale":  # at one point, whose gradient is the truth
        at = torch.full((150, 1, 3), 0.7, dtype=torch.float64)
        found = gradients.noise_scale(field, streams(150), at=at, points=1, samples=100, small=4)
    else:
        known = name in (
            "pearson",
            "spearman",
        )  # where the optimum is not known, it is one of what is drawn
        found = PROBES[name](bound(CosineRugged(dim=3), [5] * 150) if known else field, streams(150))
    spread, said = found.value.std(0), found.error.square().mean(0).sqrt()
    real = spread > 1e-3 * spread.max()
    ratio = (said / spread)[real] if real.ndim else said / spread
    ratio = (
        ratio[:30] if name in ("information", "partial") else ratio
    )  # thresholds well below the rms slope
    assert 0.75 < float(ratio.median()) < 1.35, ratio
    assert ((ratio > 0.55) & (ratio < 1.8)).all(), ratio


@pytest.mark.parametrize("kind", ["pearson", "spearman"])
def test_standard_errors_where_the_best_is_one_of_what_is_drawn(kind):
    field = bound(FIELD, [5] * 150)
    found = sampling.distance_correlation(field, streams(150), samples=200, kind=kind)
    spread, said = float(found.value.std()), float(found.error.square().mean().sqrt())
    assert 0.6 < spread / said < 1.6
    loss, distance, _ = sampling.distances(field, streams(150), 200)
    given = estimates.jackknife(
        correlation.pearson if kind == "pearson" else correlation.spearman, loss, distance
    )[1]
    assert spread / float(given.square().mean().sqrt()) > 1.6, "with the best given"


@pytest.mark.parametrize("large", [None, 20])
def test_standard_errors_of_the_noise_scale_are_those_of_other_points_too(large):
    bowl = bound(Quadratic(dim=10, terms=50, condition=10.0), [2] * 60)
    found = gradients.noise_scale(bowl, streams(60), large=large)
    spread, said = float(found.value.std()), float(found.error.square().mean().sqrt())
    assert 0.6 < spread / said < 1.6
    at = bowl.start(streams(60).at(gradients._START), 64).mean(0, keepdim=True).expand(60, -1, -1)
    same = gradients.noise_scale(bowl, streams(60), large=large, at=at)
    assert float(same.value.std()) < 0.75 * float(same.error.mean()), "the points are a sample"


@each("name", PROBES)
def test_a_world_does_not_see_the_others(name):
    together = PROBES[name](bound(FIELD, 4), streams(4))
    alone = PROBES[name](bound(FIELD, [2]), streams([2]))
    assert torch.equal(together.value[2], alone.value[0])
    assert torch.equal(together.error[2], alone.error[0])
    assert together.value.shape == together.error.shape
    assert together.unit
    assert together.long_name


@each("name", PROBES)
def test_networks_and_moving_landscapes_are_measured_at_their_starts(name):
    for landscape in (Digits(hidden=1), Moving(inner=FIELD)):
        small = {"minima": lambda f, s: line_minima.minima(f, s, count=3, points=9).density}.get(
            name, PROBES[name]
        )
        if isinstance(landscape, Digits) and name not in ("pearson", "minima", "gradient_norm"):
            continue  # a network costs much
        found = small(bound(landscape, 2), streams(2))
        assert found.value.isfinite().any()


def test_bad_input_is_named():
    with pytest.raises(
        ValueError, match="nk: expected a landscape on real coordinates, got one on bits"
    ):
        walking.correlation_length(bound(NK(n=5, k=1), 2), streams(2))
    with pytest.raises(
        ValueError, match="quadratic: expected a loss that is the mean of terms, got one term"
    ):
        gradients.noise_scale(bound(Quadratic(dim=2), 2), streams(2))
    with pytest.raises(
        ValueError, match="digits: expected at most 50 dimensions for a Hessian, got 85"
    ):
        gradients.curvature(bound(Digits(hidden=1), 1), streams(1))
