# SPDX-License-Identifier: AGPL-3.0-or-later
"""``pipelines/<id>/check/`` and ``pipelines/<id>/golden-wells/``: run golden wells, look at the differences, add one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from omero_openhcs import golden_wells
from openhcs_client import GoldenCheck, PipelineDocument, RecordGoldenWell, SharingCheck

from .decorators import api_view
from .requests import idempotency_key, read_body, read_query

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["check", "record", "sharing_check"]


class _CheckedVersion(BaseModel):
    """``version`` is run (the newest when absent); the golden wells are those of ``expected_by`` (the same when absent)."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(default=None, ge=1)
    expected_by: int | None = Field(default=None, ge=1)


class _Version(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(default=None, ge=1)


@api_view("GET", "POST", omero=True)
def check(request: HttpRequest, asker: Asker, pipeline_id: str) -> GoldenCheck | tuple[GoldenCheck, int]:
    """Say what the golden wells measured last, or run them again."""
    if request.method == "GET":
        return golden_wells.read_check(asker, pipeline_id, **read_query(request, _CheckedVersion).model_dump())
    wanted = read_body(request, _CheckedVersion)
    started = golden_wells.start_check(asker, pipeline_id, **wanted.model_dump(), idempotency_key=idempotency_key(request))
    return started, 201


@api_view("GET", omero=True)
def sharing_check(request: HttpRequest, asker: Asker, pipeline_id: str) -> SharingCheck:
    """What is known about a version that is to be shared: its golden wells and those of the version before."""
    return golden_wells.read_sharing_check(asker, pipeline_id, version=read_query(request, _Version).version)


@api_view("POST", omero=True)
def record(request: HttpRequest, asker: Asker, pipeline_id: str) -> tuple[PipelineDocument, int]:
    """Make a well of an execution a golden well of the pipeline, which gets a new version."""
    return golden_wells.record_golden_well(asker, pipeline_id, read_body(request, RecordGoldenWell)), 201
