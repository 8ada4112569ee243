# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which wells are computed next.

The order is: priority class, then the user who has the fewest wells in work, then the execution that waits longest. The
decision and its record are one transaction, and only a few wells beyond the free slots are claimed at any time, so a new
user, a test well or a cancellation never waits behind a long list that was handed out before.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from openhcs_client import ExecutionStatusName, WellState
from openhcs_execution.database import Database, ExecutionRow, WellRow

from .events import lock_execution, now, record

__all__ = ["Candidate", "ClaimedWells", "batch_size", "choose", "claim_wells"]


@dataclass(frozen=True)
class Candidate:
    """An execution that has wells to give out."""

    number: int
    owner_id: int
    priority: int


@dataclass(frozen=True)
class ClaimedWells:
    """Wells handed out together, with the attempt that each of them is now at."""

    number: int
    execution_id: str
    priority: int
    attempts: Mapping[str, int]


def choose(candidates: Iterable[Candidate], in_work: Mapping[int, int]) -> Candidate | None:
    """Pick the execution to serve; ``in_work`` counts wells in work per user."""
    return min(
        candidates,
        key=lambda candidate: (-candidate.priority, in_work.get(candidate.owner_id, 0), candidate.number),
        default=None,
    )


def batch_size(waiting: int, slots: int, largest: int) -> int:
    """How many of ``waiting`` wells to hand out together: fewer towards the end, so that all slots end at the same time."""
    return max(1, min(largest, math.ceil(waiting / (2 * slots))))


def claim_wells(database: Database, *, slots: int, largest: int) -> ClaimedWells | None:
    """Claim the next few wells of the execution whose turn it is; None when nothing waits."""
    with database.read() as session:
        if not _candidates(session):
            return None  # most looks find nothing, and need not take the write lock for it
    with database.write() as session:
        chosen = choose(_candidates(session), _wells_in_work(session))
        if chosen is None:
            return None
        execution = lock_execution(session, chosen.number)
        wells = _waiting_wells(session, chosen.number, slots, largest)
        session.execute(
            update(WellRow)
            .where(WellRow.execution == chosen.number, WellRow.well.in_(wells))
            .values(claimed=True, attempt=WellRow.attempt + 1)
        )
        if execution.status == ExecutionStatusName.QUEUED:
            execution.status = ExecutionStatusName.RUNNING
            execution.started_at = execution.started_at or now()
            record(
                session,
                execution,
                "started",
                data={"status": execution.status, "started_at": execution.started_at.isoformat()},
            )
        attempts = session.execute(
            select(WellRow.well, WellRow.attempt)
            .where(WellRow.execution == chosen.number, WellRow.well.in_(wells))
            .order_by(WellRow.position)
        )
        return ClaimedWells(
            number=chosen.number,
            execution_id=execution.execution_id,
            priority=chosen.priority,
            attempts=dict(row for row in attempts),
        )


def _unclaimed() -> ColumnElement[bool]:
    return (WellRow.state == WellState.WAITING) & WellRow.claimed.is_(False)


def _candidates(session: Session) -> list[Candidate]:
    rows = session.execute(
        select(ExecutionRow.number, ExecutionRow.owner_id, ExecutionRow.priority).where(
            ExecutionRow.status.in_([ExecutionStatusName.QUEUED, ExecutionStatusName.RUNNING]),
            or_(ExecutionRow.not_before.is_(None), ExecutionRow.not_before <= now()),
            select(WellRow.well).where(WellRow.execution == ExecutionRow.number, _unclaimed()).exists(),
        )
    )
    return [Candidate(*row) for row in rows]


def _wells_in_work(session: Session) -> dict[int, int]:
    rows = session.execute(
        select(ExecutionRow.owner_id, func.count())
        .join(WellRow, WellRow.execution == ExecutionRow.number)
        .where(WellRow.claimed.is_(True))
        .group_by(ExecutionRow.owner_id)
    )
    return dict(row for row in rows)


def _waiting_wells(session: Session, number: int, slots: int, largest: int) -> list[str]:
    """The next wells of an execution. One that lost its worker goes alone: another loss is then nobody else's."""
    waiting = session.scalar(select(func.count()).where(WellRow.execution == number, _unclaimed())) or 0
    rows = session.execute(
        select(WellRow.well, WellRow.losses)
        .where(WellRow.execution == number, _unclaimed())
        .order_by(WellRow.position)
        .limit(batch_size(waiting, slots, largest))
    ).all()
    if rows[0].losses:
        return [rows[0].well]
    return [row.well for row in itertools.takewhile(lambda row: not row.losses, rows)]
