"""`start:` of a landscape or an optimizer: where searches begin (`landscapes.starts`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, Field, model_validator

from landscapes.base import Bits, Landscape, Letters, Reals
from landscapes.starts import LAWS, root
from studies.study_file.document import Mistake, Mistaken, Path
from studies.study_file.values import OR_FORMULA, Strict
from studies.text.shapes import Data, Json
from studies.text.words import nearest

WORDS = ("uniform", "wild_type")  # laws without numbers
ON_BITS = ("uniform", "wild_type", "point", "frequencies")
ON_LETTERS = ("uniform", "wild_type", "point")
ON_REALS = ("uniform", "point", "gaussian")
Number = Annotated[float, OR_FORMULA]
Numbers = Number | list[Number]  # one for all coordinates, or one for each


class Gaussian(Strict):
    """A normal distribution of starting points."""

    mean: Numbers = Field(default=0.0, description="a number, or one for each coordinate")
    covariance: Numbers | list[list[Number]] = Field(
        default=1.0, description="a variance, one for each coordinate, or a matrix"
    )


class StartModel(Strict):
    """Where searches start: one of the laws."""

    uniform: Literal[True] | None = Field(
        default=None, description="in the box of starts, or each allele, or letter, as likely"
    )
    wild_type: Literal[True] | None = Field(default=None, description="the genotype of zeros")
    point: Numbers | None = Field(default=None, description="a number, or one for each coordinate")
    frequencies: Numbers | None = Field(
        default=None, description="chance of a 1 at each locus, or one for each"
    )
    gaussian: Gaussian | None = Field(default=None, description="{mean, covariance}")
    shared: bool = Field(default=False, description="all worlds start alike, with the draws of world 0")

    @model_validator(mode="after")
    def _one_law(self) -> Self:
        if len(self.laws) != 1:
            raise ValueError(f"expected one of {', '.join(LAWS)}, got {', '.join(self.laws) or 'none'}")
        return self

    @property
    def laws(self) -> list[str]:
        """Those that are given."""
        return [name for name in LAWS if getattr(self, name) is not None]


def _as_mapping(value: object) -> object:
    """A law without numbers, given by its name alone."""
    if not isinstance(value, str):
        return value
    if value not in WORDS:
        near = nearest(value, LAWS)
        others = f"{' or '.join(WORDS)}, or a mapping of one law"
        raise ValueError(f"expected {near if near in WORDS else f'{{{near}: ..}}' if near else others}")
    return {value: True}


Start = Annotated[
    StartModel,
    BeforeValidator(_as_mapping, json_schema_input_type=Literal["uniform", "wild_type"] | StartModel),
]
ABOUT = (
    "where searches start: uniform, wild_type, {point: ..}, {frequencies: ..} or {gaussian: {mean,"
    " covariance}}, with shared: true in all worlds alike"
)


def of_arm(entries: Sequence[tuple[Path, BaseModel]], landscape: Landscape, label: str) -> Data | None:
    """The start of the first entry that has one, as a task holds it; None: the landscape's own.

    Args:
        entries: with their paths.
        landscape: of the arm, not bound.
        label: of the landscape.
    """
    laws = (law_of(getattr(entry, "start", None), path, landscape, label) for path, entry in entries)
    return next((law for law in laws if law is not None), None)


def law_of(given: StartModel | None, path: Path, landscape: Landscape, label: str) -> Data | None:
    """A start as a task holds it, checked against the landscape; None where there is none.

    Args:
        given: the start.
        path: of the entry that gives it.
        landscape: on which it is, not bound.
        label: of the landscape.

    Raises:
        Mistaken: it does not fit.
    """
    if given is None:
        return None
    (name,) = given.laws
    law = given.model_dump(mode="json", exclude_none=True)
    what, fitting = _laws_on(landscape)
    if name not in fitting:
        text = f"landscape {label!r} is on {what}, where a start is {' or '.join(fitting)}"
        raise Mistaken(Mistake((*path, "start"), text))
    try:
        _check(name, law[name], landscape)
    except ValueError as error:
        raise Mistaken(Mistake((*path, "start", name), f"{error} (landscape {label!r})")) from error
    return law


def _laws_on(landscape: Landscape) -> tuple[str, tuple[str, ...]]:
    """What a landscape is on, and the laws that fit."""
    if isinstance(landscape.domain, Letters):
        return "letters", ON_LETTERS
    return ("bits", ON_BITS) if isinstance(landscape.domain, Bits) else ("reals", ON_REALS)


def _check(name: str, numbers: Json, landscape: Landscape) -> None:
    """Raise where the numbers of a law do not fit."""
    if isinstance(numbers, dict):
        root(numbers["covariance"], landscape.dim)
        numbers = numbers["mean"]
    values = np.asarray(numbers, float)
    if values.size not in (1, landscape.dim):
        raise ValueError(f"expected a number, or {landscape.dim} of them, got {values.size}")
    low, high = _ends(landscape)
    if name == "point" and not isinstance(landscape.domain, Reals):
        _check_whole(landscape, values)
    if not ((low <= values) & (values <= high)).all():
        raise ValueError(f"expected numbers from {low:g} to {high:g}")


def _check_whole(landscape: Landscape, values: np.ndarray) -> None:
    """Raise where the numbers of a genotype are none."""
    if isinstance(landscape.domain, Letters):
        sizes = np.array(landscape.domain.sizes)
        if not ((values >= 0) & (values < sizes) & (values == np.floor(values))).all():
            raise ValueError(
                f"expected numbers of letters, whole ones from 0 to below {sizes.tolist()}"
            )
    elif not np.isin(values, (0, 1)).all():
        raise ValueError("expected bits, 0 or 1")


def _ends(landscape: Landscape) -> tuple[float, float]:
    """Between which a coordinate, or the chance of a 1, may lie."""
    box = landscape.domain
    if isinstance(box, Reals) and box.bounded:
        return box.low, box.high
    return (0.0, 1.0) if isinstance(box, Bits) else (-np.inf, np.inf)
