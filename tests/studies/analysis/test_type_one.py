"""False statements of the comparisons, over 1,000 studies of arms that are alike.

At most the nominal share and two standard errors.

The studies of a case are one Dataset, a study a landscape, of which Holm's correction is taken apart, so that
all of them are judged at once. Arms that are alike are exchangeable in every world, which they share. A false
statement of a study is any at all of arms that are alike: a pair called better, by whatever is judged; two
average ranks called different; a winner called sure; a price said to decide; a bias seen. It is counted where
all arms are alike, and again where one of them is better and so leaves all of the level to the others.

Power, in 3, 8, 16 and 64 worlds, is printed too. An arm that is better by a standard deviation of what each
has of its own is called better

    0  .21  .59  1.00    normal, by the final loss; the same by areas        0  0    .27  .97    two worlds on each instance
    0  .05  .44   .90    log-normal 1.5                                      0  .07  .17  .79    times, a tenth or more of them censored
    0  .09  .47   .95    Pareto 1.5                                          0  .02  .02  .12    a third diverged: medians, by their intervals
    0  .01  .24   .89    ties                                              .03  .19  .45  .99    normal, by average ranks over worlds

a price at which the winner changes is found in 0, .06, .64 and 1.00 of studies where the chance to win falls
from 86 % to 14 %.
"""

import numpy as np
import pytest
import xarray as xr

from studies.analysis.comparison import comparison
from studies.analysis.comparison.comparison import compare, holm
from studies.analysis.comparison.outcomes import JUDGED
from studies.analysis.comparison.ranks import friedman, ranks
from studies.analysis.comparison.winners import winners
from studies.analysis.intervals import bootstrap
from studies.analysis.noise.noise import ALPHA, verdict
from studies.analysis.price.break_even import break_even
from tests.support.arms import results

pytestmark = pytest.mark.verify
STUDIES, LEVEL = 1000, 0.05
WORLDS = pytest.mark.parametrize("worlds", [3, 8, 16, 64])
DIMS = ("landscape", "optimizer", "replicate", "checkpoint")
TAILS = {  # of one world -> its numbers, the larger the worse, of all arms
    "normal": lambda world, own: world + own,
    "log-normal 1.5": lambda world, own: np.exp(world + 1.5 * own),
    "pareto 1.5": lambda world, own: np.exp(np.log1p(np.exp(world)) + np.logaddexp(0, 1.7 * own) / 1.5),
    "ties": lambda world, own: np.floor(np.exp(world + own)),
    "unequal spreads": lambda world, own: world + own * np.array([1.0, 1.0, 5.0])[:, None],
    "shared instances": lambda world, own: world + own,
    "diverged": lambda world, own: np.exp(world + own),
}
TIMES = {"censored times": "time to target", "areas": "area over the curve"}


def most(level, studies=STUDIES):
    return level + 2 * np.sqrt(level * (1 - level) / studies)


@pytest.fixture(autouse=True)
def all_studies_at_once(monkeypatch):
    """Few resamples, no effect sizes, which no verdict reads, and Holm's correction within each study."""
    monkeypatch.setattr(bootstrap, "RESAMPLES", 199)
    monkeypatch.setattr(comparison, "_effect_sizes", lambda *parts: xr.Dataset())
    monkeypatch.setattr(comparison, "holm", lambda p: holm(p.reshape(STUDIES, -1)).ravel())


def drawn(kind, worlds, better=0.0, seed=1):
    """Studies of three arms, as landscapes.

    The first is better by `better`, in standard deviations of what an arm adds of its own in a world.
    """
    rng = np.random.default_rng(seed)
    shape, instances = (
        (STUDIES, 3, worlds),
        worlds // 2 if kind == "shared instances" and worlds > 3 else worlds,
    )
    world, own = rng.standard_normal((STUDIES, 1, worlds)), rng.standard_normal(shape)
    if instances < worlds:  # most of what an arm adds is the instance's
        own = (
            0.6 * own
            + 0.8 * rng.standard_normal((STUDIES, 3, instances))[..., np.arange(worlds) % instances]
        )
    own[:, 0] -= better
    if kind in TIMES:
        return slow(kind, world, own, rng)
    status = np.where(rng.random(shape) < 0.3, 3, 2) if kind == "diverged" else 2
    return results(TAILS[kind](world, own), status=status, instances=instances).assign_coords(
        precision=0.5 if kind == "ties" else 1e-8
    )


