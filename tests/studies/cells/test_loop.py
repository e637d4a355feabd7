"""The loop and its instruments: every optimizer on every landscape, and the meaning of a checkpoint."""

import itertools
import math
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np
import pytest
import torch
import xarray as xr

from landscapes.base import Bits, Landscape, Query, Reals
from landscapes.streams import Streams
from optimizers.base import Optimizer
from optimizers.gradient.sgd import SGD
from studies.cells.loop import bind, run_worlds, singly
from studies.cells.task import Task
from studies.kinds.registry import FAMILIES
from tests.support.each import each

SMALL = {
    "quadratic": {"dim": 5},
    "nk": {"n": 9, "k": 2},
    "gaussian_field": {"dim": 5, "waves": 7},
    "digits": {"hidden": 3},
    "sgd": {"momentum": 0.5},
    "openai_es": {"population": 6},
    "ga": {"population": 7, "elite": 1},
    "random_search": {"population": 5},
}
BITS = ("nk",)
NOISY = {"nk": 5, "gaussian_field": 5, "digits": 100}  # terms of a batch: a run has several epochs


@dataclass(frozen=True, kw_only=True)
class Bowl(Landscape):
    """|x|^2 / 2, or NaN in the worlds whose number is listed."""

    name: ClassVar[str] = "bowl"
    dim: int = 2
    lost: tuple[int, ...] = ()
    gap_known = True
    domain = Reals(1.0, 2.0)

    def bind(self, streams):
        return self.bound(bad=torch.isin(streams.worlds, torch.tensor(self.lost)))

    def loss(self, x, terms=None, time=None):
        return torch.where(self.bad[:, None], torch.nan, 0.5 * x.square().sum(-1))


BOWL = {"kind": "tests.studies.cells.test_loop:Bowl"}


def task(landscape, optimizer, **options):
    defaults = {
        "relaxation": None,
        "noise": {
            "batch": None,
            "sampling": "replacement",
            "shared": True,
            "evaluation": {"value": 0.0, "gradient": 0.0},
        },
        "seed": 11,
        "instances": None,
        "budget": 30.0,
        "gradient_cost": {"value": 3.0, "low": 3.0, "high": 3.0},
        "checkpoints": [1.0, 5.0, 10.0, 20.0, 30.0],
        "targets": [],
        "dtype": "float64",
        "device": "cpu",
    }
    return Task(landscape=landscape, optimizer=optimizer, **(defaults | options))


def pair(landscape, optimizer, **options):
    """A small task of two registered kinds, relaxed where it must be."""
    cls = FAMILIES["optimizer"][0][optimizer]
    relaxed = landscape in BITS and optimizer not in ("ga", "random_search")
    mode = ("extension" if cls.gradient else "threshold") if relaxed else None
    return task(
        {"kind": landscape, **SMALL[landscape]},
        {"kind": optimizer, **SMALL[optimizer]},
        relaxation=mode,
        **options,
    )


def run(made, worlds):
    return run_worlds(made, torch.as_tensor(list(worlds)))


def same(a, b):
    """Equal but for wall-clock variables, and for attributes."""
    clock = [name for name in a.data_vars if a[name].attrs.get("units") == "s"]
    assert "seconds" in clock
    xr.testing.assert_equal(a.drop_vars(clock), b.drop_vars(clock))


LANDSCAPES = ("quadratic", "nk", "gaussian_field", "digits")
METHODS = ("sgd", "openai_es", "ga", "random_search")
EVERY = list(itertools.product(LANDSCAPES, METHODS, ("float32", "float64")))
DAILY = [  # every pair, in one dtype: the next one takes the other; of the dear one, two
    case
    for case in EVERY
    if case[0] != "digits"
    and case[2] == ("float32", "float64")[(LANDSCAPES.index(case[0]) + METHODS.index(case[1])) % 2]
] + [("digits", "sgd", "float32"), ("digits", "ga", "float64")]


