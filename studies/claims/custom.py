"""A claim of the user's own: a function by its import path, of the study's results and the parameters that the study gives it.

    # my_claims.py
    from studies.claims import Law, Measured, judgement

    def check(dataset, optimizer, at_most):
        final = dataset["loss"].sel(optimizer=optimizer).isel(checkpoint=-1)
        measured = Measured(float(final.mean()), float(final.std() / final.size**0.5), final.size, final.size)
        law = Law(predicted=at_most, control=2 * at_most, tolerance=0.1)
        return judgement("custom", law, measured, where={"optimizer": optimizer}, quantity="mean loss", in_regime=True)

It gives a `Judgement`, or a list of them. Whatever error it raises is told in one line, and its verdict is undecided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import xarray as xr

from studies.claims.base import Claim, Judgement, axes_of, check, chosen
from studies.text.formulas import function_at


@dataclass(frozen=True, kw_only=True)
class Custom(Claim):
    """A claim that a function of the user's judges.

    Args:
        landscape: label; null: every landscape. Others are not shown to the function.
        at: swept axis -> value; other values are not shown to the function.
        regime: not used; the function says what is in the regime.
        function: import path "module:function", called with the results and the parameters.
        parameters: name -> value.
    """

    function: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check(not self.regime, "custom", "regime", "expected none; the function says what is in the regime")

    def judge(self, dataset: xr.Dataset) -> Sequence[Judgement]:
        """What the function says."""
        data = dataset if self.landscape is None else dataset.sel(landscape=[self.landscape])
        found = function_at(self.function)(
            chosen(data, {axis: v for axis, v in self.at.items() if axis in axes_of(data)}), **self.parameters
        )
        rows = [found] if isinstance(found, Judgement) else list(found)
        strange = next((row for row in rows if not isinstance(row, Judgement)), None)
        if strange is not None or not rows:
            raise ValueError(
                f"expected a Judgement or a list of them from {self.function}, got"
                f" {type(strange).__name__ if rows else 'none'}"
            )
        return rows
