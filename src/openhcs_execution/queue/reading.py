# SPDX-License-Identifier: AGPL-3.0-or-later
"""The queue as clients see it: rows turned into the shared vocabulary, and nothing changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from openhcs_client import (
    Claims,
    Event,
    EventPage,
    Execution,
    ExecutionDetail,
    ExecutionPage,
    ExecutionStatus,
    ExecutionStatusName,
    OpenHCSError,
    ResultLinks,
    SavingOptions,
    WellExecution,
    WellFailure,
    WellState,
)
from openhcs_execution.database import EventRow, ExecutionInput, ExecutionRow, WellRow

from .deletions import read_deletion
from .standing import NOT_WAITING, QueueBoard, Standing

__all__ = [
    "Reader",
    "count_by_status",
    "execution_of",
    "find_execution",
    "read_detail",
    "read_events",
    "read_page",
    "read_status",
    "read_well",
    "read_wells",
    "reader_of",
]


@dataclass(frozen=True)
class Reader:
    """Who reads: sees own executions, those in groups where members' data may be read, or everything."""

    user_id: int
    reads_everything: bool
    readable_groups: frozenset[int]

    def sees(self, execution: ExecutionRow) -> bool:
        return self.reads_everything or execution.owner_id == self.user_id or execution.group_id in self.readable_groups

    def condition(self) -> ColumnElement[bool] | None:
        """The same as :meth:`sees`, for a query; None when there is nothing to hide."""
        if self.reads_everything:
            return None
        return or_(ExecutionRow.owner_id == self.user_id, ExecutionRow.group_id.in_(self.readable_groups))


def reader_of(claims: Claims) -> Reader:
    """What these claims let a user see."""
    return Reader(
        user_id=claims.user_id,
        reads_everything=claims.admin,
        readable_groups=frozenset(group.id for group in claims.groups if group.reads_all),
    )


class Times(Protocol):
    """When an execution may be done: see :class:`openhcs_execution.forecast.board.Forecast`."""

    @property
    def completion(self) -> datetime: ...

    @property
    def earliest(self) -> datetime: ...

    @property
    def latest(self) -> datetime: ...


def find_execution(session: Session, execution_id: str, reader: Reader) -> ExecutionRow:
    """Return an execution that ``reader`` may see.

    Raises:
        OpenHCSError: ``execution_not_found``, status 404, the same for one that does not exist and one that is hidden.
    """
    row = execution_of(session, execution_id)
    if row is None or not reader.sees(row):
        raise OpenHCSError("execution_not_found", "This execution does not exist, or you may not see it.", status=404)
    return row


def execution_of(session: Session, execution_id: str) -> ExecutionRow | None:
    """The execution, for somebody who was let in already."""
    return session.scalars(select(ExecutionRow).where(ExecutionRow.execution_id == execution_id)).one_or_none()


def read_status(row: ExecutionRow, standing: Standing = NOT_WAITING, forecast: Times | None = None) -> ExecutionStatus:
    """The short answer, from the execution's own row, where it stands in the queue and when it may be done."""
    return ExecutionStatus(
        **_standing(row, standing),
        execution_id=row.execution_id,
        status=ExecutionStatusName(row.status),
        message=row.message,
        wells_total=row.wells_total,
        wells_completed=row.wells_completed,
        wells_failed=row.wells_failed,
        current_well=row.current_well,
        current_step=row.current_step,
        started_at=row.started_at,
        estimated_completion=forecast.completion if forecast else None,
        earliest_completion=forecast.earliest if forecast else None,
        latest_completion=forecast.latest if forecast else None,
        last_event=row.last_event,
    )


def _standing(row: ExecutionRow, standing: Standing) -> dict[str, Any]:
    return {
        "paused": row.paused,
        "waiting_code": standing.code,
        "waiting_reason": standing.reason,
        "queue_position": standing.position,
    }


