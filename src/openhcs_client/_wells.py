# SPDX-License-Identifier: AGPL-3.0-or-later
"""Well names as people write them on a plate.

    >>> well_name(row=0, column=0)
    'A01'
    >>> well_name(row=31, column=47)
    'AF48'
    >>> well_position("AF48")
    (31, 47)

Rows and columns are counted from zero, as OMERO stores them; names use letters for the row and at least two digits for the
column, so that they sort and read the same way in tables, file names and pages.
"""

from __future__ import annotations

import re

__all__ = ["WELL_NAME_PATTERN", "well_name", "well_position"]

WELL_NAME_PATTERN = r"^[A-Z]{1,2}[0-9]{2,3}$"
"""What a normalised well name looks like; up to 702 rows and 999 columns."""

_SPLIT = re.compile(r"^([A-Z]{1,2})0*([1-9][0-9]{0,2})$")


def well_name(row: int, column: int) -> str:
    """Name the well at zero-based ``row`` and ``column``.

    Raises:
        ValueError: when a number is negative or beyond row ``ZZ`` or column 999.
    """
    if not 0 <= row < 26 * 27 or not 0 <= column < 999:
        raise ValueError(f"no well at row {row}, column {column}")
    first, last = divmod(row, 26)
    letters = (chr(ord("A") + first - 1) if first else "") + chr(ord("A") + last)
    return f"{letters}{column + 1:02d}"


def well_position(name: str) -> tuple[int, int]:
    """Return the zero-based ``(row, column)`` of a well name such as ``A1``, ``a01`` or ``AF48``.

    Raises:
        ValueError: when ``name`` is not the name of a well.
    """
    match = _SPLIT.match(name.strip().upper())
    if match is None:
        raise ValueError(f"{name!r} is not the name of a well")
    letters, digits = match.groups()
    row = 0
    for letter in letters:
        row = row * 26 + ord(letter) - ord("A") + 1
    return row - 1, int(digits) - 1
