"""Every test of this folder has the mark `truth`, so that `make verify` runs them all and gathers what they note.

A law is held at its first setting every day, at the others, and where one takes long, in `make verify`.
"""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    held = set()
    for item in items:
        if "truths" not in item.path.parts:
            continue
        item.add_marker("truth")
        law = (item.path, item.originalname)
        if law in held:
            item.add_marker("verify")
        held.add(law)
