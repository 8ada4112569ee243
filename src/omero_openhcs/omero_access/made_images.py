# SPDX-License-Identifier: AGPL-3.0-or-later
"""Images that executions made of an image, found by the provenance that each of them carries.

It is a map annotation whose namespace tells the kind of image, and whose values tell from which image and by which execution
it was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import omero.gateway  # noqa: F401 - the parts of omero-py are complete only after it
from omero.rtypes import unwrap
from omero.sys import ParametersI

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["PROCESSED_NAMESPACE", "MadeImage", "find_made_images", "provenance_of", "provenance_values"]

PROCESSED_NAMESPACE = "openhcs.org/omero/processed/v1"
"""Of images as the last step of a pipeline left them; the execution service writes it."""


@dataclass(frozen=True)
class MadeImage:
    """An image that an execution made. ``size`` is (y, x), ``values`` are those of the annotation."""

    image_id: int
    annotation_id: int
    size: tuple[int, int]
    values: dict[str, str]

    @property
    def execution_id(self) -> str:
        return self.values.get("execution_id", "")


def find_made_images(conn: BlitzGateway, namespace: str, source_image_id: int) -> list[MadeImage]:
    """Return the images of a kind that were made of an image and that the user may read, the newest execution's first."""
    parameters = ParametersI()
    parameters.addString("ns", namespace)
    parameters.addString("source", str(source_image_id))
    found = _project(
        conn,
        "select a.id from MapAnnotation a join a.mapValue m "
        "where a.ns = :ns and m.name = 'source_image_id' and m.value = :source order by a.id desc",
        parameters,
    )
    if not found:
        return []
    annotation_ids = [row[0] for row in found]
    values = provenance_values(conn, annotation_ids)
    ids = ParametersI()
    ids.addIds(annotation_ids)
    rows = _project(
        conn,
        "select l.child.id, i.id, x.sizeY, x.sizeX from ImageAnnotationLink l join l.parent i join i.pixels x "
        "where l.child.id in (:ids) order by l.child.id desc, i.id desc",
        ids,
    )
    return [
        MadeImage(image_id, annotation_id, (height, width), values[annotation_id])
        for annotation_id, image_id, height, width in rows
    ]


def provenance_of(conn: BlitzGateway, namespace: str, image_id: int) -> list[int]:
    """Ids of the annotations that say that an image is of this kind."""
    parameters = ParametersI()
    parameters.addId(image_id)
    parameters.addString("ns", namespace)
    hql = "select a.id from ImageAnnotationLink l join l.child a where l.parent.id = :id and a.ns = :ns"
    return [row[0] for row in _project(conn, hql, parameters)]


def provenance_values(conn: BlitzGateway, annotation_ids: list[int]) -> dict[int, dict[str, str]]:
    """The keys and values of map annotations."""
    parameters = ParametersI()
    parameters.addIds(annotation_ids)
    values: dict[int, dict[str, str]] = {annotation_id: {} for annotation_id in annotation_ids}
    for annotation_id, name, value in _project(
        conn, "select a.id, m.name, m.value from MapAnnotation a join a.mapValue m where a.id in (:ids)", parameters
    ):
        values[annotation_id][name] = value
    return values


def _project(conn: BlitzGateway, hql: str, parameters: ParametersI) -> list[list[Any]]:
    context = conn.SERVICE_OPTS.copy()
    context.setOmeroGroup(-1)
    return [unwrap(row) for row in conn.getQueryService().projection(hql, parameters, context)]
