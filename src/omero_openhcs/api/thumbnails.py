# SPDX-License-Identifier: AGPL-3.0-or-later
"""Small pictures of all wells in one answer: ``plates/<id>/thumbnails/`` and ``executions/<id>/label-thumbnails/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from pydantic import BaseModel, ConfigDict, Field

from omero_openhcs.omero_access.plates import open_plate
from omero_openhcs.thumbnail_sheets import SheetRequest, find_sheet
from openhcs_client import LabelThumbnails

from .decorators import api_view
from .requests import read_query

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from omero_openhcs.identity import Asker

__all__ = ["image_sheet", "label_sheet"]


class _SheetQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    field: int = Field(default=1, ge=1, le=10_000)
    size: int = Field(default=64, ge=16, le=128)


class _LabelSheetQuery(_SheetQuery):
    name: str | None = Field(default=None, max_length=200)
    wells: str | None = Field(default=None, max_length=20_000)


@api_view("GET", omero=True)
def image_sheet(request: HttpRequest, asker: Asker, plate_id: int) -> HttpResponseBase:
    """A field of view of every well of a plate that the user may read. Asked again with its ETag, nothing is drawn."""
    query = read_query(request, _SheetQuery)
    plate = open_plate(asker.omero, plate_id)
    asked = SheetRequest(asker.omero, plate, asker.person.user_id, field=query.field, tile=query.size)
    etag = f'"{asked.revision}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        response = HttpResponse(find_sheet(asked), content_type="application/json")
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ("Cookie",))
    return response


@api_view("GET")
def label_sheet(request: HttpRequest, asker: Asker, execution_id: str) -> LabelThumbnails:
    """The label images of the wells that are done, or of the ``wells`` that are asked for."""
    query = read_query(request, _LabelSheetQuery)
    wells = query.wells.split(",") if query.wells else None
    return asker.service.label_thumbnails(execution_id, name=query.name, field=query.field, size=query.size, wells=wells)
