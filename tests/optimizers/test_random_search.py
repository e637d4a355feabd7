"""Random search keeps the best of exact values, and asks a noisy one again."""

import torch

from landscapes.base import Answer, Reals
from tests.support.play import bowl, build, make, play


def test_random_search_keeps_the_best_of_exact_values():
    optimizer = build("random_search", {"population": 3})
    states, queries, _ = play(optimizer, Reals(-2.0, 2.0), make(), steps=9)
    x = torch.cat([q.points for q in queries], 1)
    assert x.shape == (8, 27, 7)
    assert x.min() >= -2
    assert x.max() < 2
    values = bowl(queries[0]._replace(points=x), torch.float64).value
    assert torch.equal(states[-1].value, values.amin(1))
    assert torch.equal(optimizer.recommend(states[-1]), x[range(8), values.argmin(1)])


def test_random_search_asks_a_noisy_best_again():
    """A value that was lucky once does not stay."""
    optimizer = build("random_search", {"population": 2})
    lucky = iter([-100.0, 0.0, 0.0])

    def answer(query, dtype):
        value = bowl(query, dtype).value
        value[:, 1] += next(lucky)
        return Answer(value)

    states, queries, _ = play(optimizer, Reals(), make(), steps=2, answer=answer, exact=False)
    assert queries[1].points.shape == (8, 3, 7)
    assert torch.equal(queries[1].points[:, 0], states[1].best)
    assert (states[1].value < -50).all()
    assert (states[2].value > 0).all()
