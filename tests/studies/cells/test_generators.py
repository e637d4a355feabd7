"""Draws from global generators: who makes them, where several threads run."""

import random
import threading
from contextlib import contextmanager

import pytest

from studies.cells.contract import Method, PluginError, draws_nothing
from studies.cells.generators import draws_from_python
from tests.support.each import each


class Slow:
    """A method during which another thread draws, each time."""

    def __init__(self, drawn, own):
        self.drawn, self.own = drawn, own

    def look(self):
        self.drawn.clear()
        assert self.drawn.wait(60)
        self.own()


@contextmanager
def another():
    """A thread that draws from Python's generator, and says so."""
    before, drawn, ends = random.getstate(), threading.Event(), threading.Event()

    def draw():
        while not ends.wait(0.001):
            random.random()
            drawn.set()

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        yield drawn
    finally:
        ends.set()
        thread.join()
        random.setstate(before)


OWN = {
    "random": random.random,
    "randint": lambda: random.randint(1, 6),
    "normal": lambda: random.gauss(0, 1),
}


@each("own", OWN.values(), ids=OWN.keys())
def test_a_draw_is_that_of_the_thread_which_makes_it(own):
    with another() as drawn:
        quiet, loud = Slow(drawn, lambda: None), Slow(drawn, own)
        draws_nothing(Method(quiet, "look"), quiet.look)
        with pytest.raises(PluginError, match="draws from Python's global generator"):
            draws_nothing(Method(loud, "look"), loud.look)
        assert not draws_from_python(quiet.look)
        assert draws_from_python(loud.look)
