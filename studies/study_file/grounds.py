"""A landscape of a study at one point of its axes, and what the study says of noise and targets there."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import ValidationError

from studies.study_file import fits, formulas
from studies.study_file.arm import LandscapeOf
from studies.study_file.document import Mistake, Mistaken, Path, mapping
from studies.study_file.errors import mistakes_in
from studies.study_file.formulas import Names, Texts, is_number
from studies.study_file.labelled import narrowed, trimmed
from studies.study_file.model import StudyModel
from studies.study_file.written import from_formula, names_of
from studies.text.shapes import Data

NOISE = ("noise",)
PRICE = ("gradient_cost",)  # of the whole study, so that its formulas may use the axes and `let` alone
# keys whose formulas see the same names, those of one group those of each other too
OTHERS = (
    ("oracle", "targets", "instances", "budget"),
    ("checkpoints", "truth"),
    ("ledger",),
    ("pictures",),
    ("timing",),
)
NEEDED: Data = {"name": "unnamed", "budget": 1.0, "landscapes": {}, "optimizers": {}}


@dataclass(frozen=True)
class Ground:
    """A landscape at one point.

    Args:
        label: of the landscape.
        landscape: its entry.
        study: the study, with the values that its formulas have here.
        noise: what disturbs its answers.
        oracle: how much is evaluated at a time; None: noise or oracle are wrong.
        mistakes: in what the study says of this landscape.
    """

    label: str
    landscape: LandscapeOf
    study: StudyModel
    noise: Data = field(default_factory=dict)
    oracle: Data | None = None
    mistakes: tuple[Mistake, ...] = ()

    @property
    def names(self) -> Names:
        """What the formulas of an optimizer may use of it."""
        return names_of(self.landscape, self.noise)

    @functools.cached_property
    def shape(self) -> str:
        """What decides which optimizers can search it."""
        made = self.landscape.made
        law, whole = made.fitness_law, made.extension_cost is None
        kind = (self.label, self.landscape.kind, repr(made.domain), made.dim, made.terms)
        return repr((*kind, len(made.players), law and law.log, whole))


@dataclass(frozen=True)
class Site:
    """Where the formulas of a study are resolved: a landscape at one point of the axes.

    Args:
        label: of the landscape.
        landscape: its entry.
        data: the study at that point, as data.
        around: the axes and the names of `let`.
    """

    label: str
    landscape: LandscapeOf
    data: Data
    around: Names

    def ground(self, study: StudyModel) -> Ground:
        """The landscape, with all that the study says of it.

        Args:
            study: the study at that point, typed.
        """
        noise: Data = {}
        here = formulas.named("landscape", formulas.numbers_of_landscape(self.landscape))
        try:
            study = self._resolved(PRICE, study, self.around)
            study = self._resolved(NOISE, study, {**self.around, **here})
            noise = fits.noise_of(study, self.label, self.landscape.made)
            for keys in OTHERS:
                study = self._resolved(keys, study, {**self.around, **self._heard(noise), **here})
            oracle = fits.portions_of(study, self.label, self.landscape.made, noise)
        except Mistaken as error:
            return Ground(self.label, self.landscape, study, noise, mistakes=error.mistakes)
        except ValueError as error:
            mistake = _of_section(str(error), study, self.label)
            return Ground(self.label, self.landscape, study, noise, mistakes=(mistake,))
        return Ground(self.label, self.landscape, study, noise, oracle)

    def _heard(self, noise: Data) -> Names:
        return formulas.named("noise", formulas.numbers_of_noise(noise, self.landscape.made.terms))

    def _resolved(self, keys: Iterable[str], study: StudyModel, names: Names) -> StudyModel:
        """The study with the values of the formulas under some of its keys.

        Args:
            keys: of the study.
            study: the study.
            names: what formulas may use.

        Raises:
            Mistaken: a formula has no value, or a wrong one.
        """
        typed = [found for key in keys for found in formulas.texts_in(getattr(study, key), (key,))]
        if not typed:
            return study
        data = narrowed({key: self.data[key] for key in keys if key in self.data}, self.label)
        texts = {short: text for path, text in typed if (short := trimmed(path, data))}
        return _read(formulas.filled(data, texts, {**names, **_beside(data, self.label)}), texts, study)


def _beside(data: Data, label: str) -> Names:
    """The values of sections on a landscape, numbers or formulas, for other formulas of the same section."""
    values = {
        key: fits.of(given, label)
        for section in data.values()
        for key, given in mapping(section).items()
    }
    return {key: value for key, value in values.items() if is_number(value) or isinstance(value, str)}


def _read(data: Data, texts: Texts, study: StudyModel) -> StudyModel:
    """The study with other values under the keys of the data.

    Args:
        data: key -> value, without formulas.
        texts: the formulas that gave some of these.
        study: the study.

    Raises:
        Mistaken: a value is wrong.
    """
    try:
        read = StudyModel.model_validate(NEEDED | data)
    except ValidationError as error:
        wrong = mistakes_in(error, StudyModel, data)
        raise Mistaken(*(_told(mistake, texts) for mistake in wrong)) from error
    return study.model_copy(update={key: getattr(read, key) for key in data})


def _told(mistake: Mistake, texts: Texts) -> Mistake:
    return Mistake(mistake.path, mistake.text + from_formula(texts, mistake.path), mistake.at_key)


def _of_section(text: str, study: StudyModel, label: str) -> Mistake:
    """The mistake of "noise.batch: ..", at the value for one landscape where there is one."""
    name, _, text = text.partition(": ")
    section, key = name.split(".")
    given = getattr(getattr(study, section), key, None)
    own = isinstance(given, dict) and label in given
    path: Path = (section, key, label) if own else (section, key)
    return Mistake(path, text)