def _line(row: ExecutionRow, standing: Standing = NOT_WAITING) -> dict[str, object]:
    return {
        **_standing(row, standing),
        "execution_id": row.execution_id,
        "plate_id": row.plate_id,
        "plate_name": row.plate_name,
        "group_id": row.group_id,
        "owner_id": row.owner_id,
        "owner_name": row.owner_name,
        "pipeline_id": row.pipeline_id,
        "pipeline_name": row.pipeline_name,
        "pipeline_version": row.pipeline_version,
        "pipeline_hash": row.pipeline_hash,
        "status": row.status,
        "message": row.message,
        "test_well": row.test_well,
        "wells_total": row.wells_total,
        "wells_completed": row.wells_completed,
        "wells_failed": row.wells_failed,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "results": ResultLinks.model_validate(row.results),
        "results_removed_at": row.results_removed_at,
    }


def read_well(row: WellRow) -> WellExecution:
    """One well of an execution."""
    return WellExecution(
        well=row.well,
        row=row.row,
        column=row.column,
        well_id=row.well_id,
        state=WellState(row.state),
        attempt=row.attempt,
        step=row.step,
        step_count=row.step_count,
        step_name=row.step_name,
        seconds=row.seconds,
        worker=row.worker,
        started_at=row.started_at,
        ended_at=row.ended_at,
        failure=None if row.failure is None else WellFailure.model_validate(row.failure),
        measurements=row.measurements,
    )


def read_wells(session: Session, number: int) -> list[WellRow]:
    """The wells of an execution in plate order."""
    return list(session.scalars(select(WellRow).where(WellRow.execution == number).order_by(WellRow.row, WellRow.column)))


def read_detail(session: Session, row: ExecutionRow, standing: Standing = NOT_WAITING) -> ExecutionDetail:
    """The execution with all of its wells, its document and its changed parameters."""
    inputs = session.get_one(ExecutionInput, row.number)
    return ExecutionDetail.model_validate(
        {
            **_line(row, standing),
            "document": json.loads(inputs.document),
            "parameters": inputs.parameters,
            "saving": SavingOptions.model_validate(inputs.saving),
            "deletion": read_deletion(session, row.number),
            "rows": row.rows,
            "columns": row.columns,
            "controls_first": inputs.controls_first is not None,
            "futility": (row.futility or {}).get("verdict"),
            "wells": [read_well(well) for well in read_wells(session, row.number)],
            "last_event": row.last_event,
        }
    )


def read_page(
    session: Session,
    reader: Reader,
    *,
    plate: int | None = None,
    status: ExecutionStatusName | None = None,
    owner: int | None = None,
    before: int | None = None,
    limit: int = 50,
    board: QueueBoard | None = None,
) -> ExecutionPage:
    """Executions, newest first, older than the one whose internal number is ``before``."""
    conditions = [reader.condition()]
    if plate is not None:
        conditions.append(ExecutionRow.plate_id == plate)
    if status is not None:
        conditions.append(ExecutionRow.status == status)
    if owner is not None:
        conditions.append(ExecutionRow.owner_id == owner)
    if before is not None:
        conditions.append(ExecutionRow.number < before)
    statement = (
        select(ExecutionRow)
        .where(*(condition for condition in conditions if condition is not None))
        .order_by(ExecutionRow.number.desc())
        .limit(limit + 1)
    )
    rows = list(session.scalars(statement))
    shown = rows[:limit]
    return ExecutionPage(
        executions=[Execution.model_validate(_line(row, board.of(row) if board else NOT_WAITING)) for row in shown],
        next_cursor=str(shown[-1].number) if len(rows) > limit else None,
    )


def read_events(session: Session, row: ExecutionRow, since: int, limit: int) -> EventPage:
    """Events after sequence number ``since``, oldest first."""
    statement = (
        select(EventRow)
        .where(EventRow.execution == row.number, EventRow.sequence > since)
        .order_by(EventRow.sequence)
        .limit(limit)
    )
    events = [
        Event.model_validate(
            {"sequence": event.sequence, "time": event.time, "kind": event.kind, "well": event.well, "data": event.data}
        )
        for event in session.scalars(statement)
    ]
    return EventPage(events=events, next=events[-1].sequence if events else since, status=ExecutionStatusName(row.status))


def count_by_status(session: Session) -> dict[str, int]:
    """How many executions are in each status."""
    rows = session.execute(select(ExecutionRow.status, func.count()).group_by(ExecutionRow.status))
    return dict(row for row in rows)
