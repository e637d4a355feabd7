"""What a landscape promises, tried on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import torch

from landscapes.base import Landscape, Reals
from landscapes.oracle.noise import dropout_of
from landscapes.streams import Streams
from studies.cells import contract
from studies.cells.landscape_guards import Bound, author, check_bind
from studies.check.promises import ALONE, SEED, WORLDS, Check

OTHER = "gives another landscape when bound again to the same worlds; draw its tables from the streams"


class LandscapeTrial:
    """A landscape bound to some worlds, and to one of them alone.

    Args:
        made: the landscape.
        dtype: precision.
    """

    def __init__(self, made: Landscape, dtype: torch.dtype) -> None:
        self.made, self.dtype = made, dtype
        worlds = torch.tensor([WORLDS[ALONE], *WORLDS[:ALONE]])
        self.few = Streams(seed=SEED, worlds=worlds, dtype=dtype)
        self.single = self.few.subset(worlds[:1])

    def checks(self) -> Iterator[Check]:
        """What it promises."""
        yield "shapes, draws, nothing in place, a world alone", partial(self.contract, gradient=False)
        if self.made.sloped and isinstance(self.made.domain, Reals):
            yield "the same of its gradient", partial(self.contract, gradient=True)
        yield "bound twice it is the same", self.twice
        yield "tensors stay on their device", self.on_its_device

    def contract(self, *, gradient: bool) -> str:
        """As the guards of a study hold it."""
        check_bind(self.made, self.single)
        bound, alone = self.made.bind(self.few), self.made.bind(self.single)
        Bound(bound, alone, self.few, self.single, author(self.made)).check(gradient=gradient)
        return ""

    def twice(self) -> str:
        """Its tables follow from the worlds."""
        first, second = self.values(self.few.device), self.values(self.few.device)
        if not torch.equal(first, second):
            raise contract.Method(self.made, "bind").broken(OTHER)
        return ""

    def on_its_device(self) -> str:
        """On a device that holds no numbers, or a GPU where there is one, nothing comes from the CPU."""
        return contract.on_a_device(self.values)

    def values(self, device: str | torch.device) -> torch.Tensor:
        """The losses of some points on a device, as an oracle sees them."""
        streams = replace(self.few, device=device)
        landscape = self.made.bind(streams)
        points = landscape.start(streams.at(0), 2)
        if landscape.drops:
            landscape = landscape.dropping(dropout_of(points.shape[1], streams.at(1)))
        return landscape.loss(points)
