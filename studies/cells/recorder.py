"""What is recorded: the state of every world at checkpoints of cost, and the cost at which targets are first hit.

A checkpoint at cost c shows the state after the last completed step of cost <= c at the nominal price; beyond the end of a run it goes on
showing the last state, with the status that says why it ended, as does the last checkpoint. Truth is measured beside the search, unbilled and unseen;
for the hits of targets in states of their own (`studies.cells.hits`), so that no hit depends on a checkpoint.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from landscapes.base import Answer, Bits, Landscape, Query
from landscapes.checks import into_box
from landscapes.numerics import norm, safe_unit
from landscapes.oracle.bill import ROUNDING, Bill
from landscapes.oracle.evaluation import clock_time
from optimizers.base import Info, Optimizer, State
from studies import schema
from studies.cells.hits import Hits, Pace
from studies.schema import Status, Variable

# points from which on the truth of the recommendation is measured, rather than sought among exact answers
MANY = 10


class Moment(NamedTuple):
    """The state after a step, with the query that led to it and what the oracle said."""

    state: State
    query: Query | None
    answer: Answer | None
    counts: tuple[np.ndarray, ...]  # (R,) int64 each: values, gradients, steps
    cost: np.ndarray  # (R,) at the nominal price
    within: np.ndarray  # (R,) bool, whether it was reached within the budget
    seconds: float
    observed: np.ndarray  # (R,) lowest value so far
    best: Tensor  # (R, D) the point that had it
    info: Info  # what the optimizer told of the step


class Goals(NamedTuple):
    """What is to be reached."""

    values: Sequence[float]  # (T,)
    floor: float | None = (
        None  # None: values are losses; else fractions of what a world's start lies above this loss
    )

    def levels(self, start: np.ndarray) -> np.ndarray:
        """The losses (R, T) to be reached from starts of this loss (R,).

        -inf, which is never reached, from one without a finite loss.
        """
        values = np.broadcast_to(np.array(self.values, float), (len(start), len(self.values)))
        if self.floor is None:
            return values
        return np.where(
            np.isfinite(start)[:, None], self.floor + values * (start - self.floor)[:, None], -np.inf
        )


class Recorder:
    """Writes the records of R worlds while they run.

    Args:
        landscape: bound to the worlds; asked for the truth.
        optimizer: gives the recommendation and the center of a state.
        bill: the worlds' bills.
        common: (R, 1, D) the point at which every arm of this landscape starts.
        checkpoints: (C,) costs at the nominal price, increasing, in evaluations.
        goals: (T,) targets.
        exact: whether values are the truth about a point as an answer.
        share: of the time, that looking for hits may take where the truth takes longer than a step.
    """

    def __init__(
        self,
        landscape: Landscape,
        optimizer: Optimizer,
        bill: Bill,
        common: Tensor,
        checkpoints: Sequence[float],
        goals: Goals,
        *,
        exact: bool,
        share: float,
    ) -> None:
        self.landscape, self.optimizer, self.bill, self.common, self.exact = (
            landscape,
            optimizer,
            bill,
            common,
            exact,
        )
        worlds = len(bill.alive)
        self.checkpoints = np.array([*checkpoints, np.inf])
        self.reach = self.checkpoints * (1 + ROUNDING)  # a cost up to here is within the checkpoint
        self.next = np.zeros(worlds, int)  # (R,) the first checkpoint not yet written
        self.ended = np.zeros(worlds, int)  # (R,) Status: how the world ended; 0: it runs
        self.goals, self.pace = goals, Pace(landscape, worlds, np.inf if exact else share)
        self.best_truth, self.best_changed = np.full(worlds, np.inf), np.zeros(worlds, bool)  # (R,)
        told = [name for name, _, _ in (*optimizer.recorded.values(), *optimizer.counted.values())]
        self.counted: dict[str, np.ndarray] = {}  # variable -> (R,) sum over the steps so far
        names = [*schema.RECORDED, *landscape.extras, *told, "seconds"]
        self.records = {name: np.full((worlds, len(checkpoints)), np.nan) for name in names}
        self.records |= {
            name: np.zeros((worlds, len(checkpoints)), np.int64) for name in (*schema.COUNTED, "status")
        }
        self.start_loss = np.full(worlds, np.nan)
        self.truth_seconds = 0.0
        self.began = time.perf_counter()

    def start(self, state: State) -> None:
        """Take the state before the first step."""
        best = self.optimizer.recommend(state)
        observed = np.full(len(best), np.inf)
        self.last = self.before = Moment(
            state, None, None, self._counts(), self.bill.spent, self.bill.within, 0.0, observed, best, {}
        )
        self.start_loss = self._truth(self.common, self.last)[:, 0]
        self.targets = self.goals.levels(self.start_loss)  # (R, T)
        self.hits, self.best_hits = Hits(self.targets, seen=-1), Hits(self.targets, seen=0)

    def __call__(
        self, step: int, optimizer: Optimizer, state: State, query: Query, answer: Answer, info: Info
    ) -> None:
        """Take the state after one step."""
        del step, optimizer
        running, cost, value = self.ended == 0, self.bill.spent, _asked(query, answer)
        low = np.fmin.reduce(value, axis=1)  # NaN where nothing is a number
        asked = True if query.alive is None else query.alive.any(1).cpu().numpy()
        lost = running & asked & ~np.isfinite(low)
        ends = lost | ~self.bill.within  # the state before this step was the last one
        self._look(running & (self.pace.due | ends), query, value)
        crossed = cost > self.reach[self.next]
        if crossed.any():
            self._write(crossed, np.searchsorted(self.reach, cost))
        self._count(info, running)
        lowest = self._lowest(query, value, low)
        self.before = self.last
        self.last = Moment(
            state, query, answer, self._counts(), cost, self.bill.within, self._seconds(), *lowest, info
        )
        if self.targets.size:
            self.pace.step(*self.last.counts[:2])
        self._end_worlds(running, lost)

    def close(self) -> None:
        """Write what no world has reached: nothing, unless the loop was left early."""
        self._write(self.next < len(self.checkpoints) - 1, np.full_like(self.next, len(self.checkpoints) - 1))

    def dataset(self, worlds: Tensor) -> xr.Dataset:
        """The records, labelled with the absolute worlds (R,): dims replicate, checkpoint, target."""
        variables: dict[str, tuple] = {
            name: (schema.RECORDS, self.records[name], about.attrs) for name, about in self._about().items()
        }
        status = self.records["status"].astype(np.int8)
        variables["status"] = (schema.RECORDS, status, schema.status_attrs(schema.STATUS_OF_CELLS))
        variables |= self._hit_costs()
        variables["target_level"] = (schema.HITS, self.targets, schema.TARGET_LEVEL.attrs)
        variables["start_loss"] = ("replicate", self.start_loss, schema.START_LOSS.attrs)
        relative = self.goals.floor is not None
        target = schema.COORDINATES["target_loss"]._replace(units=schema.TARGET_UNITS[relative])
        coords = {
            "replicate": worlds.cpu().numpy(),
            "cost": ("checkpoint", self.checkpoints[:-1], schema.COORDINATES["cost"].attrs),
            "target_loss": ("target", np.array(self.goals.values, float), target.attrs),
        }
        return xr.Dataset(variables, coords)

    def _about(self) -> dict[str, Variable]:
        """What the records hold, but `status`; what an optimizer counts and never told does not apply."""
        about = schema.RECORDED | schema.COUNTED | {"seconds": schema.SECONDS}
        about |= {name: Variable(*words) for name, words in self.landscape.extras.items()}
        about |= {name: Variable(line, unit) for name, line, unit in self.optimizer.recorded.values()}
        counted = {name: Variable(line, unit) for name, line, unit in self.optimizer.counted.values()}
        about |= {name: words for name, words in counted.items() if name in self.counted}
        if isinstance(self.landscape.domain, Bits):
            about["diversity"] = about["diversity"]._replace(units="1")
        return {name: about[name] for name in self.records if name in about}

    def _hit_costs(self) -> dict[str, tuple]:
        """The ends of the intervals in which targets were first reached, name -> (dims, (R, T), attributes)."""
        variables: dict[str, tuple] = {}
        for name, whose, hits in (
            ("hit_cost", "recommended point", self.hits),
            ("best_hit_cost", "best evaluated point", self.best_hits),
        ):
            end = f"cost of the first state looked at whose {whose} reaches the target; inf: never"
            low = (
                f"cost of the state looked at before that, which did not reach it; equal to {name} where no"
                " state lies between; inf: never"
            )
            for key, values, text in ((name, hits.cost, end), (f"{name}_low", hits.low, low)):
                variables[key] = (
                    ("replicate", "target"),
                    values,
                    {"long_name": text, "units": "evaluations"},
                )
        return variables

    # one step -----------------------------------------------------------------------------------------------

    def _count(self, info: Info, running: np.ndarray) -> None:
        """Add up what the optimizer counts."""
        for key, (name, _, _) in self.optimizer.counted.items():
            if key in info:
                self.counted[name] = (
                    self.counted.get(name, np.zeros(len(running))) + info[key].cpu().numpy() * running
                )

    def _counts(self) -> tuple[np.ndarray, ...]:
        return self.bill.values.copy(), self.bill.gradients.copy(), self.bill.steps.copy()

    def _seconds(self) -> float:
        return time.perf_counter() - self.began - self.truth_seconds

    def _lowest(self, query: Query, value: np.ndarray, low: np.ndarray) -> tuple[np.ndarray, Tensor]:
        """The lowest value (R,) seen so far and its point (R, D)."""
        observed, best = np.fmin(self.last.observed, low), self.last.best
        better = observed < self.last.observed
        self.best_changed |= better
        if not better.any():
            return observed, best
        place = torch.from_numpy(np.where(np.isnan(value), np.inf, value).argmin(1)).to(best.device)
        point = query.points[torch.arange(len(place), device=place.device), place]
        return observed, torch.where(torch.from_numpy(better).to(best.device)[:, None], point, best)

    def _end_worlds(self, running: np.ndarray, lost: np.ndarray) -> None:
        """Write the rest of the worlds that diverged (`lost`), or spent their budget, in this step."""
        self.bill.close(lost)
        over = running & ~self.bill.alive
        if over.any():
            self._look(over & ~lost & self.bill.within)
            self.ended[over] = np.where(lost, Status.DIVERGED, Status.BUDGET_SPENT)[over]
            self._write(over, np.full_like(self.next, len(self.checkpoints) - 1))
            self.records["status"][over, -1] = self.ended[
                over
            ]  # also where the last step overshot the budget

    # targets ------------------------------------------------------------------------------------------------

    def _look(self, rows: np.ndarray, query: Query | None = None, value: np.ndarray | None = None) -> None:
        """Look whether the last state reaches targets, in the worlds `rows` (R,) bool.

        Exact answers (R, P) to the query that came next may tell.
        """
        told = rows & self.hits.open
        if told.any():
            self.hits.look(self._recommended(query, value, told), self.last.cost, self.last.counts[2], told)
        told = rows & self.best_hits.open & np.isfinite(self.last.observed)
        if told.any():
            self.best_hits.look(self._best(told), self.last.cost, self.last.counts[2], told)

    def _recommended(self, query: Query | None, value: np.ndarray | None, rows: np.ndarray) -> np.ndarray:
        """The true loss (R,) of what the last state recommends.

        Exact answers hold it where it is asked next, or was; else it is measured.
        """
        point = self.optimizer.recommend(self.last.state)[:, None]
        known = np.full(len(rows), np.nan)
        if self.exact and query is not None and value is not None and query.points.shape[1] < MANY:
            known = _among(point, query, value)
            if np.isnan(known).any() and self.last.query is not None and self.last.answer is not None:
                known = np.fmin(
                    known, _among(point, self.last.query, _asked(self.last.query, self.last.answer))
                )
        missing = np.isnan(known)
        return (
            np.where(missing, self._truth(point, self.last)[:, 0], known) if (missing & rows).any() else known
        )

    def _best(self, rows: np.ndarray) -> np.ndarray:
        """The true loss (R,) of the best evaluated points, measured where they are new, or the landscape moves."""
        if self.exact:
            return self.last.observed
        new = rows & (self.best_changed | (self.landscape.clock is not None))
        if new.any():
            self.best_truth = np.where(
                new, self._truth(self.last.best[:, None], self.last)[:, 0], self.best_truth
            )
            self.best_changed &= ~new
        return self.best_truth

    # checkpoints --------------------------------------------------------------------------------------------

    def _truth(self, points: Tensor, moment: Moment) -> np.ndarray:
        """The true loss of points (R, P, D) as answers at the time of a moment, (R, P).

        What is no number is inf.
        """
        began = time.perf_counter()
        with torch.no_grad():
            now = clock_time(self.landscape, moment.counts[2], moment.cost, points.device)
            points, inside = into_box(self.landscape, points)
            loss = self.landscape.solution_loss(points, now).double()
            known = loss.isnan().logical_not() if inside is None else inside & ~loss.isnan()
            truth = loss.where(known, torch.inf).cpu().numpy()
        self.truth_seconds += time.perf_counter() - began
        return truth

    def _write(self, rows: np.ndarray, until: np.ndarray) -> None:
        """Write the last state of the worlds `rows` (R,) bool at their checkpoints next .. until - 1."""
        places = np.arange(len(self.checkpoints) - 1)
        world, place = np.nonzero((places >= self.next[:, None]) & (places < until[:, None]) & rows[:, None])
        if not len(world):
            return
        for name, values in self._values().items():
            self.records[name][world, place] = values[world]
        self.next = np.where(rows, until, self.next)

    def _values(self) -> dict[str, np.ndarray]:
        """Everything that a checkpoint shows of the last state, (R,) each."""
        moment = self.last
        point = self.optimizer.recommend(moment.state)
        truth = self._truth(torch.stack([point, moment.best], 1), moment)
        values = dict(zip(schema.COUNTED, moment.counts, strict=True)) | {
            "loss": truth[:, 0],
            "seconds": np.full(len(truth), moment.seconds),
        }
        if moment.query is not None and moment.answer is not None:
            share = self.optimizer.share(self.before.state)
            values |= {
                "best_loss": truth[:, 1],
                "observed": moment.observed,
                **self._spread(moment.query, moment.answer, share),
            }
            values["step_length"] = _distance(
                self.optimizer.center(moment.state), self.optimizer.center(self.before.state)
            )
            values |= {
                name: _mean(moment.info[key]) for key, (name, _, _) in self.optimizer.recorded.items()
            } | self.counted
        began = time.perf_counter()
        values |= {
            name: value.cpu().numpy()
            for name, value in self.landscape.measures(
                into_box(self.landscape, point[:, None])[0][:, 0]
            ).items()
        }
        self.truth_seconds += time.perf_counter() - began
        hit = (truth[:, :1] <= self.targets).all(1) & (self.targets.size > 0)
        return values | {"status": np.where(self.ended > 0, self.ended, hit * Status.HIT_TARGET)}

    def _spread(self, query: Query, answer: Answer, share: Tensor | None) -> dict[str, np.ndarray]:
        """Mean observed value and diversity of the points that were asked, each with its share (R, P) of the population; None: all alike."""
        x, value = query.points.to(answer.value.dtype), _first(answer.value)
        asked = torch.ones_like(value) if query.alive is None else query.alive.to(value.dtype)
        share = (
            asked / asked.sum(1, keepdim=True).clamp_min(1) if share is None else share.to(value.dtype)
        )  # (R, P)
        x = torch.where(asked[..., None] > 0, x, 0.0)
        mean = (x * share[..., None]).sum(1, keepdim=True)
        if isinstance(self.landscape.domain, Bits):
            diversity = (2 * mean * (1 - mean)).mean((1, 2))
        else:
            away = x - mean
            unit = safe_unit(away.abs().amax((1, 2)))
            diversity = ((away / unit[:, None, None]).square_().sum(-1) * share).sum(1).sqrt() * unit
        observed = (value.where(share > 0, 0) * share).sum(1)
        return {"population_loss": observed.cpu().numpy(), "diversity": diversity.cpu().numpy()}


def _asked(query: Query, answer: Answer) -> np.ndarray:
    """The values (R, P) on the host, on a game the first player's; inf for points that were not asked."""
    value = _first(answer.value)
    value = value if query.alive is None else value.where(query.alive, torch.inf)
    return value.double().cpu().numpy()


def _first(value: Tensor) -> Tensor:
    """The only loss, or the first player's: (R, P) or (R, P, players) -> (R, P)."""
    return value if value.ndim == 2 else value[..., 0]


def _among(point: Tensor, query: Query, value: np.ndarray) -> np.ndarray:
    """The value (R,) of point (R, 1, D) where it is one of the points asked, else NaN."""
    same = (point == query.points).all(-1).cpu().numpy()
    return np.fmin.reduce(np.where(same, value, np.nan), axis=1)


def _mean(told: Tensor) -> np.ndarray:
    """The mean of (R, ...) over all but the worlds: (R,)."""
    return told.double().reshape(len(told), -1).mean(1).cpu().numpy()


def _distance(a: Tensor, b: Tensor) -> np.ndarray:
    """Euclidean distance of a and b (R, D) -> (R,)."""
    return norm(a.double() - b.double()).cpu().numpy()
