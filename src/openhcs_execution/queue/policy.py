# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which wells are computed next: :mod:`.order` applied to the database.

The decision and its record are one transaction, and only a few wells beyond the free slots are claimed at any time, so a new
user, a test well or a cancellation never waits behind a long list that was handed out before. A decision reads the few
executions of each user that could be in work, not the whole queue.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Update, and_, bindparam, func, literal_column, or_, select, update
from sqlalchemy.orm import Session

from openhcs_client import ExecutionStatusName, QueueLimits, WellState
from openhcs_execution.database import Database, ExecutionRow, QueuePerson, UsageRow, WellRow, one_at_a_time

from .events import lock_execution, lock_executions, now, record
from .limits import Rules, read_rules
from .needs import Needs, WorkerKind, some_fit
from .order import Candidate, Person, choose, hold, rank
from .people import note_served, today

__all__ = ["ClaimedWells", "batch_size", "claim_batches", "claim_wells", "may_be_waiting", "people_in_work", "unfinished_wells"]

_DEFAULTS = QueueLimits()

_TASK_SECONDS = 10.0
"""How long the wells that are handed out together should take."""

_UNMEASURED = 4
"""Wells handed out together before the first of their execution are done."""


@dataclass(frozen=True)
class ClaimedWells:
    """Wells handed out together, with the attempt that each of them is now at."""

    number: int
    execution_id: str
    priority: int
    attempts: Mapping[str, int]


def batch_size(waiting: int, slots: int, largest: int, seconds: float | None = None) -> int:
    """How many of ``waiting`` wells to hand out together.

    As many as take some ten seconds when a well takes ``seconds``, so that what is handed out is worth the way and a test well
    need not wait long; a few while nobody knows. Fewer towards the end, so that all slots end at the same time.
    """
    if seconds is None:
        largest = min(largest, _UNMEASURED)
    elif seconds > 0:
        largest = min(largest, max(1, math.floor(_TASK_SECONDS / seconds)))
    return max(1, min(largest, math.ceil(waiting / (2 * slots))))


def claim_wells(database: Database, *, slots: int, largest: int, defaults: QueueLimits = _DEFAULTS) -> ClaimedWells | None:
    """Claim the next few wells of the execution whose turn it is; None when nothing may go."""
    claimed = claim_batches(database, places=1, slots=slots, largest=largest, defaults=defaults)
    return claimed[0] if claimed else None


def claim_batches(
    database: Database,
    *,
    places: int,
    slots: int,
    largest: int,
    defaults: QueueLimits = _DEFAULTS,
    workers: Collection[WorkerKind] | None = None,
) -> list[ClaimedWells]:
    """Claim wells for ``places`` free places at once, each as if it were asked for alone; fewer when fewer may go.

    ``workers`` are those that are there, by kind; None when it is not known, and then everything may go.
    """
    with database.read() as session:
        if session.execute(select(ExecutionRow.number).where(*_claimable()).limit(1)).first() is None:
            return []  # most looks find nothing, and need not take the write lock for it
    # What is claimed is written at the end, all of it together.
    with database.write() as session, session.no_autoflush:
        one_at_a_time(session)
        rules = read_rules(session, defaults)
        if rules.draining:
            return []
        time = now()
        board = _Board(session, rules, time, workers)
        lock_executions(session, board.likely(places))
        claimed: list[ClaimedWells] = []
        while len(claimed) < places and (candidate := board.next()) is not None:
            taken = _take(session, candidate.number, slots, largest)
            board.served(candidate, len(taken.attempts) if taken else 0)
            if taken is not None:
                claimed.append(taken)
        if claimed:
            note_served(session, board.owners_served, time)
        return claimed


