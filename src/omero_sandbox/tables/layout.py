# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where things lie inside the HDF5 file of a table: the layout of OMERO.server's own tables (its version 2).

=============================  ==========================================================================================
``/OME/Measurements``          the rows: a compound dataset with one field per column; metadata are its attributes
``/OME/ColumnTypes``           the Ice type of each column
``/OME/ColumnDescriptions``    the description of each column
``/OME/Measurements_masks``    the bits of mask columns: one ragged row per table row and mask column
=============================  ==========================================================================================

The attributes that PyTables looks for are written too, so that OMERO.server and PyTables open the file as their own.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from omero_sandbox.tables import columns as column_types
from omero_sandbox.tables.columns import ColumnError

__all__ = [
    "TABLE",
    "Scalar",
    "TableError",
    "add_column",
    "append_masks",
    "check_metadata_key",
    "create",
    "headers_of",
    "is_mask",
    "metadata_keys",
    "plain_value",
    "read_masks",
]

Scalar = str | int | float

TABLE = "OME/Measurements"

_FORMAT_VERSION = "2"
_MASKS = "Measurements_masks"
_PRIVATE_ATTRIBUTES = ("CLASS", "VERSION", "TITLE", "NROWS", "FILTERS", "FLAVOR")


class TableError(ValueError):
    """A request that does not fit the table: not initialised, a row or column that is not there, a file that is no table."""


def check_metadata_key(key: str) -> None:
    """Raise TableError when ``key`` cannot name metadata of a user."""
    if not key or key.startswith(("__", "FIELD_", "AUTO_")) or key in _PRIVATE_ATTRIBUTES:
        raise TableError(f"{key!r} is a reserved name")


def create(file: h5py.File, columns: Sequence[Any]) -> None:
    """Write an empty table with ``columns``, checked before, into an empty file."""
    group = file.create_group("OME")
    for node in (file, group):
        _set_texts(node, {"CLASS": "GROUP", "VERSION": "1.0", "TITLE": ""})
    _set_texts(file, {"PYTABLES_FORMAT_VERSION": "2.1"})
    table = _create_rows(group, [(column.name, column_types.file_type(column)) for column in columns])
    _set_texts(table, {"__version": _FORMAT_VERSION})
    table.attrs["__initialized"] = time.time()
    _describe(group, [column.ice_staticId() for column in columns], [column.description or "" for column in columns])


def add_column(table: h5py.Dataset, column: Any) -> None:
    """Write the table anew with one more column, checked before, that has a value for each row."""
    group, names = table.parent, table.dtype.names
    headers, metadata = headers_of(table), {key: table.attrs[key] for key in metadata_keys(table)}
    old = table.id.get_type()
    fields = [(name, old.get_member_type(index)) for index, name in enumerate(names)]
    before = table[()]
    del group[table.name]
    wider = _create_rows(group, [*fields, (column.name, column_types.file_type(column))])
    rows = np.zeros(len(before), wider.dtype)
    for name in names:
        rows[name] = before[name]
    rows[column.name] = column_types.encode(column, wider.dtype[column.name])
    wider.resize((len(rows),))
    wider[:] = rows
    wider.attrs["NROWS"] = np.int64(len(rows))
    for key, value in metadata.items():
        wider.attrs[key] = value
    for name in ("ColumnTypes", "ColumnDescriptions"):
        if name in group:
            del group[name]
    every = [*headers, column]
    _describe(group, [each.ice_staticId() for each in every], [each.description or "" for each in every])


