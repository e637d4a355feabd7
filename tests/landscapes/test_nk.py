"""NK landscapes beside naive loops: loss, extension, optimum, neighbourhoods, kernels against plain torch."""

import itertools

import numpy as np
import pytest
import torch

from landscapes.binary.nk import NK, gathered_contributions, gathered_extension
from tests.contract.landscapes import (
    batch,
    bound,
    dtypes,
    starts,
    streams,
)
from tests.references import philox
from tests.support.each import each

ADJACENT, RANDOM, BLOCKS = "adjacent", "random", "blocks"
SHAPES = [
    (8, 0, ADJACENT),
    (8, 3, ADJACENT),
    (7, 6, ADJACENT),
    (8, 2, RANDOM),
    (6, 5, RANDOM),
    (5, 0, RANDOM),
    (8, 3, BLOCKS),
    (6, 0, BLOCKS),
]
shapes = each(("n", "k", "neighbours"), SHAPES)


def all_genotypes(n, worlds):
    return torch.tensor(list(itertools.product((0, 1), repeat=n)), dtype=torch.uint8).expand(
        worlds, -1, -1
    )


@shapes
def test_nk_loss_extension_and_optimum_against_loops(n, k, neighbours):
    landscape = NK(n=n, k=k, neighbours=neighbours).bind(streams([0, 3]))
    x, p = all_genotypes(n, 2), streams([0, 3]).uniform("init", (2, n))
    loss, extension = landscape.loss(x), landscape.extension(p)
    for r in range(2):
        reads, table = landscape.reads[r].tolist(), landscape.table[r].tolist()
        best = philox.nk_optimum(reads, table)
        assert float(landscape.best[r]) == pytest.approx(best, abs=1e-12)
        naive = [best - philox.nk_fitness(g, reads, table) for g in x[r].tolist()]
        np.testing.assert_allclose(loss[r], naive, atol=1e-12)
        np.testing.assert_allclose(
            extension[r],
            [best - philox.nk_extension(q, reads, table) for q in p[r].tolist()],
            atol=1e-12,
        )


@shapes
@dtypes
def test_nk_least_loss_is_zero(n, k, neighbours, dtype):
    landscape = NK(n=n, k=k, neighbours=neighbours).bind(streams(dtype=dtype))
    assert landscape.gap_known
    assert landscape.loss(all_genotypes(n, 8)).amin(1).abs().max() <= 1e-12
    assert torch.equal(landscape.loss(landscape.optimum[:, None]), torch.zeros((8, 1), dtype=dtype))


@shapes
def test_nk_loci_read_what_the_convention_says(n, k, neighbours):
    reads = NK(n=n, k=k, neighbours=neighbours).bind(streams()).reads
    assert all(
        len(set(row)) == k + 1 and i in row for world in reads.tolist() for i, row in enumerate(world)
    )
    if neighbours == "adjacent":
        assert reads[0].tolist() == [[(i + j) % n for j in range(k + 1)] for i in range(n)]
    if neighbours == "blocks":
        assert reads[0].tolist() == [
            [i // (k + 1) * (k + 1) + j for j in range(k + 1)] for i in range(n)
        ]


@each(("n", "k"), [(13, 0), (21, 3), (14, 5)])
def test_nk_ring_optimum_is_the_enumerated_one(n, k):
    ring = NK(n=n, k=k).bind(streams([1, 2]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("landscapes.binary.nk.ENUMERATED", n)
        patch.setattr("landscapes.binary.nk._ring_steps", lambda n, k: 2**40)
        enumerated = NK(n=n, k=k).bind(streams([1, 2]))
    torch.testing.assert_close(enumerated.best, ring.best, rtol=0, atol=1e-12)


def test_nk_says_when_the_gap_is_unknown():
    landscape = NK(n=24, k=2, neighbours="random").bind(streams())
    assert not landscape.gap_known
    assert landscape.optimum is None
    x = starts(landscape, 2)
    fitness = philox.nk_fitness(
        x[3, 1].tolist(), landscape.reads[3].tolist(), landscape.table[3].tolist()
    )
    assert float(landscape.loss(x)[3, 1]) == pytest.approx(1 - fitness, abs=1e-12)
    assert not NK(n=32, k=20).gap_known
    assert NK(n=63, k=20, neighbours="blocks").gap_known


@shapes
@each("rows", [1, 3])
def test_nk_in_plain_torch_equals_the_kernels(n, k, neighbours, rows):
    landscape = NK(n=n, k=k, neighbours=neighbours).bind(streams())
    terms = batch(landscape, rows)
    x, p = starts(landscape, 3), streams().uniform("init", (3, n)).requires_grad_()
    weight = terms.weight.sum(-1)
    tables = (landscape.reads, landscape.table)
    torch.testing.assert_close(
        landscape.best * weight - gathered_contributions(x, *tables, terms),
        landscape.loss(x, terms),
        rtol=0,
        atol=1e-12,
    )
    value, plain = (
        landscape.extension(p, terms),
        landscape.best * weight - gathered_extension(p, *tables, terms),
    )
    torch.testing.assert_close(plain, value, rtol=0, atol=1e-12)
    slope, plain_slope = (torch.autograd.grad(v.sum(), p)[0] for v in (value, plain))
    torch.testing.assert_close(plain_slope, slope, rtol=0, atol=1e-12)


def test_nk_extension_at_a_vertex_is_the_loss():
    landscape = bound("nk")
    x = starts(landscape, 4)
    torch.testing.assert_close(landscape.extension(x.double()), landscape.loss(x), rtol=0, atol=1e-12)
