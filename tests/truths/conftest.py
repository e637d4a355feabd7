"""Every test of this folder has the mark `truth`, so that `make verify` runs them all and gathers what they note."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if "truths" in item.path.parts:
            item.add_marker("truth")
