# SPDX-License-Identifier: AGPL-3.0-or-later
"""The schema: executions, their wells, their events, and what must survive a restart.

Executions have an internal ``number`` (small, ordered, the target of foreign keys) and a public ``execution_id``. What the
status page asks for every second stands on the execution's own row as counters, which change in the same transaction as the
wells they count; so a poll reads one row. Large texts (document, layout) are in a table of their own for the same reason.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    TypeDecorator,
    false,
    text,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = [
    "AuditRow",
    "Base",
    "EventRow",
    "ExecutionInput",
    "ExecutionRow",
    "IdempotencyKey",
    "JobSession",
    "NotificationRow",
    "QueuePerson",
    "QueueState",
    "ResultsDeletionRow",
    "UsageRow",
    "UtcDateTime",
    "WellRow",
]


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC that comes back with its zone, also from SQLite, which stores none."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times are stored in UTC; this one has no zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


OmeroId = Annotated[int, mapped_column(BigInteger)]
"""OMERO's ids are 64 bits wide."""


class Base(DeclarativeBase):
    """Common base; Python types map to portable column types."""

    type_annotation_map = {datetime: UtcDateTime, date: Date, dict[str, Any]: JSON}


_WAITING = text("wells_waiting > 0")
_IN_WORK = text("wells_claimed > 0")
_UNTOLD = text("not end_told")


