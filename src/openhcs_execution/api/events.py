# SPDX-License-Identifier: AGPL-3.0-or-later
"""The events of an execution, after a cursor."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from openhcs_client import EventPage
from openhcs_execution.queue import reading

from .authentication import ClaimsOf, ServiceOf, reader_of

__all__ = ["router"]

router = APIRouter(prefix="/executions")


@router.get("/{execution_id}/events/")
def events(
    service: ServiceOf,
    claims: ClaimsOf,
    execution_id: str,
    since: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=2000)] = 500,
) -> EventPage:
    with service.database.read() as session:
        execution = reading.find_execution(session, execution_id, reader_of(claims))
        return reading.read_events(session, execution, since, limit)
