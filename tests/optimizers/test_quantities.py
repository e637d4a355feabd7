"""What methods say of themselves to `record:`: of every case of the contract, and by hand."""

import numpy as np
import pytest

from optimizers import OPTIMIZERS
from optimizers.schedules import Schedule
from studies.cells.expressions.names import WORDS
from tests.contract.optimizers.cases import CASES, LARGEST, SMALLEST, identity
from tests.support.play import build, make, play

TELLING = [case for case in CASES if OPTIMIZERS[case.kind].quantities]
FAMILIES = {  # name -> kinds that have it
    "sigma": {
        "cma_es",
        "ipop_cma_es",
        "mu_lambda",
        "snes",
        "xnes",
        "pgpe",
        "cem",
        "one_plus_one",
        "openai_es",
    },
    "path_length": {"cma_es", "ipop_cma_es", "mu_lambda"},
    "covariance_condition": {"cma_es", "ipop_cma_es", "snes", "xnes", "pgpe", "cem"},
    "temperature": {"metropolis", "simulated_annealing", "parallel_tempering", "langevin"},
}


def of_case(case, worlds=None):
    """Quantity -> its numbers after each step, of all worlds or some."""
    kind, options, _, domain = case
    dim = max(min(5, LARGEST.get(kind, 5)), SMALLEST.get(kind, 1))
    optimizer = build(kind, options)
    streams = make() if worlds is None else make(worlds)
    states, _, infos = play(optimizer, domain, streams, dim)
    told = {name: [each.of(optimizer, states[0], None)] for name, each in optimizer.quantities.items()}
    for state, info in zip(states[1:], infos, strict=True):
        for name, each in optimizer.quantities.items():
            told[name].append(each.of(optimizer, state, info))
    return told


@pytest.mark.parametrize("case", TELLING, ids=identity)
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
    return {name: each.of(optimizer, state, info) for name, each in optimizer.quantities.items()}


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


def test_acceptance_is_the_share_of_walkers_that_moved():
    case = next(case for case in CASES if case.kind == "metropolis")
    options = {**case.options, "starts": 4}
    states, _, infos = play(build("metropolis", options), case.domain, make(), 3)
    told = of("metropolis", states[-1], infos[-1], **options)
    np.testing.assert_array_equal(told["acceptance"], infos[-1]["accepted"].double().mean(1))