@pytest.mark.parametrize(
    ("landscape", "optimizer", "dtype"),
    [pytest.param(*pair, marks=[] if pair in DAILY else pytest.mark.verify) for pair in EVERY],
)
class TestReplicateInvariance:
    def test_worlds_alone_equal_their_rows_of_a_batch(self, landscape, optimizer, dtype):
        whole = pair(landscape, optimizer, dtype=dtype, targets=[0.5])
        same(run(whole, range(8)).isel(replicate=[5, 2]), run(whole, (5, 2)))

    def test_also_with_every_kind_of_noise(self, landscape, optimizer, dtype):
        batch = NOISY.get(landscape)
        for sampling in ("replacement", "batch", "epoch"):
            noise = {
                "batch": batch,
                "sampling": sampling,
                "shared": True,
                "evaluation": {"value": 0.1, "gradient": 0.1},
            }
            noisy = pair(
                landscape,
                optimizer,
                dtype=dtype,
                noise=noise,
                budget=10.0,
                checkpoints=[1.0, 5.0, 10.0],
            )
            same(run(noisy, range(4)).isel(replicate=[3, 1]), run(noisy, (3, 1)))


class TestCheckpoints:
    def test_a_checkpoint_shows_the_last_completed_step_of_at_most_its_cost(self):
        descent = task(
            BOWL, {"kind": "sgd", "learning_rate": 0.25}, checkpoints=[1.0, 2.9, 3.0, 6.5, 29.0, 30.0]
        )
        data = run(descent, [4]).isel(replicate=0)
        start = data["loss"][0].item()
        steps = [0, 0, 1, 2, 9, 10]  # a step costs 3
        assert data["steps"].values.tolist() == steps
        np.testing.assert_allclose(data["loss"], [start * 0.75 ** (2 * k) for k in steps], rtol=1e-12)
        np.testing.assert_allclose(
            data["step_length"][2:],
            [0.25 * math.sqrt(2 * start) * 0.75 ** (k - 1) for k in steps[2:]],
            rtol=1e-12,
        )
        np.testing.assert_allclose(
            data["observed"][2:], [start * 0.75 ** (2 * (k - 1)) for k in steps[2:]], rtol=1e-12
        )
        assert np.isnan(data["observed"][:2]).all()
        assert data["gradient_terms"].values.tolist() == steps
        assert data["value_terms"].values.tolist() == [0] * 6
        assert data["status"].values.tolist() == [0, 0, 0, 0, 0, 2]

    def test_an_overshooting_last_step_does_not_count(self):
        search = task(
            BOWL, {"kind": "random_search", "population": 7}, budget=10.0, checkpoints=[7.0, 10.0]
        )
        data = run(search, [0])
        assert data["steps"].values.tolist() == [[1, 1]]
        assert data["value_terms"].values.tolist() == [[7, 7]]

    def test_every_arm_starts_at_the_same_point(self):
        first = [
            run(pair("quadratic", o), range(3))["loss"][:, 0]
            for o in ("sgd", "openai_es", "ga", "random_search")
        ]
        assert all(np.array_equal(first[0], other) for other in first)

    @pytest.mark.parametrize("landscape", ["quadratic", "nk"])
    def test_start_loss_is_the_truth_of_the_common_start_in_every_arm(self, landscape):
        """Whatever an arm does first, and however it sees the bits.

        The loss of row 0 of the landscape's own starts.
        """
        noise = {
            "batch": None,
            "sampling": "replacement",
            "shared": True,
            "evaluation": {"value": 3.0, "gradient": 3.0},
        }
        arms = [pair(landscape, o, noise=noise) for o in ("sgd", "openai_es", "ga", "random_search")]
        streams = Streams(seed=11, worlds=torch.arange(3))
        bound = FAMILIES["landscape"][0][landscape](**SMALL[landscape]).bind(streams)
        expected = bound.loss(bound.start(streams.at(0), 4))[:, 0].numpy()
        for arm in arms:
            np.testing.assert_array_equal(run(arm, range(3))["start_loss"], expected)

    def test_a_range_of_prices_counts_the_budget_at_the_lowest(self):
        priced = task(
            BOWL,
            {"kind": "sgd"},
            gradient_cost={"value": 3.0, "low": 1.0, "high": 20.0},
            checkpoints=[30.0, 60.0, 90.0],
        )
        data = run(priced, [0])
        assert data["steps"].values.tolist() == [[10, 20, 30]]
        assert data["status"].values.tolist() == [[0, 0, 2]]

    def test_beyond_its_end_a_world_shows_its_last_state_and_why_it_ended(self):
        priced = task(
            BOWL,
            {"kind": "ga", "population": 10},
            gradient_cost={"value": 3.0, "low": 1.0, "high": 20.0},
            checkpoints=[30.0, 60.0, 90.0],
        )
        data = run(priced, [0])
        assert data["value_terms"].values.tolist() == [[30, 30, 30]]
        assert data["status"].values.tolist() == [[2, 2, 2]]

    def test_best_loss_is_the_truth_of_the_luckiest_point(self):
        noise = {
            "batch": None,
            "sampling": "replacement",
            "shared": True,
            "evaluation": {"value": 2.0, "gradient": 0.0},
        }
        noisy = task(
            BOWL,
            {"kind": "random_search", "population": 10},
            noise=noise,
            budget=1000.0,
            checkpoints=[10.0, 1000.0],
        )
        data = run(noisy, range(20)).isel(checkpoint=-1)
        assert (data["observed"] < data["best_loss"]).all()  # the winner's curse
        assert (data["best_loss"] >= 1).all()  # no point of the box is better

    def test_diversity(self):
        bits = run(pair("nk", "random_search", budget=5.0, checkpoints=[5.0]), range(300))["diversity"]
        expected = 0.5 * (1 - 1 / 5)  # heterozygosity of 5 random genotypes
        assert abs(bits.mean() - expected) < 4.5 * bits.std() / math.sqrt(300)
        box = (
            run(
                task(BOWL, {"kind": "random_search", "population": 5}, budget=5.0, checkpoints=[5.0]),
                range(300),
            )["diversity"]
            ** 2
        )
        expected = 2 / 12 * (1 - 1 / 5)
        assert abs(box.mean() - expected) < 4.5 * box.std() / math.sqrt(300)


