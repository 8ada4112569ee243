# SPDX-License-Identifier: AGPL-3.0-or-later
"""Objects as ROIs on images, each once per execution: a ROI is named after its label and number, and looked for by that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import omero
from omero.gateway import BlitzGateway
from omero.rtypes import rdouble, rint, rstring

from openhcs_client import RoiKind
from openhcs_execution.results.outlines import Mask, Polygon, masks_of, polygons_of

from .services import Context, context_of, project
from .target import Mark, ResultTarget

__all__ = ["ObjectsOnImage", "may_draw_on", "present_images", "save_rois"]

_AT_ONCE = 500
"""ROIs in one transaction, so that neither side holds a whole crowded field in memory."""

_FOUND = (
    "select r.name from Roi r where r.image.id = :image and r.description = :mark and r.details.owner.id = :owner order by r.id"
)
_IDS_AT_ONCE = 1000
_PRESENT = "select i.id from Image i where i.id in (:ids)"
_IMAGES = "select i from Image i where i.id in (:ids)"

_YELLOW = (255, 255, 0)
_OPAQUE, _FAINT, _CLEAR = 255, 80, 0


@dataclass(frozen=True)
class ObjectsOnImage:
    """Which objects of a label image are drawn on which image. ``labels`` is a ``.npy`` of shape (y, x)."""

    image_id: int
    label: str
    labels: Path
    numbers: Sequence[int]


def may_draw_on(conn: BlitzGateway, image_ids: Sequence[int], group_id: int) -> bool:
    """Whether OMERO lets this session's user add ROIs to every one of these images."""
    parameters = omero.sys.ParametersI().addIds(list(image_ids))
    images = conn.c.sf.getQueryService().findAllByQuery(_IMAGES, parameters, context_of(conn, group_id))
    return len(images) == len(set(image_ids)) and all(image.details.permissions.canAnnotate() for image in images)


def present_images(conn: BlitzGateway, image_ids: Sequence[int], group_id: int) -> set[int]:
    """Those of the images that are still in OMERO, for this session's user."""
    present: set[int] = set()
    for start in range(0, len(image_ids), _IDS_AT_ONCE):
        parameters = omero.sys.ParametersI().addIds(list(image_ids[start : start + _IDS_AT_ONCE]))
        present |= {row[0] for row in project(conn, _PRESENT, parameters, context_of(conn, group_id))}
    return present


def save_rois(conn: BlitzGateway, target: ResultTarget, kind: RoiKind, objects: Sequence[ObjectsOnImage]) -> None:
    """Draw the objects that are not drawn yet. Repeatable: after a crash only what is missing is added."""
    context = context_of(conn, target.plate.group_id)
    known: dict[int, set[str]] = {}
    for each in objects:
        if each.image_id not in known:
            known[each.image_id] = _drawn(conn, target, each.image_id, context)
        missing = [number for number in each.numbers if _name(each.label, number) not in known[each.image_id]]
        if not missing:
            continue
        array = np.load(each.labels, allow_pickle=False)
        shapes: Iterator[Mask | Polygon] = (masks_of if kind is RoiKind.MASKS else polygons_of)(array, missing)
        while batch := list(islice(shapes, _AT_ONCE)):
            rois = [_roi(target, each, shape) for shape in batch]
            conn.c.sf.getUpdateService().saveCollection(rois, context)


def _drawn(conn: BlitzGateway, target: ResultTarget, image_id: int, context: Context) -> set[str]:
    parameters = omero.sys.ParametersI().addLong("image", image_id).addLong("owner", target.user_id)
    parameters.addString("mark", target.mark(Mark.ROI))
    return {row[0] for row in project(conn, _FOUND, parameters, context)}


def _name(label: str, number: int) -> str:
    return f"{label} {number}"


def _roi(target: ResultTarget, objects: ObjectsOnImage, shape: Mask | Polygon) -> omero.model.Roi:
    roi = omero.model.RoiI()
    roi.setName(rstring(_name(objects.label, shape.number)))
    roi.setDescription(rstring(target.mark(Mark.ROI)))
    roi.setImage(omero.model.ImageI(objects.image_id, False))
    for part in _masks(shape) if isinstance(shape, Mask) else _polygons(shape):
        part.setTextValue(rstring(str(shape.number)))
        part.setStrokeColor(rint(_colour(_OPAQUE)))
        roi.addShape(part)
    return roi


def _masks(mask: Mask) -> list[Any]:
    shape = omero.model.MaskI()
    for put, value in (
        (shape.setX, mask.x),
        (shape.setY, mask.y),
        (shape.setWidth, mask.width),
        (shape.setHeight, mask.height),
    ):
        put(rdouble(float(value)))
    shape.setBytes(mask.bits)
    shape.setFillColor(rint(_colour(_FAINT)))
    return [shape]


def _polygons(polygon: Polygon) -> list[Any]:
    shapes = []
    for outline in polygon.outlines:
        shape = omero.model.PolygonI()
        shape.setPoints(rstring(" ".join(f"{x:.2f},{y:.2f}" for x, y in outline)))
        shape.setFillColor(rint(_colour(_CLEAR)))
        shapes.append(shape)
    return shapes


def _colour(alpha: int) -> int:
    """OMERO's colours: red, green, blue and alpha in a 32-bit number with a sign."""
    return int.from_bytes(bytes((*_YELLOW, alpha)), "big", signed=True)
