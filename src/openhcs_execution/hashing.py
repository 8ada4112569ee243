# SPDX-License-Identifier: AGPL-3.0-or-later
"""Hashes of images and tables that anybody can compute again from the values, whatever file they came in.

An image: SHA-256 of one line of text, ``<dtype> <height> <width>\\n`` with the dtype as NumPy writes it (``<u2``), and the
pixels row by row, little-endian. A field: SHA-256 of one line for each of its planes in order of channel, z and t,
``<channel> <z> <t> <hash of the image>\\n``, numbers from 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

__all__ = ["array_sha256", "field_sha256"]


def array_sha256(array: np.ndarray) -> str:
    """The hash of an image of shape (y, x), in hexadecimal; the same in either byte order and memory layout.

    >>> array_sha256(np.zeros((2, 3), "<i4")) == array_sha256(np.zeros((2, 3), ">i4", order="F"))
    True
    """
    dtype = array.dtype.newbyteorder("<")
    digest = hashlib.sha256(f"{dtype.str} {' '.join(str(size) for size in array.shape)}\n".encode())
    digest.update(np.ascontiguousarray(array, dtype=dtype).data)
    return digest.hexdigest()


def field_sha256(planes: Mapping[tuple[int, int, int], str]) -> str:
    """The hash of a field from those of its planes by (channel, z, t)."""
    lines = "".join(f"{channel} {z} {t} {planes[channel, z, t]}\n" for channel, z, t in sorted(planes))
    return hashlib.sha256(lines.encode()).hexdigest()
