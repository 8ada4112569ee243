# SPDX-License-Identifier: AGPL-3.0-or-later
"""The thumbnails of a field of view of every well of a plate, asked of OMERO in a handful of calls.

OMERO draws them with the user's own rendering settings, so whose they are is a part of what they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import Ice
import omero
import omero.gateway
from omero.rtypes import rint, unwrap
from omero.sys import ParametersI

from openhcs_client import well_name

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

    from .plates import PlateSummary

__all__ = ["WellImage", "read_thumbnails", "read_well_images"]

_MOST_AT_ONCE = 400
"""Thumbnails of one call: a message of Ice has 64 MB at most, and a server should not be held for minutes."""


@dataclass(frozen=True)
class WellImage:
    """The image that stands for a well; ``revision`` changes when its pixels or the way they are shown change."""

    well: str
    pixels_id: int
    revision: str


def read_well_images(conn: BlitzGateway, plate: PlateSummary, field: int) -> list[WellImage]:
    """The ``field``-th image (from 1) of each well that has so many, in plate order."""
    rows = _project(
        conn,
        plate,
        "select w.row, w.column, index(s), x.id, x.details.updateEvent.id from Well w join w.wellSamples s join s.image i "
        "join i.pixels x where w.plate.id = :id order by w.row, w.column, index(s), x.id",
        ParametersI().addId(plate.plate_id),
    )
    by_well: dict[tuple[int, int], dict[int, tuple[int, int]]] = {}
    for row, column, index, pixels_id, event in rows:
        # An image with a second set of pixels is from software of long ago; OMERO shows the first one.
        by_well.setdefault((row, column), {}).setdefault(index, (pixels_id, event))
    found = {place: list(images.values())[field - 1] for place, images in by_well.items() if len(images) >= field}
    settings = _settings_events(conn, plate, [pixels_id for pixels_id, _event in found.values()])
    return [
        WellImage(well_name(*place), pixels_id, f"{pixels_id}.{event}.{settings.get(pixels_id, 0)}")
        for place, (pixels_id, event) in found.items()
    ]


def read_thumbnails(conn: BlitzGateway, plate: PlateSummary, images: Sequence[WellImage], size: int) -> dict[str, bytes]:
    """JPEGs by well, their longer side ``size`` pixels. Wells whose image OMERO cannot draw are left out."""
    store = conn.createThumbnailStore()
    try:
        drawn: dict[int, bytes] = {}
        for start in range(0, len(images), _MOST_AT_ONCE):
            part = [image.pixels_id for image in images[start : start + _MOST_AT_ONCE]]
            drawn |= _draw(store, part, size, _context(conn, plate))
    finally:
        store.close()
    return {image.well: drawn[image.pixels_id] for image in images if drawn.get(image.pixels_id)}


def _draw(store: Any, pixels_ids: list[int], size: int, context: Any) -> dict[int, bytes]:
    """One call for all; where an image that cannot be drawn spoils it, halves, until only that one is left out."""
    try:
        found = store.getThumbnailByLongestSideSet(rint(size), pixels_ids, context)
    except (omero.ServerError, Ice.UnknownException):
        if len(pixels_ids) <= 1:
            return {}
        half = len(pixels_ids) // 2
        return _draw(store, pixels_ids[:half], size, context) | _draw(store, pixels_ids[half:], size, context)
    return {pixels_id: bytes(picture) for pixels_id, picture in found.items() if picture}


def _settings_events(conn: BlitzGateway, plate: PlateSummary, pixels_ids: list[int]) -> dict[int, int]:
    if not pixels_ids:
        return {}
    rows = _project(
        conn,
        plate,
        "select r.pixels.id, max(r.details.updateEvent.id) from RenderingDef r where r.pixels.id in (:ids) "
        "group by r.pixels.id",
        ParametersI().addIds(pixels_ids),
    )
    return {row[0]: row[1] for row in rows}


def _project(conn: BlitzGateway, plate: PlateSummary, hql: str, parameters: ParametersI) -> list[list[Any]]:
    return [unwrap(row) for row in conn.getQueryService().projection(hql, parameters, _context(conn, plate))]


def _context(conn: BlitzGateway, plate: PlateSummary) -> Any:
    """The plate's own group: a thumbnail store does not work across groups."""
    context = conn.SERVICE_OPTS.copy()
    context.setOmeroGroup(plate.group_id)
    return context
