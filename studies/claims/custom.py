"""A claim of the user's own: a function by its import path.

It is called with the study's results and the parameters that the study gives it.

    # my_claims.py
    from studies.claims import Law, Measured, judgement

    def check(dataset, optimizer, mean):
        final = dataset["loss"].sel(optimizer=optimizer).isel(checkpoint=-1)
        error = float(final.std() / final.size**0.5)
        measured = Measured(float(final.mean()), error, final.size, final.size)
        law = Law(predicted=mean, control=2 * mean, tolerance=0.1)
        return judgement(
            "custom", law, measured, where={"optimizer": optimizer}, quantity="mean loss", in_regime=True
        )

It gives a `Judgement`, or a list of them. Whatever error it raises is told in one line, and its verdict is
undecided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from xarray import Dataset

from studies.claims.base import Claim, Judgement, axes_of, chosen
from studies.text.formulas import function_at
from studies.text.shapes import Data


@dataclass(frozen=True, kw_only=True)
class Custom(Claim):
    """A claim that a function of the user's judges.

    Args:
        landscape: label; null: every landscape. Others are not shown to the function.
        at: swept axis -> value; other values are not shown to the function.
        regime: not used; the function says what is in the regime.
        function: import path "module:function", called with the results and the parameters; it returns a
            Judgement or a list of them, see `help(studies.claims.custom)`.
        parameters: name -> value.
    """

    kind: ClassVar[str] = "custom"
    function: str
    parameters: Data = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.require(
            not self.regime, "regime", "expected none; the function says what is in the regime"
        )

    def judge(self, dataset: Dataset) -> Sequence[Judgement]:
        """What the function says."""
        function, data = function_at(self.function), self._shown(dataset)
        judged = function(data, **self.parameters)
        rows = (
            judged
            if isinstance(judged, list | tuple) and not isinstance(judged, Judgement)
            else [judged]
        )
        strange = [type(row).__name__ for row in rows if not isinstance(row, Judgement)]
        if strange or not rows:
            got = strange[0] if strange else "none"
            raise ValueError(f"expected a Judgement or a list of them from {self.function}, got {got}")
        return rows

    def _shown(self, dataset: Dataset) -> Dataset:
        """The results on its landscape, at its values of the axes."""
        if self.landscape is not None:
            dataset = dataset.sel(landscape=[self.landscape])
        return chosen(dataset, {axis: self.at[axis] for axis in axes_of(dataset) if axis in self.at})
