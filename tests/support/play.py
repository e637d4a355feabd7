"""A few steps of an optimizer on a small bowl, without the loop of studies."""

import torch

from landscapes.base import Answer, Bits, Letters, Problem, uniform_letters
from landscapes.streams import Streams
from optimizers import OPTIMIZERS


def build(kind, options):
    """As a study of a thousand steps has it."""
    return OPTIMIZERS[kind](**options).budgeted(1000)


def make(worlds=range(8), dtype=torch.float64, **options):
    return Streams(seed=3, worlds=torch.tensor(list(worlds)), dtype=dtype, **options)


def problem(streams, domain, dim, exact=True, shift=0.0):
    domain = domain.first(dim) if isinstance(domain, Letters) else domain

    def start(n):
        first = streams.at(0)
        if isinstance(domain, Letters):
            return uniform_letters(domain.sizes, first, "init", n)
        if isinstance(domain, Bits):
            return first.bernoulli("init", 0.5, (n, dim)).to(torch.uint8)
        return first.uniform("init", (n, dim)) * (domain.high - domain.low) + domain.low + shift

    return Problem(dim, domain, exact, start)


def bowl(query, dtype, shift=0.0, scale=1.0):
    """Value scale * sum_d h_d (x_d - o - shift)^2 with h_d = 1 + d / 4; o is 0.3 on reals, 0 on bits.

    The gradient by hand.
    """
    x = query.points.to(dtype) - shift - (0.0 if query.points.dtype == torch.uint8 else 0.3)
    h = scale * (1 + torch.arange(x.shape[-1], dtype=dtype) / 4)
    return Answer((h * x * x).sum(-1), 2 * h * x if query.gradient else None)


def play(optimizer, domain, streams, dim=7, steps=5, answer=bowl, shift=0.0, exact=True):
    """-> states, queries and infos of every step."""
    states, queries, infos = (
        [optimizer.init(problem(streams, domain, dim, exact, shift), streams.at(0))],
        [],
        [],
    )
    for step in range(1, steps + 1):
        s = streams.at(step)
        query = optimizer.ask(states[-1], s)
        state, info = optimizer.tell(states[-1], query, answer(query, streams.dtype), s)
        states, queries, infos = [*states, state], [*queries, query], [*infos, info]
    return states, queries, infos


def same(a, b, rows=slice(None)):
    return all(torch.equal(x[rows], y) for x, y in zip(tensors(a), tensors(b), strict=True))


def tensors(state):
    """The fields of a state, but for the objects of other libraries, which work world by world."""
    return [field for field in state if isinstance(field, torch.Tensor)]
