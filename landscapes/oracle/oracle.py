"""The one door to a landscape.

The oracle draws the mini-batch, evaluates, adds the study's noise and bills the cost.

Cost has one unit, an evaluation of the whole loss at one point. The bill counts term-evaluations of values
and of gradients for each world as int64; a gradient (its value comes with it) costs `price` evaluations, and
may be priced afresh afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from landscapes.base import Answer, Dropout, Landscape, Query
from landscapes.oracle import noise as noises
from landscapes.oracle.bill import Bill
from landscapes.oracle.evaluation import EVERY, Batch, clock_time, evaluate, join_batches, on_host
from landscapes.oracle.noise import Noise
from landscapes.oracle.portions import Accumulate, in_portions
from landscapes.streams import Streams


class Oracle:
    """Answers queries about a bound landscape, with the study's noise, and bills them.

    Args:
        landscape: bound to the R worlds.
        noise: what disturbs the answers.
        bill: where the cost is written.
        micro_batches: pieces into which the terms of a mini-batch go, to be evaluated one after the other, >=
            1 (see `landscapes.oracle.portions`).
        chunks: groups into which the points go, likewise, >= 1.
        accumulate: how the answers of the pieces of a mini-batch are put together.
        alone: row -> the landscape bound to that world alone, for worlds that ask mini-batches of many sizes;
            None: they stay together.
    """

    def __init__(
        self,
        landscape: Landscape,
        noise: Noise,
        bill: Bill,
        *,
        micro_batches: int = 1,
        chunks: int = 1,
        accumulate: Accumulate = "weighted",
        alone: Callable[[int], Landscape] | None = None,
    ) -> None:
        if noise.batch is not None and noise.batch > landscape.terms:
            raise ValueError(
                f"noise.batch: expected at most the {landscape.terms} terms of {landscape.name}, got"
                f" {noise.batch}"
            )
        if noise.batch is not None and noise.batch < landscape.smallest_batch:
            raise ValueError(
                f"noise.batch: expected at least the {landscape.smallest_batch} terms that {landscape.name}"
                f" needs, got {noise.batch}"
            )
        for key, count in (("micro_batches", micro_batches), ("chunks", chunks)):
            if count < 1:
                raise ValueError(f"oracle.{key}: expected >= 1, got {count}")
        self.landscape, self.noise, self.bill = landscape, noise, bill
        self.micro_batches, self.chunks, self.accumulate = micro_batches, chunks, accumulate
        self.alone = alone
        self.seconds = 0.0  # spent in the landscape itself: loss and backward
        # where each world stands in its data; None: nothing read, or not sampled in epochs
        self.epoch: noises.Epoch | None = None

    @property
    def looked(self) -> float:
        """Seconds of the answers, and of what asked, that were none of theirs: looks of guards; here none."""
        return 0.0

    def exact(self, *, gradient: bool, batches: bool) -> bool:
        """Whether an answer is the truth about its point, now and later.

        A source that is switched off counts as on.

        Args:
            gradient: whether gradients are asked, which come with values; False: values alone, which noise on
                gradients does not touch.
            batches: whether queries set mini-batches of their own.
        """
        landscape = self.landscape
        still = landscape.clock is None and len(landscape.players) == 1
        return (
            still
            and not (batches or landscape.noisy or landscape.drops)
            and self.noise.exact(landscape.terms, gradient=gradient)
        )

    def __call__(self, query: Query, streams: Streams) -> Answer:
        """Answer one query of all worlds."""
        batches, size = self._batches(query, streams)
        now = clock_time(self.landscape, self.bill.steps, self.bill.spent, streams.device)
        dropout = self._dropout(query, streams)
        began = time.perf_counter()
        answers = [self._evaluated(batch, query, now, dropout, streams.dtype) for batch in batches]
        answer = join_batches(batches, answers)
        self.seconds += time.perf_counter() - began
        self._charge(query, size)
        return self._disturbed(answer, query, streams)

    # answers that follow from a query and its draws ---------------------------------------------------------

    def varies(self, *, batches: bool) -> str:
        """What an answer depends on besides its query and its draws; "": on nothing.

        Args:
            batches: whether queries set mini-batches of their own.
        """
        whole = self.noise.whole(self.landscape.terms)
        if batches:
            return "batches of the optimizer's own"
        if self.noise.sampling == "epoch" and not whole:
            return "where a world stands in its data"
        return "a clock" if self.landscape.clock is not None else ""

    def answered(self, query: Query, streams: Streams) -> Answer:
        """The answer to a query, where it does not vary; it is not billed."""
        (batch,), _ = self._batches(query, streams)
        dropout = self._dropout(query, streams)
        answer = self._evaluated(batch, query, None, dropout, streams.dtype)
        return self._disturbed(answer, query, streams)

    def charge(self, query: Query) -> None:
        """Bill a query that was `answered`."""
        terms = self.landscape.terms
        self._charge(query, terms if self.noise.whole(terms) else self.noise.batch or terms)

    def _charge(self, query: Query, size: int | Tensor) -> None:
        """Bill a query whose points see so many terms, one number or (R,)."""
        asked = query.points.shape[1] if query.alive is None else on_host(query.alive.sum(1))
        self.bill.charge(on_host(size) * asked * self.landscape.unit_cost, gradient=query.gradient)

    def _disturbed(self, answer: Answer, query: Query, streams: Streams) -> Answer:
        """The answer with the noise of the landscape and the study, and the fitness that it stands for."""
        if "evaluation" not in self.noise.off:
            if self.landscape.noisy:
                value = self.landscape.observe(answer.value, query.points, streams)
                answer = answer._replace(value=value)
            answer = noises.disturb(answer, self.noise, streams)
        return answer._replace(law=self.landscape.fitness_law)

    # mini-batches -------------------------------------------------------------------------------------------

    def _batches(self, query: Query, streams: Streams) -> tuple[list[Batch], int | Tensor]:
        """The mini-batches of this query, and how many terms each point sees, one number or (R,).

        No batch is padded, so that a world's numbers are those of a study whose batches all have its size.
        Worlds that ask one size are evaluated together. Where the different sizes sum to more than all terms,
        each world is evaluated alone: the numbers are the same. With data switched off all terms are
        evaluated, and the sizes are only billed.
        """
        total, least = self.landscape.terms, self.landscape.smallest_batch
        size = self.noise.batch if query.batch is None else query.batch.clamp(least, total)
        if size is None or (query.batch is None and self.noise.whole(total)):
            return [Batch(None)], total
        order = None
        if self.noise.sampling == "epoch":
            epoch = self.epoch or noises.first_epoch(streams, total)
            order, size, self.epoch = noises.next_batch(epoch, size, streams, least)
        if "data" in self.noise.off:
            return [Batch(None)], size
        draw = noises.Draw(self.noise, total, query.points.shape[1], order)
        return self._of_sizes(draw, size, streams), size

    def _of_sizes(self, draw: noises.Draw, size: int | Tensor, streams: Streams) -> list[Batch]:
        """Mini-batches of size terms, one number or (R,), in groups that are evaluated together."""
        if isinstance(size, int):
            return [Batch(draw(size, streams))]
        sizes = size.unique().tolist()
        if len(sizes) == 1:
            return [Batch(draw(sizes[0], streams))]
        if self.alone is None or sum(sizes) <= self.landscape.terms:
            again = [
                streams,
                *(streams.at(streams.step) for _ in sizes[1:]),
            ]  # the same addresses for each
            return [
                Batch(draw(count, s), (size == count).nonzero().flatten())
                for count, s in zip(sizes, again, strict=True)
            ]
        batches = []
        for row, count in enumerate(size.tolist()):
            rows = slice(row, row + 1)
            batches.append(Batch(draw(count, noises.of_row(streams, row), rows), rows, self.alone(row)))
        return batches

    def _dropout(self, query: Query, streams: Streams) -> Dropout | None:
        """Where the units that the points drop are drawn; None: they drop none."""
        if not self.landscape.drops or "dropout" in self.noise.off:
            return None
        return noises.dropout_of(query.points.shape[1], streams)

    def _evaluated(
        self,
        batch: Batch,
        query: Query,
        now: Tensor | None,
        dropout: Dropout | None,
        dtype: torch.dtype,
    ) -> Answer:
        """The answer for the worlds of these mini-batches."""
        landscape, rows = (self.landscape, EVERY) if batch.alone is None else (batch.alone, batch.rows)
        clock = None if now is None else now[rows]

        def ask(points: Tensor, index: Tensor | None, dropped: Dropout | None) -> Answer:
            terms = None if index is None else noises.mean_of(index, dtype)
            seen = landscape if dropped is None else landscape.dropping(dropped)
            return evaluate(seen, points, terms, gradient=query.gradient, time=clock)

        portions = self.micro_batches, self.chunks, self.accumulate
        own = dropout and dropout._replace(key=dropout.key[rows])
        answer = in_portions(ask, landscape, query.points[rows], batch.index, *portions, own)
        if batch.alone is not None or batch.rows is EVERY:
            return answer
        gradient = None if answer.gradient is None else answer.gradient[batch.rows]
        return Answer(answer.value[batch.rows], gradient)
