# SPDX-License-Identifier: AGPL-3.0-or-later
"""Remove the bundles of attempts that nobody waits for any more."""

from __future__ import annotations

from openhcs_execution.database import Database, ExecutionRow, WellRow
from openhcs_execution.queue.wells import Well

from .bundle import ResultStore

__all__ = ["discard_unwanted"]


def discard_unwanted(database: Database, store: ResultStore, well: Well) -> bool:
    """Remove the bundle of an attempt, unless it is the committed one or may still become it."""
    with database.read() as session:
        execution_id = session.get_one(ExecutionRow, well.number).execution_id
        row = session.get_one(WellRow, (well.number, well.name))
    if row.attempt == well.attempt and (row.claimed or row.committed_at is not None):
        return False
    store.discard(execution_id, well.name, well.attempt)
    return True
