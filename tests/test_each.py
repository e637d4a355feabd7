"""Many cases in one item are all tried."""

import pytest

from tests.support.each import each


def test_all_cases_are_tried_and_those_that_fail_are_named():
    tried = []

    @each("a", [1, 2, 3])
    @each(("b", "c"), [("x", 0), ("y", 1)])
    def check(a, b, c):
        tried.append((a, b, c))
        assert a != 2, "two"
        if b == "y":
            pytest.fail("y")

    with pytest.raises(BaseExceptionGroup) as told:
        check()
    assert tried == [(a, b, c) for a in (1, 2, 3) for b, c in (("x", 0), ("y", 1))]
    assert "3 of 3 cases: 1, 2, 3" in str(told.value)
    assert [str(one).split(" (")[0] for one in told.value.exceptions] == [
        "1 of 2 cases: y-1",
        "2 of 2 cases: x-0, y-1",
        "1 of 2 cases: y-1",
    ]


def test_a_case_that_is_skipped_skips_no_other():
    tried = []

    @each("a", [1, 2, 3])
    def check(a, skipped):
        if a in skipped:
            pytest.skip("not here")
        tried.append(a)
        assert a < 3

    with pytest.raises(ExceptionGroup, match="1 of 3 cases: 3"):
        check(skipped=(1,))
    assert tried == [2, 3]
    check(skipped=(1, 3))
    with pytest.raises(pytest.skip.Exception, match="not here"):
        check(skipped=(1, 2, 3))


def test_no_case_is_no_test():
    with pytest.raises(AssertionError, match="without cases"):
        each("a", [])
