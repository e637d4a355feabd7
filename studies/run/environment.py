"""What a process needs before it imports torch, and how many of them a machine takes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# One thread per process, and matrix products that do not depend on alignment or on the size of the batch.
NUMBERS = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "MKL_CBWR": "COMPATIBLE",
    "HDF5_USE_FILE_LOCKING": "FALSE",
}
# Memory of arrays up to 32 MiB is used again, which each step would fetch anew from the system (and Dask's
# nannies ask for that): in place of 0.6 s (there 1.6) the system takes 0.05 beside 1 of ours.
MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**28)}
ENVIRONMENT = {
    **NUMBERS,
    **MEMORY,
    # a worker that dies takes its cells down once; the engine judges them again
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION": "1.0",  # no cell waits at a worker
    # it looks at the frames of a cell every 10 ms, and may hold for a while the tensors that a step let go
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_LOGGING__DISTRIBUTED": "critical",
}
BATCH_CORES = ("SLURM_CPUS_PER_TASK", "PBS_NCPUS", "NSLOTS")  # what a batch system gave to this job


def cores() -> int:
    """Cores that this process may use: those of its affinity, of its control group and of its batch job."""
    from dask.system import cpu_count

    given = (os.environ.get(name, "") for name in BATCH_CORES)
    return max(1, min([cpu_count(), *(int(count) for count in given if count.isdigit())]))


def paths() -> str:
    """Where this process finds modules that are not installed, those of the user's too, as a PYTHONPATH."""
    installed = {Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix)}
    every = (Path(entry or Path.cwd()).resolve() for entry in sys.path)
    own = [path for path in every if path.is_dir() and not installed & {path, *path.parents}]
    return os.pathsep.join(dict.fromkeys(map(str, own)))
