# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa: S608 - names of tables and columns come from the reflected model alone; every value is bound
"""The SQLite file behind the sandbox: one connection, one lock, nested transactions.

SQLite answers a typical query in well under a millisecond, so one connection that all threads share behind a re-entrant lock
is faster than several that block one another, and a caller always reads what she has just written. Hold the lock for
statements only, never while reading or writing pixels.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import omero

from omero_sandbox.model.reflection import ENTITIES
from omero_sandbox.pixels.buffers import PIXELS_FOLDER
from omero_sandbox.store.functions import register_functions
from omero_sandbox.store.schema import SCHEMA_VERSION, column, create_statements, table, unit_column

__all__ = ["QUERY_SECONDS", "Database"]

QUERY_SECONDS = 60.0
"""How long one query of a client may run; all others wait meanwhile."""

# Columns that `insert` takes by their own name; everything else names a field.
_BARE = frozenset({"id", "version", "owner_id", "group_id", "creation_id", "update_id", "external_id", "idx", "perms"})


class Database:
    """The store of one sandbox.

    Args:
        folder: where ``omero.sqlite``, ``Pixels/``, ``ManagedRepository/`` and ``files/`` are; made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.pixels_folder = self.folder / PIXELS_FOLDER
        self.files_folder = self.folder / "files"
        self.pixels_folder.mkdir(parents=True, exist_ok=True)
        self.files_folder.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(
            self.folder / "omero.sqlite", check_same_thread=False, isolation_level=None, cached_statements=512
        )
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "temp_store = MEMORY"):
            self._connection.execute(f"PRAGMA {pragma}")
        register_functions(self._connection)
        self._prepare()

    def _prepare(self) -> None:
        """Make the tables of a fresh file; refuse a file that another version of the sandbox wrote."""
        if self.value("SELECT count(*) FROM sqlite_schema WHERE name = 'sandbox'"):
            found = self.value("SELECT schema_version FROM sandbox")
            if found != SCHEMA_VERSION:
                self.close()
                raise RuntimeError(
                    f"{self.folder} was made by another version of the sandbox (layout {found}, this one reads "
                    f"{SCHEMA_VERSION}). Use another folder, or `omero-sandbox reset` to start afresh."
                )
            return
        from omero_sandbox.store.bootstrap import fill_new_database  # it needs Database itself

        with self.transaction(write=True):
            for statement in create_statements():
                self._connection.execute(statement)
            fill_new_database(self)
            self.execute("INSERT INTO sandbox VALUES (?)", SCHEMA_VERSION)

    @contextmanager
    def transaction(self, write: bool = False) -> Iterator[None]:
        """Hold the lock for a unit of work; all of it happens, or nothing.

        Inside another transaction only this inner part is undone when it fails. References are checked when the outermost one
        ends.

        Raises:
            omero.ValidationException: what was written breaks a rule of the schema (a reference to nothing, a name used twice).
        """
        with self.lock:
            outermost = self._depth == 0
            name = f"nested_{self._depth}"
            self._connection.execute(("BEGIN IMMEDIATE" if write else "BEGIN") if outermost else f"SAVEPOINT {name}")
            self._depth += 1
            try:
                yield
                self._connection.execute("COMMIT" if outermost else f"RELEASE {name}")
            except BaseException as error:
                self._undo(outermost, name)
                if isinstance(error, sqlite3.IntegrityError):
                    raise omero.ValidationException("", "ValidationException", f"Not stored: {error}.") from error
                raise
            finally:
                self._depth -= 1

    def _undo(self, outermost: bool, name: str) -> None:
        if not self._connection.in_transaction:
            return  # SQLite itself has rolled back, e.g. because the disk is full
        if outermost:
            self._connection.execute("ROLLBACK")
        else:
            self._connection.execute(f"ROLLBACK TO {name}")
            self._connection.execute(f"RELEASE {name}")

    def execute(self, sql: str, *params: Any) -> sqlite3.Cursor:
        """Run one statement with ``?`` parameters."""
        with self.lock:
            return self._connection.execute(sql, params)

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """All rows of a query with ``?`` parameters."""
        with self.lock:
            return self._connection.execute(sql, params).fetchall()

    def named_rows(self, sql: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """All rows of a query with ``:name`` parameters."""
        with self.lock:
            return self._connection.execute(sql, params).fetchall()

    def query_rows(self, sql: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Like `named_rows`, for statements that clients have a say in: given up after `QUERY_SECONDS`.

        Raises:
            sqlite3.OperationalError: interrupted, or not valid.
        """
        with self.lock:
            deadline = time.monotonic() + QUERY_SECONDS
            self._connection.set_progress_handler(lambda: int(time.monotonic() > deadline), 10_000)
            try:
                return self._connection.execute(sql, params).fetchall()
            finally:
                self._connection.set_progress_handler(None, 0)

    def records(self, sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[dict[str, Any]]:
        """All rows of a query as dictionaries by column."""
        with self.lock:
            cursor = self._connection.execute(sql, params)
            names = [each[0] for each in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def value(self, sql: str, *params: Any) -> Any:
        """The first column of the first row, or None."""
        with self.lock:
            row = self._connection.execute(sql, params).fetchone()
        return None if row is None else row[0]

    def insert(self, entity_name: str, **columns: Any) -> int:
        """Insert a row past all permission checks, for the server's own use, and return its id.

        Keyword arguments are fields (``name="x"``) or one of the bare columns (``id``, ``owner_id``, ``group_id``,
        ``creation_id``, ``update_id``, ``idx``, ``perms`` …).
        """
        entity = ENTITIES[entity_name]
        values: dict[str, Any] = {"dtype": entity_name}
        for name, value in columns.items():
            if name in _BARE and name not in entity.fields:
                values[name] = value
                continue
            unit = name.endswith("_unit")
            field = entity.fields[name.removesuffix("_unit") if unit else name]
            values[unit_column(field) if unit else column(field)] = value
        marks = ", ".join("?" * len(values))
        sql = f"INSERT INTO {table(entity_name)} ({', '.join(values)}) VALUES ({marks})"
        row_id = self.execute(sql, *values.values()).lastrowid
        assert row_id is not None
        return row_id

    def group_permissions(self, group_id: int | None) -> int:
        """The permissions of a group as an integer; 0 (nothing allowed) for a group that does not exist."""
        if group_id is None:
            return 0
        found = self.value("SELECT perms FROM e_ExperimenterGroup WHERE id = ?", group_id)
        return 0 if found is None else int(found)

    def close(self) -> None:
        """Close the file; nothing works afterwards."""
        with self.lock:
            self._connection.close()
