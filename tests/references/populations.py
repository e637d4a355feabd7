"""Naive loops of one world, one member and one coordinate at a time; nothing of ours is imported."""

import math


def donors(i, n, draws):
    """Ordered members other than i without replacement: each draw is a place among those that are left."""
    left = [j for j in range(n) if j != i]
    return [left.pop(place) for place in draws]


def de_trial(x, i, best, others, crossed, always, scale, strategy):
    """The trial of differential evolution for member i of x, a list of lists."""
    trial = []
    for d in range(len(x[i])):
        if strategy == "rand":
            mutant = x[others[0]][d] + scale * (x[others[1]][d] - x[others[2]][d])
        elif strategy == "best":
            mutant = x[best][d] + scale * (x[others[0]][d] - x[others[1]][d])
        else:
            mutant = (
                x[i][d] + scale * (x[best][d] - x[i][d]) + scale * (x[others[0]][d] - x[others[1]][d])
            )
        trial.append(mutant if crossed[d] or d == always else x[i][d])
    return trial


def ring(values, size, migrants, drawn=None):
    """Who lives at each place after migration between islands of the given size.

    The best over the worst, or the drawn ones exchanged.
    """
    count = len(values) // size
    home, settled = list(range(len(values))), list(range(len(values)))
    for i in range(count):
        target = (i + 1) % count
        if drawn is None:
            ranked = sorted(home[i * size : (i + 1) * size], key=lambda k: values[k])
            worst = sorted(home[target * size : (target + 1) * size], key=lambda k: values[k])[
                size - migrants :
            ]
            pairs = zip(ranked[:migrants], worst, strict=True)
        else:
            pairs = zip(
                [i * size + k for k in drawn[i]],
                [target * size + k for k in drawn[target]],
                strict=True,
            )
        for who, place in pairs:
            settled[place] = who
    return settled


def stepping_stones(within, between, size, migrants, generations):
    """Chances that two different individuals of one of two islands, and two of different islands, differ, after exchange and resampling."""
    for _ in range(generations):
        stay, go = size - migrants, migrants
        together = (stay * (stay - 1) + go * (go - 1)) / (
            size * (size - 1)
        )  # two of one island came from one
        met = 2 * stay * go / size**2  # one of each island came from one
        mixed = together * within + (1 - together) * between
        within, between = (1 - 1 / size) * mixed, met * within + (1 - met) * between
    return within, between


def tempering_step(x, value, proposals, answered, walks, swaps, heat, step):
    """One step of parallel tempering.

    Points, values, acceptance and the replica whose point each temperature holds.

    walks(k, chance) and swaps(k, chance) say whether a coin of that chance, drawn for replica k, fell so.
    """
    x, value, accepted, holder = list(x), list(value), [], list(range(len(x)))
    for k, temperature in enumerate(heat):
        rise = answered[k] - value[k]
        accepted.append(walks(k, 1.0 if rise <= 0 else math.exp(-rise / temperature)))
        if accepted[k]:
            x[k], value[k] = proposals[k], answered[k]
    for k in range((step + 1) % 2, len(x) - 1, 2):
        gain = (1 / heat[k] - 1 / heat[k + 1]) * (value[k] - value[k + 1])
        if swaps(k, math.exp(min(0.0, gain))):
            for held in (x, value, holder):
                held[k], held[k + 1] = held[k + 1], held[k]
    return x, value, accepted, holder


def boltzmann(losses, temperature):
    """Chances in proportion to exp(-L / T)."""
    weights = [math.exp(-loss / temperature) for loss in losses]
    return [w / sum(weights) for w in weights]


def exchanges(losses, cold, hot):
    """The chance that two replicas at their stationary laws exchange."""
    pairs = [
        (a, p, b, q)
        for a, p in zip(losses, boltzmann(losses, cold), strict=True)
        for b, q in zip(losses, boltzmann(losses, hot), strict=True)
    ]
    return sum(p * q * min(1.0, math.exp((1 / cold - 1 / hot) * (a - b))) for a, p, b, q in pairs)


def replaced(members, children, dying=None):
    """Values after children came: the best of all, a child first among equals.

    Or the members with the dying ones replaced.
    """
    if dying is None:
        return sorted([*children, *members])[: len(members)]
    members = list(members)
    for place, child in zip(dying, children, strict=True):
        members[place] = child
    return members
