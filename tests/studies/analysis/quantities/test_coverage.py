"""How often the interval of a quantity holds the truth, over simulated studies, each a place along one dim."""

import numpy as np
import pytest

from studies.analysis.quantities.evaluate import quantity
from tests.support.analysis import results

NOMINAL, MARGIN = 0.95, 0.03
ARMS = ["A", "B"]
AXIS = np.array([1.0, 2.0, 4.0, 8.0, 16.0])


def studies(loss, *dims):
    """Results with the final loss (study, .., R); studies are landscapes."""
    worlds = loss.shape[-1]
    data = results(np.ones((worlds, 1)))
    labels = {"landscape": np.arange(len(loss)), "optimizer": np.array(ARMS, object), "eta": AXIS}
    whole = ("landscape", *dims, "replicate", "checkpoint")
    return data.assign(
        loss=(whole, loss[..., None]),
        status=(whole, np.full((*loss.shape, 1), 2, np.int8)),
    ).assign_coords({dim: labels[dim] for dim in whole[:-2]} | {"gap_known": 1.0})


def coverage(data, text, truth, level=0.95, *, certain=True):
    """Share of studies whose interval holds the truth: of all, or of those that have one."""
    answer = quantity(data, text, level=level)
    low, high = answer["quantity_interval"].transpose("bound", ...).values
    if certain:
        assert np.isfinite(answer["quantity"]).all()
        return float(((low <= truth) & (truth <= high)).mean())
    known = answer["quantity"].notnull().values
    assert known.mean() > 0.9
    assert np.isfinite(low[known]).all()
    return float(((low <= truth) & (truth <= high))[known].mean())


def lognormal(draw, shape, shared=0.5):
    """Exp of normals, two arms of which share half of their variance in each world: (.., 2, R), mean 1."""
    *studies, worlds = shape
    common = draw.normal(0, 1, (*studies, 1, worlds))
    own = draw.normal(0, 1, (*studies, 2, worlds))
    z = np.sqrt(shared) * common + np.sqrt(1 - shared) * own
    return np.exp(0.5 * z - 0.125)


def two_arms(count, worlds):
    loss = lognormal(np.random.default_rng(worlds), (count, worlds)) * np.array([[1.0], [2.0]])
    return studies(loss, "optimizer")


def curve(count, worlds, mean, spread=0.3):
    """An axis along which the mean is `mean(AXIS)`, each world's noise half shared along it."""
    draw = np.random.default_rng(worlds)
    common, own = (draw.normal(0, 1, (count, size, worlds)) for size in (1, len(AXIS)))
    noise = spread * (common + own) / np.sqrt(2)
    return studies(mean(AXIS)[:, None] * np.exp(noise - spread**2 / 2), "eta")


def bowl(x):
    """Lowest at 4, and a parabola in the logarithm."""
    return 1 + np.log(x / 4.0) ** 2


def two_curves(count, worlds):
    """Two arms along the axis, one falling and one rising with its logarithm; they meet half way from 2 to 4."""
    falls = curve(count, worlds, lambda x: 5 - np.log2(x))["loss"]
    rises = curve(count, worlds + 1, lambda x: 2 + np.log2(x))["loss"].isel(replicate=slice(worlds))
    loss = np.stack([falls.values[..., 0], rises.values[..., 0]], 1)
    return studies(loss, "optimizer", "eta")


def bent(left, right):
    """Two arms whose difference along the logarithm of the axis is 0 at 4, with a slope on either side of it."""

    def half(x, sign):
        away = np.log2(x) - 2
        return 3 + sign * np.where(away < 0, left, right) * away / 2

    def make(count, worlds):
        arms = [
            curve(count, worlds, lambda x: half(x, -1)),
            curve(count, worlds + 1, lambda x: half(x, 1)),
        ]
        losses = [arm["loss"].isel(replicate=slice(worlds)).values[..., 0] for arm in arms]
        return studies(np.stack(losses, 1), "optimizer", "eta")

    return make


def rare(first, second, alike=0.0):
    """Two arms whose losses lie below 1 in these shares of worlds, so far from independent to the likest."""
    both = first * second + alike * (min(first, second) - first * second)
    chances = [both, first - both, second - both, 1 - first - second + both]

    def make(count, worlds):
        kind = np.random.default_rng(worlds).choice(4, (count, worlds), p=chances)
        return studies(np.stack([1.5 - np.isin(kind, [0, k]) for k in (1, 2)], 1), "optimizer")

    return make


