"""The study file: read, typed, checked; every mistake in one line, all at once.

    study.yaml:10:9: optimizers.sgd.momentun: unknown key for sgd; did you mean 'momentum'?

The types are in `studies.study_file.model`. What needs more than one entry (a method that cannot search a
landscape, a batch larger than the data) is checked for every combination of the swept values, on the objects
themselves; `studies.study_file.arms` does that.
"""

from __future__ import annotations

import contextlib
import copy
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from landscapes.parameters import Parameters
from studies import registry
from studies.study_file import check_match, check_tuning, factors, fields, sections
from studies.study_file.arm import Arm
from studies.study_file.arms import Settings, variants
from studies.study_file.axes import Axis, Setting, axes_of, known_paths, set_path
from studies.study_file.document import Document, Mistake, from_mapping, plain, read, value_of
from studies.study_file.document import Path as Place
from studies.study_file.errors import mistakes_in
from studies.study_file.model import DEFAULT, ENTRIES, FAMILIES, FIGURES, StudyModel, study_model
from studies.study_file.study import Study, StudyError
from studies.text import labels
from studies.text.words import nearest, suggest

CONFIGS = Path(__file__).parents[1] / "configs"
RESERVED_LABELS = (DEFAULT, "value", "gradient")
SECTION_MAPS = (
    (section, key)
    for section, model in sections.SECTIONS.items()
    for key in model.model_fields
    if key != "off"
)
MAPS = (
    ("budget",),
    ("targets",),
    ("precision",),
    *SECTION_MAPS,
)  # keys whose value may be a map label -> value
AS_GIVEN = (*FAMILIES, "question", "sweep")  # keys of a study in which texts are no labels
OWN_KEYS = {
    "evaluation": {"value", "gradient"},
    "targets": {*sections.TARGETS},
}  # of a value that is itself a mapping, and no map of labels
STAND_INS = {
    "name": "unnamed",
    "budget": 1e9,
    "landscapes": {},
    "optimizers": {},
}  # for wrong ones, so that the rest can be checked
Classes = dict[str, dict[str, type[Parameters]]]  # family -> kind -> class


def load_study(
    source: Path | str | Mapping[str, Any], overrides: Mapping[str, object] | Sequence[str] = ()
) -> Study:
    """Read and check a study.

    Args:
        source: a file, the name of a study in studies/configs/, or the study as a mapping.
        overrides: dotted path -> value, or texts "path=value" with the value in YAML.

    Returns:
        The study, complete.

    Raises:
        StudyError: with one line per mistake.
    """
    document = from_mapping(source) if isinstance(source, Mapping) else _open(str(source))
    if isinstance(document.data, dict):
        _override(document, overrides)
        document.data = {
            key: value if key in AS_GIVEN else labels.tidied(value) for key, value in document.data.items()
        }
    if not isinstance(document.data, dict) or (document.mistakes and not document.data):
        raise StudyError(
            document.lines(
                document.mistakes
                or [Mistake((), "expected a mapping with the keys name, budget, landscapes, optimizers")]
            )
        )
    return Checker(document).study()


def ready_studies() -> dict[str, Path]:
    """Name -> file of the studies in studies/configs/."""
    return {path.stem: path for path in sorted(CONFIGS.glob("*.yaml"))}


