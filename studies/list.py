"""All that a study or a probe can name, with a line each: `python -m studies.list`.

More of one: `python -m studies.describe NAME`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

HITS = {
    "hit_cost": ("cost at which the recommended point first reached each target; inf: never", "evaluations"),
    "best_hit_cost": (
        "cost at which the best evaluated point first reached each target; inf: never",
        "evaluations",
    ),
    "status": ("what the world does: running, hit_target, budget_spent, diverged, failed or missing", "1"),
}
HEADS = {
    "key": "keys of a study file",
    "study": "ready studies",
    "measure": "measures of landscapes",
    "variable": "variables of the results",
}


def rows() -> Iterator[tuple[str, str, str]]:
    """What it is (landscape, optimizer, claim, figure, measure, variable, key, study), its name, and one line about it."""
    yield from ((family, name, line(family, name)) for family, found in names().items() for name in found)


def names() -> dict[str, list[str]]:
    """Family -> all that is of it."""
    from studies.claims import CLAIMS
    from studies.figures import FIGURES
    from studies.probe.datasets import measure_names
    from studies.registry import FAMILIES
    from studies.study_file import keys
    from studies.study_file.files import ready_studies

    found = {family: [*registry] for family, (registry, _) in FAMILIES.items()}
    found |= {
        "claim": [*CLAIMS],
        "figure": [*FIGURES],
        "measure": measure_names(),
        "variable": [*variables()],
    }
    return found | {"key": [*dict(keys.rows())], "study": [*ready_studies()]}


def line(family: str, name: str) -> str:
    """One line about something that has a name."""
    from studies.claims import CLAIMS
    from studies.figures import FIGURES
    from studies.probe.measures import measure
    from studies.registry import FAMILIES
    from studies.study_file import keys
    from studies.study_file.fields import summary
    from studies.study_file.files import question, ready_studies

    if family in FAMILIES:
        return summary(FAMILIES[family][0][name])
    lines = {
        "claim": lambda: summary(CLAIMS[name]),
        "figure": lambda: _first(sys.modules[FIGURES[name].__module__].__doc__ or ""),
        "measure": lambda: measure(name).line,
        "variable": lambda: variables()[name][0],
        "key": lambda: dict(keys.rows())[name],
        "study": lambda: question(ready_studies()[name]),
    }
    return lines[family]()


def variables() -> dict[str, tuple[str, str]]:
    """Name -> long name and unit, of the variables of a Dataset that every study may have."""
    from optimizers import OPTIMIZERS
    from studies import schema

    ours = {"start_loss": schema.START_LOSS} | schema.RECORDED | schema.COUNTED
    found = {name: (about.long_name, str(about.units)) for name, about in ours.items()} | HITS
    found |= {
        variable: (line, unit)
        for cls in OPTIMIZERS.values()
        for variable, line, unit in (*cls.recorded.values(), *cls.counted.values())
    }
    instruments = schema.LEDGER | schema.POPULATION | schema.PICTURE
    return found | {name: (about.long_name, str(about.units)) for name, about in instruments.items()}


def _first(text: str) -> str:
    """The first line of a docstring."""
    return text.strip().split("\n")[0]


def main() -> None:
    """The command line."""
    argparse.ArgumentParser(prog="python -m studies.list", description=__doc__).parse_args()
    from rich.table import Table

    from studies.text import terminal

    table = Table.grid(padding=(0, 2))
    last = ""
    for family, name, line in rows():
        if family != last:
            table.add_row(HEADS.get(family, f"{family}s"), style="bold")
        table.add_row(f"  {name}", line)
        last = family
    terminal.console().print(table)


if __name__ == "__main__":
    main()