def heavy(count, worlds):
    """Two arms of log-normals whose logarithms have a standard deviation of 1: means exp(1/2), and twice that."""
    normal = np.random.default_rng(worlds).normal(size=(count, 2, worlds))
    return studies(np.exp(normal) * np.array([[1.0], [2.0]]), "optimizer")


MEDIANS = np.exp(-0.125)
BELOW = 'share(loss["A"] < 1) {} share(loss["B"] < 1)'
PAIRS = [  # shares, how alike: 3 worlds or more of 32 are expected in which one arm alone is below
    *((0.05, 0.05, 0.0), (0.05, 0.1, 0.0), (0.05, 0.2, 0.0), (0.05, 0.5, 0.0), (0.05, 0.8, 0.0)),
    *((0.1, 0.1, 0.0), (0.1, 0.2, 0.0), (0.2, 0.2, 0.0), (0.5, 0.2, 0.0), (0.8, 0.8, 0.0)),
    *((0.05, 0.2, 0.5), (0.1, 0.2, 0.5), (0.2, 0.2, 0.5), (0.5, 0.5, 0.5), (0.8, 0.5, 0.5)),
]
CASES = {  # text -> studies of (count, worlds), truth
    'mean(loss["A"])': (two_arms, 1.0),
    'median(loss["A"]) * 1': (two_arms, MEDIANS),
    'mean(loss["B"]) / mean(loss["A"])': (two_arms, 2.0),
    'median(loss["B"]) / median(loss["A"])': (two_arms, 2.0),
    'loss["B"] - loss["A"]': (two_arms, 1.0),
    'median(loss["B"]) - median(loss["A"])': (two_arms, MEDIANS),
    'share(loss["A"] < 1) / share(loss["B"] < 2)': (two_arms, 1.0),
    'mean(loss["B"]) / mean(loss["A"]) * 1': (heavy, 2.0),
    '1 * mean(loss["A"])': (heavy, np.exp(0.5)),
    '1 * (loss["B"] - loss["A"])': (heavy, np.exp(0.5)),
    "optimum(loss, eta)": (lambda count, worlds: curve(count, worlds, bowl), 4.0),
    "exponent(loss, eta)": (lambda count, worlds: curve(count, worlds, lambda x: x**-0.7), -0.7),
    'crossing(loss["A"], loss["B"], eta)': (two_curves, 2**1.5),
}


def test_every_day_ratios_and_differences_hold_the_truth():
    """Of 300 studies three standard errors are 0.04."""
    ratio, difference = 'mean(loss["B"]) / mean(loss["A"])', 'loss["B"] - loss["A"]'
    for text in (ratio, difference, f"{ratio} * 1", "exponent(loss, eta)"):
        make, truth = CASES[text]
        assert abs(coverage(make(300, 32), text, truth) - NOMINAL) < 0.04, text


def test_every_day_ratios_of_rare_shares_hold_the_truth():
    """Of 1000 studies three standard errors are 0.02. Where no world has either there is no ratio."""
    for first, second in ((0.05, 0.2), (0.1, 0.1)):
        held = coverage(rare(first, second)(1000, 32), BELOW.format("/"), first / second, certain=False)
        assert abs(held - NOMINAL) < 0.03, (first, second)


def test_every_day_ratios_of_shares_of_few_instances_are_resampled_by_instance():
    """Four worlds on each instance are alike: they count once, so that the interval is wider."""
    data = rare(0.5, 0.3)(50, 16)
    clustered = data.isel(replicate=np.repeat(np.arange(16), 4)).assign_coords(replicate=np.arange(64))
    clustered = clustered.assign_coords(instance=("replicate", np.repeat(np.arange(16), 4)))
    text = BELOW.format("/")
    widths = [
        quantity(each, text)["quantity_interval"].diff("bound").values
        for each in (clustered, clustered.assign_coords(instance=("replicate", np.arange(64))))
    ]
    assert np.nanmedian(widths[0]) > 1.5 * np.nanmedian(widths[1])


