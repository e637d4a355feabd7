"""Who draws where: one table of the worlds, steps and parts of `landscapes.streams` that have an owner.

Two draws are independent where any part of their addresses differs. So whoever draws beside a search, or
beside somebody else at the same source and step, has a range of its own here.
`tests/landscapes/test_addresses.py` finds none that overlap. Parts that only one optimizer or landscape uses
stand in its own docstring.
"""

from __future__ import annotations

ADDRESSES: dict[str, dict[str, range]] = {
    "worlds": {  # 0 <= world < 2**32
        "comparison": range(2**31),
        "pilots": range(2**31, 3 * 2**30),  # runs that find the parameters of a match
        "trials": range(3 * 2**30, 2**32),  # runs that tune
    },
    "steps": {  # 0 <= step < 2**32
        "search": range(2**31),  # 0 draws the starts; then one step for each query
        "probes: walks and lines": range(2**31, 2**31 + 16),
        "probes: gradients": range(2**31 + 16, 2**31 + 32),
        "probes: samples of bits": range(2**31 + 2**20, 2**31 + 2**20 + 2**19),
        "probes: accessible paths": range(2**31 + 2**20 + 2**19, 2**31 + 2**21),
        "probes: hill climbs": range(2**31 + 2**21, 2**31 + 2**21 + 3 * 2**24),  # 2**24 for each rule
    },
    "parts of instance": {  # 0 <= part < 2**16
        "landscape": range(1000),
        "path of a moving landscape": range(1000, 1001),
        "terms of a finite sum": range(1001, 1002),
    },
    "parts of data": {
        "mini-batches": range(1),
        "order of an epoch": range(1, 2),
    },
    "parts of evaluation": {
        "noise of the study": range(2),  # values, gradients
        "noise of the landscape": range(2, 2**16),
    },
    "parts of ledger": {
        "steepest directions": range(1),
        "mean curvature": range(1, 2),
        "selection": range(2, 4),  # one for each half of the points
    },
}


def first(kind: str, owner: str) -> int:
    """The first world, step or part of an owner in `ADDRESSES`."""
    return ADDRESSES[kind][owner].start
