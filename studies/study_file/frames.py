"""What an arm has beside its landscape and its optimizer: the same for many arms of a study."""

from __future__ import annotations

from studies.cells.clocks import clocks_of
from studies.study_file import fits, start
from studies.study_file.arm import OptimizerOf
from studies.study_file.document import Path
from studies.study_file.grounds import Ground
from studies.study_file.scalars import scalars_of
from studies.text.shapes import Data

OWN = ("budget", "targets", "checkpoints", "start")  # of an optimizer, in place of the study's


def manner(optimizer: OptimizerOf) -> str:
    """What a frame depends on of an optimizer; empty: on the whole of it, as it has something of its own."""
    if any(getattr(optimizer.model, key) is not None for key in OWN):
        return ""
    made = optimizer.made
    domains = [domain.__name__ for domain in made.domains]
    return repr((bool(made.batches), clocks_of(made), domains, optimizer.model.relaxation))


def frame_of(ground: Ground, optimizer: OptimizerOf, path: Path) -> Data:
    """The fields of an arm that many others have too.

    Args:
        ground: the landscape, with what the study says of it.
        optimizer: the entry.
        path: of the entry.

    Raises:
        ValueError: the optimizer has not the clock of the budget.
    """
    assert ground.oracle is not None
    made = ground.landscape.made
    scalars = scalars_of(ground.study, ground, optimizer.model)
    if scalars["clock"] not in clocks_of(optimizer.made):
        raise ValueError(
            f"budget: {optimizer.kind} has no {scalars['clock'].replace('_', ' ')}; expected a budget of"
            f" {' or '.join(clocks_of(optimizer.made))}"
        )
    given = ((path, optimizer.model), (("landscapes", ground.label), ground.landscape.model))
    searched = type(made.domain) in optimizer.made.domains
    return {
        "relaxation": None if searched else optimizer.model.relaxation,
        "noise": fits.off_where_on(ground.noise, made, optimizer.made),
        "oracle": ground.oracle,
        "scalars": scalars | {"start": start.of_arm(given, made, ground.label)},
    }
