# SPDX-License-Identifier: AGPL-3.0-or-later
"""One OMERO.table: a file on disk, with the operations that clients ask for.

The bytes of such a file can come from a user (OMERO lets its owner upload any file), so the file is read with h5py and not
with PyTables, which unpickles attributes. Nothing read here is ever unpickled or evaluated.

The file is opened for each operation and closed after it, under one lock per file: between two calls nothing lies only in
memory, whatever happens to the process.
"""

from __future__ import annotations

import os
import shutil
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from omero_sandbox.tables import columns as column_types
from omero_sandbox.tables.columns import ColumnError
from omero_sandbox.tables.conditions import ConditionError, parse_condition
from omero_sandbox.tables.layout import (
    TABLE,
    Scalar,
    TableError,
    add_column,
    append_masks,
    check_metadata_key,
    create,
    headers_of,
    is_mask,
    metadata_keys,
    plain_value,
    read_masks,
)

__all__ = ["TableError", "TableFile"]

_CHUNK_ROWS = 65536


class TableFile:
    """The HDF5 file of one table. Rows and columns count from zero. Safe to use from many threads and objects at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = _lock_of(path)

    # -- making and describing --------------------------------------------------------------------------------------

    @property
    def initialised(self) -> bool:
        """Whether the table has columns yet."""
        if not self.path.exists() or self.path.stat().st_size == 0:
            return False
        with self._file("r") as file:
            return TABLE in file

    def initialise(self, columns: Sequence[Any]) -> None:
        """Make the table with the given columns (their values are ignored).

        Raises:
            TableError: when the table has columns already.
            ColumnError: when the columns cannot be stored.
        """
        column_types.check_new(columns)
        with self._lock:
            if self.initialised:
                raise TableError("the table has its columns already; they are set once")
            with self._file("w") as file:
                create(file, columns)

    def headers(self) -> list[Any]:
        """Return the columns without values."""
        with self._table() as table:
            return headers_of(table)

    def row_count(self) -> int:
        """Return the number of rows."""
        with self._table() as table:
            return len(table)

    # -- reading ----------------------------------------------------------------------------------------------------

    def read(self, column_numbers: Sequence[int], start: int, stop: int) -> list[Any]:
        """Return the columns ``column_numbers`` with the rows from ``start`` up to, not including, ``stop``."""
        with self._table() as table:
            if not 0 <= start <= stop <= len(table):
                raise TableError(f"rows {start} to {stop} are not in the table, which has {len(table)} rows")
            return _read(table, _known_columns(table, column_numbers), slice(start, stop))

    def read_rows(self, column_numbers: Sequence[int], row_numbers: Sequence[int]) -> list[Any]:
        """Return the columns ``column_numbers`` with the rows ``row_numbers``, in that order."""
        with self._table() as table:
            return _read(table, _known_columns(table, column_numbers), _known_rows(table, row_numbers))

    def where(
        self, condition: str, variables: Mapping[str, Scalar], start: int = 0, stop: int | None = None, step: int = 1
    ) -> list[int]:
        """Return the numbers of the rows that match ``condition``, of every ``step``-th row from ``start`` up to ``stop``.

        Args:
            variables: values for names in the condition. A text is the name of a column, as in OMERO.server; so columns can
                be used whose names are not words.

        Raises:
            TableError: when the condition is wrong or names something that is not there.
        """
        if step < 1:
            raise TableError(f"the step must be at least 1, not {step}")
        try:
            parsed = parse_condition(condition)
            with self._table() as table:
                fields = _condition_fields(table, parsed.names, variables)
                hits = []
                rows = range(len(table))[slice(max(start, 0), stop)]
                for first in range(rows.start, rows.stop, _CHUNK_ROWS):
                    last = min(first + _CHUNK_ROWS, rows.stop)
                    block = table[first:last]
                    values: dict[str, Any] = {name: _condition_values(block[field]) for name, field in fields.items()}
                    values |= {name: np.asarray(variables[name]) for name in parsed.names if name not in fields}
                    hits.append(first + np.flatnonzero(parsed.matches(values, last - first)))
        except ConditionError as error:
            raise TableError(f"Bad condition: {error}") from error
        found = np.concatenate(hits) if hits else np.array([], int)
        return found[(found - rows.start) % step == 0].tolist()

    # -- writing ----------------------------------------------------------------------------------------------------

    def append(self, columns: Sequence[Any]) -> None:
        """Add rows; ``columns`` are all columns of the table, by name, all of one length.

        Raises:
            TableError: when a column is missing, unknown or of another type.
            ColumnError: when values do not fit or the lengths differ. Nothing is added then.
        """
        with self._table("r+") as table:
            headers = {header.name: header for header in headers_of(table)}
            given = {column.name: column for column in columns}
            if len(given) != len(columns) or set(given) != set(headers):
                raise TableError(f"the table has the columns {', '.join(headers)}; got {', '.join(c.name for c in columns)}")
            lengths = {column_types.column_length(column) for column in columns}
            if len(lengths) != 1:
                raise ColumnError("the columns differ in length")
            count = lengths.pop()
            rows = np.zeros(count, table.dtype)
            for name, column in given.items():
                if column.ice_staticId() != headers[name].ice_staticId():
                    raise TableError(f"column {name!r} is a {headers[name].ice_staticId()}, not a {column.ice_staticId()}")
                rows[name] = column_types.encode(column, table.dtype[name])
            append_masks(table, [column for column in columns if is_mask(column)], count)
            _append_rows(table, rows)

    def add_column(self, column: Any) -> None:
        """Add a column; it has a value for every row of the table. The whole table is written anew.

        Raises:
            TableError: when there is a column of that name, or the column is for masks.
            ColumnError: when the column cannot be stored or does not have one value per row.
        """
        column_types.check_new([column])
        with self._lock:
            with self._table() as table:
                if column.name in table.dtype.names:
                    raise TableError(f"there is a column called {column.name!r} already")
                if is_mask(column):
                    raise TableError("a mask column can only be made together with the table")
                if column_types.column_length(column) != len(table):
                    raise ColumnError(f"column {column.name!r} needs {len(table)} values, one for each row")
            # On a copy that takes the place of the file when it is complete: a table is never half rewritten.
            copy = self.path.with_name(f"{self.path.name}.new")
            try:
                shutil.copyfile(self.path, copy)
                with h5py.File(copy, "r+", locking=False) as file:
                    add_column(file[TABLE], column)
                copy.replace(self.path)
            finally:
                copy.unlink(missing_ok=True)

    def update(self, columns: Sequence[Any], row_numbers: Sequence[int]) -> None:
        """Replace the values of some columns in the rows ``row_numbers``."""
        with self._table("r+") as table:
            numbers = _known_rows(table, row_numbers)
            headers = {header.name: header for header in headers_of(table)}
            encoded = {}
            for column in columns:
                header = headers.get(column.name)
                if header is None or header.ice_staticId() != column.ice_staticId():
                    raise TableError(f"the table has no column {column.name!r} of type {column.ice_staticId()}")
                if is_mask(column):
                    raise TableError("masks are written once and cannot be replaced")
                if column_types.column_length(column) != len(numbers):
                    raise ColumnError(f"column {column.name!r} needs {len(numbers)} values, one for each row")
                encoded[column.name] = column_types.encode(column, table.dtype[column.name])
            for index, number in enumerate(numbers):
                row = table[number : number + 1]
                for name, values in encoded.items():
                    row[name] = values[index]
                table[number : number + 1] = row

    # -- metadata ---------------------------------------------------------------------------------------------------

    def metadata(self) -> dict[str, Scalar]:
        """Return all metadata, OMERO's own (``__version``, ``__initialized``) included."""
        with self._table() as table:
            return {key: plain_value(table.attrs[key]) for key in metadata_keys(table)}

    def set_metadata(self, values: Mapping[str, Scalar], *, replace: bool = False) -> None:
        """Add metadata; with ``replace`` everything else but OMERO's own goes.

        Raises:
            TableError: for a name that is empty, starts with ``__`` or belongs to the file format.
        """
        for key in values:
            check_metadata_key(key)
        with self._table("r+") as table:
            if replace:
                for key in metadata_keys(table):
                    if not key.startswith("__"):
                        del table.attrs[key]
            for key, value in values.items():
                table.attrs[key] = np.bytes_(value.encode()) if isinstance(value, str) else value

    # -- below ------------------------------------------------------------------------------------------------------

    @contextmanager
    def _file(self, mode: str) -> Iterator[h5py.File]:
        with self._lock:
            if mode == "w":
                self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                file = h5py.File(self.path, mode, locking=False)
            except (OSError, ValueError) as error:
                raise TableError("the file does not hold a table") from error
            with file:
                yield file

    @contextmanager
    def _table(self, mode: str = "r") -> Iterator[h5py.Dataset]:
        if not self.path.exists() or self.path.stat().st_size == 0:
            raise TableError("the table has no columns yet")
        with self._file(mode) as file:
            table = file.get(TABLE)
            if not isinstance(table, h5py.Dataset) or table.dtype.names is None or table.ndim != 1:
                raise TableError("the file does not hold a table, or the table has no columns yet")
            yield table


