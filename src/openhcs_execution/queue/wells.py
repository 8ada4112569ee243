# SPDX-License-Identifier: AGPL-3.0-or-later
"""What happens to a well: each function is one transaction that changes the well, its execution's counters and the log.

A worker speaks for one attempt. It is believed only while that attempt is the one that was asked for and nothing has been
committed; whatever comes late or twice changes nothing. The functions return whether they changed anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from openhcs_client import FailureClass, WellFailure, WellState
from openhcs_execution.database import Database, ExecutionInput, ExecutionRow, WellRow

from .claims import fail, release, wait_again
from .events import lock_execution, now, record
from .executions import settle
from .needs import Needs
from .people import add_usage
from .retrying import automatic

__all__ = [
    "MAXIMUM_FALSE_STARTS",
    "MAXIMUM_LOSSES",
    "ComputedWell",
    "Well",
    "commit_well",
    "fail_well",
    "is_expected",
    "lose_worker",
    "many_reports",
    "note_rois_left_out",
    "plan_rois",
    "put_back",
    "save_failed",
    "saved_well",
    "suspects",
    "well_staging",
    "well_step",
]

MAXIMUM_LOSSES = 1 + automatic(FailureClass.WORKER_LOST).retries
"""A well whose process is lost so often is not tried again: it is likely the cause."""
MAXIMUM_FALSE_STARTS = 20
"""Also a well that never began is given up some time, for the case that workers die before they can say anything.

Pauses and times when OMERO does not answer put a well back much more often than that, which is nobody's fault."""
MAXIMUM_SAVE_FAILURES = 3


@dataclass(frozen=True)
class Well:
    """One attempt at one well."""

    number: int
    """Internal number of the execution."""
    name: str
    attempt: int


@dataclass(frozen=True)
class ComputedWell:
    """What is committed of a computed well; tables and label images are in its bundle on disk."""

    seconds: float
    measurements: dict[str, float | None]
    field_rows: int
    object_rows: int
    label_count: int
    versions: dict[str, str] = field(default_factory=dict)
    python: str | None = None
    reused_steps: int = 0
    gpu: bool = False


def _expected(session: Session, well: Well) -> tuple[ExecutionRow, WellRow] | None:
    """The rows of an attempt that may still report, or None."""
    execution = lock_execution(session, well.number)
    row = session.get(WellRow, (well.number, well.name))
    if row is None or not row.claimed or row.attempt != well.attempt or row.committed_at is not None:
        return None
    return execution, row


def is_expected(session: Session, well: Well) -> bool:
    """Whether this attempt may still report."""
    row = session.get(WellRow, (well.number, well.name))
    return row is not None and row.claimed and row.attempt == well.attempt and row.committed_at is None


@contextmanager
def many_reports(database: Database, number: int, names: Iterable[str]) -> Iterator[None]:
    """Take reports of these wells of an execution in one transaction; each well is read once, all of them together."""
    with database.together(), database.write() as session:
        lock_execution(session, number)
        # Held here because a session forgets what nobody holds.
        read = session.scalars(select(WellRow).where(WellRow.execution == number, WellRow.well.in_(set(names)))).all()
        yield
        del read


def well_staging(database: Database, well: Well, worker: str) -> bool:
    """A worker began to fetch the well's images."""
    with database.write() as session:
        rows = _expected(session, well)
        if rows is None:
            return False
        execution, row = rows
        row.state, row.worker, row.started_at, row.ended_at = WellState.STAGING, worker, now(), None
        row.step, row.step_name, row.failure = 0, "", None
        if execution.current_well is None:  # later wells are fetched while others are computed, which says more
            execution.current_well, execution.current_step = row.well, "Reading images"
        changed = {"state": row.state, "attempt": row.attempt, "worker": worker, "started_at": row.started_at.isoformat()}
        record(session, execution, "well_staging", well=row.well, data=changed | {"step": 0, "step_name": ""})
        return True