class TestTargets:
    def test_exact_hits_are_found_between_checkpoints(self):
        hunt = task(
            BOWL, {"kind": "sgd", "learning_rate": 0.25}, checkpoints=[30.0], targets=[0.1, 1e-9]
        )
        data = run(hunt, range(5))
        start = np.array([run(replace(hunt, checkpoints=[1.0]), [w])["loss"].item() for w in range(5)])
        steps = np.ceil(np.log(start / 0.1) / np.log(0.75**-2))
        np.testing.assert_allclose(data["hit_cost"][:, 0], 3 * steps)
        assert np.isinf(data["hit_cost"][:, 1]).all()
        np.testing.assert_allclose(
            data["best_hit_cost"][:, 0], 3 * (steps + 1)
        )  # seen one gradient later

    def test_a_target_hit_shows_in_the_status(self):
        data = run(
            task(
                BOWL,
                {"kind": "sgd", "learning_rate": 0.25},
                checkpoints=[3.0, 29.0, 30.0],
                targets=[0.1],
            ),
            [0],
        )
        assert data["status"].values.tolist() == [[0, 1, 2]]

    @pytest.mark.parametrize("checkpoints", [[30.0], [9.5, 20.0, 30.0]])
    def test_hits_are_exact_under_noise_too(self, checkpoints):
        """Noise of 1e-9 leaves the first passage of the noise-free descent, x_k = 0.75^k x_0, where it is, at 3 evaluations a step."""
        noise = {
            "batch": None,
            "sampling": "replacement",
            "shared": True,
            "evaluation": {"value": 1e-9, "gradient": 1e-9},
        }
        data = run(
            task(
                BOWL,
                {"kind": "sgd", "learning_rate": 0.25},
                noise=noise,
                checkpoints=checkpoints,
                targets=[0.1],
            ),
            range(5),
        )
        steps = np.ceil(np.log(data["start_loss"] / 0.1) / np.log(0.75**-2))
        np.testing.assert_array_equal(data["hit_cost"][:, 0], 3 * steps)
        np.testing.assert_array_equal(data["hit_cost_low"], data["hit_cost"])
        np.testing.assert_array_equal(
            data["best_hit_cost"][:, 0], 3 * (steps + 1)
        )  # seen one gradient later

    @each(
        "optimizer",
        [
            {"kind": "ga", "population": 5, "elite": 1},
            {"kind": "ga", "population": 30},
            {"kind": "sgd", "learning_rate": 0.02, "starts": 3},
            {"kind": "openai_es", "population": 4},
            {"kind": "random_search", "population": 3},
        ],
        ids=lambda o: f"{o['kind']} {o.get('population', o.get('starts'))}",
    )
    def test_exact_hits_do_not_depend_on_the_checkpoints(self, optimizer):
        """The same run with a checkpoint after every step finds the same hits."""
        points = optimizer.get("population", 3 * optimizer.get("starts", 1))
        targets = [2.0, 1.5, 1.2, 1.0, 0.5]
        few = task(BOWL, optimizer, budget=20.0 * points, checkpoints=[20.0 * points], targets=targets)
        many = replace(few, checkpoints=[float(points * k) for k in range(1, 21)])
        self.check_hits(few, many, targets, points)

    def test_hits_are_exact_where_values_are_though_gradients_are_noisy(self):
        noise = {
            "batch": None,
            "sampling": "replacement",
            "shared": True,
            "evaluation": {"value": 0.0, "gradient": 0.3},
        }
        targets = [2.0, 1.5, 1.2, 1.0, 0.5, 0.3, 0.2]
        few = task(
            BOWL,
            {"kind": "sgd", "learning_rate": 0.1},
            noise=noise,
            budget=60.0,
            checkpoints=[60.0],
            targets=targets,
        )
        self.check_hits(few, replace(few, checkpoints=[float(3 * k) for k in range(1, 21)]), targets, 3)

    @staticmethod
    def check_hits(few, many, targets, points):
        hits = run(few, range(6))["hit_cost"]
        loss = run(many, range(6))
        assert np.isfinite(hits).any()
        seen = np.where(
            loss["loss"].values[:, :, None] <= targets, loss["cost"].values[:, None], np.inf
        ).min(1)
        assert np.array_equal(np.where(hits == 0, points, hits), np.where(hits == 0, points, seen))

    @each(
        ("landscape", "optimizer", "options"),
        [
            (
                {"kind": "quadratic", "dim": 3},
                {"kind": "sgd", "learning_rate": 0.1},
                {"noise": (0.5, 0.5)},
            ),
            ({"kind": "quadratic", "dim": 3}, {"kind": "ga", "population": 4}, {"noise": (0.5, 0.0)}),
            ({"kind": "bilinear"}, {"kind": "extragradient", "learning_rate": 0.3}, {}),
            (
                {"kind": "moving", "inner": {"kind": "quadratic", "dim": 3}, "step": 0.2},
                {"kind": "openai_es", "population": 4},
                {},
            ),
            (
                {"kind": "nk", "n": 9, "k": 2},
                {"kind": "sgd", "learning_rate": 4.0},
                {"relaxation": "extension"},
            ),
            (
                {"kind": "gaussian_field", "dim": 3, "waves": 7},
                {"kind": "tests.studies.cells.test_loop:OwnBatch"},
                {},
            ),
        ],
        ids=lambda value: value.get("kind") if isinstance(value, dict) else None,
    )
    def test_a_hit_is_the_first_step_whose_loss_reaches_the_target(self, landscape, optimizer, options):
        """A naive loop over a record of every step, whatever the checkpoints.

        Under noise, on a game, with a clock, with own batches.
        """
        value, gradient = options.get("noise", (0.0, 0.0))
        noise = {
            "batch": None,
            "sampling": "replacement",
            "shared": True,
            "evaluation": {"value": value, "gradient": gradient},
        }
        every = task(
            landscape,
            optimizer,
            budget=60.0,
            gradient_cost={"value": 1.0, "low": 1.0, "high": 1.0},
            **options | {"noise": noise},
        )
        every = replace(every, checkpoints=[k / 16 for k in range(1, 961)])
        seen = run(every, range(6))
        targets = [float(level) for level in np.quantile(seen["loss"], [0.9, 0.5, 0.2, 0.02])]
        costs = (seen["value_terms"] + seen["gradient_terms"]).values / seen.attrs["terms"]
        data = run(replace(every, targets=targets, checkpoints=[60.0]), range(6))
        for name, loss in (("hit_cost", seen["loss"]), ("best_hit_cost", seen["best_loss"])):
            first = np.full((6, 4), np.inf)
            for world in range(6):
                for place in range(4):
                    reached = [
                        c
                        for c, one in zip(costs[world], loss.values[world], strict=True)
                        if one <= targets[place]
                    ]
                    first[world, place] = min(reached, default=np.inf)
            assert np.isfinite(first).any()
            np.testing.assert_array_equal(data[name], first)
            np.testing.assert_array_equal(data[f"{name}_low"], first)

    @pytest.mark.verify
    def test_first_passage_out_of_a_well_has_the_law_of_its_chain_with_two_checkpoints(self):
        """SGD under Gaussian noise is a chain.

        P(not yet in the left well) by Gauss-Legendre quadrature of its kernel, step after step.

        x' = x - eta U'(x) + eta s z on the points outside the target, {U > 0.1}, which holds all of x > b:
        U(b) = 0.1 between the wells.
        """
        eta, noise_scale, worlds, last = 0.02, 4.0, 250, 700
        well = {
            "kind": "double_well",
            "dim": 1,
            "barrier": 0.3,
            "width": 1.0,
            "tilt": 0.1,
            "starts": "wrong_well",
        }
        noise = {
            "batch": None,
            "sampling": "replacement",
            "shared": True,
            "evaluation": {"value": 0.0, "gradient": noise_scale},
        }
        price = {"value": 1.0, "low": 1.0, "high": 1.0}
        chain = task(
            well,
            {"kind": "sgd", "learning_rate": eta},
            noise=noise,
            budget=float(last),
            gradient_cost=price,
            targets=[0.1],
        )
        found = run(replace(chain, checkpoints=[last / 2, float(last)]), range(worlds))["hit_cost"][
            :, 0
        ]

        def loss(x):
            return 0.3 * (x**2 - 1) ** 2 + 0.1 * x

        bottoms = np.sort(np.roots([1.2, 0, -1.2, 0.1]).real)  # U'(x) = 1.2 x^3 - 1.2 x + 0.1
        bottom = loss(bottoms[0])
        edges = [
            root.real
            for root in np.roots([0.3, 0, -0.6, 0.1, 0.3 - bottom - 0.1])
            if abs(root.imag) < 1e-9
        ]
        assert (
            len(edges) == 2
        )  # the target is the interval between them: the right well's bottom is higher
        nodes, weights = np.polynomial.legendre.leggauss(160)
        parts = [(min(edges) - 1.5, min(edges)), (max(edges), 2.5)]
        x = np.concatenate([(b - a) / 2 * nodes + (a + b) / 2 for a, b in parts])
        w = np.concatenate([(b - a) / 2 * weights for a, b in parts])
        mean, deviation = x - eta * (1.2 * x**3 - 1.2 * x + 0.1), eta * noise_scale
        kernel = (
            np.exp(-0.5 * ((x[None] - mean[:, None]) / deviation) ** 2)
            / (deviation * math.sqrt(2 * math.pi))
            * w[None]
        )
        first = (
            np.exp(-0.5 * ((x - bottoms[-1]) / deviation) ** 2)
            / (deviation * math.sqrt(2 * math.pi))
            * w
        )  # it starts at U' = 0
        outside, density = [1.0], first
        for _ in range(last - 1):
            outside.append(density.sum())
            density = density @ kernel
        expected = sum(outside)  # E min(T, last) = sum over t < last of P(T > t)
        times = np.minimum(found, last)
        assert abs(times.mean() - expected) < 4 * times.std() / math.sqrt(worlds)
        never = density.sum()
        assert abs(np.isinf(found).mean() - never) < 4 * math.sqrt(never * (1 - never) / worlds)
        many = run(replace(chain, checkpoints=[last * k / 100 for k in range(1, 101)]), range(8))[
            "hit_cost"
        ][:, 0]
        np.testing.assert_array_equal(many, found[:8])

    @pytest.mark.verify
    def test_where_truth_takes_longer_than_a_step_a_hit_is_known_to_an_interval(self):
        """Of a net with mini-batches of 4 of 1437 terms.

        D = 235 weights, so that a step reads 1e5 + 3 * 4 D numbers, and the truth 1437 D.
        """
        noise = {
            "batch": 4,
            "sampling": "replacement",
            "shared": True,
            "evaluation": {"value": 0.0, "gradient": 0.0},
        }
        how = {"budget": 1.2, "truth": 0.1, "targets": [2.3, 2.2, 2.1]}
        net = task(
            {"kind": "digits", "hidden": 3}, {"kind": "sgd", "learning_rate": 0.3}, noise=noise, **how
        )
        every = 12 / 1437  # evaluations of a step
        data = run(replace(net, checkpoints=[1.2]), range(2))
        xr.testing.assert_equal(
            data[["hit_cost", "hit_cost_low"]], run(net, range(2))[["hit_cost", "hit_cost_low"]]
        )
        gap = math.ceil(1437 * 235 / 0.1 / (1e5 + 12 * 235))  # steps between looks
        loss = run(
            replace(net, checkpoints=[every * (k + 0.5) for k in range(143)], targets=[]), range(2)
        )["loss"].values  # after k steps
        looks = [*range(0, 143, gap), 143]
        for world in range(2):
            for place, target in enumerate(net.targets):
                hit = next((k for k in looks if k < 143 and loss[world, k] <= target), None)
                if hit is None:
                    continue
                low, high = (
                    round(data[name].values[world, place] / every)
                    for name in ("hit_cost_low", "hit_cost")
                )
                assert (low, high) == (max(hit - gap, 0), hit)
        assert (data["hit_cost_low"] < data["hit_cost"]).any()
        sure = run(replace(net, truth=np.inf), range(2))  # looked at after every step
        np.testing.assert_array_equal(sure["hit_cost_low"], sure["hit_cost"])
        assert (sure["hit_cost"] <= data["hit_cost"]).all()

    @pytest.mark.parametrize("floor", [0.0, -0.5])
    def test_targets_may_be_fractions_of_the_gap_at_each_worlds_own_start(self, floor):
        """x_k = 0.75^k x_0, so the loss is floor + f (L_0 - floor) at the first k with 0.75^(2 k) L_0 <= that: another loss in every world."""
        fractions = [1.0, 0.5, 0.3]
        hunt = task(BOWL, {"kind": "sgd", "learning_rate": 0.25}, targets=fractions, target_floor=floor)
        data = run(hunt, range(5))
        start = data["start_loss"].values[:, None]
        level = floor + np.array(fractions) * (start - floor)
        np.testing.assert_allclose(data["target_level"], level, rtol=1e-14)
        steps = np.ceil(np.log(level / start) / (2 * math.log(0.75)) - 1e-9)
        np.testing.assert_allclose(data["hit_cost"], 3 * steps)
        assert data["target_loss"].attrs["units"] == "of the gap at the start"
        for world in range(5):  # as if each had been given its own losses
            own = run(replace(hunt, targets=level[world].tolist(), target_floor=None), [world])
            np.testing.assert_array_equal(own["hit_cost"], data["hit_cost"][[world]])

    def test_a_start_without_a_loss_has_no_target_that_is_relative_to_it(self):
        lost = task(
            {**BOWL, "lost": (1,)},
            {"kind": "openai_es", "population": 4},
            targets=[0.9],
            target_floor=0.0,
        )
        data = run(lost, range(3))
        assert np.isinf(data["start_loss"][1])
        assert np.isinf(data["hit_cost"][1]).all()
        assert np.isfinite(data["target_level"][[0, 2]]).all()

    def test_a_hit_after_the_last_checkpoint_counts(self):
        hunt = task(BOWL, {"kind": "sgd", "learning_rate": 0.25}, checkpoints=[3.0], targets=[0.1])
        assert np.isfinite(run(hunt, [0])["hit_cost"]).all()

    def test_a_diverging_neighbour_changes_nothing(self):
        hunt = task(
            {**BOWL, "lost": (1,)},
            {"kind": "sgd", "learning_rate": 0.25},
            checkpoints=[30.0],
            targets=[0.5, 0.1],
        )
        same(run(hunt, range(3)).isel(replicate=[0, 2]), run(hunt, (0, 2)))

    def test_rounding_is_no_overshoot(self):
        price = {"value": 1.1, "low": 1.1, "high": 1.1}
        data = run(
            task(BOWL, {"kind": "sgd"}, gradient_cost=price, budget=110.0, checkpoints=[11.0, 110.0]),
            [0],
        )
        assert data["steps"].values.tolist() == [[10, 100]]


