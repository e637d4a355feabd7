"""A search whose states are frozen, and its noise ledger, without a study around them."""

from dataclasses import replace

import numpy as np
import torch

from landscapes.base import Problem
from landscapes.oracle.bill import Bill
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from landscapes.streams import SOURCES, Streams
from studies.cells.ledger import Book, NoiseLedger, Scene, record
from studies.cells.ledger.freezing import Frozen
from studies.kinds.instruments import Moment

DRAWN = tuple(source for source in SOURCES if source not in ("instance", "init"))
EXACT = Noise()


def search(
    landscape,
    optimizer,
    noise=EXACT,
    *,
    worlds=4,
    costs=(0.0,),
    budget=None,
    seed=3,
    dtype=torch.float64,
    start=None,
    steps=None,
):
    """-> the scene, the moments frozen at these costs, and all that the search went through, one moment for each step.

    A gradient costs 1; start(n) -> points (R, n, D), None: the landscape's; after so many steps it is cut off, None: when the budget is spent.
    """
    worlds = torch.arange(worlds) if isinstance(worlds, int) else torch.as_tensor(worlds)
    streams = Streams(seed=seed, worlds=worlds, dtype=dtype, sources=optimizer.sources)
    bound, first = landscape.bind(streams.at(0)), streams.at(0)
    bill = Bill(
        len(worlds), terms=bound.terms, budget=costs[-1] + 1e-9 if budget is None else budget, price=1.0
    )
    oracle = Oracle(bound, noise, bill)
    exact = oracle.exact(gradient=optimizer.gradient, batches=optimizer.batches)
    problem = Problem(
        bound.dim, bound.domain, exact, start or (lambda n: bound.start(first, n)), len(bound.players)
    )
    scene = Scene(optimizer, lambda s: landscape.bind(s.at(0)), noise, streams, price=1.0)
    freezer, state, step = (
        NoiseLedger(oracle, costs, costs, scene, book()),
        optimizer.init(problem, first),
        0,
    )
    freezer(Moment.now(oracle, state))
    trail = [Frozen.at(freezer.last)]
    while bill.open() and step != steps:
        s = streams.at(step := step + 1)
        query = optimizer.ask(state, s)
        state, _ = optimizer.tell(state, query, oracle(query, s), s)
        freezer(Moment.now(oracle, state))
        trail.append(Frozen.at(freezer.last))
    return scene, freezer.moments(), trail


def book(redraws=16, modes=1, points=1, sources=DRAWN):
    return Book(redraws=redraws, modes=modes, points=points, sources=sources)


def ledger(
    landscape, optimizer, noise=EXACT, *, redraws=16, modes=1, points=1, sources=DRAWN, **options
):
    """The ledger of a cell."""
    scene, moments, _ = search(landscape, optimizer, noise, **options)
    return record(scene, moments, book(redraws, modes, points, sources))


def spoilt(moment, row, value):
    """The moment with every real number of one world's state replaced."""

    def change(leaf):
        return leaf.index_fill(0, torch.tensor([row]), value) if leaf.is_floating_point() else leaf

    return moment._replace(
        state=type(moment.state)(
            *(change(leaf) if isinstance(leaf, torch.Tensor) else leaf for leaf in moment.state)
        )
    )


def alone(scene, rows):
    """The scene of some worlds."""
    return replace(scene, streams=scene.streams.subset(scene.streams.worlds[rows]))


def around(sample, truth):
    """Of worlds (R,) with truths of their own the mean truth, and a sample whose mean is as far from it as `sample` is from the truths."""
    sample, truth = (np.asarray(part, np.float64) for part in (sample, truth))
    return truth.mean(), sample - truth + truth.mean()


def now(data, **where):
    """The ledger at its only moment, the variance over all directions."""
    return data.isel(moment=-1).sel(direction="all", **where)
