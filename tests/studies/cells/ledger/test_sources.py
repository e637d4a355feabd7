"""Shares of sources: exact where they must be, right for a plugged-in method whose shares are known.

Moments; what the analysis does at the edges.
"""

import sys
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import pytest
import torch
import xarray as xr
from torch import Tensor

from landscapes import LANDSCAPES
from landscapes.base import Query
from landscapes.oracle.noise import Noise
from optimizers import OPTIMIZERS
from optimizers.base import Optimizer
from studies.analysis.noise import noise as analysis
from studies.cells.ledger import arms, record, statistics
from tests.support.each import each
from tests.support.ledgers import DRAWN, book, ledger, search

LAND, METHODS = LANDSCAPES, OPTIMIZERS
BOWL = LAND["quadratic"](dim=3, terms=11)
Z = 4.5  # standard errors


class At(NamedTuple):
    points: Tensor  # (R, 1, D)


@dataclass(frozen=True, kw_only=True)
class Toy(Optimizer):
    """Moves by 0.1 times 1, 2 and 3 normal draws of three sources, summed; or by products of the first two.

    World r asks r % 4 + 1 points.
    """

    name: ClassVar[str] = "toy"
    sources: ClassVar[tuple[str, ...]] = ("mutation", "drift", "weather")
    product: bool = False

    def init(self, problem, streams):
        return At(problem.start(1))

    def ask(self, state, streams):
        return Query(
            state.points.expand(-1, 4, -1), alive=torch.arange(4) <= streams.worlds[:, None] % 4
        )

    def tell(self, state, query, answer, streams):
        a, b, c = (streams.normal(source, state.points.shape[1:]) for source in self.sources)
        return At(state.points + 0.1 * (a * b if self.product else a + 2 * b + 3 * c)), {}

    def recommend(self, state):
        return state.points[:, 0]

    center = recommend


def toy(**options):
    return ledger(BOWL, Toy(**options), worlds=60, redraws=32, sources=(*DRAWN, "weather"))


def far(sample, truth=0.0):
    """How many standard errors the mean over worlds is from the truth."""
    return float(
        abs(sample.mean("replicate") - truth).max()
        / (sample.std("replicate", ddof=1).max() / len(sample["replicate"]) ** 0.5)
    )


def test_independent_parts_have_their_shares_and_add_up():
    data = toy().sel(direction="all")
    v = data["step_variance"]
    assert far(v, 3 * 0.14) < Z
    for source, share in (("mutation", 1 / 14), ("drift", 4 / 14), ("weather", 9 / 14)):
        first, total = (
            data["step_variance_first"].sel(source=source),
            data["step_variance_total"].sel(source=source),
        )
        assert far(first - share * v) < Z
        assert far(total - share * v) < Z
        assert far(first - 1.5 * share * v) > Z
        assert far(total - 1.5 * share * v) > Z
    assert far(data["step_variance_first"].sum("source") - v) < Z
    found = analysis.shares(toy()).sel(direction="all")
    assert abs(found["interaction"]) < 0.1
    assert (
        found["interaction_interval"].sel(bound="low")
        < 0
        < found["interaction_interval"].sel(bound="high")
    ).all()


def test_a_product_is_pure_interaction():
    data = toy(product=True).sel(direction="all")
    for source in ("mutation", "drift"):
        assert far(data["step_variance_first"].sel(source=source)) < Z
        assert far(data["step_variance_total"].sel(source=source) - data["step_variance"]) < Z
        assert far(data["step_variance_first"].sel(source=source) - data["step_variance"] / 2) > Z
    assert (data["step_variance_total"].sel(source="weather") == 0).all()  # drawn, and not used
    assert analysis.shares(toy(product=True))["interaction"].sel(direction="all") > 0.8


def test_a_source_that_is_not_named_is_a_mistake():
    with pytest.raises(
        ValueError, match="ledger: toy draws from weather; expected it to be declared in `sources`"
    ):
        ledger(BOWL, Toy())


