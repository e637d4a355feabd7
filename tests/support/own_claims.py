"""A user's claims and theories, by import path."""

from studies.claims import Law, Measured, judgement


def at_most(dataset, bound):
    final = dataset["loss"].isel(checkpoint=-1).values.ravel()
    measured = Measured(
        float(final.mean()), float(final.std(ddof=1) / len(final) ** 0.5), len(final), len(final)
    )
    law = Law(predicted=bound, control=2 * bound, tolerance=0.1)
    return judgement(
        "custom", law, measured, where={"worlds": len(final)}, quantity="mean loss", in_regime=True
    )


def nothing(dataset):
    return ["holds"]


def a_bool(dataset):
    return True


def broken(dataset):
    raise RuntimeError("out of\nluck")


def theory(learning_rate, dim, scale=2.0):
    return scale * learning_rate * dim


def unknowable(nowhere):
    return nowhere
