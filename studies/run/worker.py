"""Workers by hand, for a scheduler that runs: `python -m studies.run.worker tcp://host:port`.

They are those of `dask worker`, one thread each, with the environment in which results are reproducible: one
for each GPU of this machine, which it sees alone, or else one for each core.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NamedTuple

from studies.run import cards
from studies.run.environment import ENVIRONMENT, cores, paths
from studies.run.signals import ENDS
from studies.text.arguments import Arguments
from studies.text.leave import leave

DASK = ("-m", "distributed.cli.dask_worker")
ALWAYS = ("--nthreads", "1", "--worker-class", "studies.run.lasting.Lasting", "--no-dashboard")
MORE = (
    "other options are those of `dask worker`: --lifetime 50m, --interface ib0, --tls-ca-file FILE, .."
)


class Started(NamedTuple):
    """A process of `dask worker`."""

    command: list[str]
    environment: dict[str, str]


def parser() -> Arguments:
    """The command line."""
    words = Arguments(prog="python -m studies.run.worker", description=__doc__, epilog=MORE)
    words.add_argument("address", nargs="?", metavar="ADDRESS", help="of a scheduler: tcp://host:port")
    words.add_argument("--workers", type=int, metavar="N", help="how many, each on a core")
    words.add_argument("--memory-limit", default="0", help="of each worker, as 4GB (default: none)")
    words.add_argument("--gpus", metavar="LIST", help="which: all (default), none, or numbers, as 0,2")
    words.add_argument("--count", action="store_true", help="print how many there would be")
    return words


def main(arguments: Sequence[str] | None = None) -> int:
    """Run workers until they end, or a signal comes; returns the exit code."""
    words = parser()
    args, more = words.parse_known_args(arguments)
    if args.workers is not None and args.workers < 1:
        words.error(f"--workers: expected >= 1, got {args.workers}")
    chosen = [] if args.workers else _chosen(args.gpus)
    if args.count:
        print(len(chosen) or args.workers or cores())
        return 0
    if args.address is None:
        words.error("expected ADDRESS, of a Dask scheduler: tcp://host:port")
    own = [args.address, *ALWAYS, "--memory-limit", args.memory_limit, *more]
    return run(processes(own, chosen, args.workers or cores()))


def _chosen(text: str | None) -> list[str]:
    """The cards that get a worker."""
    if text == "none":
        return []
    return cards.visible() if text in (None, "all") else text.split(",")  # type: ignore[union-attr]


def processes(words: list[str], chosen: Sequence[str], workers: int) -> list[Started]:
    """What is started.

    Args:
        words: of `dask worker`.
        chosen: cards, each of which gets a worker.
        workers: how many there are without a card.
    """
    command, everywhere = [sys.executable, *DASK, *words], ENVIRONMENT | {"PYTHONPATH": paths()}
    if not chosen:
        return [Started([*command, "--nworkers", str(workers)], everywhere)]
    own = [*command, "--resources", "GPU=1"]
    return [Started(own, everywhere | {"CUDA_VISIBLE_DEVICES": card}) for card in chosen]


def run(every: Sequence[Started]) -> int:
    """Start processes and wait for them; a signal to this one is for all. Returns an exit code."""
    running = [subprocess.Popen(one.command, env={**os.environ, **one.environment}) for one in every]

    def tell(number: int, frame: FrameType | None) -> None:
        del frame
        for one in running:
            one.send_signal(number)

    for number in ENDS:
        signal.signal(number, tell)
    codes = []
    for one in running:
        try:
            codes.append(one.wait())
        except KeyboardInterrupt:  # the terminal told them too
            codes.append(one.wait())
    return next((abs(code) for code in codes if code), 0)


if __name__ == "__main__":
    leave(main)
