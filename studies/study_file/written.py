"""An entry of a study as it is written for one arm: its values, and its formulas with what they may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from landscapes.parameters import Parameters
from studies.study_file import fields, formulas
from studies.study_file.arm import LandscapeOf
from studies.study_file.document import Path
from studies.study_file.formulas import Formulas, Names
from studies.study_file.variants import Variant


class Written(NamedTuple):
    """An entry for one arm."""

    path: Path  # of the entry
    raw: dict[str, Any]  # kind and parameters that are no formulas
    texts: Mapping[str, str] = {}  # parameter -> formula
    moved: Mapping[
        Path, Path
    ] = {}  # where a formula would stand in the entry -> where it stands in the study


def landscape(every: Formulas, label: str, raw: dict[str, Any]) -> Written:
    """A landscape; a parameter that the sweep sets is its value, whatever formula the entry has.

    Args:
        every: the formulas of the study.
        label: of the landscape.
        raw: its entry, without formulas.
    """
    path: Path = ("landscapes", label)
    return Written(path, raw, _without(raw, formulas.of_entry(every, path)))


def optimizer(every: Formulas, variant: Variant, label: str) -> Written:
    """A variant on a landscape: formulas under `on` go before those of the entry, its grid before both.

    Args:
        every: the formulas of the study.
        variant: of the optimizer.
        label: of the landscape.
    """
    path, raw = variant.path, dict(variant.entry)
    here = (*path, "on", label)
    on = {
        name: text
        for name, text in formulas.of_entry(every, here).items()
        if (*path, name) not in variant.where  # in its grid
    }
    texts = _without(raw, formulas.of_entry(every, path)) | on
    return Written(path, raw, texts, {(*path, name): (*here, name) for name in on})


def names_of(ground: LandscapeOf, noise: Mapping[str, Any]) -> Names:
    """What the formulas of an optimizer may use of a landscape and of the noise of its answers."""
    return {
        **formulas.named("noise", formulas.numbers_of_noise(noise, ground.made.terms)),
        **formulas.named("landscape", formulas.numbers_of_landscape(ground)),
    }


def filled(written: Written, cls: type[Parameters], names: Names) -> dict[str, Any]:
    """Kind and parameters, with the values of the formulas.

    Args:
        written: the entry.
        cls: its class.
        names: what formulas may use beside the other numbers of the entry.

    Raises:
        ValueError: "PARAMETER: why" of the first formula that has no value.
    """  # noqa: DOC502
    around = {**names, **formulas.own_numbers(written.raw, cls, without=written.texts)}
    return written.raw | formulas.resolved(written.texts, fields.numbers(cls), around)


def _without(given: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if name not in given}
