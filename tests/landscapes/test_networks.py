"""Learning problems beside plain torch modules, one network at a time.

What is said of a user's module that cannot be a landscape.
"""

import itertools

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import beta, chi2
from sklearn.linear_model import LogisticRegression as Scikit
from torch import nn
from torch.nn import functional

from landscapes.base import Terms
from landscapes.networks import vmapped
from landscapes.networks.autoencoder import Autoencoder
from landscapes.networks.batch_norm import BatchNorm
from landscapes.networks.contrastive import Contrastive
from landscapes.networks.digits_data import images
from landscapes.networks.import_paths import examples, reproducibly
from landscapes.networks.linear_rnn import LinearRNN
from landscapes.networks.logistic_regression import LogisticRegression
from landscapes.networks.module import TorchModule
from landscapes.networks.norm_layer import NormLayer
from landscapes.networks.tanh_rnn import TanhRNN
from landscapes.oracle.evaluation import evaluate
from landscapes.streams import Streams
from tests.references import networks as reference
from tests.support import networks
from tests.support.each import each

DIGITS = images(torch.float64, torch.device("cpu"))


def streams(worlds=(0, 3), dtype=torch.float64, seed=4):
    return Streams(seed=seed, worlds=torch.tensor(worlds), dtype=dtype)


def batch(landscape, rows, size=4, worlds=(0, 3), dtype=torch.float64):
    """Different terms, of equal weights."""
    index = streams(worlds).choice("data", landscape.terms, size, (rows,))
    return Terms(index, torch.full(index.shape, 1 / size, dtype=dtype))


def module(made, data="labelled", **others):
    return TorchModule(
        module=f"tests.support.networks:{made}", data=f"tests.support.networks:{data}", **others
    )


def places(x):
    return itertools.product(range(x.shape[0]), range(x.shape[1]))


def compare(landscape, x, terms, naive):
    """Values and gradients with naive(r, p, rows) -> (value, gradient), rows the examples that the network sees."""
    answer = evaluate(landscape, x, terms, gradient=True)
    for r, p in places(x):
        rows = (
            torch.arange(landscape.terms) if terms is None else terms.index[r, p % terms.index.shape[1]]
        )
        value, slope = naive(r, p, rows)
        assert float(answer.value[r, p]) == pytest.approx(value, rel=1e-10, abs=1e-12)
        torch.testing.assert_close(answer.gradient[r, p], slope, rtol=1e-9, atol=1e-11)


# any module -------------------------------------------------------------------------------------------------


@each("rows", [None, 1, 2])
@each(
    ("made", "data", "criterion", "loss"),
    [
        ("mlp", "labelled", "cross_entropy", functional.cross_entropy),
        ("tied", "ROWS", "cross_entropy", functional.cross_entropy),
        ("normalised", "PAIR", "cross_entropy", functional.cross_entropy),
        ("Convolution", "pictures", "cross_entropy", functional.cross_entropy),
        ("mlp", "regression", "mse", functional.mse_loss),
        (
            "mlp",
            "regression",
            "tests.support.networks:cubic",
            lambda outputs, targets: networks.cubic(outputs, targets).mean(),
        ),
    ],
)
def test_any_module_against_itself(made, data, criterion, loss, rows):
    arguments = {"outputs": 2} if data == "regression" else {}
    landscape = module(made, data, criterion=criterion, arguments=arguments)
    x = landscape.start(streams(), 2)
    inputs, targets = examples("module.data", f"tests.support.networks:{data}")
    terms = None if rows is None else batch(landscape, rows)

    def naive(r, p, rows):
        seen = targets[rows].double() if targets.is_floating_point() else targets[rows]
        return reference.loss_and_gradient(
            getattr(networks, made)(**arguments), x[r, p], inputs[rows].double(), seen, loss
        )

    compare(landscape, x, terms, naive)