def json_schema() -> dict[str, Any]:
    """The JSON schema of a study file, for editors.

    Own kinds are accepted by their import path, their parameters unchecked.
    """
    schema = study_model({
        family: dict(registry.FAMILIES[family[:-1]][0]) for family in FAMILIES
    }).model_json_schema()
    own = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"type": "string", "pattern": r"^[\w.]+:\w+$"}},
    }
    for family in FAMILIES:
        entry = schema["properties"][family]["additionalProperties"]
        known = entry.pop("oneOf", None) or [{"$ref": entry.pop("$ref")}]
        entry.pop("discriminator", None)
        entry["oneOf"] = [*known, own]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _open(source: str) -> Document:
    path = Path(source)
    if not path.is_file():
        path = ready_studies().get(source, path)
    if path.is_file():
        try:
            return read(source if Path(source).is_file() else str(path), path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise StudyError([f"{path}: cannot be read: {error}"]) from error
    near, ready = nearest(source, ready_studies()), ", ".join(ready_studies()) or "none"
    raise StudyError([
        f"{source}: no such file and no ready study of this"
        f" name{f'; did you mean {near!r}?' if near else ''}; ready: {ready}"
    ])


def _override(document: Document, overrides: Mapping[str, object] | Sequence[str]) -> None:
    lines = []
    for given in overrides.items() if isinstance(overrides, Mapping) else overrides:
        try:
            parts, value = _setting(given, document.data)
            set_path(document.data, parts, value)
            document.overridden.append(parts)
        except ValueError as error:
            lines.append(f"--set {' '.join(str(error).split())}")
    if lines:
        raise StudyError(lines)


def _setting(given: str | tuple[str, object], data: Mapping[str, Any]) -> tuple[tuple[str, ...], Any]:
    """Keys and value of an override: (path, value), or "path=value" with the value in YAML.

    Raises:
        ValueError: there is no value, or it is not plain YAML.
    """
    if not isinstance(given, str):
        return labels.keys_of(labels.tidy(given[0]), data)[0], plain(given[1])
    given = unicodedata.normalize("NFC", given).strip()
    parts, text = labels.keys_of(given, data, stop="=")
    path = ".".join(parts)
    if given == path:
        raise ValueError(f"{path}: expected PATH=VALUE")
    try:
        return tuple(part.strip() for part in parts), value_of(text)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


@dataclass
class Checker:
    """Goes through one document and gathers its mistakes."""

    document: Document
    mistakes: list[Mistake] = field(default_factory=list)
    filled: list[Setting] = field(default_factory=list)  # swept values put where the study has none

    def __post_init__(self) -> None:
        self.mistakes += self.document.mistakes
        self.data: dict[str, Any] = copy.deepcopy(self.document.data)
        self.labels = {family: [*_mapping(self.data.get(family))] for family in FAMILIES}

    def study(self) -> Study:
        """The study, or all its mistakes."""
        self.classes = self._find_classes()
        self.model = study_model(self.classes, claims=bool(self.data.get("claims")))
        self._check_labels()
        axes = self._axes()
        checked = self._validate(axes)
        switched, wrong = factors.axes_of(self.data, self.classes["optimizers"], [axis.name for axis in axes])  # type: ignore[arg-type]
        self.mistakes += wrong
        axes += switched
        settings = Settings(self, axes)
        arms = settings.arms() if checked is not None else []
        if checked is not None and checked.match:
            self._check_match(checked.match, settings, arms)
        if checked is not None and checked.tuning:
            self._check_tuning(checked.tuning, settings)
        if checked is not None and checked.claims and not self.mistakes:
            from studies.study_file import check_claims

            self.mistakes += check_claims.mistakes(_resolved(checked), arms, axes)
        for place, name in enumerate(checked.figures if checked is not None and not self.mistakes else ()):
            shown = FIGURES[name]
            if shown and not getattr(checked, shown):
                self.mistakes.append(
                    Mistake(
                        ("figures", place), f"{name} shows the `{shown}` of a study, and this one has none"
                    )
                )
        self.mistakes += [] if self.mistakes else factors.idle(switched, arms, self.data)
        if self.mistakes or checked is None:
            raise StudyError(self.document.lines(self.mistakes))
        return _study(checked, arms, axes)

    def _find_classes(self) -> Classes:
        """The registries, and the classes that the study names by import path."""
        classes: Classes = {family: dict(registry.FAMILIES[family[:-1]][0]) for family in FAMILIES}
        for family in FAMILIES:
            for label, entry in list(_mapping(self.data.get(family)).items()):
                kind = _mapping(entry).get("kind")
                if isinstance(kind, str) and ":" in kind and kind not in classes[family]:
                    self._import(classes, family, label, kind)
        return classes

    def _import(self, classes: Classes, family: str, label: str, kind: str) -> None:
        try:
            found = registry.find(kind, family[:-1])
            fields.entry_model(family, kind, found)
            classes[family][kind] = found
        except (Exception, SystemExit) as error:  # noqa: BLE001  a plugin may fail in any way
            text = (
                str(error)
                if isinstance(error, ValueError)
                else f"cannot import {kind!r}: {type(error).__name__}: {error}"
            )
            self.mistakes.append(Mistake((family, label, "kind"), " ".join(text.split())))
            del self.data[family][label]

    def _check_labels(self) -> None:
        for family in FAMILIES:
            if self.data.get(family) == {} and not self.labels[family]:
                self.mistakes.append(Mistake((family,), "expected at least one, label -> {kind: ..}"))
            for label in self.labels[family]:
                problem = (
                    f"a label is none of {', '.join(RESERVED_LABELS)}"
                    if label in RESERVED_LABELS
                    else labels.wrong_label(label)
                )
                if problem:
                    self.mistakes.append(Mistake((family, label), problem, at_key=True))
        hidden = ((name, labels.unprintable(name)) for name in _mapping(self.data.get("claims")))
        self.mistakes += [
            Mistake(("claims", name), f"expected a name that can be printed, this one has {it}", at_key=True)
            for name, it in hidden
            if it
        ]
        for path in MAPS:
            values = (
                self.data.get(path[0]) if len(path) == 1 else _mapping(self.data.get(path[0])).get(path[1])
            )
            if isinstance(values, dict) and not values.keys() <= OWN_KEYS.get(path[-1], set()):
                self._check_map(path, values)
        for label, entry in _mapping(self.data.get("optimizers")).items():
            self._check_variants(("optimizers", label), _mapping(entry))
        self._check_variant_names()

    def _check_map(self, path: tuple[str, ...], values: dict[str, Any]) -> None:
        known = self.labels["landscapes"]
        for label in values:
            if label not in (*known, DEFAULT):
                words = [*known, *OWN_KEYS.get(path[-1], ())]
                self.mistakes.append(
                    Mistake((*path, label), f"unknown landscape; {suggest(label, words)}", at_key=True)
                )
        missing = [label for label in known if label not in values]
        if path[0] in ("budget", "targets") and DEFAULT not in values and missing:
            self.mistakes.append(
                Mistake(path, f"no value for landscape {missing[0]!r}; name it, or give a 'default'")
            )
        lists = (
            {label: _mapping(v).get("values", v) for label, v in values.items()}
            if path == ("targets",)
            else {}
        )
        lengths = {label: len(v) for label, v in lists.items() if isinstance(v, list)}
        if len({*lengths.values()}) > 1:
            told = ", ".join(f"{label}: {length}" for label, length in lengths.items())
            self.mistakes.append(Mistake(path, f"expected lists of equal lengths, got {told}"))

    def _check_variants(self, path: tuple[str, ...], entry: dict[str, Any]) -> None:
        """The keys of `grid` and `on`; their values are checked where they are used."""
        cls = self.classes["optimizers"].get(str(entry.get("kind")))
        if cls is None:
            return
        names, grid, on = (
            [*fields.parameter_names(cls), "relaxation"],
            _mapping(entry.get("grid")),
            _mapping(entry.get("on")),
        )
        for label, parameters in on.items():
            if label not in self.labels["landscapes"]:
                text = f"unknown landscape; {suggest(label, self.labels['landscapes'])}"
                self.mistakes.append(Mistake((*path, "on", label), text, at_key=True))
            for key in _mapping(parameters):
                if key in grid:
                    self.mistakes.append(
                        Mistake(
                            (*path, "on", label, key),
                            "is in grid too; give it in one of the two",
                            at_key=True,
                        )
                    )
        for where, keys in [(("grid",), grid), *((("on", label), _mapping(p)) for label, p in on.items())]:
            wrong = [key for key in keys if key not in names]
            for key in wrong:
                del keys[key]
            self.mistakes += [
                Mistake(
                    (*path, *where, k), f"unknown key for {entry['kind']}; {suggest(k, names)}", at_key=True
                )
                for k in wrong
            ]

    def _check_variant_names(self) -> None:
        """No variant of a grid has the label of another optimizer."""
        entries = {label: _mapping(entry) for label, entry in _mapping(self.data.get("optimizers")).items()}
        entries = {
            label: entry
            for label, entry in entries.items()
            if all(isinstance(v, list) for v in _mapping(entry.get("grid")).values())
        }
        for name, _, here in variants(
            {label: {"grid": _mapping(entry.get("grid"))} for label, entry in entries.items()}, ""
        ):
            if name in entries and name != here[()][1]:
                text = f"the grid of {here[()][1]!r} has a variant of this name; choose another label"
                self.mistakes.append(Mistake(("optimizers", name), text, at_key=True))

    def _axes(self) -> list[Axis]:
        axes, mistakes = axes_of(
            self.data, known_paths(self.data, self.classes), labels.reserved(self.classes)
        )
        self.mistakes += mistakes
        for setting in (setting for axis in axes for setting in axis.settings[0]):
            entry = (
                _mapping(_mapping(self.data.get("optimizers")).get(setting.path[1]))
                if setting.path[0] == "optimizers"
                else {}
            )
            if setting.path[2:3] and setting.path[2] in _mapping(entry.get("grid")):
                self.mistakes.append(
                    Mistake(
                        setting.source[:-1],
                        "is in the optimizer's grid too; give it in one of the two",
                        at_key=True,
                    )
                )
        return axes

    def _validate(self, axes: list[Axis]) -> StudyModel | None:
        """The typed study; where parts are wrong they are dropped, so that the others can be checked further; None: too little is left."""
        for setting in (setting for axis in axes for setting in axis.settings[0]):
            self._fill(setting)
        for _ in range(2):
            try:
                return self.model.model_validate(self.data)
            except ValidationError as error:
                found = mistakes_in(error, self.model, self.data)
            self.mistakes += [self._where_filled(mistake) for mistake in found]
            for mistake in found:
                self._drop(mistake.path)
        return None

    def _check_match(self, match: sections.MatchModel, settings: Settings, arms: list[Arm]) -> None:
        """Its labels and parameters, then whether the quantity is known, and both ends of each range may be used."""
        found = [
            *check_match.mistakes(
                match,
                self.labels["optimizers"],
                self.data["optimizers"],
                self.classes["optimizers"],
                settings.axes,
            )
        ]
        found = found or [*check_match.unknown_quantities(match, arms)]
        self.mistakes += found
        given = [
            (label, name, span)
            for label, ranges in self.data["match"]["vary"].items()
            for name, span in ranges.items()
        ]
        for end in () if found else (0, 1):
            settings.arms([
                Setting(("optimizers", label, name), span[end], ("match", "vary", label, name, end))
                for label, name, span in given
            ])

    def _check_tuning(self, asked: sections.TuningModel, settings: Settings) -> None:
        """Its labels and parameters, then whether the ends of its ranges and its choices may be used."""
        found = [
            *check_tuning.mistakes(
                asked, self.labels["optimizers"], self.data, self.classes["optimizers"], settings.axes
            )
        ]
        self.mistakes += found
        for also in () if found else check_tuning.probes(asked, self.data):
            settings.arms(also)

    def _fill(self, setting: Setting) -> None:
        """A swept parameter needs no other value: where it has none, the first one stands for it."""
        with contextlib.suppress(ValueError):  # told where the axis is used
            if not _has(self.data, setting.path):
                set_path(self.data, setting.path, copy.deepcopy(setting.value))
                self.filled.append(setting)

    def _where_filled(self, mistake: Mistake) -> Mistake:
        setting = next((s for s in self.filled if mistake.path[: len(s.path)] == s.path), None)
        return (
            mistake
            if setting is None
            else replace(mistake, path=(*setting.source, *mistake.path[len(setting.path) :]))
        )

    def _drop(self, path: Place) -> None:
        """Take out what is wrong: a whole entry, or a key of the study."""
        if len(path) > 1 and path[0] in ENTRIES:
            self.data[str(path[0])].pop(str(path[1]), None)
        elif path:
            self.data.pop(str(path[0]), None)
            self.data |= {key: value for key, value in STAND_INS.items() if key == path[0]}


def _study(checked: StudyModel, arms: list[Arm], axes: list[Axis]) -> Study:
    named = {key: list(dict.fromkeys(arm.coords[key] for arm in arms)) for key in ("landscape", "optimizer")}
    return Study(
        name=checked.name,
        question=checked.question,
        replicates=checked.replicates,
        device=checked.device,
        checkpoints=checked.checkpoints,
        figures=list(checked.figures),
        cluster=checked.cluster,
        arms=arms,
        axes=named | {axis.name: axis.coords for axis in axes},
        match=checked.match,
        tuning=checked.tuning,
        resolved=_resolved(checked),
    )


def _resolved(checked: StudyModel) -> dict[str, Any]:
    """As plain data, the kind of an entry first, what is empty left out."""
    data = json.loads(json.dumps(checked.model_dump()))
    for family in FAMILIES:
        for label, entry in data[family].items():
            data[family][label] = {"kind": entry["kind"]} | {
                k: v for k, v in entry.items() if k not in ("dtype", "grid", "on") or v
            }
    return data


def _mapping(value: Any) -> dict[str, Any]:  # noqa: ANN401
    return value if isinstance(value, dict) else {}


def _has(data: Any, path: tuple[str, ...]) -> bool:  # noqa: ANN401
    for part in path:
        if not isinstance(data, dict) or part not in data:
            return False
        data = data[part]
    return True
