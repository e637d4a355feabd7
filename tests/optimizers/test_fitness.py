"""Fitness from loss: as a table has it, in every method that has fitness.

And what happens where nobody has any.
"""

import math

import pytest
import torch

from landscapes import LANDSCAPES
from landscapes.base import FitnessLaw, Problem, Query
from landscapes.oracle.bill import Bill
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams
from landscapes.wrappers.relaxation import Relaxation
from optimizers import OPTIMIZERS
from optimizers.fitness import fitness, log_fitness, weights
from studies.report.tables import final_loss
from studies.run.__main__ import _draw_and_print
from studies.study_file.loading import load_study
from studies.study_file.study import StudyError
from studies.text.terminal import console
from tests.support.each import each
from tests.support.runs import here, write

TABLE = {"00": 1.0, "10": 1.5, "01": 2.0, "11": 3.0}
SELECTED = sum(w * w for w in TABLE.values()) / sum(
    TABLE.values()
)  # mean fitness after a generation from equal frequencies, 16.25 / 7.5
LAWS = {
    "none": (None, lambda loss: None),
    "raw": (FitnessLaw(3.0), lambda loss: max(0.0, 3.0 - loss)),
    "log": (FitnessLaw(log=True), lambda loss: math.exp(-loss)),
}


def table(folder, change=float, **options):
    """The table as a file, its values changed, as a landscape."""
    rows = [f"{genotype},{change(value)!r}" for genotype, value in TABLE.items()]
    path = folder / "table.csv"
    path.write_text("\n".join(["genotype,fitness", *rows]))
    return LANDSCAPES["empirical"](file=str(path), **options)


