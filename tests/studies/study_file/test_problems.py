"""What a method says of its problem, such as the size of a metric, is said when the study is read."""

import pytest

from studies.study_file.loading import load_study
from studies.study_file.study import StudyError
from tests.support.each import each

STUDY = {
    "name": "problems",
    "budget": 100,
    "replicates": 2,
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 3}},
}
GIVEN = {"kind": "natural_sgd", "metric": "given"}


def read(optimizer, landscape=None, **changes):
    landscapes = STUDY["landscapes"] if landscape is None else {"bowl": landscape}
    return load_study(STUDY | {"landscapes": landscapes, "optimizers": {"A": optimizer}} | changes)


def line(optimizer, landscape=None, **changes):
    with pytest.raises(StudyError) as caught:
        read(optimizer, landscape, **changes)
    (told,) = caught.value.lines
    return told


METRIC = "expected a metric of 3 dimensions, got 2 (landscape 'bowl'"


@pytest.mark.parametrize("matrix", [[1.0, 2.0], ["1 / dim", "2 * dim"], [[1.0, 0.0], [0.0, 2.0]]])
def test_the_metric_has_the_landscapes_dimension(matrix):
    assert line(GIVEN | {"matrix": matrix}) == f"study: optimizers.A.matrix: {METRIC})"


def test_also_where_it_is_swept_or_given_on_a_landscape():
    axis = {"optimizers.A.matrix": [[1.0, 2.0, 3.0], [1.0, 2.0]]}
    told = line(GIVEN | {"matrix": [1.0, 1.0, 1.0]}, sweep=axis)
    assert told.startswith(f"study: sweep.optimizers.A.matrix[1]: {METRIC}")
    own = GIVEN | {"matrix": [1.0, 1.0, 1.0], "on": {"bowl": {"matrix": [1.0, 2.0]}}}
    assert line(own) == f"study: optimizers.A.on.bowl.matrix: {METRIC})"
    dims = {"landscapes.bowl.dim": [3, 2]}
    told = line(GIVEN | {"matrix": [1.0, 2.0, 3.0]}, sweep=dims)
    assert "expected a metric of 2 dimensions, got 3" in told
    assert read(GIVEN | {"matrix": [1.0, 2.0, "dim"]})


BITS = {"kind": "onemax", "n": 17}
LINE = {"kind": "quadratic", "dim": 1}


@each(
    ("optimizer", "landscape", "expected"),
    [
        (
            {"kind": "quasispecies"},
            BITS,
            "optimizers.A: expected at most 16 loci, got 17; take wright_fisher",
        ),
        (
            {"kind": "mu_lambda", "parents": 50},
            None,
            "A.parents: expected 1 <= parents <= 7, the default",
        ),
        (
            {"kind": "deap_ga", "crossover": "two_point"},
            LINE,
            "A.crossover: DEAP's two_point needs at least 2",
        ),
        ({"kind": "deap_ga", "crossover": "blend"}, BITS, "A.crossover: blend is for real coordinates"),
        (
            {"kind": "evotorch", "algorithm": "cma_es"},
            LINE,
            "A.algorithm: EvoTorch's cma_es needs at least 2",
        ),
    ],
)
def test_so_is_what_other_methods_say_of_theirs(optimizer, landscape, expected):
    assert expected in line(optimizer, landscape)
