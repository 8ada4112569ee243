# SPDX-License-Identifier: AGPL-3.0-or-later
"""Connections: short transactions for reading and for writing, the same way on SQLite and PostgreSQL.

SQLite runs in WAL mode, so readers never wait for the writer; a writing transaction takes the write lock when it begins
(``BEGIN IMMEDIATE``), so it cannot fail half way for want of it. ``synchronous=NORMAL`` survives the death of the process;
a power cut may take the last commits, which the recovery at the next start treats like a lost worker.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session

__all__ = ["Database", "DatabaseRefused", "filesystem_type"]

NETWORK_FILESYSTEMS = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "lustre",
        "gpfs",
        "beegfs",
        "ceph",
        "glusterfs",
        "fuse.sshfs",
        "fuse.glusterfs",
    }
)
"""Where SQLite's file locks or its shared memory cannot be trusted."""

BUSY_SECONDS = 20


class DatabaseRefused(RuntimeError):  # noqa: N818 - says what happened
    """The database must not be used as configured; the message says what to change."""


class Database:
    """Hands out sessions. Objects read in a session stay usable after it ends, as plain values."""

    def __init__(self, url: str) -> None:
        """Open the database; nothing is created but the folder of an SQLite file.

        Raises:
            DatabaseRefused: when an SQLite file would lie on a network filesystem.
        """
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            _prepare_sqlite(parsed)
        self.engine: Engine = create_engine(parsed, pool_size=10, max_overflow=40, pool_timeout=30)
        if self.is_sqlite:
            _configure_sqlite(self.engine)
        self._writing = self.engine.execution_options(writes=True)
        # Waiting here is first come, first served; SQLite's own busy handler polls with growing pauses.
        self._write_lock: AbstractContextManager[object] = threading.Lock() if self.is_sqlite else nullcontext()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one consistent state and changes nothing."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are committed together at the end, or not at all when an exception leaves the block."""
        with self._write_lock, Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        self.engine.dispose()


def _prepare_sqlite(url: URL) -> None:
    if not url.database or url.database == ":memory:":
        raise DatabaseRefused("the service needs a database that outlives it: give SQLite a file")
    path = Path(url.database)
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = filesystem_type(path.parent)
    if kind in NETWORK_FILESYSTEMS:
        raise DatabaseRefused(
            f"{path} is on a network filesystem ({kind}), where SQLite loses data; "
            "set OPENHCS_EXECUTION_DATA_DIR to a local disk, or OPENHCS_EXECUTION_DATABASE_URL to PostgreSQL"
        )


def filesystem_type(path: Path, mounts: str | None = None) -> str | None:
    """Return the type of the filesystem that holds ``path``, as Linux names it; None where it cannot be found out.

    ``mounts`` is the text of ``/proc/self/mounts``, read when not given.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
    target = path.resolve()
    best, found = -1, None
    for line in mounts.splitlines():
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        mount = Path(parts[1].replace("\\040", " "))
        if (target == mount or mount in target.parents) and len(mount.parts) >= best:
            best, found = len(mount.parts), parts[2]
    return found


def _configure_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        # Python's own transaction handling would begin at the first write; ours begins when we say so.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_SECONDS * 1000}",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
