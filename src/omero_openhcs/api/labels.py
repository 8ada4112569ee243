# SPDX-License-Identifier: AGPL-3.0-or-later
"""``executions/<id>/wells/<well>/labels/``: label images, also of test runs and before they are in OMERO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse

from .decorators import api_view

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["label_image", "label_list"]


@api_view("GET")
def label_list(request: HttpRequest, asker: Asker, execution_id: str, well: str) -> list[dict[str, Any]]:
    """The label images of a well that is done."""
    return [label.model_dump(mode="json") for label in asker.service.labels(execution_id, well)]


@api_view("GET")
def label_image(request: HttpRequest, asker: Asker, execution_id: str, well: str, field: int, name: str) -> HttpResponse:
    """The pixels: little-endian int32, row by row; the header ``X-Shape`` says ``height,width``."""
    image = asker.service.label_image(execution_id, well, field, name)
    response = HttpResponse(image.data, content_type="application/octet-stream")
    response["X-Shape"] = f"{image.shape[0]},{image.shape[1]}"
    return response
