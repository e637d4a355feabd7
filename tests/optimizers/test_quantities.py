"""What methods say of themselves to `record:`: of every case of the contract, and by hand."""

import numpy as np
import torch

from landscapes.base import Bits, Reals
from optimizers import OPTIMIZERS
from optimizers.schedules import Schedule
from studies.cells.expressions.names import WORDS
from tests.contract.optimizers.cases import CASES, LARGEST, SMALLEST, identity
from tests.support.each import each
from tests.support.play import build, make, play

TELLING = [case for case in CASES if OPTIMIZERS[case.kind].quantities]
FAMILIES = {  # name -> kinds that have it
    "sigma": {
        "cma_es",
        "ipop_cma_es",
        "uh_cma_es",
        "mu_lambda",
        "snes",
        "xnes",
        "pgpe",
        "cem",
        "one_plus_one",
        "openai_es",
    },
    "path_length": {"cma_es", "ipop_cma_es", "uh_cma_es", "mu_lambda"},
    "covariance_condition": {"cma_es", "ipop_cma_es", "uh_cma_es", "snes", "xnes", "pgpe", "cem"},
    "temperature": {"metropolis", "simulated_annealing", "parallel_tempering", "langevin"},
    "learning_rate": {
        "sgd",
        "async_sgd",
        "adam",
        "signed_sgd",
        "natural_sgd",
        "langevin",
        "extragradient",
        "alternating",
        "spsa",
        "openai_es",
        "recombined_sgd",
        "pbt",
        "snes",
        "xnes",
        "pgpe",
        "cem",
        "memetic",
        "bernoulli_nes",
        "pbil",
        "torch_optim",
    },
}


def of_case(case, worlds=None):
    """Quantity -> its numbers after each step, of all worlds or some."""
    kind, options, _, domain = case
    dim = max(min(5, LARGEST.get(kind, 5)), SMALLEST.get(kind, 1))
    optimizer = build(kind, options)
    streams = make() if worlds is None else make(worlds)
    states, _, infos = play(optimizer, domain, streams, dim)
    told = {
        name: [quantity.of(optimizer, states[0], None)]
        for name, quantity in optimizer.quantities.items()
    }
    for state, info in zip(states[1:], infos, strict=True):
        for name, quantity in optimizer.quantities.items():
            told[name].append(quantity.of(optimizer, state, info))
    return told


@each("case", TELLING, ids=identity)
def test_each_is_a_number_or_a_vector_of_each_world_and_of_it_alone(case):
    whole, part = of_case(case), of_case(case, [5, 2])
    for name, values in whole.items():
        for value, own in zip(values, part[name], strict=True):
            if value is None:  # before the first step
                assert own is None
                continue
            assert value.shape[0] == 8
            assert value.ndim <= 2
            np.testing.assert_array_equal(value[[5, 2]], own)
        assert all(value is not None for value in values[1:])


def test_families_have_theirs():
    for name, kinds in FAMILIES.items():
        assert {kind for kind, cls in OPTIMIZERS.items() if name in cls.quantities} == kinds


def test_no_name_is_one_of_the_loops():
    for cls in OPTIMIZERS.values():
        assert not set(cls.quantities) & set(WORDS)


def of(kind, state, info=None, **options):
    optimizer = build(kind, options)
    return {
        name: quantity.of(optimizer, state, info) for name, quantity in optimizer.quantities.items()
    }


def test_those_of_cma_es_are_what_its_state_says():
    case = next(case for case in CASES if case.kind == "cma_es" and not case.options.get("covariance"))
    states, _, _ = play(build("cma_es", case.options), case.domain, make(), 3)
    told = of("cma_es", states[-1], **case.options)
    state = states[-1]
    np.testing.assert_array_equal(told["sigma"], state.sigma[:, 0, 0])
    np.testing.assert_allclose(
        told["path_length"], np.linalg.norm(state.path_sigma[:, 0], axis=1), rtol=1e-12
    )
    lengths = state.lengths[:, 0].numpy()
    expected = (lengths.max(1) / lengths.min(1)) ** 2
    np.testing.assert_allclose(told["covariance_condition"], expected, rtol=1e-12)