def well_step(database: Database, well: Well, step: int, step_count: int, step_name: str) -> bool:
    """The engine entered step ``step`` (from 1) of the well."""
    with database.write() as session:
        rows = _expected(session, well)
        if rows is None:
            return False
        execution, row = rows
        row.state, row.step, row.step_count, row.step_name = WellState.RUNNING, step, step_count, step_name[:255]
        execution.current_well, execution.current_step = row.well, row.step_name
        if execution.setbacks:  # its images are there, so OMERO answers again
            execution.setbacks, execution.not_before, execution.message = 0, None, ""
        changed = {"state": row.state, "step": step, "step_count": step_count, "step_name": row.step_name}
        record(session, execution, "well_step", well=row.well, data=changed)
        return True


def commit_well(database: Database, well: Well, computed: ComputedWell) -> bool:
    """Take a computed well over, once. Its bundle must already be complete on disk."""
    with database.write() as session:
        rows = _expected(session, well)
        if rows is None:
            return False
        execution, row = rows
        time = now()
        to_save = computed.label_count > 0 and not execution.test_well
        release(execution, row)
        row.committed_at, row.seconds = time, computed.seconds
        row.measurements, row.label_count = dict(computed.measurements), computed.label_count
        row.field_rows, row.object_rows, row.failure = computed.field_rows, computed.object_rows, None
        row.step, row.step_name = row.step_count, ""
        execution.wells_computed += 1
        execution.seconds_total += computed.seconds
        execution.last_commit_at = time
        add_usage(session, execution.owner_id, computed.seconds, gpu=computed.gpu)
        _remember_software(session, execution.number, computed)
        changed = {"seconds": row.seconds, "measurements": row.measurements, "failure": None}
        if execution.test_well:
            changed["reused_steps"] = computed.reused_steps
        if to_save:
            row.state = WellState.SAVING
            record(session, execution, "well_saving", well=row.well, data=changed | {"state": row.state})
        else:
            _done(session, execution, row, changed)
        settle(session, execution)
        return True


def _remember_software(session: Session, number: int, computed: ComputedWell) -> None:
    """Keep versions and source beside the inputs, whose large texts are not read for it."""
    remembered: dict[int, tuple[dict[str, Any], bool]] = session.info.setdefault("software", {})
    if number not in remembered:
        columns = select(ExecutionInput.versions, ExecutionInput.python.is_not(None))
        row = session.execute(columns.where(ExecutionInput.execution == number)).one()
        remembered[number] = (row[0], row[1])
    versions, has_python = remembered[number]
    changed: dict[str, Any] = {}
    if computed.versions and computed.versions != versions:
        changed["versions"] = versions = dict(computed.versions)
    if computed.python is not None and not has_python:
        changed["python"], has_python = computed.python, True
    if changed:
        session.execute(update(ExecutionInput).where(ExecutionInput.execution == number).values(**changed))
        remembered[number] = (versions, has_python)


def _done(session: Session, execution: ExecutionRow, row: WellRow, changed: dict[str, Any]) -> None:
    row.state, row.ended_at = WellState.DONE, now()
    execution.wells_completed += 1
    changed = changed | {"state": row.state, "ended_at": row.ended_at.isoformat()}
    record(session, execution, "well_done", well=row.well, data=changed)


def fail_well(
    database: Database,
    well: Well,
    failure: WellFailure,
    seconds: float | None = None,
    *,
    final: bool = False,
    gpu: bool = False,
) -> bool:
    """The well could not be computed; the others go on.

    It is tried again by itself as often as its class of failure calls for (:mod:`.retrying`), and fails after that, or at
    once when this is ``final``.
    """
    with database.write() as session:
        rows = _expected(session, well)
        if rows is None:
            return False
        execution, row = rows
        row.seconds = seconds
        if seconds:
            add_usage(session, execution.owner_id, seconds, gpu=gpu)
        behaviour = automatic(failure.cause)
        # Somebody looks at a test well, and decides faster than a second try would end.
        if row.retried < behaviour.retries and not (final or execution.test_well):
            row.retried += 1
            row.alone = row.alone or behaviour.alone
            wait_again(session, execution, row)
        else:
            fail(session, execution, row, failure)
            settle(session, execution)
        return True


def put_back(database: Database, well: Well) -> bool:
    """The attempt ended without an outcome and without blame: the well waits for its next attempt."""
    with database.write() as session:
        rows = _expected(session, well)
        if rows is None:
            return False
        wait_again(session, *rows)
        return True


