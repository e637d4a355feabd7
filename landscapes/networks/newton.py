"""Newton's method for logistic regression with an L2 penalty."""

from __future__ import annotations

import torch
from torch import Tensor

GRADIENT = 1e-12  # largest entry at the end
_STEPS = 100


def minimise(rows: Tensor, labels: Tensor, scores: int, penalty: float) -> Tensor:
    """The weights of the least loss.

    Features (M, F) float64, labels (M,) -> (scores * F,), steps halved until the loss falls.

    With one score the classes are 0 and 1, and the score is that of 1.

    Raises:
        RuntimeError: the gradient did not fall below GRADIENT.
    """
    w = torch.zeros((scores, rows.shape[1]), dtype=torch.float64, device=rows.device)
    value, gradient, hessian = _expanded(w, rows, labels, penalty)
    for _ in range(_STEPS):
        if gradient.abs().max() < GRADIENT:
            return w.flatten()
        step = torch.linalg.solve(hessian, gradient.flatten()).view_as(w)
        slope = float((step * gradient).sum())
        size = 1.0
        while (
            slope * size > 1e-14 * abs(value)
            and _value(w - size * step, rows, labels, penalty) > value - 1e-4 * size * slope
        ):
            size /= 2
        w = w - size * step
        value, gradient, hessian = _expanded(w, rows, labels, penalty)
    left = float(gradient.abs().max())
    raise RuntimeError(
        f"logistic_regression: Newton's method did not converge, the gradient is still {left:.1e}; raise the"
        " penalty"
    )


def _logits(w: Tensor, rows: Tensor) -> Tensor:
    """(M, classes)."""
    scores = rows @ w.T
    return torch.cat((torch.zeros_like(scores), scores), 1) if len(w) == 1 else scores


def _value(w: Tensor, rows: Tensor, labels: Tensor, penalty: float) -> float:
    return float(
        torch.nn.functional.cross_entropy(_logits(w, rows), labels) + 0.5 * penalty * (w * w).sum()
    )


def _expanded(w: Tensor, rows: Tensor, labels: Tensor, penalty: float) -> tuple[float, Tensor, Tensor]:
    """Loss, gradient (scores, F) and Hessian (scores * F, scores * F) at w."""
    logits = _logits(w, rows)
    first = logits.shape[1] - len(w)  # the class of the first score
    p = logits.softmax(1)[:, first:]
    miss = p - torch.nn.functional.one_hot(labels, logits.shape[1])[:, first:]
    gradient = miss.T @ rows / len(rows) + penalty * w
    size = w.shape[1]
    hessian = penalty * torch.eye(w.numel(), dtype=w.dtype, device=w.device)
    for k in range(len(w)):
        for j in range(k + 1):
            spread = p[:, k] * (float(k == j) - p[:, j]) / len(rows)
            block = rows.T @ (spread[:, None] * rows)
            hessian[k * size : (k + 1) * size, j * size : (j + 1) * size] += block
            if j < k:
                hessian[j * size : (j + 1) * size, k * size : (k + 1) * size] += block
    return _value(w, rows, labels, penalty), gradient, hessian
