"""The CUDA devices of this machine, as its driver tells them; torch is not needed for that.

A process sees those of `CUDA_VISIBLE_DEVICES` alone, as that is when it first asks for one.
"""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
from typing import NamedTuple

ASK = ("nvidia-smi", "--query-gpu=index,name,driver_version", "--format=csv,noheader")


class Card(NamedTuple):
    """A CUDA device."""

    number: str
    name: str
    driver: str  # its version


@functools.cache
def cards() -> tuple[Card, ...]:
    """All of this machine; none where there is no driver."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        lines = subprocess.run(ASK, capture_output=True, text=True, check=True, timeout=60).stdout
        rows = (line.split(", ") for line in lines.splitlines())
        return tuple(Card(*row) for row in rows if len(row) == len(Card._fields))
    return ()


def visible() -> list[str]:
    """Those that this process may use, as `CUDA_VISIBLE_DEVICES` names them."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is None:
        return [card.number for card in cards()]
    return [name.strip() for name in given.split(",") if name.strip() not in ("", "-1", "NoDevFiles")]


def of_this_process() -> Card | None:
    """The card that a worker computes on, where it has one."""
    mine = visible()
    return next((card for card in cards() if card.number == mine[0]), None) if mine else None
