"""How often a verdict is wrong, and how often it is there at all, over simulated studies.

A law that is off by exactly its tolerance is at once the falsest true law and the truest false one: at it
both errors are most frequent. Whatever the worlds are (ties, censoring, heavy tails; 3 to 64 of them),
neither may happen in more than LEVEL of the studies, plus two standard errors of the simulation.
"""

import itertools

import numpy as np
import pytest
import xarray as xr

from studies.claims import judge
from studies.claims.gate import verdict
from studies.claims.jackknife import jackknife
from studies.claims.measured import LEVEL, Law
from studies.claims.ordering import decided
from tests.support.claims import results

STUDIES = 1000
ALLOWED = LEVEL + 2 * np.sqrt(LEVEL * (1 - LEVEL) / STUDIES)
WORLDS = (3, 4, 8, 16, 32, 64)
TOLERANCE = 0.1
TAILS = {  # of one world -> sample of mean 1
    "normal": lambda rng, shape: 1 + 0.3 * rng.standard_normal(shape),
    "exponential": lambda rng, shape: rng.exponential(1, shape),
    "chi-square of one": lambda rng, shape: rng.standard_normal(shape) ** 2,
    "log-normal 1": lambda rng, shape: rng.lognormal(-0.5, 1, shape),
    "log-normal 1.5": lambda rng, shape: rng.lognormal(-1.125, 1.5, shape),
    "pareto 2.5": lambda rng, shape: (rng.pareto(2.5, shape) + 1) * 0.6,
    "t of 3": lambda rng, shape: 1 + 0.3 * rng.standard_t(3, shape),
    "ties": lambda rng, shape: rng.poisson(3, shape) / 3,
    "many ties": lambda rng, shape: np.where(rng.random(shape) < 0.5, 0.5, 1.5),
}


def rng(*key):
    return np.random.default_rng([2027, *map(ord, "".join(map(str, key)))])


def part(values, **coords):
    return xr.DataArray(
        values, dims="replicate", coords={name: ("replicate", given) for name, given in coords.items()}
    )


@pytest.mark.verify
@pytest.mark.parametrize(("tail", "worlds"), list(itertools.product(TAILS, WORLDS)))
def test_a_law_for_a_mean(tail, worlds):
    """Of each sign: the truth is 10 % above what is predicted, and 10 % below."""
    sample = TAILS[tail](rng(tail, worlds), (STUDIES, worlds))
    for edge in (1 + TOLERANCE, 1 - TOLERANCE):
        law = Law(predicted=1 / edge, control=50.0, tolerance=TOLERANCE)
        found = [
            verdict(law, jackknife(np.mean, [part(row)], positive=bool((row >= 0).all())))[0]
            for row in sample
        ]
        assert found.count("holds") <= ALLOWED * STUDIES
        assert found.count("fails") <= ALLOWED * STUDIES


@pytest.mark.verify
@pytest.mark.parametrize(("share", "worlds"), list(itertools.product((0.01, 0.1, 0.5, 0.95), WORLDS)))
def test_a_law_for_a_share(share, worlds):
    """Also where no world, or every one, is."""
    sample = (rng(share, worlds).random((STUDIES, worlds)) < share).astype(float)
    for edge in (0.05, -0.05):
        law = Law(predicted=share + edge, control=9.0, tolerance=0.0, absolute=0.05)
        found = [
            verdict(law, jackknife(np.mean, [part(row)], positive=True, share=True))[0]
            for row in sample
        ]
        assert found.count("holds") <= ALLOWED * STUDIES
        assert found.count("fails") <= ALLOWED * STUDIES


@pytest.mark.verify
@pytest.mark.parametrize("worlds", WORLDS)
def test_a_running_time_that_is_censored(worlds):
    """Geometric waiting times of mean 100, budgets of 30 to 300.

    The expected running time of restarts is 100 whatever the budget.
    """
    for budget in (30, 100, 300):
        wait = rng(worlds, budget).geometric(0.01, (STUDIES, worlds)).astype(float)
        reached = wait <= budget
        for edge in (1 + TOLERANCE, 1 - TOLERANCE):
            law, counts = Law(predicted=100 / edge, control=1e5, tolerance=TOLERANCE), []
            for cost, hit in zip(np.minimum(wait, budget), reached, strict=True):
                data = hits(cost, hit, budget)
                counts.append(verdict(law, data)[0])
            assert counts.count("holds") <= ALLOWED * STUDIES
            assert counts.count("fails") <= ALLOWED * STUDIES


