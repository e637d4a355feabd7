"""Every arm of a study, resolved and checked.

One landscape, one optimizer (or variant of it), one value of each swept axis.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from landscapes.base import Landscape
from landscapes.parameters import Parameters
from studies import registry
from studies.study_file import fields, sections
from studies.study_file.arm import Arm, Entry
from studies.study_file.axes import Axis, Setting, set_path
from studies.study_file.budgets import with_steps
from studies.study_file.document import Mistake, Path
from studies.study_file.errors import mistakes_in
from studies.study_file.fits import misfit, noise_misfit, of, off_where_on, portions_misfit
from studies.study_file.model import FAMILIES, StudyModel
from studies.text.words import short

if TYPE_CHECKING:
    from studies.study_file.loading import Checker


Where = dict[
    tuple[str, ...], Path
]  # path in the data of a combination -> where in the study its value stands


class Settings:
    """The arms of one study, and the mistakes on the way.

    Args:
        checker: the document, its classes and its list of mistakes.
        axes: what is swept.
    """

    def __init__(self, checker: Checker, axes: list[Axis]) -> None:
        self.checker, self.axes = checker, axes
        self.entries: dict[str, Entry | list[Mistake]] = {}
        self.seen: set[Mistake] = set()

    def arms(self, also: Sequence[Setting] = ()) -> list[Arm]:
        """All arms: for each combination of the swept values, for each landscape, for each optimizer.

        With these values set too.
        """
        good = [[i for i, given in enumerate(axis.settings) if self._set(given)] for axis in self.axes]
        found = []
        for combination in itertools.product(*good):
            points = list(zip(self.axes, combination, strict=True))
            coords = {axis.name: axis.coords[i] for axis, i in points}
            found += list(self._point(coords, [*(s for axis, i in points for s in axis.settings[i]), *also]))
        return found

    # one combination of the swept values --------------------------------------------------------------------

    def _set(self, given: list[Setting]) -> tuple[dict[str, Any], StudyModel] | None:
        """The study with these values set, as data and typed; None and a mistake where that cannot be."""
        data = copy.deepcopy(self.checker.data)
        where = {setting.path: setting.source for setting in given}
        try:
            for setting in given:
                if not (
                    len(setting.path) > 2
                    and setting.path[0] in FAMILIES
                    and setting.path[1] not in data[setting.path[0]]
                ):
                    set_path(
                        data, setting.path, copy.deepcopy(setting.value)
                    )  # an entry with mistakes of its own is not there
            return data, self.checker.model.model_validate(data)
        except ValidationError as error:
            for mistake in mistakes_in(error, self.checker.model, data):
                self._note(mistake, where, {})
        except ValueError as error:
            self._note(Mistake(given[0].source, str(error)), {}, {})
        return None

    def _point(self, coords: dict[str, Any], given: list[Setting]) -> Iterator[Arm]:
        found = self._set(given)
        if found is None:
            return
        data, study = found
        where: Where = {setting.path: setting.source for setting in given}
        landscapes = {
            label: self._entry("landscapes", entry, ("landscapes", label), where, coords)
            for label, entry in data["landscapes"].items()
        }
        for label, landscape in (
            landscapes or {"": None}
        ).items():  # with none, the optimizers are still checked
            oracle = self._oracle(study, label, landscape, where, coords) if landscape else None
            if landscape:
                self._check_targets(study, label, landscape, where, coords)
            for name, raw, here in variants(data["optimizers"], label):
                optimizer = self._entry("optimizers", raw, here[()], where | here, coords)
                if (
                    landscape
                    and optimizer
                    and self._fits(study, label, landscape, optimizer, where | here, coords)
                    and oracle
                ):
                    arm = _arm(
                        study,
                        {"landscape": label, "optimizer": name} | coords,
                        str(here[()][1]),
                        landscape,
                        optimizer,
                        *oracle,
                    )
                    try:
                        yield with_steps(arm)
                    except ValueError as error:
                        self._note(Mistake(here[()], str(error)), where | here, coords)

    def _entry(
        self, family: str, raw: dict[str, Any], path: Path, where: Where, coords: dict[str, Any]
    ) -> Entry | None:
        key = json.dumps([family, raw], sort_keys=True, default=str)
        if key not in self.entries:
            self.entries[key] = self._make(family, raw)
        found = self.entries[key]
        if isinstance(found, Entry):
            return found
        for mistake in found:
            self._note(Mistake((*path, *mistake.path), mistake.text, mistake.at_key), where, coords)
        return None

    def _make(self, family: str, raw: dict[str, Any]) -> Entry | list[Mistake]:
        kind = raw["kind"]
        cls = self.checker.classes[family][kind]
        model = fields.entry_model(family, kind, cls)  # type: ignore[arg-type]
        try:
            checked = model.model_validate(raw)
        except ValidationError as error:
            return mistakes_in(error, model, raw)
        names = fields.parameter_names(cls)
        try:
            made = registry.build({"kind": kind, **checked.model_dump(include=set(names))}, family[:-1])
            _ = (made.dim, made.domain, made.terms) if isinstance(made, Landscape) else None
            return Entry(kind, checked, made)
        except ValueError as error:
            return _from_class(str(error), cls, raw)

    def _note(self, mistake: Mistake, where: Where, coords: dict[str, Any]) -> None:
        """Keep a mistake once, told where its value stands.

        In the sweep, in the grid, or in the entry, then with the swept values that matter.
        """
        swept = next((path for path in where if path and mistake.path[: len(path)] == path), None)
        moved = (
            mistake
            if swept is None
            else Mistake((*where[swept], *mistake.path[len(swept) :]), mistake.text, mistake.at_key)
        )
        matter = [
            axis.name
            for axis in self.axes
            if axis.name in coords and any(_touches(s.path, mistake.path) for s in sum(axis.settings, []))
        ]
        if swept is None and matter:
            moved = replace(
                moved,
                text=f"{moved.text} (at {', '.join(f'{name} = {short(coords[name])}' for name in matter)})",
            )
        if moved not in self.seen:
            self.seen.add(moved)
            self.checker.mistakes.append(moved)

    def _oracle(
        self, study: StudyModel, label: str, landscape: Entry, where: Where, coords: dict[str, Any]
    ) -> tuple[dict, dict] | None:
        """Noise and oracle on one landscape."""
        try:
            noise = noise_misfit(study, label, landscape)
            return noise, portions_misfit(study, label, landscape, noise)
        except ValueError as error:
            name, _, text = str(error).partition(": ")
            section, key = name.split(".")
            given = getattr(getattr(study, section), key, None)
            self._note(
                Mistake(
                    (section, key, label) if isinstance(given, dict) and label in given else (section, key),
                    text,
                ),
                where,
                coords,
            )
            return None

    def _check_targets(
        self, study: StudyModel, label: str, landscape: Entry, where: Where, coords: dict[str, Any]
    ) -> None:
        """Fractions of the gap at the start need a gap."""
        asked = of(study.targets, label, [])
        if (
            isinstance(asked, sections.TargetsModel)
            and asked.relative
            and asked.best is None
            and not landscape.made.gap_known  # type: ignore[attr-defined]
        ):
            swept = [
                axis.name
                for axis in self.axes
                if axis.name in coords
                and any(s.path[:2] == ("landscapes", label) for s in sum(axis.settings, []))
            ]
            at = f" at {', '.join(f'{name} = {short(coords[name])}' for name in swept)}" if swept else ""
            text = (
                f"the optimum of landscape {label!r} is not known{at}, so that its loss is no gap; give"
                " `best`, the best known loss"
            )
            path = (
                ("targets", label)
                if isinstance(study.targets, dict) and label in study.targets
                else ("targets",)
            )
            self._note(Mistake((*path, "relative"), text), where, coords)

    def _fits(
        self,
        study: StudyModel,
        label: str,
        landscape: Entry,
        optimizer: Entry,
        where: Where,
        coords: dict[str, Any],
    ) -> bool:
        problem = misfit(where[()], optimizer, landscape, label, self.checker)
        measured = study.ledger or (study.match and where[()][1] in study.match.labels)
        if measured and "library" in optimizer.made.sources:  # type: ignore[attr-defined]
            text = (
                f"the noise ledger cannot draw the sources of {optimizer.kind} one by one, since another"
                " library draws them"
            )
            problem = Mistake(where[()], f"{text}; leave it out, or the ledger or match that asks for it")
        if problem:
            self._note(problem, where, coords)
        return problem is None


def _arm(
    study: StudyModel,
    coords: dict[str, Any],
    label: str,
    landscape: Entry,
    optimizer: Entry,
    noise: dict[str, Any],
    oracle: dict[str, int],
) -> Arm:
    searched = type(landscape.made.domain) in optimizer.made.domains  # type: ignore[attr-defined]
    relaxation = None if searched else optimizer.model.relaxation  # type: ignore[attr-defined]
    scalars = _scalars(study, coords["landscape"], landscape)
    noise = off_where_on(noise, landscape, optimizer)
    specs = {"landscape": landscape.spec, "optimizer": optimizer.spec}
    return Arm(
        coords=coords,
        label=label,
        **specs,
        relaxation=relaxation,
        noise=noise,
        oracle=oracle,
        scalars=scalars,
    )


def variants(optimizers: dict[str, Any], landscape: str) -> Iterator[tuple[str, dict[str, Any], Where]]:
    """Label, entry and where its values stand, for each optimizer and each point of its grid, on one landscape."""
    for label, entry in optimizers.items():
        path, on, grid = ("optimizers", label), entry.get("on", {}).get(landscape, {}), entry.get("grid", {})
        base = {key: value for key, value in entry.items() if key not in ("on", "grid")} | on
        here: Where = {(): path} | {(*path, key): (*path, "on", landscape, key) for key in on}
        for indices in itertools.product(*(range(len(values)) for values in grid.values())):
            chosen = {key: grid[key][i] for key, i in zip(grid, indices, strict=True)}
            places = {(*path, key): (*path, "grid", key, i) for key, i in zip(grid, indices, strict=True)}
            yield (
                " ".join([label, *(f"{key}={short(value)}" for key, value in chosen.items())]),
                base | chosen,
                here | places,
            )


def _touches(swept: Path, wrong: Path) -> bool:
    return swept[:2] == wrong[:2] or {swept[0], wrong[0]} <= sections.SECTIONS.keys()


def _from_class(text: str, cls: type[Parameters], raw: dict[str, Any]) -> list[Mistake]:
    """A class says "nk.k: expected ..", and of a file perhaps more in further lines.

    All are mistakes at the place of the first.
    """
    first, *others = [line.strip() for line in text.splitlines()] or [""]
    found = _told(first, cls, raw)
    return [found, *(replace(found, text=other) for other in others if other)]


def _told(text: str, cls: type[Parameters], raw: dict[str, Any]) -> Mistake:
    """One line of a class: the mistake is at the parameter that it names, where the entry names that."""
    head, _, rest = text.partition(": ")
    name = head.rpartition(".")[2]
    if not rest or head.count(" "):
        return Mistake((), text)
    if name in fields.parameter_names(cls):
        return Mistake((name,), rest)
    owner = head.partition(".")[0]  # a key of the entry, or the kind of a landscape that stands at one
    key = next(
        (
            k
            for k, value in raw.items()
            if owner == k or (isinstance(value, dict) and value.get("kind") == owner)
        ),
        None,
    )
    return Mistake((), text) if key is None else Mistake((key, name), rest)


def _scalars(study: StudyModel, label: str, landscape: Entry) -> dict[str, Any]:
    price = study.gradient_cost
    assert isinstance(price, sections.GradientCost)
    return {
        "seed": study.seed,
        "instances": study.instances,
        "budget": of(study.budget, label),
        "gradient_cost": {"value": price.value, "low": price.low, "high": price.high},
        **_targets(of(study.targets, label, []), gap_known=landscape.made.gap_known),  # type: ignore[attr-defined]
        "dtype": landscape.model.dtype or study.dtype,  # type: ignore[attr-defined]
        "ledger": study.ledger and study.ledger.model_dump(),
        "pictures": study.pictures and study.pictures.model_dump(),
        "truth": study.truth,
    }


def _targets(asked: list[float] | sections.TargetsModel, *, gap_known: bool) -> dict[str, Any]:
    """Losses; or, with a floor, fractions of the way from there to the start."""
    if not isinstance(asked, sections.TargetsModel):
        return {"targets": list(asked), "target_floor": None}
    best = 0.0 if gap_known or asked.best is None else asked.best
    if asked.relative:
        return {"targets": list(asked.values), "target_floor": best}
    return {"targets": [best + value for value in asked.values], "target_floor": None}
