"""What `record:` may name, for `describe` and the pages: of every search, and of one method."""

from __future__ import annotations

import typing

from optimizers import OPTIMIZERS
from optimizers.base import Optimizer
from studies.cells.expressions.compiled import FUNCTIONS
from studies.cells.expressions.names import WORDS

EXAMPLES = """record:
  theta: center[0]                          # a snapshot at each checkpoint
  slope: norm(gradient)
  path: average(norm(state.path_c))         # mean over the steps since the last checkpoint
  fixed: mean(frequency == 0 or frequency == 1)
  jitter: {expression: average_square(center[0]), units: squared length of x, long_name: second moment}
  mine: my_module:reach                     # called with those of the names that are its arguments
record: [heterozygosity, batch]             # names alone, each its own label"""

Row = tuple[str, str, str]  # name, what it is, unit


def names() -> list[Row]:
    """The names that searches have, whatever the method."""
    return [(name, word.long_name, word.units) for name, word in WORDS.items()]


def of_methods() -> list[Row]:
    """The names that some methods have, with what they are."""
    rows: dict[str, Row] = {}
    for cls in OPTIMIZERS.values():
        for name, quantity in cls.quantities.items():
            rows.setdefault(name, (name, quantity.long_name, quantity.units))
    return [rows[name] for name in sorted(rows)]


def kinds_with(name: str) -> list[str]:
    """The methods that have a name."""
    return [kind for kind, cls in OPTIMIZERS.items() if name in cls.quantities]


def of_optimizer(cls: type[Optimizer]) -> list[str]:
    """Lines about what a study may record of one method."""
    own = [f"{name} ({quantity.long_name})" for name, quantity in cls.quantities.items()]
    told = [variable for variable, *_ in (*cls.recorded.values(), *cls.counted.values())]
    state = [f"state.{field}" for field in fields_of(cls)]
    return [f"may be recorded: {', '.join((*own, *told, *state))}"] if own or told or state else []


def fields_of(cls: type[Optimizer]) -> list[str]:
    """The fields of its state, where `init` says which class that is."""
    try:
        state = typing.get_type_hints(cls.init).get("return")
    except (NameError, TypeError):
        return []
    return [*getattr(state, "_fields", ())]


def functions() -> str:
    """The functions of the language, in one line."""
    return ", ".join(FUNCTIONS)
