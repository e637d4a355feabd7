"""A worker that ends after its cell, not in it.

`dask worker --worker-class studies.run.lasting.Lasting --lifetime 50m`
"""

from __future__ import annotations

import asyncio
from time import time

from distributed import Worker
from distributed.core import Status

LOOK = 0.2  # seconds between looks at whether a cell runs
FETCHED = 50  # looks at whether what the cell returned was fetched
ENDING = (Status.closing, Status.closing_gracefully, Status.closed)


class Lasting(Worker):
    """Dask's worker; at the end of its lifetime it takes no cell any more, and goes when it has none.

    Dask's own leaves at once, and its cell begins anew elsewhere.
    """

    async def close_gracefully(
        self, restart: bool | None = None, reason: str = "worker-close-gracefully"
    ) -> None:
        """End after the cell that runs.

        Args:
            restart: whether the process that watches over it starts another; None: as it was told.
            reason: for the log.
        """
        if self.status in ENDING:
            await self.finished()
            return
        self.status = Status.closing_gracefully  # type: ignore[misc]
        while self.state.executing_count:
            await asyncio.sleep(LOOK)
        for _ in range(FETCHED):
            if not self.data:  # the client has what it returned
                break
            await asyncio.sleep(LOOK)
        await self.scheduler.retire_workers(
            workers=[self.address],
            close_workers=False,
            remove=True,
            stimulus_id=f"{reason}-{time()}",
        )
        again = self.lifetime_restart if restart is None else restart
        await self.close(nanny=not again, reason=reason)