def suspects(database: Database, wells: Sequence[Well]) -> list[Well]:
    """Which of the wells of a process that died may have been the cause: the one that was computed, otherwise those fetched.

    A worker fetches the images of the next well while it computes one.
    """
    with database.read() as session:
        rows = {well: session.get_one(WellRow, (well.number, well.name)) for well in wells}
    # A later attempt is another process's.
    states = {well: row.state for well, row in rows.items() if row.attempt == well.attempt}
    running = [well for well, state in states.items() if state == WellState.RUNNING]
    return running or [well for well, state in states.items() if state == WellState.STAGING]


def lose_worker(database: Database, well: Well, failure: WellFailure | None = None, *, suspect: bool = True) -> bool:
    """The process that worked on the well died. A well that is a ``suspect`` and had begun is blamed; the third time it fails
    for good.

    ``failure`` is what to say then. Until then it is computed alone: another loss is then nobody else's, and if it was for
    want of memory there is more of it.
    """
    with database.write() as session:
        rows = _expected(session, well)
        if rows is None:
            return False
        execution, row = rows
        if row.state == WellState.WAITING:
            row.false_starts += 1
        else:
            if suspect:
                row.losses += 1
                row.alone = True
            if row.started_at is not None:
                # Which worker it was is not told any more; a run that asked for a GPU had one.
                gpu = Needs.read(execution.needs, None).gpu
                add_usage(session, execution.owner_id, (now() - row.started_at).total_seconds(), gpu=gpu)
        if row.losses < MAXIMUM_LOSSES and row.false_starts < MAXIMUM_FALSE_STARTS:
            wait_again(session, execution, row)
            return True
        fail(session, execution, row, failure or _lost(row))
        settle(session, execution)
        return True


def _lost(row: WellRow) -> WellFailure:
    computed = f"The process that computed this well ended unexpectedly, {row.losses} times."
    never_began = f"{row.false_starts} times the process that was to compute this well ended before it began."
    return WellFailure(
        cause=FailureClass.WORKER_LOST,
        message=computed if row.losses else never_began,
        remedy="This is often lack of memory: run fewer workers, or ask your administrator for more. Then retry the well.",
    )


def saved_well(database: Database, number: int, name: str, label_images: dict[str, int]) -> bool:
    """The well's label images are in OMERO; ``label_images`` are their ids by ``<field>/<name>``."""
    with database.write() as session:
        execution = lock_execution(session, number)
        row = session.get_one(WellRow, (number, name))
        row.label_images = dict(label_images)
        if row.state != WellState.SAVING:
            return False
        row.save_failures = 0
        _done(session, execution, row, {})
        settle(session, execution)
        return True


def plan_rois(database: Database, number: int, name: str, wanted: int, per_run: int) -> int:
    """How many of the ``wanted`` ROIs of a well may be saved so that the execution keeps to its cap; decided once.

    ``wanted`` counts those that the cap per field allows. What is decided stays, however often the well is saved again.
    """
    with database.write() as session:
        lock_execution(session, number)
        row = session.get_one(WellRow, (number, name))
        if row.rois is None:
            others = select(func.coalesce(func.sum(WellRow.rois), 0)).where(WellRow.execution == number)
            row.rois = max(0, min(wanted, per_run - (session.scalar(others) or 0)))
        return min(row.rois, wanted)


def note_rois_left_out(database: Database, number: int, name: str, left_out: int) -> None:
    """Remember how many objects of a well got no ROI."""
    with database.write() as session:
        session.get_one(WellRow, (number, name)).rois_left_out = left_out


def save_failed(database: Database, number: int, name: str, failure: WellFailure) -> bool:
    """The well's label images could not be written. After three tries the well fails; its measurements are kept."""
    with database.write() as session:
        execution = lock_execution(session, number)
        row = session.get_one(WellRow, (number, name))
        if row.state != WellState.SAVING:
            return False
        row.save_failures += 1
        if row.save_failures >= MAXIMUM_SAVE_FAILURES:
            fail(session, execution, row, failure)
            settle(session, execution)
        return True
