# SPDX-License-Identifier: AGPL-3.0-or-later
"""What happens to an execution as a whole. Like the transitions of wells, each function is one transaction.

::

    queued -> running -> saving -> completed | completed_with_errors | failed
      |          |          |
      +----------+----------+----> cancelled, or waiting_for_sign_in and back

A pause is no status of its own: the execution keeps its status, and no well of it is given out until it is resumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from openhcs_client import ExecutionStatusName, FailureClass, OpenHCSError, RetryWhich, WellFailure, WellState
from openhcs_execution.database import Database, ExecutionInput, ExecutionRow, JobSession, WellRow

from .audit import Actor, note
from .claims import fail, release, wait_again
from .deletions import refuse_when_deleted
from .events import lock_execution, now, record

__all__ = [
    "RESULTS_REMOVED_MESSAGE",
    "cancel",
    "drop_session",
    "finish",
    "keep_python",
    "keep_results",
    "lose_session",
    "omero_unanswered",
    "pause",
    "renew_session",
    "resume",
    "retry",
    "settle",
]

OUTSTANDING = (WellState.WAITING, WellState.STAGING, WellState.RUNNING)
LONGEST_PAUSE = 20.0
"""Seconds between two tries while OMERO does not answer."""
MAXIMUM_SETBACKS = 3 * 24 * 60
"""Tries in a row that OMERO does not answer, which is about a day: then the wells fail, and nobody waits without an end."""

SIGN_IN_MESSAGE = "The OMERO session of this execution has ended. Sign in to OMERO again and it goes on."
RESULTS_REMOVED_MESSAGE = (
    "The results of this execution were removed from the execution service because they were old. "
    "What was saved in OMERO is still there. To compute them again, start a new run."
)
OMERO_MESSAGE = "OMERO does not answer. This execution goes on by itself when it does."


_OMERO_GONE = WellFailure(
    cause=FailureClass.OMERO_LOST,
    message="OMERO has not answered for about a day, so this well was given up.",
    remedy="Run the failed wells again when OMERO answers.",
)


def _count(session: Session, number: int, *states: WellState) -> int:
    return session.scalar(select(func.count()).where(WellRow.execution == number, WellRow.state.in_(states))) or 0


def settle(session: Session, execution: ExecutionRow) -> None:
    """Move a locked execution on when none of its wells is left to compute; called after every change of a well."""
    if execution.status not in (ExecutionStatusName.QUEUED, ExecutionStatusName.RUNNING):
        return
    if execution.wells_waiting or execution.wells_claimed:
        return
    session.flush()
    if execution.wells_computed and not execution.test_well:
        execution.status, execution.current_step = ExecutionStatusName.SAVING, "Saving results"
        _unpause(execution)
        record(session, execution, "saving", data={"status": execution.status})
    else:
        _finish(session, execution)


def _finish(session: Session, execution: ExecutionRow, message: str = "", *, troubled: bool = False) -> None:
    if execution.wells_completed == 0 and execution.wells_computed == 0:
        status = ExecutionStatusName.FAILED
    elif execution.wells_failed or troubled:
        status = ExecutionStatusName.COMPLETED_WITH_ERRORS
    else:
        status = ExecutionStatusName.COMPLETED
    _end(session, execution, status, message)


def _end(session: Session, execution: ExecutionRow, status: ExecutionStatusName, message: str) -> None:
    execution.status, execution.message, execution.ended_at = status, message, now()
    execution.current_well = execution.current_step = execution.not_before = None
    execution.setbacks = 0
    execution.end_told = execution.test_well  # whoever tests a well is looking at it
    _unpause(execution)
    data: dict[str, Any] = {
        "status": status,
        "message": message,
        "ended_at": execution.ended_at.isoformat(),
        "wells_completed": execution.wells_completed,
        "wells_failed": execution.wells_failed,
        "results": execution.results,
    }
    record(session, execution, "finished", data=data)


def _unpause(execution: ExecutionRow) -> None:
    execution.paused, execution.paused_by = False, ""


def finish(database: Database, number: int, message: str = "", *, troubled: bool = False) -> bool:
    """End an execution whose results are saved; False when it still has wells to compute or to save, or is not saving.

    ``troubled`` says that not everything could be written to OMERO, and ``message`` what and why.
    """
    with database.write() as session:
        execution = lock_execution(session, number)
        if execution.status != ExecutionStatusName.SAVING:
            return False
        if _count(session, number, *OUTSTANDING, WellState.SAVING):
            return False
        _finish(session, execution, message, troubled=troubled)
        return True


def cancel(database: Database, number: int, by: Actor | None = None) -> bool:
    """Cancel an execution: committed wells are kept, the others are skipped. False when it was cancelled before.

    Raises:
        OpenHCSError: ``already_finished``, status 409.
    """
    with database.write() as session:
        execution = lock_execution(session, number)
        if execution.status == ExecutionStatusName.CANCELLED:
            return False
        if ExecutionStatusName(execution.status).is_final:
            raise OpenHCSError(
                "already_finished", "This execution has already finished; there is nothing to cancel.", status=409
            )
        record(session, execution, "cancel_requested")
        note(session, by, "cancel", execution.execution_id)
        for row in _wells(session, number, *OUTSTANDING):
            if row.claimed:
                release(execution, row)
            row.state, row.step, row.step_name = WellState.SKIPPED, 0, ""
            execution.wells_skipped += 1
            record(session, execution, "well_skipped", well=row.well, data={"state": row.state, "step": 0, "step_name": ""})
        execution.wells_waiting = 0
        for row in _wells(session, number, WellState.SAVING):
            # Its measurements are committed; only its label images stay out of OMERO.
            row.state, row.ended_at = WellState.DONE, now()
            execution.wells_completed += 1
            record(session, execution, "well_done", well=row.well, data={"state": row.state})
        _end(session, execution, ExecutionStatusName.CANCELLED, "Cancelled. Wells that were done before are kept.")
        return True


def pause(database: Database, number: int, by: Actor) -> bool:
    """Give out no further well: those that a worker has begun are finished, the others wait. False when it was paused before.

    Raises:
        OpenHCSError: ``already_finished`` or ``nothing_to_pause``, status 409.
    """
    with database.write() as session:
        execution = lock_execution(session, number)
        _require_open(execution, "This execution has already finished; there is nothing to pause.")
        if execution.status == ExecutionStatusName.SAVING:
            raise OpenHCSError(
                "nothing_to_pause", "All wells are computed; their results are being saved to OMERO now.", status=409
            )
        if execution.paused:
            return False
        execution.paused, execution.paused_by = True, by.name[:255]
        put_back_unbegun(session, execution)
        record(session, execution, "paused", data={"paused": True})
        note(session, by, "pause", execution.execution_id)
        return True


def put_back_unbegun(session: Session, execution: ExecutionRow) -> None:
    """Take back the wells of a locked execution that were given out but that no worker has begun."""
    statement = select(WellRow).where(
        WellRow.execution == execution.number, WellRow.claimed.is_(True), WellRow.state == WellState.WAITING
    )
    for row in session.scalars(statement):
        wait_again(session, execution, row)


def resume(database: Database, number: int, by: Actor) -> bool:
    """Let a paused execution go on. False when it was not paused.

    Raises:
        OpenHCSError: ``already_finished``, status 409.
    """
    with database.write() as session:
        execution = lock_execution(session, number)
        _require_open(execution, "This execution has already finished; there is nothing to resume.")
        if not execution.paused:
            return False
        _unpause(execution)
        record(session, execution, "resumed", data={"paused": False})
        note(session, by, "resume", execution.execution_id)
        return True


def _require_open(execution: ExecutionRow, otherwise: str) -> None:
    if ExecutionStatusName(execution.status).is_final:
        raise OpenHCSError("already_finished", otherwise, status=409)


_RETRIED_STATES: dict[RetryWhich, tuple[WellState, ...]] = {
    "unfinished": (WellState.FAILED, WellState.SKIPPED),
    "failed": (WellState.FAILED,),
    "skipped": (WellState.SKIPPED,),
}


def retry(
    database: Database,
    number: int,
    sealed_session: str | None = None,
    *,
    which: RetryWhich = "unfinished",
    by: Actor | None = None,
) -> int:
    """Queue the failed and skipped wells again (or only ``which``) and return how many.

    A well that was computed is only saved again. When no well failed but the results could not all be saved, they are saved
    again.

    Without an open session and without ``sealed_session`` the execution waits for sign-in.

    Raises:
        OpenHCSError: ``nothing_to_retry``, status 409.
    """
    with database.write() as session:
        execution = lock_execution(session, number)
        if execution.results_removed_at is not None:
            raise OpenHCSError("results_removed", RESULTS_REMOVED_MESSAGE, status=409)
        refuse_when_deleted(session, number)
        wells = _wells(session, number, *_RETRIED_STATES[which])
        unsaved = execution.status == ExecutionStatusName.COMPLETED_WITH_ERRORS and execution.wells_failed == 0
        if not wells and not unsaved:
            raise OpenHCSError("nothing_to_retry", _NOTHING[which], status=409)
        for row in wells:
            _retry_well(session, execution, row)
        if sealed_session is not None:
            _put_session(session, number, sealed_session)
        _resume(session, execution)
        note(session, by, "retry", execution.execution_id, wells=len(wells), which=which)
        return len(wells)


_NOTHING: dict[RetryWhich, str] = {
    "unfinished": "No well of this execution failed or was skipped.",
    "failed": "No well of this execution failed.",
    "skipped": "No well of this execution was skipped.",
}


def _retry_well(session: Session, execution: ExecutionRow, row: WellRow) -> None:
    if row.state == WellState.FAILED:
        execution.wells_failed -= 1
    else:
        execution.wells_skipped -= 1
    if row.committed_at is not None:
        row.state = WellState.SAVING
    else:
        row.state = WellState.WAITING
        execution.wells_waiting += 1
    row.losses = row.false_starts = row.save_failures = row.retried = row.step = 0
    row.failure = row.ended_at = None
    changed = {"state": row.state, "attempt": row.attempt, "failure": None, "step": 0, "ended_at": None}
    record(session, execution, "well_retried", well=row.well, data=changed)


def _put_session(session: Session, number: int, sealed: str) -> None:
    row = session.get(JobSession, number)
    if row is None:
        session.add(JobSession(execution=number, sealed_key=sealed, lost=False, opened_at=now()))
    else:
        row.sealed_key, row.lost, row.opened_at = sealed, False, now()
    session.flush()


def _resume(session: Session, execution: ExecutionRow) -> None:
    """Give a locked execution the status that its wells and its session call for, and tell so."""
    session.flush()
    job_session = session.get(JobSession, execution.number)
    execution.ended_at = execution.not_before = None
    execution.setbacks = 0
    if job_session is None or job_session.lost:
        _wait_for_sign_in(session, execution)
        return
    execution.message = ""
    if _count(session, execution.number, *OUTSTANDING):
        execution.status = ExecutionStatusName.RUNNING if execution.started_at else ExecutionStatusName.QUEUED
        kind = "started" if execution.started_at else "queued"
    else:
        execution.status, kind = ExecutionStatusName.SAVING, "saving"
    record(session, execution, kind, data={"status": execution.status, "message": "", "ended_at": None})


def _wait_for_sign_in(session: Session, execution: ExecutionRow) -> None:
    execution.status, execution.message = ExecutionStatusName.WAITING_FOR_SIGN_IN, SIGN_IN_MESSAGE
    # OMERO did answer, if only to refuse: no pause is left whose end would take the message away.
    execution.setbacks, execution.not_before = 0, None
    record(
        session,
        execution,
        "waiting_for_sign_in",
        data={"status": execution.status, "message": execution.message, "ended_at": None},
    )


def lose_session(database: Database, number: int, sealed_key: str) -> bool:
    """OMERO does not know the session any more. ``sealed_key`` is the one that was tried: a newer one is not blamed."""
    with database.write() as session:
        execution = lock_execution(session, number)
        row = session.get(JobSession, number)
        if row is None or row.lost or row.sealed_key != sealed_key or ExecutionStatusName(execution.status).is_final:
            return False
        row.lost = True
        session.flush()
        _wait_for_sign_in(session, execution)
        return True


def renew_session(database: Database, number: int, sealed_key: str) -> str | None:
    """Give an open execution a new OMERO session; returns the sealed key of the one it replaces, if it had one.

    Raises:
        OpenHCSError: ``already_finished``, status 409.
    """
    with database.write() as session:
        execution = lock_execution(session, number)
        if ExecutionStatusName(execution.status).is_final:
            raise OpenHCSError("already_finished", "This execution has finished and needs no OMERO session.", status=409)
        old = session.get(JobSession, number)
        replaced = None if old is None else old.sealed_key
        _put_session(session, number, sealed_key)
        record(session, execution, "signed_in")
        if execution.status == ExecutionStatusName.WAITING_FOR_SIGN_IN:
            _resume(session, execution)
        return replaced


def omero_unanswered(database: Database, number: int) -> None:
    """OMERO did not answer for this execution: leave it alone for a while, longer each time in a row, up to 20 seconds."""
    with database.write() as session:
        execution = lock_execution(session, number)
        status = ExecutionStatusName(execution.status)
        if status.is_final or status == ExecutionStatusName.WAITING_FOR_SIGN_IN:
            return
        # Several wells in work may notice the same silence; it counts once.
        if execution.not_before is not None and execution.not_before > now():
            return
        execution.setbacks += 1
        if execution.setbacks >= MAXIMUM_SETBACKS and status != ExecutionStatusName.SAVING:
            for row in _wells(session, number, *OUTSTANDING):
                fail(session, execution, row, _OMERO_GONE)
            settle(session, execution)
            return
        pause = min(LONGEST_PAUSE, 2.0 ** min(execution.setbacks, 10))
        execution.not_before = now() + timedelta(seconds=pause)
        execution.message = OMERO_MESSAGE


def keep_results(database: Database, number: int, results: Mapping[str, int]) -> None:
    """Remember OMERO ids of what was saved, beside those known already."""
    with database.write() as session:
        execution = lock_execution(session, number)
        execution.results = {**execution.results, **results}


def keep_python(database: Database, number: int, python: str) -> None:
    """Remember the document's OpenHCS source."""
    with database.write() as session:
        session.get_one(ExecutionInput, number).python = python


def drop_session(database: Database, number: int, sealed_key: str) -> None:
    """Forget a session that was closed, unless the execution has a newer one by now."""
    with database.write() as session:
        row = session.get(JobSession, number)
        if row is not None and row.sealed_key == sealed_key:
            session.delete(row)


def _wells(session: Session, number: int, *states: WellState) -> list[WellRow]:
    statement = select(WellRow).where(WellRow.execution == number, WellRow.state.in_(states)).order_by(WellRow.position)
    return list(session.scalars(statement))
