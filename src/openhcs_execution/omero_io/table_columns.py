# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a table of measurements to the typed columns of an OMERO.table.

Names of measurement columns become Python identifiers, as OMERO's table queries can name nothing else. Numbers with missing
values become doubles with NaN: a table has no other way to say *nothing here*, and zero would be a measurement.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import omero.grid
import pandas as pd

__all__ = ["PlacedField", "column_chunks", "identifiers"]

WELL, IMAGE, WELL_NAME, FIELD = "Well", "Image", "Well Name", "Field"

_KEYS = ("well", "field")


@dataclass(frozen=True)
class PlacedField:
    """The OMERO ids that a row of measurements of one field points at."""

    well_id: int
    image_id: int


def column_chunks(
    table: pd.DataFrame, places: Mapping[tuple[str, int], PlacedField], rows: int
) -> Iterator[list[omero.grid.Column]]:
    """Yield the columns of the table, ``rows`` rows at a time; an empty table gives one chunk without rows.

    Args:
        table: One row per field, with the columns ``well`` and ``field`` and any number of measurements.
        places: Where each ``(well, field)`` is in OMERO.
        rows: Length of a chunk.

    Raises:
        KeyError: when a row names a field that ``places`` does not have.
    """
    keys = list(zip(table["well"].astype(str), table["field"].astype(int), strict=True))
    measurements = table.drop(columns=list(_KEYS))
    names = identifiers(list(measurements.columns))
    widths = {column: _width(measurements[column]) for column in measurements if _is_text(measurements[column])}
    whole = {column for column in measurements if column not in widths and _is_whole(measurements[column])}
    name_width = max((len(well) for well, _field in keys), default=1)
    for start in range(0, max(len(keys), 1), rows):
        part = keys[start : start + rows]
        columns: list[omero.grid.Column] = [
            omero.grid.WellColumn(WELL, "", [places[key].well_id for key in part]),
            omero.grid.ImageColumn(IMAGE, "", [places[key].image_id for key in part]),
            omero.grid.StringColumn(WELL_NAME, "", name_width, [well for well, _field in part]),
            omero.grid.LongColumn(FIELD, "", [field for _well, field in part]),
        ]
        for column, name in zip(measurements.columns, names, strict=True):
            values = measurements[column].iloc[start : start + rows]
            if column in widths:
                columns.append(
                    omero.grid.StringColumn(name, "", widths[column], ["" if _missing(v) else str(v) for v in values])
                )
            elif column in whole:
                columns.append(omero.grid.LongColumn(name, "", [int(value) for value in values]))
            else:
                numbers = pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)
                columns.append(omero.grid.DoubleColumn(name, "", numbers.tolist()))
        yield columns


def identifiers(names: list[str]) -> list[str]:
    """Unique Python identifiers of plain letters for column names, as close to them as can be.

    >>> identifiers(["area (µm²)", "2nd", "class", "Well", "x", "x"])
    ['area_um2', 'c_2nd', 'class_', 'Well_2', 'x', 'x_2']
    """
    taken = {WELL, IMAGE, FIELD}
    found = []
    for name in names:
        plain = unicodedata.normalize("NFKD", name.replace("µ", "u").replace("μ", "u")).encode("ascii", "ignore").decode()
        base = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_") or "column"
        if base[0].isdigit():
            base = f"c_{base}"
        if keyword.iskeyword(base):
            base = f"{base}_"
        unique, number = base, 2
        while unique in taken:
            unique, number = f"{base}_{number}", number + 1
        taken.add(unique)
        found.append(unique)
    return found


def _is_text(values: pd.Series) -> bool:
    numeric = pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)
    return bool(not numeric and values.notna().any())


def _is_whole(values: pd.Series) -> bool:
    kind = pd.api.types.is_integer_dtype(values) or pd.api.types.is_bool_dtype(values)
    return bool(kind and not values.isna().any())


def _width(values: pd.Series) -> int:
    """Bytes of the longest text; an OMERO.table fixes the width of a text column when it is made."""
    return max(1, *(len(str(value).encode()) for value in values if not _missing(value)))


def _missing(value: object) -> bool:
    return bool(pd.isna(value))  # type: ignore[call-overload]