def slow(kind, world, own, rng):
    """Studies whose runs all solve the task in the end, but a tenth of them, where times are told.

    Times beyond the budget are never.
    """
    missed = rng.random(own.shape) < (0.1 if kind == "censored times" else 0.0)
    times = 20 * np.exp(0.5 * (world + own))
    hits = np.where(missed | (times > 100), np.inf, np.floor(times))[..., None]
    loss = (
        np.where(missed & (own.shape[-1] < 9), 1.0, 0.0)
        if kind == "censored times"
        else np.zeros(own.shape)
    )
    data = results(loss, gap_known=1.0, hits=hits if kind == "censored times" else None)
    data = data.assign_coords(precision=1e-3, checkpoint=[0.5, 1.0])
    if kind == "censored times":
        return data.assign_coords(target_loss=("target", [0.5]))
    cost = np.broadcast_to([50.0, 100.0], (*own.shape, 2))
    data["loss"] = DIMS, np.stack([times, loss], -1)
    return data.assign(
        value_terms=(DIMS, cost), gradient_terms=(DIMS, 0 * cost), steps=(DIMS, cost)
    ).assign_coords(terms=1.0)


def said(verdicts, arms="ABC"):
    """Of which studies some pair of these arms is called better."""
    both = np.isin(verdicts["a"], list(arms)) & np.isin(verdicts["b"], list(arms))
    return (verdicts.isel(pair=both) != comparison.VERDICTS[2]).any("pair").values


@WORLDS
@pytest.mark.parametrize("kind", [*TAILS, *TIMES])
def test_pairs(kind, worlds):
    """The test alone as well: a verdict needs the interval too, which may only take some away."""
    alike, apart = compare(drawn(kind, worlds)), compare(drawn(kind, worlds, better=1.0, seed=2))
    rejected = (alike["p_corrected"] < LEVEL).any("pair").mean().item()
    of_others = (apart["p_corrected"].isel(pair=2) < LEVEL).mean().item()
    power = (apart["verdict"].isel(pair=[0, 1]) == comparison.VERDICTS[0]).mean().item()
    share = (alike["judged"] == TIMES.get(kind, JUDGED[0])).mean().item()
    told = (
        f"{kind}, {worlds} worlds: false {rejected:.3f}, verdicts {said(alike['verdict']).mean():.3f}, beside"
        f" a better arm {of_others:.3f}"
    )
    print(f"{told}, power {power:.2f}, judged so {share:.2f}")
    assert max(rejected, of_others, said(alike["verdict"]).mean()) <= most(LEVEL), told
    assert share > 0.9 or worlds < 8


@WORLDS
@pytest.mark.parametrize(
    "kind", [kind for kind in TAILS if kind != "unequal spreads"]
)  # whose average ranks do differ beside a better arm
def test_ranks_over_worlds(kind, worlds):
    alike, apart = (
        ranks(drawn(kind, worlds, better=better, seed=3), "replicate")["differ"]
        for better in (0.0, 1.0)
    )
    wrong, beside = (
        alike.any(["optimizer", "other"]).mean().item(),
        apart.isel(optimizer=1, other=2).mean().item(),
    )
    power = apart.isel(optimizer=0, other=[1, 2]).mean().item()
    print(
        f"{kind}, {worlds} worlds: false {wrong:.3f}, beside a better arm {beside:.3f}, power {power:.2f}"
    )
    assert max(wrong, beside) <= most(LEVEL)


