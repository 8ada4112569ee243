# SPDX-License-Identifier: AGPL-3.0-or-later
"""A well that was given out comes back: the claim ends, and the execution's counters follow. The execution must be locked."""

from __future__ import annotations

from sqlalchemy.orm import Session

from openhcs_client import WellFailure, WellState
from openhcs_execution.database import ExecutionRow, WellRow

from .events import now, record

__all__ = ["fail", "release", "wait_again"]


def release(execution: ExecutionRow, row: WellRow) -> None:
    """The claimed well has an outcome, or will have none from this attempt."""
    row.claimed = False
    execution.wells_claimed -= 1
    if execution.lone_well == row.well:
        execution.lone_well = None


def wait_again(session: Session, execution: ExecutionRow, row: WellRow) -> None:
    """The claimed well waits for its next attempt."""
    began = row.state != WellState.WAITING
    release(execution, row)
    execution.wells_waiting += 1
    row.state, row.step, row.step_name, row.worker = WellState.WAITING, 0, "", None
    if began:
        changed = {"state": row.state, "attempt": row.attempt, "step": 0, "step_name": ""}
        record(session, execution, "well_retried", well=row.well, data=changed)


def fail(session: Session, execution: ExecutionRow, row: WellRow, failure: WellFailure) -> None:
    """The well has failed for good, unless somebody retries it. It may be claimed, waiting, or computed but not to be saved."""
    if row.claimed:
        release(execution, row)
    elif row.state == WellState.WAITING:
        execution.wells_waiting -= 1
    row.state, row.ended_at = WellState.FAILED, now()
    row.failure = failure.model_dump(mode="json")
    execution.wells_failed += 1
    changed = {"state": row.state, "ended_at": row.ended_at.isoformat(), "failure": row.failure}
    record(session, execution, "well_failed", well=row.well, data=changed)
