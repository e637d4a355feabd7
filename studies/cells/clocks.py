"""The clocks of a search: cost, steps, epochs, seconds, and virtual time where the optimizer tells one."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from landscapes.oracle.bill import CLOCKS, Bill
from optimizers.base import Info, Optimizer
from studies.kinds.instruments import Moment
from studies.text.schema import SECONDS, VIRTUAL


def clocks_of(optimizer: Optimizer | type[Optimizer]) -> tuple[str, ...]:
    """The clocks that a search by this optimizer has."""
    return CLOCKS if _timer(optimizer) else tuple(name for name in CLOCKS if name != VIRTUAL)


def _timer(optimizer: Optimizer | type[Optimizer]) -> str | None:
    """The key of what an optimizer tells that is its virtual time; None: it has none."""
    names = {variable: key for key, (variable, _, _) in optimizer.recorded.items()}
    return names.get(VIRTUAL)


def tick(bill: Bill, optimizer: Optimizer, info: Info) -> None:
    """Tell the bill the virtual time at the end of a step, where there is one."""
    timer = _timer(optimizer)
    if timer is not None:
        bill.tick(VIRTUAL, of_each_world(info[timer]))


def of_each_world(told: Tensor) -> np.ndarray:
    """The mean of (R, ...) over all but the worlds: (R,)."""
    return told.double().reshape(len(told), -1).mean(1).cpu().numpy()


def readings(moment: Moment, clocks: tuple[str, ...], terms: int) -> np.ndarray:
    """What clocks show at a moment: (K, R) float64.

    Args:
        moment: of R worlds.
        clocks: K names.
        terms: of the landscape.
    """
    shown = {
        "cost": moment.cost,
        "steps": moment.steps.double(),
        "epochs": (moment.value_terms + moment.gradient_terms).double() / terms,
        VIRTUAL: moment.virtual_time,
        SECONDS: moment.seconds,
    }
    return np.stack([shown[name].numpy() for name in clocks])
