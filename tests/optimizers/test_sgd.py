"""SGD beside torch's own."""

import pytest
import torch

from landscapes.base import Answer, Reals
from tests.support.each import each
from tests.support.play import build, make, play, problem


@each(
    "options",
    [
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True},
        {"weight_decay": 0.1, "momentum": 0.5},
        {"clip": 0.5, "weight_decay": 0.1},
    ],
    ids=str,
)
def test_sgd_is_torch_sgd(options):
    optimizer = build("sgd", {"learning_rate": 0.05} | options)
    states = play(optimizer, Reals(), make([1]), steps=20)[0]
    x = states[0].points[0, 0].clone().requires_grad_()
    torch_options = {key: value for key, value in options.items() if key != "clip"}
    peer = torch.optim.SGD([x], lr=0.05, **torch_options)
    for _ in range(20):
        x.grad = 2 * (1 + torch.arange(7.0, dtype=torch.float64) / 4) * (x.detach() - 0.3)
        if "clip" in options:
            torch.nn.utils.clip_grad_norm_([x], options["clip"])
        peer.step()
    assert torch.allclose(
        states[-1].points[0, 0], x.detach(), atol=1e-5 if "clip" in options else 1e-14
    )  # torch adds 1e-6 to the norm


def test_starts_are_independent_trajectories():
    """The first of three is the one of one, and the one last seen lowest is recommended."""
    optimizer = build("sgd", {"starts": 3})
    three, one = play(optimizer, Reals(), make())[0], play(build("sgd", {}), Reals(), make())[0]
    assert torch.equal(three[-1].points[:, :1], one[-1].points)
    lowest = three[-1].value.argmin(1)
    assert torch.equal(optimizer.recommend(three[-1]), three[-1].points[range(8), lowest])


def test_sgd_refuses_an_answer_without_gradients():
    optimizer, s = build("sgd", {}), make()
    state = optimizer.init(problem(s, Reals(), 2), s)
    with pytest.raises(ValueError, match="expected an answer with gradients"):
        optimizer.tell(state, optimizer.ask(state, s), Answer(torch.zeros(8, 1)), s)
