"""The one door to a landscape: the oracle draws the mini-batch, evaluates, adds the study's noise and bills the cost.

Cost has one unit, an evaluation of the whole loss at one point. The ledger counts term-evaluations of values and of gradients for
each world as int64; a gradient (its value comes with it) costs `price` evaluations, and may be priced afresh afterwards.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor

from landscapes import noise as noises
from landscapes.base import Answer, Landscape, Query, Terms, into_box
from landscapes.noise import Noise
from landscapes.streams import Streams

ROUNDING = 1e-12  # relative: a cost that differs by less from a budget or a checkpoint has reached it, and not overshot it


class Ledger:
    """What R worlds have spent; kept on the host, so that the loop never waits for a device to know where it stands.

    Args:
        worlds: R.
        terms: terms in one evaluation of the whole loss.
        budget: evaluations that a world may spend at the lowest price.
        price: evaluations that one gradient costs.
        lowest_price: the price at which the budget is counted; None: `price`.
    """

    def __init__(self, worlds: int, *, terms: int, budget: float, price: float = 3.0, lowest_price: float | None = None) -> None:
        self.terms, self.budget, self.price = terms, budget, price
        self.lowest_price = price if lowest_price is None else lowest_price
        self.values, self.gradients, self.steps = np.zeros((3, worlds), np.int64)  # (R,) each
        self.alive = np.ones(worlds, bool)  # (R,) worlds that still run
        self.spent = np.zeros(worlds)  # (R,) cost at `price` so far
        self.within = np.ones(worlds, bool)  # (R,) whether the last step ended within the budget

    def open(self) -> bool:
        """Whether any world still runs."""
        return bool(self.alive.any())

    def cost(self, price: float | None = None) -> np.ndarray:
        """(R,) float64: evaluations spent so far, at this price of a gradient."""
        return (self.values + (self.price if price is None else price) * self.gradients) / self.terms

    def bill(self, counts: int | np.ndarray, *, gradient: bool) -> None:
        """Add counts (R,) term-evaluations and one step to the worlds that run; close those whose budget is spent."""
        target = self.gradients if gradient else self.values
        target += counts * self.alive
        self.steps += self.alive
        self.spent = self.cost()
        lowest = self.spent if self.lowest_price == self.price else self.cost(self.lowest_price)
        self.within = lowest <= self.budget * (1 + ROUNDING)
        self.alive &= lowest < self.budget * (1 - ROUNDING)

    def close(self, worlds: np.ndarray) -> None:
        """Stop the worlds marked in (R,) bool."""
        self.alive &= ~worlds


class Oracle:
    """Answers queries about a bound landscape, with the study's noise, and bills them.

    Args:
        landscape: bound to the R worlds.
        noise: what disturbs the answers.
        ledger: where the cost is written.
    """

    def __init__(self, landscape: Landscape, noise: Noise, ledger: Ledger) -> None:
        if noise.batch is not None and noise.batch > landscape.terms:
            raise ValueError(f"noise.batch: expected at most the {landscape.terms} terms of {landscape.name}, got {noise.batch}")
        if noise.batch is not None and noise.batch < landscape.smallest_batch:
            raise ValueError(f"noise.batch: expected at least the {landscape.smallest_batch} terms that {landscape.name} needs, got {noise.batch}")
        self.landscape, self.noise, self.ledger = landscape, noise, ledger
        self.seconds = 0.0  # spent in the landscape itself: loss and backward
        self._epoch: noises.Epoch | None = None

    def __call__(self, query: Query, streams: Streams) -> Answer:
        """Answer one query of all worlds."""
        terms, size = self._terms(query, streams)
        now = clock_time(self.landscape, self.ledger.steps, self.ledger.spent, streams.device)
        began = time.perf_counter()
        answer = evaluate(self.landscape, query.points, terms, gradient=query.gradient, time=now)
        self.seconds += time.perf_counter() - began
        asked = query.points.shape[1] if query.alive is None else _host(query.alive.sum(1))
        self.ledger.bill(_host(size) * asked * self.landscape.unit_cost, gradient=query.gradient)
        if self.landscape.noisy:
            answer = answer._replace(value=self.landscape.observe(answer.value, query.points, streams))
        return noises.disturb(answer, self.noise, streams)

    def _terms(self, query: Query, streams: Streams) -> tuple[Terms | None, int | Tensor]:
        """The mini-batch of this query, None for the whole loss, and how many terms each point sees, one number or (R,)."""
        total = self.landscape.terms
        size = self.noise.batch if query.batch is None else query.batch.clamp(1, total)
        if size is None:
            return None, total
        if self.noise.sampling != "epoch":
            return noises.draw_batch(self.noise, total, size, query.points.shape[1], streams), size
        epoch = self._epoch or noises.first_epoch(streams, total)
        terms, size, self._epoch = noises.next_batch(epoch, size, streams)
        return terms, size


def _host(count: int | Tensor) -> int | np.ndarray:
    return count if isinstance(count, int) else count.cpu().numpy()


def clock_time(landscape: Landscape, steps: np.ndarray, spent: np.ndarray, device: torch.device | str) -> Tensor | None:
    """(R,) float64, what a moving landscape takes as time: completed steps, or evaluations spent; None where it stands still."""
    if landscape.clock is None:
        return None
    return torch.from_numpy(np.array(steps if landscape.clock == "step" else spent, np.float64)).to(device)


def evaluate(landscape: Landscape, points: Tensor, terms: Terms | None = None, *, gradient: bool = False, time: Tensor | None = None) -> Answer:
    """Noise-free values of points (R, P, D) and, where asked, their gradients by automatic differentiation; on a game each player's own.

    Outside a bounded box both are NaN: an optimizer that leaves it has diverged, and harms no other world.
    """
    points, inside = into_box(landscape, points)
    answer = _evaluate(landscape, points, terms, gradient, time)
    if inside is None:
        return answer
    value = torch.where(inside if answer.value.ndim == 2 else inside[..., None], answer.value, torch.nan)
    return Answer(value, None if answer.gradient is None else torch.where(inside[..., None], answer.gradient, torch.nan))


def _evaluate(landscape: Landscape, points: Tensor, terms: Terms | None, gradient: bool, time: Tensor | None) -> Answer:
    if not gradient:
        with torch.no_grad():
            return Answer(landscape.loss(points, terms, time))
    with torch.enable_grad():
        x = points.detach().requires_grad_()
        value = landscape.loss(x, terms, time)
        if len(landscape.players) == 1:
            (slope,) = torch.autograd.grad(value.sum(), x)
        else:
            slope = _own_slopes(value, x, landscape.players)
    return Answer(value.detach(), slope)


def _own_slopes(value: Tensor, x: Tensor, players: tuple[int, ...]) -> Tensor:
    """The gradient of each player's loss, value (R, P, players), in the coordinates that it owns: (R, P, D)."""
    blocks, first = [], 0
    for player, size in enumerate(players):
        (slope,) = torch.autograd.grad(value[..., player].sum(), x, retain_graph=True)
        blocks.append(slope[..., first : first + size])
        first += size
    return torch.cat(blocks, -1)
