# SPDX-License-Identifier: AGPL-3.0-or-later
"""Measurements of an execution, page by page, also while it still runs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from openhcs_client import MeasurementLevel, MeasurementPage
from openhcs_execution.queue import reading
from openhcs_execution.results.measurements import read_measurements

from .authentication import ClaimsOf, ServiceOf, reader_of

__all__ = ["router"]

router = APIRouter(prefix="/executions")


@router.get("/{execution_id}/measurements/")
def measurements(
    service: ServiceOf,
    claims: ClaimsOf,
    execution_id: str,
    level: MeasurementLevel = MeasurementLevel.WELL,
    well: str | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> MeasurementPage:
    with service.database.read() as session:
        execution = reading.find_execution(session, execution_id, reader_of(claims))
        return read_measurements(session, service.results, execution, level=level, well=well, cursor=cursor, limit=limit)
