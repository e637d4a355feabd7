"""`steps: budget`: the number of steps that a study finds is the number that its arm then takes."""

import json
import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import pytest
import torch
from annotated_types import Gt

from optimizers.evolution_strategies.cem import CEM
from optimizers.populations.ga import GA
from studies.cells.loop import run_worlds
from studies.kinds.registry import build
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from studies.study_file.study import StudyError

DIGITS = {"kind": "digits", "hidden": 1}
COSINE = {"kind": "cosine"}
STUDY = {
    "name": "budgets",
    "budget": 130,
    "replicates": 2,
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 3}},
}


@dataclass(frozen=True, kw_only=True)
class Patient(CEM):
    """A kind of a user's, with a number of steps of another name."""

    name: ClassVar[str] = "patient"
    until_budget: ClassVar[tuple[str, ...]] = ("horizon",)
    relaxations: ClassVar[tuple[str, ...]] = ("lovasz", "threshold")
    horizon: Annotated[int | Literal["budget"], Gt(0)] = "budget"


@dataclass(frozen=True, kw_only=True)
class Growing(GA):
    """A kind of a user's whose population follows its schedule by a rule of its own, without a `coupling`."""

    name: ClassVar[str] = "growing"

    @property
    def cost_follows_schedule(self):
        return True

    def ask(self, state, streams):
        size = self.schedule.size(self.population, state.step, "constant_variance")
        query = super().ask(state, streams)
        return query._replace(alive=torch.arange(self.population) < size[:, None])


def arms(folder, **study):
    """The tasks of a study by the label of their optimizer."""
    path = folder / "study.yaml"
    path.write_text(json.dumps(STUDY | study))
    return {str(arm.coords["optimizer"]): arm.task for arm in make_plan(load_study(path)).arms}


NOISE = {"evaluation": 0.1}
BATCH = {"batch": 100, "sampling": "epoch"}


@pytest.mark.parametrize(
    ("landscape", "study", "optimizer", "by_hand"),
    [
        ("bowl", {}, {"kind": "simulated_annealing"}, 130),  # one value a step
        ("bowl", {}, {"kind": "simulated_annealing", "starts": 3}, 43),  # 130 / 3
        (
            "bowl",
            {"noise": NOISE},
            {"kind": "simulated_annealing", "starts": 3},
            21,
        ),  # 130 / 6: both points are asked
        (
            "bowl",
            {"noise": {"evaluation": {"gradient": 0.1}}},
            {"kind": "simulated_annealing", "starts": 3},
            43,
        ),
        ("bowl", {}, {"kind": "sgd", "schedule": COSINE}, 43),  # 130 / 3
        ("bowl", {}, {"kind": "sgd", "schedule": COSINE | {"warmup": 4}}, 39),
        (
            "bowl",
            {"gradient_cost": {"value": 3, "range": [2, 5]}},
            {"kind": "sgd", "schedule": COSINE},
            65,
        ),  # 130 / 2: the lowest price
        (
            "bowl",
            {},
            {
                "kind": "openai_es",
                "population": 4,
                "sigma_schedule": COSINE,
                "schedule": COSINE | {"steps": 7},
            },
            32,
        ),  # 130 / 4
        ("bowl", {}, {"kind": "ga", "population": 13, "schedule": COSINE}, 10),
        ("bowl", {}, {"kind": "cem", "population": 13, "noise": 0.1, "steps": "budget"}, 10),
        ("bowl", {}, {"kind": "extragradient", "schedule": COSINE}, 21),  # 130 / (2 * 3)
        ("bowl", {}, {"kind": "alternating", "schedule": COSINE}, 43),
        ("game", {}, {"kind": "extragradient", "schedule": COSINE}, 8),  # 50 / 3 = 16 queries
        ("game", {}, {"kind": "alternating", "schedule": COSINE}, 8),
        (
            "bowl",
            {},
            {"kind": "async_sgd", "workers": 4, "mode": "sync", "schedule": COSINE},
            10,
        ),  # 130 / (4 * 3)
        (
            "digits",
            {"noise": {"batch": 100}},
            {"kind": "sgd", "schedule": COSINE},
            95,
        ),  # 20 / (3 * 100 / 1437)
        (
            "digits",
            {"noise": BATCH},
            {"kind": "sgd", "schedule": COSINE},
            100,
        ),  # an epoch costs 3 and has 15 batches
        ("digits", {}, {"kind": "sgd", "batch": 100, "schedule": COSINE}, 95),
    ],
)
def test_the_steps_that_a_budget_buys(tmp_path, landscape, study, optimizer, by_hand):
    """As counted by hand, and as many as are taken."""
    kind, budget = {
        "bowl": ({"kind": "quadratic", "dim": 3}, 130),
        "game": ({"kind": "dirac_gan"}, 50),
        "digits": (DIGITS, 20),
    }[landscape]
    task = arms(
        tmp_path,
        landscapes={"it": kind},
        budget=budget,
        optimizers={"it": optimizer},
        checkpoints=[1.0],
        **study,
    )["it"]
    key = "sigma_schedule" if "sigma_schedule" in optimizer else "schedule"
    scheduled = task.optimizer if optimizer["kind"] == "cem" else task.optimizer[key]
    assert scheduled["steps"] == by_hand
    queries = {"extragradient": 2, "alternating": 2 if landscape == "game" else 1}.get(
        optimizer["kind"], 1
    )
    taken = run_worlds(task, torch.arange(2))["steps"][:, -1].values // queries
    rest = (
        1 if "sampling" in study.get("noise", {}) else 0
    )  # the last epoch is not whole: its batches are a little larger than those of a whole one
    assert (abs(taken - by_hand - scheduled.get("warmup", 0)) <= rest).all()


