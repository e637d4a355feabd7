"""The words of a study's Dataset: statuses, dims, variables with long name and unit, tolerances.

Nothing of ours is imported here, so that all rooms may use it. It belongs to the code that a cell's address
digests: what only an analysis says of its numbers stands there, not here.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np


class Status(IntEnum):
    """What a world does at a checkpoint, as the variable `status` (int8) says it.

    From `FAILED` on there are no numbers: a Dataset has NaN and 0 there. A cell's file has none of them.
    `ABSENT`: the study does not ask for the arm (`only`).
    In `where` of an array take `int(Status.X)`: a member of an IntEnum would widen int8 to int64.
    """

    RUNNING = 0
    HIT_TARGET = 1
    BUDGET_SPENT = 2
    DIVERGED = 3
    FAILED = 4
    MISSING = 5
    ABSENT = 6


STATUS = tuple(status.name.lower() for status in Status)  # `flag_meanings` of a Dataset
STATUS_OF_CELLS = STATUS[: Status.FAILED]  # of a cell's file

# dims -------------------------------------------------------------------------------------------------------

GRID = ("landscape", "optimizer")  # the first dims of every study; swept axes follow
RECORDS = ("replicate", "checkpoint")  # of what is recorded along a run
HITS = ("replicate", "target")
DIMS = (*GRID, *RECORDS, "target")  # all but swept axes, and what instruments add
LEDGER_DIMS = (
    *("moment", "source", "direction", "reference", "half", "mode", "force"),
    "error_quantile",
)
MEMBERS = "members"  # attribute of a recorded array: the names of its numbers, in order
PLACES = "_index"  # end of the name of a dim along which the numbers of a recorded array lie
TIMING_DIMS = ("timing_clock", "timing_repeat")
SEEN = "seen"  # the worlds of which there are pictures
PICTURE_DIMS = (SEEN, "frame", "individual", "plane", "row", "column", "end")

# tolerances -------------------------------------------------------------------------------------------------

ROUNDING = 1e-12  # relative: costs that differ by less are equal, as in the oracle's bill
SPENT = 1e-8  # relative: fractions of the budget have nine digits
WHOLE = 1e-9  # relative: by less a cost may miss a whole evaluation, or the end of a run

# variables --------------------------------------------------------------------------------------------------

LOSS = "loss"  # the unit of every loss
EVALUATIONS = "evaluations"  # the unit of every cost
LENGTH, SQUARED = "length of x", "squared length of x"
BEND = "loss per squared length of x"
ALONG = "loss; squared length of x for the references selection and mean_fitness"
REFERENCE = "(loss per length of x) squared; squared length of x for selection and mean_fitness"
RATE = "squared length of x per loss; 1 for selection and mean_fitness"


class Variable(NamedTuple):
    """What an array of a Dataset holds."""

    long_name: str
    units: str | None = None  # None: it counts or names something
    dims: tuple[str, ...] = ()  # behind those that all of its table have

    @property
    def attrs(self) -> dict[str, str]:
        """As the array's attributes."""
        return {"long_name": self.long_name} | ({} if self.units is None else {"units": self.units})


def status_attrs(words: tuple[str, ...] = STATUS) -> dict[str, Any]:
    """The attributes of `status`, which may take the first values of `Status` with these words."""
    values = np.arange(len(words), dtype=np.int8)
    return {"long_name": "what the world does", "flag_values": values, "flag_meanings": " ".join(words)}