class Points(NamedTuple):
    points: torch.Tensor
    worlds: torch.Tensor


@dataclass(frozen=True, kw_only=True)
class OwnBatch(Optimizer):
    """Random points; world r sees batches of 1 + 3 r terms, and sleeps at step 2 where r is even."""

    name = "own_batch"
    batches = True
    domains = (Reals, Bits)

    def init(self, problem, streams):
        return Points(problem.start(4), streams.worlds)

    def ask(self, state, streams):
        alive = torch.ones(len(state[0]), 4, dtype=torch.bool)
        if streams.step == 2:
            alive[state[1] % 2 == 0] = False
        return Query(state[0], batch=1 + 3 * (state[1] % 3), alive=alive)

    def tell(self, state, query, answer, streams):
        return Points(state[0] + streams.uniform("mutation", (4, 1)).to(state[0].dtype), state[1]), {}

    def recommend(self, state):
        return state[0][:, 0]

    def center(self, state):
        return state[0].to(torch.float64).mean(1)


OWN = {"kind": "tests.studies.cells.test_loop:OwnBatch"}


class TestOwnBatches:
    @each("shared", [True, False])
    @each("sampling", ["replacement", "batch", "epoch"])
    def test_no_world_depends_on_the_batches_of_others(self, sampling, shared):
        self.check("gaussian_field", sampling, shared)

    @pytest.mark.verify
    @each("shared", [True, False])
    @each("sampling", ["replacement", "batch", "epoch"])
    def test_nor_does_one_of_digits(self, sampling, shared):
        self.check("digits", sampling, shared)

    def check(self, landscape, sampling, shared):
        if sampling == "epoch" and not shared:
            return
        noise = {
            "batch": None,
            "sampling": sampling,
            "shared": shared,
            "evaluation": {"value": 0.0, "gradient": 0.0},
        }
        end = 0.15 if landscape == "digits" else 3.0
        own = task(
            {"kind": landscape, **SMALL[landscape]},
            OWN,
            noise=noise,
            budget=end,
            checkpoints=[end / 6, end / 3, end],
        )
        same(run(own, range(6)).isel(replicate=[4, 1]), run(own, (4, 1)))

    def test_such_values_are_not_taken_for_the_truth(self):
        own = task(
            {"kind": "gaussian_field", "dim": 3, "waves": 7},
            OWN,
            budget=9.0,
            checkpoints=[9.0],
            targets=[-1.0],
        )
        data = run(own, range(6))
        assert (np.isinf(data["best_hit_cost"][:, 0]) | (data["best_loss"][:, -1] <= -1)).all()

    def test_a_world_that_sleeps_has_not_diverged(self):
        own = task({"kind": "gaussian_field", "dim": 3, "waves": 7}, OWN, budget=9.0, checkpoints=[9.0])
        assert (run(own, range(6))["status"][:, -1] == 2).all()


