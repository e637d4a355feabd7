"""A file appears whole or not at all: until it is renamed, the old one stands, and nothing is left beside it."""

import os
from pathlib import Path

import pytest
import xarray as xr

from studies.claims import report as claims
from studies.probe import datasets as probe
from studies.report import writing as report
from studies.results import store, view

DATA = xr.Dataset({"loss": ("replicate", [1.0, 2.0])})
WRITERS = {  # name of the file -> what writes it into a folder
    "text.json": lambda out: store.write_text("{}", out / "text.json"),
    "cell.nc": lambda out: store.write_cell(DATA, out / "cell.nc"),
    "plan.json": lambda out: view.save_manifest({"arms": [], "cells": []}, out),
    "claims.json": lambda out: claims.save([], out),
    "probe.nc": lambda out: probe.save(DATA, out),
    "page.html": lambda out: report._save("index.html.j2", out / "page.html", entries=[]),
}
OLD = b"what was there before"


@pytest.fixture(params=WRITERS)
def file(request, tmp_path):
    (tmp_path / request.param).write_bytes(OLD)
    return tmp_path / request.param


def write(file):
    WRITERS[file.name](file.parent)


def test_it_takes_its_place_by_one_rename_and_was_whole_and_synced_before(file, monkeypatch):
    """What a reader sees at that moment is the old file; what is renamed is the new one to the last byte."""
    synced, renames, replace, fsync = set(), [], os.replace, os.fsync

    def sync(handle):
        synced.add(os.fstat(handle).st_ino)
        fsync(handle)

    def rename(source, target):
        source, target = Path(source), Path(target)
        renames.append((source.parent, target, source.stat().st_ino in synced))
        assert target.read_bytes() == OLD
        new = source.read_bytes()
        replace(source, target)
        assert target.read_bytes() == new != OLD

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", rename)
    write(file)
    assert renames == [(file.parent, file, True)]  # beside it: on one file system
    assert list(file.parent.iterdir()) == [file]


def test_where_it_cannot_be_renamed_the_old_one_stands_alone(file, monkeypatch):
    def full(source, target):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        write(file)
    assert file.read_bytes() == OLD
    assert list(file.parent.iterdir()) == [file]
