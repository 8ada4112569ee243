# SPDX-License-Identifier: AGPL-3.0-or-later
"""Deletions of what executions saved in OMERO: asked for, in work, ended. Each function is one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from openhcs_client import DeletionState, ExecutionStatusName, OpenHCSError, ResultsDeletion
from openhcs_execution.database import Database, ExecutionRow, ResultsDeletionRow, WellRow

from .audit import Actor, note
from .events import lock_execution, now, record

__all__ = ["Deletion", "begin", "end", "open_deletions", "progress", "read_deletion", "refuse_when_deleted"]


@dataclass(frozen=True)
class Deletion:
    """A deletion in work: what of, with which session."""

    number: int
    execution_id: str
    plate_id: int
    group_id: int
    owner_id: int
    dataset_id: int | None
    sealed_key: str


def read_deletion(session: Session, number: int) -> ResultsDeletion | None:
    """What is known of the deletion of an execution's results; None when nobody asked for it."""
    row = session.get(ResultsDeletionRow, number)
    if row is None:
        return None
    return ResultsDeletion(
        state=DeletionState(row.state),
        by_name=row.by_name,
        requested_at=row.requested_at,
        ended_at=row.ended_at,
        total=row.total,
        done=row.done,
        message=row.message,
    )


def refuse_when_deleted(session: Session, number: int) -> None:
    """Refuse to save more for an execution whose results are being deleted or are gone.

    Raises:
        OpenHCSError: ``results_deleted``, status 409.
    """
    row = session.get(ResultsDeletionRow, number)
    if row is not None and row.state != DeletionState.FAILED:
        raise OpenHCSError(
            "results_deleted",
            "The results of this execution were deleted from OMERO. Run the same again as a new execution instead.",
            status=409,
        )


def begin(database: Database, number: int, by: Actor, sealed_key: str, total: int) -> None:
    """Ask for the deletion; a loop of the service does it.

    Raises:
        OpenHCSError: ``not_finished`` or ``results_deleted``, status 409.
    """
    with database.write() as session:
        execution = lock_execution(session, number)
        if not ExecutionStatusName(execution.status).is_final:
            raise OpenHCSError(
                "not_finished", "This execution has not ended. Cancel it first, then delete its results.", status=409
            )
        refuse_when_deleted(session, number)
        row = session.get(ResultsDeletionRow, number)
        if row is None:
            row = ResultsDeletionRow(execution=number)
            session.add(row)
        row.state, row.by_id, row.by_name, row.sealed_key = DeletionState.DELETING, by.user_id, by.name[:255], sealed_key
        row.requested_at, row.ended_at, row.total, row.done, row.message = now(), None, total, 0, ""
        note(session, by, "delete_results", execution.execution_id, objects=total)
        _tell(session, execution)


def _tell(session: Session, execution: ExecutionRow) -> None:
    session.flush()
    deletion = read_deletion(session, execution.number)
    assert deletion is not None
    record(
        session,
        execution,
        "results_deletion",
        data={"deletion": deletion.model_dump(mode="json"), "results": execution.results},
    )


def open_deletions(database: Database) -> list[Deletion]:
    """What is to be deleted, oldest request first."""
    statement = (
        select(ExecutionRow, ResultsDeletionRow.sealed_key)
        .join(ResultsDeletionRow, ResultsDeletionRow.execution == ExecutionRow.number)
        .where(ResultsDeletionRow.state == DeletionState.DELETING, ResultsDeletionRow.sealed_key.is_not(None))
        .order_by(ResultsDeletionRow.requested_at)
    )
    with database.read() as session:
        return [
            Deletion(row.number, row.execution_id, row.plate_id, row.group_id, row.owner_id, row.results.get("dataset_id"), key)
            for row, key in session.execute(statement)
            if key is not None
        ]


def progress(database: Database, number: int, done: int, total: int) -> None:
    """So many of the objects are gone."""
    with database.write() as session:
        execution = lock_execution(session, number)
        row = session.get_one(ResultsDeletionRow, number)
        row.done, row.total = done, total
        _tell(session, execution)


def end(database: Database, number: int, problem: str = "") -> None:
    """Nothing is left, or it could not go on for the reason ``problem``; then it can be asked for again."""
    with database.write() as session:
        execution = lock_execution(session, number)
        row = session.get_one(ResultsDeletionRow, number)
        row.state = DeletionState.FAILED if problem else DeletionState.DELETED
        row.ended_at, row.message, row.sealed_key = now(), problem, None
        if not problem:
            row.done = row.total
            execution.results = {}
            session.execute(update(WellRow).where(WellRow.execution == number).values(label_images={}))
        _tell(session, execution)
