"""`python -m studies.check`: every kind of ours keeps the contract, and what breaks a promise is named."""

import pytest

from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
from studies.check import __main__ as check
from studies.check.kinds import load
from studies.probe.examples import EXAMPLES
from studies.probe.named import named

QUICK = ("adam", "linkage_equilibrium", "quadratic", "onemax", "bilinear", "bbob")
KINDS = [
    pytest.param(kind, marks=() if kind in QUICK else pytest.mark.verify)
    for kind in (*OPTIMIZERS, *LANDSCAPES)
]
PROMISES = {
    "TorchDraw": "no draw without an address",
    "ChangesAnswer": "nothing is changed in place",
    "AcrossWorlds": "a world alone is that world in a batch",
    "LongRecommendation": "shapes and types",
    "SinglePrecision": "shapes and types",
    "Undeclared": "draws from its sources alone",
    "OneDevice": "tensors stay on their device",
    "KeepsSigma": "goes on from a state as if it had not stopped",
    "Leaves": "shapes and types",
    "NaNPoints": "points are numbers",
    "NaNCenter": "points are numbers",
    "RidgeLeaves": "shapes, draws, nothing in place, a world alone",
    "RidgeSlopeNaN": "the same of its gradient",
    "RidgeDraws": "shapes, draws, nothing in place, a world alone",
    "RidgeNumpy": "the same of its gradient",
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_ours_keeps_the_contract(kind):
    made = load(kind) if kind in OPTIMIZERS else named(EXAMPLES.get(kind, (kind,))[:1])[0].landscape
    told = {name: check.verdict(call) for name, call in check.checks(made)}
    assert len(told) >= 6
    assert not {name: text for name, text in told.items() if text.startswith("FAIL")}
    assert not {
        name: text for name, text in told.items() if text.startswith("skip") and "device" not in name
    }


@pytest.mark.parametrize("kind", ["Sound", "Ridge"])
def test_a_sound_plugin(kind, capsys):
    assert (
        check.main([f"tests.support.plugins:{kind}", "--set", "mu=3" if kind == "Sound" else "terms=2"])
        == 0
    )
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == f"tests.support.plugins:{kind}: keeps the contract"
    assert {line[:6] for line in out[:-1]} == {"ok    "}
    assert any("seen on " in line for line in out)


@pytest.mark.parametrize("kind", PROMISES)
def test_the_promise_that_is_broken_is_named(kind, capsys):
    assert check.main([f"tests.support.plugins:{kind}"]) == 1
    out = capsys.readouterr().out.splitlines()
    line, *_ = [line for line in out if line.startswith(f"FAIL  {PROMISES[kind]} (float64")]
    assert "tests/support/plugins.py:" in line
    assert f"{kind}." in line
    assert "broken" in out[-1]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            ["tests.support.plugins:Sond"],
            (
                "tests.support.plugins:Sond: cannot import 'tests.support.plugins:Sond':"
                " tests.support.plugins has no 'Sond'; did you mean 'Sound'?"
            ),
        ),
        (["nowhere:X"], "nowhere:X: cannot import 'nowhere:X': No module named 'nowhere'"),
        (
            ["tests.support.plugins:State"],
            (
                "tests.support.plugins:State: expected 'tests.support.plugins:State' to be a subclass of"
                " optimizers.base.Optimizer"
            ),
        ),
        (
            ["tests.support.plugins:normals"],
            (
                "tests.support.plugins:normals: expected 'tests.support.plugins:normals' to be a subclass of"
                " optimizers.base.Optimizer"
            ),
        ),
        (["sgdd"], "sgdd: expected an optimizer or a landscape: "),
        (["sgd", "--set", "starts"], "sgd: --set: expected PARAMETER=VALUE, got 'starts'"),
        (["sgd", "--set", "starts=0"], "sgd: starts: expected >= 1, got 0"),
        (
            ["sgd", "--set", "momentun=0"],
            "sgd: momentun: unknown key; did you mean 'momentum'?",
        ),
    ],
)
def test_what_cannot_be_loaded_is_one_line_and_exit_2(words, text, capsys):
    assert check.main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(text)
    assert err.count("\n") == 1
