# SPDX-License-Identifier: AGPL-3.0-or-later
"""The file behind one OMERO Pixels object.

OMERO keeps an image as one flat file: planes in the order XYZCT (x fastest), every number big-endian. This module is that
file: its geometry, bounds checks, reading and writing. A file is made at its full size when it is first needed, as a sparse
file, so pixels that nobody wrote yet read as zero.

Reading goes through a read-only memory map, so that a small tile of a large plane costs what the tile costs. Writing goes
through ``pwrite``: on a full disk a write into a memory map would kill the whole process with SIGBUS, while ``pwrite``
raises an ``OSError`` that the client gets to see. Both are safe to call from many threads at once.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> buffer = PixelBuffer(pixel_path(folder, 1), PixelShape(size_x=4, size_y=3), "uint16")
    >>> buffer.write_plane(0, 0, 0, np.arange(12).reshape(3, 4))
    >>> buffer.tile(0, 0, 0, x=1, y=1, width=2, height=1).tolist()
    [[5, 6]]
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = [
    "PIXEL_DTYPES",
    "PIXELS_FOLDER",
    "OutOfBoundsError",
    "PixelBuffer",
    "PixelShape",
    "pixel_dtype",
    "pixel_path",
]

PIXEL_DTYPES: dict[str, np.dtype] = {
    "bit": np.dtype(">u1"),  # one byte per pixel, 0 or 1, as OMERO's own pixel service hands it out
    "int8": np.dtype(">i1"),
    "uint8": np.dtype(">u1"),
    "int16": np.dtype(">i2"),
    "uint16": np.dtype(">u2"),
    "int32": np.dtype(">i4"),
    "uint32": np.dtype(">u4"),
    "float": np.dtype(">f4"),
    "double": np.dtype(">f8"),
    "complex": np.dtype(">c8"),
    "double-complex": np.dtype(">c16"),
}
"""OMERO's pixel types and how their numbers lie in the file."""

PIXELS_FOLDER = "Pixels"
_FILES_PER_FOLDER = 1000
_DIGEST_CHUNK = 1 << 20


class OutOfBoundsError(ValueError):
    """A plane, row or region that the image does not have, or a buffer whose length does not fit."""


def pixel_dtype(pixel_type: str) -> np.dtype:
    """Return the big-endian dtype of OMERO's ``pixel_type``.

    Raises:
        ValueError: when OMERO has no such pixel type.
    """
    try:
        return PIXEL_DTYPES[pixel_type]
    except KeyError:
        raise ValueError(f"{pixel_type!r} is not one of OMERO's pixel types") from None


