"""Studies and the formats of others: COCO, IOHprofiler, pandas, parquet, CSV and NetCDF. No torch.

- `python -m studies.exchange export RESULTS --to coco --out DIR`, then `python -m cocopp DIR/*`
- `python -m studies.exchange import FILES --from coco --like RESULTS --out results/NAME`
- `beside(ours, import_coco(FILES, like=ours))`: our runs and published ones in one Dataset
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from studies.exchange.coco import export_coco, import_coco
    from studies.exchange.iohprofiler import export_ioh, import_ioh
    from studies.exchange.joining import beside
    from studies.exchange.netcdf import export_netcdf
    from studies.exchange.tables import export_csv, export_parquet, hits_frame, to_frame

__all__ = [
    "beside",
    "export_coco",
    "export_csv",
    "export_ioh",
    "export_netcdf",
    "export_parquet",
    "hits_frame",
    "import_coco",
    "import_ioh",
    "to_frame",
]
HOMES = {  # name -> its module, imported when the name is first used: `--help` needs none of them
    "beside": "joining",
    "export_coco": "coco",
    "import_coco": "coco",
    "export_ioh": "iohprofiler",
    "import_ioh": "iohprofiler",
    "export_netcdf": "netcdf",
    "export_csv": "tables",
    "export_parquet": "tables",
    "hits_frame": "tables",
    "to_frame": "tables",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{HOMES[name]}"), name)
