"""Networks and data as users write them, for the tests of the landscape `module`."""

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import Dataset

_DRAWN = torch.Generator().manual_seed(5)
INPUTS = torch.rand((23, 6), generator=_DRAWN, dtype=torch.float64)
LABELS = torch.randint(3, (23,), generator=_DRAWN)
ANSWERS = torch.randn((23, 2), generator=_DRAWN, dtype=torch.float64)
IMAGES = torch.rand((23, 1, 5, 5), generator=_DRAWN)
PAIR = (INPUTS, LABELS)
HELD_OUT = (INPUTS[:7] + 0.1, LABELS[:7])


def labelled():
    return INPUTS, LABELS


def shifted():
    return INPUTS + 1e-9, LABELS


def regression():
    return INPUTS, ANSWERS


def pictures():
    return IMAGES, LABELS


def drawn():
    return torch.randn(9, 6), torch.randint(3, (9,))


def one_short():
    return INPUTS, LABELS[:-1]


def single():
    return INPUTS


class Rows(Dataset):
    def __len__(self):
        return len(INPUTS)

    def __getitem__(self, i):
        return INPUTS[i].numpy(), int(LABELS[i])


ROWS = Rows()


def mlp(hidden=3, outputs=3, activation="Tanh"):
    return nn.Sequential(nn.Linear(6, hidden), getattr(nn, activation)(), nn.Linear(hidden, outputs))


class Convolution(nn.Module):
    def __init__(self, channels=2):
        super().__init__()
        self.conv = nn.Conv2d(1, channels, 3)
        self.out = nn.Linear(channels, 3)

    def forward(self, images):
        h = functional.max_pool2d(functional.silu(self.conv(images)), 2)
        return self.out(h.flatten(1))


def normalised(hidden=3, training=True):
    return nn.Sequential(
        nn.Linear(6, hidden), nn.BatchNorm1d(hidden), nn.Sigmoid(), nn.Linear(hidden, 3)
    ).train(training)


class RandomFeatures(nn.Module):
    """A buffer and a frozen parameter that are drawn, a mask and a counter that are not."""

    def __init__(self):
        super().__init__()
        self.register_buffer("directions", torch.randn(4, 6))
        self.register_buffer("mask", torch.tensor([True, True, False, True]))
        self.register_buffer("count", torch.tensor(2))
        self.phases = nn.Parameter(torch.rand(4), requires_grad=False)
        self.out = nn.Linear(4, 3)

    def forward(self, x):
        return self.out((x @ self.directions.T + self.phases).cos() * self.mask / self.count)


def tied():
    net = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6), nn.Linear(6, 3))
    net[2].weight = net[0].weight
    return net


def with_dropout(p=0.5):
    return nn.Sequential(nn.Linear(6, 3), nn.Dropout(p))


class Noisy(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(6, 3)

    def forward(self, x):
        return self.out(x) + torch.randn(3)


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(6, 3)

    def forward(self, x):
        return self.out(x) if self.out.weight.sum() > 0 else -self.out(x)


def no_weights():
    return nn.Tanh()


def not_a_module():
    return 3


def cubic(outputs, targets):
    return (outputs - targets).abs().pow(3).sum(1)


def averaged(outputs, targets):
    return functional.mse_loss(outputs, targets)


def ranked(outputs, targets):
    losses = functional.cross_entropy(outputs, targets, reduction="none")
    return losses - losses.mean() / 2


def centred(outputs=2):
    """Its outputs have mean 0 as long as the last layer is as it was made."""
    return nn.Sequential(nn.Linear(6, outputs), nn.LayerNorm(outputs)).double()


def together(outputs, targets):
    return (outputs - targets).square().mean(1) * (1 + outputs.mean().square())
