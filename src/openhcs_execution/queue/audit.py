# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who did what: written in the transaction of the deed itself, so that there is neither without the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from openhcs_client import AuditAction, AuditEntry, AuditPage
from openhcs_execution.database import AuditRow

from .events import now

__all__ = ["Actor", "note", "read_audit"]


@dataclass(frozen=True)
class Actor:
    """The OMERO user who does something."""

    user_id: int
    name: str


def note(session: Session, actor: Actor | None, action: AuditAction, target: str, **details: Any) -> None:
    """Append to the log; ``actor`` None is the service itself, whose deeds are not logged. ``details`` must be JSON."""
    if actor is None:
        return
    session.add(
        AuditRow(time=now(), user_id=actor.user_id, user_name=actor.name[:255], action=action, target=target, details=details)
    )


def read_audit(
    session: Session,
    *,
    target: str | None = None,
    user: int | None = None,
    action: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> AuditPage:
    """A page of the log, newest first: entries older than the one with id ``before``."""
    statement = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit + 1)
    if target is not None:
        statement = statement.where(AuditRow.target == target)
    if user is not None:
        statement = statement.where(AuditRow.user_id == user)
    if action is not None:
        statement = statement.where(AuditRow.action == action)
    if before is not None:
        statement = statement.where(AuditRow.id < before)
    rows = list(session.scalars(statement))
    shown = rows[:limit]
    entries = [
        AuditEntry(
            id=row.id,
            time=row.time,
            user_id=row.user_id,
            user_name=row.user_name,
            action=row.action,
            target=row.target,
            details=row.details,
        )
        for row in shown
    ]
    return AuditPage(entries=entries, next_cursor=str(shown[-1].id) if len(rows) > limit else None)