class _Board:
    """The candidates of one transaction, and what becomes of them as wells are given out."""

    def __init__(self, session: Session, rules: Rules, time: datetime, workers: Collection[WorkerKind] | None) -> None:
        self._limits, self._time, self._workers = rules.limits, time, workers
        self._people = people_in_work(session)
        self._candidates = _candidates(session, rules.most_at_once, self._people, _that_fit(session, workers))
        self._left = {candidate.number: waiting for candidate, waiting in self._candidates}
        self._by_owner: dict[int, list[Candidate]] = {}
        for candidate, _waiting in self._candidates:
            self._by_owner.setdefault(candidate.owner_id, []).append(candidate)
        self._first: dict[int, Candidate] = {}
        for owner in self._by_owner:
            self._judge(owner)
        self.owners_served: set[int] = set()

    def _judge(self, owner: int) -> None:
        """Which of an owner's executions that may go is the first; nothing of others changes it."""
        held = hold(self._by_owner[owner], self._people, self._limits, self._time, self._workers)
        first = self._choose(each for each in self._by_owner[owner] if held[each.number] is None)
        if first is None:
            self._first.pop(owner, None)
        else:
            self._first[owner] = first

    def _choose(self, candidates: Iterable[Candidate]) -> Candidate | None:
        return choose(candidates, self._people, self._limits, self._time)

    def likely(self, places: int) -> list[int]:
        """Numbers of executions that will probably give wells to so many places."""
        firsts = sorted(
            self._first.values(), key=lambda each: rank(each, self._people[each.owner_id], self._limits, self._time)
        )
        return [each.number for each in firsts[:places]]

    def next(self) -> Candidate | None:
        return self._choose(self._first.values())

    def served(self, candidate: Candidate, wells: int) -> None:
        """``wells`` of the candidate were given out; with none it has nothing to give just now."""
        owner = candidate.owner_id
        if wells:
            person = self._people[owner]
            if candidate.in_work == 0:
                person.executions_in_work[candidate.test_well] += 1
            candidate.in_work += wells
            person.wells_in_work += wells
            person.served_at = self._time
            self.owners_served.add(owner)
            self._left[candidate.number] -= wells
        if not wells or self._left[candidate.number] <= 0:
            self._by_owner[owner].remove(candidate)
        self._judge(owner)


def unfinished_wells(database: Database) -> int:
    """Wells that wait to be given out or are in work, but for those of paused executions."""
    with database.read() as session:
        waiting = select(func.sum(ExecutionRow.wells_waiting)).where(*may_be_waiting(), ExecutionRow.paused.is_(False))
        in_work = select(func.sum(ExecutionRow.wells_claimed)).where(ExecutionRow.wells_claimed > literal_column("0"))
        return int(session.scalar(waiting) or 0) + int(session.scalar(in_work) or 0)


def may_be_waiting() -> list[ColumnElement[bool]]:
    """Executions whose wells the policy may give out, unless somebody paused them."""
    # As a literal, so that SQLite sees that its index of just these rows will do.
    waiting = ExecutionRow.wells_waiting > literal_column("0")
    return [ExecutionRow.status.in_([ExecutionStatusName.QUEUED, ExecutionStatusName.RUNNING]), waiting]


def _claimable() -> list[ColumnElement[bool]]:
    return [*may_be_waiting(), ExecutionRow.paused.is_(False), ExecutionRow.lone_well.is_(None)]


def _that_fit(session: Session, workers: Collection[WorkerKind] | None) -> list[ColumnElement[bool]]:
    """Executions for which there is a worker: the others must not stand before those of the same user that could go.

    Most need no label, so only the memory is compared for them, with the largest that there is.
    """
    if workers is None:
        return []
    sizes = [worker.memory_mb for worker in workers]
    most = max((size for size in sizes if size is not None), default=0.0)
    memory = ExecutionRow.needs_memory_mb
    allowed = (
        [ExecutionRow.needs == ""] if None in sizes else [(ExecutionRow.needs == "") & (memory.is_(None) | (memory <= most))]
    )
    asked = select(ExecutionRow.needs, memory).where(*_claimable(), ExecutionRow.needs != "").distinct()
    for labels, size in session.execute(asked):
        if some_fit(Needs.read(labels, size), workers):
            allowed.append((ExecutionRow.needs == labels) & memory.is_not_distinct_from(size))
    return [or_(*allowed)]


def _candidates(
    session: Session, most_at_once: int, people: dict[int, Person], conditions: Sequence[ColumnElement[bool]]
) -> list[tuple[Candidate, int]]:
    """Candidates with their numbers of waiting wells: of each user as many as could be in work. Adds to ``people``."""
    place = func.row_number().over(
        partition_by=(ExecutionRow.owner_id, ExecutionRow.test_well),
        order_by=(
            ExecutionRow.wells_claimed == 0,
            ExecutionRow.started_at.is_(None),
            ExecutionRow.priority.desc(),
            ExecutionRow.number,
        ),
    )
    first = select(ExecutionRow.number, place.label("place")).where(*_claimable(), *conditions).subquery()
    rows = session.execute(
        select(
            ExecutionRow.number,
            ExecutionRow.owner_id,
            ExecutionRow.priority,
            ExecutionRow.created_at,
            ExecutionRow.test_well,
            ExecutionRow.started_at.is_not(None),
            ExecutionRow.wells_claimed,
            ExecutionRow.not_before,
            ExecutionRow.wells_waiting,
            ExecutionRow.needs,
            ExecutionRow.needs_memory_mb,
        )
        .join(first, first.c.number == ExecutionRow.number)
        .where(first.c.place <= most_at_once)
    ).all()
    _add_people(session, {row[1] for row in rows}, people)
    return [(Candidate(*row[:8], Needs.read(row.needs, row.needs_memory_mb)), row.wells_waiting) for row in rows]


