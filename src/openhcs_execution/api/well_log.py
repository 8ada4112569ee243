# SPDX-License-Identifier: AGPL-3.0-or-later
"""What was said about one well of an execution, also while it is computed."""

from __future__ import annotations

from fastapi import APIRouter

from openhcs_client import WellLog
from openhcs_execution.queue import reading
from openhcs_execution.results.well_logs import WellLogs
from openhcs_execution.results.well_story import read_well_log

from .authentication import ClaimsOf, ServiceOf, reader_of

__all__ = ["router"]

router = APIRouter(prefix="/executions")


@router.get("/{execution_id}/wells/{well}/log/")
def log(service: ServiceOf, claims: ClaimsOf, execution_id: str, well: str) -> WellLog:
    """The newest attempts, oldest line first; for whoever may see the execution."""
    with service.database.read() as session:
        execution = reading.find_execution(session, execution_id, reader_of(claims))
        return read_well_log(session, WellLogs(service.results.root), execution, well)
