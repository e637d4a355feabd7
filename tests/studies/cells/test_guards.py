"""A plugin that breaks the contract is refused in one line that names file, line, method and remedy.

One that keeps it gives the same numbers.
"""

import json
import re
import threading

import numpy as np
import pytest
import xarray as xr

from studies.cells import guards, loop
from studies.cells.contract import PluginError
from studies.cells.task import Cell
from studies.kinds import registry
from studies.run.work import compute
from studies.study_file.loading import load_study
from studies.study_file.study import StudyError
from studies.text.schema import STATUS
from tests.studies.cells.test_loop import run, task
from tests.support.each import each
from tests.support.runs import again, cells, write

BOWL, GA = {"kind": "quadratic", "dim": 3}, {"kind": "ga", "population": 4}
DRAW = (
    "draws from {}'s global generator, so each run gives other numbers; take the draw from the streams it is"
    " given, such as streams.normal"
)
AGAIN = (
    "another value when called again with the same arguments: it draws from a generator of its own, or keeps"
    " something from call to call"
)
ALONE = (
    "of a world another value alone than among other worlds, so replicates are not independent; work along"
    " the axes behind the first"
)
WRONG = [
    ("TorchDraw", "ask", DRAW.format("torch")),
    ("NumpyDraw", "ask", DRAW.format("NumPy")),
    ("PythonDraw", "ask", DRAW.format("Python")),
    ("OwnGenerator", "ask", f"gives points {AGAIN}"),
    ("KeptGenerator", "ask", f"gives points {AGAIN}"),
    ("Counts", "ask", f"gives points {AGAIN}"),
    ("OneSeed", "ask", f"gives points {ALONE}"),
    ("InitDraw", "init", DRAW.format("torch")),
    ("TellDraw", "tell", DRAW.format("Python")),
    (
        "LateDraw",
        "ask",
        "at step 8 or before it something drew from a global generator .torch.; take the draw from",
    ),
    (
        "ChangesState",
        "tell",
        "changes state.parents in place, which others still read; return new tensors",
    ),
    ("ChangesStateByNumpy", "ask", "changes state.sigma in place"),
    ("ChangesAnswer", "tell", "changes answer.value in place"),
    ("ChangesQuery", "tell", "changes query.points in place"),
    ("ChangesInRecommend", "recommend", "changes state.sigma in place"),
    ("AcrossWorlds", "tell", f"gives state.sigma {ALONE}"),
    ("FirstWorld", "ask", f"gives points {ALONE}"),
    (
        "LongRecommendation",
        "recommend",
        r"expected a point of shape \(R, D\) = \(4, 3\), got \(4, 1, 3\)",
    ),
    ("ShortCenter", "center", r"expected a point of shape \(R, D\) = \(4, 3\), got \(4,\)"),
    ("FlatPoints", "ask", r"expected points of shape \(R, P, D\) = \(4, P, 3\), got \(4, 3\)"),
    ("NoQuery", "ask", r"expected a landscapes.base.Query, got a tensor of shape \(4, 12, 3\)"),
    (
        "SinglePrecision",
        "ask",
        "expected points as torch.float64, got torch.float32; take the type from what it is given",
    ),
    (
        "NoInfo",
        "tell",
        r"expected \(state, info\), info a dict of tensors, as in `return State\(..\), {}`, got State",
    ),
    ("NoWorlds", "init", r"expected state.sigma of shape \(R, ..\), R = 4 worlds first, got \(\)"),
    (
        "PlainNumber",
        "init",
        r"expected state.sigma as a tensor \(R, ..\), a row for each of R = 4 worlds, got float",
    ),
    (
        "NaNPoints",
        "ask",
        r"expected finite points, got 48 of 48 points with NaN, though all that it saw was finite; look for",
    ),
    (
        "InfinitePointsLate",
        "ask",
        r"expected finite points, got 8 of 48 points with infinite coordinates",
    ),
    ("NaNCenter", "center", "expected finite centers, got 4 of 4 centers with NaN"),
    ("NaNRecommendation", "recommend", "expected finite points, got 4 of 4 points with NaN"),
    ("RecordsNothing", "tell", r"expected info\['s'\], which `recorded` names, got an empty info"),
    ("Dictionary", "init", r"expected a state that is a NamedTuple of tensors \(R, ..\), got dict"),
]
TAKEN = "belongs to the Dataset of a study; choose another, such as"
STEADY = "draw tables in `bind`, from streams; noise is what a study's `noise:` adds"
LANDSCAPES = [
    (
        "RidgeDraws",
        "loss",
        f"draws from torch's global generator, so each run gives other numbers; {STEADY}",
    ),
    ("RidgeDrawsInNumpy", "loss", "draws from NumPy's global generator"),
    ("RidgeOwnGenerator", "loss", f"gives value {AGAIN}; {STEADY}"),
    ("RidgeChanges", "loss", "changes x in place"),
    ("RidgeAcross", "loss", f"gives value {ALONE}"),
    (
        "RidgeAcrossPoints",
        "loss",
        "gives a point another value alone than among the other points of its world",
    ),
    ("RidgeOneWorld", "loss", r"expected losses of shape \(R, P\) = \(3, 2\), got \(3,\)"),
    (
        "RidgeSingle",
        "loss",
        "expected losses as torch.float64, got torch.float32; take the type from x",
    ),
    (
        "RidgeNaN",
        "loss",
        (
            "expected numbers at the starting points, got NaN at all of them; return torch.inf where a point"
            " is not legal"
        ),
    ),
    (
        "RidgeForgets",
        "bind",
        r"expected the bound landscape, as in `return self.bound\(table=..\)`, got None",
    ),
    ("RidgeStart", "start", r"expected starts of shape \(R, n, D\) = \(3, 2, 3\), got \(3, 3\)"),
    ("RidgeStartDraws", "start", "draws from torch's global generator"),
    ("RidgePlayers", "players", "expected a tuple of whole numbers, got 3"),
    ("RidgeDomain", "domain", r"expected Reals\(..\), Bits\(\) or Letters\(..\), got \(-1.0, 1.0\)"),
    (
        "RidgeMeasures",
        "measures",
        r"expected a dict with the keys of `extras` \(height\), got \['hight'\]",
    ),
    ("RidgeLate", "extras", f"the name 'cost' {TAKEN} 'own_cost'"),
    ("RidgeTruth", "solution_loss", r"expected losses of shape \(R, P\) = \(3, 2\), got \(3,\)"),
]


