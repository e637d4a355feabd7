"""Clusters of Dask that start nothing: they note what they are asked. And a task that waits, for workers in this process."""

import threading
from contextlib import AbstractContextManager

from tests.support.patience import patience

BEGAN, GO = threading.Event(), threading.Event()


def landing():
    BEGAN.set()
    assert GO.wait(patience())
    return "landed"


class Noted(AbstractContextManager):
    """What it was made with, and how it was scaled."""

    def __init__(self, **words):
        self.words, self.asked = words, []

    def __exit__(self, *error):
        self.asked.append("closed")

    def adapt(self, **limits):
        self.asked.append(limits)

    def scale(self, count):
        self.asked.append(count)
