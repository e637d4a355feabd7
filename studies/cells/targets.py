"""Targets: the losses to be reached, and when the states of a search first reach them.

States are looked at as `studies.cells.hits` says, whatever the checkpoints are. Where answers are the truth
they may tell without a measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from landscapes.base import Answer, Query
from optimizers.base import Optimizer
from studies.cells.answers import Best, value_of
from studies.cells.clocks import clocks_of, readings
from studies.cells.hits import Hits, Pace
from studies.cells.truth import Truth
from studies.kinds.instruments import Moment
from studies.text import schema
from studies.text.shapes import Data

MANY = 10  # points from which on the truth of the recommendation is measured, not sought among exact answers
HITS = {"hit": "recommended point", "best_hit": "best evaluated point"}  # stem -> whose hit


class Goals(NamedTuple):
    """What is to be reached."""

    values: Sequence[float]  # (T,)
    floor: float | None = (
        None  # None: values are losses; else fractions of what the start lies above it
    )

    @property
    def coordinate(self) -> tuple[str, np.ndarray, dict[str, str]]:
        """The values, as a coordinate of the dim target."""
        units = schema.TARGET_UNITS[self.floor is not None]
        about = schema.COORDINATES["target_loss"]._replace(units=units)
        return "target", np.array(self.values, float), about.attrs

    def levels(self, start: np.ndarray) -> np.ndarray:
        """The losses (R, T) to be reached from starts of this loss (R,).

        -inf, which is never reached, from one without a finite loss.
        """
        values = np.broadcast_to(np.array(self.values, float), (len(start), len(self.values)))
        if self.floor is None:
            return values
        reached = self.floor + values * (start - self.floor)[:, None]
        return np.where(np.isfinite(start)[:, None], reached, -np.inf)


class Targets:
    """When R worlds first reach T targets.

    Args:
        goals: (T,) what is to be reached.
        optimizer: gives the recommendation of a state.
        truth: of points.
        share: of the time, that looking may take where the truth takes longer than a step; inf: any.
        exact: whether values are the truth about a point as an answer.
    """

    def __init__(
        self, goals: Goals, optimizer: Optimizer, truth: Truth, *, share: float, exact: bool
    ) -> None:
        self.goals, self.optimizer, self.truth = goals, optimizer, truth
        self.share, self.exact = share, exact
        self.clocks = clocks_of(optimizer)

    def start(self, start_loss: np.ndarray) -> None:
        """Take the true loss (R,) of the common start, to which targets may be relative."""
        self.levels = self.goals.levels(start_loss)  # (R, T)
        self.hits = Hits(self.levels, len(self.clocks), seen=-1)
        self.best_hits = Hits(self.levels, len(self.clocks), seen=0)
        self.best_loss = np.full(
            len(start_loss), np.inf
        )  # (R,) true loss of the best point, last measured
        self.pace = Pace(self.truth.landscape, len(start_loss), self.share)

    def reached(self, loss: np.ndarray) -> np.ndarray:
        """Whether losses (R,) reach all targets, (R,) bool; False where there is none."""
        return np.logical_and((loss[:, None] <= self.levels).all(1), self.levels.size > 0)

    @property
    def open(self) -> bool:
        """Whether any target is still to be reached in some world."""
        return self.hits.any_open or self.best_hits.any_open

    def step(self, moment: Moment) -> None:
        """A step was taken."""
        if self.open:
            self.pace.step(moment.value_terms.numpy(), moment.gradient_terms.numpy())

    def look(
        self,
        moment: Moment,
        best: Best,
        worlds: np.ndarray,
        step: tuple[Query, Answer] | None = None,
    ) -> None:
        """Look whether a moment reaches targets.

        Args:
            moment: that is looked at.
            best: the best point by then.
            worlds: (R,) bool, those that are looked at.
            step: what was asked next, and the answer, which may tell the truth about the moment if it is
                exact.
        """
        recommended = worlds & self.hits.open
        evaluated = worlds & self.best_hits.open & np.isfinite(best.value)
        if not (recommended | evaluated).any():
            return
        now, steps = readings(moment, self.clocks, self.truth.landscape.terms), moment.steps.numpy()
        if recommended.any():
            loss = self._loss_of_recommendation(moment, recommended, step)
            self.hits.look(loss, now, steps, recommended)
        if evaluated.any():
            self.best_hits.look(self._loss_of_best(moment, best, evaluated), now, steps, evaluated)

    def _loss_of_recommendation(
        self, moment: Moment, worlds: np.ndarray, step: tuple[Query, Answer] | None
    ) -> np.ndarray:
        """The true loss (R,) of what a moment recommends.

        Exact answers hold it where it is asked next, or was.
        """
        point = self.optimizer.recommend(moment.state)[:, None]
        loss = np.full(len(worlds), np.nan)
        if self.exact and step is not None and step[0].points.shape[1] < MANY:
            loss = value_of(point, *step)
            if np.isnan(loss).any() and moment.query is not None and moment.answer is not None:
                loss = np.fmin(loss, value_of(point, moment.query, moment.answer))
        unknown = np.isnan(loss)
        if not (unknown & worlds).any():
            return loss
        return np.where(unknown, self.truth(point, moment)[:, 0], loss)

    def _loss_of_best(self, moment: Moment, best: Best, worlds: np.ndarray) -> np.ndarray:
        """The true loss (R,) of the best points, measured where they are new, or the landscape moves."""
        if self.exact:
            return best.value
        new = worlds & (best.changed | (self.truth.landscape.clock is not None))
        if new.any():
            measured = self.truth(best.point[:, None], moment)[:, 0]
            self.best_loss = np.where(new, measured, self.best_loss)
            best.changed &= ~new
        return self.best_loss

    def variables(self) -> Data:
        """The levels, and when they were first reached: name -> (dims, (R, T), attributes)."""
        variables: Data = {"target_level": (schema.HITS, self.levels, schema.TARGET_LEVEL.attrs)}
        for stem, hits in zip(HITS, (self.hits, self.best_hits), strict=True):
            for place, clock in enumerate(self.clocks):
                high, low = schema.hit_variables(clock, HITS[stem])
                variables[f"{stem}_{clock}"] = (schema.HITS, hits.high[place], high.attrs)
                variables[f"{stem}_{clock}_low"] = (schema.HITS, hits.low[place], low.attrs)
        return variables
