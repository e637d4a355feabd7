"""Pure functions from a study's Dataset to numbers, by question; nothing here imports torch.

    from studies import analysis, open_study
    analysis.compare(open_study("results/quickstart"))

`FUNCTIONS` lists all of them, by the room that they are in; each module is loaded when one of its functions
is first asked for.
"""

from __future__ import annotations

import importlib
from typing import Any

FUNCTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "quantities": {
        "evaluate": ("quantity",),
    },
    "running_time": {
        "runtime": ("expected_running_time", "ecdf"),
        "restarts": ("restarted",),
        "tables": ("fixed_budget", "fixed_target"),
        "aggregated": ("aggregated",),
        "area": ("area",),
        "attainment": ("attainment",),
        "profiles": ("profile",),
    },
    "comparison": {
        "comparison": ("compare",),
        "power": ("detectable_difference",),
        "ranks": ("ranks",),
        "winners": ("winners",),
        "factorial": ("effects",),
    },
    "price": {
        "repricing": ("repriced",),
        "break_even": ("break_even", "break_even_map"),
        "equal_times": ("equal_times",),
        "crossing": ("crossing",),
    },
    "trends": {
        "rates": ("rates",),
        "scaling": ("scaling",),
        "sensitivity": ("sensitivity",),
    },
    "noise": {
        "noise": ("shares", "alignment", "bias", "currencies"),
        "spectrum": ("spectrum",),
        "population": ("population", "diversity"),
    },
    "intervals": {
        "quantiles": ("quantiles",),
        "proportions": ("proportion",),
    },
}
_HOMES = {
    function: f"studies.analysis.{room}.{module}"
    for room, modules in FUNCTIONS.items()
    for module, functions in modules.items()
    for function in functions
}
__all__ = sorted(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOMES:
        raise AttributeError(f"studies.analysis has no {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
