# SPDX-License-Identifier: AGPL-3.0-or-later
"""Arrays and their chunks: what is in them, and the bytes of one chunk.

Planes of ordinary size are read from OMERO once, and they and their smaller levels are kept in memory for the neighbouring
chunks. Of large planes only the needed tiles are read: smaller levels come from OMERO where it keeps them, and are otherwise
made of the four chunks below.

Intensities travel uncompressed: compressing noise costs the server ten times more than sending it. Labels shrink a hundred
times under gzip.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from omero_openhcs.omero_access.images import ImageInfo

from .cache import PlaneCache
from .pyramid import halve_labels, halve_mean, level_count, level_size

__all__ = [
    "CHUNK",
    "ArraySpec",
    "ConnectionNeeded",
    "PixelReader",
    "Plane",
    "Pyramid",
    "array_of",
    "chunk_bytes",
    "plane_sample",
]

CHUNK = 512
"""Side of a chunk in pixels. Half the requests of 256, and still small enough to begin drawing early."""

GZIP_LEVEL = 1
LABEL_DTYPE = np.dtype("<i4")

PLANES = PlaneCache(256 << 20)

Plane = np.ndarray[Any, np.dtype[Any]]


class ConnectionNeeded(Exception):  # noqa: N818 - a signal between this module and the view, not an error
    """The pixels are not in memory, and no reader was given."""


class PixelReader(Protocol):
    """Reads pixels of one image from OMERO; ``plane`` is (t, c, z)."""

    def whole(self, plane: tuple[int, int, int]) -> Plane: ...

    def tile(self, plane: tuple[int, int, int], y: slice, x: slice, level: int) -> Plane: ...


@dataclass(frozen=True)
class Pyramid:
    """An image as a pyramid of arrays.

    ``server`` names the OMERO server, of which one OMERO.web may know several. ``object_numbers``: the pixels number objects,
    so they must not be averaged. ``as_labels``: the image is served below ``labels/``, as int32 without a channel axis.
    """

    server: str
    info: ImageInfo
    object_numbers: bool = False
    as_labels: bool = False

    @property
    def axes(self) -> str:
        return "tzyx" if self.as_labels else "tczyx"

    @property
    def dtype(self) -> np.dtype[Any]:
        return LABEL_DTYPE if self.as_labels else self.info.dtype

    @property
    def level_sizes(self) -> tuple[tuple[int, int], ...]:
        """(y, x) of every level, the full resolution first."""
        if self.uses_stored_levels:
            return self.info.stored_levels
        height, width = self.info.shape[3:]
        return tuple(level_size(height, width, level) for level in range(level_count(height, width)))

    @property
    def uses_stored_levels(self) -> bool:
        """Whether smaller levels come from OMERO; it averages, so never for object numbers."""
        return bool(self.info.stored_levels) and not self.object_numbers


@dataclass(frozen=True)
class ArraySpec:
    """What the metadata of one Zarr array says."""

    axes: str
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: np.dtype[Any]
    gzip_level: int | None


def array_of(pyramid: Pyramid, level: int) -> ArraySpec:
    """Describe the array of ``level``.

    Raises:
        IndexError: when there is no such level.
    """
    t, c, z = pyramid.info.shape[:3]
    size = pyramid.level_sizes[level]
    outer = (t, z) if pyramid.as_labels else (t, c, z)
    return ArraySpec(
        axes=pyramid.axes,
        shape=outer + size,
        chunks=(1,) * len(outer) + tuple(min(CHUNK, side) for side in size),
        dtype=pyramid.dtype,
        gzip_level=GZIP_LEVEL if pyramid.object_numbers else None,
    )


def chunk_bytes(pyramid: Pyramid, level: int, index: tuple[int, ...], reader: PixelReader | None) -> bytes:
    """Return the chunk as Zarr stores it: padded with zeros to its full size, little-endian, compressed where so declared.

    Raises:
        IndexError: when the array has no such level or chunk.
        ConnectionNeeded: when pixels must be read and there is no ``reader``.
    """
    spec = array_of(pyramid, level)
    if len(index) != len(spec.shape) or any(
        number * size >= length for number, size, length in zip(index, spec.chunks, spec.shape, strict=True)
    ):
        raise IndexError(index)
    t, *channel, z, row, column = index
    pixels = _chunk(pyramid, level, (t, channel[0] if channel else 0, z), row, column, reader)
    full = np.zeros(spec.chunks[-2:], spec.dtype)
    full[: pixels.shape[0], : pixels.shape[1]] = pixels
    content = full.tobytes()
    return gzip.compress(content, spec.gzip_level, mtime=0) if spec.gzip_level is not None else content


def plane_sample(pyramid: Pyramid, plane: tuple[int, int, int], reader: PixelReader) -> Plane:
    """Some of the pixels of a plane, to judge its intensities by: all of them, or the middle chunk of a large one."""
    if not pyramid.info.is_large:
        return _plane(pyramid, 0, plane, reader)
    height, width = pyramid.level_sizes[0]
    return _chunk(pyramid, 0, plane, height // CHUNK // 2, width // CHUNK // 2, reader)


def _chunk(
    pyramid: Pyramid, level: int, plane: tuple[int, int, int], row: int, column: int, reader: PixelReader | None
) -> Plane:
    """The pixels of a chunk without padding."""
    height, width = pyramid.level_sizes[level]
    y = slice(row * CHUNK, min(height, (row + 1) * CHUNK))
    x = slice(column * CHUNK, min(width, (column + 1) * CHUNK))
    if not pyramid.info.is_large:
        return _plane(pyramid, level, plane, reader)[y, x]

    def read() -> Plane:
        if level == 0 or pyramid.uses_stored_levels:
            return _needed(reader).tile(plane, y, x, level).astype(pyramid.dtype, copy=False)
        return _from_four(pyramid, level, plane, row, column, reader)

    return _remembered((_identity(pyramid), level, plane, row, column), read)


def _from_four(
    pyramid: Pyramid, level: int, plane: tuple[int, int, int], row: int, column: int, reader: PixelReader | None
) -> Plane:
    height, width = pyramid.level_sizes[level - 1]
    rows = [r for r in (2 * row, 2 * row + 1) if r * CHUNK < height]
    columns = [c for c in (2 * column, 2 * column + 1) if c * CHUNK < width]
    below = np.block([[_chunk(pyramid, level - 1, plane, r, c, reader) for c in columns] for r in rows])
    return _halve(pyramid)(below)


def _plane(pyramid: Pyramid, level: int, plane: tuple[int, int, int], reader: PixelReader | None) -> Plane:
    def read() -> Plane:
        if level == 0:
            return _needed(reader).whole(plane).astype(pyramid.dtype, copy=False)
        return _halve(pyramid)(_plane(pyramid, level - 1, plane, reader))

    return _remembered((_identity(pyramid), level, plane), read)


def _remembered(key: tuple[Any, ...], read: Callable[[], Plane]) -> Plane:
    found = PLANES.get(key)
    if found is None:
        found = read()
        PLANES.put(key, found)
    return found


def _identity(pyramid: Pyramid) -> tuple[Any, ...]:
    """Names the pixels, not who reads them: that was checked before. Another revision is another identity."""
    return pyramid.server, pyramid.info.pixels_id, pyramid.info.pixels_revision, pyramid.object_numbers, pyramid.dtype.str


def _halve(pyramid: Pyramid) -> Callable[[Plane], Plane]:
    return halve_labels if pyramid.object_numbers else halve_mean


def _needed(reader: PixelReader | None) -> PixelReader:
    if reader is None:
        raise ConnectionNeeded
    return reader
