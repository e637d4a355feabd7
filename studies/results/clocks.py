"""Clocks of results: what cost, steps, epochs, virtual time and seconds show at the states recorded.

A budget is counted on one of them (`budget_clock`, cost where a Dataset has no such coordinate). Cost is in
evaluations at the nominal price of a gradient, and a budget of cost at the lowest price.
"""

from __future__ import annotations

from xarray import DataArray, Dataset, Variable

from studies.results.labels import labelled, variable
from studies.results.prices import prices
from studies.text.schema import CLOCKS, VIRTUAL
from studies.text.words import suggest

BUDGET_CLOCK, BUDGET_TIME = "budget_clock", "budget_time"  # coordinates where one is none of cost


def check_clock(clock: str) -> None:
    """Raise ValueError unless there is such a clock."""
    if clock not in CLOCKS:
        raise ValueError(f"clock: unknown clock {clock!r}; {suggest(clock, CLOCKS)}")


def words(clock: str) -> str:
    """A clock in a text."""
    return clock.replace("_", " ")


def shown_on(dataset: Dataset, clock: str, *, lowest: bool = False) -> DataArray:
    """What a clock shows at each state: (.., replicate, [checkpoint]).

    NaN where an arm has no such clock.

    Args:
        dataset: results, at all checkpoints or at one.
        clock: of `CLOCKS`.
        lowest: of cost, at the lowest price of a gradient in place of the nominal one.

    Raises:
        ValueError: there is no such clock, or it was not recorded.
    """
    shown = labelled(numbers_on(dataset, clock, lowest=lowest), dataset["status"])
    shown.name = None if clock in ("cost", "epochs") else clock
    return shown


def numbers_on(dataset: Dataset, clock: str, *, lowest: bool = False) -> Variable:
    """`shown_on` without labels; arguments and errors are the same."""
    check_clock(clock)
    every = dataset.variables
    if clock in ("cost", "epochs"):
        price: Variable | float = 1.0
        if clock == "cost":
            price = variable(prices(dataset).low if lowest else prices(dataset).value)
        return (every["value_terms"] + price * every["gradient_terms"]) / every["terms"]
    if clock not in dataset:
        raise ValueError(f"clock: these results have no {words(clock)}")
    shown = every[clock].astype(float)
    if clock == VIRTUAL and "steps" in dataset:  # it is told from the first step on
        told = (every["steps"] > 0) | shown.notnull() | ~has_clock(dataset, clock).variable
        shown = shown.where(told, 0.0)
    return shown


def has_clock(dataset: Dataset, clock: str) -> DataArray:
    """Whether an arm has a clock: a virtual time is told in any of its states."""
    if clock != VIRTUAL or clock not in dataset:
        return DataArray(True)
    told = dataset[VIRTUAL].notnull()
    return told.any([dim for dim in ("replicate", "checkpoint") if dim in told.dims])


def times_of(dataset: Dataset, clock: str) -> DataArray:
    """Where the checkpoints of each arm are on a clock: (.., checkpoint).

    That of cost is a coordinate; on others the most that any world's state shows there.
    """
    if clock == "cost":
        return dataset["cost"]
    times = shown_on(dataset, clock).max("replicate")
    return times.where(dataset["cost"].notnull())


def own_clocks(dataset: Dataset) -> DataArray:
    """The number in `CLOCKS` of the clock on which each arm's budget is counted."""
    return dataset.coords.get(BUDGET_CLOCK, DataArray(0)).reset_coords(drop=True)


def common_clock(dataset: Dataset) -> str:
    """The clock on which all budgets are counted; cost where they are counted on several."""
    own = own_clocks(dataset)
    clocks = [clock for number, clock in enumerate(CLOCKS) if (own == number).any()]
    return clocks[0] if len(clocks) == 1 else "cost"


def counted(dataset: Dataset) -> DataArray:
    """What the clock of its own budget shows at each state; of cost, at the lowest price."""
    return labelled(numbers_counted(dataset), dataset["status"])


def numbers_counted(dataset: Dataset) -> Variable:
    """`counted` without labels."""
    shown = numbers_on(dataset, "cost", lowest=True)
    if BUDGET_CLOCK not in dataset.coords:
        return shown
    own = dataset.variables[BUDGET_CLOCK]
    for number, clock in enumerate(CLOCKS):
        if number and bool((own == number).any()):
            shown = shown.where(own != number, numbers_on(dataset, clock))
    return shown


def limit(dataset: Dataset) -> DataArray:
    """The budget of each arm on its own clock; of cost, at the lowest price.

    A DataArray: it may differ between landscapes.
    """
    price, cost = prices(dataset), dataset["cost"]
    share: DataArray | float = 1.0
    if "checkpoint" in dataset.coords:  # a study's own checkpoints may end before the budget
        share = dataset["checkpoint"].where(cost.notnull()).max("checkpoint")
    of_cost = cost.max("checkpoint") / share * price.low / price.value
    if BUDGET_TIME not in dataset.coords:
        return of_cost
    own = own_clocks(dataset)
    return of_cost.where(own == 0, dataset[BUDGET_TIME].reset_coords(drop=True))


def budget(dataset: Dataset, clock: str = "cost") -> DataArray:
    """The budget of each arm on a clock; of cost, at the lowest price.

    Of an arm whose budget is counted on another clock the most that any of its worlds shows at its end.

    Args:
        dataset: a study's results.
        clock: of `CLOCKS`.

    Raises:
        ValueError: there is no such clock, or it was not recorded.
    """
    check_clock(clock)
    own, number = own_clocks(dataset), list(CLOCKS).index(clock)
    if bool((own == number).all()):
        return limit(dataset)
    end = dataset.isel(checkpoint=-1, drop=True)
    most = shown_on(end, clock, lowest=True).max("replicate")
    if bool((own == number).any()):
        most = most.where(own != number, limit(dataset))
    return most.where(most > 0, 0.0) if clock == "cost" else most
