# SPDX-License-Identifier: AGPL-3.0-or-later
"""Finds the label images that executions saved for an image.

A label image is an ordinary OMERO image (in a result plate) with a map annotation of namespace :data:`NAMESPACE` that says
from which image, execution, field and label it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .made_images import find_made_images, provenance_of, provenance_values

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
    return [
        LabelImage(made.image_id, made.annotation_id, made.execution_id, made.values.get("label", ""), made.size)
        for made in find_made_images(conn, NAMESPACE, image_id)
    ]


def is_label_image(conn: BlitzGateway, image_id: int) -> bool:
    """Whether the pixels of the image are object numbers, so that they must not be averaged."""
    return bool(provenance_of(conn, NAMESPACE, image_id))


def origin_of_label_image(conn: BlitzGateway, image_id: int) -> LabelOrigin | None:
    """Where a label image comes from, or None when the image is not one."""
    annotations = provenance_of(conn, NAMESPACE, image_id)
    if not annotations:
        return None
    values = provenance_values(conn, annotations)[max(annotations)]
    source = values.get("source_image_id", "")
    return LabelOrigin(int(source), values.get("execution_id", "")) if source.isdecimal() else None
