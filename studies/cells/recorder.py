"""What every study records: the state of each world at checkpoints, and when targets are reached.

A checkpoint is a milestone (`studies.cells.milestones`); past the end of a run it shows the last state with
the status that says why it ended, and so does the last checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from xarray import Dataset

from landscapes.base import Answer, Bits, Domain, Letters, Query, Reals
from landscapes.numerics import norm, safe_unit
from landscapes.oracle.bill import Bill
from optimizers.base import Info, Optimizer
from studies.cells.answers import Best, Lowest, first_loss
from studies.cells.clocks import of_each_world, readings
from studies.cells.expressions import letters
from studies.cells.milestones import Watcher
from studies.cells.targets import Targets
from studies.cells.truth import Truth
from studies.kinds.instruments import Moment
from studies.text import schema
from studies.text.schema import Status, Variable
from studies.text.shapes import Data


class Recorder(Watcher):
    """Writes the records of R worlds while they run, and stops those that diverge.

    Args:
        optimizer: gives the recommendation and the center of a state.
        bill: the worlds' bills.
        checkpoints: (C,) times, increasing.
        truth: of points.
        common: (R, 1, D) the point at which every arm of this landscape starts.
        targets: whose hits are noted.
        clock: of the checkpoints; None: that of the bill.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        bill: Bill,
        checkpoints: Sequence[float],
        truth: Truth,
        common: Tensor,
        targets: Targets,
        clock: str | None = None,
    ) -> None:
        super().__init__(bill, checkpoints, clock)
        self.optimizer, self.truth, self.landscape = optimizer, truth, truth.landscape
        self.common, self.targets = common, targets
        self.ended = np.zeros(
            len(bill.alive), np.int64
        )  # (R,) 0, or the status with which a world ended
        self.counted: dict[str, np.ndarray] = {}  # variable -> (R,) sum over the steps so far
        self.records = self._empty()

    def _empty(self) -> dict[str, np.ndarray]:
        """Name -> (R, C)."""
        shape = self.milestones.shape
        of_kinds = (*self.optimizer.recorded.values(), *self.optimizer.counted.values())
        names = [
            *schema.RECORDED,
            *self.landscape.extras,
            *(name for name, _, _ in of_kinds),
        ]
        numbers = {name: np.full(shape, np.nan) for name in names}
        return numbers | {name: np.zeros(shape, np.int64) for name in (*schema.COUNTED, "status")}

    # while the worlds run -----------------------------------------------------------------------------------

    def __call__(self, moment: Moment) -> None:
        """Take the moment before the first step, and that after each."""
        if moment.query is None or moment.answer is None or self.last is None:
            self._start(moment)
        else:
            self._step(moment, self.last, moment.query, moment.answer)

    def _start(self, moment: Moment) -> None:
        self.last = self.before = moment
        self.best = Best(self.optimizer.recommend(moment.state))
        self.start_loss = self.truth(self.common, moment)[:, 0]
        self.targets.start(self.start_loss)

    def _step(self, moment: Moment, last: Moment, query: Query, answer: Answer) -> None:
        """Take the moment after a step that asked this, and was answered so."""
        running = self.ended == int(Status.RUNNING)  # an enumeration takes longer to compare
        lowest = Lowest.of(query, answer)
        diverged = self._diverged(running, query, lowest.value)
        if self.targets.open:
            ends = diverged | ~self.bill.within  # the state before this step was the last one
            worlds = running & (self.targets.pace.due | ends)
            self.targets.look(last, self.best, worlds, (query, answer))
        self._keep(last, self.milestones.passed())

        self._count(moment.info or {}, running)
        self.best.take(query, answer, lowest)
        self.before, self.last = last, moment
        self.targets.step(moment)
        self._end_worlds(moment, running, diverged)

    def _diverged(self, running: np.ndarray, query: Query, lowest: np.ndarray) -> np.ndarray:
        """(R,) bool, worlds that were answered no finite number in this step."""
        broken = ~np.isfinite(lowest)
        if not broken.any():
            return broken
        asked = True if query.alive is None else query.alive.any(1).cpu().numpy()
        return running & asked & broken

    def _count(self, info: Info, running: np.ndarray) -> None:
        """Add up what the optimizer counts."""
        for key, (name, _, _) in self.optimizer.counted.items():
            if key in info:
                so_far = self.counted.get(name, np.zeros(len(running)))
                self.counted[name] = so_far + info[key].cpu().numpy() * running

    def _end_worlds(self, moment: Moment, running: np.ndarray, diverged: np.ndarray) -> None:
        """Write the rest of the worlds that diverged, or spent their budget, in this step."""
        self.bill.close(diverged)
        over = running & ~self.bill.alive
        if over.any():
            self.targets.look(moment, self.best, over & ~diverged & self.bill.within)
            self.ended[over] = np.where(diverged, int(Status.DIVERGED), int(Status.BUDGET_SPENT))[over]
            self._keep(moment, self.milestones.left())
            # also where the last step overshot the budget
            self.records["status"][over, -1] = self.ended[over]

    # checkpoints --------------------------------------------------------------------------------------------

    def keep(self, moment: Moment, worlds: np.ndarray, places: np.ndarray) -> None:
        """Write a moment as these checkpoints of these worlds."""
        for name, values in self._values(moment).items():
            self.records[name][worlds, places] = values[worlds]

    def _values(self, moment: Moment) -> dict[str, np.ndarray]:
        """Everything that a checkpoint shows of the last moment, (R,) each."""
        point = self.optimizer.recommend(moment.state)
        loss, best_loss = self.truth(torch.stack([point, self.best.point], 1), moment).T
        counts = (moment.value_terms, moment.gradient_terms, moment.steps)
        values = dict(zip(schema.COUNTED, (count.numpy() for count in counts), strict=True))
        values |= {"loss": loss, schema.SECONDS: moment.seconds.numpy()}
        values["epochs"] = readings(moment, ("epochs",), self.landscape.terms)[0]
        if moment.query is not None and moment.answer is not None:
            values |= {"best_loss": best_loss, "observed": self.best.value, **self.counted}
            values |= self._step_values(moment, moment.query, moment.answer)
        values |= self.truth.measures(point)
        hit = self.targets.reached(loss) * int(Status.HIT_TARGET)
        return values | {"status": np.where(self.ended > Status.RUNNING, self.ended, hit)}

    def _step_values(self, moment: Moment, query: Query, answer: Answer) -> dict[str, np.ndarray]:
        """What is shown of the step that led to a moment."""
        optimizer, before = self.optimizer, self.before.state
        share = optimizer.share(before)
        info = moment.info or {}
        return {
            **_spread(query, answer, share, self.landscape.domain),
            "step_length": self._step_length(moment),
            **{name: of_each_world(info[key]) for key, (name, _, _) in optimizer.recorded.items()},
        }

    def _step_length(self, moment: Moment) -> np.ndarray:
        """How far the center went in the last step: (R,); NaN of letters, whose numbers are no lengths."""
        center, before = (self.optimizer.center(each.state) for each in (moment, self.before))
        length = _distance(center, before)
        return np.full_like(length, np.nan) if isinstance(self.landscape.domain, Letters) else length

    # the Dataset --------------------------------------------------------------------------------------------

    def dataset(self) -> Dataset:
        """The records: dims replicate, checkpoint, target."""
        variables: Data = {
            name: (schema.RECORDS, self.records[name], about.attrs)
            for name, about in self._about().items()
        }
        status = self.records["status"].astype(np.int8)
        variables["status"] = (schema.RECORDS, status, schema.status_attrs(schema.STATUS_OF_CELLS))
        variables["start_loss"] = ("replicate", self.start_loss, schema.START_LOSS.attrs)
        times: Data = {}
        if self.bill.clock == self.milestones.clock == "cost":
            cost = ("checkpoint", self.milestones.times, schema.COORDINATES["cost"].attrs)
            times = {"cost": cost}
        return Dataset(
            variables | self.targets.variables(),
            {**times, "target_loss": self.targets.goals.coordinate},
        )

    def _about(self) -> dict[str, Variable]:
        """What the records hold, but `status`; what an optimizer counts and never told does not apply."""
        about = schema.RECORDED | schema.COUNTED
        about |= {name: Variable(*words) for name, words in self.landscape.extras.items()}
        about |= {name: Variable(line, unit) for name, line, unit in self.optimizer.recorded.values()}
        counted = {name: Variable(line, unit) for name, line, unit in self.optimizer.counted.values()}
        about |= {name: words for name, words in counted.items() if name in self.counted}
        if not isinstance(self.landscape.domain, Reals):
            about["diversity"] = about["diversity"]._replace(units="1")
        return {name: about[name] for name in self.records if name in about}


