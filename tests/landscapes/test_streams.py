"""The streams: published vectors, addresses, laws, and one definition on every device."""

import math

import numpy as np
import pytest
import torch

from landscapes import streams_numba, streams_torch
from landscapes.streams import SOURCES, Streams, source_numbers, with_operators
from tests.support.each import each
from tests.support.elsewhere import DEVICES, Elsewhere

# Random123, tests/kat_vectors, philox4x32 10: counter, key -> words
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
LAWS = ["uniform", "normal", "integers", "bernoulli", "coins", "categorical", "permutation", "choice"]
laws = each("law", LAWS)
dtypes = each("dtype", [torch.float32, torch.float64])


def make(worlds=range(6), **options):
    return Streams(seed=7, worlds=torch.tensor(list(worlds)), **options)


def address(source):
    """The key of a source."""
    return make().keyed(source).key


def draw(law, s, source="mutation", part=0, shape=(3, 5)):
    """Any law, the same shape of call."""
    calls = {
        "uniform": lambda: s.uniform(source, shape, part),
        "normal": lambda: s.normal(source, shape, part),
        "integers": lambda: s.integers(source, 17, shape, part),
        "bernoulli": lambda: s.bernoulli(source, 0.3, shape, part),
        "coins": lambda: s.coins(source, (*shape, 7), part),
        "categorical": lambda: s.categorical(
            source, torch.tensor([[0.5, 0.2, 0.3]]).expand(s.size, 3), shape, part
        ),
        "permutation": lambda: s.permutation(source, 5, shape[:-1], part),
        "choice": lambda: s.choice(source, 9, 4, shape[:-1], part),
    }
    return calls[law]()


