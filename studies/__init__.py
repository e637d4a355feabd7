"""Studies: landscapes and optimizers meet here.

`run_study` computes a study, `open_study` reads its results.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studies.text.leave import importing

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["open_study", "run_study"]

if sys.argv[:1] == ["-m"] and " -m studies" in " ".join(sys.orig_argv):
    importing()  # a command, whose packages are imported before its own file is


def run_study(
    config: str | Path,
    out: str | Path | None = None,
    overrides: Mapping[str, Any] = {},  # noqa: B006
    *,
    figures: bool = True,
    workers: int | None = None,
    cluster: str | None = None,
    wait: str | None = None,
) -> xr.Dataset:
    """Compute what is missing of a study and return its results.

    All is written that the command writes: the Dataset, `report.html`, `figures/` and `claims.json`. A figure
    that cannot be drawn is said in a line, and takes nothing else with it. Works in scripts (no `__main__`
    guard needed) and notebooks.

    Args:
        config: a study file, or the name of a ready study in `studies/configs/`.
        out: the study's folder; None: results/NAME.
        overrides: dotted path -> value, as with `--set`: {"replicates": 8, "optimizers.sgd.learning_rate":
            0.1}.
        figures: whether the figures that the study names are drawn.
        workers: processes of the local cluster, >= 1; None: what the study says, else one per core.
        cluster: "local", the address of a Dask scheduler, "tcp://host:port", or a YAML file with a cluster;
            None: what the study says.
        wait: how long to wait where no worker is there, as "2h"; None: what the study says, else as long
            as it takes.

    Returns:
        The labelled Dataset, in memory unless large. Worlds of failed cells have `status` failed; why is in
        OUT/errors/.

    Raises:
        StudyError: the study file has mistakes (`.lines`: one line each).
        ClusterError: there is no such cluster, no worker came, or the workers do not see the study's folder.
        KeyboardInterrupt: stopped by Ctrl-C; finished cells are kept, the next call goes on from there.
        ConnectionError: the scheduler went away; finished cells are kept, the next call goes on from there.
    """  # noqa: DOC502
    from studies.run.session import run_study

    where: dict[str, Any] = {"workers": workers, "cluster": cluster, "wait": wait}
    return run_study(config, out, overrides, figures=figures, **where)


def open_study(path: str | Path) -> xr.Dataset:
    """The results of a study: what is finished now.

    Args:
        path: the study's folder, or its `dataset.zarr`.

    Returns:
        The labelled Dataset; dask arrays where it is large.

    Raises:
        FileNotFoundError: there is no study at this path.
    """  # noqa: DOC502
    from studies.results import view

    return view.open_study(path)
