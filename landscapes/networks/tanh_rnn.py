"""A tanh recurrent network on the adding problem: remember two numbers of a long sequence and add them.

h_t = tanh(V x_t + W h_{t-1} + b), h_0 = 0, output a . h_T + c, loss the squared error. x_t = (value, marker):
values uniform on [0, 1), a marker of 1 at one place in each half, 0 elsewhere; the target is the sum of the
two marked values (Hochreiter and Schmidhuber 1997, "Long short-term memory", Neural Computation 9, section
5.4). To answer 1 whatever comes has a mean loss of 1/6.

Streams: "init" (weights), "instance" (part 0 values, 1 and 2 the marked places).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms, per_instance
from landscapes.checks import UNBOUND, check_bound, check_points
from landscapes.networks.layers import by_worlds, dense, deviations, total
from landscapes.numerics import dot
from landscapes.streams import Streams


@dataclass(frozen=True, kw_only=True)
class TanhRNN(Landscape):
    """Training loss of a tanh recurrent network on the adding problem.

    A long memory, exploding and vanishing gradients.

    A point holds V (units x 2), W (units x units), b, a, c in this order, matrices row by row. Terms are the
    sequences, which are generated for each instance; as many more are held out.

    Source: Hochreiter and Schmidhuber 1997 for the task; Pascanu, Mikolov and Bengio 2013 for its gradients.

    Args:
        units: hidden units, >= 1; D = units^2 + 4 units + 1.
        steps: length of a sequence, >= 2.
        sequences: M, the training sequences, >= 1.
        gain: W starts normal with standard deviation gain / sqrt(units), >= 0; above 1 gradients tend to
            explode.
    """

    name: ClassVar[str] = "tanh_rnn"
    extras: ClassVar = {"test_loss": ("held-out loss", "1")}
    units: Annotated[int, Ge(1)] = 16
    steps: Annotated[int, Ge(2)] = 30
    sequences: Annotated[int, Ge(1)] = 256
    gain: Annotated[float, Ge(0)] = 1.0
    # (R, 2 M, 2, T) values and markers, the held-out ones last
    inputs: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    targets: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, 2 M)
    # (R, D) standard deviations of the starts
    scale: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)

    @property
    def dim(self) -> int:
        """The weights and biases."""
        return sum(self._sizes)

    @property
    def domain(self) -> Domain:
        """All reals; starts have their own law."""
        return Reals(-1.0, 1.0)

    @property
    def terms(self) -> int:
        """The training sequences."""
        return self.sequences

    def bind(self, streams: Streams) -> Self:
        """Generate the sequences."""
        inputs = per_instance(streams, self._sequences)
        each = (0.5**0.5, self.gain / self.units**0.5, 0.0, self.units**-0.5, 0.0)
        scale = deviations(streams, [*zip(self._sizes, each, strict=True)])
        return self.bound(
            inputs=inputs,
            targets=per_instance(streams, lambda s: dot(*self._sequences(s).unbind(2))),
            scale=scale.expand(streams.size, -1),
        )

    def start(self, streams: Streams, n: int) -> Tensor:
        """Weights normal with variance 1 / fan-in (W: gain^2 / fan-in), biases 0: (R, n, D)."""
        return self.scale[:, None] * streams.normal("init", (n, self.dim))

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Mean squared error of networks x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.inputs)
        shape = (len(x), 1, self.sequences)
        index, weight = (
            (torch.arange(self.sequences, device=x.device).expand(shape), None)
            if terms is None
            else terms
        )
        return by_worlds(
            self._error,
            x.shape[1] * self.units * self.steps * index.shape[-1],
            x,
            index,
            weight,
            self.inputs,
            self.targets,
        )

    def measures(self, x: Tensor) -> dict[str, Tensor]:
        """Loss on the held-out sequences of networks x (R, D)."""
        index = torch.arange(self.sequences, 2 * self.sequences, device=x.device).expand(len(x), 1, -1)
        return {"test_loss": self._error(x[:, None], index, None, self.inputs, self.targets)[:, 0]}

    @property
    def _sizes(self) -> tuple[int, ...]:
        return (2 * self.units, self.units**2, self.units, self.units, 1)

    def _sequences(self, streams: Streams) -> Tensor:
        """(R, 2 M, 2, T)."""
        count, half = 2 * self.sequences, self.steps // 2
        values = streams.uniform("instance", (count, self.steps))
        early = streams.integers("instance", half, (count,), part=1)
        late = half + streams.integers("instance", self.steps - half, (count,), part=2)
        place = torch.arange(self.steps, device=values.device)
        return torch.stack(
            (values, ((place == early[..., None]) | (place == late[..., None])).to(values.dtype)), 2
        )

    def _error(
        self, x: Tensor, index: Tensor, weight: Tensor | None, inputs: Tensor, targets: Tensor
    ) -> Tensor:
        """Weighted sum over sequences, or their mean, (R, P)."""
        rows = torch.arange(len(x), device=x.device)[:, None, None]
        miss = self._outputs(x, inputs[rows, index]) - targets[rows, index]
        return total(miss * miss, weight)

    def _outputs(self, x: Tensor, inputs: Tensor) -> Tensor:
        """Networks x (R, P, D), sequences (R, 1 | P, B, 2, T) -> (R, P, B)."""
        v, w, b, a, c = x.split(self._sizes, -1)
        size, steps = inputs.shape[2], inputs.shape[-1]
        # (R, P, units, T, B)
        driven = (dense(v, inputs.permute(0, 1, 3, 4, 2).flatten(-2)) + b[..., None]).unflatten(
            -1, (steps, size)
        )
        h = driven[..., 0, :].tanh()
        for step in range(1, steps):
            h = (dense(w, h) + driven[..., step, :]).tanh()
        return dense(a, h)[..., 0, :] + c