def own(name):
    return {"kind": f"tests.support.plugins:{name}"}


@each(("name", "method", "text"), WRONG, ids=[name for name, *_ in WRONG])
def test_an_optimizer_that_breaks_a_promise_is_refused(name, method, text):
    with pytest.raises(
        PluginError, match=rf"^tests/support/plugins.py:\d+: {name}.{method}: {text}"
    ) as error:
        run(task(BOWL, own(name), budget=400.0), range(4))
    assert "\n" not in str(error.value)


@each(("name", "method", "text"), LANDSCAPES, ids=[name for name, *_ in LANDSCAPES])
def test_a_landscape_that_breaks_a_promise_is_refused(name, method, text):
    with pytest.raises(
        PluginError, match=rf"^(tests/support/plugins.py:\d+: )?{name}.{method}: {text}"
    ) as error:
        run(task(own(name), GA, budget=100.0), range(4))
    assert "\n" not in str(error.value)


def test_a_loss_of_too_few_arguments_is_refused_when_it_is_loaded():
    with pytest.raises(
        ValueError,
        match=(
            r"^tests/support/plugins.py:\d+: RidgeFewArguments.loss: is called with x, terms, time: too many"
            r" positional arguments; write def loss\(self, x, terms=None, time=None\)$"
        ),
    ):
        run(task(own("RidgeFewArguments"), GA, budget=100.0), range(4))


def test_a_landscape_inside_another_and_a_relaxed_one_are_held_to_it_too():
    with pytest.raises(PluginError, match=r"RidgeAcross.loss: gives value"):
        run(task({"kind": "moving", "inner": own("RidgeAcross")}, GA, budget=100.0), range(4))
    with pytest.raises(
        PluginError,
        match=r"^tests/support/plugins.py:\d+: Ones.extension: draws from torch's global generator",
    ):
        run(task(own("Ones"), {"kind": "sgd"}, relaxation="extension", budget=100.0), range(4))


@pytest.mark.parametrize("optimizer", [GA, {"kind": "sgd"}], ids=["values", "gradients"])
def test_a_loss_that_returns_nothing_is_named_whatever_is_asked_of_it(optimizer):
    with pytest.raises(
        PluginError,
        match=(
            r"^tests/support/plugins.py:\d+: RidgeNothing.loss: expected losses as a tensor \(R, P\), got"
            r" None"
        ),
    ):
        run(task(own("RidgeNothing"), optimizer, budget=100.0), range(4))


def test_a_loss_without_slopes_is_refused_where_slopes_are_asked():
    with pytest.raises(
        PluginError,
        match=(
            r"RidgeNumpy.loss: expected a loss that torch can differentiate, .* without .detach\(\),"
            r" .item\(\)"
        ),
    ):
        run(task(own("RidgeNumpy"), {"kind": "sgd"}, budget=100.0), range(4))
    assert np.isfinite(run(task(own("RidgeNumpy"), GA, budget=100.0), range(4))["loss"]).all()


