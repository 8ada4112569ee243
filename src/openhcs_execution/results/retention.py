# SPDX-License-Identifier: AGPL-3.0-or-later
"""Old results are removed from the service's disk after a number of days. Nothing of this touches OMERO.

An execution is marked first, in a transaction that makes sure that it has ended, and its folder removed afterwards; a service
that dies in between removes the folder at the next round.
"""

from __future__ import annotations

import shutil
from datetime import timedelta

from sqlalchemy import select

from openhcs_client import ExecutionStatusName
from openhcs_execution.background import BackgroundLoop
from openhcs_execution.database import Database, ExecutionRow
from openhcs_execution.logging import get_logger
from openhcs_execution.queue.events import lock_execution, now

from .bundle import ResultStore

__all__ = ["ResultKeeper", "remove_old_results"]

log = get_logger(__name__)

_ROUND_SECONDS = 3600.0
_AT_ONCE = 200
_FINAL = [status.value for status in ExecutionStatusName if status.is_final]


def remove_old_results(database: Database, store: ResultStore, days: float) -> int:
    """Remove the results of executions that ended more than ``days`` days ago; returns how many executions were marked."""
    oldest = now() - timedelta(days=days)
    old = (
        ExecutionRow.status.in_(_FINAL),
        ExecutionRow.ended_at < oldest,
        ExecutionRow.results_removed_at.is_(None),
    )
    marked = 0
    while True:
        with database.read() as session:
            numbers = list(session.scalars(select(ExecutionRow.number).where(*old).limit(_AT_ONCE)))
        for number in numbers:
            marked += _mark(database, number)
        if len(numbers) < _AT_ONCE:
            break
    _remove_marked(database, store)
    return marked


def _mark(database: Database, number: int) -> bool:
    with database.write() as session:
        execution = lock_execution(session, number)
        if not ExecutionStatusName(execution.status).is_final:
            return False  # somebody retried it just now
        execution.results_removed_at = now()
        return True


def _remove_marked(database: Database, store: ResultStore) -> None:
    there = {folder.name for folder in store.root.iterdir() if folder.is_dir()}
    statement = select(ExecutionRow.execution_id).where(ExecutionRow.results_removed_at.is_not(None))
    with database.read() as session:
        removed = there.intersection(session.scalars(statement))
    for execution_id in sorted(removed):
        shutil.rmtree(store.root / execution_id, ignore_errors=True)
        log.info("results_removed", execution_id=execution_id)


class ResultKeeper:
    """Looks once an hour, beginning at the start."""

    def __init__(self, database: Database, store: ResultStore, days: float | None) -> None:
        self._database, self._store, self._days = database, store, days
        self._loop = BackgroundLoop("result-keeper", self._turn, trouble="results_not_removed")

    def start(self) -> None:
        """Does nothing when results are kept for ever."""
        if self._days is not None:
            self._loop.start()

    def stop(self) -> None:
        self._loop.stop(10)

    def _turn(self) -> float:
        assert self._days is not None
        remove_old_results(self._database, self._store, self._days)
        return _ROUND_SECONDS
