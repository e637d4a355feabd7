"""Every landscape, optimizer and ready study, with a line each: `python -m studies.list`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path


def rows() -> Iterator[tuple[str, str, str]]:
    """What it is (landscape, optimizer, claim, figure, study), its name, and one line about it."""
    from studies.claims import CLAIMS
    from studies.config import ready_studies
    from studies.figures import FIGURES
    from studies.kinds import FAMILIES
    from studies.models import summary

    for family, (registry, _) in FAMILIES.items():
        yield from ((family, kind, summary(cls)) for kind, cls in registry.items())
    yield from (("claim", kind, summary(cls)) for kind, cls in CLAIMS.items())
    yield from (("figure", name, _first(sys.modules[draw.__module__].__doc__ or "")) for name, draw in FIGURES.items())
    yield from (("study", name, about(path)) for name, path in ready_studies().items())


def _first(text: str) -> str:
    """The first line of a docstring."""
    return text.strip().split("\n")[0]


def about(path: Path) -> str:
    """A study's question, else its first comment."""
    from studies import yaml_lines

    text = path.read_text(encoding="utf-8")
    data = yaml_lines.read(path.name, text).data
    question = data.get("question") if isinstance(data, dict) else None
    comments = (line.lstrip("# ").strip() for line in text.splitlines() if line.startswith("#") and "yaml-language-server" not in line)
    return " ".join(str(question).split()) if question else next(comments, "")


def main() -> None:
    """The command line."""
    argparse.ArgumentParser(prog="python -m studies.list", description=__doc__).parse_args()
    from rich.table import Table

    from studies import printing

    table = Table.grid(padding=(0, 2))
    last = ""
    for family, name, line in rows():
        if family != last:
            table.add_row(f"{family}s" if family != "study" else "studies", style="bold")
        table.add_row(f"  {name}", line)
        last = family
    printing.console().print(table)


if __name__ == "__main__":
    main()
