# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where the service keeps its state: schema, connections and migrations."""

from .engine import LAST, Database, DatabaseRefused, Told, one_at_a_time
from .migrate import migrate
from .models import (
    AuditRow,
    Base,
    EventRow,
    ExecutionInput,
    ExecutionRow,
    IdempotencyKey,
    JobSession,
    NotificationRow,
    QueuePerson,
    QueueState,
    ResultsDeletionRow,
    UsageRow,
    WellRow,
)

__all__ = [
    "LAST",
    "AuditRow",
    "Base",
    "Database",
    "DatabaseRefused",
    "EventRow",
    "ExecutionInput",
    "ExecutionRow",
    "IdempotencyKey",
    "JobSession",
    "NotificationRow",
    "QueuePerson",
    "QueueState",
    "Told",
    "ResultsDeletionRow",
    "UsageRow",
    "WellRow",
    "migrate",
    "one_at_a_time",
]