def test_every_day_arms_taken_as_independent_are_rejected():
    """The same difference, one arm's worlds in another order: its interval is too wide for what varies."""
    data = two_arms(300, 32)
    data["loss"] = data["loss"].where(
        data["optimizer"] == "A", data["loss"].roll(replicate=7, roll_coords=False)
    )
    data["loss"][{"optimizer": 1}] = data["loss"].isel(optimizer=1).values
    paired = two_arms(300, 32)
    text = 'loss["B"] - loss["A"]'
    widths = [
        float(quantity(each, text)["quantity_interval"].diff("bound").mean()) for each in (data, paired)
    ]
    assert widths[0] > 1.1 * widths[1]


def test_one_world_that_makes_up_the_error_does_not_make_the_interval_endless():
    """One in 32 is a hundred times the others; with up to 5 such, as Poisson's law has it, the mean is 1 to 17."""
    loss = np.ones((1, 2, 32)) + 0.01 * np.arange(32)
    loss[:, 0, 0] *= 100
    ends = quantity(studies(loss, "optimizer"), 'mean(loss["A"])')["quantity_interval"].values.ravel()
    assert 1 < ends[0] < 4.1
    assert 10 < ends[1] < 30


@pytest.mark.verify
class TestTwoThousandStudies:
    @pytest.mark.parametrize("worlds", [32, 64])
    @pytest.mark.parametrize("text", CASES)
    def test_intervals(self, text, worlds):
        make, truth = CASES[text]
        assert abs(coverage(make(2000, worlds), text, truth) - NOMINAL) <= MARGIN

    @pytest.mark.parametrize("worlds", [32, 64])
    @pytest.mark.parametrize("slopes", [(2, 2), (0.5, 2), (2, 0.5), (0.3, 2.4)])
    def test_a_crossing_at_a_value_of_the_axis(self, slopes, worlds):
        """Where lines are drawn between values, also at a kink: the crossing is then no smooth function of means."""
        make = bent(*slopes)
        held = coverage(make(2000, worlds), 'crossing(loss["A"], loss["B"], eta)', 4.0)
        assert abs(held - NOMINAL) <= MARGIN

    @pytest.mark.parametrize("worlds", [32, 64])
    @pytest.mark.parametrize("pair", PAIRS)
    def test_ratios_and_differences_of_shares(self, pair, worlds):
        first, second, _ = pair
        data = rare(*pair)(2000, worlds)
        truths = {"/": first / second, "-": first - second}
        for sign, truth in truths.items():
            held = coverage(data, BELOW.format(sign), truth, certain=False)
            assert abs(held - NOMINAL) <= MARGIN, sign

    @pytest.mark.parametrize("text", ['median(loss["A"])', 'share(loss["A"] < 1)'])
    @pytest.mark.parametrize("worlds", [32, 64])
    def test_exact_intervals_hold_at_least(self, text, worlds):
        """Of order statistics and of proportions: never less often, for what is discrete a little more."""
        truth = MEDIANS if text.startswith("median") else 0.5987
        assert coverage(two_arms(2000, worlds), text, truth) > NOMINAL - 0.01

    def test_another_level(self):
        assert abs(coverage(two_arms(2000, 64), 'mean(loss["A"])', 1.0, 0.9973) - 0.9973) < 0.01

    @pytest.mark.parametrize("statistic", ["median", "mean"])
    @pytest.mark.parametrize("worlds", [32, 64])
    def test_ratios_of_heavy_tails_at_the_level_of_claims(self, statistic, worlds):
        """Log-normals whose logarithms have a standard deviation of 1: no end is negative."""
        data = heavy(2000, worlds)
        text = f'{statistic}(loss["B"]) / {statistic}(loss["A"])'
        assert abs(coverage(data, text, 2.0, 0.9973) - 0.9973) < 0.015
        assert float(quantity(data, text, level=0.9973)["quantity_interval"].min()) > 0

    @pytest.mark.parametrize("text", ['mean(loss["A"])', 'sd(loss["A"]) / mean(loss["A"])'])
    def test_few_worlds(self, text):
        """Eight: on the scale of the logarithm, since no loss is negative; never a negative end."""
        truth = 1.0 if text.startswith("mean") else np.sqrt(np.exp(0.25) - 1)
        data = two_arms(2000, 8)
        assert coverage(data, text, truth) > NOMINAL - 0.05
        assert float(quantity(data, text)["quantity_interval"].min()) > 0