def test_the_two_arms_share_no_redraw_with_each_other_nor_with_the_search(monkeypatch):
    seen = []

    def noted(scene, moment, keys, **more):
        seen.append(keys)
        return arms.arm(scene, moment, keys, **more)

    monkeypatch.setattr(sys.modules["studies.cells.ledger.record"], "arm", noted)
    ledger(BOWL, METHODS["sgd"](), Noise(batch=3), worlds=1, redraws=4)
    for source in DRAWN:
        drawn = torch.cat([keys[source] for keys in seen[:2]]).tolist()
        assert len({0, *drawn}) == 9


@each("direction", ["all", "gradient", "curvature 1"])
def test_the_only_source_has_all_and_others_have_nothing(direction):
    cells = {
        "data": (BOWL, METHODS["sgd"](), Noise(batch=3)),
        "evaluation": (BOWL, METHODS["sgd"](), Noise(gradient=0.3)),
        "mutation": (BOWL, METHODS["openai_es"](population=4), Noise()),
    }
    for source, cell in cells.items():
        data = ledger(*cell, redraws=8).sel(direction=direction)
        assert (data["step_variance"] > 0).all()
        for kind in ("first", "total"):
            part = data[f"step_variance_{kind}"]
            assert (part.sel(source=source) == data["step_variance"]).all()
            assert (part.drop_sel(source=source) == 0).all()


def test_nothing_is_drawn():
    """Full-batch descent has no variance, and its step is along the gradient, bit by bit in float32 too."""
    for dtype in (torch.float64, torch.float32):
        data = ledger(
            LAND["quadratic"](dim=3, curvature=0.37),
            METHODS["sgd"](learning_rate=0.1),
            worlds=32,
            redraws=4,
            dtype=dtype,
        )
        assert (data["step_variance"] == 0).all()
        assert analysis.shares(data)["first"].isnull().all()
        assert abs(analysis.alignment(data)["gain"] - 0.1).max() < 1e-5
        assert not analysis.bias(data)["biased"].any()


# moments ----------------------------------------------------------------------------------------------------


def test_moments_are_the_last_steps_within_their_cost():
    """World r pays r + 1 for a step, so it comes to a moment after floor(cost / (r + 1)) steps.

    A world that ends before shows its last state.
    """
    costs = (0.0, 0.5, 3.0, 7.0, 20.0)
    scene, moments, trail = search(LAND["quadratic"](dim=3), Toy(), worlds=4, costs=costs, budget=9.0)
    for cost, moment in zip(costs, moments, strict=True):
        price = torch.arange(1, 5)
        last = torch.tensor([9, 5, 3, 3])  # the step that reached the budget
        steps = (cost / price).floor().long().minimum(last) if cost < 9 else last
        assert moment.step.tolist() == steps.tolist()
        assert torch.equal(moment.spent, (steps * price).double())
        for r in range(4):
            assert torch.equal(moment.state.points[r], trail[int(steps[r])].state.points[r])
    data = record(scene, moments, book(4, sources=(*DRAWN, "weather")))
    assert data["moment_steps"].dims == ("replicate", "moment")
    assert (data["sample_size"] == np.arange(1, 5)[:, None]).all()


def test_moments_of_worlds_that_read_their_data_at_different_steps():
    scene, moments, _ = search(
        BOWL, Toy(), Noise(batch=3, sampling="epoch"), worlds=3, costs=(0.3, 2.0)
    )
    assert moments[0].epoch.used.tolist() == [3, 0, 0]
    assert record(scene, moments, book(4, sources=(*DRAWN, "weather")))["step_variance"].notnull().all()


# the analysis at the edges ----------------------------------------------------------------------------------

