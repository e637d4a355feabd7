"""What is wrong with the labels of a study, where they are given and where they are used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studies.study_file import fields, only
from studies.study_file.axes import Axis
from studies.study_file.document import Mistake, Path, mapping, mapping_at
from studies.study_file.draft import Draft
from studies.study_file.labelled import MAPS, OWN_KEYS, by_label
from studies.study_file.model import DEFAULT, FAMILIES
from studies.study_file.variants import variants
from studies.text import labels
from studies.text.shapes import Data
from studies.text.words import suggest

MEANT = {"budget": "landscape or clock", "checkpoints": "landscape or key"}  # by what is unknown


def mistakes(draft: Draft) -> Iterator[Mistake]:
    """What is wrong with the labels of a draft; keys of `grid` and `on` that are wrong are taken out."""
    yield from _of_entries(draft)
    yield from _of_claims(draft)
    for path in MAPS:
        ambiguous = [*_ambiguous(path, draft)]
        yield from ambiguous or _of_map(path, draft)
    for label, entry in draft.entries("optimizers").items():
        yield from _of_variants(label, mapping(entry), draft)
    yield from _of_variant_names(draft)


def _of_entries(draft: Draft) -> Iterator[Mistake]:
    for family in FAMILIES:
        if draft.data.get(family) == {} and not draft.labels[family]:
            yield Mistake((family,), "expected at least one, label -> {kind: ..}")
        for label in draft.labels[family]:
            problem = labels.wrong_label(label)
            if problem:
                yield Mistake((family, label), problem, at_key=True)


def _of_claims(draft: Draft) -> Iterator[Mistake]:
    for name in mapping(draft.data.get("claims")):
        hidden = labels.unprintable(name)
        if hidden:
            text = f"expected a name that can be printed, this one has {hidden}"
            yield Mistake(("claims", name), text, at_key=True)


def of_axes(axes: Sequence[Axis], draft: Draft) -> Iterator[Mistake]:
    """Paths of axes that lead to a key or to a landscape, as targets.best where one is called best."""
    for setting in (setting for axis in axes for setting in axis.settings[0]):
        for path in MAPS:
            label = setting.path[len(path) :][:1]
            if setting.path[: len(path)] == path and label and _both(path, label[0], draft):
                yield Mistake(setting.source, _two_meanings(path, label[0]))


def _ambiguous(path: tuple[str, ...], draft: Draft) -> Iterator[Mistake]:
    """Landscapes in a mapping in which their labels are keys too."""
    for label in mapping_at(path, draft.data):
        if _both(path, label, draft):
            yield Mistake((*path, label), _two_meanings(path, label), at_key=True)


def _both(path: tuple[str, ...], label: str, draft: Draft) -> bool:
    """Whether a word is the label of a landscape, and a key of the value at a path."""
    keys = {DEFAULT, *OWN_KEYS.get(path[-1], set())}
    return label in keys and label in draft.labels["landscapes"]


def _two_meanings(path: tuple[str, ...], label: str) -> str:
    return (
        f"{label!r} is a landscape, and a key of {'.'.join(path)} too; give the landscape another label"
    )


def _of_map(path: tuple[str, ...], draft: Draft) -> Iterator[Mistake]:
    """What is wrong with a value that is a map landscape label -> value."""
    values, own_keys = by_label(path, draft.data), OWN_KEYS.get(path[-1], set())
    if not values:
        return
    landscapes = draft.labels["landscapes"]
    unknown = [label for label in values if label not in (*landscapes, DEFAULT)]
    what = MEANT.get(path[0], "landscape")
    for label in unknown:
        text = f"unknown {what}; {suggest(label, [*landscapes, *sorted(own_keys)])}"
        yield Mistake((*path, label), text, at_key=True)
    if len(unknown) == len(values):  # none is named, perhaps since no map was meant
        return
    missing = [label for label in landscapes if label not in values and _used(path[0], label, draft)]
    if path[0] in ("budget", "targets") and DEFAULT not in values and missing:
        yield Mistake(path, f"no value for landscape {missing[0]!r}; name it, or give a 'default'")
    if path == ("targets",):
        yield from _of_lengths(values)


def _used(key: str, landscape: str, draft: Draft) -> bool:
    """Whether an optimizer runs on a landscape without a value of its own in place of the study's."""
    for entry in map(mapping, draft.entries("optimizers").values()):
        own, where = {**entry, **mapping_at(("on", landscape), entry)}, entry.get("only")
        if own.get(key) is None and (not isinstance(where, list) or landscape in where):
            return True
    return False


def _of_lengths(targets: Data) -> Iterator[Mistake]:
    """Every landscape has as many targets as the others."""
    lists = {label: mapping(value).get("values", value) for label, value in targets.items()}
    lengths = {label: len(values) for label, values in lists.items() if isinstance(values, list)}
    if len(set(lengths.values())) > 1:
        counted = ", ".join(f"{label}: {length}" for label, length in lengths.items())
        yield Mistake(("targets",), f"expected lists of equal lengths, got {counted}")


def _of_variants(label: str, entry: Data, draft: Draft) -> Iterator[Mistake]:
    """What is wrong with the keys of `grid` and `on`; their values are checked where they are used."""
    cls = draft.classes["optimizers"].get(str(entry.get("kind")))
    if cls is None:
        return
    path, grid, on = ("optimizers", label), mapping(entry.get("grid")), mapping(entry.get("on"))
    for landscape, parameters in on.items():
        place = (*path, "on", landscape)
        if landscape not in draft.labels["landscapes"]:
            text = f"unknown landscape; {suggest(landscape, draft.labels['landscapes'])}"
            yield Mistake(place, text, at_key=True)
        for key in mapping(parameters):
            if key in grid:
                yield Mistake((*place, key), "is in grid too; give it in one of the two", at_key=True)
    yield from only.unused(label, entry)
    names = [*fields.parameter_names(cls), *fields.OF_ARMS]
    keyed = {("grid",): grid} | {("on", landscape): mapping(given) for landscape, given in on.items()}
    for where, parameters in keyed.items():
        yield from _unknown_keys((*path, *where), parameters, names, entry["kind"])


def _unknown_keys(path: Path, parameters: Data, names: list[str], kind: str) -> Iterator[Mistake]:
    """Keys that are no parameters of the kind; they are taken out.

    Args:
        path: of the mapping.
        parameters: the mapping.
        names: of the kind's parameters.
        kind: of the optimizer.
    """
    for key in [key for key in parameters if key not in names]:
        del parameters[key]
        yield Mistake((*path, key), f"unknown key for {kind}; {suggest(key, names)}", at_key=True)


def _of_variant_names(draft: Draft) -> Iterator[Mistake]:
    """No variant of a grid has the label of another optimizer."""
    grids = {
        label: mapping(mapping(entry).get("grid"))
        for label, entry in draft.entries("optimizers").items()
    }
    grids = {
        label: grid for label, grid in grids.items() if all(isinstance(v, list) for v in grid.values())
    }
    for variant in variants({label: {"grid": grid} for label, grid in grids.items()}, landscape=""):
        if variant.name in grids and variant.name != variant.label:
            text = f"the grid of {variant.label!r} has a variant of this name; choose another label"
            yield Mistake(("optimizers", variant.name), text, at_key=True)
