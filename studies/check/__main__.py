"""The command line: python -m studies.check mine:Kind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from studies.text.arguments import Arguments
from studies.text.leave import leave

if TYPE_CHECKING:
    import torch

    from landscapes.base import Landscape
    from optimizers.base import Optimizer
    from studies.check.promises import Check


def parser() -> Arguments:
    """The arguments of `python -m studies.check`."""
    words = Arguments(
        prog="python -m studies.check",
        description="Hold a landscape or an optimizer to its contract: one line for each promise.",
        epilog="exit codes: 0 it keeps the contract, 1 it breaks a promise, 2 it cannot be loaded",
    )
    kind = "an import path such as mine:Kind, or the name of a kind of ours"
    words.add_argument("kind", metavar="KIND", help=kind)
    other = "a parameter that is not its default"
    words.add_argument("--set", action="append", default=[], metavar="PARAMETER=VALUE", help=other)
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
    broken = sum(_broken(name, check) for name, check in checks(made))
    print(f"{args.kind}: {f'{broken} promises are broken' if broken else 'keeps the contract'}")
    return 1 if broken else 0


def _broken(name: str, check: Callable[[], str]) -> bool:
    """Print what came of a check; whether the promise is broken."""
    line = verdict(check)
    print(f"{line[:4]}  {name}{line[4:]}")
    return line.startswith("FAIL")


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

    for dtype in (torch.float64, torch.float32):
        yield from (
            _of_optimizer(made, dtype) if isinstance(made, Optimizer) else _of_landscape(made, dtype)
        )


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _of_landscape(made: Landscape, dtype: torch.dtype) -> Iterator[Check]:
    from studies.check.landscapes import LandscapeTrial

    for name, check in LandscapeTrial(made, dtype).checks():
        yield f"{name} ({_name(dtype)})", check


def _of_optimizer(made: Optimizer, dtype: torch.dtype) -> Iterator[Check]:
    from studies.check.optimizers import OptimizerTrial, example

    for domain in made.domains:
        for name, check in OptimizerTrial(made, example(domain), dtype).checks():
            yield f"{name} ({_name(dtype)}, {domain.__name__})", check


if __name__ == "__main__":
    leave(main)
