"""What kind of machine a process runs on: results are equal to the bit on machines of one kind."""

from __future__ import annotations

import functools
import os
import platform
from pathlib import Path

from studies.run import cards

CPUINFO = Path("/proc/cpuinfo")
LEVELS = {"avx512f": "AVX512", "avx2": "AVX2"}  # flag -> what torch calls it, the best first


@functools.cache
def cpu() -> dict[str, str]:
    """Its model, and the widest vectors that it computes with."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    rows = (line.partition(":") for line in lines)
    about = {name.strip(): value.strip() for name, _, value in rows}  # that of the last core
    flags = set(about.get("flags", "").split())
    level = next((level for flag, level in LEVELS.items() if flag in flags), "DEFAULT")
    return {"cpu": about.get("model name") or platform.machine(), "capability": level}


def kind() -> str:
    """In words, to see where two machines differ; nothing heavy is imported."""
    card = cards.of_this_process()
    return " ".join([*cpu().values(), *([card.name, card.driver] if card else [])])


def facts(device: str) -> dict[str, str]:
    """What is kept with a cell: the CPU's model and what torch uses of it; of a GPU its name and driver.

    Args:
        device: of the cell, "cpu" or "cuda".
    """
    import torch

    used = cpu() | {"capability": torch.backends.cpu.get_cpu_capability()}
    card = cards.of_this_process() if device == "cuda" else None
    return used | ({"card": card.name, "driver": card.driver} if card else {})


def alive(number: int) -> bool:
    """Whether a process of this machine is there."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is another user's
        return True
    return True