def _spread(
    query: Query, answer: Answer, share: Tensor | None, domain: Domain
) -> dict[str, np.ndarray]:
    """Mean observed value and diversity of the points that were asked.

    Args:
        query: with points (R, P, D).
        answer: with values (R, P).
        share: (R, P) of the population that a point stands for; None: all alike.
        domain: diversity is heterozygosity but on reals.
    """
    value = first_loss(answer.value)
    share = _shares(query, value) if share is None else share.to(value.dtype)
    x = query.points.to(value.dtype)
    if query.alive is not None:
        x = torch.where(query.alive[..., None], x, 0.0)
    mean = (x * share[..., None]).sum(1, keepdim=True)
    if isinstance(domain, Letters):
        frequency = letters.frequencies(query.points, share, domain.sizes)
        diversity = letters.heterozygosity(frequency)
    elif isinstance(domain, Bits):
        diversity = (2 * mean * (1 - mean)).mean((1, 2))
    else:
        diversity = _rms_distance(x - mean, share)
    observed = (value.where(share > 0, 0) * share).sum(1)
    return {"population_loss": observed.cpu().numpy(), "diversity": diversity.cpu().numpy()}


def _shares(query: Query, value: Tensor) -> Tensor:
    """The same share (R, P) for all points that were asked, of values (R, P)."""
    asked = torch.ones_like(value) if query.alive is None else query.alive.to(value.dtype)
    return asked / asked.sum(1, keepdim=True).clamp_min(1)


def _rms_distance(away: Tensor, share: Tensor) -> Tensor:
    """Root mean square length (R,) of distances (R, P, D), each with its share (R, P)."""
    unit = safe_unit(away.abs().amax((1, 2)))
    return ((away / unit[:, None, None]).square_().sum(-1) * share).sum(1).sqrt() * unit


def _distance(a: Tensor, b: Tensor) -> np.ndarray:
    """Euclidean distance of a and b (R, D) -> (R,)."""
    return norm(a.double() - b.double()).cpu().numpy()
