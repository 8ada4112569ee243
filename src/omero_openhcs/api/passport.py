# SPDX-License-Identifier: AGPL-3.0-or-later
"""``executions/<id>/passport/`` and ``methods/``: everything that the results of an ended execution depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import StreamingHttpResponse
from pydantic import BaseModel, ConfigDict

from openhcs_client import Methods

from .decorators import api_view
from .requests import read_query

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["methods", "passport"]


class _PassportQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    labels: bool = False


@api_view("GET")
def passport(request: HttpRequest, asker: Asker, execution_id: str) -> StreamingHttpResponse:
    """An RO-Crate as a zip file, passed on as the service makes it; with ``labels`` also the label images."""
    query = read_query(request, _PassportQuery)
    blocks = asker.service.passport_blocks(execution_id, labels=query.labels)
    response = StreamingHttpResponse(blocks, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="passport-{execution_id}.zip"'
    return response


@api_view("GET")
def methods(request: HttpRequest, asker: Asker, execution_id: str) -> Methods:
    """What was done, as text for a paper."""
    return asker.service.methods(execution_id)
