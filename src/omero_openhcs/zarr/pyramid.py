# SPDX-License-Identifier: AGPL-3.0-or-later
"""Resolution levels, each half as wide and high as the one before.

Intensities are averaged over blocks of 2 x 2 pixels, so noise goes down and nothing brightens. Object numbers must not be
averaged; of each block the upper left one is kept. An odd last row or column has no partner and is left out, as most writers
of OME-Zarr do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["halve_labels", "halve_mean", "level_count", "level_size"]

SMALLEST = 256
"""Levels are added until the longer side is at most this many pixels."""

Plane = np.ndarray[Any, np.dtype[Any]]


def level_count(height: int, width: int) -> int:
    """How many levels an image of this size has, the full resolution included.

    >>> level_count(2048, 2048), level_count(256, 256), level_count(1, 5000)
    (4, 1, 1)
    """
    levels = 1
    while max(height, width) > SMALLEST and min(height, width) >= 2:
        height, width, levels = height // 2, width // 2, levels + 1
    return levels


def level_size(height: int, width: int, level: int) -> tuple[int, int]:
    """Height and width at ``level``; 0 is the full resolution."""
    return height >> level, width >> level


def halve_mean(plane: Plane) -> Plane:
    """Average blocks of 2 x 2; integers are rounded to the nearest, halves up. The type of the pixels stays."""
    blocks = _blocks(plane)
    if plane.dtype.kind == "f":
        return blocks.mean(axis=0, dtype=plane.dtype)
    # Four values of at most 32 bits never overflow 64; an arithmetic shift rounds down, also below zero.
    return ((blocks.sum(axis=0, dtype=np.int64) + 2) >> 2).astype(plane.dtype)


def halve_labels(plane: Plane) -> Plane:
    """Keep the upper left value of each block of 2 x 2."""
    return np.ascontiguousarray(_blocks(plane)[0])


def _blocks(plane: Plane) -> Plane:
    """The four pixels of each 2 x 2 block, as an array of shape (4, height // 2, width // 2)."""
    even = plane[: plane.shape[0] & ~1, : plane.shape[1] & ~1]
    return np.stack([even[::2, ::2], even[::2, 1::2], even[1::2, ::2], even[1::2, 1::2]])
