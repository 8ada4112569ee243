# SPDX-License-Identifier: AGPL-3.0-or-later
"""The whole queue and everybody's part of it, for administrators."""

from __future__ import annotations

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from openhcs_client import ExecutionStatusName, QueueLine, QueueOverview, QueuePersonUsage
from openhcs_execution.database import ExecutionRow, QueuePerson, UsageRow

from .adding import class_of_priority
from .limits import read_rules
from .needs import Needs
from .order import Person
from .people import today
from .policy import people_in_work
from .standing import QueueBoard, Standing, read_standings, standing_of

__all__ = ["read_overview"]

_OPEN = (
    ExecutionStatusName.QUEUED,
    ExecutionStatusName.RUNNING,
    ExecutionStatusName.WAITING_FOR_SIGN_IN,
    ExecutionStatusName.SAVING,
)
_MOST_LINES = 500


def read_overview(session: Session, board: QueueBoard, workers: int, engine: str) -> QueueOverview:
    """Open executions, those in work first and then by their place, and all who have submitted something lately."""
    defaults = board.defaults
    rules = read_rules(session, defaults)
    standings = read_standings(session, defaults, board.kinds())
    rows = session.scalars(select(ExecutionRow).where(ExecutionRow.status.in_(_OPEN))).all()
    lines = [_line(row, standing_of(row, standings)) for row in rows]
    last = len(lines) + 1
    lines.sort(key=lambda line: (line.queue_position or (0 if line.wells_in_work else last), line.created_at))
    in_work = people_in_work(session, {row.owner_id for row in rows})
    waiting: dict[int, int] = {}
    for line in lines:
        waiting[line.owner_id] = waiting.get(line.owner_id, 0) + (line.waiting_code is not None and not line.wells_in_work)
    return QueueOverview(
        draining=rules.draining,
        drained_by=rules.drained_by,
        drain_note=rules.drain_note,
        limits=rules.limits,
        defaults=defaults,
        workers=workers,
        engine=engine,
        wells_in_work=sum(line.wells_in_work for line in lines),
        executions=lines[:_MOST_LINES],
        people=_people(session, in_work, waiting),
    )


def _line(row: ExecutionRow, standing: Standing) -> QueueLine:
    needs = Needs.read(row.needs, row.needs_memory_mb)
    return QueueLine(
        execution_id=row.execution_id,
        owner_id=row.owner_id,
        owner_name=row.owner_name,
        plate_name=row.plate_name,
        pipeline_name=row.pipeline_name,
        status=row.status,
        test_well=row.test_well,
        paused=row.paused,
        priority=row.priority,
        priority_class=class_of_priority(row.priority).name.lower(),
        wells_total=row.wells_total,
        wells_waiting=row.wells_waiting,
        wells_in_work=row.wells_claimed,
        created_at=row.created_at,
        queue_position=standing.position,
        waiting_code=standing.code,
        waiting_reason=standing.reason,
        needs_labels=sorted(needs.labels),
        needs_memory_mb=needs.memory_mb,
    )


def _people(session: Session, in_work: dict[int, Person], waiting: dict[int, int]) -> list[QueuePersonUsage]:
    """Those with something open, with usage today, or with limits of their own, by name."""
    limits = (QueuePerson.executions_at_once, QueuePerson.cpu_hours_per_day, QueuePerson.gpu_hours_per_day)
    own = or_(*(limit.is_not(None) for limit in limits))
    rows = session.execute(
        select(QueuePerson, UsageRow)
        .outerjoin(UsageRow, and_(UsageRow.owner_id == QueuePerson.owner_id, UsageRow.day == today()))
        .where(or_(own, UsageRow.owner_id.is_not(None), QueuePerson.owner_id.in_(in_work)))
        .order_by(func.lower(QueuePerson.name), QueuePerson.owner_id)
    ).all()
    people = []
    for person, usage in rows:
        part = in_work.get(person.owner_id, Person())
        people.append(
            QueuePersonUsage(
                user_id=person.owner_id,
                name=person.name,
                cpu_hours_today=round(usage.cpu_seconds / 3600, 4) if usage else 0.0,
                gpu_hours_today=round(usage.gpu_seconds / 3600, 4) if usage else 0.0,
                wells_today=usage.wells if usage else 0,
                wells_in_work=part.wells_in_work,
                executions_in_work=sum(part.executions_in_work.values()),
                executions_waiting=waiting.get(person.owner_id, 0),
                own_executions_at_once=person.executions_at_once,
                own_cpu_hours_per_day=person.cpu_hours_per_day,
                own_gpu_hours_per_day=person.gpu_hours_per_day,
            )
        )
    return people
