# SPDX-License-Identifier: AGPL-3.0-or-later
"""The limits that hold now: the settings of the service, what administrators changed since, and own limits of single users.

Changes are kept in the database, so that they hold after a restart; each is one transaction with its line in the audit log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from openhcs_client import LimitsChange, OpenHCSError, PersonLimits, QueueLimits
from openhcs_execution.database import Database, ExecutionRow, QueuePerson, QueueState, one_at_a_time

from .audit import Actor, note
from .events import lock_execution
from .executions import put_back_unbegun

__all__ = [
    "Rules",
    "change_engine",
    "change_limits",
    "change_person_limits",
    "drain",
    "read_engine",
    "read_rules",
    "refuse_when_draining",
    "undrain",
]

_ONLY_ROW = 1


@dataclass(frozen=True)
class Rules:
    """What the policy goes by. ``most_at_once`` is the largest number of executions that anybody may have in work."""

    limits: QueueLimits
    draining: bool
    drained_by: str
    drain_note: str
    most_at_once: int


def read_rules(session: Session, defaults: QueueLimits) -> Rules:
    """The limits as they hold in this transaction; ``defaults`` are the settings of the service."""
    most = select(func.max(QueuePerson.executions_at_once)).scalar_subquery()
    row = session.execute(
        select(
            QueueState.executions_at_once,
            QueueState.cpu_hours_per_day,
            QueueState.gpu_hours_per_day,
            QueueState.ageing_minutes,
            QueueState.draining,
            QueueState.drained_by,
            QueueState.drain_note,
            most.label("most"),
        )
    ).one()
    changed = {name: value for name, value in row._asdict().items() if name in QueueLimits.model_fields and value is not None}
    limits = defaults.model_copy(update=changed) if changed else defaults
    return Rules(limits, row.draining, row.drained_by, row.drain_note, max(limits.executions_at_once, row.most or 0))


def change_limits(database: Database, change: LimitsChange, by: Actor) -> None:
    """Change limits for everybody; only those that were named."""
    named = change.model_dump(exclude_unset=True)
    with database.write() as session:
        _set(session.get_one(QueueState, _ONLY_ROW, with_for_update=True), named)
        note(session, by, "change_limits", "queue", **named)


def change_person_limits(database: Database, user_id: int, change: PersonLimits, by: Actor) -> None:
    """Change the limits of one user; only those that were named.

    Raises:
        OpenHCSError: ``user_not_found``, status 404, when this user never submitted anything.
    """
    named = change.model_dump(exclude_unset=True)
    with database.write() as session:
        person = session.get(QueuePerson, user_id, with_for_update=True)
        if person is None:
            raise OpenHCSError("user_not_found", "This user has not submitted anything yet.", status=404)
        _set(person, named)
        note(session, by, "change_limits", f"user {user_id}", name=person.name, **named)


def _set(row: QueueState | QueuePerson, values: Mapping[str, float | None]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def drain(database: Database, by: Actor, reason: str = "") -> bool:
    """Begin no further well of anybody, and take no submissions. False when the queue was drained before.

    ``reason`` is shown to those who wait.
    """
    with database.write() as session:
        one_at_a_time(session)
        state = session.get_one(QueueState, _ONLY_ROW, with_for_update=True)
        if state.draining:
            return False
        state.draining, state.drained_by, state.drain_note = True, by.name[:255], _one_line(reason)
        for number in session.scalars(select(ExecutionRow.number).where(ExecutionRow.wells_claimed > 0)).all():
            put_back_unbegun(session, lock_execution(session, number))
        note(session, by, "drain", "queue", **({"note": state.drain_note} if state.drain_note else {}))
        return True


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]


def undrain(database: Database, by: Actor) -> bool:
    """Let the queue go on. False when it was not drained."""
    with database.write() as session:
        state = session.get_one(QueueState, _ONLY_ROW, with_for_update=True)
        if not state.draining:
            return False
        state.draining, state.drained_by, state.drain_note = False, "", ""
        note(session, by, "undrain", "queue")
        return True


def change_engine(database: Database, address: str | None, by: Actor) -> None:
    """Remember the scheduler to compute with, also after a restart; None for the engine of the settings."""
    with database.write() as session:
        session.get_one(QueueState, _ONLY_ROW, with_for_update=True).engine_address = address
        note(session, by, "change_engine", "queue", address=address)


def read_engine(database: Database) -> str | None:
    """The scheduler that was attached last, if it was not detached."""
    with database.read() as session:
        return session.scalar(select(QueueState.engine_address))


def refuse_when_draining(database: Database) -> None:
    """Refuse a submission while the queue is drained.

    Raises:
        OpenHCSError: ``draining``, status 503.
    """
    with database.read() as session:
        reason = session.scalar(select(QueueState.drain_note).where(QueueState.draining))
    if reason is not None:
        says = f" They say: {reason}" if reason else ""
        raise OpenHCSError(
            "draining",
            f"The execution service takes no new runs just now: an administrator is about to work on it.{says} Try again "
            "later; runs that wait go on by themselves.",
            status=503,
        )
