"""A law: what theory predicts beside a quantity of the results, at each value of an axis.

    noise falls as 1/B:
      kind: law
      optimizer: SGD
      observe: mean(loss, since=0.5)
      along: B
      predicted: dim * learning_rate * noise_scale**2 / (2 * B * (2 - learning_rate))
      control: dim * learning_rate * noise_scale**2 / (B * (2 - learning_rate))
      regime: {learning_rate: [0, 0.5]}

What is observed is any quantity (`studies.analysis.quantities`), what is predicted a formula of the numbers
with which the arm ran, a law of `studies.theory`, or of other quantities (`loss(start) / 2`): then the error
is that of the whole difference, in the same worlds; where it is fitted (`fitted(a + b * n, q, n, 4, 256)`) at
values of the axis, it is judged at the others. It holds where the interval of observed - predicted lies
within the tolerance and every wrong law is rejected by the same test; `studies.claims.gate` has the rule.

A wrong law is another formula, or a place where the law is wrong, {landscape: .., optimizer: .., AXIS: ..}:
there, observed must lie outside the tolerance.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from pydantic import AllowInfNan
from xarray import Dataset

from studies.analysis.quantities import constants, fits
from studies.analysis.quantities.grammar import parsed
from studies.analysis.quantities.leaves import names
from studies.claims import following
from studies.claims.about import Arm, Quantities, arms_of, at_arms
from studies.claims.asked import Asked, ask, is_quantity, judged, less, of_these_worlds
from studies.claims.base import (
    Claim,
    Judgement,
    Place,
    Tolerance,
    Unjudged,
    Within,
    at_each,
    axes_of,
    chosen,
    finished,
    nothing_random,
    of_axes,
    single,
    tolerance,
)
from studies.claims.judging import judgement
from studies.claims.measured import Law, Measured, Relation, Rival
from studies.claims.names import numbers_at, value_at
from studies.text.shapes import Data
from studies.text.words import joined, suggest

Formula = Annotated[float, AllowInfNan()] | str
Elsewhere = dict[str, float | str]
OF_ZERO = "a relative tolerance around 0 is none; give tolerance: {absolute: ..}"
Control = Formula | Elsewhere
STEPS = "steps"  # along which a law may be judged as along an axis


@dataclass(frozen=True, kw_only=True)
class LawClaim(Claim):
    """A quantity is what a law predicts, or bounded by it.

    Args:
        landscape: label, or a list; null: every landscape.
        at: swept axis -> the value at which it is judged; an axis that is not named: at each of its values.
        regime: swept axis, or number of the settings -> [low, high], where the law is said to be valid; what
            is outside is reported apart and does not count.
        optimizer: label, or a list; null: every optimizer, or those that the quantity names.
        observe: a quantity, such as mean(loss, since=0.5).
        predicted: a number (.inf: never), a formula of the arm's numbers, theory:NAME, or of quantities.
        relation: of the observed to the predicted, = <= or >=.
        along: swept axis of the law's curve, at each value of which it is judged; or a number of the arms
            that follows one, such as a clip that the axis sets, by whose values its places are called; or
            steps: at each checkpoint, where a quantity without a moment is that of the checkpoint.
        tolerance: relative, >= 0; or {relative: .., absolute: ..}, of which the wider one counts. A law of
            an extreme, max(x) or min(x) over worlds, is one of these worlds alone: {absolute: ..}.
        control: a wrong law, likewise, or {landscape: .., optimizer: .., AXIS: value}, a place at which the
            law is wrong, or a list; all must be rejected. null: twice the predicted (1 where that is 0, 0
            where it is inf), of a bound its reverse.
    """

    kind: ClassVar[str] = "law"
    landscape: str | list[str] | None = None  # type: ignore[assignment]
    optimizer: str | list[str] | None = None
    observe: str
    predicted: Formula
    relation: Relation = "="
    along: str | None = None
    tolerance: Tolerance = 0.05
    control: Control | list[Control] | None = None

    def __post_init__(self) -> None:
        within = self.within
        self._check_extremes(within)
        self.require(
            self.along not in self.at, "at", f"expected no value of {self.along}, which is along"
        )
        bound = self.relation != "=" and isinstance(self.predicted, float | int)
        infinite = bound and math.isinf(self.predicted)  # type: ignore[arg-type]
        self.require(not infinite, "predicted", "expected a finite number for a bound, got inf")
        for control in self.controls():
            self._check(control, within)

    def _check_extremes(self, within: Within) -> None:
        """An extreme of worlds has no error: a law of it is an exact one, of these worlds alone."""
        word = next(filter(None, map(of_these_worlds, [self.observe, *self.formulas()])), "")
        self.require(
            not word or within.relative == 0,
            "tolerance",
            f"expected an absolute one, {{absolute: ..}}, as {word}(..) over worlds has no standard error and"
            " the law is one of these worlds alone; quantile(.., 0.9) and median(..) have one",
        )

    def _check(self, control: Control, within: Within) -> None:
        """A wrong law that is a number must be further from the right one than the tolerance."""
        if isinstance(control, str | Mapping) or isinstance(self.predicted, str):
            return
        self.require(
            _apart(control, self.predicted, within),
            "control",
            f"expected further from the predicted than the tolerance, {self.tolerance}, got {control:g}",
        )

    def controls(self) -> list[Control]:
        """The wrong laws."""
        if self.control is None:
            return []
        return list(self.control) if isinstance(self.control, list) else [self.control]

    def formulas(self) -> list[str]:
        """What is predicted, rightly or wrongly, and is no number."""
        return [text for text in (self.predicted, *self.controls()) if isinstance(text, str)]

    @property
    def within(self) -> Within:
        """The tolerance as it counts."""
        return tolerance(self, self.tolerance, "relative")

    def labels(self) -> list[str]:
        """The optimizers that it is about; none: all."""
        return _listed(self.optimizer)

    def judge(self, dataset: Dataset) -> Sequence[Judgement]:
        """One verdict for each place."""
        axes, of_setting = axes_of(dataset), self.along in constants.names(dataset)
        if self.along not in (None, STEPS, *axes) and not of_setting:
            hint = suggest(str(self.along), axes) if axes else "this study sweeps nothing"
            raise ValueError(f"law.along: unknown axis {self.along!r}; {hint}")
        data = self._restricted(judged(dataset))
        if self.along in (None, *axes):
            return self._judged(data)
        if self.along != STEPS:
            return following.along(self._judged(data), str(self.along), axes)
        moments = (data.isel(checkpoint=[place]) for place in range(data.sizes["checkpoint"]))
        rows = (row for moment in moments for row in self._judged(moment))
        return list({repr(row.where): row for row in rows}.values())  # once where a run has ended

    def _judged(self, data: Dataset) -> list[Judgement]:
        """The verdicts at all places of these results."""
        compared = Compared(data, self)
        return at_each(self, compared.places(), compared.judge)  # type: ignore[arg-type]

    def _restricted(self, dataset: Dataset) -> Dataset:
        """The values in the regime, of axes along which the quantity itself goes, such as exponent(q, B)."""
        axes = self.regime.keys() & set(axes_of(dataset))
        for axis in axes - ask(dataset, self.observe).dims if axes else ():
            low, high = self.regime[axis]
            values = dataset[axis].values
            dataset = dataset.isel({axis: (low <= values) & (values <= high)})
        return dataset


@dataclass(frozen=True)
class Compared:
    """A law while it is judged.

    Args:
        dataset: the results.
        claim: the law.
    """

    dataset: Dataset
    claim: LawClaim

    @functools.cached_property
    def observed(self) -> Asked:
        """What is observed, of all arms."""
        return ask(self.dataset, self.claim.observe)

    @functools.cached_property
    def together(self) -> Quantities:
        """All that is asked for: observed, predicted, and the wrong laws."""
        recorded, numbers = names(self.dataset), constants.names(self.dataset)
        formulas = [text for text in self.claim.formulas() if is_quantity(text, recorded, numbers)]
        return Quantities([self.observed, *(ask(self.dataset, text) for text in formulas)])

    def places(self) -> Iterator[Place]:
        """Every landscape, optimizer and value of the axes that the quantities leave open."""
        if self.observed.certain:
            raise ValueError(
                f"law.observe: expected a quantity, such as mean(loss), got {self.claim.observe!r}"
            )
        keep = [axis for axis in axes_of(self.dataset) if axis not in self.together.dims]
        every = {key: list(map(str, self.dataset[key].values)) for key in Arm._fields}
        for arms in self.together.arms(_listed(self.claim.landscape), self.claim.labels(), every):
            for place in of_axes(at_arms(self.dataset, arms), self.claim, keep):
                where = place.where | single(place.data, "optimizer") | self._moment(place.data)
                yield place._replace(where=where | self._setting(place))

    def _moment(self, data: Dataset) -> Data:
        """The steps of the checkpoint at which a law along them is judged."""
        return {STEPS: float(data[STEPS].median())} if self.claim.along == STEPS else {}

    def _setting(self, place: Place) -> Data:
        """The number of a place by which it is called, where a law along it is judged."""
        name = self.claim.along
        if name in (None, STEPS, *axes_of(self.dataset)):
            return {}
        return {key: value for key, value in numbers_at(place).items() if key == name}

    def judge(self, place: Place) -> Judgement:
        """The verdict at a place."""
        law, measured = self._seen(place, self.claim.predicted)
        controls = self.claim.controls()
        if controls or self.claim.relation != "=":
            law = _with_control(law, math.nan)
        rivals = [self._rival(place, control) for control in controls]
        if rivals:
            law = _with_control(law, rivals[0].law.predicted)
        row = judgement(
            self.claim.kind,
            law,
            measured,
            rivals=rivals,
            relation=self.claim.relation,
            where=place.where,
            in_regime=self._inside(place),
            quantity=self.claim.observe,
            note=self._note(place, controls, rivals),
        )
        return self._of_zero(row)

    def _of_zero(self, row: Judgement) -> Judgement:
        """A relative tolerance leaves nothing around 0, which is said where the law does not hold."""
        if row.verdict == "holds" or row.predicted != 0 or self.claim.within.absolute > 0:
            return row
        return row._replace(note="; ".join(filter(None, [row.note, OF_ZERO])))

    def _seen(self, place: Place, formula: Formula) -> tuple[Law, Measured]:
        """What a formula predicts at a place, and what is observed there."""
        finished(place.data)  # raises where no world has
        exact = nothing_random(place.data)
        if isinstance(formula, str) and is_quantity(formula, names(self.dataset), numbers_at(place)):
            asked, difference = self._beside(formula)
            value = asked.number(place)
            measured = difference.measured(place, exact=exact).moved(value)
        else:
            value = value_at(formula, place)
            measured = self.observed.measured(place, exact=exact)
        return self._law(value), measured

    def _beside(self, formula: str) -> tuple[Asked, Asked]:
        """A prediction that is a quantity, and observed - predicted; read once for all places."""
        if formula not in self._read:
            asked = ask(self.dataset, formula)
            self._read[formula] = asked, less(self.observed, asked)
        return self._read[formula]

    @functools.cached_property
    def _read(self) -> dict[str, tuple[Asked, Asked]]:
        return {}

    def _law(self, value: float) -> Law:
        within = self.claim.within
        return Law(
            predicted=value,
            control=_wrong(value),
            tolerance=within.relative,
            absolute=within.absolute,
            relation=self.claim.relation,
        )

    def _rival(self, place: Place, control: Control) -> Rival:
        """A wrong law, with what is observed beside it."""
        if not isinstance(control, Mapping):
            return Rival(*self._seen(place, control))
        return Rival(*self._seen(self._elsewhere(place, control), self.claim.predicted))

    def _elsewhere(self, place: Place, control: Elsewhere) -> Place:
        """The place at which the law is wrong."""
        labels = {key: str(control[key]) for key in Arm._fields if key in control}
        arms = [arm._replace(**labels) for arm in arms_of(place.data)]
        data = at_arms(self.dataset, list(dict.fromkeys(arms)))
        axes = [axis for axis in axes_of(self.dataset) if place.data[axis].size == 1]
        here = {axis: place.data[axis].item() for axis in axes}
        here |= {axis: value for axis, value in control.items() if axis not in labels}
        return Place(place.where | control, chosen(data, here).load())

    def _inside(self, place: Place) -> bool:
        """Whether the place is in the regime: by its axes, or the numbers that ran there."""
        numbers = numbers_at(place)
        along = {axis for axis in axes_of(self.dataset) if axis not in self.observed.dims}
        for name, (low, high) in self.claim.regime.items():
            if name in along:
                continue
            if name not in numbers:
                raise Unjudged(f"regime.{name}: it has no number there")
            if not low <= numbers[name] <= high:
                return False
        return not self._fitted_at(place)

    def _fitted_at(self, place: Place) -> bool:
        """Whether what is predicted was fitted to what is observed there."""
        text = self.claim.predicted
        held = fits.values(parsed(text)) if isinstance(text, str) and fits.CALLED in text else {}
        here = numbers_at(place)
        return any(axis in self.observed.dims and here.get(axis) in held[axis] for axis in held)

    def _note(self, place: Place, controls: Sequence[Control], rivals: Sequence[Rival]) -> str:
        """What was seen where the law is said to be wrong."""
        parts = ["of these worlds alone"] if self.observed.extreme else []
        parts += ["the law is fitted here"] if self._fitted_at(place) else []
        parts += dict.fromkeys(filter(None, (each.met(place) for each in self.together.asked)))
        parts += [
            f"at {joined(control.items())} the law predicts {law.predicted:.4g}, {measured.value:.4g} is seen"
            for control, (law, measured) in zip(controls, rivals, strict=True)
            if isinstance(control, Mapping)
        ]
        return "; ".join(parts)


def _listed(labels: str | list[str] | None) -> list[str]:
    if labels is None:
        return []
    return [labels] if isinstance(labels, str) else list(labels)


def _apart(control: float, predicted: float, within: Within) -> bool:
    """Whether a wrong law is further from the right one than the tolerance; of inf, whether it is another."""
    if math.isinf(control) or math.isinf(predicted):
        return control != predicted
    return abs(control - predicted) > within.around(control, predicted)


def _with_control(law: Law, control: float) -> Law:
    return replace(law, control=control)


def _wrong(value: float) -> float:
    """What a wrong law predicts where none is given: twice as much, instead of inf 0, instead of 0 one."""
    if math.isinf(value):
        return 0.0
    return 2 * value or 1.0
