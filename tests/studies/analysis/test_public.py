"""The functions that `studies.analysis` shows."""

from studies import analysis


def test_all_that_is_listed_is_there_and_can_be_called():
    assert "compare" in dir(analysis)
    assert all(callable(getattr(analysis, name)) for name in dir(analysis) if not name.startswith("_"))
