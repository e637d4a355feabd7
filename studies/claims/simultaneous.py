"""The judgements of a study together: Holm's method (1979, Scand. J. Stat. 6:65), for each of the two errors.

Of all judgements in their regime, with probability LEVEL at most a false law is said to hold somewhere, and
with LEVEL at most a true one to fail somewhere. Each is a family of its own: for every law one of the two
hypotheses is true, and Holm's method controls a family whatever the dependence of its tests, as of arms that
share worlds. A claim holds where all its places do; for that alone no place would need a correction (the
intersection-union principle; Berger 1982, Technometrics 24:295), but each place is told, and read, by itself.
One place that fails is enough for a claim to fail, and for that the correction is needed.

Since a judgement is made at the stricter `gate.CAP`, the method changes nothing in a study of up to 37
judgements.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import scipy

from studies.claims.base import Judgement
from studies.claims.judging import would_decide
from studies.claims.measured import LEVEL


def together(judgements: Sequence[Judgement]) -> list[Judgement]:
    """The judgements of all claims of a study.

    Those that are decided alone, but not among all, are undecided.
    """
    places = [i for i, row in enumerate(judgements) if row.in_regime and not math.isnan(row.p_holds)]
    holds = _rejected([judgements[i].p_holds for i in places])
    fails = _rejected([judgements[i].p_fails for i in places])
    rows = list(judgements)
    for i, surely_holds, surely_fails in zip(places, holds, fails, strict=True):
        sure = {"holds": surely_holds, "fails": surely_fails}
        if not sure.get(rows[i].verdict, True):
            rows[i] = _undecided(rows[i], len(places))
    return rows


def _rejected(chances: Sequence[float]) -> list[bool]:
    """Whether Holm's method rejects each."""
    rejected, n = [False] * len(chances), len(chances)
    for rank, i in enumerate(sorted(range(n), key=lambda i: chances[i])):
        if chances[i] > LEVEL / (n - rank):
            break
        rejected[i] = True
    return rejected


def _undecided(row: Judgement, count: int) -> Judgement:
    alone = row.p_holds if row.verdict == "holds" else row.p_fails
    more = math.ceil(
        row.worlds * (scipy.stats.norm.isf(LEVEL / count) / scipy.stats.norm.isf(alone)) ** 2
    )
    note = (
        f"alone it {row.verdict}, but not surely enough among the {count} judgements of the study;"
        f" {would_decide(more)}"
    )
    return row._replace(
        verdict="undecided", worlds_needed=float(more), note="; ".join(filter(None, [row.note, note]))
    )
