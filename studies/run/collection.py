"""A collection of ready studies, run one after the other, and the page that joins their reports."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from studies.study_file.collections import Collection
from studies.study_file.files import question, ready_studies

ENDS = (
    74,
    75,
    130,
)  # exit codes of a run that cannot store, lost its scheduler, was interrupted: the last one


def run(
    collection: Collection, args: argparse.Namespace, one: Callable[[argparse.Namespace], int]
) -> int:
    """Run all studies of a collection, and write the page that joins those that are complete.

    Args:
        collection: the studies.
        args: as they are given; `out` is the folder of the studies' folders, None: results.
        one: runs the study that such arguments name, and returns its exit code.

    Returns:
        The largest exit code; that of a run which was interrupted, lost its scheduler or cannot store,
        ends all.
    """
    folder: Path = args.out or Path("results")
    code = 0
    for number, name in enumerate(collection.studies, 1):
        print(
            f"{number} of {len(collection.studies)}: {name}: {question(ready_studies()[name])}",
            flush=True,
        )
        own = {"config": name, "out": folder / name, "report": False}
        code = max(code, one(argparse.Namespace(**vars(args) | own)))
        if code in ENDS:
            return code
    if args.report and not args.dry_run:
        _join(collection, folder)
    return code


def _join(collection: Collection, folder: Path) -> None:
    """Write a report of each study that has results, and the page that joins them."""
    from studies.report.writing import FILE, write, write_index

    complete = [
        folder / name for name in collection.studies if (folder / name / "dataset.zarr").exists()
    ]
    pages = [write(results) for results in complete]
    index = folder / f"{collection.name}.html"
    write_index([(page, page.folder / FILE) for page in pages], index)
    print(index)
