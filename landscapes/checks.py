"""Points of the right shape, kind and range; the wording where they are not."""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.base import Bits, Landscape, Letters, Reals


def check_points(landscape: Landscape, x: Tensor) -> None:
    """Raise ValueError unless x is (R, P, D) of the right type, and within the box where that is bounded."""
    name, dim, domain = landscape.name, landscape.dim, landscape.domain
    if x.ndim != 3 or x.shape[-1] != dim:
        raise ValueError(f"{name}: expected points of shape (R, P, {dim}), got {tuple(x.shape)}")
    if isinstance(domain, Letters):
        check_letters(name, domain, x)
    if isinstance(domain, Bits) and x.dtype != torch.uint8:
        raise ValueError(
            f"{name}: expected bits as torch.uint8, got {x.dtype}; convert with .to(torch.uint8)"
        )
    if isinstance(domain, Reals):
        check_reals(name, x)
        if domain.bounded and not bool(((x >= domain.low) & (x <= domain.high) | x.isnan()).all()):
            raise ValueError(
                f"{name}: expected points in [{domain.low:g}, {domain.high:g}]^{dim}, got {x.min():g} .."
                f" {x.max():g}"
            )


def check_letters(name: str, domain: Letters, x: Tensor) -> None:
    """Raise ValueError unless x (R, P, D) holds the numbers of letters, as uint8."""
    if x.dtype != torch.uint8:
        raise ValueError(
            f"{name}: expected letters as torch.uint8, got {x.dtype}; convert with .to(torch.uint8)"
        )
    if bool((x >= torch.tensor(domain.sizes, device=x.device)).any()):
        raise ValueError(f"{name}: expected letters from 0 to below {domain.sizes}, got {x.max()}")


def into_box(landscape: Landscape, x: Tensor) -> tuple[Tensor, Tensor | None]:
    """Points x (R, P, D) moved into the box where that is bounded, and which were inside (R, P).

    None where every point is legal.
    """
    domain = landscape.domain
    if not (isinstance(domain, Reals) and domain.bounded):
        return x, None
    moved = x.clamp(domain.low, domain.high)
    return moved, (moved == x).all(-1)


def check_chances(landscape: Landscape, p: Tensor) -> None:
    """Raise ValueError unless p is (R, P, D), real: the chances of an `extension`."""
    if p.ndim != 3 or p.shape[-1] != landscape.dim:
        raise ValueError(
            f"{landscape.name}: expected points of shape (R, P, {landscape.dim}), got {tuple(p.shape)}"
        )
    check_reals(landscape.name, p)


def check_reals(name: str, x: Tensor) -> None:
    """Raise ValueError unless x is float32 or float64."""
    if x.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            f"{name}: expected points as torch.float32 or torch.float64, got {x.dtype}; convert with"
            " .to(torch.float64)"
        )


UNBOUND = torch.empty(0)  # stands for a table before `bind`


def check_bound(name: str, x: Tensor, table: Tensor) -> None:
    """Raise ValueError unless the landscape holds its tables (R, ...) and x (R, P, D) has as many worlds."""
    if table.numel() == 0:
        raise ValueError(
            f"{name}: expected a landscape bound to worlds, got parameters alone; call .bind(streams) first"
        )
    if len(table) != len(x):
        raise ValueError(
            f"{name}: expected points of the {len(table)} worlds it is bound to, got {len(x)}"
        )
