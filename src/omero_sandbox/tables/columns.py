# SPDX-License-Identifier: AGPL-3.0-or-later
"""The column types of OMERO.tables: how each one lies in the HDF5 file and how its values travel over Ice.

A column is an ``omero.grid`` object with a ``name``, a ``description`` and ``values``. In the file it is one field of a
compound type: 64-bit integers for numbers and object ids, doubles, fixed-length UTF-8 text, booleans as 8-bit bit fields,
fixed-length arrays. A mask column is a compound of position and size; its bits lie in a separate, ragged array.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np
import omero
import omero.grid

__all__ = ["COLUMN_TYPES", "MASK_DTYPE", "ColumnError", "check_new", "column_length", "decode", "encode", "file_type", "make"]

COLUMN_TYPES: dict[str, type] = {
    f"::omero::grid::{name}": getattr(omero.grid, name)
    for name in (
        *("FileColumn", "ImageColumn", "WellColumn", "PlateColumn", "DatasetColumn", "RoiColumn"),
        *("BoolColumn", "DoubleColumn", "LongColumn", "StringColumn"),
        *("FloatArrayColumn", "DoubleArrayColumn", "LongArrayColumn", "MaskColumn"),
    )
}
"""Every column type by the name that the file and Ice give it."""

MASK_DTYPE = np.dtype([("i", "<i8"), ("z", "<i4"), ("t", "<i4"), ("x", "<f8"), ("y", "<f8"), ("w", "<f8"), ("h", "<f8")])
_MASK_FIELDS = {"imageId": "i", "theZ": "z", "theT": "t", "x": "x", "y": "y", "w": "w", "h": "h"}

_SCALARS = {"BoolColumn": np.dtype("u1"), "DoubleColumn": np.dtype("<f8")}
_ARRAYS = {"FloatArrayColumn": np.dtype("<f4"), "DoubleArrayColumn": np.dtype("<f8"), "LongArrayColumn": np.dtype("<i8")}
_MAX_SIZE = 1 << 16


class ColumnError(ValueError):
    """A column that cannot be stored, or whose values do not fit what the table was made for."""


def _kind(type_name: str) -> str:
    try:
        return COLUMN_TYPES[type_name].__name__
    except KeyError:
        raise ColumnError(f"{type_name} is not a column type that this OMERO knows") from None


def check_new(columns: Sequence[Any]) -> None:
    """Check the columns that a new table is to have.

    Raises:
        ColumnError: for no columns, a missing, reserved or repeated name, an unknown type, or a text or array without size.
    """
    if not columns:
        raise ColumnError("a table needs at least one column")
    seen: set[str] = set()
    for column in columns:
        if column is None or not column.name:
            raise ColumnError("every column needs a name")
        if column.name.startswith("__") or "/" in column.name or "\0" in column.name:
            raise ColumnError(f"{column.name!r} cannot be the name of a column")
        if column.name in seen:
            raise ColumnError(f"there are two columns called {column.name!r}")
        seen.add(column.name)
        kind = _kind(column.ice_staticId())
        if (kind in _ARRAYS or kind == "StringColumn") and not 1 <= column.size <= _MAX_SIZE:
            raise ColumnError(f"column {column.name!r} needs a size from 1 to {_MAX_SIZE}, not {column.size}")


def file_type(column: Any) -> h5py.h5t.TypeID:
    """Return the HDF5 type of one field of the file for ``column``."""
    kind = _kind(column.ice_staticId())
    if kind == "BoolColumn":
        return h5py.h5t.STD_B8LE  # as PyTables stores booleans; NumPy's own way would be an enumeration
    if kind == "StringColumn":
        return h5py.h5t.py_create(np.dtype(f"S{column.size}"))
    if kind in _ARRAYS:
        return h5py.h5t.array_create(h5py.h5t.py_create(_ARRAYS[kind]), (column.size,))
    if kind == "MaskColumn":
        return h5py.h5t.py_create(MASK_DTYPE)
    return h5py.h5t.py_create(_SCALARS.get(kind, np.dtype("<i8")))


def make(type_name: str, name: str, description: str, field: np.dtype) -> Any:
    """Return an empty column object for a field of the file."""
    kind = _kind(type_name)
    column = COLUMN_TYPES[type_name]()
    column.name = name
    column.description = description
    if kind == "StringColumn":
        column.size = field.itemsize
    elif kind in _ARRAYS:
        column.size = field.shape[0]
    return column


def column_length(column: Any) -> int:
    """Return how many rows ``column`` carries.

    Raises:
        ColumnError: when the parts of a mask column differ in length.
    """
    if isinstance(column, omero.grid.MaskColumn):
        lengths = {len(getattr(column, name) or ()) for name in (*_MASK_FIELDS, "bytes")}
        if len(lengths) != 1:
            raise ColumnError(f"the parts of column {column.name!r} differ in length")
        return lengths.pop()
    return len(column.values or ())


def encode(column: Any, field: np.dtype) -> np.ndarray:
    """Return the values of ``column`` as they go into ``field`` of the file (``field`` is the field's dtype there).

    Raises:
        ColumnError: when a text is too long, an array has another length, or a value is of the wrong kind.
    """
    kind = _kind(column.ice_staticId())
    try:
        if kind == "MaskColumn":
            rows = np.zeros(column_length(column), MASK_DTYPE)
            for name, part in _MASK_FIELDS.items():
                rows[part] = getattr(column, name)
            return rows
        if kind == "StringColumn":
            return _encode_texts(column, field.itemsize)
        values = np.asarray(column.values if column.values else [], dtype=field.base)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, ColumnError):
            raise
        raise ColumnError(f"the values of column {column.name!r} do not fit {kind}: {error}") from error
    expected = (column_length(column), *field.shape)
    if values.shape != expected and values.size:
        raise ColumnError(f"column {column.name!r} holds arrays of {field.shape[0] if field.shape else 1} values each")
    return values.reshape(expected)


def decode(column: Any, values: np.ndarray, masks: list[bytes] | None = None) -> None:
    """Put ``values``, read from the file, into ``column`` as plain Python values, which is what Ice sends."""
    if isinstance(column, omero.grid.MaskColumn):
        for name, part in _MASK_FIELDS.items():
            setattr(column, name, values[part].tolist())
        column.bytes = masks or []
    elif isinstance(column, omero.grid.StringColumn):
        column.values = [value.decode("utf-8", "replace") for value in values.tolist()]
    elif isinstance(column, omero.grid.BoolColumn):
        column.values = values.astype(bool).tolist()
    else:
        column.values = values.tolist()


def _encode_texts(column: Any, size: int) -> np.ndarray:
    encoded = [value.encode() for value in column.values or []]
    for value in encoded:
        if len(value) > size:
            raise ColumnError(
                f"column {column.name!r} holds texts of at most {size} bytes; {value.decode()!r} has {len(value)}"
            )
    return np.array(encoded, dtype=f"S{size}")
