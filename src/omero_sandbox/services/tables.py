# SPDX-License-Identifier: AGPL-3.0-or-later
"""Table: one OMERO.table. Who may read or change it is decided by its OriginalFile, anew at every call."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import omero
import omero.grid
from omero.rtypes import rdouble, rlong, rstring, unwrap

from omero_sandbox.ice.dispatch import Service, current_call, own_transactions
from omero_sandbox.ice.errors import api_usage, validation_error
from omero_sandbox.query.execution import load_objects
from omero_sandbox.services.object_access import anywhere, require_editable, require_readable, resource_error
from omero_sandbox.services.raw_files import file_path, record_content
from omero_sandbox.services.stored_data import remove_data
from omero_sandbox.store.deleting import delete
from omero_sandbox.tables.columns import ColumnError
from omero_sandbox.tables.layout import Scalar, TableError
from omero_sandbox.tables.storage import TableFile

if TYPE_CHECKING:
    from omero_sandbox.ice.server import SandboxServer
    from omero_sandbox.ice.sessions import Session
    from omero_sandbox.security.caller import Caller

__all__ = ["TABLE_MIMETYPE", "TableService"]

TABLE_MIMETYPE = "OMERO.tables"

_Method = TypeVar("_Method", bound=Callable[..., Any])


def _reads(method: _Method) -> _Method:
    """Check that the caller may (still) read the table's file; report wrong requests as OMERO's exceptions."""

    @functools.wraps(method)
    def checked(self: TableService, *arguments: Any) -> Any:
        require_readable(self.database, "OriginalFile", self.file_id, arguments[-1])
        return _translated(method, self, *arguments)

    return own_transactions(checked)  # type: ignore[return-value]


def _writes(method: _Method) -> _Method:
    """The same for calls that change the table."""

    @functools.wraps(method)
    def checked(self: TableService, *arguments: Any) -> Any:
        require_editable(self.database, "OriginalFile", self.file_id, arguments[-1])
        self.modified = True
        return _translated(method, self, *arguments)

    return own_transactions(checked)  # type: ignore[return-value]


def _translated(method: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return method(*arguments)
    except TableError as error:
        raise api_usage(f"{error}.") from error
    except ColumnError as error:
        raise validation_error(f"{error}.") from error
    except OSError as error:
        raise resource_error(f"The file of the table cannot be used: {error}.") from error


class TableService(Service):
    """One client's access to one table. Several may be open on the same table."""

    def __init__(self, server: SandboxServer, session: Session, file_id: int) -> None:
        super().__init__(server, session)
        self.file_id = file_id
        self.modified = False
        self._table = TableFile(file_path(server.database, file_id))

    # -- reading ----------------------------------------------------------------------------------------------------

    @_reads
    def getOriginalFile(self, caller: Caller) -> Any:
        """The OriginalFile behind the table."""
        (file,) = load_objects(self.database, "OriginalFile", [self.file_id], anywhere(caller))
        return file

    @_reads
    def getHeaders(self, caller: Caller) -> list[Any]:
        """The columns without values."""
        return self._table.headers()

    @_reads
    def getNumberOfRows(self, caller: Caller) -> int:
        """The number of rows."""
        return self._table.row_count()

    @_reads
    def getWhereList(self, condition: str, variables: Any, start: int, stop: int, step: int, caller: Caller) -> list[int]:
        """The numbers of the rows that match a condition; a stop or step of 0 means up to the end, and every row."""
        return self._table.where(condition or "", _scalars(variables), start, stop or None, step or 1)

    @_reads
    def readCoordinates(self, row_numbers: list[int], caller: Caller) -> omero.grid.Data:
        """All columns of the given rows."""
        if not row_numbers:
            raise api_usage("Say which rows to read.")
        return self._data(self._table.read_rows(range(len(self._table.headers())), row_numbers), row_numbers)

    @_reads
    def read(self, column_numbers: list[int], start: int, stop: int, caller: Caller) -> omero.grid.Data:
        """The given columns of the rows from ``start`` up to, not including, ``stop``; 0, 0 means all rows."""
        if not column_numbers:
            raise api_usage("Say which columns to read.")
        count = self._table.row_count()
        stop = count if (start, stop) == (0, 0) else min(stop, count)
        return self._data(self._table.read(column_numbers, start, stop), list(range(start, stop)))

    @_reads
    def slice(self, column_numbers: list[int], row_numbers: list[int], caller: Caller) -> omero.grid.Data:
        """The given columns of the given rows, in that order; none given means all."""
        columns = column_numbers or range(len(self._table.headers()))
        rows = row_numbers or list(range(self._table.row_count()))
        return self._data(self._table.read_rows(columns, rows), rows)

    def _data(self, columns: list[Any], row_numbers: list[int]) -> omero.grid.Data:
        data = omero.grid.Data(columns=columns, rowNumbers=[])
        # A client that does not want them saves a lot on large tables.
        if current_call().ctx.get("omero.tables.include_row_numbers", "true").lower() == "true":
            data.rowNumbers = list(row_numbers)
        data.lastModification = self._table.path.stat().st_mtime_ns // 1_000_000
        return data

    # -- writing ----------------------------------------------------------------------------------------------------

    @_writes
    def initialize(self, columns: list[Any], caller: Caller) -> None:
        """Give the table its columns, once."""
        self._table.initialise(columns)

    @_writes
    def addColumn(self, column: Any, caller: Caller) -> int:
        """Add a column with a value for every row that is there, and return its number."""
        self._table.add_column(column)
        return len(self._table.headers()) - 1

    @_writes
    def addData(self, columns: list[Any], caller: Caller) -> None:
        """Add rows."""
        self._table.append(columns)

    @_writes
    def update(self, data: omero.grid.Data, caller: Caller) -> None:
        """Replace values: of the columns in ``data``, in the rows it names."""
        if data is not None:
            self._table.update(data.columns, data.rowNumbers)

    @own_transactions
    def delete(self, caller: Caller) -> None:
        """Delete the table with its OriginalFile and close it."""
        deleted = delete(self.database, "OriginalFile", [self.file_id], anywhere(caller))
        remove_data(self.database, deleted)
        self.modified = False
        self.close(caller)

    # -- metadata ---------------------------------------------------------------------------------------------------

    @_reads
    def getAllMetadata(self, caller: Caller) -> dict[str, Any]:
        """All metadata; names that start with ``__`` are OMERO's own."""
        return {key: _boxed(value) for key, value in self._table.metadata().items()}

    @_reads
    def getMetadata(self, key: str, caller: Caller) -> Any:
        """One of the metadata, None when it is not there."""
        value = self._table.metadata().get(key)
        return None if value is None else _boxed(value)

    @_writes
    def setMetadata(self, key: str, value: Any, caller: Caller) -> None:
        """Add or replace one of the metadata."""
        self._table.set_metadata(_scalars({key: value}))

    @_writes
    def setAllMetadata(self, values: dict[str, Any], caller: Caller) -> None:
        """Replace all metadata except OMERO's own."""
        self._table.set_metadata(_scalars(values), replace=True)

    # -- the end ----------------------------------------------------------------------------------------------------

    @own_transactions
    def close(self, caller: Caller) -> None:
        """Record size and checksum of what was written and free the service."""
        super().close(caller)

    def release(self) -> None:
        """Record size and checksum when something was written. Each write was allowed when it was made."""
        if self.modified:
            self.modified = False
            record_content(self.database, self.file_id)


def _scalars(values: Any) -> dict[str, Scalar]:
    """Return named values as plain texts and numbers.

    Raises:
        omero.ApiUsageException: a value is something else.
    """
    plain = {key: unwrap(value) for key, value in (values or {}).items()}
    for key, value in plain.items():
        if not isinstance(value, str | int | float):
            raise api_usage(f"{key} is neither a text nor a number.")
    return plain


def _boxed(value: Scalar) -> Any:
    if isinstance(value, str):
        return rstring(value)
    return rlong(value) if isinstance(value, int) else rdouble(value)
