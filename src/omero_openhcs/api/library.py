# SPDX-License-Identifier: AGPL-3.0-or-later
"""``pipelines/<id>/…``: copying, renaming, sharing, deprecating and exporting a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from pydantic import BaseModel, ConfigDict, Field

from omero_openhcs import library
from omero_openhcs.catalogue import read_version
from openhcs_client import (
    CopyPipeline,
    DeprecatePipeline,
    PipelineDocument,
    PipelineSummary,
    RenamePipeline,
    SharePipeline,
)

from .decorators import api_view
from .requests import read_body, read_query

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["copy", "deprecate", "export", "rename", "share"]


class ChosenVersion(BaseModel):
    """Which version; the newest when absent."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(default=None, ge=1)


@api_view("POST", omero=True)
def copy(request: HttpRequest, asker: Asker, pipeline_id: str) -> tuple[PipelineDocument, int]:
    """Make an own copy of any readable pipeline."""
    return library.copy(asker, pipeline_id, read_body(request, CopyPipeline)), 201


@api_view("POST", omero=True)
def rename(request: HttpRequest, asker: Asker, pipeline_id: str) -> PipelineSummary:
    """Show the pipeline under another name, and with other tags."""
    return library.rename(asker, pipeline_id, read_body(request, RenamePipeline))


@api_view("POST", omero=True)
def share(request: HttpRequest, asker: Asker, pipeline_id: str) -> PipelineSummary:
    """Move the pipeline to another group."""
    return library.share(asker, pipeline_id, read_body(request, SharePipeline))


@api_view("POST", omero=True)
def deprecate(request: HttpRequest, asker: Asker, pipeline_id: str) -> PipelineSummary:
    """Hide the pipeline from lists, or show it again."""
    return library.deprecate(asker, pipeline_id, read_body(request, DeprecatePipeline))


@api_view("GET", omero=True)
def export(request: HttpRequest, asker: Asker, pipeline_id: str) -> HttpResponse:
    """The document as a file to keep or to import elsewhere."""
    document = read_version(asker, pipeline_id, read_query(request, ChosenVersion).version)
    response = HttpResponse(document.model_dump_json(indent=2) + "\n", content_type="application/json")
    # The id is made of letters, digits, hyphens and underscores, so it can be part of a file's name.
    response["Content-Disposition"] = f'attachment; filename="{document.id}.v{document.version}.json"'
    return response
