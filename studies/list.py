"""All that a study or a probe can name, with a line each: `python -m studies.list`.

More of one: `python -m studies.describe NAME`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from studies.text.arguments import Arguments
from studies.text.leave import leave

if TYPE_CHECKING:
    from studies.text import schema

MENTIONED = 5  # names at most
HITS = {"hit": "recommended point", "best_hit": "best evaluated point"}
FIRST_HIT = {  # end of the name -> what it is
    "": "{} at which the {} first reached each target; inf: never",
    "_low": "{} of the last state looked at before that, where the {} had not; equal to it where it is exact",
}
STATUS = (
    "what the world does: running, hit_target, budget_spent, diverged, failed, missing or absent (not"
    " asked for)",
    "1",
)
HEADS = {
    "word": "words of a study and its results",
    "key": "keys of a study file",
    "study": "ready studies",
    "collection": "collections of ready studies, which python -m studies.run takes too",
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

    It is a landscape, optimizer, claim, figure, measure, variable, law, word, quantity, key, study or
    collection.
    """
    for kind, family in families().items():
        yield from ((kind, name, family.line(name)) for name in family.names)


def names() -> dict[str, list[str]]:
    """Family -> all that is of it."""
    return {kind: family.names for kind, family in families().items()}


def near_name(word: str) -> str | None:
    """The nearest of all names; of words of quantities last, whose three letters are near to much."""
    from studies.text.words import nearest

    every = names()
    short = every.pop("quantity")
    kinds = [name for members in every.values() for name in members]
    return nearest(word, kinds) or nearest(word, short)


def mentions(word: str) -> str:
    """Where a word stands that is no name: the names whose line has it, a few of them."""
    named = [name for _, name, line in rows() if word.lower() in line.lower()][:MENTIONED]
    among = f"it is told of at {', '.join(named)}; " if named else ""
    return f"{among}python -m studies.list prints what there is"


def families() -> dict[str, Family]:
    """All that a study or a probe can name."""
    return _of_classes() | {
        "figure": _figures(),
        "measure": _measures(),
        "variable": _variables(),
        "law": _laws(),
        "word": _words(),
        "quantity": _quantities(),
        "key": _keys(),
        "study": _studies(),
        "collection": _collections(),
    }


def _measures() -> Family:
    from studies.probe.datasets import measure_names
    from studies.probe.measures import measure

    return Family(measure_names(), lambda name: measure(name).line)


def _variables() -> Family:
    about = variables()
    return Family([*about], lambda name: about[name][0])


def _laws() -> Family:
    from studies.theory import HOMES, PREFIX, about

    return Family([f"{PREFIX}{name}" for name in HOMES], lambda name: about(name).line)


def _words() -> Family:
    from studies.study_file import topics

    return Family([*topics.TOPICS], topics.line)


def _quantities() -> Family:
    from studies.analysis.quantities.vocabulary import WORDS

    return Family([*WORDS], lambda name: WORDS[name].line)


def _keys() -> Family:
    from studies.study_file import keys

    lines = dict(keys.rows())
    return Family([*lines], lines.__getitem__)


def _studies() -> Family:
    from studies.study_file.collections import in_order
    from studies.study_file.files import question, ready_studies

    paths = ready_studies()
    return Family(in_order(), lambda name: question(paths[name]))


def _collections() -> Family:
    from studies.study_file.collections import collections

    every = collections()
    return Family([*every], lambda name: every[name].title)


def _of_classes() -> dict[str, Family]:
    """What has a class: landscapes, optimizers and claims."""
    from studies.claims import CLAIMS
    from studies.kinds.registry import FAMILIES

    of_kinds = {kind: _of_registry(registry) for kind, (registry, _) in FAMILIES.items()}
    return of_kinds | {"claim": _of_registry(CLAIMS)}


def _of_registry(registry: Mapping[str, type]) -> Family:
    """All names of a registry; a line is the summary of the class."""
    return Family([*registry], functools.partial(_of_class, registry))


def _of_class(registry: Mapping[str, type], name: str) -> str:
    from studies.study_file.fields import summary

    return summary(registry[name])


def _figures() -> Family:
    from studies.figures import EVERY, about

    return Family([*EVERY], lambda name: _first(about(name)))


def variables() -> dict[str, tuple[str, str]]:
    """Name -> long name and unit, of the coordinates and variables of a Dataset that every study may have."""
    from studies.text import schema

    ours = schema.COORDINATES | schema.OF_CELLS
    ours |= {"start_loss": schema.START_LOSS} | schema.RECORDED | schema.COUNTED
    ours |= {"target_level": schema.TARGET_LEVEL}
    of_states = schema.LEDGER | schema.AGAINST | schema.POPULATION
    of_states |= schema.TIMING | schema.PICTURE
    return (
        _about(ours) | _hits(schema.CLOCKS) | {"status": STATUS} | _of_optimizers() | _about(of_states)
    )


def _about(variables: Mapping[str, schema.Variable]) -> dict[str, tuple[str, str]]:
    """Name -> long name and unit."""
    return {name: (about.long_name, about.units or "") for name, about in variables.items()}


def _of_optimizers() -> dict[str, tuple[str, str]]:
    """Name -> long name and unit, of what optimizers record and count."""
    from optimizers import OPTIMIZERS

    return {
        variable: (line, unit)
        for cls in OPTIMIZERS.values()
        for variable, line, unit in (*cls.recorded.values(), *cls.counted.values())
    }


def _hits(clocks: Mapping[str, schema.Variable]) -> dict[str, tuple[str, str]]:
    """Of first hits on every clock."""
    return {
        f"{stem}_{clock}{end}": (line.format(clock.replace("_", " "), whose), str(about.units))
        for stem, whose in HITS.items()
        for clock, about in clocks.items()
        for end, line in FIRST_HIT.items()
    }


def _first(text: str) -> str:
    """The first line of a docstring."""
    return text.strip().split("\n")[0]


def main() -> None:
    """The command line."""
    Arguments(prog="python -m studies.list", description=__doc__).parse_args()
    from rich.table import Table

    from studies.text import terminal

    table = Table.grid(padding=(0, 2))
    for kind, family in families().items():
        if family.names:
            table.add_row(HEADS.get(kind, f"{kind}s"), style="bold")
        for name in family.names:
            table.add_row(f"  {name}", family.line(name))
    terminal.console().print(table)


if __name__ == "__main__":
    leave(main)
