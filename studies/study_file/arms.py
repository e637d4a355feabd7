"""Every arm of a study, resolved and checked.

One landscape, one optimizer (or variant of it), one value of each swept axis.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from landscapes.base import Landscape
from studies import registry
from studies.cells.clocks import clocks_of
from studies.study_file import fields, fits, only, sections, start
from studies.study_file.arm import Arm, Entry, LandscapeOf, OptimizerOf
from studies.study_file.axes import Axis, Setting, set_path, taken_out
from studies.study_file.budgets import with_steps
from studies.study_file.checkpoints import unplaced
from studies.study_file.document import Mistake, Mistaken, Path, mapping, moved
from studies.study_file.draft import Draft
from studies.study_file.errors import mistakes_in, of_class
from studies.study_file.fits import of
from studies.study_file.formulas import Names, Texts, names_of_let, number, numbers
from studies.study_file.grounds import Ground, Site
from studies.study_file.model import DEFAULT, StudyModel
from studies.study_file.scalars import scalars_of
from studies.study_file.template import Template
from studies.study_file.values import Formula
from studies.study_file.variants import Variant, Where, variants
from studies.study_file.written import Written, from_formula
from studies.text.formulas import names_in
from studies.text.shapes import Data
from studies.text.words import short


@dataclass(frozen=True)
class At:
    """A combination of the swept values.

    Args:
        coords: axis -> its value.
        where: where in the study the values stand, which are elsewhere in its data.
    """

    coords: dict[str, Any]
    where: Where

    def of(self, variant: Variant) -> At:
        """The same with the values that a variant has by its grid, or on a landscape."""
        return At(self.coords, {**self.where, **variant.where})

    def source(self, path: Path) -> Path | None:
        """Where in the study a value stands that is at this path of the data; None: there."""
        places = (moved(path, elsewhere, source) for elsewhere, source in self.where.items())
        return next(filter(None, places), None)


@dataclass(frozen=True)
class Point:
    """A study at one combination of the swept values, as data and typed."""

    at: At
    data: dict[str, Any]
    study: StudyModel

    @property
    def around(self) -> Names:
        """What every formula may use here: the axes, and the names of `let`."""
        return {**names_of_let(self.data), **numbers(self.at.coords)}


class Resolver:
    """Finds the arms of one study, and the mistakes on the way.

    Args:
        draft: the study; its list of mistakes grows.
        axes: what is swept.
    """

    def __init__(self, draft: Draft, axes: Sequence[Axis]) -> None:
        self.draft, self.axes = draft, axes
        self._budgeted = not any(wrong.path[:1] == ("budget",) for wrong in draft.mistakes)
        self._entries: dict[str, Entry | list[Mistake]] = {}
        self._texts: dict[str, Texts] = {}
        self._noted: set[Mistake] = set()
        unread = {*mapping(draft.data.get("sweep"))} - {axis.name for axis in axes}
        self._unread = [f"unknown name {name!r}" for name in unread]  # for a reason that is told there

    def arms(self, also: Sequence[Setting] = ()) -> list[Arm]:
        """All arms: for each combination of the swept values, each landscape, each optimizer.

        Args:
            also: values that are set too.
        """
        return [arm for point in self._points(also) for arm in self._arms_at(point)]

    # combinations of the swept values -----------------------------------------------------------------------

    def _points(self, also: Sequence[Setting]) -> Iterator[Point]:
        usable = [[*self._usable(axis)] for axis in self.axes]
        for combination in itertools.product(*usable):
            chosen = list(zip(self.axes, combination, strict=True))
            coords = {axis.name: axis.coords[i] for axis, i in chosen}
            swept = [setting for axis, i in chosen for setting in axis.settings[i]]
            point = self._point(coords, [*swept, *also])
            if point is not None:
                yield point

    def _usable(self, axis: Axis) -> Iterator[int]:
        """The points of an axis at which the study can be read, with the first of each other axis."""
        firsts = {other.name: other.coords[0] for other in self.axes}
        for i, settings in enumerate(axis.settings):
            if self._point({**firsts, axis.name: axis.coords[i]}, settings, alone=True):
                yield i

    def _point(
        self, coords: dict[str, Any], settings: Sequence[Setting], *, alone: bool = False
    ) -> Point | None:
        """The study with these values set; None and a mistake where that cannot be.

        Args:
            coords: axis -> its value.
            settings: what is set.
            alone: of one axis; a mistake does not tell of the others.
        """
        where: dict[Path, Path] = {setting.path: setting.source for setting in settings}
        at = At({} if alone else coords, where)
        data = {key: copy.deepcopy(part) for key, part in self.draft.data.items() if key != "sweep"}
        try:
            for setting in settings:
                if not taken_out(setting, data):
                    set_path(
                        data, setting.path, _value(setting, {**names_of_let(data), **numbers(coords)})
                    )
            return Point(At(coords, where), data, self.draft.read(data))
        except ValidationError as error:
            self._note_all(mistakes_in(error, self.draft.model, data), At({}, where))
        except Mistaken as error:
            self._note_all(error.mistakes, at)
        except ValueError as error:
            self._note(Mistake(settings[0].source, str(error)), At({}, {}))
        return None

    def _arms_at(self, point: Point) -> Iterator[Arm]:
        landscapes = {label: self._landscape(label, point) for label in point.data["landscapes"]}
        for label, entry in point.data["optimizers"].items():
            for mistake in only.unknown(label, entry, self.draft.labels["landscapes"]):
                self._note(mistake, point.at)
        # with no landscape, the optimizers are still checked
        for label, landscape in (landscapes or {"": None}).items():
            ground = None if landscape is None else self._ground(label, landscape, point)
            for variant in variants(point.data["optimizers"], label):
                at = point.at.of(variant)
                optimizer = self._optimizer(variant, ground, replace(point, at=at))
                if ground is None or optimizer is None:
                    continue
                if (
                    not self._fits(ground, optimizer, variant, replace(point, at=at))
                    or not ground.oracle
                ):
                    continue
                try:
                    template = self._template(variant, ground, point)
                    arm = _arm(ground, optimizer, variant, point, template)
                    yield self._timed(arm, variant, point)
                except Mistaken as error:
                    self._note(error.mistakes[0], at)
                except ValueError as error:
                    self._note(Mistake(variant.path, str(error)), at)

    def _timed(self, arm: Arm, variant: Variant, point: Point) -> Arm:
        """The arm, with what follows from its budget; as it is where a stand-in is its budget.

        Raises:
            ValueError: something does not follow.
        """  # noqa: DOC502
        if not self._budgeted and variant.entry.get("budget") is None:
            return arm
        arm = with_steps(arm)
        _check_checkpoints(arm, variant, point)
        return arm

    # one landscape or optimizer -----------------------------------------------------------------------------

    def _landscape(self, label: str, point: Point) -> LandscapeOf | None:
        return self._entry(self._written(("landscapes", label), point.data["landscapes"][label]), point)

    def _optimizer(self, variant: Variant, ground: Ground | None, point: Point) -> OptimizerOf | None:
        """A variant on a landscape, whose numbers its formulas may use; on none they have no values."""
        entry = self._written(variant.path, variant.entry)
        if ground is None:
            return self._entry(entry._replace(raw=entry.without(self._formulas(entry))), point)
        return self._entry(entry, point, ground.names)

    def _template(self, variant: Variant, ground: Ground, point: Point) -> Template:
        """A variant on a landscape, whose formulas can be resolved again."""
        entry = self._written(variant.path, variant.entry)
        return entry.template(self._formulas(entry), {**point.around, **ground.names})

    def _written(self, path: Path, raw: Data) -> Written:
        return Written(path, raw, self.draft.classes[str(path[0])][raw["kind"]])

    def _formulas(self, entry: Written) -> Texts:
        """Those of an entry, found once."""
        if entry.key not in self._texts:
            self._texts[entry.key] = entry.texts(self.draft.words)
        return self._texts[entry.key]

    def _entry(self, entry: Written, point: Point, names: Names | None = None) -> Entry | None:
        """The object of an entry, made once; None and its mistakes where there is none.

        Args:
            entry: as it is written.
            point: the combination of swept values.
            names: of the landscape and the noise, for its formulas.
        """
        texts = self._formulas(entry)
        try:
            raw = entry.filled(texts, {**point.around, **(names or {})}) if texts else entry.raw
        except Mistaken as error:
            self._note_all(error.mistakes, point.at, entry.path)
            return None
        made = self._made(entry._replace(raw=raw))
        if isinstance(made, Entry):
            return made
        told = [replace(wrong, text=wrong.text + from_formula(texts, wrong.path)) for wrong in made]
        self._note_all(told, point.at, entry.path)
        return None

    def _made(self, entry: Written) -> Entry | list[Mistake]:
        """The object of an entry without formulas, or what is wrong with it; made once."""
        if entry.key not in self._entries:
            self._entries[entry.key] = self._make(entry.family, entry.raw)
        return self._entries[entry.key]

    def _make(self, family: str, raw: dict[str, Any]) -> Entry | list[Mistake]:
        kind = raw["kind"]
        cls = self.draft.classes[family][kind]
        model = fields.entry_model(family, kind, cls)  # type: ignore[arg-type]
        try:
            checked = model.model_validate(raw)
        except ValidationError as error:
            return mistakes_in(error, model, raw)
        parameters = checked.model_dump(include=set(fields.parameter_names(cls)))
        try:
            made = registry.build({"kind": kind, **parameters}, family[:-1])
            if isinstance(made, Landscape):
                _ = made.dim, made.domain, made.terms  # a kind of the user's may raise here
            return Entry(kind, checked, made)
        except ValueError as error:
            return of_class(str(error), cls, raw)

    def _ground(self, label: str, landscape: LandscapeOf, point: Point) -> Ground:
        ground = Site(label, landscape, point.data, point.around).ground(point.study)
        self._note_all(ground.mistakes, point.at)
        self._check_targets(ground, point)
        return ground

    def _check_targets(self, ground: Ground, point: Point) -> None:
        """Fractions of the gap at the start need a gap, and lie below the start."""
        targets = of(ground.study.targets, ground.label, [])
        if not isinstance(targets, sections.TargetsModel) or not targets.relative:
            return
        given = point.study.targets
        label = ground.label if isinstance(given, dict) and ground.label in given else DEFAULT
        head: Path = ("targets", label) if isinstance(given, dict) else ("targets",)
        for place, value in enumerate(targets.values):
            if value >= 1:
                text = f"expected a fraction below 1, since every start has reached {value:g} of its own gap"
                self._note(Mistake((*head, "values", place), text), point.at)
        if targets.best is not None or ground.landscape.made.gap_known:
            return
        swept = self._swept(point.at, lambda path: path[:2] == ("landscapes", ground.label))
        text = (
            f"the optimum of landscape {ground.label!r} is not known{f' {swept}' if swept else ''}, so that"
            " its loss is no gap; give `best`, the best known loss"
        )
        self._note(Mistake((*head, "relative"), text), point.at)

    def _fits(self, ground: Ground, optimizer: OptimizerOf, variant: Variant, point: Point) -> bool:
        """Whether the optimizer can search the landscape; a mistake where it cannot."""
        pair = fits.Pair(variant.path, optimizer, ground.label, ground.landscape, self.draft.optimizers)
        match = point.study.match
        measured = point.study.ledger or (match and variant.label in match.labels)
        if measured and "library" in optimizer.made.sources:
            problem: Mistake | None = pair.mistake(
                f"the noise ledger cannot draw the sources of {optimizer.kind} one by one, since another"
                " library draws them; leave it out, or the ledger or match that asks for it"
            )
        elif measured or point.study.pictures:
            problem = fits.misfit(pair) or fits.unmeasured(pair)
        else:
            problem = fits.misfit(pair)
        if problem is not None:
            self._note(problem, point.at)
        return problem is None

    # mistakes -----------------------------------------------------------------------------------------------

    def _note_all(self, mistakes: Iterable[Mistake], at: At, head: Path = ()) -> None:
        """Keep mistakes whose paths begin at `head`."""
        for mistake in mistakes:
            self._note(replace(mistake, path=(*head, *mistake.path)), at)

    def _note(self, mistake: Mistake, at: At) -> None:
        """Keep a mistake once, at the place in the study where its value stands.

        That is in the sweep or in the grid; or in the entry, then with the swept values that matter.
        """
        source = at.source(mistake.path)
        if source is not None:
            mistake = replace(mistake, path=source)
        elif swept := self._swept(at, lambda path: _touches(path, mistake.path)):
            mistake = replace(mistake, text=f"{mistake.text} ({swept})")
        if mistake not in self._noted and not any(text in mistake.text for text in self._unread):
            self._noted.add(mistake)
            self.draft.mistakes.append(mistake)

    def _swept(self, at: At, counts: Callable[[Path], bool]) -> str:
        """The values of axes that set a path that counts, as "at n = 16, k = 2"; empty where none does."""
        names = [
            axis.name
            for axis in self.axes
            if axis.name in at.coords and any(counts(s.path) for point in axis.settings for s in point)
        ]
        values = ", ".join(f"{name} = {short(at.coords[name])}" for name in names)
        return f"at {values}" if values else ""


def _value(setting: Setting, names: Names) -> object:
    """What a setting sets: of a formula of axes and `let` alone the number; another where it stands."""
    if not isinstance(setting.value, Formula):
        return copy.deepcopy(setting.value)
    try:
        own = all(name in names for name in names_in(setting.value))
        return number(setting.value, names) if own else setting.value
    except ValueError as error:
        raise Mistaken(Mistake(setting.source, str(error))) from error


def _touches(swept: Path, wrong: Path) -> bool:
    return swept[:2] == wrong[:2] or {swept[0], wrong[0]} <= sections.SECTIONS.keys()


def _check_checkpoints(arm: Arm, variant: Variant, point: Point) -> None:
    """Raise Mistaken where their clock does not fit the arm."""
    why, label = unplaced(arm), arm.coords["landscape"]
    if not why:
        return
    given = point.study.checkpoints
    path: Path = (
        ("checkpoints", label) if isinstance(given, dict) and label in given else ("checkpoints",)
    )
    if variant.entry.get("checkpoints") is not None:
        path = (*variant.path, "checkpoints")
    raise Mistaken(Mistake((*path, "clock"), why))


# the arm ----------------------------------------------------------------------------------------------------


def _arm(
    ground: Ground, optimizer: OptimizerOf, variant: Variant, point: Point, template: Template
) -> Arm:
    assert ground.oracle is not None
    landscape, scalars = ground.landscape, scalars_of(ground.study, ground, optimizer.model)
    if scalars["clock"] not in clocks_of(optimizer.made):
        raise ValueError(
            f"budget: {optimizer.kind} has no {scalars['clock'].replace('_', ' ')}; expected a budget of"
            f" {' or '.join(clocks_of(optimizer.made))}"
        )
    given = ((variant.path, optimizer.model), (("landscapes", ground.label), landscape.model))
    searched = type(landscape.made.domain) in optimizer.made.domains
    return Arm(
        coords={"landscape": ground.label, "optimizer": variant.name, **point.at.coords},
        label=variant.label,
        landscape=landscape.spec,
        optimizer=optimizer.spec,
        relaxation=None if searched else optimizer.model.relaxation,
        noise=fits.off_where_on(ground.noise, landscape.made, optimizer.made),
        oracle=ground.oracle,
        scalars=scalars | {"start": start.of_arm(given, landscape.made, ground.label)},
        template=template,
    )