@each(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_philox_equals_the_published_vectors(counter, key, expected):
    words = streams_numba._philox.py_func(*(np.uint64(c) for c in (*counter, *key)))
    assert tuple(int(w) for w in words) == expected


@each(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_compiled_and_torch_words_equal_the_published_vectors(counter, key, expected):
    block, step, source, redraw = counter
    row = np.array([[key[0], key[1], step, source, redraw]], np.uint64)
    if block == 0:  # the kernels number the blocks of a row from 0
        out = np.empty((1, 4), np.uint32)
        streams_numba.words(row, out)
        assert tuple(int(w) for w in out[0]) == expected
    wide = [
        w[0, -1].item()
        for w in streams_torch.blocks(torch.from_numpy(row.astype(np.int64)), 1, first=block)
    ]
    assert tuple(wide) == expected


@each("n", [1, 2, 3, 5, 6, 7, 1023, 4099])
@each("law", ["words", "uniform64", "uniform32", "normal64", "normal32"])
def test_numba_equals_torch_bit_for_bit(law, n):
    key = torch.tensor(np.random.default_rng(1).integers(0, 2**32, (5, 5)))
    dtype = {"words": np.uint32, "uniform64": np.float64, "normal64": np.float64}.get(law, np.float32)
    out = np.full((5, n), 77, dtype)
    getattr(streams_numba, law)(key.numpy().astype(np.uint64), out)
    np.testing.assert_array_equal(out, getattr(streams_torch, law)(key, n).numpy())


@laws
@each(("device", "dtype"), [("plain torch", torch.float64), ("plain torch", torch.float32)])
def test_other_devices_take_the_torch_definition(law, device, dtype):
    same_elsewhere(law, device, dtype)


@each(
    ("law", "dtype"),
    [(law, torch.float64) for law in ("normal", "integers", "bernoulli", "coins", "choice")]
    + [(law, torch.float32) for law in ("uniform", "normal")],
)
def test_kernels_of_a_gpu_draw_the_same(law, dtype):
    """Triton's interpreter runs them."""
    same_elsewhere(law, "Triton", dtype)


@pytest.mark.verify
@laws
@dtypes
@each("shape", [(1, 1), (2, 65), (3, 171), (1, 1031)])
def test_kernels_of_a_gpu_draw_the_same_of_any_number(law, dtype, shape):
    same_elsewhere(law, "Triton", dtype, shape)


def same_elsewhere(law, device, dtype, shape=(3, 5)):
    """On another device a law has the bits that it has here, with a redraw too."""
    for redraw in ({}, {"mutation": torch.arange(6)}):
        here = draw(law, make(dtype=dtype, redraws=redraw).at(torch.arange(6)), shape=shape)
        assert torch.equal(here, operated(law, dtype, redraw, shape)), "on a CPU"
        with Elsewhere(device) as elsewhere:
            there = operated(law, dtype, redraw, shape)
        assert torch.equal(here, there)
        assert elsewhere.called


def operated(law, dtype, redraw, shape):
    """What an operator draws."""
    return draw(law, with_operators(make(dtype=dtype, redraws=redraw)).at(torch.arange(6)), shape=shape)


def test_sets_are_chosen_alike_on_every_device():
    here = make().choice("drift", 40, 33, (2,))
    for device in DEVICES:
        with Elsewhere(device):
            assert torch.equal(here, with_operators(make()).choice("drift", 40, 33, (2,)))


def test_the_radius_of_a_pair_agrees_with_libm():
    u = (
        make().uniform("mutation", (1000,)).numpy().reshape(-1, 2)
    )  # the same words as the normals below
    z = make().normal("mutation", (1000,)).numpy().reshape(-1, 2)
    np.testing.assert_allclose((z**2).sum(1), -2 * np.log1p(-u[:, 0]), rtol=1e-14)


class TestAddresses:
    @laws
    @dtypes
    def test_a_world_is_the_same_alone_in_a_batch_and_after_other_draws(self, law, dtype):
        batch = draw(law, make(range(8), dtype=dtype))
        alone = make((5, 2), dtype=dtype)
        alone.normal("drift", (3,))
        assert torch.equal(draw(law, alone), batch[[5, 2]])
        assert torch.equal(draw(law, make(range(8), dtype=dtype).subset([5, 2])), batch[[5, 2]])

    @laws
    @dtypes
    def test_every_word_of_the_address_matters(self, law, dtype):
        base = make(dtype=dtype, sources=("mine",))
        original = draw(law, base)
        others = [
            draw(law, make(range(6, 12), dtype=dtype)),
            draw(law, Streams(seed=8, worlds=base.worlds, dtype=dtype)),
            draw(law, base.at(1)),
            draw(law, base.at(0), source="drift"),
            draw(law, base.at(0), source="mine"),
            draw(law, base.at(0), part=1),
            draw(law, base.redraw("mutation", 1)),
        ]
        assert all(not torch.equal(original, other) for other in others)

    @laws
    @dtypes
    def test_redraw_is_per_row_and_per_source(self, law, dtype):
        base = make((3, 3, 3), dtype=dtype)
        again = base.redraw("mutation", torch.tensor([0, 1, 1]))
        x, y = draw(law, base), draw(law, again)
        assert torch.equal(x[0], x[1])
        assert torch.equal(y[0], x[0])
        assert torch.equal(y[1], y[2])
        assert not torch.equal(y[0], y[1])
        assert torch.equal(draw(law, base, source="drift"), draw(law, again, source="drift"))

    @laws
    @dtypes
    def test_step_may_differ_by_row(self, law, dtype):
        s = make((4, 4), dtype=dtype)
        assert torch.equal(draw(law, s.at(torch.tensor([3, 9])))[1], draw(law, s.at(9))[1])


def test_more_points_keep_the_earlier_draws():
    few, many = make().normal("mutation", (3, 5)), make().normal("mutation", (7, 5))
    assert torch.equal(few, many[:, :3])


def test_drawing_twice_at_one_address_raises():
    s = make().at(4)
    s.normal("mutation", (2,))
    s.normal("mutation", (2,), part=1)
    with pytest.raises(
        ValueError, match="'mutation' was already drawn at this step; name another part"
    ):
        s.uniform("mutation", (2,))
    assert torch.equal(s.at(4).normal("mutation", (2,)), make().at(4).normal("mutation", (2,)))


@each(
    ("call", "message"),
    [
        (lambda: make().normal("mutatoin", (2,)), "unknown source 'mutatoin'; did you mean 'mutation'"),
        (lambda: make().redraw("nothing like it", 1), "a plugin declares its own in `sources`"),
        (
            lambda: Streams(seed=-1, worlds=torch.arange(2)),
            r"expected a seed of 0 <= seed < 2\*\*32, got -1",
        ),
        (lambda: make([-1]), r"expected worlds of 0 <= worlds < 2\*\*32, got -1"),
        (lambda: make().at(2**32), r"expected step of 0 <= step < 2\*\*32"),
        (lambda: make().redraw("data", -1), "expected 0 <= k"),
        (lambda: make().normal("data", (2,), part=2**16), "expected 0 <= part < 65536"),
        (lambda: make().choice("data", 3, 4), "expected 0 <= size <= n = 3, got 4"),
        (lambda: make().at(torch.arange(6)).subset([1]), "take the subset first"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_built_in_numbers_are_frozen():
    """A number that moves would change every result ever stored."""
    assert SOURCES[:13] == (
        "instance", "init", "data", "evaluation", "staleness", "mutation", "recombination", "drift", "acceptance", "pairing", "library",
        "ledger", "dropout",
    )  # fmt: skip
    assert source_numbers(("mine",))["mine"] >= 0x8000


def test_two_declared_names_with_one_number_are_refused():
    seen: dict[int, str] = {}
    for i in range(10_000):
        number = source_numbers((f"s{i}",))[f"s{i}"]
        if number in seen:
            with pytest.raises(ValueError, match="rename one of them"):
                source_numbers((seen[number], f"s{i}"))
            return
        seen[number] = f"s{i}"
    pytest.fail("no clash in 10,000 names: the numbers cannot be 15-bit hashes")


# laws: fixed seed, fixed size, 4.5 standard errors ----------------------------------------------------------


def close(sample, mean, sd):
    """Whether the mean of a flat sample is within 4.5 standard errors."""
    sample = np.asarray(sample, float).ravel()
    return abs(sample.mean() - mean) <= 4.5 * sd / math.sqrt(sample.size)


class TestMoments:
    @dtypes
    def test_uniform(self, dtype):
        u = make(range(100), dtype=dtype).uniform("data", (20_000,)).double().numpy()
        assert u.min() >= 0
        assert u.max() < 1
        assert close(u, 1 / 2, math.sqrt(1 / 12))
        assert close((u - 0.5) ** 2, 1 / 12, math.sqrt(1 / 180))
        assert close((u[:, :-1] - 0.5) * (u[:, 1:] - 0.5), 0, 1 / 12)
        assert not close(u, 1 / 2 + 0.002, math.sqrt(1 / 12))  # the check can fail

    @dtypes
    def test_normal(self, dtype):
        z = make(range(100), dtype=dtype).normal("data", (20_000,)).double().numpy()
        for power, moment in ((1, 0), (2, 1), (3, 0), (4, 3), (6, 15)):
            variance = math.prod(range(2 * power - 1, 0, -2)) - moment**2
            assert close(z**power, moment, math.sqrt(variance)), power
        for lag in (1, 2, 3, 4):  # the members of a Box-Muller pair, of a block, and of two blocks
            assert close(z[:, :-lag] * z[:, lag:], 0, 1), lag
            assert close(z[:, :-lag] ** 2 * z[:, lag:] ** 2, 1, math.sqrt(8)), lag
        tail = math.erfc(4 / math.sqrt(2))
        assert close(abs(z) > 4, tail, math.sqrt(tail))


@each("n", [2, 3, 7])
def test_integers_and_categorical_follow_their_law(n):
    weights = torch.arange(n, dtype=torch.float64)  # the first has weight 0 and must never come
    counts = torch.bincount(make(range(50)).integers("data", n, (2000,)).flatten(), minlength=n)
    assert chi_square(counts, torch.full((n,), 1 / n)) < limit(n - 1)
    drawn = make(range(50)).categorical("drift", weights.expand(50, n), (2000,)).flatten()
    counts = torch.bincount(drawn, minlength=n)
    assert counts[0] == 0
    assert n == 2 or chi_square(counts[1:], weights[1:] / weights.sum()) < limit(n - 2)
    assert chi_square(counts[1:], torch.full((n - 1,), 1 / (n - 1))) > limit(n - 2) or n == 2


@each(("n", "size"), [(4, 4), (5, 2), (6, 3)])
def test_every_subset_and_every_permutation_is_equally_likely(n, size):
    subsets = make(range(200)).choice("data", n, size, (300,)).sort(-1).values.reshape(-1, size)
    assert (subsets.diff(dim=-1) > 0).all()
    _, counts = subsets.unique(dim=0, return_counts=True)
    assert len(counts) == math.comb(n, size)
    assert len(counts) == 1 or chi_square(counts, torch.full((len(counts),), 1 / len(counts))) < limit(
        len(counts) - 1
    )
    orders, counts = (
        make(range(200))
        .permutation("drift", n, (300,))
        .reshape(-1, n)
        .unique(dim=0, return_counts=True)
    )
    assert len(orders) == math.factorial(n)
    assert chi_square(counts, torch.full((len(counts),), 1 / len(counts))) < limit(len(counts) - 1)


@each("p", [-0.1, 0.0, 2.0**-53, 1e-3, 0.3, 1 - 2.0**-53, 1.0, 1.5])
@each("n", [1, 2, 3, 1023, 4099])
def test_bernoulli_is_the_same_for_a_number_a_row_and_an_element(p, n):
    drawn = make().bernoulli("data", p, (n,))
    assert torch.equal(
        drawn, make().bernoulli("data", torch.full((6, 1), p, dtype=torch.float64), (n,))
    )
    assert torch.equal(
        drawn, make().bernoulli("data", torch.full((6, n), p, dtype=torch.float64), (n,))
    )


def test_bernoulli_broadcasts_like_everything_else():
    p = torch.tensor([0.0, 0.0, 0.0, 1.0, 1.0], dtype=torch.float64)
    for worlds in (4, 5, 6):
        assert (make(range(worlds)).bernoulli("data", p, (3, 5)) == p.bool()).all()


def test_redraw_remembers_what_was_drawn():
    s = make()
    s.normal("drift", (2,))
    with pytest.raises(ValueError, match="'drift' was already drawn"):
        s.redraw("mutation", 1).normal("drift", (2,))


def test_bernoulli_looks_at_the_lower_bits_where_the_upper_ones_tie():
    upper, lower = (
        streams_torch.words(address("data"), 50, first)[2, 37].item()
        for first in (0, streams_numba.TIES)
    )
    exact = upper * 2**21 + (lower >> 11)
    for threshold, expected in ((exact, False), (exact + 1, True)):
        assert make().bernoulli("data", threshold * 2.0**-53, (50,))[2, 37] == expected


def test_bernoulli_has_its_mean():
    for p in (0.001, 0.3):
        drawn = make(range(50)).bernoulli("data", p, (20_000,)).numpy()
        assert close(drawn, p, math.sqrt(p * (1 - p)))
        assert not close(drawn, p + 0.004, math.sqrt(p * (1 - p)))


@each("n", [1, 31, 32, 33, 127, 128, 129, 70_000])
def test_coins_are_the_bits_of_the_words(n):
    words = streams_torch.words(address("data"), (n + 31) // 32).numpy()
    expected = (words[:, :, None] >> np.arange(32) & 1).reshape(len(words), -1)[:, :n]
    assert np.array_equal(make().coins("data", (n,)).numpy(), expected)
    assert n < 1000 or abs(expected.mean() - 0.5) < 4.5 * 0.5 / math.sqrt(expected.size)


@each("high", [1, 2, 1437, 2**31 - 1, 2**40])
def test_integers_are_uniforms_rounded_down(high):
    drawn = make().integers("data", high, (1001,))
    assert torch.equal(drawn, (make().uniform("data", (1001,)) * high).long())
    assert torch.equal(drawn, make().integers("data", torch.tensor(high), (1001,)))
    assert drawn.min() >= 0
    assert drawn.max() < high


def test_choosing_nothing_is_empty():
    assert make().choice("drift", 5, 0, (3,)).shape == (6, 3, 0)


def test_multinomial_counts_have_the_law_of_drift():
    p = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    counts = make(range(20_000)).multinomial("drift", 10, p.expand(20_000, 3))
    assert (counts.sum(1) == 10).all()
    x = counts.double().numpy()
    for i in range(3):
        assert close(x[:, i], 10 * p[i].item(), math.sqrt(10 * p[i] * (1 - p[i])))
    covariance = (x[:, 0] - 5) * (x[:, 1] - 3)
    assert close(covariance, -10 * 0.15, covariance.std())
    assert not close(covariance, -20 * 0.15, covariance.std())


def chi_square(counts, p):
    expected = p * counts.sum()
    return ((counts - expected) ** 2 / expected).sum().item()


def limit(degrees):
    """4.5 standard deviations above the mean of chi-square."""
    return degrees + 4.5 * math.sqrt(2 * max(degrees, 1))


@each("law", ["uniform", "normal", "integers"])
def test_a_device_without_numbers_has_their_shapes(law):
    """Words are not computed on the meta device."""
    worlds = torch.arange(3)
    shape = (5, 2)
    options = (9, shape) if law == "integers" else (shape,)
    here, there = (
        getattr(Streams(seed=1, worlds=worlds, device=device), law)("init", *options)
        for device in ("cpu", "meta")
    )
    assert (there.shape, there.dtype, there.device.type) == (here.shape, here.dtype, "meta")
