# SPDX-License-Identifier: AGPL-3.0-or-later
"""The run passport of an ended execution, and its methods as text."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from openhcs_client import Methods
from openhcs_execution.passport import PassportArchive, gather, methods_text, read_facts, require_ended
from openhcs_execution.queue import reading

from .authentication import ClaimsOf, ServiceOf, reader_of

__all__ = ["router"]

router = APIRouter(prefix="/executions")


@router.get("/{execution_id}/passport/")
def passport(service: ServiceOf, claims: ClaimsOf, execution_id: str, labels: bool = False) -> StreamingResponse:
    """An RO-Crate as a zip file, made while it is sent; with ``labels`` also the label images."""
    settings = service.settings
    with service.database.read() as session:
        execution = reading.find_execution(session, execution_id, reader_of(claims))
        server = f"{settings.omero_host}:{settings.omero_port}"
        gathered = gather(session, service.results, execution, server, labels=labels)
    archive = PassportArchive(
        gathered, service.functions, settings.scratch, most_label_bytes=settings.max_passport_labels_mb * 2**20
    )
    return StreamingResponse(
        archive.stream(),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="passport-{gathered.facts.run.execution_id}.zip"'},
    )


@router.get("/{execution_id}/methods/")
def methods(service: ServiceOf, claims: ClaimsOf, execution_id: str) -> Methods:
    """What was done, as text for a paper."""
    with service.database.read() as session:
        execution = reading.find_execution(session, execution_id, reader_of(claims))
        require_ended(execution)
        facts = read_facts(session, execution)
    return Methods(execution_id=facts.run.execution_id, text=methods_text(facts, service.functions))