@pytest.mark.verify
@each(
    ("names", "worlds", "dtype"),
    [
        (names, worlds, ("float64", "float32")[(i + j) % 2])
        for i, names in enumerate([("Sound", None), (None, "Ridge"), ("Sound", "Ridge")])
        for j, worlds in enumerate([[0], [5, 3, 2], range(8)])
    ],
)
def test_guards_let_sound_kinds_pass_and_change_no_number(names, worlds, dtype):
    optimizer, landscape = (
        own(name) if name else default for name, default in zip(names, (GA, BOWL), strict=True)
    )
    made = task(landscape, optimizer, budget=800.0, checkpoints=[400.0, 800.0], dtype=dtype)
    looked = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            guards.Watch,
            "look",
            lambda self, *args, look=guards.Watch.look: (looked.append(self.step), look(self, *args)),
        )
        watched = run(made, worlds)
        assert {1, 2, 3, 8, 64} <= set(looked)
        patch.setattr(loop, "guarded", lambda task, optimizer, oracle, streams: (optimizer, oracle))
        patch.setattr(loop, "try_landscape", lambda *args, **options: None)
        free = run(made, worlds)
    timed = [name for name, variable in free.items() if variable.attrs.get("units") == "s"]
    xr.testing.assert_equal(watched.drop_vars(timed), free.drop_vars(timed))


def test_a_method_of_the_users_reads_the_fitness_of_a_table():
    """Also where guards ask it again, of one world alone.

    Its numbers are those of the same method of ours.
    """
    mine = run(task({"kind": "empirical"}, own("Selects"), budget=1200.0), range(3))
    ours = run(
        task({"kind": "empirical"}, {"kind": "ga", "selection": "proportional"}, budget=1200.0),
        range(3),
    )
    np.testing.assert_array_equal(mine["loss"], ours["loss"])


def test_a_refusal_is_one_line_and_exit_2_while_other_arms_are_computed(tmp_path, capsys):
    optimizers = {"GA": GA, "own": own("TorchDraw"), "own too": own("Raises")}
    write(
        tmp_path,
        {
            "name": "mixed",
            "budget": 60,
            "replicates": 40,
            "figures": [],
            "landscapes": {"bowl": BOWL},
            "optimizers": optimizers,
        },
    )
    code = again(tmp_path)
    out, err = capsys.readouterr()
    assert code == 2, err
    assert "Traceback" not in out + err
    refused = [line for line in err.splitlines() if line.startswith("refused: ")]
    assert len(refused) == 2  # of two blocks of worlds each
    assert all("plugins.py:" in line for line in refused)
    (raised,) = [line for line in refused if "ZeroDivisionError: no children (" in line]
    assert raised.endswith("in Raises.ask)")
    assert len(cells(tmp_path)) == 2
    records = [json.loads(path.read_text()) for path in (tmp_path / "out" / "errors").glob("*.json")]
    assert len(records) == 4


@each(
    ("name", "text"),
    [
        (
            "Sond",
            (
                "cannot import 'tests.support.plugins:Sond': tests.support.plugins has no 'Sond'; did you"
                " mean 'Sound'?"
            ),
        ),
        (
            "State",
            "expected 'tests.support.plugins:State' to be a subclass of optimizers.base.Optimizer",
        ),
        (
            "Ridge",
            "expected 'tests.support.plugins:Ridge' to be a subclass of optimizers.base.Optimizer",
        ),
        (
            "normals",
            "expected 'tests.support.plugins:normals' to be a subclass of optimizers.base.Optimizer",
        ),
        (
            "Thawed",
            (
                "expected 'tests.support.plugins:Thawed' to be a frozen dataclass; put"
                " @dataclass(frozen=True, kw_only=True) above the class"
            ),
        ),
        (
            "Half",
            (
                "expected 'tests.support.plugins:Half' to be a frozen dataclass; put @dataclass(frozen=True,"
                " kw_only=True) above the class"
            ),
        ),
        (
            "OneDomain",
            (
                "tests.support.plugins:OneDomain: expected domains as a tuple of Reals, Bits and Letters, as in"
                " (Reals,), got <class 'landscapes.base.Reals'>"
            ),
        ),
        (
            "RecordsLoss",
            f"tests.support.plugins:RecordsLoss: recorded['s']: the name 'loss' {TAKEN} 'own_loss'",
        ),
        (
            "CountsCost",
            f"tests.support.plugins:CountsCost: counted['s']: the name 'cost' {TAKEN} 'own_cost'",
        ),
        (
            "RecordsTwice",
            (
                "tests.support.plugins:RecordsTwice: recorded['t']: recorded['s'] has the variable 'spread'"
                " too; choose another name"
            ),
        ),
        (
            "RecordsWords",
            (
                "tests.support.plugins:RecordsWords: recorded['s']: expected (variable, long name, unit), got"
                " 'spread'"
            ),
        ),
        (
            "OneSource",
            (
                "tests.support.plugins:OneSource: expected sources as a tuple of names, as in"
                " (\"mutation\",), got 'mutation'"
            ),
        ),
    ],
)
def test_what_is_no_kind_is_one_line_at_load(name, text):
    study = {"name": "x", "budget": 9, "landscapes": {"bowl": BOWL}, "optimizers": {"own": own(name)}}
    with pytest.raises(StudyError) as error:
        load_study(study)
    assert error.value.lines == [f"study: optimizers.own.kind: {text}"]