def hits(cost, hit, budget):
    from studies.analysis.noise.pooling import pooled_ratio
    from studies.claims.measured import CAP

    found = jackknife(pooled_ratio, [part(cost), part(hit.astype(float))], positive=True)
    return found._replace(least=budget / (1 - CAP ** (1 / len(cost)))) if found.never else found


@pytest.mark.verify
@pytest.mark.parametrize("worlds", WORLDS)
def test_an_ordering(worlds):
    """No difference, without ties and with a third of them: neither is said to be better."""
    for tied in (0.0, 1 / 3):
        wins = rng(worlds, tied).multinomial(worlds, [(1 - tied) / 2, (1 - tied) / 2, tied], STUDIES)
        found = [decided(a, b) for a, b, _ in wins.tolist()]
        assert len(found) - found.count("undecided") <= ALLOWED * STUDIES


EARLY = 1  # the checkpoint at cost 20, at which two optimizers are compared
LAWS = {
    "level": {
        "kind": "law",
        "optimizer": "SGD",
        "observe": "mean(loss, since=0.5)",
        "predicted": 1.0,
        "tolerance": 0.1,
        "at": {"batch": 1},
    },
    "power": {
        "kind": "law",
        "optimizer": "SGD",
        "observe": "exponent(mean(loss, since=0.5), batch)",
        "predicted": -1,
        "control": -0.5,
        "tolerance": {"absolute": 0.1},
    },
    "rate": {
        "kind": "law",
        "optimizer": "GD",
        "observe": "log(loss(start) / loss) / 100",
        "predicted": "-log(0.9)",
        "tolerance": 0.1,
        "at": {"batch": 1},
    },
    "alike": {
        "kind": "equality",
        "first": "SGD",
        "second": "GD",
        "margin": 0.1,
        "at": {"batch": 2},
        "cost": 20,
    },
    "order": {"kind": "ordering", "better": "SGD", "worse": "GD", "at": {"batch": 4}, "cost": 20},
}


def study(draw, worlds, tail, off):
    """Results whose laws are off by their tolerance, in the direction `off` = 1 or -1, and whose optimizers have no order."""
    one, two, three = TAILS[tail](draw, (3, 3, worlds))
    level = np.abs(one) * (1 + 0.1 * off) * np.array([1.0, 2.0, 4.0])[:, None] ** (-1 + 0.1 * off)
    sgd = np.repeat(level[..., None], 10, -1)
    gd = np.exp(np.log(0.9) * (1 + 0.1 * off) * two[..., None] * np.arange(10, 101, 10))
    gd[1, :, EARLY] = level[1] * 10 ** (-0.1 * off * three[1])
    gd[2, :, EARLY] = level[2] * np.where(draw.random(worlds) < 0.5, 2.0, 0.5)
    data = results(
        np.stack([sgd, gd])[None],
        optimizers=("SGD", "GD"),
        axes={"batch": [1, 2, 4]},
        claims=LAWS,
        draws=["data"],
    )
    start = data["loss"].isel(checkpoint=0, drop=True)
    return data.assign_coords(precision=1e-300).assign(start_loss=xr.ones_like(start))


@pytest.mark.verify
@pytest.mark.parametrize(("tail", "worlds"), [("exponential", 8), ("many ties", 32)])
def test_all_kinds_of_claims_of_a_study_together(tail, worlds):
    """In how many studies is any of five verdicts wrong? One that is right by luck, undecided, is none."""
    wrong = {"holds": 0, "fails": 0}
    for number in range(STUDIES):
        rows = judge(study(rng("all", tail, worlds, number), worlds, tail, off=1 if number % 2 else -1))
        assert [row.claim for row in rows] == list(LAWS)
        for name in wrong:
            wrong[name] += any(row.verdict == name for row in rows)
    assert wrong["holds"] <= ALLOWED * STUDIES
    assert wrong["fails"] <= ALLOWED * STUDIES


@pytest.mark.verify
def test_power():
    """With a relative standard deviation of 0.3 and a tolerance of 0.1 it takes (3 + 2)^2 0.3^2 / 0.1^2 = 225 worlds to hold in 95 % of studies."""
    worlds = 256
    seen = [
        jackknife(np.mean, [part(row)], positive=True)
        for row in TAILS["normal"](rng("power", worlds), (STUDIES, worlds))
    ]
    right, wrong = (
        Law(predicted=predicted, control=2.0, tolerance=TOLERANCE) for predicted in (1.0, 1.25)
    )
    assert sum(verdict(right, one)[0] == "holds" for one in seen) >= 0.95 * STUDIES
    assert sum(verdict(wrong, one)[0] == "fails" for one in seen) >= 0.95 * STUDIES
