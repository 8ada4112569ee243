# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading the planes of a well, one after the other, in the byte order of this machine.

Z-stacks and time series are planes like any other, and OMERO stores the colours of an RGB image as three channels. Where a
worker sees OMERO's binary repository, planes come from its files (see :mod:`.repository`); otherwise, and for every image for
which that is not certain, from OMERO's API.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import omero
from omero.gateway import BlitzGateway

from openhcs_client import FieldLayout, OpenHCSError, WellLayout

from .repository import PlaneSource, Repository, StoredImage, Unreadable, stored_images
from .services import Context, context_of, raw_pixels

__all__ = ["PIXEL_TYPES", "Plane", "ReadTally", "read_planes"]

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

_MOST_TOGETHER = 4 * 1024 * 1024
"""Planes come in one call up to this size, which made four of 512 x 512, 8 bit, half as fast again. Beyond it the processor's
caches are worth more than the calls: four of 1080 x 1080, 16 bit, took a quarter longer together."""


@dataclass(frozen=True)
class Plane:
    """One plane: ``pixels`` has shape (y, x) and the image's own type. Field, channel, z and t count from 1."""

    field: int
    channel: int
    z: int
    t: int
    pixels: np.ndarray


@dataclass
class ReadTally:
    """How many planes came from files and how many from the API, and why images were not read from their files."""

    from_files: int = 0
    from_api: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


def read_planes(
    conn: BlitzGateway,
    well: WellLayout,
    *,
    repository: Repository | None = None,
    tally: ReadTally | None = None,
    most_bytes: int = _MOST_BYTES,
) -> Iterator[Plane]:
    """Read every plane of every field of the well: one call to open a field, and one for all its planes of a time point where
    they are small, otherwise one for each plane.

    With a ``repository`` the calls for fields that can be read from files fall away; a well then costs one call.

    Raises:
        OpenHCSError: ``image_gone`` (404) when an image was deleted since the layout was read, ``pixels_missing`` (422) when
            OMERO has the image but not its pixels.
    """
    context = context_of(conn)
    tally = ReadTally() if tally is None else tally
    images = stored_images(conn, [each.image_id for each in well.fields], context)
    with _Api(conn, context, most_bytes) as api:
        for each in well.fields:
            image = images.get(each.image_id)
            if image is None:
                raise OpenHCSError(
                    "image_gone",
                    f"Field {each.field} of well {well.well} is no longer in OMERO, or you may not read it.",
                    status=404,
                )
            try:
                source = None if repository is None else _open(repository, image, each, api, tally)
                yield from _planes_of(image, each, source, api, tally)
            except (omero.ResourceError, omero.MissingPyramidException) as error:
                raise OpenHCSError(
                    "pixels_missing", f"OMERO cannot give the pixels of field {each.field} of well {well.well}.", status=422
                ) from error


class _Api:
    """OMERO's pixel store: made when it is first needed, and told about an image once."""

    def __init__(self, conn: BlitzGateway, context: Context, most_bytes: int) -> None:
        self._conn = conn
        self._context = context
        self._most_bytes = most_bytes
        self._stores: Any = None
        self._store: Any = None
        self._pixels_id: int | None = None

    def __enter__(self) -> _Api:
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._stores is not None:
            self._stores.__exit__(*exception)

    def _opened(self, image: StoredImage) -> Any:
        if self._store is None:
            self._stores = raw_pixels(self._conn, self._context)
            self._store = self._stores.__enter__()
        if self._pixels_id != image.pixels_id:
            self._store.setPixelsId(image.pixels_id, True, self._context)
            self._pixels_id = image.pixels_id
        return self._store

    def plane(self, image: StoredImage, each: FieldLayout, z: int, c: int, t: int) -> np.ndarray:
        """One plane, in strips when it is large."""
        dtype = PIXEL_TYPES[each.pixel_type]
        height, width = each.size_y, each.size_x
        if height * width * dtype.itemsize <= self._most_bytes:
            raw = self._opened(image).getPlane(z, c, t, self._context)
            return np.frombuffer(raw, dtype).reshape(height, width).astype(dtype.newbyteorder("="))
        pixels = np.empty((height, width), dtype.newbyteorder("="))
        rows = max(1, self._most_bytes // (width * dtype.itemsize))
        for top in range(0, height, rows):
            count = min(rows, height - top)
            pixels[top : top + count] = self.rows(image, each, z, c, t, top, count)
        return pixels

    def time_point(self, image: StoredImage, each: FieldLayout, t: int) -> np.ndarray | None:
        """All planes of a time point in one call, as (c, z, y, x); None where they are too large for that.

        Also None where OMERO does not give them: its readers of some formats know single planes only.
        """
        dtype = PIXEL_TYPES[each.pixel_type]
        shape = (each.size_c, each.size_z, each.size_y, each.size_x)
        if math.prod(shape) * dtype.itemsize > min(self._most_bytes, _MOST_TOGETHER):
            return None
        try:
            raw = self._opened(image).getTimepoint(t, self._context)
        except (omero.ApiUsageException, omero.InternalException):
            return None
        return np.frombuffer(raw, dtype).reshape(shape).astype(dtype.newbyteorder("="))

    def rows(self, image: StoredImage, each: FieldLayout, z: int, c: int, t: int, top: int, count: int) -> np.ndarray:
        """Some full rows of a plane."""
        dtype = PIXEL_TYPES[each.pixel_type]
        raw = self._opened(image).getTile(z, c, t, 0, top, each.size_x, count, self._context)
        return np.frombuffer(raw, dtype).reshape(count, each.size_x).astype(dtype.newbyteorder("="))


def _open(repository: Repository, image: StoredImage, each: FieldLayout, api: _Api, tally: ReadTally) -> PlaneSource | None:
    def rows(z: int, c: int, t: int, top: int, count: int) -> np.ndarray:
        return api.rows(image, each, z, c, t, top, count)

    try:
        return repository.open(image, each, PIXEL_TYPES[each.pixel_type], rows)
    except Unreadable as reason:
        tally.reasons[str(reason)] += 1
    except OSError as error:
        tally.reasons[f"reading its file failed: {error.strerror}"] += 1
    return None


def _planes_of(
    image: StoredImage, each: FieldLayout, source: PlaneSource | None, api: _Api, tally: ReadTally
) -> Iterator[Plane]:
    try:
        for t in range(each.size_t):
            several = source is None and each.size_c * each.size_z > 1
            together = api.time_point(image, each, t) if several else None
            for c in range(each.size_c):
                for z in range(each.size_z):
                    pixels = None if source is None else _from_file(source, z, c, t, tally)
                    if pixels is None:
                        pixels = api.plane(image, each, z, c, t) if together is None else together[c, z]
                        tally.from_api += 1
                    yield Plane(field=each.field, channel=c + 1, z=z + 1, t=t + 1, pixels=pixels)
    finally:
        if source is not None:
            source.close()


def _from_file(source: PlaneSource, z: int, c: int, t: int, tally: ReadTally) -> np.ndarray | None:
    try:
        pixels = source.plane(z, c, t)
    except Unreadable as reason:
        tally.reasons[str(reason)] += 1
        return None
    except OSError as error:
        tally.reasons[f"reading its file failed: {error.strerror}"] += 1
        return None
    tally.from_files += 1
    return pixels
