"""Any torch module as a landscape: its parameters are the point, its loss on the user's data is the height.

The networks of R x P points run at once (`landscapes.networks.vmapped`, which says why a world has the same
bits in any batch).

Streams: "init" (the module's own initialisation: torch's generator is seeded for each world and point),
"instance" (buffers and frozen parameters, where the module has any). Data that the user's code draws at
random from torch's generator are the same in every process.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from landscapes.base import Domain, Dropout, Landscape, Reals, Terms, per_instance
from landscapes.checks import UNBOUND, check_bound, check_points
from landscapes.keyed import further
from landscapes.networks import functional as parts
from landscapes.networks.batch_losses import of_batches
from landscapes.networks.criteria import criterion, per_example, right
from landscapes.networks.dropout import Dropping
from landscapes.networks.functional import Skeleton, skeleton
from landscapes.networks.import_paths import digest, examples, placed
from landscapes.networks.layers import total
from landscapes.networks.precheck import Trial, trial
from landscapes.networks.vmapped import Networks, each_example
from landscapes.streams import Streams

DATA, HELD_OUT = "module.data", "module.held_out"


@dataclass(frozen=True, kw_only=True)
class TorchModule(Landscape):
    """Any torch module, loss and data that you name.

    Its training loss over its weights, its own initialisation as the start.

    A point holds the parameters that require gradients, flattened in the order of `module.parameters()`.
    Terms are the examples; the loss is the mean of theirs. Where the loss of an example depends on who else
    is in the batch, as with batch norm in train mode, `additive` is False: statistics are those of the batch,
    in a measure those of the held-out data; running ones are not kept.

    Dropout in train mode is noise of what an oracle answers (source "dropout"): each point drops its own
    units, of each example its own. The loss itself, recommendations and measures are without it. Where a
    layer drops what examples share, such as a weight, `additive` is False.

    Source: any; the module is run by torch's `functional_call` and `vmap`.

    Args:
        module: import path "package.file:name" of a Module class, or of a function that returns a Module.
        arguments: its keyword arguments, as JSON can hold them.
        criterion: the loss: a name of torch.nn.functional, such as cross_entropy or mse, or the import path
            of a function of outputs (B, ...) and targets (B, ...) that returns a loss for each example, (B,)
            or (B, ...) to be averaged.
        data: import path of the examples: a pair of tensors (inputs, targets), a torch Dataset of such pairs
            (read once), or a function that returns one of these.
        held_out: import path of held-out examples, likewise; null: none.
    """

    name: ClassVar[str] = "module"
    module: str = "landscapes.networks.example:network"
    arguments: dict[str, Any] = field(default_factory=dict)
    criterion: str = "cross_entropy"
    data: str = "landscapes.networks.example:train"
    held_out: str | None = None
    # (R, C) float64 buffers and frozen parameters
    constants: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # what a query drops; None: nothing
    dropout: Dropout | None = field(init=False, repr=False, compare=False, default=None)

    def check(self) -> None:
        """Import everything and run two examples."""
        self._tried(DATA, self.data)
        if self.held_out is not None:
            self._tried(HELD_OUT, self.held_out)

    @property
    def dim(self) -> int:
        """The trained weights."""
        return self._skeleton.dim

    @property
    def domain(self) -> Domain:
        """All reals; starts have their own law."""
        return Reals(-1.0, 1.0)

    @property
    def terms(self) -> int:
        """The training examples."""
        return len(examples(DATA, self.data)[0])

    @property
    def additive(self) -> bool:
        """Whether neither module nor loss looks across the examples of a batch."""
        return self._skeleton.alone and self._tried(DATA, self.data).alone

    @property
    def drops(self) -> bool:
        """Whether the module has dropout in train mode."""
        return bool(self._tried(DATA, self.data).axes)

    def dropping(self, dropout: Dropout) -> Self:
        """The network with these units dropped."""
        return self.bound(dropout=dropout)

    @property
    def smallest_batch(self) -> int:
        """A batch has a variance from 2 examples on."""
        return 1 if self.additive else 2

    @property
    def extras(self) -> Mapping[str, tuple[str, str]]:  # type: ignore[override]
        """Held-out measures, where there are held-out examples."""
        if self.held_out is None:
            return {}
        loss = {"held_out_loss": ("held-out loss", "1")}
        accuracy = {"held_out_accuracy": ("held-out accuracy", "1")}
        return loss | accuracy if self._tried(DATA, self.data).classes else loss

    @property
    def code(self) -> tuple[str, ...]:
        """The modules of every import path."""
        paths = (self.module, self.criterion, self.data, self.held_out or "")
        return tuple(sorted({path.partition(":")[0] for path in paths if ":" in path}))

    @property
    def fingerprint(self) -> str:
        """Digest of the examples."""
        return digest(DATA, self.data) + (
            "" if self.held_out is None else digest(HELD_OUT, self.held_out)
        )

    def bind(self, streams: Streams) -> Self:
        """Draw the buffers and frozen parameters, where there are any."""
        if not self._skeleton.constants:
            return self
        return self.bound(
            constants=per_instance(
                streams, lambda s: s.foreign("instance", 1, lambda: parts.constants(self._made()))[:, 0]
            )
        )

    def start(self, streams: Streams, n: int) -> Tensor:
        """The module's own initialisation, (R, n, D); torch draws it in its default dtype."""
        return streams.foreign("init", n, lambda: parts.trained(self._made())).to(streams.dtype)

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Training loss of networks x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        if self._skeleton.constants:
            check_bound(self.name, x, self.constants)
        networks = self._networks(x)
        if terms is None:
            return total(self._losses(networks, None).view(*x.shape[:2], -1), None)
        index = terms.index.expand(*x.shape[:2], -1).flatten(0, 1)
        if self.additive:
            return total(self._losses(networks, index).view(*x.shape[:2], -1), terms.weight)
        weight = terms.weight.expand(*x.shape[:2], -1).flatten(0, 1)

        def mean(points: Tensor, index: Tensor, rows: Tensor) -> Tensor:
            seen = Networks(points[:, 0], *(part[rows] for part in networks[1:]))
            return self._losses(seen, index[:, 0]).mean(-1, keepdim=True)

        each = Terms(index[:, None], weight[:, None])
        return of_batches(self, mean, networks.points[:, None], each).view(x.shape[:2])

    def measures(self, x: Tensor) -> dict[str, Tensor]:
        """Loss, and accuracy where targets are classes, on the held-out examples of networks x (R, D)."""
        if self.held_out is None:
            return {}
        networks = self._networks(x[:, None])
        data = placed(HELD_OUT, self.held_out, x.dtype, x.device)
        named = {"held_out_loss": self._loss_of, "held_out_accuracy": right}
        return {name: self._each(networks, named[name], data, None).mean(-1) for name in self.extras}

    @property
    def _arguments(self) -> str:
        try:
            return json.dumps(self.arguments, sort_keys=True)
        except TypeError as error:
            raise ValueError(f"module.arguments: expected what JSON can hold: {error}") from error

    @property
    def _skeleton(self) -> Skeleton:
        return skeleton(self.module, self._arguments)

    def _tried(self, field: str, path: str) -> Trial:
        return trial(self.module, self._arguments, self.criterion, field, path)

    def _made(self) -> nn.Module:
        return parts.make(self.module, self._arguments)

    def _loss_of(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return per_example(criterion(self.criterion)(outputs, targets))

    def _losses(self, networks: Networks, index: Tensor | None) -> Tensor:
        """The loss of each example (V, B): those of index (V, B), or all."""
        data = placed(DATA, self.data, networks.points.dtype, networks.points.device)
        return self._each(networks, self._loss_of, data, index)

    def _networks(self, x: Tensor) -> Networks:
        """Points x (R, P, D) as R P networks; their keys (R P, 1, 5) are those of points yet."""
        count = x.shape[1]
        constants = self.constants if self._skeleton.constants else x.new_empty((len(x), 0))
        keys = torch.empty((*x.shape[:2], 0, 5), dtype=torch.int64, device=x.device)
        if self.dropout is not None:
            keys = self.dropout.key[:, :, None]
        return Networks(x.flatten(0, 1), constants.repeat_interleave(count, 0), keys.flatten(0, 1))

    def _each(
        self,
        networks: Networks,
        score: Callable,
        data: tuple[Tensor, Tensor],
        index: Tensor | None,
    ) -> Tensor:
        """score(outputs, targets) of each example.

        V networks, examples index (V, B) or None for all -> (V, B).
        """
        tried, together = self._tried(DATA, self.data), not self.additive
        size = len(data[0]) if index is None else index.shape[-1]
        seen = networks._replace(keys=self._of_examples(networks.keys, 1 if together else size))

        def one(point: Tensor, constants: Tensor, keys: Tensor, *pair: Tensor) -> Tensor:
            dropping = Dropping(keys, tried.axes) if tried.axes else None
            inputs, targets = pair
            return score(self._skeleton.outputs(point, constants, inputs, dropping), targets)

        return each_example(one, seen, data, index, tried.elements, together=together)

    def _of_examples(self, keys: Tensor, count: int) -> Tensor:
        """Keys (V, 1, 5) of points -> (V, count, 5) of their examples; none where there are none."""
        if self.dropout is None:
            return keys
        places = torch.arange(count, device=keys.device) + self.dropout.place
        return further(keys[:, 0], places)