VIRTUAL = "virtual_time"  # the clock that some optimizers tell, and the variable that shows it
SECONDS = "seconds"  # the clock that passes, and the variable that shows it
CLOCKS = {  # on which the length of a run is counted, `landscapes.oracle.bill.CLOCKS`
    "cost": Variable("cost", EVALUATIONS),
    "steps": Variable("completed steps", "steps"),
    "epochs": Variable("terms evaluated so far, values and gradients alike, over all terms", "epochs"),
    VIRTUAL: Variable("virtual time", "virtual time"),
    SECONDS: Variable("time that the steps of the worlds of a cell took together so far", "s"),
}
RECORDED = {  # behind RECORDS
    "loss": Variable("true loss of the recommended point", LOSS),
    "best_loss": Variable(
        "true loss of the point with the lowest observed value; NaN before the first step", LOSS
    ),
    "observed": Variable("lowest value observed so far; NaN before the first step", LOSS),
    "population_loss": Variable(
        "mean of the values observed in the last step, by share of the population; NaN before the first step",
        LOSS,
    ),
    "diversity": Variable(
        "rms distance of the points asked to their mean (heterozygosity on bits); NaN before the first step",
        LENGTH,
    ),
    "step_length": Variable(
        "distance that the center moved in the last step; NaN before the first step", LENGTH
    ),
    "epochs": CLOCKS["epochs"],
    SECONDS: CLOCKS[SECONDS],
}


def hit_variables(clock: str, whose: str) -> tuple[Variable, Variable]:
    """What first hits on a clock are, and the states looked at before them.

    Args:
        clock: of `CLOCKS`.
        whose: point reaches the targets.
    """
    words, units = clock.replace("_", " "), CLOCKS[clock].units
    reached = f"{words} of the first state looked at whose {whose} reaches the target; inf: never"
    before = (
        f"{words} of the state looked at before that, which did not reach it; equal to that of the hit where"
        " no state lies between; inf: never"
    )
    return Variable(reached, units), Variable(before, units)


COUNTED = {  # behind RECORDS, whole numbers
    "value_terms": Variable("term-evaluations of values so far", "terms"),
    "gradient_terms": Variable("term-evaluations of gradients so far", "terms"),
    "steps": CLOCKS["steps"],
}
START_LOSS = Variable(
    "true loss of the common start: the first point of every optimizer's starts, before the first step",
    LOSS,
)
TARGET_LEVEL = Variable("true loss that reaches the target", LOSS)
TARGET_UNITS = (
    LOSS,
    "of the gap at the start",
)  # of targets that are losses, and of those that are relative