@pytest.mark.daily(2)
@pytest.mark.parametrize(
    ("optimizer", "share"),
    [
        # of the cost of the first step, the mean over the run of mu^2 or 1 / mu, mu = 0.1^u: (1 - 0.01) / ln
        # 100, 9 / ln 10
        (
            {
                "kind": "sgd",
                "batch": 400,
                "coupling": "constant_variance",
                "schedule": {"kind": "exponential"},
            },
            0.99 / math.log(100),
        ),
        (
            {"kind": "sgd", "batch": 40, "coupling": "grow", "schedule": {"kind": "exponential"}},
            9 / math.log(10),
        ),
        (
            {
                "kind": "openai_es",
                "population": 100,
                "coupling": "constant_variance",
                "sigma_schedule": {"kind": "exponential"},
            },
            0.99 / math.log(100),
        ),
        (
            {
                "kind": "ga",
                "population": 20,
                "largest": 200,
                "coupling": "grow",
                "schedule": {"kind": "exponential"},
            },
            9 / math.log(10),
        ),
    ],
)
def test_a_budget_of_steps_whose_cost_follows_their_schedule(tmp_path, optimizer, share):
    """The number that ends with the budget is near budget / (mean cost of a step), and the run is at its end then, to 1 % of the budget."""
    descent = optimizer["kind"] == "sgd"
    task = arms(
        tmp_path,
        landscapes={"it": DIGITS if descent else {"kind": "quadratic"}},
        optimizers={"it": optimizer},
        budget=9000,
        checkpoints=[1.0],
    )["it"]
    key = "sigma_schedule" if "sigma_schedule" in optimizer else "schedule"
    first = 3 * optimizer["batch"] / 1437 if descent else optimizer["population"]
    steps = task.optimizer[key]["steps"]
    assert steps == pytest.approx(9000 / (first * share), rel=0.03)
    if not descent:  # digits would take long
        last = max(2, 0.01 * first) if key == "sigma_schedule" else 10 * first  # cost of the last step
        taken = run_worlds(task, torch.arange(1))["steps"][0, -1].item()
        assert abs(taken - steps) * last <= 0.01 * 9000


def test_numbers_stay_and_arms_have_their_own(tmp_path):
    made = arms(
        tmp_path,
        optimizers={
            "SA": {"kind": "simulated_annealing", "grid": {"starts": [1, 2]}},
            "slow": {"kind": "simulated_annealing", "schedule": {"kind": "exponential", "steps": 1000}},
        },
    )
    assert {name: task.optimizer["schedule"]["steps"] for name, task in made.items()} == {
        "SA starts=1": 130,
        "SA starts=2": 65,
        "slow": 1000,
    }
    assert made["SA starts=1"].optimizer["schedule"]["factor"] == 0.001


def test_the_temperature_at_the_end_is_a_thousandth(tmp_path):
    task = arms(tmp_path, optimizers={"SA": {"kind": "simulated_annealing", "temperature": 2.0}})["SA"]
    schedule = build(task.optimizer, "optimizer").schedule
    assert schedule.multiplier(torch.tensor([0, 65, 130])).tolist() == pytest.approx([
        1.0,
        0.001**0.5,
        0.001,
    ])


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (
            {"kind": "sgd", "schedule": {"kind": "cosine", "steps": "budgte"}},
            "optimizers.it.schedule.steps: expected .*'budget'",
        ),
        (
            {"kind": "sgd", "schedule": {"kind": "cosine", "steps": 0}},
            "optimizers.it.schedule.steps: expected",
        ),
        (
            {"kind": "sgd", "schedule": {"steps": "budget"}},
            "optimizers.it.schedule.steps: expected none for a constant schedule, got budget",
        ),
    ],
)
def test_wrong_steps(tmp_path, optimizer, message):
    with pytest.raises(StudyError, match=message):
        arms(tmp_path, landscapes={"digits": DIGITS}, optimizers={"it": optimizer})


def test_kinds_of_the_user_say_which_parameters_end_with_the_budget(tmp_path):
    task = arms(
        tmp_path,
        optimizers={"it": {"kind": "tests.studies.study_file.test_budgets:Patient", "population": 13}},
    )["it"]
    assert (task.optimizer["horizon"], task.optimizer["steps"]) == (10, None)  # 130 / 13


def test_kinds_of_the_user_say_that_their_cost_follows_a_schedule(tmp_path):
    """100 (1 - 0.01) / ln 100 = 21.5 points a step in the mean, not the 100 of the first one."""
    spec = {
        "kind": "tests.studies.study_file.test_budgets:Growing",
        "population": 100,
        "schedule": {"kind": "exponential"},
    }
    task = arms(tmp_path, optimizers={"it": spec}, budget=9000)["it"]
    assert task.optimizer["schedule"]["steps"] == pytest.approx(
        9000 / (100 * 0.99 / math.log(100)), rel=0.03
    )


def test_kinds_of_the_user_say_how_they_may_see_bits(tmp_path):
    study = {"landscapes": {"bits": {"kind": "onemax", "n": 8}}}
    with pytest.raises(
        StudyError,
        match=(
            r"optimizers\.it\.relaxation: expected 'lovasz' or 'threshold', which is all that .*Patient"
            r" takes, got 'ext"
        ),
    ):
        arms(
            tmp_path,
            optimizers={
                "it": {
                    "kind": "tests.studies.study_file.test_budgets:Patient",
                    "relaxation": "extension",
                }
            },
            **study,
        )
    assert arms(
        tmp_path,
        optimizers={
            "it": {"kind": "tests.studies.study_file.test_budgets:Patient", "relaxation": "lovasz"}
        },
        **study,
    )
