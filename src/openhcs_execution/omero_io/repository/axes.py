# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bringing an array with named axes into the order of OMERO's dimensions, where there is one way to do it only."""

from __future__ import annotations

import numpy as np

from openhcs_client import FieldLayout

from .paths import Unreadable

__all__ = ["check_shape", "in_order"]

_ORDER = "TCZYX"


def _sizes(field: FieldLayout) -> dict[str, int]:
    return {"T": field.size_t, "C": field.size_c, "Z": field.size_z, "Y": field.size_y, "X": field.size_x}


def check_shape(axes: str, shape: tuple[int, ...], field: FieldLayout) -> str:
    """Check that an array of ``shape`` with one letter per axis has the sizes of ``field``; return the axes by OMERO's names.

    Samples of a pixel (``S``) are channels to OMERO. One axis without a meaning is the only dimension that has its size.

    Raises:
        Unreadable: when sizes differ, or an axis could be several dimensions.
    """
    sizes = _sizes(field)
    named = list(axes)
    if "S" in named:
        if "C" in named and shape[named.index("C")] != 1 and shape[named.index("S")] != 1:
            raise Unreadable("its file has channels of several samples")
        if "C" not in named:
            named[named.index("S")] = "C"
    missing = [letter for letter in "TCZ" if letter not in named and sizes[letter] > 1]
    for position, letter in enumerate(named):
        if letter in _ORDER or shape[position] == 1:
            continue
        if len(missing) != 1 or sizes[missing[0]] != shape[position]:
            raise Unreadable("the order of the planes in its file is not certain")
        named[position] = missing.pop()
    found = {letter: size for letter, size in zip(named, shape, strict=True) if letter in _ORDER}
    if len([letter for letter in named if letter in _ORDER]) != len(found):
        raise Unreadable("the order of the planes in its file is not certain")
    if any(found.get(letter, 1) != size for letter, size in sizes.items()):
        raise Unreadable(f"its file holds planes of another shape ({axes} {shape})")
    return "".join(named)


def in_order(array: np.ndarray, axes: str) -> np.ndarray:
    """The same array, seen as (t, c, z, y, x); axes that are not among these have one element."""
    rest = [position for position, letter in enumerate(axes) if letter not in _ORDER]
    array = array.squeeze(axis=tuple(rest))
    letters = [letter for letter in axes if letter in _ORDER]
    present = [letter for letter in _ORDER if letter in letters]
    array = array.transpose([letters.index(letter) for letter in present])
    return array[tuple(slice(None) if letter in present else None for letter in _ORDER)]
