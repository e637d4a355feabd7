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


def alike():
    return INPUTS[:1].expand(9, -1), LABELS[:1].expand(9)


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


def with_dropout(p=0.5, layer="Dropout", **options):
    return nn.Sequential(nn.Linear(6, 3), getattr(nn, layer)(p, **options))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(2, 4, num_layers=2, dropout=0.1, batch_first=True)
        self.out = nn.Linear(4, 3)

    def forward(self, x):
        return self.out(self.rnn(x.unflatten(1, (3, 2)))[0][:, -1])


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


class Functional(nn.Module):
    """Dropout as a function: of inputs, or of a weight."""

    def __init__(self, place="inputs"):
        super().__init__()
        self.out = nn.Linear(6, 3)
        self.place = place

    def forward(self, x):
        if self.place == "weight":
            weight = functional.dropout(self.out.weight, 0.4, self.training)
            return functional.linear(x, weight, self.out.bias)
        return self.out(functional.dropout(x, 0.4, self.training))


class WordsApart(nn.Module):
    """Words of all examples in one axis, those of an example apart: (B, T E) -> (T B, E)."""

    def __init__(self):
        super().__init__()
        self.out = nn.Linear(6, 3)

    def forward(self, x):
        rows = x.unflatten(1, (3, 2)).transpose(0, 1).reshape(-1, 2)
        dropped = functional.dropout(rows, 0.4, self.training)
        return self.out(dropped.view(3, -1, 2).transpose(0, 1).flatten(1))


def pooled(channels=3):
    return nn.Sequential(
        nn.Conv2d(1, channels, 3),
        nn.Dropout2d(0.3),
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(9 * channels, 3),
    )


def normalised_and_dropped():
    return nn.Sequential(
        nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Sigmoid(), nn.Dropout(0.4), nn.Linear(4, 3)
    )


def straight(p=0.3, training=True):
    """A sum over the inputs that are left."""
    return nn.Sequential(nn.Dropout(p), nn.Linear(6, 1)).train(training)


def output(outputs, targets):
    """A loss that is the output itself."""
    del targets
    return outputs[:, 0]


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


def dropping(p=0.5, hidden=4):
    return nn.Sequential(nn.Linear(6, hidden), nn.Tanh(), nn.Dropout(p), nn.Linear(hidden, 3))


class Encoder(nn.Module):
    """A default layer of a transformer over three words of two numbers, and a mean over them."""

    def __init__(self, batch_first=True, **options):
        super().__init__()
        self.words = nn.Linear(2, 8)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=batch_first, **options)
        self.out = nn.Linear(8, 3)
        self.first = batch_first

    def forward(self, x):
        h = self.words(x.unflatten(1, (3, 2)))
        h = self.layer(h) if self.first else self.layer(h.transpose(0, 1)).transpose(0, 1)
        return self.out(h.mean(1))


def first_in_place():
    return nn.Sequential(nn.Dropout(0.3, inplace=True), nn.Linear(6, 3))
