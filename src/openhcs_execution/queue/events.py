# SPDX-License-Identifier: AGPL-3.0-or-later
"""The event log: written in the same transaction as the change that it tells of, numbered without gaps."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from openhcs_execution.database import EventRow, ExecutionRow

__all__ = ["lock_execution", "lock_executions", "now", "record"]


def now() -> datetime:
    return datetime.now(UTC)


def lock_execution(session: Session, number: int) -> ExecutionRow:
    """Read an execution for changing it; on PostgreSQL this locks the row, on SQLite the transaction already has the lock.

    Every transition begins with this, so that the events of one execution are numbered by one transaction at a time. A
    transaction that does several things to an execution reads it once.
    """
    locked: dict[int, ExecutionRow] = session.info.setdefault("locked", {})
    if number not in locked:
        statement = select(ExecutionRow).where(ExecutionRow.number == number).with_for_update()
        locked[number] = session.execute(statement).scalar_one()
    return locked[number]


def lock_executions(session: Session, numbers: Collection[int]) -> None:
    """Lock several executions with one question; :func:`lock_execution` finds them then."""
    statement = select(ExecutionRow).where(ExecutionRow.number.in_(numbers)).order_by(ExecutionRow.number).with_for_update()
    session.info.setdefault("locked", {}).update((row.number, row) for row in session.scalars(statement))


def record(
    session: Session, execution: ExecutionRow, kind: str, *, well: str | None = None, data: dict[str, Any] | None = None
) -> int:
    """Append an event to a locked execution and return its sequence number. ``data`` must be JSON."""
    execution.last_event += 1
    event = EventRow(
        execution=execution.number, sequence=execution.last_event, time=now(), kind=kind, well=well, data=dict(data or {})
    )
    session.add(event)
    session.info.setdefault("told", []).append((execution, event))  # for those who listen to the database
    return execution.last_event
