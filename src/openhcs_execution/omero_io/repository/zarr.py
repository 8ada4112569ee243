# SPDX-License-Identifier: AGPL-3.0-or-later
"""Images of OME-Zarr filesets (OME-NGFF 0.4 and 0.5): a single image, a plate, or what bioformats2raw makes."""

from __future__ import annotations

import json
import os
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import zarr
from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import LocalStore

from openhcs_client import FieldLayout

from .axes import check_shape, in_order
from .paths import Unreadable, open_below, resolve_below
from .planes import ArrayImage, Identity, identity_of, read_whole

__all__ = ["read_zarr", "zarr_root"]

_MOST_BYTES = 512 * 2**20
_MOST_METADATA = 16 * 2**20
_METADATA = frozenset({"zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"})


def zarr_root(file: PurePosixPath) -> PurePosixPath | None:
    """The folder ``….zarr`` that ``file`` lies in, or ``None``."""
    for position, part in enumerate(file.parts[:-1], start=1):
        if part.lower().endswith(".zarr"):
            return PurePosixPath(*file.parts[:position])
    return None


def read_zarr(root: Path, series: int, field: FieldLayout, dtype: np.dtype[Any]) -> ArrayImage:
    """Read image number ``series`` below ``root`` in full resolution; ``dtype`` is the type of OMERO's pixels.

    Raises:
        Unreadable: when there is no such image, it is not the one that OMERO describes, or a chunk of it is missing.
    """
    try:
        place = _image_folder(root, series)
        multiscales, identity = _multiscales(root, place)
        axes = "".join(str(axis["name"] if isinstance(axis, dict) else axis).upper() for axis in multiscales["axes"])
        dataset = _inside(place / str(multiscales["datasets"][0]["path"]))
        array = zarr.open_array(_ContainedStore(root, read_only=True), path=str(dataset), mode="r")
        if np.dtype(array.dtype).newbyteorder("=") != dtype.newbyteorder("="):
            raise Unreadable(f"its file holds {array.dtype} values")
        axes = check_shape(axes, array.shape, field)
        if array.nbytes > _MOST_BYTES:
            raise Unreadable("it is too large to be decoded at once")
        return ArrayImage(identity, in_order(np.asarray(array[...]), axes))
    except Unreadable:
        raise
    except Exception as error:  # of files by anybody, a decoder may raise anything; the reason is logged and OMERO reads it
        raise Unreadable(f"its OME-Zarr cannot be decoded here ({type(error).__name__})") from error


def _image_folder(root: Path, series: int) -> PurePosixPath:
    """Where image number ``series`` lies below ``root``: images of a plate count by well, as listed, and then by field."""
    attributes, _ = _attributes(root, PurePosixPath())
    if "plate" in attributes:
        for well in attributes["plate"]["wells"]:
            folder = _inside(PurePosixPath(str(well["path"])))
            images = _attributes(root, folder)[0]["well"]["images"]
            if series < len(images):
                return _inside(folder / str(images[series]["path"]))
            series -= len(images)
        raise Unreadable("its OME-Zarr has no such image")
    if "multiscales" in attributes:
        if series:
            raise Unreadable("its OME-Zarr has no such image")
        return PurePosixPath()
    if "bioformats2raw.layout" in attributes:
        return PurePosixPath(str(series))
    raise Unreadable("its OME-Zarr is of no known kind")


def _inside(path: PurePosixPath) -> PurePosixPath:
    if path.is_absolute() or ".." in path.parts:
        raise Unreadable("its OME-Zarr leads out of its folder")
    return path


def _multiscales(root: Path, folder: PurePosixPath) -> tuple[dict[str, Any], Identity]:
    attributes, identity = _attributes(root, folder)
    return attributes["multiscales"][0], identity


def _attributes(root: Path, folder: PurePosixPath) -> tuple[dict[str, Any], Identity]:
    """The attributes of a group: in ``.zattrs`` (Zarr 2), or in ``zarr.json`` below ``ome`` (Zarr 3)."""
    name = ".zattrs" if (root / folder / ".zattrs").exists() else "zarr.json"
    descriptor = open_below(root, folder / name)
    try:
        identity = identity_of(descriptor)
        if identity[2] > _MOST_METADATA:
            raise Unreadable("the description of its OME-Zarr is too long")
        content = json.loads(read_whole(descriptor, identity[2]))
    finally:
        os.close(descriptor)
    if name == ".zattrs":
        return content, identity
    attributes = content.get("attributes", {})
    return attributes.get("ome", attributes), identity


class _ContainedStore(LocalStore):
    """A store that follows no link out of its folder, and has no missing chunks.

    A chunk that is not there reads as the fill value, by the specification. Here it may as well have been lost.
    """

    async def get(
        self, key: str, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        return await super().get(key, prototype, byte_range) if self._is_there(key) else None

    def get_sync(
        self, key: str, *, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        return super().get_sync(key, prototype=prototype, byte_range=byte_range) if self._is_there(key) else None

    def _is_there(self, key: str) -> bool:
        if PurePosixPath(key).name in _METADATA and not (self.root / key).exists():
            return False  # of the other version of Zarr, which is tried first
        resolve_below(self.root, key)
        return True
