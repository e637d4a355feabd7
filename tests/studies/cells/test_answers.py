"""What the answers of a step say: the lowest value of each world, and the best point so far."""

import math

import torch

from landscapes.base import Answer, Query
from studies.cells.answers import Best, Lowest
from tests.support.each import each

INF, NAN = math.inf, math.nan
VALUES = [  # (steps, R, P)
    [[3.0, 2.0, 2.0], [NAN, NAN, NAN], [INF, 5.0, NAN]],
    [[2.0, 4.0, 2.0], [INF, NAN, 7.0], [NAN, INF, -INF]],
    [[1.0, NAN, 0.5], [8.0, 7.0, 9.0], [1.0, 2.0, 3.0]],
]


def steps(dtype, alive):
    """Queries and answers; points tell step, world and place."""
    place = torch.arange(3)
    for number, values in enumerate(VALUES):
        points = torch.stack(torch.meshgrid(torch.tensor([number]), place, place, indexing="ij"), -1)[0]
        mask = None if alive is None else torch.tensor(alive)
        yield Query(points.to(dtype), alive=mask), Answer(torch.tensor(values).to(dtype))


def naive(alive):
    """After each step: the lowest values of the step, the best so far and where they were."""
    best, where = [INF] * 3, [(-1, -1, -1)] * 3
    for number, values in enumerate(VALUES):
        asked = [
            [
                v if (alive is None or alive[r][p]) and not math.isnan(v) else INF
                for p, v in enumerate(row)
            ]
            for r, row in enumerate(values)
        ]
        lowest = [min(row) for row in asked]
        for r, low in enumerate(lowest):
            if low < best[r]:
                best[r], where[r] = low, (number, r, asked[r].index(low))
        yield lowest, [*best], [*where]


@each("dtype", [torch.float64, torch.float32])
@each("alive", [None, [[True, True, False], [True, False, False], [False, True, True]]])
@each("start", [torch.float64, torch.float32])
def test_the_best_so_far(dtype, alive, start):
    """Beside a naive loop; the start may be of another dtype than the points."""
    centre = torch.full((1, 3), -1.0, dtype=start).expand(3, 3)
    best = Best(centre)
    for (query, answer), (low, value, where) in zip(steps(dtype, alive), naive(alive), strict=True):
        lowest = Lowest.of(query, answer)
        best.take(query, answer, lowest)
        assert lowest.value.tolist() == low
        assert best.value.tolist() == value
        assert best.point.tolist() == [list(map(float, at)) for at in where]
    assert (centre == -1).all()  # what it began with is another's
    assert best.changed.tolist() == [v < INF for v in best.value]
