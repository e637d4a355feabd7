"""Canonical text of plain data, and lines of which there are many."""

import json
import math

import pytest

from studies.text.groups import some
from studies.text.kept import Kept, KeptList, kept, text_of

VALUES = [None, True, False, 0, -3, 10**20, 0.1, -0.0, 1e300, 1e-7, "a", 'ü "b"\n', [], {}]
VALUES += [[1, 2.0, "x"], {"b": 1, "a": [None, {"d": True, "c": math.pi}]}, (1, 2), math.inf, math.nan]


@pytest.mark.parametrize("value", VALUES)
def test_text_is_that_of_json(value):
    expected = json.dumps(value, sort_keys=True, separators=(",", ":"))
    assert text_of(value) == text_of(kept(value)) == expected


def test_what_is_kept_is_the_same_data():
    data = {"b": [1.5], "a": {"c": 2}}
    assert kept(data) == data
    assert json.dumps(kept(data)) == json.dumps(data)
    assert [type(kept(part)) for part in (data, data["b"], 3)] == [Kept, KeptList, int]
    assert kept(kept(data)) == data


def test_of_many_lines_the_first_are_shown():
    lines = [str(number) for number in range(30)]
    assert some(lines[:21], 20) == lines[:21]
    assert some(lines, 20) == [*lines[:20], ".. and 10 lines more like these"]