def test_a_start_is_the_modules_own_initialisation():
    landscape = module("mlp", arguments={"hidden": 5})
    x = landscape.start(streams(dtype=torch.float32), 2)
    seeds = streams().integers("init", 2**32, (2,))
    for r, p in places(x):
        torch.manual_seed(int(seeds[r, p]))
        made = networks.mlp(hidden=5)
        assert torch.equal(x[r, p], nn.utils.parameters_to_vector(made.parameters()).detach())
    assert torch.equal(landscape.start(streams(), 2), x.double())


def test_buffers_and_frozen_parameters_belong_to_the_instance():
    landscape = module("RandomFeatures").bind(streams())
    x = landscape.start(streams(), 2)
    assert landscape.dim == 4 * 3 + 3
    assert not torch.equal(landscape.constants[0], landscape.constants[1])
    made = networks.RandomFeatures().double()
    held = {
        **{name: p for name, p in made.named_parameters() if not p.requires_grad},
        **dict(made.named_buffers()),
    }

    def naive(r, p, rows):
        first = 0
        with torch.no_grad():
            for part in held.values():
                part.copy_(landscape.constants[r, first : first + part.numel()].view(part.shape))
                first += part.numel()
        return reference.loss_and_gradient(
            made, x[r, p], networks.INPUTS[rows], networks.LABELS[rows], functional.cross_entropy
        )

    compare(landscape, x, batch(landscape, 1), naive)
    assert made.mask.tolist() == [True, True, False, True]
    assert int(made.count) == 2


ACTIVATIONS = ["Tanh", "ReLU", "Sigmoid", "GELU", "SiLU", "Softplus", "ELU", "Mish", "LogSigmoid"]


def answers(landscape, worlds, dtype, count):
    bound = landscape.bind(streams(worlds, dtype))
    x = bound.start(streams(worlds, dtype), count)
    found = (
        evaluate(bound, x, terms, gradient=True)
        for terms in (None, batch(bound, 1, 5, worlds, dtype), batch(bound, count, 5, worlds, dtype))
    )
    return [part for answer in found for part in (answer.value, answer.gradient)]


def same_alone(landscape, dtype, counts=(1, 7)):
    """Whether worlds have the same bits together and alone."""
    worlds = (0, 3, 5, 6, 9)
    pairs = (
        (answers(landscape, worlds, dtype, n), answers(landscape, worlds[3:4], dtype, n))
        for n in counts
    )
    return all(
        torch.equal(a[3:4], b)
        for together, alone in pairs
        for a, b in zip(together, alone, strict=True)
    )


@pytest.mark.parametrize(
    ("dtype", "names"),
    [
        (torch.float64, ACTIVATIONS[::2]),
        (torch.float32, ACTIVATIONS[1::2]),
        pytest.param(torch.float64, ACTIVATIONS[1::2], marks=pytest.mark.verify),
        pytest.param(torch.float32, ACTIVATIONS[::2], marks=pytest.mark.verify),
    ],
    ids=str,
)
def test_no_activation_lets_a_world_see_the_others(dtype, names, monkeypatch):
    landscapes = [module("mlp", arguments={"hidden": 7, "activation": name}) for name in names]
    assert all(same_alone(landscape, dtype) for landscape in landscapes)
    monkeypatch.setattr(vmapped, "LANES", 1)
    assert not all(same_alone(landscape, dtype) for landscape in landscapes), "single lanes have tails"


