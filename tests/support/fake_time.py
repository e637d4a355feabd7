"""A clock for the loop that passes only where a test says so."""

import studies.cells.loop


class FakeTime:
    """Stands in for the module `time` of the loop."""

    def __init__(self):
        self.now = 100.0

    def perf_counter(self):
        """Seconds, from anywhere."""
        return self.now

    def spends(self, function, seconds):
        """A function that takes so long: seconds, or what gives them for its arguments."""

        def slow(*args, **kwargs):
            self.now += seconds(*args, **kwargs) if callable(seconds) else seconds
            return function(*args, **kwargs)

        return slow


def fake_time(monkeypatch):
    """The clock of all searches of a test."""
    clock = FakeTime()
    monkeypatch.setattr(studies.cells.loop, "time", clock)
    return clock
