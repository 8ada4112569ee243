# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading the planes of a well, one after the other, in the byte order of this machine.

Z-stacks and time series are planes like any other, and OMERO stores the colours of an RGB image as three channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import omero
from omero.gateway import BlitzGateway

from openhcs_client import FieldLayout, OpenHCSError, WellLayout

from .services import Context, context_of, project, raw_pixels

__all__ = ["PIXEL_TYPES", "Plane", "read_planes"]

PIXEL_TYPES: dict[str, np.dtype[Any]] = {
    "int8": np.dtype(">i1"),
    "uint8": np.dtype(">u1"),
    "int16": np.dtype(">i2"),
    "uint16": np.dtype(">u2"),
    "int32": np.dtype(">i4"),
    "uint32": np.dtype(">u4"),
    "float": np.dtype(">f4"),
    "double": np.dtype(">f8"),
}
"""OMERO's pixel types that have a NumPy one. Pixels cross the wire in big-endian order."""

_MOST_BYTES = 64 * 1024 * 1024
"""Planes larger than this are read in strips: OMERO's messages end at 250 MB, and memory is better used otherwise."""

_PIXELS = "select x.image.id, x.id from Pixels x where x.image.id in (:ids) order by x.id desc"


@dataclass(frozen=True)
class Plane:
    """One plane: ``pixels`` has shape (y, x) and the image's own type. Field, channel, z and t count from 1."""

    field: int
    channel: int
    z: int
    t: int
    pixels: np.ndarray


def read_planes(conn: BlitzGateway, well: WellLayout, *, most_bytes: int = _MOST_BYTES) -> Iterator[Plane]:
    """Read every plane of every field of the well: one call per plane, and one per field to open it.

    Raises:
        OpenHCSError: ``image_gone`` (404) when an image was deleted since the layout was read, ``pixels_missing`` (422) when
            OMERO has the image but not its pixels.
    """
    context = context_of(conn)
    parameters = omero.sys.ParametersI().addIds([field.image_id for field in well.fields])
    pixels_ids = dict(project(conn, _PIXELS, parameters, context))  # of several, the first (the last row) stays
    with raw_pixels(conn, context) as store:
        for field in well.fields:
            if field.image_id not in pixels_ids:
                raise OpenHCSError(
                    "image_gone",
                    f"Field {field.field} of well {well.well} is no longer in OMERO, or you may not read it.",
                    status=404,
                )
            try:
                store.setPixelsId(pixels_ids[field.image_id], True, context)
                yield from _planes_of(store, field, context, most_bytes)
            except (omero.ResourceError, omero.MissingPyramidException) as error:
                raise OpenHCSError(
                    "pixels_missing", f"OMERO cannot give the pixels of field {field.field} of well {well.well}.", status=422
                ) from error


def _planes_of(store: omero.api.RawPixelsStorePrx, field: FieldLayout, context: Context, most_bytes: int) -> Iterator[Plane]:
    dtype = PIXEL_TYPES[field.pixel_type]
    for t in range(field.size_t):
        for c in range(field.size_c):
            for z in range(field.size_z):
                pixels = _read(store, (z, c, t), (field.size_y, field.size_x), dtype, context, most_bytes)
                yield Plane(field=field.field, channel=c + 1, z=z + 1, t=t + 1, pixels=pixels)


def _read(
    store: omero.api.RawPixelsStorePrx,
    plane: tuple[int, int, int],
    shape: tuple[int, int],
    dtype: np.dtype[Any],
    context: Context,
    most_bytes: int,
) -> np.ndarray:
    height, width = shape
    if height * width * dtype.itemsize <= most_bytes:
        raw = store.getPlane(*plane, context)
        return np.frombuffer(raw, dtype).reshape(shape).astype(dtype.newbyteorder("="))
    pixels = np.empty(shape, dtype.newbyteorder("="))
    rows = max(1, most_bytes // (width * dtype.itemsize))
    for top in range(0, height, rows):
        count = min(rows, height - top)
        raw = store.getTile(*plane, 0, top, width, count, context)
        pixels[top : top + count] = np.frombuffer(raw, dtype).reshape(count, width)
    return pixels
