"""An instrument of the user's, at the checkpoints of a cell; what breaks its contract is refused in one line.

Every look is held to its shapes. At the first looks, and then ever more rarely, it is also seen that it
changes nothing that it is shown, draws from no global generator, and gives a world alone what it gives it
among others.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor
from xarray import Dataset

from landscapes.base import Landscape
from landscapes.oracle.oracle import Oracle
from optimizers.base import Optimizer
from studies.cells import contract
from studies.cells.contract import Method, Unchanged, thorough
from studies.cells.generators import Generators
from studies.cells.milestones import Watcher
from studies.cells.trees import rows_of
from studies.kinds.instruments import Instrument, Moment
from studies.text import schema
from studies.text.schema import Variable
from studies.text.shapes import Data


class OwnInstrument(Watcher):
    """Keeps what an instrument of the user's sees of R worlds at C checkpoints.

    Args:
        instrument: that looks.
        optimizer: of the search.
        oracle: of the search; it bills nothing here.
        checkpoints: (C,) times, increasing.
        clock: of the checkpoints; None: that of the budget.
    """

    def __init__(
        self,
        instrument: Instrument,
        optimizer: Optimizer,
        oracle: Oracle,
        checkpoints: Sequence[float],
        clock: str | None = None,
    ) -> None:
        super().__init__(oracle.bill, checkpoints, clock)
        self.instrument, self.optimizer, self.oracle = instrument, optimizer, oracle
        self.method = Method(instrument, "look")
        self.looks = 0
        shape = self.milestones.shape
        self.records = {name: np.full(shape, np.nan) for name in instrument.variables}

    def keep(self, moment: Moment, worlds: np.ndarray, places: np.ndarray) -> None:
        """Look at a moment, and keep it as these checkpoints of these worlds."""
        self.looks += 1
        moment = moment.apart()
        seen = self._held(moment) if thorough(self.looks) else self._look(moment)
        for name, values in seen.items():
            self.records[name][worlds, places] = values.detach().double().cpu().numpy()[worlds]

    def dataset(self) -> Dataset:
        """What was seen: dims replicate and checkpoint."""
        return Dataset({
            name: (schema.RECORDS, self.records[name], Variable(*words).attrs)
            for name, words in self.instrument.variables.items()
        })

    def _look(self, moment: Moment) -> Mapping[str, Tensor]:
        """What is seen of a moment, (R,) each."""
        seen = self._seen(moment, self.oracle.landscape)
        contract.check_measures(
            self.method, seen, self.instrument.variables, len(moment.steps), "variables"
        )
        return seen

    def _held(self, moment: Moment) -> Mapping[str, Tensor]:
        """The same, held to all that an instrument promises.

        Raises:
            PluginError: it breaks a promise.
        """
        device = self.optimizer.center(moment.state).device
        look = functools.partial(self._look, moment)
        unchanged = Unchanged(self.method, _shown(moment), thorough=True)
        generators = Generators.now(device)
        seen = look()
        unchanged.check()
        if generators.moved(Generators.now(device)):
            contract.draws_nothing(self.method, look, device)
        row = self.looks % len(moment.steps)
        contract.alone_as_in_batch(
            self.method, look, functools.partial(self._alone, moment, row), row, seen
        )
        return seen

    def _alone(self, moment: Moment, row: int) -> Mapping[str, Tensor]:
        """What is seen of one world alone."""
        assert self.oracle.alone is not None  # noqa: S101 - for the type checker
        return self._seen(Moment(**rows_of(moment._asdict(), [row])), self.oracle.alone(row))

    def _seen(self, moment: Moment, landscape: Landscape) -> Mapping[str, Tensor]:
        """What the instrument sees of a moment on a landscape."""
        return self.instrument.look(moment, self.optimizer, landscape)


def _shown(moment: Moment) -> Data:
    """Name -> what an instrument is shown, and must not change."""
    shown = moment._asdict()
    return shown | (shown.pop("info") or {})
