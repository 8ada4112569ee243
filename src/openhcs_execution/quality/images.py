# SPDX-License-Identifier: AGPL-3.0-or-later
"""Images that deserve a second look: out of focus, saturated, or with nothing in them.

The measurements of fields say so; nothing is read from OMERO. Which columns mean what is told by their names, which are
those of the built-in functions: ``…sharpness``, ``…saturated_fraction``, ``…_count``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from openhcs_client import ImageFlag

from .robust import robust_deviation

__all__ = ["FieldRow", "flag_images"]

FEWEST_FIELDS = 8
"""Fields with a sharpness from which it is known what sharpness is usual on this plate."""

FOCUS_DEVIATIONS = 3.5
"""Robust z-score beyond which a value is an outlier (Iglewicz and Hoaglin 1993, *How to Detect and Handle Outliers*)."""

LEAST_LOSS = 0.15
"""Share of the usual sharpness that must be missing as well: on an even plate, single percents are already outliers."""

SATURATED_FRACTION = 0.001
"""Share of pixels at the brightest value that is too much: one in a thousand."""


@dataclass(frozen=True)
class FieldRow:
    """The measurements of one field; NaN where there is none. ``field`` counts from 1."""

    well: str
    field: int
    values: Mapping[str, float]


def flag_images(rows: Sequence[FieldRow]) -> list[ImageFlag]:
    """Flags in the order of the fields; a field may have several."""
    flagged = [*_out_of_focus(rows), *_saturated(rows), *_nothing_found(rows)]
    places = {(row.well, row.field): place for place, row in enumerate(rows)}
    return sorted(flagged, key=lambda flag: places[flag.well, flag.field])


def _columns(rows: Sequence[FieldRow], ending: str) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.values if name.endswith(ending)))


def _out_of_focus(rows: Sequence[FieldRow]) -> list[ImageFlag]:
    """Fields whose sharpness is far below that of the plate, by the first of the sharpness columns.

    Sharpness is a positive share, so its logarithm is compared: half as sharp is as far as twice as sharp.
    Fields in which nothing was found have no detail to be sharp, and are neither compared nor flagged.
    """
    for name in _columns(rows, "sharpness"):
        known = [row for row in rows if row.values.get(name, np.nan) > 0 and not _is_empty(row)]
        if len(known) < FEWEST_FIELDS:
            continue
        logarithms = np.log([row.values[name] for row in known])
        middle, spread = float(np.median(logarithms)), robust_deviation(logarithms)
        if spread <= 0:
            continue
        limit = min(middle - FOCUS_DEVIATIONS * spread, middle + np.log(1 - LEAST_LOSS))
        low = [row for row, value in zip(known, logarithms, strict=True) if value < limit]
        message = "Much less sharp than the other images of the plate."
        return [ImageFlag(well=row.well, field=row.field, kind="out_of_focus", message=message) for row in low]
    return []


def _saturated(rows: Sequence[FieldRow]) -> list[ImageFlag]:
    names = _columns(rows, "saturated_fraction")
    flags = []
    for row in rows:
        share = max((row.values.get(name, 0.0) for name in names), default=0.0)
        if share > SATURATED_FRACTION:
            message = f"{100 * share:.2g} % of the pixels are at the brightest value; intensities are too low there."
            flags.append(ImageFlag(well=row.well, field=row.field, kind="saturated", message=message))
    return flags


def _nothing_found(rows: Sequence[FieldRow]) -> list[ImageFlag]:
    return [
        ImageFlag(well=row.well, field=row.field, kind="nothing_found", message="No object was found in this image.")
        for row in rows
        if _is_empty(row)
    ]


def _is_empty(row: FieldRow) -> bool:
    counts = [value for name, value in row.values.items() if name.endswith("_count") and np.isfinite(value)]
    return bool(counts) and max(counts) == 0
