"""Watch a study while it runs, in a browser of this machine: python -m studies.watch RESULTS.

Progress by arm, medians so far, the time left, what failed. Only this machine can open the page; nothing is
written. Ctrl-C ends it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from studies.text.arguments import Arguments
from studies.text.leave import leave

WRONG = 2  # exit code
PORT = 8642
PORTS = range(2**16)
TAKEN = "--port: expected one that is free, {} is not ({}); --port 0 takes any that is"


def parser() -> Arguments:
    """The command line."""
    words = Arguments(prog="python -m studies.watch", description=__doc__)
    words.add_argument("results", type=Path, metavar="RESULTS", help="a study's folder")
    which = f"where the page is (default: {PORT}); 0: any that is free"
    words.add_argument("--port", type=int, default=PORT, metavar="P", help=which)
    return words


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page until Ctrl-C; returns the exit code."""
    words = parser()
    args = words.parse_args(arguments)
    from studies.watch import progress, server

    if not progress.is_study(args.results):
        words.error(f"RESULTS: expected the folder of a study, got {args.results}")
    if args.port not in PORTS:
        words.error(f"--port: expected 0 <= port <= {PORTS[-1]}, got {args.port}")
    try:
        made = server.server(args.results, args.port)
    except OSError as error:
        print(TAKEN.format(args.port, error.strerror), file=sys.stderr)
        return WRONG
    with made, contextlib.suppress(KeyboardInterrupt):
        print(f"{server.address(made)} shows {args.results}; Ctrl-C ends it", flush=True)
        made.serve_forever()
    return 0


if __name__ == "__main__":
    leave(main)
