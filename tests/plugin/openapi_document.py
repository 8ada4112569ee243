# SPDX-License-Identifier: AGPL-3.0-or-later
"""Builds ``docs/openapi.yaml`` from the models of ``openhcs_client`` and the list of operations below.

The document is written for people and their tools, and a test compares it with the models and with the addresses that the
plugin really serves. After a change::

    python -m tests.plugin.openapi_document
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import openhcs_client as models

PATH = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"
API = "/openhcs/api/v1/"

HEAD = """# SPDX-License-Identifier: AGPL-3.0-or-later
# Written by `python -m tests.plugin.openapi_document`; a test compares it with the code.
"""


@dataclass(frozen=True)
class Operation:
    """One method of one address. ``answer`` is a model, or the JSON schema of something small."""

    method: str
    path: str
    summary: str
    answer: type[BaseModel] | dict[str, Any]
    body: type[BaseModel] | dict[str, Any] | None = None
    query: dict[str, dict[str, Any]] = field(default_factory=dict)
    required_query: tuple[str, ...] = ()
    status: int = 200
    idempotent: bool = False
    binary: bool = False
    media: str = ""


def reference(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def listed(name: str, model: type[BaseModel]) -> dict[str, Any]:
    return {"type": "object", "required": [name], "properties": {name: {"type": "array", "items": reference(model)}}}


INTEGER, TEXT = {"type": "integer"}, {"type": "string"}
NUMBERS = {"field", "plate_id"}
"""Parts of addresses that are numbers."""

DOCUMENT = {"type": "object", "required": ["document"], "properties": {"document": reference(models.PipelineDocument)}}

TABLE: dict[str, dict[str, Any]] = {
    "level": {**reference(models.MeasurementLevel)},  # type: ignore[dict-item]
    "filters": {
        **TEXT,
        "description": 'JSON list of conditions that all must hold: [{"column": "area_um2", "operator": "gt", "value": 50}]. '
        "Operators: eq, ne, lt, le, gt, ge, contains (text), present, missing.",
    },
}
SORTED: dict[str, dict[str, Any]] = {
    "sort": {**TEXT, "description": "A column; the order of the plate when absent."},
    "descending": {"type": "boolean", "default": False},
}
SHEET: dict[str, dict[str, Any]] = {
    "field": {**INTEGER, "minimum": 1, "default": 1},
    "size": {**INTEGER, "minimum": 16, "maximum": 128, "default": 64, "description": "Longest side in pixels."},
}

OPERATIONS = [
    Operation("get", API + "health/", "Is the execution service well?", models.ServiceHealth),
    Operation(
        "get",
        API + "functions/",
        "The functions that steps may name; with offered=false also the others, with the reason.",
        listed("functions", models.FunctionInfo),
        query={"offered": {"type": "boolean", "default": True}},
    ),
    Operation("get", API + "functions/{function_id}/", "One function with its parameters.", models.FunctionInfo),
    Operation(
        "get",
        API + "pipelines/",
        "A page of the pipelines that you can run: the service's own, the facility's, then users' own, each by name.",
        models.PipelinePage,
        query={
            "q": {**TEXT, "maxLength": 200, "description": "Words of name, description, owner, steps, functions and tags."},
            "origin": {"type": "string", "enum": ["built-in", "facility", "user"]},
            "owner": {**TEXT, "description": "User id, or me."},
            "group": INTEGER,
            "deprecated": {"type": "boolean", "default": False, "description": "Also those that are deprecated."},
            "page": {**INTEGER, "minimum": 1, "maximum": 100_000, "default": 1},
            "limit": {**INTEGER, "minimum": 1, "maximum": 200, "default": 50},
        },
    ),
    Operation(
        "post",
        API + "pipelines/",
        "Save a pipeline, or a new version of one, as yours in OMERO. The answer carries its id and version.",
        models.PipelineDocument,
        body={
            "type": "object",
            "required": ["document"],
            "additionalProperties": False,
            "properties": {
                "document": reference(models.PipelineDocument),
                "based_on": {
                    **INTEGER,
                    "description": "The version that was edited, 0 for a new pipeline; 409 when there is a newer one.",
                },
                "group_id": {
                    **INTEGER,
                    "description": "The OMERO group for a new pipeline, by default your current one; versions stay together.",
                },
                "place": {
                    **reference(models.PipelinePlace),
                    "description": "What to attach a new pipeline to; yourself when absent.",
                },
                "as_copy": {
                    "type": "boolean",
                    "default": False,
                    "description": "Make a new pipeline of yours, whosever id the document has: for imports and rescued edits.",
                },
            },
        },
        status=201,
    ),
    Operation(
        "get",
        API + "pipelines/schema/",
        "The JSON Schema of a pipeline document.",
        {"type": "object", "additionalProperties": True},
    ),
    Operation(
        "get",
        API + "pipelines/{pipeline_id}/",
        "Every version of a pipeline, newest first, and its line of the list.",
        {
            "type": "object",
            "required": ["id", "versions", "summary"],
            "properties": {
                "id": TEXT,
                "versions": {"type": "array", "items": reference(models.PipelineDocument)},
                "summary": reference(models.PipelineSummary),
            },
        },
    ),
    Operation(
        "delete",
        API + "pipelines/{pipeline_id}/",
        "Delete it with all its versions; runs keep their record. Owner or administrator.",
        {"type": "object", "required": ["deleted"], "properties": {"deleted": TEXT}},
        query={"revision": {**INTEGER, "minimum": 0}},
        required_query=("revision",),
    ),
    Operation(
        "post",
        API + "pipelines/{pipeline_id}/copy/",
        "Make a copy of your own of any pipeline that you can read.",
        models.PipelineDocument,
        body=models.CopyPipeline,
        status=201,
    ),
    Operation(
        "post",
        API + "pipelines/{pipeline_id}/rename/",
        "Show it under another name, and with other tags. No version changes. Owner or administrator.",
        models.PipelineSummary,
        body=models.RenamePipeline,
    ),
    Operation(
        "post",
        API + "pipelines/{pipeline_id}/share/",
        "Move it with all its versions to another group of yours. Owner.",
        models.PipelineSummary,
        body=models.SharePipeline,
    ),
    Operation(
        "post",
        API + "pipelines/{pipeline_id}/deprecate/",
        "Hide it from lists, with a note, or show it again. An exact version can still be run. Owner or administrator.",
        models.PipelineSummary,
        body=models.DeprecatePipeline,
    ),
    Operation(
        "get",
        API + "pipelines/{pipeline_id}/export/",
        "The document as a file.",
        models.PipelineDocument,
        query={"version": {**INTEGER, "minimum": 1}},
    ),
    Operation(
        "post",
        API + "pipelines/validate/",
        "Check a document: by itself, against the channels of a plate, or for running it on wells of a plate with these "
        "parameters, which also estimates the run. 200 also when something is wrong with it.",
        models.ValidationReport,
        body={
            **DOCUMENT,
            "properties": {
                "document": {"type": "object"},
                "channels": {"type": "array", "items": TEXT, "maxItems": 100, "nullable": True},
                "plate_id": {"type": "integer", "minimum": 1, "nullable": True},
                "wells": {"type": "array", "items": TEXT, "maxItems": 10000, "nullable": True},
                "parameters": {"type": "object"},
            },
        },
    ),
    Operation(
        "post",
        API + "pipelines/render/",
        "The document as Python source for OpenHCS on a desktop.",
        {"type": "object", "required": ["python"], "properties": {"python": TEXT}},
        body=DOCUMENT,
    ),
    Operation(
        "post",
        API + "pipelines/import-python/",
        "What an OpenHCS script says as a document, and what became of each line that matters. The script is read, "
        "never run, and nothing is saved. 200 also when nothing of it could be read.",
        models.ImportedPipeline,
        body=models.ImportPython,
    ),
    Operation(
        "get",
        API + "pipelines/{pipeline_id}/check/",
        "What the golden wells of a version measured last, beside what is expected of them.",
        models.GoldenCheck,
        query={
            "version": {**INTEGER, "description": "The version that was run; the newest when absent."},
            "expected_by": {**INTEGER, "description": "The version whose golden wells; the same one when absent."},
        },
    ),
    Operation(
        "post",
        API + "pipelines/{pipeline_id}/check/",
        "Run each golden well as a test run. One that cannot be run is told as such; ask again to see what they measure.",
        models.GoldenCheck,
        body={
            "type": "object",
            "additionalProperties": False,
            "properties": {"version": INTEGER, "expected_by": INTEGER},
        },
        status=201,
        idempotent=True,
    ),
    Operation(
        "get",
        API + "pipelines/{pipeline_id}/check/sharing/",
        "What is known about a version that is to be shared: its golden wells, and those of the version before it.",
        models.SharingCheck,
        query={"version": INTEGER},
    ),
    Operation(
        "post",
        API + "pipelines/{pipeline_id}/golden-wells/",
        "Make a well of an execution of yours a golden well; your pipeline gets a new version, which is the answer.",
        models.PipelineDocument,
        body=models.RecordGoldenWell,
        status=201,
    ),
    Operation(
        "get",
        API + "executions/",
        "The executions that you may see, newest first.",
        models.ExecutionPage,
        query={
            "plate": INTEGER,
            "status": reference(models.ExecutionStatusName),  # type: ignore[arg-type]
            "owner": INTEGER,
            "cursor": TEXT,
            "limit": {**INTEGER, "minimum": 1, "maximum": 200, "default": 50},
        },
    ),
    Operation(
        "post",
        API + "executions/",
        "Run a pipeline on a plate you can read, in a group you are a member of; or test it on one well.",
        models.ExecutionCreated,
        body=models.SubmitExecution,
        status=201,
        idempotent=True,
    ),
    Operation("get", API + "executions/{execution_id}/", "An execution with its wells.", models.ExecutionDetail),
    Operation("get", API + "executions/{execution_id}/status/", "How far it is.", models.ExecutionStatus),
    Operation("get", "/openhcs/status/{execution_id}/", "How far it is, at a short address.", models.ExecutionStatus),
    Operation(
        "get",
        API + "executions/{execution_id}/events/",
        "What happened after the cursor; ask again with since=next.",
        models.EventPage,
        query={
            "since": {**INTEGER, "minimum": 0, "default": 0},
            "limit": {**INTEGER, "minimum": 1, "maximum": 10_000, "default": 1000},
        },
    ),
    Operation(
        "post",
        API + "executions/{execution_id}/ticket/",
        "A ticket for one live connection (WebSocket) to an execution that you may see; 404 where none are offered. Connect to "
        "its url with ?since= the cursor and the subprotocols openhcs.events.v1 and openhcs.ticket.<ticket>; each message is "
        "an EventPage.",
        models.LiveTicket,
    ),
    Operation(
        "post",
        API + "executions/{execution_id}/cancel/",
        "Stop it; wells that are done stay. Owner or administrator.",
        models.ExecutionStatus,
    ),
    Operation(
        "post",
        API + "executions/{execution_id}/pause/",
        "Begin no further well of it; wells in work are finished. Owner or administrator.",
        models.ExecutionStatus,
    ),
    Operation(
        "post",
        API + "executions/{execution_id}/resume/",
        "Let it go on after a pause. Owner or administrator.",
        models.ExecutionStatus,
    ),
    Operation(
        "post",
        API + "executions/{execution_id}/retry/",
        "Run its failed and skipped wells again, or only one kind. Owner or administrator.",
        models.ExecutionStatus,
        query={"which": {"type": "string", "enum": ["unfinished", "failed", "skipped"], "default": "unfinished"}},
    ),
    Operation(
        "post",
        API + "executions/{execution_id}/rerun/",
        "Run the same again as a new execution. Whoever may see it and run on the plate.",
        models.ExecutionCreated,
        status=201,
        idempotent=True,
    ),
    Operation(
        "post",
        API + "executions/{execution_id}/results/deletion-plan/",
        "What deleting its results from OMERO would remove, and what stays. Owner or administrator.",
        models.DeletionPlan,
    ),
    Operation(
        "post",
        API + "executions/{execution_id}/results/delete/",
        "Delete what the plan with this digest lists. It goes on by itself. Owner or administrator.",
        models.ExecutionDetail,
        body={"type": "object", "properties": {"digest": {"type": "string"}}, "required": ["digest"]},
        status=202,
    ),
    Operation("get", API + "admin/queue/", "The queue and everybody's part of it. Administrator.", models.QueueOverview),
    Operation(
        "post",
        API + "admin/limits/",
        "Change limits for everybody; null goes back to the service's setting. Administrator.",
        models.QueueOverview,
        body=models.LimitsChange,
    ),
    Operation(
        "post",
        API + "admin/users/{user_id}/limits/",
        "Change the limits of one user; null goes back to everybody's. Administrator.",
        models.QueueOverview,
        body=models.PersonLimits,
    ),
    Operation(
        "post",
        API + "admin/drain/",
        "Begin no further well and take no submissions; a note tells those who wait why. Administrator.",
        models.QueueOverview,
        body=models.DrainRequest,
    ),
    Operation(
        "post",
        API + "admin/engine/",
        "Compute with the Dask scheduler at an address, or, null, with the engine of the service's settings. Administrator.",
        models.QueueOverview,
        body=models.EngineChange,
    ),
    Operation("post", API + "admin/undrain/", "Let the queue go on. Administrator.", models.QueueOverview),
    Operation(
        "get",
        API + "admin/audit/",
        "Who did what, newest first. Administrator.",
        models.AuditPage,
        query={
            "target": TEXT,
            "user": INTEGER,
            "action": TEXT,
            "cursor": TEXT,
            "limit": {**INTEGER, "minimum": 1, "maximum": 500, "default": 50},
        },
    ),
    Operation(
        "post",
        API + "executions/{execution_id}/session/",
        "Sign in again for an execution that waits for it. Owner.",
        models.ExecutionStatus,
    ),
    Operation(
        "get",
        API + "executions/{execution_id}/measurements/",
        "A page of measurements.",
        models.MeasurementPage,
        query={
            "level": {**reference(models.MeasurementLevel)},  # type: ignore[arg-type]
            "well": TEXT,
            "cursor": TEXT,
            "limit": {**INTEGER, "minimum": 1, "maximum": 10_000, "default": 1000},
        },
    ),
    Operation(
        "get",
        API + "executions/{execution_id}/table/",
        "A page of the rows that fulfil all filters, sorted by a column; missing values come last.",
        models.TableRows,
        query={
            **TABLE,
            **SORTED,
            "offset": {**INTEGER, "minimum": 0, "default": 0},
            "limit": {**INTEGER, "minimum": 1, "maximum": 1000, "default": 100},
        },
    ),
    Operation(
        "get",
        API + "executions/{execution_id}/table/histogram/",
        "How the values of a column are spread.",
        models.ColumnHistogram,
        query={**TABLE, "column": TEXT, "bins": {**INTEGER, "minimum": 1, "maximum": 400, "default": 40}},
        required_query=("column",),
    ),
    Operation(
        "get",
        API + "executions/{execution_id}/table/points/",
        "Two columns against each other: all points, or of more than `most` a sample and the density of all.",
        models.TablePoints,
        models.WellValues,
        query={
            **TABLE,
            "x": TEXT,
            "y": TEXT,
            "most": {**INTEGER, "minimum": 1, "maximum": models.MOST_POINTS, "default": models.MOST_POINTS},
        },
        required_query=("x", "y"),
    ),
    Operation(
        "get",
        API + "executions/{execution_id}/table/wells/",
        "One number per well: the median over its objects, or the well's value where objects have no such column.",
        models.WellValues,
        query={"column": TEXT},
        required_query=("column",),
    ),
    Operation(
        "get",
        API + "executions/{execution_id}/table/download/",
        "The rows as a file. Text in CSV that a spreadsheet would take for a formula has an apostrophe in front.",
        {"type": "string", "format": "binary"},
        query={**TABLE, **SORTED, "format": {"type": "string", "enum": ["csv", "parquet"], "default": "csv"}},
        binary=True,
    ),
    Operation(
        "get",
        API + "executions/{execution_id}/passport/",
        "The run passport of an ended execution: an RO-Crate as a zip file; with `labels` also its label images.",
        {"type": "string", "format": "binary"},
        query={"labels": {"type": "boolean", "default": False}},
        binary=True,
    ),
    Operation(
        "get",
        API + "executions/{execution_id}/methods/",
        "What an ended execution did, as text for the methods section of a paper.",
        models.Methods,
    ),
    Operation(
        "get",
        API + "executions/{execution_id}/label-thumbnails/",
        "The label images of the wells that are done, or of some, as small coloured pictures in one image.",
        models.LabelThumbnails,
        query={**SHEET, "name": TEXT, "wells": {**TEXT, "description": "Only these, with commas between them."}},
    ),
    Operation(
        "get",
        API + "plates/{plate_id}/thumbnails/",
        "A field of view of every well in one image, with an ETag.",
        models.ThumbnailSheet,
        query=SHEET,
    ),
    Operation(
        "get",
        API + "executions/{execution_id}/quality/",
        "Z'-factor and other statistics so far; with a measurement of that one, with its B-scores.",
        models.QualityReport,
        query={"measurement": TEXT},
    ),
    Operation(
        "get",
        API + "executions/{execution_id}/report/",
        "The report of an execution as one HTML file that needs nothing else.",
        TEXT,
        media="text/html",
    ),
    Operation(
        "get",
        API + "plates/{plate_id}/controls/",
        "Which wells of a plate are controls, and who says so.",
        models.PlateControls,
    ),
    Operation(
        "post",
        API + "plates/{plate_id}/controls/",
        "Mark control wells, by wells or by a CSV file; no wells takes your marks away. Wrong lines are named (422).",
        models.PlateControls,
        body=models.SaveControls,
    ),
    Operation(
        "get",
        API + "executions/{execution_id}/wells/{well}/log/",
        "What the service and the engine said about a well, also while it is computed.",
        models.WellLog,
    ),
    Operation(
        "get",
        API + "executions/{execution_id}/wells/{well}/labels/",
        "The label images of a well that is done.",
        {"type": "array", "items": reference(models.LabelInfo)},
    ),
    Operation(
        "get",
        API + "executions/{execution_id}/wells/{well}/labels/{field}/{name}/",
        "A label image: little-endian int32, row by row; the header X-Shape says height,width.",
        {"type": "string", "format": "binary"},
        binary=True,
    ),
    Operation(
        "post",
        API + "zarr-addresses/",
        "Make an address by which software that is not signed in reads one image or plate as OME-Zarr for a while.",
        models.ZarrAddress,
        body=models.MakeZarrAddress,
        status=201,
    ),
]

SCHEMAS: list[type[BaseModel]] = [
    models.GoldenCheck,
    models.ImportedPipeline,
    models.ImportPython,
    models.SharingCheck,
    models.RecordGoldenWell,
    models.ServiceHealth,
    models.FunctionInfo,
    models.PipelineSummary,
    models.PipelinePage,
    models.PipelineDocument,
    models.CopyPipeline,
    models.RenamePipeline,
    models.SharePipeline,
    models.DeprecatePipeline,
    models.ValidationReport,
    models.SavingOptions,
    models.DeletionPlan,
    models.SubmitExecution,
    models.ExecutionCreated,
    models.ExecutionPage,
    models.ExecutionDetail,
    models.ExecutionStatus,
    models.EventPage,
    models.MeasurementPage,
    models.TableFilter,
    models.TableRows,
    models.ColumnHistogram,
    models.TablePoints,
    models.WellValues,
    models.ThumbnailSheet,
    models.LabelThumbnails,
    models.QualityReport,
    models.PlateControls,
    models.SaveControls,
    models.MakeZarrAddress,
    models.ZarrAddress,
    models.QueueOverview,
    models.DrainRequest,
    models.EngineChange,
    models.LimitsChange,
    models.PersonLimits,
    models.AuditPage,
    models.LabelInfo,
    models.LiveTicket,
    models.Methods,
    models.WellLog,
    models.WellLogLine,
    models.ErrorEnvelope,
]


def build() -> dict[str, Any]:
    """The whole document."""
    _, definitions = models_json_schema(
        [(model, "serialization") for model in SCHEMAS], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "OpenHCS in OMERO.web",
            "version": "1",
            "description": (
                "The JSON API of the OMERO.web plugin. It needs a signed-in OMERO.web session (cookie); requests that change "
                "something also need Django's CSRF token in the header X-CSRFToken. Addresses follow omero.web.prefix. "
                "Times are ISO 8601 in UTC. Every answer that is not a success is an ErrorEnvelope."
            ),
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "security": [{"session": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": "sessionid"}},
            "responses": {
                "Refusal": {
                    "description": (
                        "400 not JSON; 403 not signed in, not allowed; 404 not there or not readable; 409 changed meanwhile; "
                        "422 wrong values, by field; 503 the service or OMERO does not answer."
                    ),
                    "content": {"application/json": {"schema": reference(models.ErrorEnvelope)}},
                }
            },
            "schemas": dict(sorted(definitions["$defs"].items())),
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    media = operation.media or ("application/octet-stream" if operation.binary else "application/json")
    described: dict[str, Any] = {
        "summary": operation.summary,
        "parameters": _parameters(operation),
        "responses": {
            str(operation.status): {"description": "Success", "content": {media: {"schema": _schema(operation.answer)}}},
            "default": {"$ref": "#/components/responses/Refusal"},
        },
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": _schema(operation.body)}}}
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": (INTEGER if name in NUMBERS else TEXT).copy()}
        for name in names
    ]
    parameters += [
        {"name": name, "in": "query", "schema": dict(schema)} | ({"required": True} if name in operation.required_query else {})
        for name, schema in operation.query.items()
    ]
    if operation.idempotent:
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "A word of your choice; repeating the request with it returns the first execution.",
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,100}$"},
            }
        )
    return parameters


def _schema(answer: type[BaseModel] | dict[str, Any]) -> dict[str, Any]:
    return answer if isinstance(answer, dict) else reference(answer)


class _Plain(yaml.SafeDumper):
    """Writes repeated parts out instead of pointing at them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def text() -> str:
    """The document as YAML."""
    return HEAD + yaml.dump(build(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
