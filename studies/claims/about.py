"""The arms that a law is about: those that its quantities name, or every one where they leave it open."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from xarray import DataArray, Dataset

from studies.analysis.comparison.paired import same_worlds
from studies.analysis.quantities.parts import selections
from studies.claims.asked import Asked
from studies.text.shapes import Data


class Arm(NamedTuple):
    """Labels of a landscape, and of an optimizer on it."""

    landscape: str
    optimizer: str


Arms = list[Arm]


@dataclass(frozen=True)
class Quantities:
    """All that a law asks for together: what is observed, and what it is held against.

    Args:
        asked: the quantities.
    """

    asked: Sequence[Asked]

    @functools.cached_property
    def dims(self) -> set[str]:
        """The dims of arms: not those from which the quantities choose themselves."""
        return {dim for each in self.asked for dim in each.dims}

    @functools.cached_property
    def said(self) -> list[Data]:
        """What the numbers of the quantities say of themselves: landscape, optimizer, values of axes."""
        return [said for each in self.asked for said in selections(each.tree)]

    def arms(self, landscapes: Sequence[str], optimizers: Sequence[str], every: Data) -> Iterator[Arms]:
        """Those of one judgement after the other: together where the quantities name them.

        Args:
            landscapes: labels that are meant; none: all.
            optimizers: likewise.
            every: landscape and optimizer -> all labels.
        """
        wanted = {"landscape": list(landscapes), "optimizer": list(optimizers)}
        open_to = [wanted[key] or every[key] if self._open(key) else [None] for key in Arm._fields]
        for chosen in itertools.product(*open_to):
            here = dict(zip(Arm._fields, chosen, strict=True))
            named = (Arm(*(said.get(key, here[key]) for key in here)) for said in self.said)
            arms = list(dict.fromkeys(named))
            for key, label in here.items():
                arms = _meant(arms, key, [label] if label else wanted[key])
            yield arms

    def _open(self, key: str) -> bool:
        """Whether a quantity does not say its own landscape, or optimizer."""
        return any(key not in said for said in self.said)


def _meant(arms: Arms, key: str, labels: Sequence[str]) -> Arms:
    """The arms with these labels, all where there are none; arms with other labels are put at these."""
    there = [arm for arm in arms if getattr(arm, key) in labels or not labels]
    return there or [arm._replace(**{key: label}) for arm in arms for label in labels]


def at_arms(dataset: Dataset, arms: Arms) -> Dataset:
    """The results of some arms along the dim `optimizer`.

    The coordinate `landscape` is one label, or lies along that dim too.
    """
    landscapes, optimizers = (list(dict.fromkeys(labels)) for labels in zip(*arms, strict=True))
    if len(landscapes) > 1:
        data = dataset.isel({
            key: DataArray([_place(dataset, key, getattr(arm, key)) for arm in arms], dims="optimizer")
            for key in Arm._fields
        })
    else:
        data = dataset.sel(landscape=landscapes[0], optimizer=optimizers)
    if len(optimizers) > 1:
        same_worlds(data)
    return data


def _place(dataset: Dataset, key: str, label: str) -> int:
    return dataset[key].values.tolist().index(label)


def arms_of(data: Dataset) -> Arms:
    """The arms of such results."""
    pairs = np.broadcast(data["landscape"].values, data["optimizer"].values)
    return [Arm(*map(str, pair)) for pair in pairs]