def test_the_condition_of_xnes_is_that_of_its_covariance():
    case = next(case for case in CASES if case.kind == "xnes")
    states, _, _ = play(build("xnes", case.options), case.domain, make(), 3)
    shape = states[-1].shape.numpy()
    expected = np.linalg.cond(np.swapaxes(shape, 1, 2) @ shape)
    told = of("xnes", states[-1], **case.options)["covariance_condition"]
    np.testing.assert_allclose(told, expected, rtol=1e-9)


def test_a_learning_rate_is_that_of_the_next_step():
    """0.2 and, after 10 steps of a geometric decay to a tenth, 0.02."""
    case = next(case for case in CASES if case.kind == "sgd")
    options = {"learning_rate": 0.2, "schedule": Schedule(kind="exponential", steps=10, factor=0.1)}
    states, _, _ = play(build("sgd", options), case.domain, make(), 3)
    for state in states:
        expected = 0.2 * 0.1 ** (state.step.double() / 10)
        np.testing.assert_allclose(of("sgd", state, **options)["learning_rate"], expected, rtol=1e-12)


RATES = {  # kind -> parameter, and a value for each of 8 worlds
    **dict.fromkeys(["snes", "xnes", "pgpe", "memetic", "bernoulli_nes", "pbil"], "learning_rate"),
    "cem": "smoothing",
}


@each("kind", RATES)
def test_a_learning_rate_that_stays_is_that_of_each_world(kind):
    case = next(case for case in CASES if case.kind == kind)
    rates = torch.linspace(0.1, 0.8, 8, dtype=torch.float64)
    options = {**case.options, RATES[kind]: rates}
    states, _, _ = play(build(kind, options), case.domain, make(), 3)
    for state in states:
        np.testing.assert_array_equal(of(kind, state, **options)["learning_rate"], rates)


def test_what_pbil_learns_in_a_step_is_its_rate():
    """The chance p moves by eta of the way from p to the best of a sample: from 1/2 by eta / 2."""
    options = {"learning_rate": 0.2, "selected": 1, "margin": 0.0}
    states, _, _ = play(build("pbil", options), Bits(), make(), 5, steps=1)
    told = of("pbil", states[0], **options)["learning_rate"]
    moved = (states[1].chance - states[0].chance).abs()[:, 0]
    np.testing.assert_allclose(moved, (told[:, None] / 2).expand(-1, 5), rtol=1e-12)


@each(
    ("options", "expected"),
    [
        ({"method": "SGD", "learning_rate": 0.03}, lambda step: 0.03),
        ({"method": "Adam"}, lambda step: 1e-3),
        ({"method": "Adadelta"}, lambda step: 1.0),
        ({"method": "Rprop"}, lambda step: np.nan),
        (
            {"method": "ASGD", "learning_rate": 0.1, "options": {"lambd": 0.5, "alpha": 0.75}},
            lambda step: 0.1 / (1 + 0.5 * 0.1 * step) ** 0.75,
        ),
    ],
)
def test_the_learning_rate_of_torch_is_its_own(options, expected):
    """Of ASGD eta_t = lr / (1 + lambda lr t)^alpha (documentation of torch.optim.ASGD)."""
    states, _, _ = play(build("torch_optim", options), Reals(-1.0, 1.0), make(), 3)
    for step, state in enumerate(states):
        told = of("torch_optim", state, **options)["learning_rate"]
        np.testing.assert_allclose(told, np.full(8, expected(step)), rtol=1e-6)


def test_acceptance_is_the_share_of_walkers_that_moved():
    case = next(case for case in CASES if case.kind == "metropolis")
    options = {**case.options, "starts": 4}
    states, _, infos = play(build("metropolis", options), case.domain, make(), 3)
    told = of("metropolis", states[-1], infos[-1], **options)
    np.testing.assert_array_equal(told["acceptance"], infos[-1]["accepted"].double().mean(1))
