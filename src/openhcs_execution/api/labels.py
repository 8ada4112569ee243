# SPDX-License-Identifier: AGPL-3.0-or-later
"""Label images as the service keeps them: for test wells, and before or without their copies in OMERO."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel

from openhcs_execution.queue import reading
from openhcs_execution.results.labels import list_labels, read_label_image

from .authentication import ClaimsOf, ServiceOf, reader_of

__all__ = ["router"]

router = APIRouter(prefix="/executions")


class LabelImage(BaseModel):
    """A label image of one field and, once it is saved there, its image in OMERO."""

    field: int
    name: str
    objects: int
    omero_image_id: int | None = None


@router.get("/{execution_id}/wells/{well}/labels/")
def labels(service: ServiceOf, claims: ClaimsOf, execution_id: str, well: str) -> list[LabelImage]:
    with service.database.read() as session:
        execution = reading.find_execution(session, execution_id, reader_of(claims))
        found = list_labels(session, service.results, execution, well)
    return [
        LabelImage(field=label.field, name=label.name, objects=label.objects, omero_image_id=image_id)
        for label, image_id in found
    ]


@router.get("/{execution_id}/wells/{well}/labels/{field}/{name}/")
def label_image(service: ServiceOf, claims: ClaimsOf, execution_id: str, well: str, field: int, name: str) -> Response:
    """The labels of one field: int32, little-endian, row by row; ``X-Shape`` is height and width in pixels."""
    with service.database.read() as session:
        execution = reading.find_execution(session, execution_id, reader_of(claims))
        pixels = read_label_image(session, service.results, execution, well, field, name)
    height, width = pixels.shape
    return Response(
        pixels.astype("<i4", copy=False).tobytes(),
        media_type="application/octet-stream",
        headers={"X-Shape": f"{height},{width}", "Cache-Control": "private, max-age=3600"},
    )
