# SPDX-License-Identifier: AGPL-3.0-or-later
"""Workers that are there, the memory of our processes, and free disk; read at a scrape and kept for some seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from openhcs_execution.settings import Settings

__all__ = ["ProcessMeter"]

_KEPT_SECONDS = 5.0
_ENGINE = "openhcs_execution.engine.child"


class ProcessMeter(Collector):
    """Gauges of processes on this machine. Workers on other machines are counted, but not their memory."""

    def __init__(self, settings: Settings, alive_workers: Callable[[], int]) -> None:
        self._settings, self._alive_workers = settings, alive_workers
        self._lock = threading.Lock()
        self._families: list[Metric] = []
        self._read_at = -_KEPT_SECONDS

    def describe(self) -> Iterable[Metric]:
        """Nothing is read when the collector is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            if time.monotonic() - self._read_at > _KEPT_SECONDS:
                self._families = list(self._read())
                self._read_at = time.monotonic()
            families = self._families
        yield from families

    def _read(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("openhcs_workers_wanted", "Workers that the settings ask for.", value=self._settings.workers)
        yield GaugeMetricFamily("openhcs_workers_alive", "Workers that can be given wells.", value=self._alive_workers())
        memory = GaugeMetricFamily(
            "openhcs_memory_bytes", "Resident memory of the processes of each part, on this machine.", labels=["part"]
        )
        processes = GaugeMetricFamily("openhcs_processes", "Processes of each part, on this machine.", labels=["part"])
        for part, (count, used) in _parts().items():
            memory.add_metric([part], used)
            processes.add_metric([part], count)
        yield memory
        yield processes
        yield _free_disk(self._settings)


def _parts() -> dict[str, tuple[int, int]]:
    """Processes and their bytes: the service itself, its engines, and what is between them (workers and their keepers)."""
    me = psutil.Process()
    parts = {"service": (1, me.memory_info().rss), "workers": (0, 0), "engines": (0, 0)}
    for process in me.children(recursive=True):
        try:
            part = "engines" if _ENGINE in process.cmdline() else "workers"
            used = process.memory_info().rss
        except psutil.Error:  # it ended meanwhile
            continue
        count, total = parts[part]
        parts[part] = (count + 1, total + used)
    return parts


def _free_disk(settings: Settings) -> Metric:
    free = GaugeMetricFamily("openhcs_disk_free_bytes", "Free disk of a folder of the service.", labels=["folder"])
    folders: dict[str, Path] = {"results": settings.results, "scratch": settings.scratch}
    for name, folder in folders.items():
        free.add_metric([name], psutil.disk_usage(str(folder)).free)
    return free