def test_a_missing_method_is_named_with_its_class_and_line():
    with pytest.raises(
        ValueError,
        match=(
            r"^tests/support/plugins.py:\d+: Centerless: expected the methods of .*, got none called center;"
            r" write it$"
        ),
    ):
        registry.find("tests.support.plugins:Centerless", "optimizer")


CALLED = """
from dataclasses import dataclass
from optimizers.populations.ga import GA

@dataclass(frozen=True, kw_only=True)
class Called(GA):
    {method}
"""


@pytest.mark.parametrize(
    ("method", "text"),
    [
        (
            "def ask(self): ...",
            "7: Called.ask: is called with state, streams: too many positional arguments;"
            " write def ask(self, state, streams)",
        ),
        (
            "def tell(self, state, query, answer, streams, more): ...",
            "7: Called.tell: is called with state, query, answer, streams: missing a required argument: 'more';"
            " write def tell(self, state, query, answer, streams)",
        ),
        (
            "@staticmethod\n    def init(problem): ...",
            "7: Called.init: is called with problem, streams: too many positional arguments;"
            " write def init(self, problem, streams)",
        ),
        (
            "@property\n    def recommend(self): ...",
            "7: Called.recommend: is called with state: it is no method; write def recommend(self, state)",
        ),
        (
            "center = 3",
            "5: Called.center: is called with state: it is no method; write def center(self, state)",
        ),
        ("def ask(self, s, draws=None, more=1): ...", None),
        ("def ask(self, *all): ...", None),
    ],
)
def test_a_method_that_cannot_be_called_is_one_line_at_load(tmp_path, monkeypatch, method, text):
    monkeypatch.chdir(tmp_path)
    module = f"called_{abs(hash(method))}"
    (tmp_path / f"{module}.py").write_text(CALLED.format(method=method))
    monkeypatch.syspath_prepend(str(tmp_path))
    if text is None:
        assert registry.find(f"{module}:Called", "optimizer").name == "ga"
        return
    with pytest.raises(ValueError, match=f"^{re.escape(f'{module}.py:{text}')}$"):
        registry.find(f"{module}:Called", "optimizer")


def test_a_module_that_leaves_is_one_line(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "leaving.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(
        ValueError, match=r"^cannot import 'leaving:X': SystemExit: 3 \(.*leaving.py:2\)$"
    ):
        registry.find("leaving:X", "optimizer")


@each(
    ("name", "text"),
    [
        (
            "RidgeLoss",
            f"tests.support.plugins:RidgeLoss: extras['loss']: the name 'loss' {TAKEN} 'own_loss'",
        ),
        (
            "RidgeReplicate",
            (
                f"tests.support.plugins:RidgeReplicate: extras['replicate']: the name 'replicate' {TAKEN}"
                " 'own_replicate'"
            ),
        ),
        (
            "RidgeSlash",
            (
                "tests.support.plugins:RidgeSlash: extras['a/b']: expected the name of a variable: letters,"
                " digits and _"
            ),
        ),
    ],
)
def test_a_measure_with_a_name_of_the_dataset_is_one_line_at_load(name, text):
    with pytest.raises(StudyError) as error:
        load_study({
            "name": "x",
            "budget": 9,
            "landscapes": {"own": own(name)},
            "optimizers": {"GA": GA},
        })
    (line,) = error.value.lines
    assert line.startswith(f"study: landscapes.own.kind: {text}")


