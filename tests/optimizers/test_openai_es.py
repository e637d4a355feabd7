"""The evolution strategy of OpenAI beside a plain loop."""

import torch

from landscapes.base import Reals
from tests.references import operators as naive
from tests.support.each import each
from tests.support.play import bowl, build, make, play, problem


@each(
    "options",
    [
        {},
        {"antithetic": False},
        {"shaping": "raw"},
        {"shaping": "raw", "antithetic": False},
        {"inner": "adam", "weight_decay": 0.1},
    ],
    ids=str,
)
def test_es_beside_a_loop(options):
    """The step is torch's own SGD or Adam along the naive estimate of the gradient."""
    optimizer = build("openai_es", {"population": 6, "sigma": 0.3, "learning_rate": 0.02} | options)
    states, queries, _ = play(optimizer, Reals(), make([1]), steps=6)
    x = states[0].center[0, 0].clone().requires_grad_()
    peer = (torch.optim.Adam if options.get("inner") == "adam" else torch.optim.SGD)(
        [x], lr=0.02, weight_decay=options.get("weight_decay", 0.0)
    )
    for query in queries:
        value = bowl(query, torch.float64).value[0].tolist()
        factor = 1.0
        if options.get("shaping") != "raw":
            value = naive.centered_ranks(value)
        elif not optimizer.antithetic:
            value, factor = [v - sum(value) / 6 for v in value], 6 / 5
        x.grad = factor * torch.tensor(
            naive.es_gradient(query.points[0].tolist(), x.tolist(), value, 0.3), dtype=torch.float64
        )
        peer.step()
    assert torch.allclose(states[-1].center[0, 0], x.detach(), atol=1e-9)


def test_antithetic_points_are_mirrored():
    optimizer, s = build("openai_es", {"population": 6}), make()
    state = optimizer.init(problem(s, Reals(), 7), s)
    x = optimizer.ask(state, s.at(1)).points
    assert torch.allclose(x[:, :3] + x[:, 3:], 2 * state.center)
