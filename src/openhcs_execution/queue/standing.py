# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where each open execution stands: its place in the queue, and why it waits, in words.

The whole queue is looked at for one answer, so answers are kept for a moment; what a person did a moment ago (a pause, a
sign-in) is read from the execution's own row instead and never late.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from openhcs_client import ExecutionStatusName, QueueLimits, WaitingCode
from openhcs_execution.database import Database, ExecutionRow

from .events import now
from .executions import OMERO_MESSAGE, SIGN_IN_MESSAGE
from .limits import Rules, read_rules
from .needs import Needs, WorkerKind
from .order import Candidate, Person, hold, in_order
from .policy import may_be_waiting, people_in_work

__all__ = ["NOT_WAITING", "QueueBoard", "Standing", "read_standings", "standing_of"]

_KEPT_SECONDS, _OLDEST_SECONDS = 1.0, 2.0


@dataclass(frozen=True)
class Standing:
    """``position`` counts from 1 among the executions that have no well in work; None where there is no place to tell."""

    code: WaitingCode | None = None
    reason: str = ""
    position: int | None = None


NOT_WAITING = Standing()


def read_standings(
    session: Session, defaults: QueueLimits, workers: Collection[WorkerKind] | None = None
) -> dict[int, Standing]:
    """Standings of all executions that have wells to give out and are not paused, by number, in the order of the queue."""
    rules, moment = read_rules(session, defaults), now()
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
            ExecutionRow.needs,
            ExecutionRow.needs_memory_mb,
            ExecutionRow.owner_name,
        ).where(*may_be_waiting(), ExecutionRow.paused.is_(False))
    ).all()
    candidates = [Candidate(*row[:8], Needs.read(row.needs, row.needs_memory_mb)) for row in rows]
    names = {row.owner_id: row.owner_name for row in rows}
    people = people_in_work(session, set(names))
    held = hold(candidates, people, rules.limits, moment, workers)
    waiting = [candidate for candidate in candidates if candidate.in_work == 0]
    standings: dict[int, Standing] = {}
    for position, candidate in enumerate(in_order(waiting, held, people, rules.limits, moment), start=1):
        person, name = people[candidate.owner_id], names[candidate.owner_id]
        code = WaitingCode.DRAINING if rules.draining else held[candidate.number] or WaitingCode.WORKERS_BUSY
        standings[candidate.number] = Standing(code, _reason(code, candidate, person, name, rules, position), position)
    for candidate in candidates:
        # With wells in work it has no place, but the others may have to wait all the same.
        why = WaitingCode.DRAINING if rules.draining else held[candidate.number]
        if candidate.in_work and why is not None:
            reason = _reason(why, candidate, people[candidate.owner_id], names[candidate.owner_id], rules, 0)
            standings[candidate.number] = Standing(why, reason)
    return standings


def _reason(code: WaitingCode, candidate: Candidate, person: Person, name: str, rules: Rules, position: int) -> str:
    if code == WaitingCode.DRAINING:
        says = f" They say: {rules.drain_note}" if rules.drain_note else ""
        return f"{rules.drained_by} has stopped the queue to work on the service.{says} It goes on by itself afterwards."
    if code == WaitingCode.USER_LIMIT:
        most = person.at_once(rules.limits)
        what = f"{most} {'test well' if candidate.test_well else 'run'}{'' if most == 1 else 's'}"
        return f"{name} may have {what} in work at a time. This one follows when one of them ends."
    if code == WaitingCode.DAILY_BUDGET:
        hours = rules.limits.cpu_hours_per_day if person.cpu_hours_per_day is None else person.cpu_hours_per_day
        used = f"{name} has used the {hours:g} CPU hours of today."
        return f"{used} It goes on at midnight (UTC), or when an administrator allows more."
    if code == WaitingCode.GPU_BUDGET:
        hours = rules.limits.gpu_hours_per_day if person.gpu_hours_per_day is None else person.gpu_hours_per_day
        used = f"{name} has used the {hours:g} GPU hours of today."
        return f"{used} It goes on at midnight (UTC), or when an administrator allows more."
    if code == WaitingCode.NO_WORKER:
        needed = candidate.needs.in_words()
        missing = f"No worker {needed} is there just now." if needed else "No worker is there just now."
        return f"{missing} It goes on by itself when one is."
    if code == WaitingCode.OMERO_UNREACHABLE:
        return OMERO_MESSAGE
    if position == 1:
        return "All workers are busy. This one is next."
    before = position - 1
    return f"All workers are busy. {before} other run{' is' if before == 1 else 's are'} before this one."


def standing_of(row: ExecutionRow, standings: dict[int, Standing]) -> Standing:
    """Where one execution stands; what its own row says comes first."""
    if row.status == ExecutionStatusName.WAITING_FOR_SIGN_IN:
        return Standing(WaitingCode.SIGN_IN, SIGN_IN_MESSAGE)
    if row.paused:
        rest = " Wells in work are finished first." if row.wells_claimed else ""
        verdict = (row.futility or {}).get("verdict") or {}
        if verdict.get("paused") and not row.paused_by:
            return Standing(WaitingCode.CONTROLS, f"{verdict['note']}{rest}")
        return Standing(WaitingCode.PAUSED, f"Paused by {row.paused_by}.{rest} It goes on when it is resumed.")
    if not may_wait(row):
        return NOT_WAITING
    return standings.get(row.number, NOT_WAITING)


def may_wait(row: ExecutionRow) -> bool:
    """Whether the queue must be looked at to say where this execution stands."""
    return row.wells_waiting > 0 and row.status in (ExecutionStatusName.QUEUED, ExecutionStatusName.RUNNING)


class QueueBoard:
    """Standings for whoever asks, one or two seconds old at most."""

    def __init__(
        self,
        database: Database,
        defaults: QueueLimits,
        kinds: Callable[[], Collection[WorkerKind] | None] = lambda: None,
    ) -> None:
        """``kinds`` tells which workers are there, None while that is not known."""
        self._database, self.defaults, self.kinds = database, defaults, kinds
        self._lock = threading.Lock()
        self._standings: dict[int, Standing] = {}
        self._read_at = -_OLDEST_SECONDS

    def forget(self) -> None:
        """Something changed: the next answer is read anew."""
        self._read_at = -_OLDEST_SECONDS

    def standings(self) -> dict[int, Standing]:
        """Of all that wait."""
        age = time.monotonic() - self._read_at
        # While one request looks at the queue, the others take what is a little older.
        if age > _KEPT_SECONDS and self._lock.acquire(blocking=age > _OLDEST_SECONDS):
            try:
                if time.monotonic() - self._read_at > _KEPT_SECONDS:
                    started = time.monotonic()
                    with self._database.read() as session:
                        self._standings = read_standings(session, self.defaults, self.kinds())
                    self._read_at = started
            finally:
                self._lock.release()
        return self._standings

    def of(self, row: ExecutionRow) -> Standing:
        """Of one execution."""
        return standing_of(row, self.standings() if may_wait(row) else {})
