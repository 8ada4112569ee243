# SPDX-License-Identifier: AGPL-3.0-or-later
"""Planes of one image from its file, in the byte order of this machine."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from openhcs_client import FieldLayout

from .paths import Unreadable

__all__ = ["KEPT_BYTES", "ArrayImage", "Identity", "PlaneSource", "RomioImage", "identity_of", "read_whole"]

KEPT_BYTES = 64 * 2**20
"""Files up to this size are read once, checked and served from memory, so that what was checked is what is used."""

_CHUNK = 4 * 2**20

Identity = tuple[int, ...]
"""Tells that a file is still the one that it was: device, inode, size, and when content and inode changed, in ns."""


def identity_of(descriptor: int) -> Identity:
    found = os.fstat(descriptor)
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def read_whole(descriptor: int, size: int) -> bytes:
    """The first ``size`` bytes of a file.

    Raises:
        Unreadable: when it ends before.
    """
    with io.FileIO(descriptor, closefd=False) as file:
        file.seek(0)
        data = bytearray(size)
        view, done = memoryview(data), 0
        while done < size:
            count = file.readinto(view[done:])
            if not count:
                raise Unreadable("its file is shorter than it should be")
            done += count
    return bytes(data) if size < _CHUNK else data  # type: ignore[return-value]


class PlaneSource(Protocol):
    """An open image. ``identity`` changes when its file does. Indices count from 0; arrays are (y, x), native, writable."""

    identity: Identity

    def plane(self, z: int, c: int, t: int) -> np.ndarray:
        """Read one plane.

        Raises:
            Unreadable: when the file changed or ended.
        """
        ...

    def close(self) -> None: ...


class RomioImage:
    """A file of OMERO's own: every plane after the other, x fastest, then y, z, channel and time, numbers big-endian.

    That is the layout of ome.io.nio.RomioPixelBuffer, whatever the dimension order of the Pixels object says.
    """

    def __init__(self, descriptor: int, field: FieldLayout, dtype: np.dtype[Any]) -> None:
        """Take over ``descriptor``; ``dtype`` is the big-endian type of the pixels.

        Raises:
            Unreadable: when the file does not have the size of such an image.
        """
        self._descriptor = descriptor
        self._dtype = dtype
        self._field = field
        self._plane_bytes = field.size_x * field.size_y * dtype.itemsize
        self._data: memoryview | None = None
        self.identity = identity_of(descriptor)
        expected = self._plane_bytes * field.size_z * field.size_c * field.size_t
        if self.identity[2] != expected:
            raise Unreadable(f"its file has {self.identity[2]} bytes instead of {expected}")

    def sha1(self) -> str:
        """The SHA-1 of the whole file, in hexadecimal digits. A small file stays in memory from then on.

        Raises:
            Unreadable: when the file ended or changed meanwhile.
        """
        size = self.identity[2]
        digest = hashlib.sha1(usedforsecurity=False)  # OMERO records this checksum; it protects nothing
        if size <= KEPT_BYTES:
            self._data = memoryview(read_whole(self._descriptor, size))
            digest.update(self._data)
        else:
            for offset in range(0, size, _CHUNK):
                digest.update(os.pread(self._descriptor, _CHUNK, offset))
            self._unchanged()
        return digest.hexdigest()

    def plane(self, z: int, c: int, t: int) -> np.ndarray:
        field = self._field
        offset = ((t * field.size_c + c) * field.size_z + z) * self._plane_bytes
        if self._data is not None:
            raw: Any = self._data[offset : offset + self._plane_bytes]
        else:
            raw = os.pread(self._descriptor, self._plane_bytes, offset)
            self._unchanged()
            if len(raw) != self._plane_bytes:
                raise Unreadable("its file is shorter than it should be")
        return np.frombuffer(raw, self._dtype).reshape(field.size_y, field.size_x).astype(self._dtype.newbyteorder("="))

    def _unchanged(self) -> None:
        if identity_of(self._descriptor) != self.identity:
            raise Unreadable("its file changed while it was read")

    def close(self) -> None:
        os.close(self._descriptor)


@dataclass
class ArrayImage:
    """An image that was decoded as a whole. ``array`` has shape (t, c, z, y, x) and the type of the image."""

    identity: Identity
    array: np.ndarray

    def plane(self, z: int, c: int, t: int) -> np.ndarray:
        pixels = self.array[t, c, z]
        return pixels.astype(pixels.dtype.newbyteorder("="))

    def close(self) -> None:
        """Nothing is open."""
