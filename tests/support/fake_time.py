"""A clock for the loop and its guards that passes only where a test says so."""

import studies.cells.guards
import studies.cells.loop


class FakeTime:
    """Stands in for the module `time` there."""

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
    for module in (studies.cells.loop, studies.cells.guards):
        monkeypatch.setattr(module, "time", clock)
    return clock
