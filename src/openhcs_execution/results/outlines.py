# SPDX-License-Identifier: AGPL-3.0-or-later
"""Objects of a label image as shapes that OMERO can draw: outlines as polygons, or masks that are exact to the pixel.

Coordinates are OMERO's: x to the right, y down, in pixels, and the centre of the first pixel at (0.5, 0.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.measure import approximate_polygon, find_contours

__all__ = ["Mask", "Polygon", "masks_of", "object_numbers", "polygons_of"]

_TOLERANCE = 0.3
"""Pixels that a simplified outline may be off. It stays below one half, so every pixel's centre keeps its side, or nearly."""


@dataclass(frozen=True)
class Mask:
    """The pixels of an object: ``bits`` are those of its bounding box row by row, most significant bit first."""

    number: int
    x: int
    y: int
    width: int
    height: int
    bits: bytes


@dataclass(frozen=True)
class Polygon:
    """The outer outlines of an object, one for each of its parts, as arrays of (x, y). Holes are filled."""

    number: int
    outlines: tuple[np.ndarray, ...]


def object_numbers(labels: np.ndarray) -> list[int]:
    """The numbers of the objects in a label image of shape (y, x); 0 is background."""
    return [int(number) for number in np.unique(labels) if number > 0]


def masks_of(labels: np.ndarray, numbers: list[int]) -> Iterator[Mask]:
    """The masks of these objects, in this order."""
    for number, (rows, columns), inside in _boxes(labels, numbers):
        height, width = inside.shape
        yield Mask(number, columns.start, rows.start, width, height, np.packbits(inside).tobytes())


def polygons_of(labels: np.ndarray, numbers: list[int]) -> Iterator[Polygon]:
    """The outlines of these objects, in this order, halfway between the pixels inside and those outside."""
    for number, (rows, columns), inside in _boxes(labels, numbers):
        filled = np.pad(ndimage.binary_fill_holes(inside), 1)
        outlines = []
        for contour in find_contours(filled.astype(np.float32), 0.5):
            simple = approximate_polygon(contour, _TOLERANCE)
            points = (simple if len(simple) > 3 else contour)[:-1]  # a polygon closes by itself
            # The padding moved everything by one pixel; centres of pixels are at halves.
            outlines.append(points[:, ::-1] + (columns.start - 0.5, rows.start - 0.5))
        yield Polygon(number, tuple(outlines))


def _boxes(labels: np.ndarray, numbers: list[int]) -> Iterator[tuple[int, tuple[slice, slice], np.ndarray]]:
    """Each object with its bounding box and what of the box it fills."""
    ordered, compact = np.unique(labels, return_inverse=True)
    # Numbers may have gaps of any size; find_objects would make a list as long as the largest one.
    boxes = ndimage.find_objects(compact.reshape(labels.shape) + 1)
    places = {int(number): place for number, place in zip(ordered, boxes, strict=True)}
    for number in numbers:
        place = places[number]
        yield number, place, labels[place] == number