def step(landscape, optimizer, copies=1, worlds=1, dtype=torch.float64):
    """Center after one step from equal frequencies of the four genotypes, and the info.

    What the optimizer asks goes through an oracle.
    """
    streams = Streams(seed=1, worlds=torch.arange(worlds), dtype=dtype)
    bound = landscape.bind(streams.at(0))
    every = (
        torch
        .tensor([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=torch.uint8)
        .repeat(copies, 1)
        .expand(worlds, -1, -1)
    )
    state = optimizer.init(Problem(2, bound.domain, True, lambda n: every[:, :n]), streams.at(0))
    query = optimizer.ask(state, streams.at(1))
    answer = Oracle(bound, Noise(), Bill(worlds, terms=1, budget=math.inf))(query, streams.at(1))
    state, info = optimizer.tell(state, query, answer, streams.at(1))
    return optimizer.center(state), info, state


def frequencies(beta=1.0, kind="linear"):
    """Allele frequencies after selection, by hand."""
    best = max(TABLE.values())
    w = {
        g: 1 - beta * (1 - v / best) if kind == "linear" else (v / best) ** beta
        for g, v in TABLE.items()
    }
    return [sum(w[g] for g in TABLE if g[i] == "1") / sum(w.values()) for i in range(2)]


@each("beta", [0.0, 0.4, 1.0, 2.5])
@each("kind", ["linear", "exponential"])
@each("law", LAWS)
def test_against_a_loop(law, kind, beta):
    loss = [[0.0, 0.3, 2.0, 5.0], [0.7, 0.7, 1.1, 0.2]]
    told, standing = LAWS[law]

    def naive(value):
        if told is None:
            return max(0.0, 1 - beta * value) if kind == "linear" else math.exp(-beta * value)
        v = standing(value) / standing(0.0)
        return max(0.0, 1 - beta * (1 - v)) if kind == "linear" else v**beta

    for row in (
        fitness(torch.tensor(loss), kind, beta, told),
        log_fitness(torch.tensor(loss), kind, torch.tensor([beta, beta]), told).exp(),
    ):
        for found, values in zip(row.tolist(), loss, strict=True):
            wanted = [naive(value) for value in values]
            assert [w / sum(found) for w in found] == pytest.approx(
                [w / sum(wanted) for w in wanted], rel=1e-6
            )


@each("kind", ["linear", "exponential"])
@each("law", [None, FitnessLaw(2.0), FitnessLaw(log=True)])
def test_bad_losses(law, kind):
    """NaN and infinite losses have no fitness, also under weak or no selection.

    Nothing overflows, and the best always has more than the others.
    """
    nan, inf = math.nan, math.inf
    for beta in (0.0, 1e-3, 1.0, 1e300):
        w = fitness(
            torch.tensor(
                [[nan, 0.0, inf], [nan, inf, nan], [-inf, 0.0, 1.0], [-1e308, -1e307, 0.0]],
                dtype=torch.float64,
            ),
            kind,
            beta,
            law,
        )
        assert w.isfinite().all()
        assert (w[0] > 0).tolist() == [False, True, False]
        assert not w[1].any()
        assert (w.amax(1)[2:] > 0).all()
        assert (w[2:, 0] >= w[2:, 1:].amax(1)).all()
        assert w.sum(1).isfinite().all()
    assert weights(torch.tensor([[nan, inf]]), kind, 1.0, law).tolist() == [[1.0, 1.0]]


def test_a_table_without_fitness():
    """All values at most 0: nobody has fitness, whatever the mapping."""
    loss = torch.tensor([[0.0, 1.0, 3.0]])
    for kind in ("linear", "exponential"):
        assert not fitness(loss, kind, 1.0, FitnessLaw(0.0)).any()
        assert not fitness(loss, kind, 1.0, FitnessLaw(-2.0)).any()
        assert (fitness(loss, kind, 1.0, FitnessLaw(0.5)) > 0).tolist() == [
            [True, False, False]
        ]  # one alone has


SCALES = {
    "raw": (float, {}),
    "log": (math.log, {"scale": "log"}),
    "log_ratio": (float, {"scale": "log_ratio"}),
}
POPULATIONS = {
    "wright_fisher": {"population": 4000, "crossover": "none", "mutation_rate": 0.0, "sampling": "systematic"},
    "ga": {"population": 4000, "selection": "proportional", "crossover": "none", "mutation_rate": 0.0, "sampling": "systematic"},
    "island_ga": {
        "population": 4000, "islands": 2, "migrants": 0, "selection": "proportional", "crossover": "none", "mutation_rate": 0.0,
        "sampling": "systematic",
    },
    "quasispecies": {"founders": 4, "mutation_rate": 0.0},
}  # fmt: skip


@each("kind", ["linear", "exponential"])
@each("scale", SCALES)
@each("method", POPULATIONS)
def test_a_generation_selects_with_the_fitness_of_the_table(tmp_path, method, scale, kind):
    """P' = p w / W with w the column, by either mapping, and its powers and dilutions at another strength."""
    change, options = SCALES[scale]
    landscape = table(tmp_path, change, **options)
    for beta in (1.0, 0.5):
        optimizer = OPTIMIZERS[method](fitness=kind, selection_strength=beta, **POPULATIONS[method])
        center, info, _ = step(landscape, optimizer, copies=1000)
        assert center[0].tolist() == pytest.approx(
            frequencies(beta, kind), abs=1e-3 if method != "quasispecies" else 1e-12
        )
        assert not info["unfit"].any()
    assert frequencies(1.0, "exponential") == pytest.approx(frequencies())
    assert abs(frequencies()[1] - 1 / (1 + math.exp(-1.25))) > 0.05  # mutant: exp(-loss) of the raw gap


def test_mean_fitness_after_a_generation(tmp_path):
    _, _, state = step(table(tmp_path), OPTIMIZERS["quasispecies"](founders=4, mutation_rate=0.0))
    assert (state.frequency[0] * torch.tensor([1.0, 1.5, 2.0, 3.0])).sum().item() == pytest.approx(
        SELECTED, rel=1e-14
    )


@each("strength", [1.0, 0.3])
def test_wrights_equation_selects_with_the_fitness_of_the_table(tmp_path, strength):
    optimizer = OPTIMIZERS["linkage_equilibrium"](selection_strength=strength)
    relaxed = Relaxation(inner=table(tmp_path))
    streams = Streams(seed=1, worlds=torch.tensor([0]), dtype=torch.float64)
    bound = relaxed.bind(streams.at(0))
    state = optimizer.init(
        Problem(2, bound.domain, True, lambda n: torch.zeros(1, n, 2, dtype=torch.float64)),
        streams.at(0),
    )
    oracle = Oracle(bound, Noise(), Bill(1, terms=1, budget=math.inf))
    query = optimizer.ask(state, streams.at(1))
    state, info = optimizer.tell(state, query, oracle(query, streams.at(1)), streams.at(1))
    assert torch.sigmoid(optimizer.center(state))[0].tolist() == pytest.approx(
        frequencies(strength), abs=1e-12
    )
    assert not info["unfit"].any()


def test_one_default_strength():
    """1 everywhere: fitness as it was measured; at most one meaning."""
    for kind, cls in OPTIMIZERS.items():
        if hasattr(cls, "selection_strength"):
            assert cls.selection_strength == 1.0, kind


@each("scale", SCALES)
def test_origin_fixation_is_by_the_ratio_of_measured_fitness(tmp_path, scale):
    """U(s) / U(-s) = (w' / w)^(a (N - 1)), Sella and Hirsh 2005."""
    change, options = SCALES[scale]
    landscape = table(tmp_path, change, **options)
    streams = Streams(seed=1, worlds=torch.tensor([0]), dtype=torch.float64)
    bound = landscape.bind(streams.at(0))
    for model, a in (("wright_fisher", 2), ("moran", 1)):
        optimizer = OPTIMIZERS["sswm"](population=7, model=model)
        low, high = (bound.loss(torch.tensor([[g]], dtype=torch.uint8)) for g in ([1, 0], [0, 1]))
        ratio = optimizer.fixation(low, high, bound.fitness_law) / optimizer.fixation(
            high, low, bound.fitness_law
        )
        assert ratio.item() == pytest.approx((2.0 / 1.5) ** (a * 6), rel=1e-10)


@each("scale", ["raw", "log", "log_ratio"])
def test_a_column_of_which_less_is_better_is_no_fitness(tmp_path, scale):
    assert table(tmp_path, maximise=False, scale=scale).fitness_law is None


@each("kind", ["linear", "exponential"])
def test_without_selection_all_are_alike_also_where_a_table_gives_nobody_fitness(kind):
    """W^0 = 1, and 1 - 0 (1 - w) = 1, whatever w; only an infinite loss has none."""
    value = torch.tensor([[2.0, 3.0, math.inf]])
    assert fitness(value, kind, 0.0, FitnessLaw(1.0)).tolist() == [[1.0, 1.0, 0.0]]


def test_the_law_stays_with_what_stands_around(tmp_path):
    inner = table(tmp_path)
    assert LANDSCAPES["moving"](inner=inner).fitness_law == inner.fitness_law == FitnessLaw(3.0)
    assert Relaxation(inner=inner).fitness_law == FitnessLaw(3.0)
    assert LANDSCAPES["nk"]().fitness_law is None


def test_a_table_that_is_not_of_logarithms_is_told(tmp_path):
    with pytest.raises(
        ValueError,
        match=(
            r"empirical\.scale: log: expected natural logarithms of fitness in weinreich2006.csv, got 0.063"
            r" to 4100;"
        ),
    ):
        LANDSCAPES["empirical"](scale="log")
    shipped = LANDSCAPES["empirical"]().bind(
        Streams(seed=1, worlds=torch.tensor([0]), dtype=torch.float64)
    )
    every = (torch.arange(32)[:, None] >> torch.arange(5) & 1).to(torch.uint8)[None]
    w = fitness(shipped.loss(every), "exponential", 1.0, shipped.fitness_law)
    assert torch.allclose(w[0] / w.max(), shipped.measured.values / 4100, rtol=1e-9)


def test_wrights_equation_refuses_logarithms(tmp_path):
    table(tmp_path, math.log)
    study = {
        "name": "log", "budget": 10, "replicates": 2, 
        "landscapes": {"table": {"kind": "empirical", "file": str(tmp_path / "table.csv"), "scale": "log"}},
        "optimizers": {"W": {"kind": "linkage_equilibrium", "relaxation": "extension"}},
    }  # fmt: skip
    with pytest.raises(
        StudyError, match="linkage_equilibrium needs fitness that is linear in the loss"
    ):
        load_study(write(tmp_path, study))


def test_wrights_equation_refuses_landscapes_whose_loss_is_a_logarithm(tmp_path):
    study = {
        "name": "log", "budget": 10, "replicates": 2, "landscapes": {"trait": {"kind": "quantitative_trait"}},
        "optimizers": {"W": {"kind": "linkage_equilibrium", "relaxation": "extension"}},
    }  # fmt: skip
    with pytest.raises(StudyError, match=r"is exp\(-loss\); take quasispecies or wright_fisher"):
        load_study(write(tmp_path, study))


# studies ----------------------------------------------------------------------------------------------------


def measured(folder):
    table(folder)
    plain = {"population": 1000, "crossover": "none", "mutation_rate": 0.0, "sampling": "systematic"}
    return {
        "name": "two", "replicates": 2, "budget": 3000, "checkpoints": [0.4, 0.7], "figures": [],
        "landscapes": {"big": {"kind": "empirical", "file": str(folder / "table.csv")}},
        "optimizers": {
            "WF": {"kind": "wright_fisher", **plain}, "WF linear": {"kind": "wright_fisher", "fitness": "linear", **plain},
            "Q": {"kind": "quasispecies", "founders": 1000, "mutation_rate": 0.0},
        },
    }  # fmt: skip


def test_the_records_of_a_measured_table(tmp_path):
    """Mean fitness before and after a generation, and heterozygosity.

    The quasispecies by frequency, not over all genotypes alike.
    """
    study = measured(tmp_path)
    study["optimizers"]["Q"]["mutation_rate"] = 1e-9  # nearly none
    data = here(write(tmp_path, study), tmp_path / "out").isel(landscape=0)
    best, founders = 3.0, data.sel(optimizer="WF").isel(checkpoint=0)
    for name in ("WF", "WF linear"):
        w = best - data["population_loss"].sel(optimizer=name)
        first, second = w.isel(checkpoint=0).values, w.isel(checkpoint=1).values
        assert first == pytest.approx(1.875, abs=4.5 * 0.74 / 1000**0.5)
        assert second == pytest.approx(SELECTED, abs=4.5 * 0.74 / 1000**0.5)
        assert (second > first + 0.2).all()
    late = data.sel(optimizer="Q").isel(checkpoint=1)
    assert (best - late["population_loss"]).values == pytest.approx(3.0, abs=1e-6)
    assert late["diversity"].values == pytest.approx(0.0, abs=1e-6)
    assert founders["unfit_steps"].values.tolist() == [0, 0]


def test_nobody_has_fitness(tmp_path, capsys):
    """Counted in each world, said when the study ends and in its report.

    Where all have fitness nothing is said.
    """
    study = {
        "name": "linear", "replicates": 3, "budget": 100, "checkpoints": [0.5, 1.0], "figures": [],
        "landscapes": {"b": {"kind": "quadratic", "dim": 5, "condition": 1}},
        "optimizers": {
            "none": {"kind": "ga", "population": 10, "selection": "none"},
            "linear": {"kind": "ga", "population": 10, "selection": "proportional", "fitness": "linear"},
            "exponential": {"kind": "ga", "population": 10, "selection": "proportional"},
        },
    }  # fmt: skip
    whole = here(write(tmp_path, study), tmp_path / "out")
    data = whole.isel(landscape=0)
    assert data["unfit_steps"].sel(optimizer="linear").values.tolist() == [[5, 10]] * 3
    assert data["unfit_steps"].sel(optimizer="exponential").values.tolist() == [[0, 0]] * 3
    assert data["unfit_steps"].sel(optimizer="none").isnull().all()
    _draw_and_print(whole, tmp_path / "out", [], console())
    printed, (_, noted, remedy) = " ".join(capsys.readouterr().out.split()), final_loss(whole).notes
    assert noted in printed
    assert remedy in printed
    assert (
        "linear on b: nobody of a population had fitness in 100 % of its steps (3 of 3 worlds), so that there"
        " was no selection" in printed
    )
    assert printed.count("nobody of a population") == 1  # of the others nothing is said


def test_counts_of_methods_beside_tournaments():
    """Memetic counts its generations, islands and players any of their populations.

    A tournament needs no fitness and counts nothing.
    """
    far = torch.full((2, 4), 9.0, dtype=torch.float64)
    far[1, 0] = 0.0  # in world 1 one individual has fitness
    streams = Streams(seed=1, worlds=torch.arange(2), dtype=torch.float64, sources=("pairing",))
    from landscapes.base import Answer, Reals

    problem = Problem(1, Reals(), True, lambda n: torch.zeros(2, n, 1, dtype=torch.float64))
    options = {"population": 4, "selection": "proportional", "fitness": "linear"}
    for kind, more, wanted in (
        ("ga", {}, [True, False]), ("island_ga", {"islands": 2, "migrants": 0}, [True, True]), ("island_ga", {"islands": 1}, [True, False]),
        ("memetic", {"descent_steps": 0}, [True, False]), ("coevolution", {"opponents": 1}, [True, False]),
    ):  # fmt: skip
        optimizer = OPTIMIZERS[kind](**options, **more)
        own = Streams(seed=1, worlds=streams.worlds, dtype=torch.float64, sources=optimizer.sources)
        state = optimizer.init(problem, own.at(0))
        query: Query = optimizer.ask(state, own.at(1))
        assert optimizer.tell(state, query, Answer(far), own.at(1))[1]["unfit"].tolist() == wanted, kind
    quiet = OPTIMIZERS["ga"](population=4)
    state = quiet.init(problem, streams.at(0))
    assert (
        "unfit" not in quiet.tell(state, quiet.ask(state, streams.at(1)), Answer(far), streams.at(1))[1]
    )
