"""What is wrong with a `match:` section."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from landscapes.base import Bits, Landscape
from landscapes.parameters import Parameters
from landscapes.wrappers.relaxation import Relaxation
from studies import registry
from studies.study_file import fields, sections
from studies.study_file.axes import Axis
from studies.study_file.document import Mistake, Path
from studies.study_file.fields import numbers
from studies.text.words import suggest

if TYPE_CHECKING:
    from studies.study_file.arm import Arm


SEVERAL = "has a grid, so it is several arms; give one value of each parameter"


# what is wrong with a request -------------------------------------------------------------------------------


def mistakes(
    match: sections.MatchModel,
    labels: Sequence[str],
    data: Mapping[str, Any],
    classes: Mapping[str, type[Parameters]],
    axes: Iterable[Axis],
) -> Iterator[Mistake]:
    """What is wrong with the labels and parameters of a `match`.

    Args:
        match: what is asked.
        labels: of the study's optimizers.
        data: label -> entry of those that have no mistakes of their own.
        classes: kind -> class.
        axes: what is swept.
    """
    if match.reference not in labels:
        yield Mistake(("match", "reference"), f"unknown optimizer; {suggest(match.reference, labels)}")
    elif data.get(match.reference, {}).get("grid"):
        yield Mistake(("match", "reference"), f"{match.reference} {SEVERAL}")
    for label, ranges in match.vary.items():
        path: Path = ("match", "vary", label)
        if label == match.reference:
            yield Mistake(path, "is the reference itself", at_key=True)
        elif label not in labels:
            yield Mistake(path, f"unknown optimizer; {suggest(label, labels)}", at_key=True)
        elif label in data:
            yield from _of_parameter((*path, *ranges), data[label], classes[data[label]["kind"]], axes)


def _of_parameter(
    path: Path, entry: Mapping[str, Any], cls: type[Parameters], axes: Iterable[Axis]
) -> Iterator[Mistake]:
    label, name = map(str, path[2:])
    names, known = fields.parameter_names(cls), numbers(cls)
    if name not in names:
        yield Mistake(path, f"unknown key for {entry['kind']}; {suggest(name, names)}", at_key=True)
    elif name not in known:
        yield Mistake(
            path, f"is not a number, so it cannot vary; one that can: {', '.join(known)}", at_key=True
        )
    if entry.get("grid"):
        yield Mistake(path, f"{label} {SEVERAL}", at_key=True)
    settings = [
        s for axis in axes for s in axis.settings[0] if s.source[0] != "factors"
    ]  # what a factor switches off is off, found or not
    swept = {s.source[:-1]: s.path[2:] for s in settings if s.path[:2] == ("optimizers", label)}
    both = [
        where
        for where, rest in swept.items()
        if rest[:1] == (name,) or (rest[:1] == ("on",) and name in (rest[2:3] or (name,)))
    ]
    yield from (Mistake(where, "is found by match, so it cannot be swept", at_key=True) for where in both)
    for landscape in (
        () if both else (landscape for landscape, given in entry.get("on", {}).items() if name in given)
    ):
        yield Mistake(
            ("optimizers", label, "on", landscape, name), "is found by match; leave it out here", at_key=True
        )


def unknown_quantities(match: sections.MatchModel, arms: Iterable[Arm]) -> Iterator[Mistake]:
    """The arms, reference or varied, for which the noise ledger does not know the quantity."""
    told = set()
    for arm in arms:
        landscape, label = arm.coords["landscape"], arm.coords["optimizer"]
        if (
            label in match.labels
            and (landscape, label) not in told
            and (text := _not_known(match.quantity, arm))
        ):
            told.add((landscape, label))
            yield Mistake(
                ("match", "quantity"),
                f"{match.quantity} of {label} is not known on landscape {landscape!r}: {text}",
            )


def _not_known(quantity: str, arm: Arm) -> str | None:
    landscape: Landscape = registry.build(arm.landscape, "landscape")
    if arm.relaxation:
        landscape = Relaxation(inner=landscape, mode=arm.relaxation)  # type: ignore[arg-type]
    if quantity == "temperature" and not landscape.sloped:
        return "the loss has no slope there" + (
            f" with relaxation {arm.relaxation}" if arm.relaxation else ""
        )
    if quantity == "effective_population" and not isinstance(landscape.domain, Bits):
        return "it searches real numbers, which have no allele frequencies"
    return None
