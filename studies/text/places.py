"""The options by which a command shows only some landscapes, optimizers and values of axes of a study."""

from __future__ import annotations

import re
from argparse import Namespace

from studies.text.shapes import Data

ALONE = "this one alone; may be repeated"
PLACES: dict[str, Data] = {  # options -> keywords of argparse
    "--landscape": {"action": "append", "metavar": "L", "help": ALONE},
    "--optimizer": {"action": "append", "metavar": "O", "help": ALONE},
    "--at": {
        "action": "append",
        "metavar": "AXIS=V",
        "help": "these values of an axis alone, such as B=8 or B=8,32; may be repeated",
    },
}


def chosen(args: Namespace) -> dict[str, list[str]]:
    """Landscapes, optimizers and axes of which only some are shown -> labels or values.

    Raises:
        ValueError: --at has no AXIS=VALUE.
    """
    some = {"landscape": args.landscape, "optimizer": args.optimizer}
    for text in args.at or []:
        axis, values = _axis_and_values(text)
        some.setdefault(axis, []).extend(values)
    return {dim: labels for dim, labels in some.items() if labels}


def _axis_and_values(text: str) -> tuple[str, list[str]]:
    """`B=8,32` as an axis and its values."""
    given = re.fullmatch("([^=]+)=(.+)", text)
    if not given:
        raise ValueError(f"--at: expected AXIS=VALUE, such as B=8, got {text!r}")
    return given[1].strip(), given[2].split(",")
