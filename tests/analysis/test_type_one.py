"""False statements of the comparisons, over 1,000 studies of arms that are alike: at most the nominal share and two standard errors.

A study has three arms that are exchangeable in every world, which all share what the world brings. A false statement is any verdict at all: one of
three pairs called better, by whatever is judged; two of three average ranks called different; a winner called sure; a price said to decide. What was
seen, and how often an arm that is better is found (power), is printed.
"""

import numpy as np
import pytest
import xarray as xr

from studies.analysis import bootstrap
from studies.analysis.comparison import holm, wilcoxons
from studies.analysis.crossing import ABOVE, BELOW, CHANGES, SEVERAL, VERDICTS, crossing
from studies.analysis.outcomes import JUDGED, judged
from studies.analysis.paired import unit_means
from studies.analysis.proportions import proportion
from studies.analysis.ranks import friedman, ranks
from tests.analysis.arms import results

pytestmark = pytest.mark.verify
STUDIES, ARMS, LEVEL = 1000, 3, 0.05
MOST = LEVEL + 2 * np.sqrt(LEVEL * (1 - LEVEL) / STUDIES)
WORLDS = pytest.mark.parametrize("worlds", [3, 6, 8, 15, 64])


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """Of average ranks, whose intervals are not looked at."""
    monkeypatch.setattr(bootstrap, "RESAMPLES", 19)


def drawn(kind, worlds, better=0.0, seed=1):
    """Studies as landscapes; the first arm is better by `better`, in units of what an arm adds of its own in a world."""
    rng = np.random.default_rng(seed)
    shape = (STUDIES, ARMS, worlds)
    world, own = rng.standard_normal((STUDIES, 1, worlds)), rng.standard_normal(shape)
    own[:, 0] -= better
    status, hits, gap = np.full(shape, 2), None, 1.0
    if kind == "normal":
        loss, gap = world + own, 0.0
    elif kind == "heavy tails":
        loss, gap = world + own / np.abs(rng.standard_normal(shape)), 0.0  # Cauchy
    elif kind == "skewed gaps":
        loss = np.exp(world + 2 * own)
    elif kind == "ties":
        loss = np.floor(np.exp(0.5 * (world + own)))
    elif kind == "diverged":
        loss, status = np.exp(world + own), np.where(rng.random(shape) < 0.3, 3, 2)
    elif kind == "solved, censored times":
        missed = rng.random(shape) < 0.1
        loss, times = np.where(missed, 1.0, 0.0), 20 * np.exp(0.3 * (world + own))
        hits = np.where(missed | (times > 100), np.inf, np.floor(times))[..., None]
    data = results(loss, status=status, gap_known=gap, hits=hits)
    data = data.assign_coords(precision=0.5 if kind in ("ties", "solved, censored times") else 1e-8, checkpoint=[0.5, 1.0])
    return data if hits is None else data.assign_coords(target_loss=("target", [0.5]))


def said(data):
    """Pairs (study, pair) of which the test rejects, corrected within each study, and the share of pairs that were judged by time.

    A verdict needs the interval as well, which only takes some away: so these are at least as many.
    """
    outcome, which = judged(data)
    rows = unit_means(outcome.away()).transpose("landscape", "pair", "unit").values
    p = wilcoxons(rows.reshape(-1, rows.shape[-1])).reshape(rows.shape[:2])
    return np.array([holm(row) for row in p]) < LEVEL, float((which == JUDGED.index("time to target")).mean())


KINDS = pytest.mark.parametrize("kind", ["normal", "heavy tails", "skewed gaps", "ties", "diverged", "solved, censored times"])


@WORLDS
@KINDS
def test_verdicts_of_pairs(kind, worlds):
    sure, timed = said(drawn(kind, worlds))
    better, _ = said(drawn(kind, worlds, better=1.0, seed=2))
    told = f"{kind}, {worlds} worlds: false {sure.any(1).mean():.3f}, power {better[:, :2].mean():.2f}, judged by time {timed:.2f}"
    print(told)
    assert sure.any(1).mean() <= MOST, told
    assert timed > 0.9 or kind != "solved, censored times" or worlds < 8 or worlds > 15


@WORLDS
@KINDS
def test_ranks_over_worlds(kind, worlds):
    wrong = ranks(drawn(kind, worlds), "replicate")["differ"].any(["optimizer", "other"]).mean()
    right = ranks(drawn(kind, worlds, better=1.0, seed=2), "replicate")["differ"].isel(optimizer=0)[:, 1:].mean()
    told = f"{kind}, {worlds} worlds: false {float(wrong):.3f}, power {float(right):.2f}"
    print(told)
    assert wrong <= MOST, told


@pytest.mark.parametrize("blocks", [4, 10, 30])
def test_ranks_over_landscapes(blocks):
    """Of the medians of landscapes that differ much."""
    rng = np.random.default_rng(3)
    medians = rng.standard_cauchy((STUDIES, blocks, 1)) + rng.standard_normal((STUDIES, blocks, 5))
    found = friedman(xr.DataArray(medians, dims=("study", "block", "optimizer"), coords={"optimizer": list("ABCDE")}))
    assert found["differ"].any(["optimizer", "other"]).mean() <= MOST


@pytest.mark.parametrize("worlds", [3, 8, 20, 64])
def test_prices_that_decide(worlds):
    """The win of the first at 20 prices, along which it changes little by little; a tie counts half."""
    rng = np.random.default_rng(4)
    walk = rng.standard_normal((STUDIES, worlds, 1)) + 0.2 * rng.standard_normal((STUDIES, worlds, 20)).cumsum(-1)
    won = (np.sign(np.round(walk, 1)) + 1) / 2
    part = xr.DataArray(won, dims=("study", "replicate", "price"), coords={"price": np.geomspace(1, 20, 20)})
    found = proportion("win", part, trials=2, long_name="win")
    verdicts = crossing(found["win"], found["win_interval"], 0.5, "price")["verdict"]
    false = np.isin(verdicts, [VERDICTS[i] for i in (ABOVE, BELOW, CHANGES, SEVERAL)]).mean()
    print(f"{worlds} worlds: false {false:.3f}")
    assert false <= MOST
