# SPDX-License-Identifier: AGPL-3.0-or-later
"""``pipelines/``: the built-in pipelines of the service and the users' own, kept in OMERO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from omero_openhcs import catalogue, library
from omero_openhcs.submission import check_on_plate
from openhcs_client import (
    ChangeOfPipeline,
    ImportedPipeline,
    ImportPython,
    OpenHCSError,
    ParameterValue,
    PipelineDocument,
    PipelinePage,
    PipelinePlace,
    PipelineSearch,
    PipelineSource,
    ValidationReport,
    document_schema,
    read_document,
)

from .decorators import api_view
from .requests import mentions, read_body, read_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["import_python", "pipeline_collection", "pipeline_detail", "render", "schema", "validate"]


class SavePipeline(BaseModel):
    """A document to save. ``based_on`` is the version that was edited: saving is refused when there is a newer one.

    0 stands for a new pipeline: saving is refused when there is one with this id.

    ``group_id`` is the group to save a new pipeline in: its permissions decide who sees it. ``place`` is what to attach it to.
    ``as_copy`` makes a new pipeline of the document, whosever id it has: to import a file, or to keep an edit whose pipeline
    was deleted or changed meanwhile.
    """

    model_config = ConfigDict(extra="forbid")

    document: dict[str, Any]
    based_on: int | None = Field(default=None, ge=0)
    group_id: int | None = Field(default=None, ge=0, lt=2**63)
    place: PipelinePlace | None = None
    as_copy: bool = False


class RenderPipeline(BaseModel):
    """A document to show as Python."""

    model_config = ConfigDict(extra="forbid")

    document: dict[str, Any]


class ValidatePipeline(BaseModel):
    """A document to check: by itself, against the names of a plate's channels, or for running it on wells of a plate.

    ``wells`` empty means every well with images; ``parameters`` are the values that the user set for the run.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    document: dict[str, Any]
    channels: list[str] | None = Field(default=None, max_length=100)
    plate_id: int | None = Field(default=None, ge=1, lt=2**63)
    wells: list[str] | None = Field(default=None, max_length=10_000)
    parameters: dict[str, ParameterValue] = Field(default_factory=dict, max_length=100)


@api_view("GET", "POST", omero=True)
def pipeline_collection(request: HttpRequest, asker: Asker) -> PipelinePage | tuple[PipelineDocument, int]:
    """A page of the pipelines, or save a new version of one's own."""
    if request.method == "POST":
        return _save(asker, read_body(request, SavePipeline)), 201
    search = read_query(request, PipelineSearch)
    return library.find(asker, search, library.offered_by_service(asker, search))


@api_view("GET", "DELETE", omero=True)
def pipeline_detail(request: HttpRequest, asker: Asker, pipeline_id: str) -> dict[str, Any]:
    """Every version of a pipeline, newest first, with its line of the list; or delete all of it."""
    if request.method == "DELETE":
        library.delete(asker, pipeline_id, read_query(request, ChangeOfPipeline).revision)
        return {"deleted": pipeline_id}
    versions = catalogue.read_pipeline(asker, pipeline_id)
    return {
        "id": pipeline_id,
        "versions": [document.model_dump(mode="json") for document in versions],
        "summary": library.summary(asker, pipeline_id).model_dump(mode="json"),
    }


@api_view("POST")
def _validate(request: HttpRequest, asker: Asker) -> ValidationReport:
    body = read_body(request, ValidatePipeline)
    return _report(body, lambda document: asker.service.validate(document, body.channels))


@api_view("POST", omero=True)
def _validate_on_plate(request: HttpRequest, asker: Asker) -> ValidationReport:
    body = read_body(request, ValidatePipeline)
    return _report(body, lambda document: check_on_plate(asker, document, body.plate_id or 0, body.wells, body.parameters))


def validate(request: HttpRequest) -> Any:
    """Check a document without saving it. The answer is 200 also when something is wrong with it.

    Only with a plate does this need an OMERO connection.
    """
    return _validate_on_plate(request) if mentions(request, "plate_id") else _validate(request)


def _report(body: ValidatePipeline, check: Callable[[PipelineDocument], ValidationReport]) -> ValidationReport:
    try:
        document = read_document(body.document)
    except OpenHCSError as error:
        return ValidationReport(valid=False, field_errors=error.field_errors)
    return check(document)


@api_view("POST")
def render(request: HttpRequest, asker: Asker) -> dict[str, Any]:
    """The document as Python source for OpenHCS on a desktop."""
    return {"python": asker.service.render(_document(read_body(request, RenderPipeline).document))}


@api_view("POST")
def import_python(request: HttpRequest, asker: Asker) -> ImportedPipeline:
    """What an OpenHCS script says as a document. Nothing is run or saved; what does not map is told by line, with 200."""
    body = read_body(request, ImportPython)
    return asker.service.import_python(body.source, body.name)


@api_view("GET")
def schema(request: HttpRequest, asker: Asker) -> dict[str, Any]:
    """The JSON Schema of a pipeline document."""
    return document_schema()


def _save(asker: Asker, body: SavePipeline) -> PipelineDocument:
    document = _document(body.document)
    report = asker.service.validate(document, None)
    if not report.valid:
        raise _invalid(report.field_errors)
    if body.as_copy:
        source = PipelineSource(id=document.id, version=document.version, hash=document.content_hash())
        return catalogue.save_copy(asker, document, copied_from=source, group_id=body.group_id, place=body.place)
    return catalogue.save_pipeline(asker, document, based_on=body.based_on, group_id=body.group_id, place=body.place)


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