@pytest.mark.parametrize("blocks", [4, 10, 30])
def test_ranks_over_landscapes(blocks):
    """Of the medians of landscapes that differ much, with ties.

    Five arms alike, then two of them far ahead.
    """
    rng = np.random.default_rng(4)
    medians = np.round(
        rng.standard_cauchy((STUDIES, blocks, 1)) + rng.standard_normal((STUDIES, blocks, 5)), 1
    )
    for ahead in (0, 2):
        medians[..., :ahead] -= 100
        found = friedman(
            xr.DataArray(
                medians, dims=("study", "block", "optimizer"), coords={"optimizer": list("ABCDE")}
            )
        )["differ"]
        groups = [slice(0, ahead), slice(ahead, 5)]
        wrong = (
            sum(
                found.isel(optimizer=part, other=part).any(["optimizer", "other"]).astype(int)
                for part in groups
            )
            > 0
        )
        power = found.isel(optimizer=0, other=4).mean().item()
        print(f"{blocks} blocks, {ahead} ahead: false {wrong.mean().item():.3f}, apart {power:.2f}")
        assert wrong.mean() <= most(LEVEL)


@WORLDS
@pytest.mark.parametrize("kind", ["normal", "ties"])
def test_winners(kind, worlds):
    """Studies along a swept axis.

    All alike, then the last so much worse that one test is left for two that are alike.
    """
    for worse in (0.0, 5.0):
        data = (
            drawn(kind, worlds, seed=5)
            .rename(landscape="study")
            .assign_coords(study=np.arange(STUDIES))
        )
        data["loss"] = (
            data["loss"] + worse * (data["optimizer"] == "C") * np.exp(worse) + 1e-9 * data["study"]
        )  # so that no two studies are one
        wrong = winners(data)["decided"].mean().item()
        print(f"{kind}, {worlds} worlds, the third worse by {worse}: false {wrong:.3f}")
        assert wrong <= most(LEVEL)


PRICES = np.geomspace(1, 20, 14)


def priced(kind, worlds, shift, seed):
    """Studies of an arm of gradients alone and one of values alone.

    At every price the first is ahead by the `shift` of it (14,).
    """
    rng = np.random.default_rng(seed)
    shape = (STUDIES, worlds, len(PRICES))
    steps = rng.standard_normal(shape)
    for one in range(1, len(PRICES)):
        steps[..., one] = (
            0.95 * steps[..., one - 1] + np.sqrt(1 - 0.95**2) * steps[..., one]
        )  # standard normal at each
    first, second = (
        steps - shift[::-1],
        np.repeat(rng.standard_normal((STUDIES, worlds, 1)), len(PRICES), -1),
    )
    loss = {"normal": lambda x: x, "log-normal 1.5": lambda x: np.exp(1.5 * x), "ties": np.round}[kind](
        np.stack([first, second], 1)
    )
    costs = (
        20 / PRICES[::-1]
    )  # at a price p the first has made 20 / p gradients when the second has made 20 values
    counted = np.broadcast_to(costs, loss.shape)
    gradients = np.array([1.0, 0.0])[:, None, None] * counted
    data = {
        "loss": loss,
        "status": np.full(loss.shape, 2, np.int8),
        "value_terms": counted - gradients,
        "gradient_terms": gradients,
    }
    found = xr.Dataset({name: (DIMS, part) for name, part in data.items()})
    coords = {
        "landscape": [f"land {i}" for i in range(STUDIES)],
        "optimizer": ["A", "B"],
        "replicate": np.arange(worlds),
        "terms": 1.0,
    }
    coords |= {"checkpoint": costs / 20, "cost": ("checkpoint", costs)}
    return found.assign_coords(coords).assign_attrs(
        config='{"gradient_cost": {"value": 1.0, "range": [1.0, 20.0]}}'
    )


