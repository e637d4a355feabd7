"""Networks one at a time, in plain torch modules and loops: the slow reference."""

import math

import torch
from torch import nn
from torch.nn import functional


def filled(module, weights):
    """The module with these weights (D,), float64."""
    module = module.double()
    nn.utils.vector_to_parameters(weights.double(), [p for p in module.parameters() if p.requires_grad])
    return module


def loss_and_gradient(module, weights, inputs, targets, loss):
    """The mean loss of one network, and its gradient (D,)."""
    module = filled(module, weights)
    value = loss(module(inputs), targets)
    slopes = torch.autograd.grad(value, [p for p in module.parameters() if p.requires_grad])
    return float(value.detach()), torch.cat([slope.flatten() for slope in slopes])


def normalised_network(hidden, activation, eps):
    layer = nn.Tanh() if activation == "tanh" else nn.ReLU()
    return nn.Sequential(
        nn.Linear(64, hidden, bias=False), nn.BatchNorm1d(hidden, eps=eps), layer, nn.Linear(hidden, 10)
    )


def autoencoder(hidden, bottleneck, activation):
    def layer():
        return nn.Tanh() if activation == "tanh" else nn.ReLU()

    return nn.Sequential(
        nn.Linear(64, hidden),
        layer(),
        nn.Linear(hidden, bottleneck),
        nn.Linear(bottleneck, hidden),
        layer(),
        nn.Linear(hidden, 64),
    )


def recurrent_outputs(weights, units, sequences):
    """Of a tanh network on sequences (B, T, 2), by torch's own RNN, whose second bias stays 0."""
    v, w, b, a, c = weights.double().split((2 * units, units**2, units, units, 1))
    rnn = nn.RNN(2, units, batch_first=True).double()
    with torch.no_grad():
        for name, value in (
            ("weight_ih_l0", v.view(units, 2)),
            ("weight_hh_l0", w.view(units, units)),
            ("bias_ih_l0", b),
            ("bias_hh_l0", 0 * b),
        ):
            getattr(rnn, name).copy_(value)
        return rnn(sequences)[0][:, -1] @ a + c


def matrix_product_loss(matrix, start, target, steps):
    """1/2 |W^T h - target|^2 in lists."""
    h = list(start)
    for _ in range(steps):
        h = [sum(w * x for w, x in zip(row, h, strict=True)) for row in matrix]
    return sum((a - b) ** 2 for a, b in zip(h, target, strict=True)) / 2


def contrastive_loss(encoder, views, temperature, objective):
    """Of a batch of pairs of lists, by loops: encoder (E, F), views B x (a, b)."""

    def embed(x):
        return [sum(w * v for w, v in zip(row, x, strict=True)) for row in encoder]

    first, second = [embed(a) for a, _ in views], [embed(b) for _, b in views]
    size = len(views)
    s = [[sum(p * q for p, q in zip(a, b, strict=True)) / temperature for b in second] for a in first]
    if objective == "infonce":
        return (
            sum(math.log(sum(math.exp(z) for z in s[i]) / size) - s[i][i] for i in range(size)) / size
        )
    positive = sum(math.log1p(math.exp(-s[i][i])) for i in range(size)) / size
    negative = [math.log1p(math.exp(s[i][j])) for i in range(size) for j in range(size) if i != j]
    return positive + sum(negative) / len(negative)


def logistic_loss(weights, rows, labels, penalty):
    """Binary, by loops."""
    total = 0.0
    for row, label in zip(rows, labels, strict=True):
        odds = sum(w * x for w, x in zip(weights, row, strict=True))
        total += math.log1p(math.exp(-odds if label else odds))
    return total / len(rows) + penalty / 2 * sum(w * w for w in weights)


def softmax_loss(weights, pixels, labels, penalty):
    """With a weight for each class and pixel, and one for a constant: weights (650,)."""
    w = weights.double().view(10, 65)
    logits = pixels.double() @ w[:, :64].T + w[:, 64]
    return float(functional.cross_entropy(logits, labels) + penalty / 2 * (w * w).sum())
