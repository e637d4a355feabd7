"""The command line: python -m studies.check mine:Kind."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landscapes.base import Landscape
    from optimizers.base import Optimizer
    from studies.check.promises import Check


def parser() -> argparse.ArgumentParser:
    """The arguments of `python -m studies.check`."""
    words = argparse.ArgumentParser(
        prog="python -m studies.check",
        description="Hold a landscape or an optimizer to its contract: one line for each promise.",
        epilog="exit codes: 0 it keeps the contract, 1 it breaks a promise, 2 it cannot be loaded",
    )
    words.add_argument(
        "kind", metavar="KIND", help="an import path such as mine:Kind, or the name of a kind of ours"
    )
    words.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PARAMETER=VALUE",
        help="a parameter that is not its default",
    )
    return words


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = parser().parse_args(arguments)
    from studies.check.kinds import load

    try:
        made = load(args.kind, args.set)
    except ValueError as error:
        print(f"{args.kind}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    broken = 0
    for name, check in checks(made):
        line = verdict(check)
        broken += line.startswith("FAIL")
        print(f"{line[:4]}  {name}{line[4:]}")
    print(f"{args.kind}: {f'{broken} promises are broken' if broken else 'keeps the contract'}")
    return 1 if broken else 0


def verdict(check: Callable[[], str]) -> str:
    """What came of a check, in a line that begins with ok, FAIL or skip, padded to four letters."""
    from studies.cells.contract import PluginError, Undecided
    from studies.text.user_code import one_line

    try:
        remark = check()
    except Undecided as error:
        return f"skip: {error}"
    except PluginError as error:
        return f"FAIL: {error}"
    except (Exception, SystemExit) as error:  # noqa: BLE001  a kind of the user's may raise anything
        return f"FAIL: {one_line(error)}"
    return f"ok  : {remark}" if remark else "ok  "


def checks(made: Optimizer | Landscape) -> Iterator[Check]:
    """All that is asked of a kind."""
    import torch

    from optimizers.base import Optimizer
    from studies.check.landscapes import LandscapeTrial
    from studies.check.optimizers import OptimizerTrial

    for dtype in (torch.float64, torch.float32):
        precision = str(dtype).removeprefix("torch.")
        if not isinstance(made, Optimizer):
            for name, check in LandscapeTrial(made, dtype).checks():
                yield f"{name} ({precision})", check
            continue
        for domain in made.domains:
            for name, check in OptimizerTrial(made, domain(), dtype).checks():
                yield f"{name} ({precision}, {domain.__name__})", check


if __name__ == "__main__":
    sys.exit(main())