@pytest.mark.parametrize(("made", "data"), [("Convolution", "pictures"), ("normalised", "labelled")])
@pytest.mark.parametrize("rows", [None, 1])
def test_portions_change_nothing(made, data, rows, monkeypatch):
    landscape = module(made, data)
    x = landscape.start(streams(), 21)
    terms = None if rows is None else batch(landscape, rows, 11)
    together = evaluate(landscape, x, terms, gradient=True)
    calls = []
    monkeypatch.setattr(
        vmapped, "ELEMENTS", 32 * 3 * landscape._tried("module.data", landscape.data).elements
    )
    monkeypatch.setattr(
        torch.func, "vmap", lambda function, vmap=torch.func.vmap: calls.append(1) or vmap(function)
    )
    portions = evaluate(landscape, x, terms, gradient=True)
    assert len(calls) >= 2 * 2, "42 networks, each portion once forth and once back"
    torch.testing.assert_close(portions.value, together.value, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(portions.gradient, together.gradient, rtol=1e-10, atol=1e-12)


def test_who_sees_the_others():
    assert module("mlp").additive
    assert not module("normalised").additive
    assert module("normalised").smallest_batch == 2
    assert module("normalised", arguments={"training": False}).additive, (
        "in eval mode the statistics are buffers"
    )
    assert not module("mlp", criterion="tests.support.networks:ranked").additive, (
        "a loss can look across the batch too"
    )
    hidden = module("centred", "regression", criterion="tests.support.networks:together")
    assert not hidden.additive, "also where it does not at the module's own initialisation"


def test_batch_norm_keeps_no_state():
    landscape = module("normalised")
    x = landscape.start(streams(), 1)
    first = landscape.loss(x)
    landscape.loss(x, batch(landscape, 1))
    assert torch.equal(landscape.loss(x), first)
    assert landscape.dim == 6 * 3 + 3 + 3 + 3 + 3 * 3 + 3
    settled = module("normalised", arguments={"training": False}).bind(streams())
    assert settled.constants.shape == (2, 7), "means, variances, a counter"


def test_held_out_measures():
    landscape = module("mlp", held_out="tests.support.networks:HELD_OUT")
    x = landscape.start(streams(), 1)[:, 0]
    found = landscape.measures(x)
    for r in range(2):
        outputs = reference.filled(networks.mlp(), x[r])(networks.HELD_OUT[0])
        assert float(found["held_out_loss"][r]) == pytest.approx(
            float(functional.cross_entropy(outputs, networks.HELD_OUT[1]).detach())
        )
        assert float(found["held_out_accuracy"][r]) == pytest.approx(
            float((outputs.argmax(1) == networks.HELD_OUT[1]).double().mean())
        )
    answers = module(
        "mlp",
        "regression",
        criterion="mse",
        arguments={"outputs": 2},
        held_out="tests.support.networks:regression",
    )
    assert set(answers.extras) == {"held_out_loss"}, "no classes, no accuracy"
    assert module("mlp").extras == module("mlp").measures(x) == {}


def test_the_forms_of_data_are_one():
    losses = [
        landscape.loss(landscape.start(streams(), 1))
        for landscape in (module("mlp", data) for data in ("labelled", "PAIR", "ROWS"))
    ]
    assert torch.equal(losses[0], losses[1])
    assert torch.equal(losses[0], losses[2])


def test_data_drawn_by_the_user_are_the_same_in_every_process():
    before = torch.get_rng_state()
    first, second = reproducibly(networks.drawn), reproducibly(networks.drawn)
    assert torch.equal(first[0], second[0])
    assert torch.equal(torch.get_rng_state(), before)
    assert module("mlp", "drawn").terms == 9


def test_a_cell_knows_the_users_code_and_data():
    landscape = module("mlp", held_out="tests.support.networks:HELD_OUT")
    assert landscape.code == ("tests.support.networks",)
    assert TorchModule().code == ("landscapes.networks.example",)
    assert len({made.fingerprint for made in (landscape, module("mlp"), module("mlp", "shifted"))}) == 3
    assert module("mlp").fingerprint == module("mlp", "PAIR").fingerprint


@each(
    ("made", "message"),
    [
        (
            lambda: module("mpl"),
            (
                r"module.module: cannot import 'tests.support.networks:mpl': module 'tests.support.networks'"
                r" has no attribute 'mpl'"
            ),
        ),
        (
            lambda: TorchModule(module="nowhere:net"),
            "module.module: cannot import 'nowhere:net': No module named 'nowhere'",
        ),
        (
            lambda: TorchModule(module="net"),
            r"module.module: expected an import path 'package.file:name', got 'net'",
        ),
        (
            lambda: module("mlp", arguments={"hiden": 3}),
            (
                r"module.module: cannot make tests.support.networks:mlp\(\*\*{\"hiden\": 3}\): .*unexpected"
                r" keyword"
            ),
        ),
        (
            lambda: module("mlp", arguments={"hidden": {3}}),
            "module.arguments: expected what JSON can hold",
        ),
        (
            lambda: module("not_a_module"),
            (
                "module.module: expected tests.support.networks:not_a_module to be a torch.nn.Module class or"
                " .*, got int"
            ),
        ),
        (
            lambda: module("no_weights"),
            "module.module: expected a module with parameters that require gradients",
        ),
        (
            lambda: module("Recurrent"),
            (
                "module.module: expected no dropout within a layer of torch's, whose draws would have no"
                " address; tests.support.networks:Recurrent has dropout = 0.1 in GRU at rnn: stack layers"
                " with torch.nn.Dropout between them"
            ),
        ),
        (
            lambda: module("first_in_place"),
            (
                "module.module: cannot run tests.support.networks:first_in_place on the examples of"
                " tests.support.networks:labelled under torch.func.vmap: vmap: inplace"
            ),
        ),
        (
            lambda: module("Noisy"),
            "module.module: cannot run tests.support.networks:Noisy .* random operation",
        ),
        (
            lambda: module("Branching"),
            (
                r"module.module: cannot run tests.support.networks:Branching .* under torch.func.vmap:"
                r" .*data-dependent"
            ),
        ),
        (
            lambda: module("mlp", "pictures"),
            (
                "module.module: cannot run tests.support.networks:mlp on the examples of"
                " tests.support.networks:pictures .*shapes"
            ),
        ),
        (
            lambda: module("mlp", "one_short"),
            "module.data: expected as many targets as inputs, 1 or more, got 23 inputs and 22 targets",
        ),
        (
            lambda: module("mlp", "single"),
            r"module.data: expected a pair of tensors .* at 'tests.support.networks:single', got Tensor",
        ),
        (
            lambda: module("mlp", held_out="tests.support.networks:single"),
            "module.held_out: expected a pair of tensors",
        ),
        (
            lambda: module("mlp", criterion="cross_entrpy"),
            "module.criterion: expected one of .*; did you mean 'cross_entropy'",
        ),
        (
            lambda: module("mlp", "regression", criterion="mse"),
            r"module.criterion: .* outputs \(3,\) and targets \(2,\) for each example",
        ),
        (
            lambda: module(
                "mlp",
                criterion="tests.support.networks:averaged",
                data="regression",
                arguments={"outputs": 2},
            ),
            r"a loss for each .* shape \(\)",
        ),
        (
            lambda: module("mlp", criterion="nll", arguments={"outputs": 2}),
            "module.criterion: cannot compute nll of outputs .*out of bounds",
        ),
    ],
)
def test_what_is_wrong_with_a_module_is_said(made, message):
    with pytest.raises(ValueError, match=message):
        made()


# losses that are no sums ------------------------------------------------------------------------------------

TOGETHER = [
    module("normalised"),
    BatchNorm(hidden=2),
    BatchNorm(hidden=2, statistics="batch_constant"),
    NormLayer(examples=13),
    Contrastive(pairs=13),
]


@each("landscape", TOGETHER, ids=lambda landscape: str(landscape)[:40])
@each("rows", [1, 3])
def test_a_padded_batch_has_exactly_the_loss_of_what_is_in_it(landscape, rows):
    landscape = landscape.bind(streams())
    x, terms = landscape.start(streams(), 3), batch(landscape, rows, 6)
    sizes = (
        torch.tensor([4, 6])[:, None, None]
        if rows == 1
        else torch.tensor([[4, 6, 2], [6, 2, 4]])[..., None]
    )
    shuffled = torch.tensor([3, 0, 5, 1, 4, 2])
    weight = torch.where(torch.arange(6) < sizes, 1 / sizes.double(), 0.0)
    padded = evaluate(
        landscape,
        x,
        Terms(terms.index[..., shuffled.argsort()], weight[..., shuffled.argsort()]),
        gradient=True,
    )
    for r, p in places(x):
        size = int(sizes[r, p % rows])
        alone = landscape.bind(streams((0, 3)[r : r + 1]))
        index = terms.index[r : r + 1, p % rows : p % rows + 1]
        mine = index[..., torch.tensor([k for k in shuffled.argsort().tolist() if k < size])]
        seen = x[r : r + 1] if rows == 1 else x[r : r + 1, p : p + 1]
        wanted = evaluate(
            alone, seen, Terms(mine, torch.full(mine.shape, 1 / size).double()), gradient=True
        )
        assert torch.equal(padded.value[r, p], wanted.value[0, p if rows == 1 else 0])
        assert torch.equal(padded.gradient[r, p], wanted.gradient[0, p if rows == 1 else 0])


@each("landscape", TOGETHER, ids=lambda landscape: str(landscape)[:40])
def test_batches_of_one_are_refused(landscape):
    landscape = landscape.bind(streams())
    x, terms = landscape.start(streams(), 1), batch(landscape, 1)
    with pytest.raises(
        ValueError, match=f"{landscape.name}: expected mini-batches of at least 2 examples, got 1"
    ):
        landscape.loss(x, Terms(terms.index, torch.tensor([1.0, 0, 0, 0]).double().expand(2, 1, 4)))
    with pytest.raises(
        ValueError,
        match=(
            f"{landscape.name}: expected equal weights in a mini-batch, as its loss is no sum .*; got 0.1"
            " and 0.4"
        ),
    ):
        landscape.loss(x, Terms(terms.index, torch.tensor([0.4, 0.4, 0.1, 0]).double().expand(2, 1, 4)))


# logistic regression ----------------------------------------------------------------------------------------


def test_logistic_regression_against_loops():
    landscape = LogisticRegression(features=3, examples=20, penalty=0.3).bind(streams())
    x = landscape.start(streams(), 3)
    for r, p in places(x):
        rows, labels = landscape.rows[r].tolist(), landscape.labels[r].tolist()
        naive = [
            reference.logistic_loss(w.tolist(), rows, labels, 0.3)
            for w in (x[r, p], landscape.optimum[r])
        ]
        assert float(landscape.loss(x)[r, p]) == pytest.approx(naive[0] - naive[1], rel=1e-10)
    terms = batch(landscape, 1)
    naive = reference.logistic_loss(
        x[1, 2].tolist(),
        landscape.rows[1, terms.index[1, 0]].tolist(),
        landscape.labels[1, terms.index[1, 0]].tolist(),
        0.3,
    )
    assert float(landscape.loss(x, terms)[1, 2]) == pytest.approx(
        naive - float(landscape.best[1]), rel=1e-10
    )


@each(
    "parameters",
    [{}, {"penalty": 1e-5, "signal": 30.0, "features": 40, "examples": 60}, {"data": "digits"}],
)
def test_logistic_regression_is_flat_at_its_optimum(parameters):
    landscape = LogisticRegression(**parameters).bind(streams((0,)))
    there = evaluate(landscape, landscape.optimum[:, None], gradient=True)
    assert there.value == 0
    assert there.gradient.abs().max() <= 1e-10
    beside = landscape.optimum[:, None] + 1e-3 * streams((0,)).normal("init", (4, landscape.dim))
    assert (landscape.loss(beside) > 0).all()


def test_softmax_regression_agrees_with_scikit_learn():
    landscape = LogisticRegression(data="digits", penalty=0.01).bind(streams((0,)))
    rows = functional.pad(DIGITS.pixels, (0, 1), value=1.0)
    theirs = Scikit(C=1 / (0.01 * 1437), fit_intercept=False, tol=1e-10, max_iter=1000).fit(
        rows, DIGITS.labels
    )
    np.testing.assert_allclose(landscape.optimum.view(10, 65), theirs.coef_, atol=1e-5)
    x = landscape.start(streams((0,)), 2)
    naive = [
        reference.softmax_loss(w, DIGITS.pixels, DIGITS.labels, 0.01)
        for w in (*x[0], landscape.optimum[0])
    ]
    np.testing.assert_allclose(landscape.loss(x)[0], np.array(naive[:2]) - naive[2], rtol=1e-10)


def test_logistic_features_have_the_set_condition():
    rows = LogisticRegression(features=4, examples=20_000, condition=27.0).bind(streams((0,))).rows[0]
    np.testing.assert_allclose(rows.var(0), [1, 1 / 3, 1 / 9, 1 / 27], rtol=0.05)


# recurrent networks -----------------------------------------------------------------------------------------


def test_linear_rnn_against_loops():
    landscape = LinearRNN(units=3, steps=6, target=0.7, spread=0.5).bind(streams())
    x = landscape.start(streams(), 2)
    for r, p in places(x):
        start, end = landscape.ends[r].tolist()
        naive = reference.matrix_product_loss(
            x[r, p].view(3, 3).tolist(), start, [0.7 * u for u in end], 6
        )
        assert float(landscape.loss(x)[r, p]) == pytest.approx(naive, rel=1e-12)


@each(("units", "steps"), [(1, 1), (1, 50), (2, 1), (2, 30), (5, 10)])
def test_linear_rnn_reaches_its_target_at_the_optimum(units, steps):
    landscape = LinearRNN(units=units, steps=steps, target=0.3).bind(streams())
    assert landscape.loss(landscape.optimum[:, None]).max() <= 1e-28
    assert landscape.loss(1.01 * landscape.optimum[:, None]).min() > 1e-8
    torch.testing.assert_close(
        landscape.ends.norm(dim=-1), torch.ones(2, 2).double(), rtol=1e-12, atol=0
    )


@each("rows", [None, 1, 2])
def test_tanh_rnn_against_torch(rows):
    landscape = TanhRNN(units=3, steps=6, sequences=7).bind(streams())
    x = landscape.start(streams(), 2)
    terms = None if rows is None else batch(landscape, rows)
    for r, p in places(x):
        seen = torch.arange(7) if rows is None else terms.index[r, p % rows]
        outputs = reference.recurrent_outputs(x[r, p], 3, landscape.inputs[r].mT)
        miss = (outputs - landscape.targets[r]) ** 2
        assert float(landscape.loss(x, terms)[r, p]) == pytest.approx(
            float(miss[seen].mean()), rel=1e-12
        )
        assert p or float(landscape.measures(x[:, 0])["test_loss"][r]) == pytest.approx(
            float(miss[7:].mean()), rel=1e-12
        )


def test_the_adding_problem():
    landscape = TanhRNN(steps=7, sequences=200).bind(streams())
    values, markers = landscape.inputs.unbind(2)
    assert (markers[..., :3].sum(-1) == 1).all()
    assert (markers[..., 3:].sum(-1) == 1).all()
    assert (markers.sum((0, 1)) > 0).all(), "every place is marked at times"
    torch.testing.assert_close(landscape.targets, (values * markers).sum(-1), rtol=1e-14, atol=0)
    silent = torch.zeros((2, 1, landscape.dim)).double()
    silent[..., -1] = 1
    errors = (1 - landscape.targets[:, :200]) ** 2
    torch.testing.assert_close(landscape.loss(silent)[:, 0], errors.mean(1), rtol=1e-12, atol=0)
    assert abs(float(errors.mean()) - 1 / 6) <= 4.5 * float(errors.std()) / 400**0.5


# batch norm and the autoencoder -----------------------------------------------------------------------------


@each("rows", [None, 1, 2])
@each("statistics", ["batch", "batch_constant", "running", "fixed"])
def test_batch_norm_against_torch(statistics, rows):
    landscape = BatchNorm(hidden=3, statistics=statistics, eps=1e-3, activation="tanh")
    x = landscape.start(streams(), 2)
    x = x + 0.3 * streams().normal("mutation", x.shape[1:])
    terms = None if rows is None else batch(landscape, rows, 5)

    def naive(r, p, seen):
        made = reference.filled(reference.normalised_network(3, "tanh", 1e-3), x[r, p])
        if statistics != "batch":
            made.eval()
        with torch.no_grad():
            z = made[0](DIGITS.pixels if statistics == "running" else DIGITS.pixels[seen])
            if statistics in ("running", "batch_constant"):
                made[1].running_mean.copy_(z.mean(0))
                made[1].running_var.copy_(z.var(0, unbiased=False))
        return reference.loss_and_gradient(
            made, x[r, p], DIGITS.pixels[seen], DIGITS.labels[seen], functional.cross_entropy
        )

    compare(landscape, x, terms, naive)


@each("statistics", ["batch", "batch_constant", "running", "fixed"])
def test_batch_norm_is_measured_in_eval_mode(statistics):
    x = BatchNorm(hidden=3).start(streams(range(20)), 1)[:, 0]

    def accuracy(weights, seen):
        made = reference.filled(reference.normalised_network(3, "relu", 1e-5), weights).eval()
        with torch.no_grad():
            if statistics != "fixed":
                made[1].running_mean.copy_(made[0](seen).mean(0))
                made[1].running_var.copy_(made[0](seen).var(0, unbiased=False))
            return float((made(DIGITS.test_pixels).argmax(-1) == DIGITS.test_labels).double().mean())

    found = BatchNorm(hidden=3, statistics=statistics).measures(x)["test_accuracy"].tolist()
    assert found == pytest.approx([accuracy(weights, DIGITS.pixels) for weights in x])
    held_out = [accuracy(weights, DIGITS.test_pixels) for weights in x]
    assert statistics == "fixed" or found != pytest.approx(held_out), (
        "statistics are those of the training images"
    )


@each("dtype", [torch.float64, torch.float32], ids=str)
@each("statistics", ["batch_constant", "running"])
def test_constant_statistics_do_not_let_a_world_see_the_others(statistics, dtype):
    assert same_alone(BatchNorm(hidden=3, statistics=statistics), dtype, (1, 3))


@each("rows", [None, 1, 2])
@each("statistics", ["batch", "batch_constant", "running", "fixed"])
def test_a_bare_layer_against_torch(statistics, rows):
    landscape = NormLayer(examples=9, common=0.7, statistics=statistics, eps=1e-3).bind(streams())
    x = landscape.start(streams(), 2)
    terms = None if rows is None else batch(landscape, rows, 5)

    def naive(r, p, seen):
        inputs = x[r, p].clone().requires_grad_()
        known = (inputs if statistics == "running" else inputs[seen]).detach()
        mean, variance = known.mean().reshape(1), known.var(unbiased=False).reshape(1)
        if statistics == "fixed":
            mean, variance = torch.zeros(1).double(), torch.ones(1).double()
        y = functional.batch_norm(
            inputs[seen, None], mean, variance, training=statistics == "batch", eps=1e-3
        )
        value = (landscape.above[r, seen] * y[:, 0]).mean()
        return float(value.detach()), torch.autograd.grad(value, inputs)[0]

    compare(landscape, x, terms, naive)


WORLDS = range(4000)


def passed(statistics, size, common=0.0):
    """Squared length of what passes a bare layer, in each world; without a layer it is that of g."""
    landscape = NormLayer(examples=size, common=common, statistics=statistics, eps=0.0)
    landscape = landscape.bind(streams(WORLDS))
    slope = evaluate(landscape, landscape.start(streams(WORLDS), 1), gradient=True).gradient
    return (size * slope).square().sum(-1)[:, 0]


def mean_error(values):
    """4.5 standard errors of their mean."""
    return 4.5 * float(values.std()) / len(values) ** 0.5


@each("size", [3, 4, 8])
def test_a_bare_layer_keeps_the_share_of_a_projection(size):
    """A random direction loses 2 of its m coordinates, and keeps a share of the law Beta((m - 2) / 2, 1)."""
    kept = passed("batch", size) / passed("batch_constant", size)
    assert abs(float(kept.mean()) - beta.mean(size / 2 - 1, 1)) <= mean_error(kept)
    assert float(kept.mean()) < (size - 1) / size - 2 * mean_error(kept)


def test_a_bare_layer_passes_nothing_of_two():
    assert float((passed("batch", 2) / passed("batch_constant", 2)).max()) <= 1e-20


def test_against_the_deviation_of_all_a_batch_lengthens():
    """E 1 / s^2 by quadrature, times the m - 2 coordinates that pass, is more than m."""
    size = 10
    longer = passed("batch", size)
    law = quad(lambda square: size / square * chi2.pdf(square, size - 1), 0, np.inf)[0] * (size - 2)
    assert abs(float(longer.mean()) - law) <= mean_error(longer)
    all_of_it = passed("fixed", size)
    assert abs(float(all_of_it.mean()) - size) <= mean_error(all_of_it)
    assert float(longer.mean()) > size + 2 * mean_error(longer)


def test_what_all_have_in_common_does_not_pass_a_bare_layer():
    torch.testing.assert_close(passed("batch", 6, common=5.0), passed("batch", 6), rtol=1e-9, atol=0)
    assert float(passed("fixed", 6, common=5.0).mean()) > 20 * float(passed("fixed", 6).mean())


@each("rows", [None, 1])
@each("activation", ["tanh", "relu"])
def test_autoencoder_against_torch(activation, rows):
    landscape = Autoencoder(hidden=5, bottleneck=2, activation=activation)
    x = landscape.start(streams(), 2)

    def naive(r, p, seen):
        pixels = DIGITS.pixels[seen]
        return reference.loss_and_gradient(
            reference.autoencoder(5, 2, activation), x[r, p], pixels, pixels, functional.mse_loss
        )

    compare(landscape, x, None if rows is None else batch(landscape, 1), naive)
    held_out = reference.filled(reference.autoencoder(5, 2, activation), x[1, 0])(
        DIGITS.test_pixels
    ).detach()
    assert float(landscape.measures(x[:, 0])["test_loss"][1]) == pytest.approx(
        float(functional.mse_loss(held_out, DIGITS.test_pixels))
    )


def test_the_large_case_is_large_and_the_mean_image_is_a_baseline():
    landscape = Autoencoder()
    assert landscape.dim == 20_816
    x = torch.zeros((1, 1, landscape.dim)).double()
    x[..., -64:] = DIGITS.pixels.mean(0)
    assert float(landscape.loss(x)) == pytest.approx(
        float(DIGITS.pixels.var(0, unbiased=False).mean()), rel=1e-12
    )
    assert float(landscape.loss(x)) == pytest.approx(0.073, abs=5e-4)


# contrastive ------------------------------------------------------------------------------------------------


@each("rows", [None, 1, 2])
@each("objective", ["pairwise", "infonce"])
def test_contrastive_against_loops(objective, rows):
    landscape = Contrastive(
        objective=objective, features=3, embedding=2, pairs=6, temperature=0.7
    ).bind(streams())
    x = landscape.start(streams(), 2)
    terms = None if rows is None else batch(landscape, rows)
    for r, p in places(x):
        seen = range(6) if rows is None else terms.index[r, p % rows].tolist()
        naive = reference.contrastive_loss(
            x[r, p].view(2, 3).tolist(), [landscape.views[r, i].tolist() for i in seen], 0.7, objective
        )
        assert float(landscape.loss(x, terms)[r, p]) == pytest.approx(naive, rel=1e-11, abs=1e-12)


def test_contrastive_views_have_the_set_correlation():
    a, b = Contrastive(features=2, pairs=20_000, correlation=0.3).bind(streams((0,))).views[0].unbind(1)
    for sample, wanted in (
        (a * b, 0.3),
        (a * a, 1.0),
        (b * b, 1.0),
        (a * b.roll(1, 1), 0.0),
        (a * b.roll(1, 0), 0.0),
    ):
        assert abs(float(sample.mean()) - wanted) <= 4.5 * float(sample.std()) / 40_000**0.5
    assert abs(float((a * b).mean())) > 4.5 / 200
