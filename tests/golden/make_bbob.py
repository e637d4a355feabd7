"""Writes bbob.npz, which tests/landscapes/test_bbob.py reads.

Values, optima and offsets of the BBOB functions as COCO computes them.

Run where `coco-experiment` is installed: python tests/golden/make_bbob.py. Arrays: f_opt (24, 7), and for
each dimension D of DIMS points{D} (3, D), the first in the box, the second partly outside; x_opt{D} (24, 7,
D); value{D} (24, 7, 3), the third at x_opt plus a hundredth of the third point.
"""

from pathlib import Path

import numpy as np

DIMS = (2, 3, 5, 10, 20, 40)
INSTANCES = (1, 2, 3, 4, 5, 101, 2026)


def problems(dim):
    """(24, 7) of COCO's problems."""
    import cocoex

    return [
        [cocoex.BareProblem("bbob", function, dim, instance) for instance in INSTANCES]
        for function in range(1, 25)
    ]


def points(dim):
    """(3, D): fractions of multiples of the golden ratio, spread over [-5, 5], [-7, 7] and [-5, 5]."""
    fractions = np.arange(1, 3 * dim + 1) * (np.sqrt(5) - 1) / 2 % 1
    return np.array([[10], [14], [10]]) * (fractions.reshape(3, dim) - 0.5)


def main():
    """Write the file."""
    arrays = {"f_opt": np.array([[p.best_value() for p in row] for row in problems(2)])}
    for dim in DIMS:
        found = problems(dim)
        x, optimum = points(dim), np.array([[p.best_parameter() for p in row] for row in found])
        near = optimum + x[2] / 100
        arrays[f"points{dim}"], arrays[f"x_opt{dim}"] = x, optimum
        arrays[f"value{dim}"] = np.array([
            [[p(x[0]), p(x[1]), p(y)] for p, y in zip(*rows, strict=True)]
            for rows in zip(found, near, strict=True)
        ])
    np.savez_compressed(Path(__file__).parent / "bbob.npz", **arrays)


if __name__ == "__main__":
    main()