EDGES = {
    "one world": (BOWL, METHODS["sgd"](), Noise(batch=3), {"worlds": 1}),
    "two worlds": (BOWL, METHODS["sgd"](), Noise(batch=3), {"worlds": 2}),
    "no noise": (LAND["quadratic"](dim=3), METHODS["sgd"](), Noise(), {}),
    "all diverged": (
        LAND["quadratic"](dim=3),
        METHODS["sgd"](learning_rate=3.0),
        Noise(gradient=0.1),
        {"costs": (1500.0,)},
    ),
    "no slope": (LAND["house_of_cards"](n=40), METHODS["wright_fisher"](population=6), Noise(), {}),
}


SELDOM = {  # as those above
    "one dimension": (LAND["quadratic"](dim=1), METHODS["sgd"](), Noise(gradient=0.1), {}),
    "one locus": (LAND["onemax"](n=1), METHODS["wright_fisher"](population=3), Noise(), {}),
    "one individual": (LAND["onemax"](n=4), METHODS["wright_fisher"](population=1), Noise(), {}),
    "game": (LAND["bilinear"](dim=4), METHODS["sgd"](), Noise(gradient=0.1), {}),
    "two-point noise": (LAND["quadratic"](dim=1, terms=2), METHODS["signed_sgd"](), Noise(batch=1), {}),
}


@each("name", EDGES)
def test_edges(name):
    check_edge(name, *EDGES[name])


@pytest.mark.verify
@each("name", SELDOM)
def test_other_edges(name):
    check_edge(name, *SELDOM[name])


def check_edge(name, landscape, optimizer, noise, options):
    data = ledger(landscape, optimizer, noise, redraws=4, modes=2, **options)
    found = xr.merge(
        [
            analysis.shares(data),
            analysis.alignment(data),
            analysis.bias(data),
            analysis.currencies(data),
        ],
        compat="override",
    )
    assert analysis.verdict(
        xr.concat([data, data], xr.Variable("batch", [1.0, 2.0])), "batch"
    ).dims == (
        "moment",
        "reference",
    )
    lost = name == "all diverged"
    assert bool(data["step_variance"].isnull().all()) == lost
    assert bool(found["noise_to_signal"].notnull().all()) == (not lost)
    slopes = found["p_value"].sel(
        reference=["raw", "smoothed", "preconditioned"]
    )  # selection needs no slope
    assert bool(slopes.isnull().all()) == (
        name in ("one world", "two worlds", "all diverged", "no slope") or options.get("worlds", 9) < 3
    )
    if name == "no slope":
        assert (
            analysis.verdict(xr.concat([data, data], xr.Variable("batch", [1.0, 2.0])), "batch").sel(
                reference=slopes.reference
            )
            == "unknown"
        ).all()
    if name == "all diverged":
        assert np.isnan(found["first"]).all()


def test_a_lost_world_does_not_count_in_the_analysis():
    """A world of infinities or NaN, in one arm or both, leaves what the others say.

    A mutant that counts it as 0 does not.
    """
    data = ledger(BOWL, METHODS["sgd"](), Noise(gradient=0.3), worlds=9)
    rest = data.isel(replicate=slice(8))
    for bad in (np.nan, np.inf):
        lost = data.copy(deep=True)
        for name in (
            "mean_step_squared",
            "mean_step_along",
            "step_variance",
            "step_variance_first",
            "step_variance_total",
        ):
            lost[name][8] = bad
        lost["mean_step_along"].loc[{"replicate": 8, "half": "a"}] = 1.0
        for function in (analysis.shares, analysis.alignment, analysis.bias, analysis.currencies):
            a, b = function(lost), function(rest)
            xr.testing.assert_allclose(
                a.drop_vars([n for n in a if "interval" in n]),
                b.drop_vars([n for n in b if "interval" in n]),
            )


# statistics -------------------------------------------------------------------------------------------------


def normals(shape, **options):
    return torch.randn(
        shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64, **options
    )


def deviations(sample, truth):
    return float((sample.mean() - truth).abs() / (sample.std() / len(sample) ** 0.5))


