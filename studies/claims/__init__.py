"""Claims of a study: kinds, one a file, and the rule (`gate`) by which they hold.

`judge` gives the verdicts of a study's results, `once` for all who ask; nothing here imports torch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar

from xarray import Dataset

from studies.claims.base import WORST, Claim, Judgement, Verdict, unknown
from studies.claims.custom import Custom
from studies.claims.equality import Equality
from studies.claims.facts import law_facts
from studies.claims.jackknife import jackknife
from studies.claims.judging import judgement
from studies.claims.law import LawClaim
from studies.claims.measured import Law, Measured, Scale
from studies.claims.ordering import Ordering
from studies.claims.simultaneous import together
from studies.results.config import config
from studies.text.shapes import Tree

__all__ = [
    "CLAIMS",
    "Claim",
    "Judgement",
    "Law",
    "Measured",
    "Scale",
    "build",
    "jackknife",
    "judge",
    "judgement",
    "law_facts",
    "once",
    "verdicts",
]

CLAIMS: dict[str, type[Claim]] = {
    "ordering": Ordering,
    "equality": Equality,
    "law": LawClaim,
    "custom": Custom,
}


def build(entry: Tree) -> Claim:
    """The claim of an entry {"kind": .., parameters}.

    Raises:
        ValueError: a parameter is wrong.
    """  # noqa: DOC502
    return CLAIMS[entry["kind"]](**{key: value for key, value in entry.items() if key != "kind"})


def judge(dataset: Dataset) -> list[Judgement]:
    """The verdicts of all claims of a study, in its order, from its results alone.

    A claim that cannot be judged (no world has finished, a function of the user's fails) is undecided, and
    its note says why in one line.

    Args:
        dataset: a study's results, as `studies.open_study` gives them; also before all cells are finished.
    """
    held, known = _KNOWN.get()
    return list(known) if held is dataset else _judge(dataset)


_KNOWN: ContextVar[tuple[Dataset | None, list[Judgement]]] = ContextVar("known", default=(None, []))


@contextlib.contextmanager
def once(dataset: Dataset) -> Iterator[None]:
    """While the body runs, this Dataset, which stays as it is, is judged one time for all its figures."""
    before = _KNOWN.set((dataset, _judge(dataset)))
    try:
        yield
    finally:
        _KNOWN.reset(before)


def _judge(dataset: Dataset) -> list[Judgement]:
    """The verdicts of all claims, Holm's method over them."""
    entries = config(dataset).get("claims") or {}
    return together([
        row._replace(claim=name) for name, entry in entries.items() for row in _judged(dataset, entry)
    ])


def _judged(dataset: Dataset, entry: Tree) -> Sequence[Judgement]:
    try:
        judgements = build(entry).judge(dataset)
    except (Exception, SystemExit) as error:  # noqa: BLE001  results must not be lost to a claim
        text = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        return [unknown(entry["kind"], " ".join(text.split()))]
    return judgements or [unknown(entry["kind"], "there is nothing to judge")]


def verdicts(judgements: Sequence[Judgement]) -> dict[str, Verdict]:
    """Claim -> the worst of its verdicts in the regime; undecided where there are none."""
    worst: dict[str, Verdict] = {}
    for name in dict.fromkeys(row.claim for row in judgements):
        inside = [row.verdict for row in judgements if row.claim == name and row.in_regime]
        worst[name] = next((verdict for verdict in WORST if verdict in inside), "undecided")
    return worst