def test_a_name_that_both_own_kinds_record_is_refused():
    with pytest.raises(
        PluginError,
        match=(
            r"^tests/support/plugins.py:\d+: RidgeHeight.extras: sound records 'height' too; choose another"
            r" name$"
        ),
    ):
        run(task(own("RidgeHeight"), own("Spreads"), budget=100.0), range(2))
    assert run(task(own("RidgeHeight"), GA, budget=100.0), range(2))["height"].attrs["units"] == "1"


def test_a_search_that_runs_away_diverges_and_is_not_refused():
    """Its steps grow by 10^40 each: the losses are infinite before a point is."""
    status = run(task(BOWL, own("RunsAway"), budget=400.0), range(4))["status"].isel(checkpoint=-1)
    assert (status == STATUS.index("diverged")).all()


@pytest.mark.parametrize(
    "optimizer", [{"kind": "sgd", "learning_rate": 1e60}, {"kind": "adam", "learning_rate": 1e200}]
)
def test_a_method_of_ours_that_diverges_on_an_own_landscape_is_not_refused(optimizer):
    data = run(task({"kind": "tests.support.slow_bowl:Bowl"}, optimizer, budget=100.0), range(3))
    assert (data["status"].isel(checkpoint=-1) == STATUS.index("diverged")).all()


def test_a_gradient_that_is_no_number_where_the_loss_is_one_is_refused():
    with pytest.raises(
        PluginError,
        match=(
            r"^tests/support/plugins.py:\d+: RidgeSlopeNaN.loss: expected a gradient where .*, got NaN at 6"
            r" of 6 "
        ),
    ):
        run(task(own("RidgeSlopeNaN"), {"kind": "sgd"}, budget=100.0), range(4))
    assert np.isfinite(run(task(own("RidgeSlopeNaN"), GA, budget=100.0), range(4))["loss"]).all()


def test_methods_may_name_their_arguments_in_their_own_way():
    mine, sound = (
        run(task(BOWL, own(name), budget=100.0), range(3)) for name in ("OtherNames", "Sound")
    )
    np.testing.assert_array_equal(mine["loss"], sound["loss"])


@pytest.mark.parametrize(
    ("landscape", "optimizer", "text"),
    [
        (BOWL, "Leaves", r"SystemExit: 3 \(\S*plugins.py:\d+, in Leaves.ask\)"),
        (BOWL, "Interrupts", r"KeyboardInterrupt \(\S*plugins.py:\d+, in Interrupts.tell\)"),
        (
            BOWL,
            "Calls",
            r"ZeroDivisionError: no children \(\S*plugins.py:\d+, in helper, for Calls.tell\)",
        ),
        (BOWL, "Inherits", r"ZeroDivisionError: no children \(\S*plugins.py:\d+, in Inherits.ask\)"),
        ("RidgeLeaves", None, r"SystemExit: no loss \(\S*plugins.py:\d+, in RidgeLeaves.loss\)"),
    ],
)
def test_a_plugin_that_leaves_or_raises_is_refused_by_name(tmp_path, landscape, optimizer, text):
    """In a thread, as on a worker: Ctrl-C comes to the main thread alone."""
    made = task(
        own(landscape) if isinstance(landscape, str) else landscape, own(optimizer) if optimizer else GA
    )
    cell, records = Cell(made, 0, 2), []
    thread = threading.Thread(target=lambda: records.append(compute(cell, cell.address, str(tmp_path))))
    thread.start()
    thread.join()
    assert records[0].status == "refused"
    assert re.fullmatch(text, records[0].error), records[0].error
    assert not [*(tmp_path / "crash").iterdir()]


@pytest.mark.verify
def test_a_plugin_that_leaves_its_process_is_named_and_the_others_are_computed(
    tmp_path, warm_cluster, capsys
):
    study = {
        "name": "left",
        "budget": 60,
        "replicates": 2,
        "figures": [],
        "landscapes": {"bowl": BOWL, "dies": own("RidgeDies")},
    }
    write(
        tmp_path,
        study
        | {
            "optimizers": {"GA": GA, "leaves": own("Leaves")},
            "landscapes": {"bowl": BOWL, "dies": own("RidgeDies")},
        },
    )
    code = again(tmp_path)
    out, err = capsys.readouterr()
    assert code == 2, err
    assert "Traceback" not in out + err
    assert "KilledWorker" not in out + err
    lines = err.splitlines()
    assert (
        len([
            line
            for line in lines
            if line.startswith("refused: SystemExit: 3 (") and line.endswith("in Leaves.ask)")
        ])
        == 1
    )
    killed = [line for line in lines if "the worker was killed" in line]
    assert len(killed) == 2
    assert all("or os._exit in tests.support.plugins:RidgeDies" in line for line in killed)
    assert len(cells(tmp_path)) == 1