def pixel_path(folder: Path, pixels_id: int) -> Path:
    """Return where the file of Pixels ``pixels_id`` lies below the data ``folder``, as in OMERO.server's binary repository.

    >>> str(pixel_path(Path("data"), 7)), str(pixel_path(Path("data"), 1234567))
    ('data/Pixels/7', 'data/Pixels/Dir-001/Dir-234/1234567')
    """
    number = int(pixels_id)
    path = Path(str(number))
    while (number := number // _FILES_PER_FOLDER) > 0:
        path = f"Dir-{number % _FILES_PER_FOLDER:03d}" / path
    return folder / PIXELS_FOLDER / path


@dataclass(frozen=True)
class PixelShape:
    """Sizes of an image in pixels, sections, channels and time points."""

    size_x: int
    size_y: int
    size_z: int = 1
    size_c: int = 1
    size_t: int = 1

    def __post_init__(self) -> None:
        for name, size in vars(self).items():
            if size < 1:
                raise ValueError(f"{name} must be at least 1, not {size}")

    @property
    def array_shape(self) -> tuple[int, int, int, int, int]:
        """The shape of the file seen as a C-ordered array: (t, c, z, y, x)."""
        return (self.size_t, self.size_c, self.size_z, self.size_y, self.size_x)


class PixelBuffer:
    """Read and write access to one pixel file. Arrays are (…, y, x) and big-endian, as they lie in the file."""

    def __init__(self, path: Path, shape: PixelShape, pixel_type: str) -> None:
        self.path = path
        self.shape = shape
        self.pixel_type = pixel_type
        self.dtype = pixel_dtype(pixel_type)

    # -- sizes and offsets, in bytes --------------------------------------------------------------------------------

    @property
    def row_size(self) -> int:
        return self.shape.size_x * self.dtype.itemsize

    @property
    def plane_size(self) -> int:
        return self.shape.size_y * self.row_size

    @property
    def stack_size(self) -> int:
        return self.shape.size_z * self.plane_size

    @property
    def timepoint_size(self) -> int:
        return self.shape.size_c * self.stack_size

    @property
    def total_size(self) -> int:
        return self.shape.size_t * self.timepoint_size

    def plane_offset(self, z: int, c: int, t: int) -> int:
        """Return where plane ``z, c, t`` starts in the file.

        Raises:
            OutOfBoundsError: when the image has no such plane.
        """
        self._check(z=z, c=c, t=t)
        return t * self.timepoint_size + c * self.stack_size + z * self.plane_size

    def row_offset(self, y: int, z: int, c: int, t: int) -> int:
        """Return where row ``y`` of plane ``z, c, t`` starts in the file."""
        self._check(y=y)
        return self.plane_offset(z, c, t) + y * self.row_size

    # -- reading ----------------------------------------------------------------------------------------------------

    def plane(self, z: int, c: int, t: int) -> np.ndarray:
        """Return one plane, shape (y, x)."""
        self._check(z=z, c=c, t=t)
        return self._map()[t, c, z]

    def tile(self, z: int, c: int, t: int, *, x: int, y: int, width: int, height: int) -> np.ndarray:
        """Return the rectangle of one plane whose upper left corner is ``x, y``, shape (height, width)."""
        self._check(z=z, c=c, t=t)
        self._check_span("x", x, width, self.shape.size_x)
        self._check_span("y", y, height, self.shape.size_y)
        return self._map()[t, c, z, y : y + height, x : x + width]

    def row(self, y: int, z: int, c: int, t: int) -> np.ndarray:
        """Return one row of a plane, shape (x,)."""
        self._check(y=y, z=z, c=c, t=t)
        return self._map()[t, c, z, y]

    def column(self, x: int, z: int, c: int, t: int) -> np.ndarray:
        """Return one column of a plane, shape (y,)."""
        self._check(x=x, z=z, c=c, t=t)
        return self._map()[t, c, z, :, x]

    def stack(self, c: int, t: int) -> np.ndarray:
        """Return all sections of a channel at a time point, shape (z, y, x)."""
        self._check(c=c, t=t)
        return self._map()[t, c]

    def timepoint(self, t: int) -> np.ndarray:
        """Return everything at a time point, shape (c, z, y, x)."""
        self._check(t=t)
        return self._map()[t]

    def hypercube(self, offset: list[int], size: list[int], step: list[int]) -> np.ndarray:
        """Return a block of the image, shape (t, c, z, y, x).

        Args:
            offset: first index in each of x, y, z, c, t.
            size: extent in each of x, y, z, c, t, before stepping.
            step: take every ``step``-th index, at least 1.
        """
        extents = self.shape.array_shape[::-1]
        if not len(offset) == len(size) == len(step) == len(extents):
            raise OutOfBoundsError("offset, size and step need five numbers each: x, y, z, c, t")
        slices = []
        for name, start, length, stride, extent in zip("xyzct", offset, size, step, extents, strict=True):
            self._check_span(name, start, length, extent)
            if stride < 1:
                raise OutOfBoundsError(f"the step in {name} must be at least 1, not {stride}")
            slices.append(slice(start, start + length, stride))
        return self._map()[tuple(reversed(slices))]

    def region(self, size: int, offset: int) -> bytes:
        """Return ``size`` bytes of the file from byte ``offset``."""
        self._check_span("byte", offset, size, self.total_size)
        with self._open() as descriptor:
            return os.pread(descriptor, size, offset)

    def sha1(self) -> bytes:
        """Return the SHA-1 digest of the whole file."""
        digest = hashlib.sha1(usedforsecurity=False)  # OMERO records this checksum; it protects nothing
        with self._open() as descriptor:
            for offset in range(0, self.total_size, _DIGEST_CHUNK):
                digest.update(os.pread(descriptor, min(_DIGEST_CHUNK, self.total_size - offset), offset))
        return digest.digest()

    # -- writing ----------------------------------------------------------------------------------------------------

    def write_plane(self, z: int, c: int, t: int, values: np.ndarray | bytes) -> None:
        """Write one plane, given as an array of shape (y, x) or as its bytes."""
        self._write(self.plane_offset(z, c, t), values, self.plane_size)

    def write_stack(self, c: int, t: int, values: np.ndarray | bytes) -> None:
        """Write all sections of a channel at a time point, shape (z, y, x)."""
        self._write(self.plane_offset(0, c, t), values, self.stack_size)

    def write_timepoint(self, t: int, values: np.ndarray | bytes) -> None:
        """Write everything at a time point, shape (c, z, y, x)."""
        self._write(self.plane_offset(0, 0, t), values, self.timepoint_size)

    def write_row(self, y: int, z: int, c: int, t: int, values: np.ndarray | bytes) -> None:
        """Write one row of a plane, shape (x,)."""
        self._write(self.row_offset(y, z, c, t), values, self.row_size)

    def write_region(self, offset: int, values: bytes) -> None:
        """Write bytes into the file from byte ``offset``."""
        self._check_span("byte", offset, len(values), self.total_size)
        self._write(offset, values, len(values))

    def write_tile(
        self, z: int, c: int, t: int, values: np.ndarray | bytes, *, x: int, y: int, width: int, height: int
    ) -> None:
        """Write the rectangle of one plane whose upper left corner is ``x, y``, shape (height, width)."""
        self._check_span("x", x, width, self.shape.size_x)
        self._check_span("y", y, height, self.shape.size_y)
        data = self._encode(values, width * height * self.dtype.itemsize)
        first = self.row_offset(y, z, c, t) + x * self.dtype.itemsize
        stride = width * self.dtype.itemsize
        with self._open() as descriptor:
            for line in range(height):
                _pwrite_all(descriptor, data[line * stride : (line + 1) * stride], first + line * self.row_size)

    # -- below ------------------------------------------------------------------------------------------------------

    def _encode(self, values: np.ndarray | bytes, expected: int) -> memoryview:
        if isinstance(values, np.ndarray):
            values = np.ascontiguousarray(values, self.dtype).tobytes()
        if len(values) != expected:
            raise OutOfBoundsError(f"got {len(values)} bytes where the image needs {expected}")
        return memoryview(values)

    def _write(self, offset: int, values: np.ndarray | bytes, expected: int) -> None:
        data = self._encode(values, expected)
        with self._open() as descriptor:
            _pwrite_all(descriptor, data, offset)

    def _check(self, **index: int) -> None:
        for name, value in index.items():
            extent = getattr(self.shape, f"size_{name}")
            if not 0 <= value < extent:
                raise OutOfBoundsError(f"{name}={value} is outside the image, which has {name} from 0 to {extent - 1}")

    @staticmethod
    def _check_span(name: str, start: int, length: int, extent: int) -> None:
        if start < 0 or length < 1 or start + length > extent:
            raise OutOfBoundsError(f"{name} from {start}, {length} long, is outside the image, which is {extent} long")

    def _open(self) -> _Descriptor:
        return _Descriptor(self._ensure_file())

    def _ensure_file(self) -> Path:
        """Make the file at its full size if it is not there yet; a concurrent maker does no harm (both only extend it)."""
        try:
            complete = self.path.stat().st_size >= self.total_size
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            complete = False
        if not complete:
            with _Descriptor(self.path) as descriptor:
                if os.fstat(descriptor).st_size < self.total_size:
                    os.ftruncate(descriptor, self.total_size)
        return self.path

    def _map(self) -> np.ndarray:
        path = self._ensure_file()
        mapped = np.memmap(path, self.dtype, "r", shape=self.shape.array_shape)
        return mapped.view(np.ndarray)


class _Descriptor:
    """A file descriptor for reading and writing that is closed on leaving the block."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> int:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._descriptor

    def __exit__(self, *exc_info: object) -> None:
        os.close(self._descriptor)


def _pwrite_all(descriptor: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, offset)
        data = data[written:]
        offset += written
