"""A study on a table of letters: what it may ask for, and the one line that says what it may not."""

import itertools

import pytest

import studies
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from studies.study_file.study import StudyError
from tests.support.each import each


@pytest.fixture
def study(tmp_path):
    """A study of three arms on a table of DNA."""
    rows = [
        f"{''.join(cells)},{1 + place / 100}"
        for place, cells in enumerate(itertools.product("ACGT", "TG"))
    ]
    path = tmp_path / "dna.csv"
    path.write_text("\n".join(["genotype,fitness", *rows]) + "\n")
    return {
        "name": "letters",
        "replicates": 4,
        "budget": {"steps": 20},
        "landscapes": {"dna": {"kind": "empirical", "file": str(path), "start": "wild_type"}},
        "optimizers": {
            "population": {"kind": "wright_fisher", "population": 6, "spectrum": {"transitions": 4}},
            "chain": {"kind": "sswm", "spectrum": {"rates": {"A>G": 2}}},
            "walk": {"kind": "adaptive_walk"},
            "GA": {"kind": "ga", "population": 6, "spectrum": {"transitions": 4}},
            "EA": {"kind": "one_plus_one_ea"},
        },
    }


@pytest.mark.verify
def test_a_study_of_letters_runs(study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record = {"p": "frequency", "all": "genotype_frequency", "steps_to": "substitution_step"}
    results = studies.run_study(study | {"record": record}, figures=False)
    assert results.sizes["p_index"] == 6
    assert results.sizes["all_index"] == 8
    frequency = results["p"].sel(landscape="dna")
    for sites in (slice(0, 4), slice(4, 6)):
        assert (abs(frequency.isel(p_index=sites).sum("p_index") - 1) < 1e-12).all()


@each(
    ("changes", "message"),
    [
        (
            {"optimizers": {"chances": {"kind": "pbil"}}},
            "pbil searches no letters, and landscape 'dna' has more than two at a site; one that fits: ",
        ),
        (
            {"optimizers": {"SGD": {"kind": "sgd"}}},
            "sgd searches no letters, and landscape 'dna' has more than two at a site",
        ),
        (
            {"ledger": {}},
            "expected landscapes on bits or reals for `ledger`, `match` and `pictures`, got letters: 'dna'",
        ),
        ({"pictures": {}}, "expected landscapes on bits or reals for `ledger`, `match` and `pictures`"),
        ({"record": ["linkage_disequilibrium"]}, "unknown name 'linkage_disequilibrium'"),
        ({"record": ["optimum_distance"]}, "unknown name 'optimum_distance'"),
        (
            {"start": {"frequencies": 0.1}},
            "is on letters, where a start is uniform or wild_type or point",
        ),
        (
            {"start": {"point": [4, 0]}},
            r"expected numbers of letters, whole ones from 0 to below \[4, 2\]",
        ),
        ({"start": {"point": [0.5, 0]}}, "expected numbers of letters"),
        (
            {"optimizers": {"WF": {"kind": "wright_fisher", "spectrum": {"rates": {"A>K": 2}}}}},
            "expected changes between letters of one site, got 'A>K'",
        ),
        (
            {
                "landscapes": {"nk": {"kind": "nk", "n": 4, "k": 1}},
                "optimizers": {"WF": {"kind": "wright_fisher", "spectrum": {"transitions": 2}}},
            },
            "expected no transitions where a site has two letters",
        ),
    ],
)
def test_what_letters_do_not_have_is_one_line(study, changes, message):
    start = changes.get("start")
    others = {key: value for key, value in changes.items() if key != "start"}
    given = study | others
    if start:
        given["landscapes"] = {"dna": study["landscapes"]["dna"] | {"start": start}}
    with pytest.raises(StudyError, match=message):
        make_plan(load_study(given))


def test_a_point_of_letters_may_be_given(study):
    study["landscapes"]["dna"]["start"] = {"point": [3, 1]}
    assert make_plan(load_study(study)).arms[0].task.start == {"point": [3, 1], "shared": False}