class TestDivergence:
    def test_a_lost_world_is_closed_and_the_others_go_on(self):
        lost = task({**BOWL, "lost": (1,)}, {"kind": "openai_es", "population": 4}, targets=[0.5])
        data = run(lost, range(3))
        assert data["status"].values[:, -1].tolist() == [2, 3, 2]
        assert np.isinf(data["loss"][1]).all()
        assert np.isfinite(data["loss"][[0, 2]]).all()
        assert data["steps"].values[:, -1].tolist() == [7, 1, 7]
        same(data.isel(replicate=[0]), run(lost, [0]))

    def test_a_learning_rate_far_too_high_diverges(self):
        data = run(
            task(BOWL, {"kind": "sgd", "learning_rate": 1e60}, checkpoints=[1.0, 15.0, 30.0]), range(2)
        )
        assert data["status"].values[:, -1].tolist() == [3, 3]
        assert np.isinf(data["loss"][:, -1]).all()


def test_every_variable_says_what_it_is():
    data = run(pair("digits", "sgd", dtype="float32", targets=[1.0]), [0])
    assert "test_accuracy" in data
    for name, variable in data.variables.items():
        assert name == "replicate" or "long_name" in variable.attrs, name
        assert name in ("replicate", "status") or "units" in variable.attrs, name


