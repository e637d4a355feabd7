"""Every arm of a study, resolved and checked.

One landscape, one optimizer (or variant of it), one value of each swept axis.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from pydantic import ValidationError

from landscapes.base import Landscape
from studies.kinds import registry
from studies.study_file import fields, fits, only, sections
from studies.study_file.arm import Arm, Entry, LandscapeOf, OptimizerOf
from studies.study_file.axes import Axis, Setting
from studies.study_file.budgets import with_steps
from studies.study_file.checkpoints import unplaced
from studies.study_file.document import Mistake, Mistaken, Path, mapping
from studies.study_file.draft import Draft
from studies.study_file.errors import mistakes_in, of_class
from studies.study_file.fits import of
from studies.study_file.formulas import Texts
from studies.study_file.frames import frame_of, manner
from studies.study_file.grounds import Ground, Site
from studies.study_file.model import DEFAULT
from studies.study_file.once import Once
from studies.study_file.points import At, Point, Points
from studies.study_file.template import Template
from studies.study_file.variants import Variant, variants
from studies.study_file.written import Written, from_formula
from studies.text.kept import Kept
from studies.text.shapes import Data
from studies.text.words import short


class Here(NamedTuple):
    """An optimizer at one combination of the swept values."""

    variant: Variant
    point: Point
    at: At  # with the values that the variant has by its grid, or on a landscape


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
        self._parts: dict[str, Kept] = {}
        self._once = Once()
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
        points = Points(self.draft, self._note_all)
        usable = [[*self._usable(points, axis)] for axis in self.axes]
        for combination in itertools.product(*usable):
            chosen = list(zip(self.axes, combination, strict=True))
            coords = {axis.name: axis.coords[i] for axis, i in chosen}
            swept = [setting for axis, i in chosen for setting in axis.settings[i]]
            point = points.point(coords, [*swept, *also])
            if point is not None:
                yield point

    def _usable(self, points: Points, axis: Axis) -> Iterator[int]:
        """The points of an axis at which the study can be read, with the first of each other axis."""
        firsts = {other.name: other.coords[0] for other in self.axes}
        for i, settings in enumerate(axis.settings):
            if points.point({**firsts, axis.name: axis.coords[i]}, settings, alone=True):
                yield i

    def _arms_at(self, point: Point) -> Iterator[Arm]:
        landscapes = {label: self._landscape(label, point) for label in point.data["landscapes"]}
        optimizers = point.data["optimizers"]
        self._note_all(self._once.of("only", lambda: self._unknown(optimizers), optimizers), point.at)
        # with no landscape, the optimizers are still checked
        for label, landscape in (landscapes or {"": None}).items():
            ground = None if landscape is None else self._ground(label, landscape, point)
            for variant in self._variants(optimizers, label):
                here = Here(variant, point, point.at.of(variant))
                optimizer = self._optimizer(here, ground)
                if ground is None or optimizer is None:
                    continue
                if self._fits(ground, optimizer, here) and ground.oracle:
                    yield from self._arm_of(ground, optimizer, here)

    def _unknown(self, optimizers: Data) -> list[Mistake]:
        """The landscapes that optimizers name, and that the study has not."""
        known = self.draft.labels["landscapes"]
        return [
            each for label, entry in optimizers.items() for each in only.unknown(label, entry, known)
        ]

    def _arm_of(self, ground: Ground, optimizer: OptimizerOf, here: Here) -> Iterator[Arm]:
        """The arm; none and its mistakes where something is wrong with it."""
        try:
            template = self._template(here, ground)
            arm = self._arm(ground, optimizer, here, template)
            yield self._timed(arm, optimizer, here)
        except Mistaken as error:
            self._note(error.mistakes[0], here.at)
        except ValueError as error:
            self._note(Mistake(here.variant.path, str(error)), here.at)

    def _variants(self, optimizers: Data, landscape: str) -> list[Variant]:
        """Every optimizer on one landscape."""
        name = ("variants", landscape)
        return self._once.of(name, lambda: [*variants(optimizers, landscape)], optimizers)

    def _asks(self, optimizer: OptimizerOf) -> bool:
        """Whether an optimizer asks how many steps its budget buys."""
        made = optimizer.made
        return self._once.of("asks", lambda: made.budgeted(1) is not made, optimizer)

    def _timed(self, arm: Arm, optimizer: OptimizerOf, here: Here) -> Arm:
        """The arm, with what follows from its budget; as it is where a stand-in is its budget.

        Raises:
            ValueError: something does not follow.
        """  # noqa: DOC502
        if not self._budgeted and here.variant.entry.get("budget") is None:
            return arm
        if self._asks(optimizer):
            arm = with_steps(arm)
        _check_checkpoints(arm, here)
        return arm

    # one landscape or optimizer -----------------------------------------------------------------------------

    def _landscape(self, label: str, point: Point) -> LandscapeOf | None:
        entry = self._written(("landscapes", label), point.data["landscapes"][label])
        return self._entry(entry, point, point.at)

    def _optimizer(self, here: Here, ground: Ground | None) -> OptimizerOf | None:
        """A variant on a landscape, whose numbers its formulas may use; on none they have no values."""
        entry = self._written(here.variant.path, here.variant.entry)
        if ground is None:
            entry = entry._replace(raw=entry.without(self._formulas(entry)))
        return self._entry(entry, here.point, here.at, ground)

    def _template(self, here: Here, ground: Ground) -> Template:
        """A variant on a landscape, whose formulas can be resolved again."""
        entry = self._written(here.variant.path, here.variant.entry)
        texts = self._formulas(entry)
        if not texts:
            return self._once.of("template", lambda: Template(entry.raw, {}, {}), entry.raw)
        return entry.template(texts, {**here.point.around, **ground.names})

    def _written(self, path: Path, raw: Data) -> Written:
        return Written(path, raw, self.draft.classes[str(path[0])][raw["kind"]])

    def _formulas(self, entry: Written) -> Texts:
        """Those of an entry, found once."""
        return self._once.of("texts", lambda: self._texts_of(entry), entry.raw)

    def _texts_of(self, entry: Written) -> Texts:
        if entry.key not in self._texts:
            self._texts[entry.key] = entry.texts(self.draft.words)
        return self._texts[entry.key]

    def _entry(
        self,
        entry: Written,
        point: Point,
        at: At,
        ground: Ground | None = None,
    ) -> Entry | None:
        """The object of an entry, made once; None and its mistakes where there is none.

        Args:
            entry: as it is written.
            point: the combination of swept values.
            at: with those of its variant.
            ground: the landscape and the noise, whose numbers its formulas may use.
        """
        texts = self._formulas(entry)
        try:
            names = ground.names if texts and ground else {}
            raw = entry.filled(texts, {**point.around, **names}) if texts else entry.raw
        except Mistaken as error:
            self._note_all(error.mistakes, at, entry.path)
            return None
        if texts:
            made = self._made(entry._replace(raw=raw))
        else:
            made = self._once.of("made", lambda: self._made(entry), raw)
        if isinstance(made, Entry):
            return made
        told = [replace(wrong, text=wrong.text + from_formula(texts, wrong.path)) for wrong in made]
        self._note_all(told, at, entry.path)
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
        """A landscape with all that the study says of it: the same one wherever no axis changes it."""
        if point.read.formulas:
            return self._new_ground(label, landscape, point)
        new = functools.partial(self._new_ground, label, landscape, point)
        return self._once.of(("ground", label), new, landscape, point.study)

    def _new_ground(self, label: str, landscape: LandscapeOf, point: Point) -> Ground:
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

    def _fits(self, ground: Ground, optimizer: OptimizerOf, here: Here) -> bool:
        """Whether the optimizer can search the landscape; a mistake where it cannot."""
        name = ("fits", here.variant.label, ground.shape)
        new = functools.partial(self._misfit, ground, optimizer, here)
        problem = self._once.of(name, new, optimizer, here.point.study)
        if problem is not None:
            self._note(problem, here.at)
        return problem is None

    def _misfit(self, ground: Ground, optimizer: OptimizerOf, here: Here) -> Mistake | None:
        """What keeps the optimizer from searching the landscape; None where nothing does."""
        variant, study = here.variant, here.point.study
        pair = fits.Pair(variant.path, optimizer, ground.label, ground.landscape, self.draft.optimizers)
        measured = study.ledger or (study.match and variant.label in study.match.labels)
        if measured and "library" in optimizer.made.sources:
            return pair.mistake(
                f"the noise ledger cannot draw the sources of {optimizer.kind} one by one, since another"
                " library draws them; leave it out, or the ledger or match that asks for it"
            )
        if measured or study.pictures:
            return fits.misfit(pair) or fits.unmeasured(pair)
        return fits.misfit(pair)

    # the arm ------------------------------------------------------------------------------------------------

    def _arm(self, ground: Ground, optimizer: OptimizerOf, here: Here, template: Template) -> Arm:
        """An arm; raises ValueError or Mistaken where there is none."""
        own = self._once.of("manner", lambda: manner(optimizer), optimizer)
        new = functools.partial(self._frame, ground, optimizer, here.variant)
        frame = self._once.of(("frame", own), new, ground, *(() if own else (optimizer,)))
        return Arm(
            coords={
                "landscape": ground.label,
                "optimizer": here.variant.name,
                **here.point.at.coords,
            },
            label=here.variant.label,
            landscape=ground.landscape.spec,
            optimizer=optimizer.spec,
            template=template,
            **frame,
        )

    def _frame(self, ground: Ground, optimizer: OptimizerOf, variant: Variant) -> Data:
        """All but the landscape and the optimizer of an arm; equal parts are the same object."""
        parts = frame_of(ground, optimizer, variant.path)
        return {
            name: self._kept(part) if isinstance(part, dict) else part for name, part in parts.items()
        }

    def _kept(self, part: Data) -> Kept:
        kept = Kept(part)
        return self._parts.setdefault(kept.text, kept)

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


def _touches(swept: Path, wrong: Path) -> bool:
    return swept[:2] == wrong[:2] or {swept[0], wrong[0]} <= sections.SECTIONS.keys()


def _check_checkpoints(arm: Arm, here: Here) -> None:
    """Raise Mistaken where their clock does not fit the arm."""
    why, label = unplaced(arm), arm.coords["landscape"]
    if not why:
        return
    given, variant = here.point.study.checkpoints, here.variant
    path: Path = (
        ("checkpoints", label) if isinstance(given, dict) and label in given else ("checkpoints",)
    )
    if variant.entry.get("checkpoints") is not None:
        path = (*variant.path, "checkpoints")
    raise Mistaken(Mistake((*path, "clock"), why))
