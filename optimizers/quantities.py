"""What a study may record of methods by name, as in `record: {width: sigma}`.

Each is of the state after a step, and so what the next step will use; what was told of a step is of the last.
A method lists its own in `Optimizer.quantities`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from landscapes.numerics import norm
from optimizers.base import Info, Quantity, State
from optimizers.operators import per_world

LENGTH, LOSS = "length of x", "loss"
PER_SLOPE = "squared length of x per loss"
SLOPE = "loss per length of x"


def acceptance() -> dict[str, Quantity]:
    """The acceptance of methods that accept or reject."""

    def share(method: Any, state: State, info: Info | None) -> Tensor | None:  # noqa: ANN401
        del method, state
        return None if info is None else _mean(info["accepted"])

    return {"acceptance": Quantity("share of the proposals accepted in the last step", "1", share)}


def sigma() -> dict[str, Quantity]:
    """Sigma of search distributions with one standard deviation, or one for each coordinate."""
    line = "standard deviation of the search distribution, mean over coordinates"
    return {"sigma": Quantity(line, LENGTH, lambda method, state, info: _mean(state.sigma))}


def path_length(field: str) -> dict[str, Quantity]:
    """The path length of methods with an evolution path, a field of the state (R, 1, D)."""
    line = "length of the evolution path that adapts sigma"
    path = Quantity(line, "1", lambda method, state, info: norm(getattr(state, field).double())[:, 0])
    return {"path_length": path}


def condition(field: str) -> dict[str, Quantity]:
    """The condition number of a search distribution: `field` has the deviations along its axes (R, 1, D)."""

    def ratio(method: Any, state: State, info: Info | None) -> Tensor:  # noqa: ANN401
        del method, info
        lengths = getattr(state, field).double()[:, 0]
        return (lengths.amax(1) / lengths.amin(1)).square()

    return {"covariance_condition": Quantity(CONDITION, "1", ratio)}


CONDITION = "condition number of the search distribution's covariance"


def shape_condition() -> dict[str, Quantity]:
    """The condition number of search distributions N(m, sigma^2 B^T B): `shape` (R, D, D) is B."""

    def ratio(method: Any, state: State, info: Info | None) -> Tensor:  # noqa: ANN401
        del method, info
        lengths = torch.linalg.svdvals(state.shape.double())
        return (lengths[:, 0] / lengths[:, -1]).square()

    return {"covariance_condition": Quantity(CONDITION, "1", ratio)}


def velocity(field: str = "velocity") -> dict[str, Quantity]:
    """The velocity of methods with momentum, a field of the state (R, P, D)."""
    line = "length of the running gradient that moves a point, mean over points"

    def length(method: Any, state: State, info: Info | None) -> Tensor:  # noqa: ANN401
        del method, info
        return norm(getattr(state, field).double()).mean(1)

    return {"velocity": Quantity(line, SLOPE, length)}


def learning_rate(units: str = PER_SLOPE) -> dict[str, Quantity]:
    """The learning rate of methods with a learning rate and a schedule."""

    def rate(method: Any, state: State, info: Info | None) -> Tensor:  # noqa: ANN401
        del info
        coupling = method.parameters().get("coupling", "none")
        return method.schedule.scheduled(method.learning_rate, state.step, coupling)

    return {"learning_rate": Quantity(RATE, units, rate)}


def plain_rate(units: str, field: str = "learning_rate") -> dict[str, Quantity]:
    """The learning rate of methods in which it is a parameter (`field`) and stays as it is."""

    def rate(method: Any, state: State, info: Info | None) -> Tensor:  # noqa: ANN401
        del info
        return per_world(getattr(method, field), state[0])

    return {"learning_rate": Quantity(RATE, units, rate)}


RATE = "learning rate of the next step, as the schedule has it"
AS_SHAPED = "as the shaping has it"


def temperature() -> dict[str, Quantity]:
    """The temperature of methods that have one."""

    def heat(method: Any, state: State, info: Info | None) -> Tensor:  # noqa: ANN401
        del info
        return per_world(method.temperature, state.value)

    return {"temperature": Quantity(TEMPERATURE, LOSS, heat)}


TEMPERATURE = "temperature in force"


def _mean(numbers: Tensor) -> Tensor:
    """The mean over all but the worlds: (R,)."""
    return numbers.double().reshape(len(numbers), -1).mean(1)
