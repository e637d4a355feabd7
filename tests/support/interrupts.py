"""Signals as a terminal has them."""

import signal

import pytest


@pytest.fixture
def interrupts():
    """This process and those that it starts get all signals; in the background some are ignored."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
