"""What is recorded: the state of every world at checkpoints of cost, and the cost at which targets are first hit.

A checkpoint at cost c shows the state after the last completed step of cost <= c at the nominal price; beyond the end of a run it goes on
showing the last state, with the status that says why it ended. Truth is measured beside the search, unbilled and unseen.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from landscapes.base import Answer, Bits, Landscape, Query
from landscapes.oracle import Ledger
from optimizers.base import Info, Optimizer, State

STATUS = ("running", "hit_target", "budget_spent", "diverged")
EVERY_STEP = 10  # populations of so many points or more: the truth of the recommendation is then cheap enough for every step

LOSS = "loss"  # the unit of every loss
VARIABLES = {  # name -> (long name, unit) of what has the dims (replicate, checkpoint)
    "loss": ("true loss of the recommended point", LOSS),
    "best_loss": ("true loss of the point with the lowest observed value; NaN before the first step", LOSS),
    "observed": ("lowest value observed so far; NaN before the first step", LOSS),
    "population_loss": ("mean of the values observed in the last step; NaN before the first step", LOSS),
    "diversity": ("rms distance of the points asked to their mean (heterozygosity on bits); NaN before the first step", "length of x"),
    "step_length": ("distance that the center moved in the last step; NaN before the first step", "length of x"),
}
COUNTS = {
    "value_terms": ("term-evaluations of values so far", "terms"),
    "gradient_terms": ("term-evaluations of gradients so far", "terms"),
    "steps": ("completed steps", "steps"),
}


class Moment(NamedTuple):
    """The state after a step, with the query that led to it."""

    state: State
    query: Query | None
    answer: Answer | None
    counts: tuple[Tensor, ...]  # (R,) each: values, gradients, steps
    seconds: float
    observed: Tensor  # (R,) lowest value so far
    best: Tensor  # (R, D) the point that had it


class Recorder:
    """Writes the records of R worlds while they run.

    Args:
        landscape: bound to the worlds; asked for the truth.
        optimizer: gives the recommendation and the center of a state.
        ledger: the worlds' bills.
        checkpoints: (C,) costs at the nominal price, increasing, in evaluations.
        targets: (T,) losses.
        exact: whether values are the truth about a point as an answer, so that hits are exact at every step.
    """

    def __init__(
        self, landscape: Landscape, optimizer: Optimizer, ledger: Ledger, checkpoints: list[float], targets: list[float], *, exact: bool
    ) -> None:
        self.landscape, self.optimizer, self.ledger, self.exact = landscape, optimizer, ledger, exact
        worlds, device = len(ledger.alive), ledger.alive.device
        self.checkpoints = torch.tensor([*checkpoints, np.inf], dtype=torch.float64, device=device)
        self.targets = torch.tensor(targets, dtype=torch.float64, device=device)
        self.next = torch.zeros(worlds, dtype=torch.int64, device=device)  # (R,) the first checkpoint not yet written
        self.ended = torch.zeros(worlds, dtype=torch.int64, device=device)  # (R,) 0 or the STATUS that ended the world
        self.hits = {name: torch.full((worlds, len(targets)), np.inf, dtype=torch.float64, device=device) for name in ("hit_cost", "best_hit_cost")}
        names = [*VARIABLES, *landscape.extras, "seconds"]
        self.records = {name: np.full((worlds, len(checkpoints)), np.nan) for name in names}
        self.records |= {name: np.zeros((worlds, len(checkpoints)), np.int64) for name in (*COUNTS, "status")}
        self.truth_seconds = 0.0
        self.began = time.perf_counter()

    def start(self, state: State) -> None:
        """Take the state before the first step."""
        point = self.optimizer.recommend(state)
        observed = torch.full((len(point),), np.inf, dtype=torch.float64, device=point.device)
        self.last = self.before = Moment(state, None, None, self._counts(), 0.0, observed, point)
        self.cost = self.ledger.cost()

    def __call__(self, step: int, optimizer: Optimizer, state: State, query: Query, answer: Answer, info: Info) -> None:
        """Take the state after one step."""
        del step, optimizer, info
        cost, running = self.ledger.cost(), self.ended == 0
        if self.exact and len(self.targets):
            self._hit_recommendation(query, answer, running)
        crossed = cost > self.checkpoints[self.next]
        if bool(crossed.any()):
            self._write(crossed, torch.searchsorted(self.checkpoints, cost))
        self.before, self.last, self.cost = self.last, self._moment(state, query, answer), cost
        if self.exact and len(self.targets):
            self._hit("best_hit_cost", self.last.observed, running)
        self._end_worlds(answer, query)

    def close(self) -> None:
        """Write what no world has reached: nothing, unless the loop was left early."""
        self._write(self.next < len(self.checkpoints) - 1, torch.full_like(self.next, len(self.checkpoints) - 1))

    def dataset(self, first: int) -> xr.Dataset:
        """The records of worlds first, first + 1, ...: dims replicate, checkpoint, target."""
        units = VARIABLES | COUNTS | dict(self.landscape.extras)
        units["seconds"] = ("wall-clock time of the whole block of worlds so far, truth left out", "s")
        if isinstance(self.landscape.domain, Bits):
            units["diversity"] = (units["diversity"][0], "1")
        variables = {
            name: (("replicate", "checkpoint"), record, {"long_name": units[name][0], "units": units[name][1]})
            for name, record in self.records.items()
            if name != "status"
        }
        flags = {"flag_values": np.arange(len(STATUS), dtype=np.int8), "flag_meanings": " ".join(STATUS)}
        variables["status"] = (("replicate", "checkpoint"), self.records["status"].astype(np.int8), {"long_name": "what the world does", **flags})
        for name, whose in (("hit_cost", "recommended point"), ("best_hit_cost", "best evaluated point")):
            how = "exact" if self.exact else "to the next checkpoint"
            text = {"long_name": f"cost at which the {whose} first reached the target ({how}); inf: never", "units": "evaluations"}
            variables[name] = (("replicate", "target"), self.hits[name].cpu().numpy(), text)
        coords = {
            "replicate": np.arange(first, first + len(self.next)),
            "cost": ("checkpoint", self.checkpoints[:-1].cpu().numpy(), {"long_name": "cost", "units": "evaluations"}),
            "target_loss": ("target", self.targets.cpu().numpy(), {"long_name": "target", "units": LOSS}),
        }
        return xr.Dataset(variables, coords)

    # one step --------------------------------------------------------------------------------------------------------

    def _counts(self) -> tuple[Tensor, ...]:
        return self.ledger.values.clone(), self.ledger.gradients.clone(), self.ledger.steps.clone()

    def _moment(self, state: State, query: Query, answer: Answer) -> Moment:
        value = answer.value if query.alive is None else answer.value.where(query.alive, torch.inf)
        low, place = value.nan_to_num(nan=torch.inf).min(1)
        better = low < self.last.observed
        point = query.points.gather(1, place[:, None, None].expand(-1, 1, query.points.shape[2]))[:, 0]
        best = torch.where(better[:, None], point, self.last.best)
        observed = torch.where(better, low.double(), self.last.observed)
        seconds = time.perf_counter() - self.began - self.truth_seconds
        return Moment(state, query, answer, self._counts(), seconds, observed, best)

    def _end_worlds(self, answer: Answer, query: Query) -> None:
        """Write the rest of the worlds that diverged or spent their budget in this step."""
        finite = answer.value.isfinite() if query.alive is None else answer.value.isfinite() | ~query.alive
        lost = ~finite.any(1) & (self.ended == 0)
        if bool(lost.any()):
            self.ledger.close(lost)
        over = ~self.ledger.alive & (self.ended == 0)
        if bool(over.any()):
            self.ended = torch.where(over, torch.where(lost, STATUS.index("diverged"), STATUS.index("budget_spent")), self.ended)
            self._write(over, torch.full_like(self.next, len(self.checkpoints) - 1))

    # targets ---------------------------------------------------------------------------------------------------------

    def _hit(self, name: str, loss: Tensor, rows: Tensor) -> None:
        """Note the cost of the last state for the targets that loss (R,) reaches for the first time, in the worlds `rows` and within the budget."""
        reached = (loss.double()[:, None] <= self.targets) & (rows & (self.cost <= self.checkpoints[-2]))[:, None]
        self.hits[name] = torch.where(reached, self.hits[name].minimum(self.cost[:, None]), self.hits[name])

    def _hit_recommendation(self, query: Query, answer: Answer, rows: Tensor) -> None:
        """The state before this step recommended a point that is asked now, or that is cheap to look at beside a whole population."""
        point = self.optimizer.recommend(self.last.state)
        if query.points.shape[1] == 1 and torch.equal(point, query.points[:, 0]):
            self._hit("hit_cost", answer.value[:, 0], rows)
        elif query.points.shape[1] >= EVERY_STEP:
            self._hit("hit_cost", self._truth(point[:, None])[:, 0], rows)

    # checkpoints -----------------------------------------------------------------------------------------------------

    def _truth(self, points: Tensor) -> Tensor:
        began = time.perf_counter()
        with torch.no_grad():
            loss = self.landscape.solution_loss(points)
        self.truth_seconds += time.perf_counter() - began
        return loss.double()

    def _write(self, rows: Tensor, until: Tensor) -> None:
        """Write the last state of the worlds `rows` (R,) bool at their checkpoints next .. until - 1."""
        if not bool(rows.any()):
            return
        moment, values = self.last, {}
        point = self.optimizer.recommend(moment.state)
        truth = self._truth(torch.stack([point, moment.best], 1))
        self._hit("hit_cost", truth[:, 0], rows)
        values["loss"] = truth[:, 0].nan_to_num(nan=torch.inf)
        if moment.query is not None and moment.answer is not None:
            self._hit("best_hit_cost", truth[:, 1], rows)
            values |= {"best_loss": truth[:, 1], "observed": moment.observed, **self._spread(moment.query, moment.answer)}
            values["step_length"] = distance(self.optimizer.center(moment.state), self.optimizer.center(self.before.state))
        began = time.perf_counter()
        values |= self.landscape.measures(point)
        self.truth_seconds += time.perf_counter() - began
        values |= dict(zip(COUNTS, moment.counts, strict=True)) | {"status": self._status(values)}
        numbers = {name: value.cpu().numpy() for name, value in values.items()} | {"seconds": np.full(len(rows), moment.seconds)}
        places = torch.arange(len(self.checkpoints) - 1, device=rows.device)
        mask = ((places >= self.next[:, None]) & (places < until[:, None]) & rows[:, None]).cpu().numpy()
        for name, number in numbers.items():
            self.records[name][mask] = np.broadcast_to(number[:, None], mask.shape)[mask]
        self.next = torch.where(rows, until.clamp_max(len(self.checkpoints) - 1), self.next)

    def _status(self, values: dict[str, Tensor]) -> Tensor:
        """(R,) place in STATUS."""
        hit = torch.zeros_like(self.ended, dtype=torch.bool)
        if len(self.targets):
            hit = values["loss"] <= self.targets.min()
        return torch.where(self.ended > 0, self.ended, hit.long() * STATUS.index("hit_target"))

    def _spread(self, query: Query, answer: Answer) -> dict[str, Tensor]:
        """Mean observed value and diversity of the points that were asked."""
        alive = torch.ones_like(answer.value, dtype=torch.bool) if query.alive is None else query.alive
        share = alive.double() / alive.sum(1, keepdim=True)  # (R, P)
        x = query.points.double()
        mean = (x * share[..., None]).sum(1, keepdim=True)
        if isinstance(self.landscape.domain, Bits):
            diversity = (2 * mean * (1 - mean)).mean((1, 2))
        else:
            diversity = (((x - mean).square().sum(-1)) * share).sum(1).sqrt()
        return {"population_loss": (answer.value.double().where(alive, 0.0) * share).sum(1), "diversity": diversity}


def distance(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distance of a and b (R, D) -> (R,)."""
    return (a.double() - b.double()).square().sum(-1).sqrt()
