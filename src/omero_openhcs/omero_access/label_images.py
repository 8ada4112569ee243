# SPDX-License-Identifier: AGPL-3.0-or-later
"""Finds the label images that executions saved for an image, by the provenance that each label image carries.

A label image is an ordinary OMERO image (in a result plate) with a map annotation of namespace :data:`NAMESPACE` that says
from which image, execution, field and label it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import omero.gateway  # noqa: F401 - the parts of omero-py are complete only after it
from omero.rtypes import unwrap
from omero.sys import ParametersI

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["NAMESPACE", "LabelImage", "LabelOrigin", "find_label_images", "is_label_image", "origin_of_label_image"]

NAMESPACE = "openhcs.org/omero/label/v1"
"""Namespace of the annotation; the execution service writes it."""


@dataclass(frozen=True)
class LabelImage:
    """A label image of a source image. ``size`` is (y, x)."""

    image_id: int
    annotation_id: int
    execution_id: str
    name: str
    size: tuple[int, int]


@dataclass(frozen=True)
class LabelOrigin:
    """Of which image, by which execution, a label image was made."""

    source_image_id: int
    execution_id: str


def find_label_images(conn: BlitzGateway, image_id: int) -> list[LabelImage]:
    """Return the label images of ``image_id`` that the user may read, those of the newest execution first."""
    parameters = ParametersI()
    parameters.addString("ns", NAMESPACE)
    parameters.addString("source", str(image_id))
    found = _project(
        conn,
        "select a.id from MapAnnotation a join a.mapValue m "
        "where a.ns = :ns and m.name = 'source_image_id' and m.value = :source order by a.id desc",
        parameters,
    )
    if not found:
        return []
    annotation_ids = [row[0] for row in found]
    facts = _facts(conn, annotation_ids)
    ids = ParametersI()
    ids.addIds(annotation_ids)
    rows = _project(
        conn,
        "select l.child.id, i.id, x.sizeY, x.sizeX from ImageAnnotationLink l join l.parent i join i.pixels x "
        "where l.child.id in (:ids) order by l.child.id desc, i.id desc",
        ids,
    )
    return [
        LabelImage(
            image_id=label_image_id,
            annotation_id=annotation_id,
            execution_id=facts[annotation_id].get("execution_id", ""),
            name=facts[annotation_id].get("label", ""),
            size=(height, width),
        )
        for annotation_id, label_image_id, height, width in rows
    ]


def is_label_image(conn: BlitzGateway, image_id: int) -> bool:
    """Whether the pixels of the image are object numbers, so that they must not be averaged."""
    return bool(_annotations_of(conn, image_id))


def origin_of_label_image(conn: BlitzGateway, image_id: int) -> LabelOrigin | None:
    """Where a label image comes from, or None when the image is not one."""
    annotations = _annotations_of(conn, image_id)
    if not annotations:
        return None
    facts = _facts(conn, annotations)[max(annotations)]
    source = facts.get("source_image_id", "")
    return LabelOrigin(int(source), facts.get("execution_id", "")) if source.isdecimal() else None


def _annotations_of(conn: BlitzGateway, image_id: int) -> list[int]:
    parameters = ParametersI()
    parameters.addId(image_id)
    parameters.addString("ns", NAMESPACE)
    hql = "select a.id from ImageAnnotationLink l join l.child a where l.parent.id = :id and a.ns = :ns"
    return [row[0] for row in _project(conn, hql, parameters)]


def _facts(conn: BlitzGateway, annotation_ids: list[int]) -> dict[int, dict[str, str]]:
    """The keys and values of map annotations."""
    parameters = ParametersI()
    parameters.addIds(annotation_ids)
    facts: dict[int, dict[str, str]] = {annotation_id: {} for annotation_id in annotation_ids}
    for annotation_id, name, value in _project(
        conn, "select a.id, m.name, m.value from MapAnnotation a join a.mapValue m where a.id in (:ids)", parameters
    ):
        facts[annotation_id][name] = value
    return facts


def _project(conn: BlitzGateway, hql: str, parameters: ParametersI) -> list[list[Any]]:
    context = conn.SERVICE_OPTS.copy()
    context.setOmeroGroup(-1)
    return [unwrap(row) for row in conn.getQueryService().projection(hql, parameters, context)]