LEDGER = {  # behind replicate, moment
    "moment_cost": Variable("cost at which the state was frozen", EVALUATIONS),
    "moment_steps": Variable("steps completed by then", "steps"),
    "sample_size": Variable("terms in a mini-batch where gradients are asked, else points asked", "1"),
    "step_variance": Variable("variance of the step", SQUARED, ("direction",)),
    "step_variance_first": Variable(
        "variance of the step's expectation given this source alone", SQUARED, ("direction", "source")
    ),
    "step_variance_total": Variable(
        "variance of the step left when all other sources are known", SQUARED, ("direction", "source")
    ),
    "mean_step_squared": Variable(
        "squared length of the mean step, its noise taken off; may be negative", SQUARED
    ),
    "mean_step_along": Variable(
        "mean step times the negative reference, each factor from another arm",
        ALONG,
        ("reference", "half"),
    ),
    "reference_squared": Variable(
        "squared length of the reference, its noise taken off", REFERENCE, ("reference",)
    ),
    "reference_trace": Variable(
        "trace of what the reference multiplies the gradient by", "1", ("reference",)
    ),
    "nominal_rate": Variable(
        "factor that a step is meant to have to the negative reference; NaN: it is meant to have none",
        RATE,
        ("reference",),
    ),
    "noise_eigenvalue": Variable("largest eigenvalues of the step's covariance", SQUARED, ("mode",)),
    "noise_trace": Variable("sum of all eigenvalues of the step's covariance", SQUARED),
    "noise_rank": Variable("effective rank of the step's covariance, (tr S)^2 / tr S^2", "1"),
    "noise_kurtosis": Variable(
        "excess kurtosis of the step's coordinates, weighted by their variance", "1"
    ),
    "noise_tail_index": Variable("Hill's tail index of the length of the step's noise", "1"),
    "step_correlation": Variable("correlation of a step's noise with that of the next", "1"),
    "noise_curvature": Variable("curvature along the noise, tr(H S) / tr S", BEND),
    "mean_curvature": Variable("curvature averaged over all directions, tr H / D", BEND),
    "curvature": Variable("eigenvalues of the Hessian of largest size", BEND, ("mode",)),
    "binomial_variance": Variable(
        "sum of p (1 - p) over loci at the expected allele frequencies; NaN on reals", "1"
    ),
}
ERROR_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 1.0)  # labels of the dim error_quantile
AGAINST = {  # behind replicate, moment, where the ledger holds steps against those of other settings
    "against_squared": Variable("mean squared length of the step with the other settings", SQUARED),
    "against_step_squared": Variable("mean squared length of the step", SQUARED),
    "against_cosine": Variable(
        "mean cosine of the step and that with the other settings; NaN where all of either are 0", "1"
    ),
    "against_error_squared": Variable(
        "mean squared length of the error, the step less that with the other settings", SQUARED
    ),
    "against_bias_squared": Variable(
        "squared length of the mean error, its noise taken off; may be negative", SQUARED
    ),
    "against_error": Variable(
        "quantiles of the error's length over that of the step with the other settings",
        "1",
        ("error_quantile",),
    ),
}
POPULATION = {  # behind replicate, moment
    "heterozygosity": Variable("heterozygosity, mean of 2 p (1 - p) over loci; NaN on reals", "1"),
    "linkage_disequilibrium": Variable("mean r^2 over pairs of polymorphic loci; NaN on reals", "1"),
    "fixed_loci": Variable("share of loci with one allele alone; NaN on reals", "1"),
    "loss_variance": Variable("variance of the true loss over individuals", "squared loss"),
    "genotypes": Variable("different individuals", "1"),
    "price": Variable("change of the population's mean true loss in a step", LOSS, ("force",)),
}
COMPILED = "compiled"  # attribute of a cell: from when its steps were one graph, or why they were not
TIMED_ON = "timed_on"  # attribute: of a cell the device, of a Dataset all of them, as JSON
TIMING_CLOCKS = ("wall", "processor")  # labels of the dim timing_clock
TIMING = {  # behind replicate
    "timing_seconds": Variable(
        "time of a step of this world alone; NaN: it was not timed",
        "s",
        ("timing_clock", "timing_repeat"),
    ),
    "timing_memory": Variable(
        "most bytes that the first step of this world alone held beside what was there before", "B"
    ),
}
PICTURE = {  # behind replicate in a cell, SEEN in a Dataset
    "picture_center": Variable("center of the search on the plane", LENGTH, ("frame", "plane")),
    "picture_point": Variable(
        "points asked in the last step, on the plane", LENGTH, ("frame", "individual", "plane")
    ),
    "picture_loss": Variable(
        "loss on the plane, rows along its second direction", LOSS, ("row", "column")
    ),
    "picture_extent": Variable("where the plane begins and ends", LENGTH, ("plane", "end")),
    "picture_cost": Variable("cost so far", EVALUATIONS, ("frame",)),
    "picture_kept": Variable("share of the trail's variance that lies in the plane", "1"),
}
OF_CELLS = {  # attributes of cells that become coordinates
    "on_bits": Variable(
        "1 where genotypes were asked, so that diversity is heterozygosity, 0 where real numbers were",
        "1",
    ),
    "gap_known": Variable(
        "1 where loss is the gap to the optimum, 0 where the optimum is not known", "1"
    ),
    "spacing": Variable(
        "all differences of two losses are multiples of it where values are discrete, else 0", LOSS
    ),
    "terms": Variable("terms of which the loss is the mean", "terms"),
}
COORDINATES = {
    "replicate": Variable("world"),
    "checkpoint": Variable("fraction of the budget", "1"),
    "cost": Variable("cost", EVALUATIONS),
    "target": Variable("number of the target"),
    "target_loss": Variable("target", LOSS),
    "instance": Variable("instance of the landscape; worlds of one number share it"),
    "cell": Variable("first world of its cell; worlds of one number share its seconds"),
}
PLACE = Variable("place in the array")  # of dims that end with PLACES
