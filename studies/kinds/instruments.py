"""An instrument of your own: it looks at a search at its checkpoints, and what it sees stands in the results.

    record: {mine: "my_module:Reach"}

`Instrument` is what it is made from, and `Moment` what it is shown.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from landscapes.base import Answer, Landscape, Query
from landscapes.oracle.evaluation import clock_time
from landscapes.oracle.noise import Epoch
from landscapes.oracle.oracle import Oracle
from landscapes.parameters import Parameters
from optimizers.base import Info, Optimizer, State
from studies.text.schema import SECONDS, VIRTUAL

_OF_THE_BILL = ("steps", "cost", "value_terms", "gradient_terms", "virtual_time", "seconds")


class Moment(NamedTuple):
    """R worlds between two steps, and the step that led there.

    What belongs to the step is None before the first one. Worlds that have ended keep their rows.
    """

    state: State  # the optimizer's
    steps: Tensor  # (R,) int64, completed steps
    cost: Tensor  # (R,) float64, evaluations so far at the nominal price of a gradient
    value_terms: Tensor  # (R,) int64, term-evaluations of values so far
    gradient_terms: Tensor  # (R,) int64, likewise of gradients
    virtual_time: Tensor  # (R,) float64, as the optimizer tells it; 0 where it has none
    seconds: Tensor  # (R,) float64, that the steps took so far, of all worlds together
    query: Query | None  # what the step asked: points (R, P, D)
    answer: Answer | None  # what it was answered: values (R, P)
    info: Info | None  # what the optimizer told of it
    epoch: Epoch | None  # where each world stands in its data

    @staticmethod
    def now(
        oracle: Oracle,
        state: State,
        query: Query | None = None,
        answer: Answer | None = None,
        info: Info | None = None,
    ) -> Moment:
        """The moment that has come.

        Args:
            oracle: with the worlds' bills, and where they stand in their data.
            state: of the optimizer.
            query: what the last step asked, points (R, P, D); None before the first.
            answer: to it, values (R, P).
            info: what the optimizer told of the step, (R, ..) each.
        """
        bill = oracle.bill
        return Moment(
            state=state,
            steps=torch.from_numpy(bill.steps),
            cost=torch.from_numpy(bill.spent),
            value_terms=torch.from_numpy(bill.values),
            gradient_terms=torch.from_numpy(bill.gradients),
            virtual_time=torch.from_numpy(bill.on(VIRTUAL)),
            seconds=torch.from_numpy(bill.on(SECONDS)),
            query=query,
            answer=answer,
            info=info,
            epoch=oracle.epoch,
        )

    def apart(self) -> Moment:
        """The same moment, with tensors of its own for what the worlds have spent: they are the bill's."""
        spent = {name: getattr(self, name).clone() for name in _OF_THE_BILL}
        return self._replace(**spent)

    def time(self, landscape: Landscape, device: torch.device | str = "cpu") -> Tensor | None:
        """What the clock of a landscape that moves shows, (R,); None where it stands still."""
        return clock_time(landscape, self.steps.numpy(), self.cost.numpy(), device)


class Instrument(Parameters, ABC):
    """What is recorded beside our own variables: a frozen keyword-only dataclass of parameters.

    It is looked through at each checkpoint, once for all worlds that have come to it. Nothing that it
    computes is billed, and nothing of it reaches the search.
    """

    name: ClassVar[str] = "instrument"
    variables: ClassVar[Mapping[str, tuple[str, str]]] = {}  # name in the results -> long name, unit

    @abstractmethod
    def look(self, moment: Moment, optimizer: Optimizer, landscape: Landscape) -> Mapping[str, Tensor]:
        """What is seen of R worlds.

        A world's number may depend on nothing but its own row, and no tensor that is given may be changed.

        Args:
            moment: the worlds after their last completed step; `moment.query` is None before the first.
            optimizer: of the search: `center(moment.state)` and `recommend(moment.state)` are points (R, D).
            landscape: bound to the R worlds, as the optimizer sees it; it knows no noise.

        Returns:
            Name -> numbers (R,), for each of `variables`; NaN where there is nothing to see.
        """
