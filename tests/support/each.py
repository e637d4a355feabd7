"""One test of many cases: it tries all of them, and names all that fail.

Each item of pytest costs some milliseconds, on every worker: more than most cases do.
"""

import functools
import inspect

import pytest

FAILURES = (Exception, pytest.fail.Exception, BaseExceptionGroup)
TIMEOUT = "from pytest-timeout"  # whose clock, of all cases, runs once


def each(names, cases, ids=str):
    """What `pytest.mark.parametrize` does, within one item; fixtures serve all cases.

    A case that is skipped skips no other; the item is skipped where all are.

    Args:
        names: of the arguments of a case, as there.
        cases: a value each, or a tuple of values, or a `pytest.param`.
        ids: how a case is named: a function of one value, or the names of all cases.
    """
    names = [names] if isinstance(names, str) else list(names)
    rows = [_values(case, len(names)) for case in cases]
    assert rows, "a test without cases checks nothing"
    labels = [_label(row, ids) for row in rows] if callable(ids) else [*map(str, ids)]
    told = [dict(zip(names, row, strict=True)) for row in rows]

    def looped(check):
        @functools.wraps(check)
        def test(*owner, **others):
            failed, skipped = [], []
            for label, case in zip(labels, told, strict=True):
                try:
                    check(*owner, **case, **others)
                except pytest.skip.Exception as skip:
                    skipped.append(skip)
                except FAILURES as failure:
                    failure.add_note(f"in the case {label}")
                    if TIMEOUT in str(failure):
                        raise
                    failed.append((label, failure))
            if len(skipped) == len(told):
                raise skipped[0]
            if failed:
                wrong, failures = zip(*failed, strict=True)
                summary = f"{len(wrong)} of {len(labels)} cases: {', '.join(wrong)}"
                raise BaseExceptionGroup(summary, failures)

        given = inspect.signature(check)
        others = [kept for name, kept in given.parameters.items() if name not in names]
        test.__signature__ = given.replace(parameters=others)
        return test

    return looped


def _values(case, count):
    if hasattr(case, "marks"):
        assert not case.marks, "a case with marks is an item of its own"
        return case.values
    return (case,) if count == 1 else tuple(case)


def _label(row, ids):
    return "-".join(ids(value) or str(value) for value in row)
