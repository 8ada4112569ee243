# SPDX-License-Identifier: AGPL-3.0-or-later
"""``pipelines/``: the built-in pipelines of the service and the users' own, kept in OMERO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from omero_openhcs import catalogue
from omero_openhcs.service.connection import service_for
from openhcs_client import OpenHCSError, PipelineDocument, ValidationReport, document_schema, read_document

from .decorators import api_view
from .requests import read_body

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["pipeline_collection", "pipeline_detail", "render", "schema", "validate"]


RENDER_TIMEOUT_MS = 50_000
"""Below the 60 s after which gunicorn gives up on a request."""


class SavePipeline(BaseModel):
    """A document to save. ``based_on`` is the version that was edited: saving is refused when there is a newer one.

    ``group_id`` is the group to save in: its permissions decide who sees the pipeline.
    """

    model_config = ConfigDict(extra="forbid")

    document: dict[str, Any]
    based_on: int | None = Field(default=None, ge=1)
    group_id: int | None = None


class RenderPipeline(BaseModel):
    """A document to show as Python."""

    model_config = ConfigDict(extra="forbid")

    document: dict[str, Any]


class ValidatePipeline(BaseModel):
    """A document to check, against the names of a plate's channels when given."""

    model_config = ConfigDict(extra="forbid")

    document: dict[str, Any]
    channels: list[str] | None = Field(default=None, max_length=100)


@api_view("GET", "POST", omero=True)
def pipeline_collection(request: HttpRequest, asker: Asker) -> dict[str, Any] | tuple[PipelineDocument, int]:
    """List the pipelines, or save a new version of one's own."""
    if request.method == "POST":
        return _save(asker, read_body(request, SavePipeline)), 201
    return {"pipelines": [line.model_dump(mode="json") for line in catalogue.list_pipelines(asker)]}


@api_view("GET", omero=True)
def pipeline_detail(request: HttpRequest, asker: Asker, pipeline_id: str) -> dict[str, Any]:
    """Every version of a pipeline, newest first."""
    versions = catalogue.read_pipeline(asker, pipeline_id)
    return {"id": pipeline_id, "versions": [document.model_dump(mode="json") for document in versions]}


@api_view("POST")
def validate(request: HttpRequest, asker: Asker) -> ValidationReport:
    """Check a document without saving it. The answer is 200 also when something is wrong with it."""
    body = read_body(request, ValidatePipeline)
    try:
        document = read_document(body.document)
    except OpenHCSError as error:
        return ValidationReport(valid=False, field_errors=error.field_errors)
    return asker.service.validate(document, body.channels)


@api_view("POST")
def render(request: HttpRequest, asker: Asker) -> dict[str, Any]:
    """The document as Python source for OpenHCS on a desktop.

    OpenHCS writes it itself, and its first start takes many seconds.
    """
    service = service_for(asker.person, timeout_ms=RENDER_TIMEOUT_MS)
    return {"python": service.render(_document(read_body(request, RenderPipeline).document))}


@api_view("GET")
def schema(request: HttpRequest, asker: Asker) -> dict[str, Any]:
    """The JSON Schema of a pipeline document."""
    return document_schema()


def _save(asker: Asker, body: SavePipeline) -> PipelineDocument:
    document = _document(body.document)
    report = asker.service.validate(document, None)
    if not report.valid:
        raise _invalid(report.field_errors)
    return catalogue.save_pipeline(asker, document, based_on=body.based_on, group_id=body.group_id)


def _document(content: dict[str, Any]) -> PipelineDocument:
    """The document in a request; its fields are told by their path in the request."""
    try:
        return read_document(content)
    except OpenHCSError as error:
        error.field_errors = _within("document", error.field_errors)
        raise


def _invalid(field_errors: dict[str, str]) -> OpenHCSError:
    return OpenHCSError(
        "invalid_pipeline",
        "The pipeline has mistakes, so it was not saved.",
        status=422,
        field_errors=_within("document", field_errors),
    )


def _within(field: str, field_errors: dict[str, str]) -> dict[str, str]:
    return {f"{field}.{path}" if path else field: problem for path, problem in field_errors.items()}
