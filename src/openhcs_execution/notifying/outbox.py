# SPDX-License-Identifier: AGPL-3.0-or-later
"""The outbox: one row per message and receiver, written once per end of a run, kept until it is delivered or given up."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from openhcs_execution.database import Database, ExecutionRow, NotificationRow
from openhcs_execution.queue.events import lock_execution, now

from .message import ended_payload

__all__ = ["MAXIMUM_TRIES", "Letter", "due_letters", "note_delivered", "note_failed", "seconds_until_next", "write_letters"]

MAXIMUM_TRIES = 16
"""With the pauses below this is about eight hours."""
_FIRST_PAUSE = 10.0
_LONGEST_PAUSE = 3600.0
_AT_ONCE = 50


@dataclass(frozen=True)
class Letter:
    """A message that is to be delivered: by ``mail`` to an address, or by ``webhook`` to a URL of the settings."""

    id: int
    notification_id: str
    channel: str
    receiver: str
    payload: dict[str, Any]


def write_letters(database: Database, webhooks: Sequence[str], *, mail: bool, web_url: str) -> int:
    """Put a message into the outbox for each run that has ended since the last look; returns how many were written.

    The rows and the mark on the execution are one transaction: an end is told of once, whoever dies when. A run that goes on
    (a retry) and ends again is told of again.
    """
    with database.read() as session:
        ended = _ended(session)
    written = 0
    for number in ended:
        with database.write() as session:
            execution = lock_execution(session, number)
            if execution.end_told or execution.ended_at is None:
                continue  # it goes on already
            receivers = [("webhook", url) for url in webhooks]
            if mail and execution.mail_to:
                receivers.append(("mail", execution.mail_to))
            payload = ended_payload(execution, web_url)
            for channel, receiver in receivers:
                session.add(_row(number, channel, receiver, payload))
            execution.end_told = True
            written += len(receivers)
    return written


def _ended(session: Session) -> list[int]:
    statement = select(ExecutionRow.number).where(ExecutionRow.end_told.is_(False), ExecutionRow.ended_at.is_not(None))
    return list(session.scalars(statement.order_by(ExecutionRow.number).limit(_AT_ONCE)))


def _row(number: int, channel: str, receiver: str, payload: dict[str, Any]) -> NotificationRow:
    name = str(uuid.uuid4())
    return NotificationRow(
        notification_id=name,
        execution=number,
        channel=channel,
        receiver=receiver,
        payload={"id": name, **payload},
        state="waiting",
        created_at=now(),
        not_before=now(),
    )


def due_letters(database: Database) -> list[Letter]:
    """Messages whose time has come, the oldest first."""
    statement = (
        select(NotificationRow)
        .where(NotificationRow.state == "waiting", NotificationRow.not_before <= now())
        .order_by(NotificationRow.id)
        .limit(_AT_ONCE)
    )
    with database.read() as session:
        return [
            Letter(row.id, row.notification_id, row.channel, row.receiver, row.payload) for row in session.scalars(statement)
        ]


def seconds_until_next(database: Database, most: float) -> float:
    """How long nothing is due, at most ``most``."""
    with database.read() as session:
        first = session.scalar(select(func.min(NotificationRow.not_before)).where(NotificationRow.state == "waiting"))
    return most if first is None else max(0.0, min(most, (first - now()).total_seconds()))


def note_delivered(database: Database, letter: Letter) -> None:
    """The receiver has it. A mail address is no longer needed and is forgotten."""
    with database.write() as session:
        row = session.get_one(NotificationRow, letter.id)
        row.state, row.tries, row.last_error = "delivered", row.tries + 1, ""
        _forget_address(session, row)


def note_failed(database: Database, letter: Letter, reason: str, *, final: bool = False) -> bool:
    """It could not be delivered: try again later, or give up after :data:`MAXIMUM_TRIES` or when it is ``final``.

    Returns True when it was given up.
    """
    with database.write() as session:
        row = session.get_one(NotificationRow, letter.id)
        row.tries += 1
        row.last_error = reason[:500]
        if final or row.tries >= MAXIMUM_TRIES:
            row.state = "given_up"
            _forget_address(session, row)
            return True
        row.not_before = now() + timedelta(seconds=min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (row.tries - 1)))
        return False


def _forget_address(session: Session, row: NotificationRow) -> None:
    if row.channel != "mail":
        return
    row.receiver = ""
    others = select(NotificationRow.id).where(
        NotificationRow.execution == row.execution, NotificationRow.id != row.id, NotificationRow.channel == "mail"
    )
    execution = session.get(ExecutionRow, row.execution)
    waiting = session.scalar(others.where(or_(NotificationRow.state == "waiting")).limit(1))
    if execution is not None and execution.ended_at is not None and waiting is None:
        execution.mail_to = ""