class ExecutionRow(Base):
    """One execution with its counters. ``wells_computed`` counts committed wells, whether or not they are saved to OMERO."""

    __tablename__ = "executions"

    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    execution_id: Mapped[str] = mapped_column(String(36), unique=True)
    plate_id: Mapped[OmeroId]
    plate_name: Mapped[str] = mapped_column(String(255))
    group_id: Mapped[OmeroId]
    owner_id: Mapped[OmeroId]
    owner_name: Mapped[str] = mapped_column(String(255))
    pipeline_id: Mapped[str] = mapped_column(String(200))
    pipeline_name: Mapped[str] = mapped_column(String(255))
    pipeline_version: Mapped[int]
    pipeline_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(32))
    message: Mapped[str] = mapped_column(Text, default="")
    test_well: Mapped[bool] = mapped_column(default=False)
    priority: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int]
    columns: Mapped[int]
    wells_total: Mapped[int]
    wells_computed: Mapped[int] = mapped_column(default=0)
    wells_completed: Mapped[int] = mapped_column(default=0)
    wells_failed: Mapped[int] = mapped_column(default=0)
    wells_skipped: Mapped[int] = mapped_column(default=0)
    wells_waiting: Mapped[int] = mapped_column(default=0, server_default="0")
    """Wells that can be given out: waiting and not claimed."""
    wells_claimed: Mapped[int] = mapped_column(default=0, server_default="0")
    """Wells in work: claimed for a worker, with no outcome yet."""
    lone_well: Mapped[str | None] = mapped_column(String(8))
    """The well that is in work alone, because its process was lost or ran out of memory before."""
    paused: Mapped[bool] = mapped_column(default=False, server_default=false())
    """No further well is given out until somebody resumes it."""
    paused_by: Mapped[str] = mapped_column(String(255), default="", server_default="")
    seconds_total: Mapped[float] = mapped_column(Float, default=0.0)
    current_well: Mapped[str | None] = mapped_column(String(8))
    current_step: Mapped[str | None] = mapped_column(String(255))
    last_event: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    last_commit_at: Mapped[datetime | None]
    needs: Mapped[str] = mapped_column(String(255), default="", server_default="")
    """Labels that its workers must have, with commas between them."""
    needs_memory_mb: Mapped[int | None]
    """Memory that a well is estimated to take."""
    not_before: Mapped[datetime | None]
    """Nothing is dispatched or saved earlier: OMERO did not answer and is given time."""
    setbacks: Mapped[int] = mapped_column(default=0)
    """Unanswered calls to OMERO in a row; the pause grows with them."""
    results: Mapped[dict[str, Any]] = mapped_column(default=dict)
    mail_to: Mapped[str] = mapped_column(String(255), default="", server_default="")
    """Address of its owner in OMERO, when they asked for a mail at the end; forgotten once that is sent."""
    end_told: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether messages about its end are in the outbox; only false between its end and that."""
    results_removed_at: Mapped[datetime | None]
    """When its results were removed from the service's disk because they were old."""
    futility: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """A rule for stopping early; with ``verdict`` as soon as the controls are computed."""

    __table_args__ = (
        Index("ix_executions_status", "status"),
        Index("ix_executions_owner", "owner_id", "number"),
        Index("ix_executions_group", "group_id", "number"),
        Index("ix_executions_plate", "plate_id", "number"),
        # What the policy looks at: few rows of many, found without reading the others.
        Index("ix_executions_waiting", "status", "owner_id", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_executions_end_untold", "number", sqlite_where=_UNTOLD, postgresql_where=_UNTOLD),
        Index("ix_executions_in_work", "owner_id", sqlite_where=_IN_WORK, postgresql_where=_IN_WORK),
    )


class ExecutionInput(Base):
    """What an execution was asked to do: the published document, the changed parameters, and the plate as it was read."""

    __tablename__ = "execution_inputs"

    execution: Mapped[int] = mapped_column(ForeignKey("executions.number", ondelete="CASCADE"), primary_key=True)
    document: Mapped[str] = mapped_column(Text)
    parameters: Mapped[dict[str, Any]]
    applied_document: Mapped[str] = mapped_column(Text)
    layout: Mapped[str] = mapped_column(Text)
    python: Mapped[str | None] = mapped_column(Text)
    controls_first: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The roles of wells that decided on the order, and perhaps a rule for stopping early."""
    versions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    saving: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """The :class:`SavingOptions`; empty for an execution from before there were any."""


class JobSession(Base):
    """The OMERO session that an open execution works with; the row goes when the session is closed."""

    __tablename__ = "job_sessions"

    execution: Mapped[int] = mapped_column(ForeignKey("executions.number", ondelete="CASCADE"), primary_key=True)
    sealed_key: Mapped[str] = mapped_column(Text)
    lost: Mapped[bool] = mapped_column(default=False)
    opened_at: Mapped[datetime]


class WellRow(Base):
    """One well of one execution. It is committed when ``committed_at`` is set, and that happens once.

    ``claimed`` says that a worker has been asked for attempt ``attempt``; only that attempt can commit.
    """

    __tablename__ = "wells"

    execution: Mapped[int] = mapped_column(ForeignKey("executions.number", ondelete="CASCADE"), primary_key=True)
    well: Mapped[str] = mapped_column(String(8), primary_key=True)
    position: Mapped[int]
    row: Mapped[int]
    column: Mapped[int]
    well_id: Mapped[OmeroId]
    state: Mapped[str] = mapped_column(String(16))
    claimed: Mapped[bool] = mapped_column(default=False)
    attempt: Mapped[int] = mapped_column(default=0)
    losses: Mapped[int] = mapped_column(default=0)
    """How often the process that computed it was lost."""
    false_starts: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often its worker was lost before it began."""
    retried: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often it was tried again by itself after it had failed."""
    alone: Mapped[bool] = mapped_column(default=False, server_default=false())
    """It is computed while no other well of its execution is."""
    save_failures: Mapped[int] = mapped_column(default=0)
    step: Mapped[int] = mapped_column(default=0)
    step_count: Mapped[int] = mapped_column(default=0)
    step_name: Mapped[str] = mapped_column(String(255), default="")
    seconds: Mapped[float | None] = mapped_column(Float)
    worker: Mapped[str | None] = mapped_column(String(255))
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    committed_at: Mapped[datetime | None]
    field_rows: Mapped[int] = mapped_column(default=0)
    object_rows: Mapped[int] = mapped_column(default=0)
    label_count: Mapped[int] = mapped_column(default=0)
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    measurements: Mapped[dict[str, Any]] = mapped_column(default=dict)
    label_images: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """OMERO image id by ``<field>/<name>``, once saved."""
    rois: Mapped[int | None]
    """How many ROIs it gets, decided before the first is written, so that a crash in between changes nothing."""
    rois_left_out: Mapped[int] = mapped_column(default=0, server_default="0")

    __table_args__ = (
        Index("ix_wells_state", "execution", "state", "position"),
        Index("ix_wells_claimed", "claimed"),
    )


class EventRow(Base):
    """Something that happened; ``sequence`` counts up by one within an execution, without gaps."""

    __tablename__ = "events"

    execution: Mapped[int] = mapped_column(ForeignKey("executions.number", ondelete="CASCADE"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    time: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(32))
    well: Mapped[str | None] = mapped_column(String(8))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class IdempotencyKey(Base):
    """A user's key for a submission, so that a repeated submission finds the first execution."""

    __tablename__ = "idempotency_keys"

    owner_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))
    execution: Mapped[int] = mapped_column(ForeignKey("executions.number", ondelete="CASCADE"))
    created_at: Mapped[datetime]


