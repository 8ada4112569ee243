# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pipelines that ship with the service, and what can be said about any pipeline document."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from openhcs_client import (
    GoldenCheck,
    GoldenQuestion,
    ImportedPipeline,
    ImportPython,
    OpenHCSError,
    ParameterValue,
    PipelineDocument,
    PipelineSummary,
    PlateShape,
    ValidationReport,
    document_schema,
    read_document,
)
from openhcs_execution.catalogue.scripts import document_of, script_of
from openhcs_execution.checking import check_run
from openhcs_execution.engine import check_document, check_published
from openhcs_execution.queue.golden import check_golden_wells

from .authentication import ClaimsOf, ServiceOf, reader_of
from .strict_json import StrictJsonRoute

__all__ = ["router"]

router = APIRouter(prefix="/pipelines", route_class=StrictJsonRoute)

_TRIAL_WAIT_SECONDS = 2.5
"""A page that is told that the check is not complete asks again; it must not hold a worker of OMERO.web for long."""


class PipelineVersions(BaseModel):
    """Every version of a pipeline, newest first."""

    id: str
    versions: list[PipelineDocument]


class Validation(BaseModel):
    """A document to check: for a plate with these channels, or for the wells of a plate of this shape.

    With a shape, the user's ``parameters`` are applied, OpenHCS itself is asked, and the run is estimated.
    """

    model_config = ConfigDict(extra="forbid")

    document: dict[str, Any]
    channels: list[str] | None = Field(default=None, max_length=100)
    plate: PlateShape | None = None
    parameters: dict[str, ParameterValue] = Field(default_factory=dict, max_length=100)


class Rendering(BaseModel):
    """A document to render as OpenHCS source."""

    model_config = ConfigDict(extra="forbid")

    document: dict[str, Any]


@router.get("/")
async def pipelines(
    service: ServiceOf, _claims: ClaimsOf, q: Annotated[str, Query(max_length=200)] = ""
) -> dict[str, list[PipelineSummary]]:
    """The pipelines offered here; with ``q`` those that have all of its words."""
    titles = {function.id: function.title for function in service.functions.list()} if q else {}
    return {"pipelines": service.pipelines.summaries(q, titles)}


@router.get("/schema/")
async def schema(_claims: ClaimsOf) -> dict[str, Any]:
    return document_schema()


@router.get("/{pipeline_id}/")
async def pipeline(service: ServiceOf, _claims: ClaimsOf, pipeline_id: str) -> PipelineVersions:
    return PipelineVersions(id=pipeline_id, versions=service.pipelines.versions(pipeline_id))


@router.post("/validate/")
def validate(service: ServiceOf, claims: ClaimsOf, body: Validation) -> ValidationReport:
    """Say what is wrong with a document; an invalid one is an answer, not an error."""
    try:
        document = read_document(body.document)
    except OpenHCSError as error:
        return ValidationReport(valid=False, field_errors=error.field_errors)
    if body.plate is None:
        return check_published(document, body.channels)
    return check_run(
        service, document, body.parameters, body.plate, reader_of(claims), wait_seconds=_TRIAL_WAIT_SECONDS
    ).report()


@router.post("/render/")
def render(_claims: ClaimsOf, body: Rendering) -> dict[str, str]:
    document = read_document(body.document)
    report = check_document(document, None)
    if not report.valid:
        raise OpenHCSError("invalid_pipeline", "This pipeline is not valid.", status=422, field_errors=report.field_errors)
    return {"python": script_of(document)}


@router.post("/import-python/")
def import_python(_claims: ClaimsOf, body: ImportPython) -> ImportedPipeline:
    """What an OpenHCS script says as a document. The script is read, never run; one that is no Python is an answer too."""
    return document_of(body.source, body.name)


@router.post("/golden-check/")
def golden_check(service: ServiceOf, claims: ClaimsOf, body: GoldenQuestion) -> GoldenCheck:
    """What the newest test runs of golden wells measured, beside what is expected; nothing is started."""
    with service.database.read() as session:
        return check_golden_wells(session, reader_of(claims), body)