_locks: weakref.WeakValueDictionary[str, _Lock] = weakref.WeakValueDictionary()
_locks_guard = threading.Lock()


class _Lock:
    """A re-entrant lock that a weak dictionary can hold."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exc_info: object) -> None:
        self._lock.release()


def _lock_of(path: Path) -> _Lock:
    """Return the lock that everybody in this process shares for ``path``."""
    with _locks_guard:
        return _locks.setdefault(os.path.realpath(path), _Lock())


def _known_columns(table: h5py.Dataset, numbers: Sequence[int]) -> list[Any]:
    headers = headers_of(table)
    for number in numbers:
        if not 0 <= number < len(headers):
            raise TableError(f"column {number} is not in the table, which has {len(headers)} columns")
    return [headers[number] for number in numbers]


def _known_rows(table: h5py.Dataset, numbers: Sequence[int]) -> np.ndarray:
    rows = np.asarray(numbers, np.int64)
    if rows.size and not (rows.min() >= 0 and rows.max() < len(table)):
        raise TableError(f"some of the rows are not in the table, which has {len(table)} rows")
    return rows


def _read(table: h5py.Dataset, columns: list[Any], rows: slice | np.ndarray) -> list[Any]:
    if isinstance(rows, slice):
        block = table[rows]
    else:
        # HDF5 wants increasing, distinct indices; far apart rows in one go are slow, so read the span they cover.
        distinct, order = np.unique(rows, return_inverse=True)
        if distinct.size == 0:
            block = table[0:0]
        else:
            block = table[int(distinct[0]) : int(distinct[-1]) + 1][distinct - distinct[0]][order]
    masks = read_masks(table, columns, rows)
    for column in columns:
        column_types.decode(column, block[column.name], masks.get(column.name))
    return columns


def _append_rows(table: h5py.Dataset, rows: np.ndarray) -> None:
    before = len(table)
    table.resize((before + len(rows),))
    table[before:] = rows
    table.attrs["NROWS"] = np.int64(len(table))


def _condition_fields(table: h5py.Dataset, names: frozenset[str], variables: Mapping[str, Any]) -> dict[str, str]:
    """Return, by its name in the condition, which field of the table a name means; other names must be variables."""
    fields = {}
    for name in names:
        field = variables.get(name, name)
        if not isinstance(field, str):
            continue
        if field not in table.dtype.names:
            raise ConditionError(f"the table has no column {field!r}")
        fields[name] = field
    return fields


def _condition_values(values: np.ndarray) -> np.ndarray:
    if values.dtype.names is not None:
        raise ConditionError("a mask column cannot be part of a condition")
    return values.astype(bool) if values.dtype == np.uint8 else values
