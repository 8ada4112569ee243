# SPDX-License-Identifier: AGPL-3.0-or-later
"""The Dask cluster inside the service: one process per slot, one thread each, on loopback and behind mutual TLS.

Dask carries pickles between its parts, so whoever can talk to the scheduler can run code. Loopback alone would let every user
of the machine do so; with certificates made at each start and never written down, only our own processes can.
"""

from __future__ import annotations

import logging
from pathlib import Path

import dask
from distributed import Client, LocalCluster
from distributed.security import Security

from .tasks import WorkerSettings
from .worker import EnginePlugin

__all__ = ["Cluster"]

_CONFIG = {
    # A lost worker's wells come back to us at once: which attempt runs next is decided in the database.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.worker.multiprocessing-method": "spawn",
    # Their web servers cannot be switched off, but nothing needs to be on them.
    "distributed.worker.http.routes": [],
    "distributed.scheduler.http.routes": [],
}


class Cluster:
    """Workers, and the one client that may ask them."""

    def __init__(self, workers: int, settings: WorkerSettings, scratch: Path) -> None:
        """Start the processes and wait until each has its engine; this takes some seconds.

        When that fails, the processes that were started are gone before the error is raised.
        """
        dask.config.set(_CONFIG)
        security = Security.temporary()
        self.cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            protocol="tls://",
            security=security,
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            memory_limit=0,  # the memory is in the engine processes, which have a limit of their own
            local_directory=str(scratch / "dask"),
            silence_logs=logging.WARNING,
        )
        try:
            self.client = Client(self.cluster, security=security, set_as_default=False)
            self.client.register_plugin(EnginePlugin(settings), name="openhcs-engine")
        except BaseException:
            self.cluster.close(timeout=10)
            raise

    def alive(self) -> int:
        """How many workers the scheduler knows now."""
        return len(self.client.scheduler_info(n_workers=-1)["workers"])

    def close(self) -> None:
        """Stop the workers; each closes its engine process."""
        self.client.close(timeout=5)
        self.cluster.close(timeout=10)
