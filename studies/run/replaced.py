"""A worker that cannot speak to its scheduler any more ends at once, and its nanny starts another.

That may be for want of memory, while a cell of its own has all that it may have. Dask's would leave together
with its nanny, and nothing would come instead.
"""

from __future__ import annotations

import os

from distributed import Worker

UNABLE = ("worker-heartbeat-error", "worker-handle-scheduler-connection-broken")


class Replaced(Worker):
    """Dask's worker, where its nanny and the scheduler are one process, which end together, or not at all."""

    async def close(  # type: ignore[override]
        self,
        timeout: float = 30,
        executor_wait: bool = True,  # noqa: FBT001, FBT002  as Dask has it
        nanny: bool = True,  # noqa: FBT001, FBT002
        reason: str = "worker-close",
    ) -> str | None:
        """Leave, or end this process where the worker does so because it cannot speak.

        Args:
            timeout: seconds for each step.
            executor_wait: whether what runs is awaited.
            nanny: whether its nanny leaves too.
            reason: why.
        """
        if reason in UNABLE:
            os._exit(1)
        return await super().close(timeout, executor_wait, nanny, reason)
