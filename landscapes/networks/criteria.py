"""Losses of single examples, by a name of torch.nn.functional or an import path."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import partial

from torch import Tensor
from torch.nn import functional

from landscapes.networks.import_paths import imported

FIELD = "module.criterion"
NAMES = (
    *(
        "cross_entropy",
        "mse",
        "l1",
        "smooth_l1",
        "huber",
        "nll",
        "binary_cross_entropy_with_logits",
        "binary_cross_entropy",
    ),
    *(
        "kl_div",
        "poisson_nll",
        "soft_margin",
        "multi_margin",
        "multilabel_margin",
        "multilabel_soft_margin",
    ),
)

Criterion = Callable[[Tensor, Tensor], Tensor]


def criterion(name: str) -> Criterion:
    """The function (outputs, targets) -> losses (B, ...) of a name.

    Raises:
        ValueError: there is none.
    """
    if ":" in name:
        return imported(FIELD, name)
    short = name.removesuffix("_loss")
    if short not in NAMES:
        near = difflib.get_close_matches(short, NAMES, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"{FIELD}: expected one of {', '.join(NAMES)}, or an import path 'package.file:function', got"
            f" {name!r}{hint}"
        )
    return partial(
        getattr(functional, short, None) or getattr(functional, f"{short}_loss"), reduction="none"
    )


def per_example(losses: Tensor) -> Tensor:
    """(B, ...) -> (B,): the mean over what an example has more than one of, such as pixels."""
    return losses.flatten(1).mean(-1) if losses.ndim > 1 else losses


def right(outputs: Tensor, targets: Tensor) -> Tensor:
    """Whether the largest score is that of the target class: scores (B, C, ...), classes (B, ...) -> (B,)."""
    return per_example((outputs.argmax(1) == targets).to(outputs.dtype))
