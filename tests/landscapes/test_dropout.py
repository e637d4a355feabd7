"""Dropout of a user's network: what torch's own laws are, with draws that have an address."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional

from landscapes.base import Query
from landscapes.keyed import further
from landscapes.networks.dropout import Dropping, kept
from landscapes.networks.import_paths import examples
from landscapes.networks.module import TorchModule
from landscapes.oracle.bill import Bill
from landscapes.oracle.evaluation import evaluate
from landscapes.oracle.noise import Noise, dropout_of
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams
from landscapes.wrappers.moving import Moving
from studies.check.landscapes import LandscapeTrial
from tests.references import networks as reference
from tests.support import networks
from tests.support.each import each
from tests.support.elsewhere import DEVICES, Elsewhere

Z = 4.5  # standard errors
WHOLE, FEW = Noise(), Noise(batch=5)
OUTPUT = "tests.support.networks:output"
KEYS = further(torch.tensor([[3, 1, 4, 1, 5]]), torch.arange(4))[0]  # of four examples


def module(made, data="labelled", **others):
    return TorchModule(
        module=f"tests.support.networks:{made}", data=f"tests.support.networks:{data}", **others
    )


def straight(p=0.3):
    """Its loss is its output, the mean over all 23 examples of w (m x) / (1 - p) + b."""
    return module("straight", criterion=OUTPUT, arguments={"p": p})


ALONE = {
    "mlp": module("dropping"),
    "inputs": module("Functional"),
    "channels": module("pooled", "pictures"),
    "transformer": module("Encoder"),
    "transformer, words first": module("Encoder", arguments={"batch_first": False}),
}
TOGETHER = {
    "a weight": module("Functional", arguments={"place": "weight"}),
    "words apart": module("WordsApart"),
    "batch norm": module("normalised_and_dropped"),
}


def streams(worlds=(0, 3), dtype=torch.float64):
    return Streams(seed=4, worlds=torch.as_tensor(worlds), dtype=dtype)


def starts(landscape, count=3, **options):
    return landscape.start(streams(**options).at(0), count)


def ask(
    landscape, noise=FEW, points=None, step=1, gradient=True, redraws=None, portions=None, **options
):
    """What an oracle answers at starts, or these points."""
    own = streams(**options).at(step)
    for source, k in (redraws or {}).items():
        own = own.redraw(source, k)
    points = starts(landscape, **options) if points is None else points
    bound = landscape.bind(streams(**options).at(0))
    bill = Bill(own.size, terms=landscape.terms, budget=1e9)
    return Oracle(bound, noise, bill, **(portions or {}))(Query(points, gradient=gradient), own)


def same(a, b, *, exactly=False):
    for x, y in zip(a[:2], b[:2], strict=True):
        torch.testing.assert_close(x, y, rtol=0 if exactly else 1e-11, atol=0 if exactly else 1e-13)


def differ(a, b):
    return not bool((a.value == b.value).any())


# its law ----------------------------------------------------------------------------------------------------


@each("p", [0.1, 0.5, 0.8])
def test_a_linear_network_has_its_mean_and_the_variance_of_dropout(p):
    """Var = p / (1 - p) sum over examples and inputs of (w x)^2 / M^2; one mask for all examples has another."""
    landscape = straight(p)
    inputs, _ = examples("module.data", landscape.data)
    point = starts(landscape, worlds=(0,), count=1)
    points = point.expand(100, 40, -1)
    value = ask(landscape, WHOLE, points, gradient=False, worlds=range(100)).value.flatten()
    weight, bias = point[0, 0, :6], point[0, 0, 6]
    squared = (value - (inputs @ weight + bias).mean()).square()
    error = lambda sample, truth: float((sample.mean() - truth).abs() / sample.std() * 4000**0.5)  # noqa: E731
    assert error(value, (inputs @ weight + bias).mean()) < Z
    odds = p / (1 - p)
    assert error(squared, odds * (inputs * weight).square().sum() / 23**2) < Z
    assert error(squared, odds * (inputs.mean(0) * weight).square().sum()) > Z
    assert error(squared, p * (1 - p) * (inputs * weight).square().sum() / 23**2) > Z


@each("p", [0.0, 0.25, 0.9, 1.0])
def test_so_many_are_kept(p):
    share = float(kept(KEYS, 0, 1 - p, 10_000).double().mean())
    assert abs(share - (1 - p)) <= Z * (p * (1 - p) / 40_000) ** 0.5


@each(
    ("name", "shape", "unit"),
    [
        ("dropout", (4, 5, 6), (4, 5, 6)),
        ("dropout1d", (4, 50, 6), (4, 50, 1)),
        ("dropout1d", (40, 6), (40, 1)),
        ("dropout2d", (4, 50, 2, 3), (4, 50, 1, 1)),
        ("dropout3d", (4, 50, 2, 1, 3), (4, 50, 1, 1, 1)),
        ("dropout3d", (40, 2, 1, 3), (40, 1, 1, 1)),
        ("alpha_dropout", (4, 5, 6), (4, 5, 6)),
        ("feature_alpha_dropout", (4, 50, 2, 3), (4, 50, 1, 1)),
    ],
)
def test_every_function_has_torchs_values_and_units(name, shape, unit):
    function, x = getattr(functional, name), torch.linspace(1, 2, math.prod(shape)).double().view(shape)
    for p in (0.4, 1.0):
        torch.manual_seed(2)
        theirs = function(x, p, training=True)
        with Dropping(KEYS[:1]):
            ours = function(x, p, training=True)
        for found in (theirs, ours):
            dropped = _dropped(x, found, p, name)
            first = dropped[tuple(slice(0, n) for n in unit)]
            assert torch.equal(first.expand(shape), dropped), "a unit is dropped as a whole"
            torch.testing.assert_close(found, _by_hand(x, dropped, p, name), rtol=1e-12, atol=1e-12)
    with Dropping(KEYS[:1]):
        assert function(x, 0.4, training=False) is x
        with pytest.raises(ValueError, match="expected a chance of dropout of 0 <= p <= 1, got 1.5"):
            function(x, 1.5, training=True)
    with Dropping(KEYS[:0]):
        assert function(x, 0.4, training=True) is x


def _dropped(x, found, p, name):
    """Where a result is what is left of a unit that was dropped."""
    return (found - _by_hand(x, torch.ones_like(x, dtype=torch.bool), p, name)).abs() < 1e-9


def _by_hand(x, dropped, p, name):
    """Klambauer et al. 2017: a (x d + s (1 - d)) + b with s = -1.758.., so that mean 0 and variance 1 stay."""
    if p == 1:
        return torch.zeros_like(x)
    if "alpha" not in name:
        return torch.where(dropped, 0.0, x / (1 - p))
    low, keep = -1.0507009873554805 * 1.6732632423543772, 1 - p
    a = (keep + low**2 * keep * p) ** -0.5
    return a * torch.where(dropped, low, x) - a * low * p


def test_alpha_dropout_keeps_mean_and_variance():
    x = torch.randn(4, 50_000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    with Dropping(KEYS, (0,)):
        y = functional.alpha_dropout(x, 0.3, training=True)
    assert float(y.mean().abs()) < Z / 200_000**0.5
    assert float((y.var() - 1).abs()) < Z * float(y.square().std()) / 200_000**0.5


@each("mask", [None, "bool", "float", "causal", "grouped"])
def test_attention_drops_its_weights(mask):
    generator = torch.Generator().manual_seed(1)
    heads = 1 if mask == "grouped" else 2
    query = torch.randn(4, 2, 5, 3, generator=generator)
    key, value = torch.randn(2, 4, heads, 5, 3, generator=generator)
    seen = torch.ones(5, 5, dtype=torch.bool).tril()
    options = {
        "bool": {"attn_mask": seen},
        "float": {"attn_mask": torch.zeros(5, 5).masked_fill(~seen, -torch.inf)},
        "causal": {"is_causal": True},
        "grouped": {"enable_gqa": True},
    }.get(mask, {})
    with Dropping(KEYS, (0,)):
        found = functional.scaled_dot_product_attention(query, key, value, dropout_p=0.4, **options)
    scores = query @ key.mT / 3**0.5
    if mask in ("bool", "float", "causal"):
        scores = scores.masked_fill(~seen, -torch.inf)
    left = kept(KEYS, 0, 0.6, 50).view(4, 2, 5, 5)
    torch.testing.assert_close(found, scores.softmax(-1) * left / 0.6 @ value)
    with Dropping(KEYS[:0]):
        whole = functional.scaled_dot_product_attention(query, key, value, dropout_p=0.4, **options)
    torch.testing.assert_close(whole, scores.softmax(-1) @ value)


def test_a_layer_of_a_transformer_by_hand():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).double()
    x = torch.randn(4, 3, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def drop(call, y):
        return y * kept(KEYS, call, 0.9, y[0].numel()).view(y.shape) / 0.9

    mine = layer.self_attn
    split = functional.linear(x, mine.in_proj_weight, mine.in_proj_bias).chunk(3, -1)
    query, key, value = (part.unflatten(2, (2, 4)).transpose(1, 2) for part in split)
    weights = drop(0, (query @ key.mT / 2).softmax(-1))
    h = layer.norm1(x + drop(1, mine.out_proj((weights @ value).transpose(1, 2).flatten(2))))
    wanted = layer.norm2(h + drop(3, layer.linear2(drop(2, layer.linear1(h).relu()))))
    with Dropping(KEYS, (0, 0, 0, 0)):
        torch.testing.assert_close(layer(x), wanted)
    with Dropping(KEYS[:0]):
        whole = layer(x)
    torch.testing.assert_close(whole, layer.eval()(x))


def test_weights_that_attention_tells_are_dropped_too():
    layer = nn.MultiheadAttention(8, 2, dropout=0.4, batch_first=True)
    x = torch.randn(4, 3, 8, generator=torch.Generator().manual_seed(1))
    with Dropping(KEYS, (0,)):
        found, _ = layer(x, x, x, need_weights=True)
    with Dropping(KEYS, (0,)):
        again, _ = layer(x, x, x, need_weights=False)
    torch.testing.assert_close(found, again)


# its addresses ----------------------------------------------------------------------------------------------


@each("landscape", [*ALONE.values(), *TOGETHER.values()], ids=lambda landscape: landscape.module)
@each("dtype", [torch.float64, torch.float32])
def test_a_world_does_not_see_the_others(landscape, dtype):
    together, alone = (ask(landscape, worlds=worlds, dtype=dtype) for worlds in ((0, 3, 5), (3,)))
    assert torch.equal(together.value[1:2], alone.value)
    assert torch.equal(together.gradient[1:2], alone.gradient)


@each("landscape", [*ALONE.values(), *TOGETHER.values()], ids=lambda landscape: landscape.module)
@each("noise", [WHOLE, FEW, Noise(batch=5, shared=False)])
def test_chunks_change_nothing_but_rounding(landscape, noise):
    same(ask(landscape, noise), ask(landscape, noise, portions={"chunks": 2}))


@each("noise", [WHOLE, FEW])
def test_pieces_of_a_mini_batch_drop_what_it_drops(noise):
    """Also the third, which begins where the second ends."""
    landscape = ALONE["mlp"]
    same(ask(landscape, noise), ask(landscape, noise, portions={"micro_batches": 3}))


@pytest.mark.verify
@each("landscape", ALONE.values(), ids=lambda landscape: landscape.module)
@each("noise", [WHOLE, FEW, Noise(batch=5, sampling="epoch"), Noise(batch=5, shared=False)])
def test_micro_batches_change_nothing_but_rounding(landscape, noise):
    whole = ask(landscape, noise)
    same(whole, ask(landscape, noise, portions={"micro_batches": 3}))
    same(whole, ask(landscape, noise, portions={"micro_batches": 2, "chunks": 3}))


def test_memory_changes_nothing_but_rounding(monkeypatch):
    landscape = ALONE["transformer"]
    whole = ask(landscape, WHOLE)
    elements = landscape._tried("module.data", landscape.data).elements
    monkeypatch.setattr("landscapes.networks.vmapped.ELEMENTS", 32 * 3 * elements)
    same(whole, ask(landscape, WHOLE))


@each("landscape", [*ALONE.values(), *TOGETHER.values()], ids=lambda landscape: landscape.module)
def test_values_and_slopes_see_the_same_units(landscape):
    """So the slope is the derivative of the value: central differences err by h^2."""
    x = starts(landscape, count=1)
    answer = ask(landscape, points=x)
    same(answer[:1] * 2, ask(landscape, points=x, gradient=False)[:1] * 2)
    away = 1e-5 * torch.sin(torch.arange(landscape.dim)).double()
    ahead, behind = (ask(landscape, points=x + side * away, gradient=False).value for side in (1, -1))
    slope = (answer.gradient * away).sum(-1)
    torch.testing.assert_close((ahead - behind) / 2, slope, rtol=1e-6, atol=1e-12)


def test_points_steps_worlds_and_redraws_drop_their_own():
    landscape = straight()
    x = starts(landscape, worlds=(0,), count=1).expand(2, 3, -1)
    first = ask(landscape, WHOLE, x)
    assert len(first.value.unique()) == 6, "the same network at 6 points"
    same(first, ask(landscape, WHOLE, x), exactly=True)
    assert differ(first, ask(landscape, WHOLE, x, step=2))
    assert differ(first, ask(landscape, WHOLE, x, redraws={"dropout": 1}))
    same(first, ask(landscape, WHOLE, x, redraws={"data": 1, "evaluation": 1}), exactly=True)
    fewer = ask(landscape, WHOLE, x[:, :2])
    assert torch.equal(first.value[:, :2], fewer.value), "more points keep the earlier draws"


def test_an_example_that_comes_twice_drops_twice():
    """With replacement from one example, the mean of B masks has 1 / B of the variance."""
    landscape = module("straight", "alike", criterion=OUTPUT, arguments={"p": 0.5})
    x = starts(landscape, worlds=(0,), count=1).expand(200, 20, -1)
    one, four = (
        ask(landscape, Noise(batch=b), x, worlds=range(200)).value.var().item() for b in (1, 4)
    )
    assert abs(one / four / 4 - 1) < Z * (4 / 4000) ** 0.5


def test_batches_of_several_sizes_drop_what_each_alone_does():
    landscape, size = ALONE["mlp"], torch.tensor([2, 5])
    x = starts(landscape)
    bound = landscape.bind(streams().at(0))
    query = Query(x, gradient=True, batch=size)
    for alone in (None, lambda row: landscape):
        bill = Bill(2, terms=23, budget=1e9)
        found = Oracle(bound, FEW, bill, alone=alone)(query, streams().at(1))
        for row in range(2):
            mine = ask(landscape, Noise(batch=int(size[row])), x)
            assert torch.equal(found.value[row], mine.value[row])
            assert torch.equal(found.gradient[row], mine.gradient[row])


# what is without it -----------------------------------------------------------------------------------------


@each("made", ["dropping", "Encoder", "normalised_and_dropped"])
def test_the_loss_and_measures_drop_nothing(made):
    landscape = module(made, held_out="tests.support.networks:HELD_OUT")
    x = starts(landscape, count=1)
    inputs, labels = networks.INPUTS, networks.LABELS
    net = getattr(networks, made)()
    for part in net.modules():
        part.training = isinstance(part, nn.BatchNorm1d)
    answer, measured = evaluate(landscape, x, gradient=True), landscape.measures(x[:, 0])
    for r in range(2):
        value, slope = reference.loss_and_gradient(
            net, x[r, 0], inputs, labels, functional.cross_entropy
        )
        assert float(answer.value[r, 0]) == pytest.approx(value, rel=1e-10)
        torch.testing.assert_close(answer.gradient[r, 0], slope, rtol=1e-9, atol=1e-11)
        outputs = net(networks.HELD_OUT[0]).detach()
        held_out = functional.cross_entropy(outputs, networks.HELD_OUT[1])
        assert float(measured["held_out_loss"][r]) == pytest.approx(held_out.item(), rel=1e-10)
    off = ask(landscape, Noise(off=("dropout",)), x)
    same(off, answer, exactly=True)
    assert differ(ask(landscape, WHOLE, x), answer)


def test_a_value_is_not_the_truth_where_units_are_dropped():
    for landscape, exact in ((straight(), False), (straight(0.0), True)):
        oracle = Oracle(landscape, WHOLE, Bill(1, terms=23, budget=1.0))
        assert oracle.exact(gradient=True, batches=False) == exact
        assert landscape.drops != exact
    assert not module("straight", arguments={"training": False}, criterion=OUTPUT).drops


def test_who_sees_the_others():
    assert all(landscape.additive for landscape in ALONE.values())
    assert not any(landscape.additive for landscape in TOGETHER.values())
    assert all(landscape.drops for landscape in [*ALONE.values(), *TOGETHER.values()])


def test_around_a_network_the_same_units_are_dropped():
    landscape = ALONE["mlp"]
    around = Moving(inner=landscape, speed=0.0)
    assert around.drops
    same(ask(around), ask(landscape), exactly=True)


# shapes -----------------------------------------------------------------------------------------------------


def test_shapes_without_numbers():
    with FakeTensorMode():
        keys = torch.zeros(7, 4, 5, dtype=torch.int64)
        found = torch.func.vmap(lambda key: kept(key, 0, 0.5, 6))(keys)
        assert (found.shape, found.dtype) == ((7, 4, 6), torch.bool)
    found = kept(torch.zeros(4, 5, dtype=torch.int64, device="meta"), 0, 0.5, 6)
    assert (found.shape, found.device.type) == ((4, 6), "meta")


@each("device", DEVICES)
def test_off_the_cpu_the_draws_are_the_same(device):
    here = kept(KEYS, 3, 0.4, 1001)
    with Elsewhere(device) as elsewhere:
        assert torch.equal(kept(KEYS, 3, 0.4, 1001), here)
    assert elsewhere.called


@each("landscape", [ALONE["transformer"], TOGETHER["batch norm"]])
def test_it_is_held_to_the_contract(landscape):
    checks = [check for _, check in LandscapeTrial(landscape, torch.float64).checks()]
    assert [check() for check in checks[:3]] == ["", "", ""], "the last needs numbers on a device"


@each("landscape", [*ALONE.values(), *TOGETHER.values()], ids=lambda landscape: landscape.module)
def test_losses_have_shapes_on_a_device_without_numbers(landscape):
    there = replace(streams().at(1), device="meta")
    x = torch.empty(2, 3, landscape.dim, device="meta")
    seen = landscape.dropping(dropout_of(3, there)).loss(x)
    assert (seen.shape, seen.device.type) == ((2, 3), "meta")