@WORLDS
@pytest.mark.parametrize("kind", ["normal", "ties", "log-normal 1.5"])
def test_prices(kind, worlds):
    """Neither ahead at any price, one alone or all.

    Then the first ahead at both ends, and neither between them: it never falls behind.
    """
    nowhere = np.zeros(len(PRICES))
    ends = np.where(np.arange(len(PRICES)) % 13 == 0, 3.0, 0.0)
    alike, between, apart = (
        break_even(priced(kind, worlds, shift, seed), "A", "B", grid=PRICES)
        for seed, shift in enumerate((nowhere, ends, np.linspace(1.5, -1.5, len(PRICES))))
    )
    assert bool((alike["worlds"] == worlds).all())
    one = (
        (
            break_even(priced(kind, worlds, nowhere, 3), "A", "B", grid=PRICES[:1])["verdict"]
            != "undecided"
        )
        .mean()
        .item()
    )
    wrong = (alike["verdict"] != "undecided").mean().item()
    behind = np.isin(
        between["verdict"], ["second at all prices", "changes", "changes more than once"]
    ).mean()
    power = (apart["verdict"] == "changes").mean().item()
    print(
        f"{kind}, {worlds} worlds: false {wrong:.3f}, at one price {one:.3f}, behind between the ends"
        f" {behind:.3f}, power {power:.2f}"
    )
    assert max(wrong, one, behind) <= most(LEVEL)


BATCHES = np.array([4.0, 16.0, 64.0])


def ledgers(kind, worlds, size, power, seed, studies=STUDIES):
    """Mean steps of two halves in 10 dims, -0.1 times the reference and a bias of `size` times its length at a batch of 1, that falls as B^power."""
    rng = np.random.default_rng(seed)
    scale = (
        np.exp(1.5 * rng.standard_normal((studies, 1, worlds)))
        if kind == "log-normal 1.5"
        else np.ones((studies, 1, worlds))
    )
    if kind == "pareto 1.5":
        scale = rng.pareto(1.5, scale.shape) + 1
    reference = rng.standard_normal((studies, 1, worlds, 10)) * scale[..., None]
    along = rng.standard_normal((10,))
    away = (
        size
        * BATCHES[:, None, None] ** power
        * along
        * scale[..., None]
        * np.sqrt(10)
        / np.linalg.norm(along)
    )
    noise = (
        rng.standard_normal((2, studies, 3, worlds, 10))
        * scale[..., None]
        / np.sqrt(BATCHES)[:, None, None]
        * (0.3 if size else 1.0)
    )
    steps = -0.1 * (reference + away + noise)
    dims = ("study", "batch", "replicate")
    data = {
        "mean_step_along": (("half", *dims), -(steps * reference).sum(-1)),
        "mean_step_squared": (dims, (steps[0] * steps[1]).sum(-1)),
        "reference_squared": (dims, np.broadcast_to((reference**2).sum(-1), (studies, 3, worlds))),
    }
    return xr.Dataset(data, {"half": ["a", "b"], "batch": BATCHES})


@WORLDS
@pytest.mark.parametrize("kind", ["normal", "log-normal 1.5", "pareto 1.5"])
def test_biases(kind, worlds):
    """None, of 4,000 studies, as so few are wrong.

    Then one whose length falls as B^-0.75, at the edge of O(1/B); power is of B^-1.
    """
    none, edge, whole = (
        verdict(ledgers(kind, worlds, size, power, seed, studies), "batch")
        for seed, (size, power, studies) in enumerate((
            (0.0, 0.0, 4 * STUDIES),
            (1.0, -0.75, STUDIES),
            (1.0, -1.0, STUDIES),
        ))
    )
    seen, falls = (none != "unbiased").mean().item(), (edge == "biased O(1/batch)").mean().item()
    power, right = (whole != "unbiased").mean().item(), (whole == "biased O(1/batch)").mean().item()
    print(
        f"{kind}, {worlds} worlds: bias seen {seen:.3f}, false O(1/B) {falls:.3f}, power {power:.2f}, O(1/B)"
        f" {right:.2f}"
    )
    assert seen <= most(ALPHA, 4 * STUDIES)
    assert falls <= most(LEVEL)
