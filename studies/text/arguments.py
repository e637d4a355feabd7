"""The options of a command: a wrong one gets a line, and exit code 2."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from typing import NoReturn

from studies.text.words import nearest

UNKNOWN = re.compile(r"unrecognized arguments: (--[\w-]+)")


class Arguments(ArgumentParser):
    """A parser that tells a mistake in one line, without all that is right: that is `--help`."""

    def error(self, message: str) -> NoReturn:
        """End the command with what is wrong, and the option that may be meant."""
        self.exit(2, f"{self.prog}: {message}; {self._remedy(message)}\n")

    def _remedy(self, message: str) -> str:
        unknown = UNKNOWN.match(message)
        near = unknown and nearest(unknown[1], self._option_string_actions)
        return f"did you mean {near}?" if near else "see --help"
