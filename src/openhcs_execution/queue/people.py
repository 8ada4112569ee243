# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who uses the queue: remembered at the first submission, with what their wells took on each day (UTC)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from openhcs_execution.database import LAST, QueuePerson, UsageRow

from .events import now

__all__ = ["add_usage", "note_served", "remember_person", "today"]


def today() -> date:
    """The day whose budget is used now."""
    return now().date()


def remember_person(session: Session, owner_id: int, name: str) -> None:
    """Make sure that the queue knows a user, by their present name."""
    insert = _insert(session)(QueuePerson).values(owner_id=owner_id, name=name)
    session.execute(insert.on_conflict_do_update(index_elements=["owner_id"], set_={"name": name}))


def note_served(session: Session, owners: Iterable[int], time: datetime) -> None:
    """Wells of these users were given out."""
    session.execute(update(QueuePerson).where(QueuePerson.owner_id.in_(owners)).values(served_at=time))


def add_usage(session: Session, owner_id: int, seconds: float, *, gpu: bool = False) -> None:
    """A worker, which is one core and with ``gpu`` also one GPU, spent ``seconds`` on a well of this user.

    It is written when the transaction ends.
    """
    spent: dict[tuple[int, date], list[tuple[float, bool]]] = session.info.setdefault("usage", {})
    spent.setdefault((owner_id, today()), []).append((seconds, gpu))
    session.info.setdefault(LAST, {})["usage"] = lambda: _write_usage(session)


def _write_usage(session: Session) -> None:
    for (owner_id, day), spent in session.info.pop("usage").items():
        more = {
            "wells": len(spent),
            "cpu_seconds": sum(seconds for seconds, _gpu in spent),
            "gpu_seconds": sum(seconds for seconds, gpu in spent if gpu),
        }
        insert = _insert(session)(UsageRow).values(owner_id=owner_id, day=day, **more)
        sums = {name: getattr(UsageRow, name) + value for name, value in more.items()}
        session.execute(insert.on_conflict_do_update(index_elements=["owner_id", "day"], set_=sums))


def _insert(session: Session) -> type[sqlite.Insert] | type[postgresql.Insert]:
    """The insert that can also update; SQLite and PostgreSQL spell it alike, SQLAlchemy has one for each."""
    return sqlite.Insert if session.get_bind().dialect.name == "sqlite" else postgresql.Insert
