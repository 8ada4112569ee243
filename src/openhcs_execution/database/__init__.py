# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where the service keeps its state: schema, connections and migrations."""

from .engine import Database, DatabaseRefused
from .migrate import migrate
from .models import Base, EventRow, ExecutionInput, ExecutionRow, IdempotencyKey, JobSession, WellRow

__all__ = [
    "Base",
    "Database",
    "DatabaseRefused",
    "EventRow",
    "ExecutionInput",
    "ExecutionRow",
    "IdempotencyKey",
    "JobSession",
    "WellRow",
    "migrate",
]