def people_in_work(session: Session, owners: set[int] | None = None) -> dict[int, Person]:
    """Everybody who has wells in work, and ``owners``, with their own limits and what they used today."""
    counts = session.execute(
        select(ExecutionRow.owner_id, ExecutionRow.test_well, func.count(), func.sum(ExecutionRow.wells_claimed))
        .where(ExecutionRow.wells_claimed > literal_column("0"))
        .group_by(ExecutionRow.owner_id, ExecutionRow.test_well)
    )
    people: dict[int, Person] = {}
    for owner, test_well, executions, wells in counts:
        person = people.setdefault(owner, Person())
        person.executions_in_work[test_well] = executions
        person.wells_in_work += int(wells)
    if owners is not None:
        _add_people(session, owners, people)
    return people


def _add_people(session: Session, owners: set[int], people: dict[int, Person]) -> None:
    rows = session.execute(
        select(
            QueuePerson.owner_id,
            QueuePerson.served_at,
            QueuePerson.executions_at_once,
            QueuePerson.cpu_hours_per_day,
            QueuePerson.gpu_hours_per_day,
            UsageRow.cpu_seconds,
            UsageRow.gpu_seconds,
        )
        .outerjoin(UsageRow, and_(UsageRow.owner_id == QueuePerson.owner_id, UsageRow.day == today()))
        .where(QueuePerson.owner_id.in_(owners))
    )
    for row in rows:
        person = people.setdefault(row.owner_id, Person())
        person.served_at, person.executions_at_once = row.served_at, row.executions_at_once
        person.cpu_hours_per_day, person.gpu_hours_per_day = row.cpu_hours_per_day, row.gpu_hours_per_day
        person.cpu_seconds_today, person.gpu_seconds_today = row.cpu_seconds or 0.0, row.gpu_seconds or 0.0


_WELLS = WellRow.metadata.tables[WellRow.__tablename__]


def _claim_wells(*conditions: ColumnElement[bool]) -> Update:
    """Claim the next ``:size`` wells of the execution ``:number``, in plate order; making this takes longer than doing it."""
    columns = _WELLS.c
    waiting = (columns.execution == bindparam("number"), columns.state == WellState.WAITING, columns.claimed.is_(False))
    chosen = select(columns.well).where(*waiting, *conditions).order_by(columns.position).limit(bindparam("size"))
    return (
        update(_WELLS)
        .where(columns.execution == bindparam("number"), columns.well.in_(chosen))
        .values(claimed=True, attempt=columns.attempt + 1)
        .returning(columns.well, columns.attempt, columns.position)
    )


_CLAIM_TOGETHER = _claim_wells(_WELLS.c.alone.is_(False))
_CLAIM_ANY = _claim_wells()


def _take(session: Session, number: int, slots: int, largest: int) -> ClaimedWells | None:
    """Claim the next wells of an execution; None when it has none to give just now."""
    execution = lock_execution(session, number)
    if execution.paused or execution.status not in (ExecutionStatusName.QUEUED, ExecutionStatusName.RUNNING):
        return None  # changed by another connection since it was looked at
    rows = _next_wells(session, execution, slots, largest)
    if not rows:
        return None
    execution.wells_waiting -= len(rows)
    execution.wells_claimed += len(rows)
    if execution.status == ExecutionStatusName.QUEUED:
        execution.status = ExecutionStatusName.RUNNING
        execution.started_at = execution.started_at or now()
        data = {"status": execution.status, "started_at": execution.started_at.isoformat()}
        record(session, execution, "started", data=data)
    attempts = {row.well: row.attempt for row in sorted(rows, key=lambda row: row.position)}
    return ClaimedWells(number, execution.execution_id, execution.priority, attempts)


def _next_wells(session: Session, execution: ExecutionRow, slots: int, largest: int) -> Sequence[Row[Any]]:
    """Claim the next wells of a locked execution; those that go alone come last, when no other is in work."""
    measured = execution.seconds_total / execution.wells_computed if execution.wells_computed else None
    size = batch_size(execution.wells_waiting, slots, largest, measured)
    rows = session.execute(_CLAIM_TOGETHER, {"number": execution.number, "size": size}).all()
    if rows or execution.wells_claimed:
        return rows
    rows = session.execute(_CLAIM_ANY, {"number": execution.number, "size": 1}).all()
    execution.lone_well = rows[0].well if rows else None
    return rows
