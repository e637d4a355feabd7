"""True slopes of the loss where a step begins: the gradients that a step is held against, and the curvature.

On bits the loss is the multilinear extension at the allele frequencies, whose slope at a genotype is the
difference that each locus makes. All of it is noise-free and unbilled, over all terms.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from landscapes.base import Landscape, Reals
from landscapes.numerics import norm
from landscapes.oracle.evaluation import evaluate
from landscapes.streams import Streams

DENSE = 128  # coordinates up to which the whole Hessian is measured
ROUNDS = 7  # times that the Krylov space grows


class Slopes:
    """Gradients and curvature of R bound worlds at one time.

    Args:
        landscape: bound to the worlds.
        time: (R,) of a moving landscape, else None.
        dtype: of real points.
        limit: coordinates (numbers) that one evaluation may hold.
    """

    def __init__(
        self, landscape: Landscape, time: Tensor | None, dtype: torch.dtype, limit: int
    ) -> None:
        self.landscape, self.time, self.dtype, self.limit = landscape, time, dtype, limit
        width = (
            landscape.domain.high - landscape.domain.low if isinstance(landscape.domain, Reals) else 1.0
        )
        self.nudge = (
            torch.finfo(dtype).eps ** (1 / 3) * width / 2
        )  # where a central difference errs least

    def gradient(self, x: Tensor) -> Tensor:
        """The gradient at points x (R, P, D): (R, P, D) float64, some at a time."""
        size = max(1, self.limit // (x.shape[0] * x.shape[2] * self.landscape.unit_cost))
        return torch.cat([self._gradient(part) for part in x.to(self.dtype).split(size, 1)], 1)

    def _gradient(self, x: Tensor) -> Tensor:
        if isinstance(self.landscape.domain, Reals):
            slope = evaluate(self.landscape, x, gradient=True, time=self.time).gradient
        else:
            with torch.enable_grad():
                p = x.detach().requires_grad_()
                (slope,) = torch.autograd.grad(self.landscape.extension(p, None, self.time).sum(), p)
        assert slope is not None  # noqa: S101 - for the type checker
        return slope.double()

    def bend(self, center: Tensor, directions: Tensor) -> Tensor:
        """The Hessian at center (R, D) times directions (R, q, D), by central differences of gradients."""
        length = norm(directions)[..., None]
        unit = directions / length.where(length > 0, 1.0)
        ahead, behind = self.gradient(
            torch.cat([center[:, None] + self.nudge * unit, center[:, None] - self.nudge * unit], 1)
        ).chunk(2, 1)
        return (ahead - behind) / (2 * self.nudge) * length

    def steepest(self, center: Tensor, count: int, streams: Streams) -> tuple[Tensor, Tensor]:
        """The q eigenvalues (R, q) of largest size of the Hessian at center (R, D); unit vectors (R, q, D).

        Up to 128 coordinates from the whole Hessian, beyond, to about a percent, from a Krylov space. Where
        D < q the rest is NaN and 0.
        """
        whole = center.shape[1] <= DENSE
        basis = every_direction(center) if whole else self._krylov(center, count + 2, streams)
        small = basis @ self.bend(center, basis).mT  # (R, K, K) the Hessian on the span of the basis
        finite = small.isfinite().all((1, 2))
        values, vectors = _eigen(small.where(finite[:, None, None], 0.0), count)
        missing = (0, count - values.shape[1])
        values = pad(values, missing, value=torch.nan).where(finite[:, None], torch.nan)
        return values, pad(vectors @ basis, (0, 0, *missing)).where(finite[:, None, None], 0.0)

    def _krylov(self, center: Tensor, size: int, streams: Streams) -> Tensor:
        """Orthonormal vectors (R, K, D) that span a block Krylov space of the Hessian at center (R, D).

        It grows from directions drawn at source "ledger", so many in a block (Musco and Musco 2015, NeurIPS).
        """
        blocks = [_orthonormal(streams.normal("ledger", (size, center.shape[1])).double())]
        for _ in range(ROUNDS):
            blocks.append(_orthonormal(self.bend(center, blocks[-1])))
        return _orthonormal(torch.cat(blocks, 1))


def every_direction(center: Tensor) -> Tensor:
    """The unit vectors (R, D, D) of the coordinates of centers (R, D)."""
    worlds, dim = center.shape
    return torch.eye(dim, dtype=torch.float64, device=center.device).expand(worlds, -1, -1)


def _eigen(matrix: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Eigenvalues (R, q) of largest size of matrices (R, K, K), and unit vectors (R, q, K); q <= count."""
    values, vectors = torch.linalg.eigh((matrix + matrix.mT) / 2)
    order = values.abs().argsort(dim=1, descending=True)[:, :count]
    return values.gather(1, order), vectors.mT.gather(
        1, order[..., None].expand(-1, -1, vectors.shape[-1])
    )


def _orthonormal(rows: Tensor) -> Tensor:
    """Orthonormal vectors (R, K, D) that span the rows (R, K, D)."""
    return torch.linalg.qr(torch.where(rows.isfinite(), rows, 0.0).mT).Q.mT
