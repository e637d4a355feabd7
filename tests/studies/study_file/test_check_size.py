"""Sweeps of too many combinations, or of results that repeat the same numbers until no memory holds them."""

import pytest

from studies.study_file.loading import load_study
from studies.study_file.study import StudyError


def study(count, axes=3, **more):
    """Axes of `count` values, each of which touches one optimizer alone."""
    sweep = {
        f"x{i}": {"from": 0.01, "to": 0.1, "count": count, "sets": f"optimizers.S{i}.learning_rate"}
        for i in range(axes)
    }
    return {
        "name": "large",
        "budget": 20,
        "checkpoints": [0.5, 1.0],
        "replicates": 32,
        "landscapes": {"bowl": {"kind": "quadratic", "dim": 2}},
        "optimizers": {f"S{i}": {"kind": "sgd"} for i in range(axes)},
        "sweep": sweep,
    } | more


def test_what_would_be_repeated_too_often_is_refused_with_the_remedy():
    with pytest.raises(StudyError) as caught:
        load_study(study(4, replicates=100_000))
    # 4**3 points of 3 optimizers, 100,000 worlds, 2 checkpoints, 100 bytes; each optimizer has 4 values
    assert caught.value.lines == [
        "study: sweep: 4 x 4 x 4 values of axes would hold 4 GB of results, 192 places of only 4 different"
        " arms, since an optimizer is repeated at each value of an axis that does not touch it; give what"
        " belongs to one optimizer in its `grid`, or as `choices` of one axis"
    ]


def test_the_remedy_is_one():
    grids = {
        f"S{i}": {"kind": "sgd", "grid": {"learning_rate": [0.01, 0.04, 0.07, 0.1]}} for i in range(3)
    }
    assert load_study(study(4, replicates=100_000, sweep={}, optimizers=grids)).arms


def test_small_ones_and_those_that_repeat_nothing_are_taken():
    assert load_study(study(4)).arms
    one = {"x": {"from": 0.01, "to": 0.1, "count": 4, "sets": "optimizers.*.learning_rate"}}
    assert load_study(study(4, replicates=10_000_000, sweep=one)).arms


def test_more_combinations_than_anyone_looks_at_are_refused_before_they_are_looked_at():
    with pytest.raises(StudyError) as caught:
        load_study(study(1001, axes=2))
    assert caught.value.lines == [
        "study: sweep: 1001 x 1001 values of axes are 1,002,001 combinations, expected at most 1,000,000; ask"
        " for fewer values, or in several studies"
    ]


@pytest.mark.parametrize("of_file", [False, True])
def test_what_is_nested_too_deeply_is_one_line(of_file, tmp_path):
    nest: list = []
    for _ in range(1500):
        nest = [nest]
    text = tmp_path / "deep.yaml"
    text.write_text(f"let: {'[' * 600}{']' * 600}\n")
    with pytest.raises(StudyError, match="lists and mappings are nested too deeply to be read"):
        load_study(text if of_file else study(2) | {"let": nest})
