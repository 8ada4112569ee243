# SPDX-License-Identifier: AGPL-3.0-or-later
"""Can the service do its work now: what ``/readyz`` answers, and why not."""

from __future__ import annotations

import shutil
import threading
import time
from typing import Protocol

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from openhcs_execution.database import Database, QueueState
from openhcs_execution.settings import Settings

__all__ = ["Readiness"]

_KEPT_SECONDS = 2.0
"""Anybody on this machine may ask, as often as they like; the database is written to once in this time."""


class _Workers(Protocol):
    """What is asked of the dispatcher."""

    @property
    def ready(self) -> bool: ...

    @property
    def elastic(self) -> bool: ...

    def alive_workers(self) -> int: ...


class Readiness:
    """Looks at the workers, the database and the disks."""

    def __init__(self, database: Database, settings: Settings, workers: _Workers) -> None:
        self._database, self._settings, self._workers = database, settings, workers
        self._lock = threading.Lock()
        self._problems: list[str] = []
        self._looked_at = -_KEPT_SECONDS

    def problems(self) -> list[str]:
        """What keeps wells from being computed and submissions from being taken; empty when nothing does."""
        if not self._workers.ready:
            return ["The workers have not started yet."]
        with self._lock:
            if time.monotonic() - self._looked_at > _KEPT_SECONDS:
                self._problems = [*self._of_workers(), *self._of_database(), *self._of_disks()]
                self._looked_at = time.monotonic()
            return list(self._problems)

    def _of_workers(self) -> list[str]:
        # A cluster of batch jobs has none while nothing waits, and gets some when something does.
        return [] if self._workers.elastic or self._workers.alive_workers() else ["There are no workers."]

    def _of_database(self) -> list[str]:
        try:
            with self._database.write() as session:
                session.execute(update(QueueState).values(draining=QueueState.draining))
        except SQLAlchemyError:
            return ["The database cannot be written to."]
        return []

    def _of_disks(self) -> list[str]:
        needed = self._settings.minimum_free_mb * 2**20
        folders = {"results": self._settings.results, "images being computed": self._settings.scratch}
        return [
            f"The disk for {what} has less than {self._settings.minimum_free_mb} MiB left."
            for what, folder in folders.items()
            if shutil.disk_usage(folder).free < needed
        ]