class QueuePerson(Base):
    """What the queue knows about somebody who has submitted something. A limit that is null is everybody's."""

    __tablename__ = "queue_people"

    owner_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(255))
    served_at: Mapped[datetime | None]
    """When a well of this person was given out last."""
    executions_at_once: Mapped[int | None]
    cpu_hours_per_day: Mapped[float | None] = mapped_column(Float)
    gpu_hours_per_day: Mapped[float | None] = mapped_column(Float)


class QueueState(Base):
    """One row: what administrators changed while the service runs. A limit that is null is the setting's."""

    __tablename__ = "queue_state"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    executions_at_once: Mapped[int | None]
    cpu_hours_per_day: Mapped[float | None] = mapped_column(Float)
    gpu_hours_per_day: Mapped[float | None] = mapped_column(Float)
    ageing_minutes: Mapped[float | None] = mapped_column(Float)
    draining: Mapped[bool] = mapped_column(default=False)
    drained_by: Mapped[str] = mapped_column(String(255), default="")
    drain_note: Mapped[str] = mapped_column(String(300), default="", server_default="")
    engine_address: Mapped[str | None] = mapped_column(String(255))
    """The scheduler that an administrator attached; null for the engine of the settings."""


class NotificationRow(Base):
    """A message about the end of a run, for one receiver. ``state`` is ``waiting``, ``delivered`` or ``given_up``."""

    __tablename__ = "notifications"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    notification_id: Mapped[str] = mapped_column(String(36), unique=True)
    execution: Mapped[int] = mapped_column(ForeignKey("executions.number", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(String(16))
    receiver: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(16))
    tries: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime]
    not_before: Mapped[datetime]

    __table_args__ = (Index("ix_notifications_due", "state", "not_before"), Index("ix_notifications_execution", "execution"))


class UsageRow(Base):
    """What a user's wells took on one day in UTC, in seconds."""

    __tablename__ = "usage"

    owner_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(primary_key=True)
    wells: Mapped[int] = mapped_column(default=0)
    cpu_seconds: Mapped[float] = mapped_column(Float, default=0.0)
    gpu_seconds: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    """Of these, on workers that have a GPU."""


class ResultsDeletionRow(Base):
    """That somebody asked to delete what an execution saved in OMERO. The session's key goes when it has ended."""

    __tablename__ = "results_deletions"

    execution: Mapped[int] = mapped_column(ForeignKey("executions.number", ondelete="CASCADE"), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    by_id: Mapped[OmeroId]
    by_name: Mapped[str] = mapped_column(String(255))
    sealed_key: Mapped[str | None] = mapped_column(Text)
    requested_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    message: Mapped[str] = mapped_column(Text, default="")


class AuditRow(Base):
    """Who did what. Rows are added and never changed or deleted."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    time: Mapped[datetime]
    user_id: Mapped[OmeroId]
    user_name: Mapped[str] = mapped_column(String(255))
    action: Mapped[str] = mapped_column(String(32))
    target: Mapped[str] = mapped_column(String(64))
    """An execution id, ``user <id>``, or ``queue``."""
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)

    __table_args__ = (Index("ix_audit_target", "target", "id"),)