def _create_rows(group: h5py.Group, fields: Sequence[tuple[str, h5py.h5t.TypeID]]) -> h5py.Dataset:
    """Make the dataset of the rows, empty, with what PyTables (and so OMERO.server) looks for."""
    width = sum(kind.get_size() for _, kind in fields)
    compound = h5py.h5t.create(h5py.h5t.COMPOUND, width)
    offset = 0
    for name, kind in fields:
        compound.insert(name.encode(), offset, kind)
        offset += kind.get_size()
    chunk = max(1, min(4096, (1 << 16) // width))
    table = group.create_dataset("Measurements", shape=(0,), maxshape=(None,), chunks=(chunk,), dtype=h5py.Datatype(compound))
    _set_texts(table, {"CLASS": "TABLE", "VERSION": "2.7", "TITLE": ""})
    _set_texts(table, {f"FIELD_{index}_NAME": name for index, (name, _) in enumerate(fields)})
    table.attrs["NROWS"] = np.int64(0)
    return table


def _describe(group: h5py.Group, types: list[str], descriptions: list[str]) -> None:
    for name, texts in (("ColumnTypes", types), ("ColumnDescriptions", descriptions)):
        encoded = [text.encode() for text in texts]
        width = max([1, *(len(text) for text in encoded)])
        array = group.create_dataset(name, data=np.array(encoded, dtype=f"S{width}"))
        _set_texts(array, {"CLASS": "ARRAY", "VERSION": "2.4", "TITLE": "", "FLAVOR": "python"})


def _set_texts(node: h5py.HLObject, attributes: dict[str, str]) -> None:
    for key, value in attributes.items():
        node.attrs[key] = np.bytes_(value.encode())


def headers_of(table: h5py.Dataset) -> list[Any]:
    """Return the columns of a table without values.

    Raises:
        TableError: when the file does not say what its columns are, or names an unknown type.
    """
    group = table.parent
    names = table.dtype.names
    types, descriptions = _texts(group, "ColumnTypes"), _texts(group, "ColumnDescriptions")
    if len(types) != len(names):
        raise TableError("the file does not say what its columns are")
    descriptions += [""] * (len(names) - len(descriptions))
    try:
        return [
            column_types.make(kind, name, description, table.dtype[name])
            for kind, name, description in zip(types, names, descriptions, strict=False)
        ]
    except ColumnError as error:
        raise TableError(str(error)) from error


def _texts(group: h5py.Group, name: str) -> list[str]:
    node = group.get(name)
    if not isinstance(node, h5py.Dataset) or node.dtype.kind != "S":
        return []
    return [text.decode("utf-8", "replace") for text in node[()].ravel().tolist()]


def is_mask(column: Any) -> bool:
    """Tell whether ``column`` is a mask column."""
    return bool(column.ice_staticId() == "::omero::grid::MaskColumn")


def append_masks(table: h5py.Dataset, masks: list[Any], count: int) -> None:
    """Append the bits of mask columns: one ragged row per table row and mask column, in the order of the columns."""
    if not masks or not count:
        return
    group = table.parent
    if _MASKS in group:
        node = group[_MASKS]
    else:
        node = group.create_dataset(_MASKS, shape=(0,), maxshape=(None,), chunks=(64,), dtype=h5py.vlen_dtype(np.uint8))
        _set_texts(node, {"CLASS": "VLARRAY", "VERSION": "1.3", "TITLE": ""})
    before = len(node)
    node.resize((before + count * len(masks),))
    for row in range(count):
        for index, column in enumerate(masks):
            node[before + row * len(masks) + index] = np.frombuffer(_as_bytes(column.bytes[row]), np.uint8)


def read_masks(table: h5py.Dataset, columns: list[Any], rows: slice | np.ndarray) -> dict[str, list[bytes]]:
    """Return the bits of the mask columns among ``columns``, by name, for the given rows."""
    wanted = [column for column in columns if is_mask(column)]
    node = table.parent.get(_MASKS)
    if not wanted or not isinstance(node, h5py.Dataset):
        return {}
    all_masks = [header.name for header in headers_of(table) if is_mask(header)]
    numbers = range(len(table))[rows] if isinstance(rows, slice) else rows.tolist()
    return {
        column.name: [bytes(node[number * len(all_masks) + all_masks.index(column.name)]) for number in numbers]
        for column in wanted
    }


def _as_bytes(values: Any) -> bytes:
    return values if isinstance(values, bytes) else bytes(values or b"")


def metadata_keys(table: h5py.Dataset) -> list[str]:
    """Return the attributes of a table that are metadata and not part of the file format."""
    return [key for key in table.attrs if key not in _PRIVATE_ATTRIBUTES and not key.startswith(("FIELD_", "AUTO_"))]


def plain_value(value: Any) -> Scalar:
    """Return an attribute as a Python text or number. Bytes are read as UTF-8 and never as anything else."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, h5py.Empty):
        return ""
    if isinstance(value, np.ndarray):
        if value.size != 1:
            raise TableError("the metadata of the table hold something that is not a text or a number")
        value = value.reshape(-1)[0]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if not isinstance(value, str | int | float):
        raise TableError("the metadata of the table hold something that is not a text or a number")
    return value
