# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which cluster the dispatcher works with: opened in the background, watched, left again.

The settings say which one. An administrator may attach the service to another scheduler while it runs, and detach it.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable

from pydantic import SecretStr

from openhcs_execution.logging import get_logger
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.settings import Settings

from .cluster import Cluster, open_cluster
from .tasks import WorkerSettings

__all__ = ["Engines"]

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
"""Seconds between two attempts to open a cluster, at first and at most."""

_LOOK_SECONDS = 1.0
"""How often a scheduler is asked who is there."""

log = get_logger(__name__)


class Engines:
    """Its callbacks are called by threads of its own."""

    def __init__(
        self,
        settings: Settings,
        store: ResultStore,
        session_secret: str,
        *,
        on_open: Callable[[Cluster], None],
        on_change: Callable[[], None],
        on_lost: Callable[[Cluster], None],
    ) -> None:
        """``on_open`` gets each cluster that is ready, ``on_change`` says that workers came or went, ``on_lost`` gets a
        cluster whose scheduler has gone."""
        self._settings = settings
        self._store = store
        self._session_secret = session_secret
        self._on_open, self._on_change, self._on_lost = on_open, on_change, on_lost
        self.address: str | None = None
        """Of the scheduler that an administrator attached; None for the engine of the settings."""
        self._wanted = 0
        """Counts requests for a cluster: one that was asked for before another is not taken any more."""
        self._open: list[Cluster] = []
        self._told_lost: set[int] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._look_after_all, name="cluster-watch", daemon=True)

    def open(self) -> None:
        """Open the wanted cluster in the background, again and again with growing pauses until it is there."""
        with self._lock:
            self._wanted += 1
            wanted = self._wanted
            if not self._watch.is_alive() and not self._stopping.is_set():
                self._watch.start()
        threading.Thread(target=self._keep_opening, args=(wanted,), name="cluster-open", daemon=True).start()

    def _keep_opening(self, wanted: int) -> None:
        pause = _FIRST_PAUSE
        while self._is_wanted(wanted):
            try:
                cluster = open_cluster(self._settings, self._worker_settings(), self.address)
            except Exception:
                log.exception("workers_did_not_start", next_try_seconds=pause)
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            with self._lock:
                taken = self._wanted == wanted and not self._stopping.is_set()
                if taken:
                    self._open.append(cluster)
            if taken:
                self._on_open(cluster)
            else:
                cluster.close()
            return

    def _is_wanted(self, wanted: int) -> bool:
        with self._lock:
            return self._wanted == wanted and not self._stopping.is_set()

    def move(self, address: str | None) -> None:
        """Work with the scheduler at ``address`` from now on, or again with the engine of the settings."""
        self.address = address
        self.open()

    def others(self, current: Cluster | None) -> list[Cluster]:
        """Clusters that are open and not the current one."""
        with self._lock:
            return [cluster for cluster in self._open if cluster is not current]

    def leave(self, cluster: Cluster) -> None:
        """Close a cluster, in the background."""
        with self._lock:
            if cluster not in self._open:
                return
            self._open.remove(cluster)
        threading.Thread(target=_close, args=(cluster,), name="cluster-close", daemon=True).start()

    def stop(self) -> None:
        """Close everything that is open."""
        self._stopping.set()
        with self._lock:
            self._wanted += 1
            rest, self._open = self._open, []
        for cluster in rest:
            _close(cluster)

    def _look_after_all(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            for cluster in self.others(None):
                try:
                    if cluster.lost:
                        if id(cluster) not in self._told_lost:
                            self._told_lost.add(id(cluster))
                            log.error("scheduler_lost")
                            self._on_lost(cluster)
                    elif cluster.look():
                        log.info("workers_changed", workers=len(cluster.slots))
                        self._on_change()
                except Exception:
                    log.exception("looking_after_workers_failed")

    def _worker_settings(self) -> WorkerSettings:
        settings = self._settings
        return WorkerSettings(
            scratch=settings.scratch,
            results=settings.results,
            results_mark=self._mark(),
            engine_home=settings.engine_home,
            session_secret=SecretStr(self._session_secret),
            omero_host=settings.omero_host,
            omero_port=settings.omero_port,
            repository=settings.repository_path,
            memory_limit_mb=settings.engine_memory_limit_mb,
            test_memory_mb=settings.test_memory_mb,
            test_images_mb=settings.test_images_mb,
            test_images_minutes=settings.test_images_minutes,
        )

    def _mark(self) -> str:
        """An empty file with a name that nobody else knows: who finds it in the folder for results sees our disk."""
        for old in self._store.root.glob(".service-*"):
            old.unlink(missing_ok=True)
        name = f".service-{secrets.token_hex(8)}"
        (self._store.root / name).touch()
        return name


def _close(cluster: Cluster) -> None:
    try:
        cluster.close()
    except Exception:
        log.exception("cluster_not_closed")