@pytest.mark.parametrize("redraws", [4, 16])
def test_kurtosis_is_0_for_gaussian_noise_at_any_number_of_redraws(redraws):
    a, b = normals((2, 2000, redraws, 3)) * torch.tensor([1.0, 3.0, 0.2])
    kurtosis = statistics.kurtosis(a, b)
    assert deviations(kurtosis, 0.0) < Z
    free = 2 * redraws - 2
    assert (
        deviations((kurtosis + 3) * free / (free + 2) - 3, 0.0) > Z
    )  # mutant: the plain ratio of moments


def test_kurtosis_of_uniform_noise_and_of_no_noise():
    a, b = torch.rand(
        (2, 500, 1000, 2), generator=torch.Generator().manual_seed(5), dtype=torch.float64
    )
    assert abs(statistics.kurtosis(a, b).mean() + 1.2) < 0.005
    assert statistics.kurtosis(0 * a[:2], 0 * b[:2]).isnan().all()


@each("alpha", [1.5, 3.0, 6.0])
def test_tail_index_of_pareto_noise(alpha):
    """Length^-alpha: Hill's estimate of k excesses has mean alpha k / (k - 1) and variance alpha^2 k^2 / ((k - 1)^2 (k - 2)) (k Gamma variables)."""
    u = torch.rand((2, 200, 2000, 1), generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    sign = torch.where(torch.arange(2000) % 2 == 0, 1.0, -1.0)[:, None]
    half = u[:, :, :1000].repeat_interleave(2, 2)  # mirrored pairs, so that no mean is taken off
    a, b = sign * half ** (-1 / alpha)
    k = 200  # of 4,000 lengths the longest 400, each twice
    found = statistics.tail_index(a, b)
    assert abs(found.mean() / (alpha * k / (k - 1)) - 1) < Z / (200 * k) ** 0.5 + 1 / k
    assert abs(found.mean() / (alpha + 1) - 1) > Z / (200 * k) ** 0.5 + 1 / k


def test_spectrum_of_known_covariance():
    """Effective rank (tr S)^2 / tr S^2 without bias at few redraws.

    The largest eigenvalues at many, by either Gram matrix.
    """
    scale = torch.tensor([3.0, 1.0, 1.0, 0.5, 0.1], dtype=torch.float64)
    few = [statistics.spectrum(*(normals((2, 2000, m, 5)) * scale), 7) for m in (4, 12)]
    truth = scale.square().sum() ** 2 / scale.pow(4).sum()
    for m, found in zip((4, 12), few, strict=True):
        assert found.eigenvalues.shape == (2000, 7)
        assert (found.eigenvalues[:, 5:] == 0).all() or m == 4
        x, y = normals((2, 2000, m, 5)) * scale
        x, y = statistics.centered(x), statistics.centered(y)
        cross = (x @ y.mT).square().sum((1, 2)) / (m - 1) ** 2
        assert deviations(cross - scale.pow(4).sum(), 0.0) < Z  # tr S^2 is met in the mean
        assert (
            deviations((x @ x.mT).square().sum((1, 2)) / (m - 1) ** 2 - scale.pow(4).sum(), 0.0) > Z
        )  # mutant: one arm with itself
        torch.testing.assert_close(
            found.eigenvalues.sum(-1), found.trace
        )  # all are shown: 5 directions
    many = statistics.spectrum(*(normals((2, 3, 2500, 5)) * scale), 5)
    assert torch.allclose(many.eigenvalues, scale.square().expand(3, -1), rtol=0.15)
    assert torch.allclose(many.effective_rank, truth.expand(3), rtol=0.1)


def test_correlation_of_steps():
    a, b = normals((2, 400, 50, 3))
    for rho in (0.0, 0.6, -0.9):
        found = statistics.correlation(a, rho * a + (1 - rho**2) ** 0.5 * b)
        assert abs(found.mean() - rho) < 0.02
    assert torch.allclose(
        statistics.correlation(a, -2 * a + 1), torch.tensor(-1.0, dtype=torch.float64)
    )
