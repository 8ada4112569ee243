# SPDX-License-Identifier: AGPL-3.0-or-later
"""Telling workers to stop, beside the tasks that they work on: Dask does not interrupt a task that runs."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from openhcs_execution.logging import get_logger

from .batches import HandedOut
from .cluster import Cluster
from .worker import hold_batches, stop_batches

__all__ = ["Stopper"]

log = get_logger(__name__)


class Stopper:
    """Its methods return at once; workers are told by threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="stop-work")

    def close(self) -> None:
        """Tell nobody any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def hold(self, tasks: Sequence[HandedOut]) -> None:
        """Begin no further well of these tasks; wells that are being computed are finished."""
        if tasks:
            self._threads.submit(_hold, tasks)

    def stop(self, tasks: Sequence[HandedOut]) -> None:
        """End these tasks, and kill the engines that compute for them."""
        if tasks:
            self._threads.submit(_stop, tasks)


def _hold(tasks: Sequence[HandedOut]) -> None:
    for cluster, own in _by_cluster(tasks):
        try:
            cluster.client.run(hold_batches, [task.batch.batch_id for task in own], on_error="ignore")
        except Exception:
            log.exception("holding_failed", batches=len(own))


def _stop(tasks: Sequence[HandedOut]) -> None:
    for cluster, own in _by_cluster(tasks):
        try:
            cluster.client.cancel([task.future for task in own], reason="the execution was cancelled")
            cluster.client.run(stop_batches, [task.batch.batch_id for task in own], on_error="ignore")
        except Exception:
            log.exception("stopping_failed", execution_id=own[0].batch.execution_id)


def _by_cluster(tasks: Sequence[HandedOut]) -> list[tuple[Cluster, list[HandedOut]]]:
    clusters = {id(task.cluster): task.cluster for task in tasks}
    return [(cluster, [task for task in tasks if task.cluster is cluster]) for cluster in clusters.values()]
