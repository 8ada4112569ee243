# SPDX-License-Identifier: AGPL-3.0-or-later
"""The quality of an execution, also while it still runs. The caller says which wells are controls: that is kept in OMERO."""

from __future__ import annotations

from fastapi import APIRouter

from openhcs_client import QualityReport, QualityRequest
from openhcs_execution.quality.report import make_report, read_plate_values
from openhcs_execution.queue import reading

from .authentication import ClaimsOf, ServiceOf, reader_of

__all__ = ["router"]

router = APIRouter(prefix="/executions")


@router.post("/{execution_id}/quality/")
def quality(service: ServiceOf, claims: ClaimsOf, execution_id: str, body: QualityRequest) -> QualityReport:
    """A question with a body, as a plate has more wells than an address has room for; nothing is changed."""
    with service.database.read() as session:
        execution = reading.find_execution(session, execution_id, reader_of(claims))
        plate = read_plate_values(session, service.results, execution)
    return make_report(plate, body)