@dataclass(frozen=True, kw_only=True)
class Uneven(SGD):
    """Descent whose mini-batch has another size in every world and at every step."""

    @property
    def batches(self):
        return True

    def ask(self, state, streams):
        return (
            super().ask(state, streams)._replace(batch=1 + (7 * streams.worlds + 3 * streams.step) % 60)
        )


class TestPortionsAndSizes:
    @pytest.mark.verify
    @each(("sampling", "instances"), [("replacement", None), ("batch", 3), ("epoch", None)])
    @each(
        "landscape",
        [
            {"kind": "quadratic", "dim": 3, "terms": 101, "rotated": True},
            {"kind": "nk", "n": 101, "k": 1},
        ],
        ids=str,
    )
    def test_worlds_with_sizes_of_their_own_are_the_same_alone(self, landscape, instances, sampling):
        noise = {
            "batch": None,
            "sampling": sampling,
            "shared": True,
            "evaluation": {"value": 0.0, "gradient": 0.0},
        }
        options = {
            "relaxation": "extension" if landscape["kind"] == "nk" else None,
            "noise": noise,
            "instances": instances,
        }
        options |= {
            "oracle": {"micro_batches": 2, "chunks": 2},
            "budget": 20.0,
            "checkpoints": [10.0, 20.0],
        }
        uneven = task(
            landscape, {"kind": "tests.studies.cells.test_loop:Uneven", "starts": 3}, **options
        )
        whole = run(uneven, range(8))
        same(whole.isel(replicate=[5, 2]), run(uneven, (5, 2)))
        same(whole.isel(replicate=[5]), run(uneven, (5,)))

    def test_one_landscape_for_each_instance(self):
        made = pair("nk", "ga", instances=2)
        single = singly(made, Streams(seed=11, worlds=torch.tensor([4, 7, 9])))
        assert single(1) is single(2)
        assert single(0) is not single(1)
        bits = torch.ones(1, 1, 9, dtype=torch.uint8)
        for row, world in enumerate((4, 7, 9)):
            assert torch.equal(
                single(row).loss(bits),
                bind(made, Streams(seed=11, worlds=torch.tensor([world]))).loss(bits),
            )

    def test_a_run_in_portions_is_the_same_but_for_rounding_where_the_loss_is_a_sum(self):
        def ran(kind, oracle):
            noise = {
                "batch": 50,
                "sampling": "batch",
                "shared": True,
                "evaluation": {"value": 0.0, "gradient": 0.0},
            }
            return run(
                task(
                    {"kind": kind, "hidden": 3},
                    {"kind": "sgd", "learning_rate": 0.1},
                    noise=noise,
                    budget=3.0,
                    oracle=oracle,
                ),
                range(2),
            )

        whole, portions = (ran("digits", {"micro_batches": k, "chunks": 1}) for k in (1, 7))
        np.testing.assert_allclose(portions["loss"], whole["loss"], rtol=1e-10)
        assert portions["gradient_terms"].equals(whole["gradient_terms"])
        whole, portions = (ran("batch_norm", {"micro_batches": k, "chunks": 1}) for k in (1, 7))
        assert (abs(portions["loss"] / whole["loss"] - 1).isel(checkpoint=-1) > 1e-3).all()
