"""Debian's chromium, in which pages are opened as their readers do."""

import shutil

import pytest

CHROMIUM = shutil.which("chromium")
browsing = pytest.mark.skipif(
    CHROMIUM is None,
    reason="expected Debian's chromium to open pages in, found none: apt-get install chromium",
)


@pytest.fixture(scope="module")
def browser():
    """One for all tests of a file."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()
