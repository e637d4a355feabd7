"""All that a study or a probe can name, with a line each: `python -m studies.list`.

More of one: `python -m studies.describe NAME`.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from studies import schema

HITS = {"hit": "recommended point", "best_hit": "best evaluated point"}
STATUS = (
    "what the world does: running, hit_target, budget_spent, diverged, failed, missing or absent (not"
    " asked for)",
    "1",
)
HEADS = {
    "word": "words of a study file",
    "key": "keys of a study file",
    "study": "ready studies",
    "measure": "measures of landscapes",
    "variable": "variables of the results",
    "law": "laws of theory, theory:NAME",
    "quantity": "words of quantities",
}


class Family(NamedTuple):
    """What is named alike: all names, and one line about each."""

    names: list[str]
    line: Callable[[str], str]


def rows() -> Iterator[tuple[str, str, str]]:
    """What it is, its name, and one line about it.

    It is a landscape, optimizer, claim, figure, measure, variable, law, word, quantity, key or study.
    """
    for kind, family in families().items():
        yield from ((kind, name, family.line(name)) for name in family.names)


def names() -> dict[str, list[str]]:
    """Family -> all that is of it."""
    return {kind: family.names for kind, family in families().items()}


def families() -> dict[str, Family]:
    """All that a study or a probe can name."""
    from studies.analysis.quantities.vocabulary import WORDS
    from studies.probe.datasets import measure_names
    from studies.probe.measures import measure
    from studies.study_file import keys, topics
    from studies.study_file.files import question, ready_studies
    from studies.theory import HOMES, PREFIX, about

    variable, key, study = variables(), dict(keys.rows()), ready_studies()
    return _of_classes() | {
        "figure": _figures(),
        "measure": Family(measure_names(), lambda name: measure(name).line),
        "variable": Family([*variable], lambda name: variable[name][0]),
        "law": Family([f"{PREFIX}{name}" for name in HOMES], lambda name: about(name).line),
        "word": Family([*topics.TOPICS], topics.line),
        "quantity": Family([*WORDS], lambda name: WORDS[name].line),
        "key": Family([*key], key.__getitem__),
        "study": Family([*study], lambda name: question(study[name])),
    }


def _of_classes() -> dict[str, Family]:
    """What has a class: landscapes, optimizers and claims."""
    from studies.claims import CLAIMS
    from studies.registry import FAMILIES

    registries: dict[str, Mapping[str, type]] = {
        kind: registry for kind, (registry, _) in FAMILIES.items()
    }
    registries["claim"] = CLAIMS
    return {
        kind: Family([*registry], functools.partial(_of_class, registry))
        for kind, registry in registries.items()
    }


def _of_class(registry: Mapping[str, type], name: str) -> str:
    from studies.study_file.fields import summary

    return summary(registry[name])


def _figures() -> Family:
    from studies.figures import EVERY

    return Family([*EVERY], lambda name: _first(sys.modules[EVERY[name].__module__].__doc__ or ""))


def variables() -> dict[str, tuple[str, str]]:
    """Name -> long name and unit, of the variables of a Dataset that every study may have."""
    from optimizers import OPTIMIZERS
    from studies import schema

    def told(words: Mapping[str, schema.Variable]) -> dict[str, tuple[str, str]]:
        return {name: (about.long_name, str(about.units)) for name, about in words.items()}

    of_optimizers = {
        variable: (line, unit)
        for cls in OPTIMIZERS.values()
        for variable, line, unit in (*cls.recorded.values(), *cls.counted.values())
    }
    ours = told({"start_loss": schema.START_LOSS} | schema.RECORDED | schema.COUNTED)
    status = {"status": STATUS}
    return (
        ours
        | _hits(schema.CLOCKS)
        | status
        | of_optimizers
        | told(schema.LEDGER | schema.AGAINST | schema.POPULATION | schema.PICTURE)
    )


def _hits(clocks: Mapping[str, schema.Variable]) -> dict[str, tuple[str, str]]:
    """Of first hits on every clock."""
    return {
        f"{stem}_{clock}": (
            f"{clock.replace('_', ' ')} at which the {whose} first reached each target; inf: never",
            str(about.units),
        )
        for stem, whose in HITS.items()
        for clock, about in clocks.items()
    }


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
