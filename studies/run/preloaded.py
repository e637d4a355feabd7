"""What workers of this machine need, imported once: each is forked from the process that did so.

What is there is shared, and never collected. Kinds of the user's are imported by workers alone.
"""

import gc
import importlib

from studies.cells import provenance

# xarray looks for dask.array
NEEDED = ("distributed", "dask.array", "studies.cells.loop", "studies.run.local", "studies.run.sweep")

for module in NEEDED:
    importlib.import_module(module)
provenance.code()  # the digest of the loop that all run
gc.freeze()
