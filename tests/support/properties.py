"""Property-based tests whose examples are the same everywhere."""

from __future__ import annotations

import gc

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.entropy import deterministic_PRNG

# It would read the source of all our modules that happen to be loaded, seconds in a fresh clone, and draw from
# their constants: the examples of one test would depend on which others a process has.
providers._get_local_constants = lambda: providers._local_constants

with (
    pytest.MonkeyPatch.context() as patch
):  # its first generator collects the garbage of all tests before
    patch.setattr(gc, "collect", lambda: 0)
    with deterministic_PRNG():
        pass


def steady(examples: int) -> settings:
    """So many examples, the same in every run, however slow the machine is."""
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
