# SPDX-License-Identifier: AGPL-3.0-or-later
"""The queue: why an execution waits, and what administrators see and change."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "AuditAction",
    "AuditEntry",
    "AuditPage",
    "DrainRequest",
    "EngineChange",
    "LimitsChange",
    "PersonLimits",
    "QueueLimits",
    "QueueLine",
    "QueueOverview",
    "QueuePersonUsage",
    "RetryWhich",
    "WaitingCode",
]

RetryWhich = Literal["unfinished", "failed", "skipped"]
"""Which wells to run again: all that have no result, those that failed, or those that a cancellation left out."""


class WaitingCode(StrEnum):
    """Why an execution does not get the next free worker."""

    PAUSED = "paused"
    CONTROLS = "controls"
    SIGN_IN = "sign_in"
    DRAINING = "draining"
    OMERO_UNREACHABLE = "omero_unreachable"
    DAILY_BUDGET = "daily_budget"
    GPU_BUDGET = "gpu_budget"
    USER_LIMIT = "user_limit"
    NO_WORKER = "no_worker"
    WORKERS_BUSY = "workers_busy"


class QueueLimits(BaseModel):
    """The limits that hold now. Hours of 0 mean no budget; those of a GPU are those of workers that have one."""

    model_config = ConfigDict(frozen=True)

    executions_at_once: int = Field(default=2, ge=1, le=1000)
    cpu_hours_per_day: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    gpu_hours_per_day: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    ageing_minutes: float = Field(default=10.0, gt=0, le=100_000, allow_inf_nan=False)


class LimitsChange(BaseModel):
    """New limits for everybody; one that is null goes back to the setting of the service, one left out stays."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    executions_at_once: int | None = Field(default=None, ge=1, le=1000)
    cpu_hours_per_day: float | None = Field(default=None, ge=0, le=1_000_000)
    gpu_hours_per_day: float | None = Field(default=None, ge=0, le=1_000_000)
    ageing_minutes: float | None = Field(default=None, gt=0, le=100_000)


class DrainRequest(BaseModel):
    """Why the queue is stopped, for those who wait."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field(default="", max_length=300)


class PersonLimits(BaseModel):
    """Limits of one user; one that is null is everybody's, one left out stays."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    executions_at_once: int | None = Field(default=None, ge=1, le=1000)
    cpu_hours_per_day: float | None = Field(default=None, ge=0, le=1_000_000)
    gpu_hours_per_day: float | None = Field(default=None, ge=0, le=1_000_000)


class EngineChange(BaseModel):
    """Where wells are computed from now on: by the Dask scheduler at ``address``, or, null, by the engine of the settings."""

    model_config = ConfigDict(extra="forbid")

    address: str | None = Field(max_length=255)


class QueueLine(BaseModel):
    """An open execution as administrators see it. ``queue_position`` counts from 1; null when it has no place."""

    execution_id: str
    owner_id: int
    owner_name: str
    plate_name: str
    pipeline_name: str
    status: str
    test_well: bool
    paused: bool
    priority: int
    priority_class: str = Field(default="user", description="`user`, `power_user` or `administrator`.")
    wells_total: int
    wells_waiting: int
    wells_in_work: int
    created_at: datetime
    queue_position: int | None = None
    waiting_code: WaitingCode | None = None
    waiting_reason: str = ""
    needs_labels: list[str] = Field(default_factory=list, description="Labels that a worker must have, such as `gpu`.")
    needs_memory_mb: int | None = Field(default=None, description="Memory that a worker must have; null when nobody knows.")


class QueuePersonUsage(BaseModel):
    """A user's part of the machine today (UTC), and the limits that hold for them; own ones are not null."""

    user_id: int
    name: str
    cpu_hours_today: float
    gpu_hours_today: float = 0.0
    wells_today: int
    wells_in_work: int
    executions_in_work: int
    executions_waiting: int
    own_executions_at_once: int | None = None
    own_cpu_hours_per_day: float | None = None
    own_gpu_hours_per_day: float | None = None


class QueueOverview(BaseModel):
    """The queue in the order in which it will be served, and everybody's part of it."""

    draining: bool
    drained_by: str = ""
    drain_note: str = ""
    limits: QueueLimits
    defaults: QueueLimits
    workers: int
    workers_alive: int | None = None
    problems: list[str] = Field(default_factory=list, description="What keeps the service from doing its work.")
    engine: str = Field(default="local", description="The engine of the settings, or the address of an attached scheduler.")
    wells_in_work: int
    executions: list[QueueLine]
    people: list[QueuePersonUsage]


AuditAction = Literal[
    "submit",
    "cancel",
    "pause",
    "resume",
    "retry",
    "delete_results",
    "change_limits",
    "drain",
    "undrain",
    "change_engine",
]
"""What the audit log has entries for."""


class AuditEntry(BaseModel):
    """Somebody did something. ``target`` is an execution id, ``user <id>``, or ``queue``."""

    id: int
    time: datetime
    user_id: int
    user_name: str
    action: str
    target: str
    details: dict[str, Any] = Field(default_factory=dict)


class AuditPage(BaseModel):
    """The audit log, newest first; ``next_cursor`` is empty on the last page."""

    entries: list[AuditEntry]
    next_cursor: str | None = None
