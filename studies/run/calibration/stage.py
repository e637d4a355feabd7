"""A stage: parameters found before the comparison begins, in worlds that it never sees.

Which worlds are whose stands in `landscapes.addresses`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from studies.cells.task import Cell
from studies.study_file.study import Study

if TYPE_CHECKING:
    from rich.table import Table


class Stage(ABC):
    """What `tuning:` and `match:` have in common.

    Its cells are ordinary ones in the study's folder, found again by their addresses; so a run that was
    stopped goes on.

    Args:
        study: as it is given, or as the stage before leaves it.
        out: its folder.
    """

    name: ClassVar[str]  # what its cells are called

    def __init__(self, study: Study, out: Path) -> None:
        self.given, self.out = study, out
        self.results: list[dict[str, Any]] | None = None  # one for each arm, once all cells are there

    @abstractmethod
    def there(self) -> int:
        """How many of its cells are finished, as far as that is known before."""

    @abstractmethod
    def rounds(self) -> Iterator[list[Cell]]:
        """Cells to compute, one list after another, each once those before are there; none when all are."""

    @abstractmethod
    def ahead(self) -> list[Cell]:
        """All cells that may still have to be computed."""

    @abstractmethod
    def study(self) -> Study:
        """The study with the values that were found, once the rounds have ended."""

    @abstractmethod
    def lines(self) -> list[str]:
        """What the user should know: of what was found, or, while cells are missing, of what would be run."""

    @abstractmethod
    def table(self) -> Table | None:
        """What was found, a row for each arm; None while cells are missing."""

    def complete(self) -> bool:
        """Whether no cell is missing."""
        return next(self.rounds(), None) is None
