"""Who owns which worlds, steps and parts of the streams: no two meet, and each draws where the table says."""

import itertools
import re
from pathlib import Path

from landscapes.addresses import ADDRESSES
from landscapes.oracle import noise
from landscapes.probes.binary import sampled, sampled_climbs
from landscapes.probes.binary.climbs import RULES
from landscapes.probes.continuous import extent, gradients
from landscapes.wrappers import moving
from studies.cells.ledger import selection
from studies.run.calibration import pilots, trials
from tests.support.each import each


def overlapping(owners):
    """Pairs of owners whose ranges meet."""
    spans = sorted(owners.items(), key=lambda owner: owner[1].start)
    return [(a, b) for (a, one), (b, two) in itertools.pairwise(spans) if one.stop > two.start]


@each("kind", ADDRESSES)
def test_nobody_draws_where_another_does(kind):
    owners, end = ADDRESSES[kind], 2**16 if kind.startswith("parts") else 2**32
    assert overlapping(owners) == []
    assert all(0 <= span.start < span.stop <= end and span.step == 1 for span in owners.values())


def test_an_overlap_is_seen():
    assert overlapping({"b": range(5, 9), "a": range(6), "c": range(9, 10)}) == [("a", "b")]


@each(
    ("kind", "owner", "used"),
    [
        ("worlds", "pilots", [pilots.AWAY]),
        ("worlds", "trials", [trials.AWAY]),
        ("steps", "probes: walks and lines", extent.PLACES.values()),
        ("steps", "probes: gradients", [gradients._START, gradients._BATCH]),
        ("steps", "probes: samples of bits", sampled._PLACES.values()),
        ("steps", "probes: accessible paths", [sampled_climbs._PATHS]),
        (
            "steps",
            "probes: hill climbs",
            [sampled_climbs._CLIMBS, sampled_climbs._CLIMBS + len(RULES) * sampled_climbs._STEPS - 1],
        ),
        ("parts of instance", "path of a moving landscape", [moving._PART]),
        ("parts of data", "order of an epoch", [noise.ORDER]),
        ("parts of ledger", "selection", selection.PARTS),
    ],
)
def test_everyone_draws_in_a_range_of_their_own(kind, owner, used):
    assert used
    assert all(address in ADDRESSES[kind][owner] for address in used)


def test_no_address_is_chosen_outside_of_the_table():
    """Numbers as large as those of the table stand nowhere else in the code."""
    large = re.compile(r"\b2 ?\*\* ?3[01]\b|\b1 ?<< ?3[01]\b")
    here = Path(__file__).parents[2]
    files = [
        path
        for floor in ("landscapes", "optimizers", "studies")
        for path in (here / floor).rglob("*.py")
    ]
    found = {path.name for path in files if large.search(path.read_text())}
    assert found == {"addresses.py", "streams_numba.py"}  # there: the block of the lower bits of a coin
