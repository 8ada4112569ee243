# SPDX-License-Identifier: AGPL-3.0-or-later
"""Images of TIFF and OME-TIFF files that are a fileset of their own."""

from __future__ import annotations

import hashlib
import io
import os
from typing import Any

import numpy as np
import tifffile

from openhcs_client import FieldLayout

from .axes import check_shape, in_order
from .paths import Unreadable
from .planes import KEPT_BYTES, ArrayImage, identity_of, read_whole
from .stored import StoredFile

__all__ = ["SUFFIXES", "read_tiff"]

SUFFIXES = (".tif", ".tiff", ".tf8", ".btf")

_MOST_BYTES = 512 * 2**20
"""Images larger than this are not held in memory."""

_HASHERS = {"SHA1-160": hashlib.sha1, "MD5-128": hashlib.md5}
"""OMERO's names of checksums that Python has; SHA1-160 is OMERO's default."""


def read_tiff(descriptor: int, stored: StoredFile, series: int, field: FieldLayout, dtype: np.dtype[Any]) -> ArrayImage:
    """Read image number ``series`` of a file that is open; ``dtype`` is the type of OMERO's pixels.

    Raises:
        Unreadable: when it is not the file or not the image that OMERO describes, or cannot be decoded here.
    """
    identity = identity_of(descriptor)
    size = identity[2]
    if stored.size and stored.size != size:
        raise Unreadable(f"its file has {size} bytes instead of {stored.size}")
    if size <= KEPT_BYTES:
        data = read_whole(descriptor, size)
        _check_digest(data, stored)
        array = _decode(io.BytesIO(data), series, field, dtype)
    else:
        with os.fdopen(os.dup(descriptor), "rb") as file:
            file.seek(0)
            array = _decode(file, series, field, dtype)
        if identity_of(descriptor) != identity:
            raise Unreadable("its file changed while it was read")
    return ArrayImage(identity, array)


def _check_digest(data: bytes, stored: StoredFile) -> None:
    algorithm = _HASHERS.get(stored.hasher)
    if algorithm is None or not stored.hash:
        return
    if algorithm(data, usedforsecurity=False).hexdigest() != stored.hash.lower():
        raise Unreadable("the checksum of its file is not the one that OMERO has")


def _decode(file: Any, series: int, field: FieldLayout, dtype: np.dtype[Any]) -> np.ndarray:
    try:
        # An OME-TIFF may name other files, by any path. They are not followed.
        with tifffile.TiffFile(file, _multifile=False) as tiff:
            return _image(tiff, series, field, dtype)
    except Unreadable:
        raise
    except Exception as error:  # of files by anybody, a decoder may raise anything; the reason is logged and OMERO reads it
        raise Unreadable(f"its file cannot be decoded here ({type(error).__name__})") from error


def _image(tiff: tifffile.TiffFile, series: int, field: FieldLayout, dtype: np.dtype[Any]) -> np.ndarray:
    if len(tiff.series) <= series:
        raise Unreadable(f"its file has no image number {series + 1}")
    found = tiff.series[series]
    if found.is_multifile or found.is_truncated or (found.dataoffset is None and any(page is None for page in found.pages)):
        raise Unreadable("its file does not hold all of its planes")
    if found.dtype is None or np.dtype(found.dtype).newbyteorder("=") != dtype.newbyteorder("="):
        raise Unreadable(f"its file holds {found.dtype} values")
    axes = check_shape(found.axes, found.shape, field)
    if found.nbytes > _MOST_BYTES:
        raise Unreadable("it is too large to be decoded at once")
    return in_order(found.asarray(), axes)
