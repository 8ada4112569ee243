# SPDX-License-Identifier: AGPL-3.0-or-later
"""Connections: short transactions for reading and for writing, the same way on SQLite and PostgreSQL.

SQLite runs in WAL mode, so readers never wait for the writer; a writing transaction takes the write lock when it begins
(``BEGIN IMMEDIATE``), so it cannot fail half way for want of it. ``synchronous=NORMAL`` survives the death of the process;
a power cut may take the last commits, which the recovery at the next start treats like a lost worker.

On PostgreSQL a reading session is one ``REPEATABLE READ`` snapshot, which SQLite gives by itself, and writers lock the rows
that they change; decisions that look at many executions take an advisory lock instead (:func:`one_at_a_time`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import NoSuchModuleError
from sqlalchemy.orm import Session

from .models import EventRow, ExecutionRow

__all__ = ["LAST", "Database", "DatabaseRefused", "Told", "filesystem_type", "one_at_a_time"]

logger = logging.getLogger(__name__)

Told: TypeAlias = tuple[ExecutionRow, EventRow]
"""An event with its execution, as both were when the transaction ended."""

_TOLD = "told"

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

LAST = "last"
"""In a session's ``info``: by a name, what is still to be written right before the commit, for sums that change often."""

_SERVICE_LOCK, _QUEUE_LOCK = 0x6F70656E68637301, 0x6F70656E68637302
"""Advisory locks of PostgreSQL are 64-bit numbers; these spell "openhcs", so that another program will hardly take them."""


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
        else:
            parsed = _with_driver(parsed)
        # A connection that broke while it rested (a server that was restarted) is replaced instead of failing its next use.
        self.engine: Engine = _make_engine(
            parsed, pool_size=10, max_overflow=40, pool_timeout=30, pool_pre_ping=not self.is_sqlite
        )
        if self.is_sqlite:
            _configure_sqlite(self.engine)
        snapshot = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reading = self.engine.execution_options(**snapshot)
        self._writing = self.engine.execution_options(writes=True)
        self._claim: Connection | None = None
        self._joint = threading.local()
        # Waiting here is first come, first served; SQLite's own busy handler polls with growing pauses.
        self._write_lock: AbstractContextManager[object] = threading.Lock() if self.is_sqlite else nullcontext()
        self._listeners: list[Callable[[Sequence[Told]], None]] = []

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one consistent state and changes nothing."""
        with Session(self._reading, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are committed together at the end, or not at all when an exception leaves the block.

        Inside :meth:`together` it is the one of all.
        """
        joint: Session | None = getattr(self._joint, "session", None)
        if joint is not None:
            yield joint
            return
        with self._write_lock, Session(self._writing, expire_on_commit=False) as session:
            told: list[Told] = session.info.setdefault(_TOLD, [])
            with session.begin():
                yield session
                for finish in session.info.pop(LAST, {}).values():
                    finish()
        if told:
            self._tell(told)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make one transaction of all that this thread writes inside: a commit costs more than most changes.

        An exception that leaves the block takes all of it back.
        """
        with self.write() as session:
            self._joint.session = session
            try:
                yield
            finally:
                self._joint.session = None

    def listen(self, listener: Callable[[Sequence[Told]], None]) -> None:
        """Call ``listener`` with the events of each transaction, after it was committed and in the thread that wrote it.

        A listener must be quick, and what it raises concerns nobody else. Events of a crash between the two are not told.
        """
        self._listeners.append(listener)

    def _tell(self, told: Sequence[Told]) -> None:
        for listener in self._listeners:
            try:
                listener(told)
            except Exception:
                logger.exception("A listener of the database failed.")

    def claim(self) -> None:
        """Keep other services off this database for as long as it is open. An SQLite file is kept by its data folder.

        Raises:
            DatabaseRefused: when another service works on it.
        """
        if self.is_sqlite:
            return
        connection = self.engine.execution_options(isolation_level="AUTOCOMMIT").connect()
        if not connection.scalar(select(func.pg_try_advisory_lock(_SERVICE_LOCK))):
            connection.close()
            raise DatabaseRefused(f"another execution service is working on the database {self.engine.url.database}")
        self._claim = connection  # the lock ends with the connection, however the process ends

    def close(self) -> None:
        if self._claim is not None:
            self._claim.detach()  # the pool would keep it open, and the lock with it
            self._claim.close()
            self._claim = None
        self.engine.dispose()


def one_at_a_time(session: Session) -> None:
    """Let no other transaction that asks for the same go on until this one ends; to be asked before any row is locked.

    Decisions that lock several executions would otherwise wait for each other in a circle. On SQLite every writing transaction
    is alone already.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_QUEUE_LOCK)))


def _with_driver(url: URL) -> URL:
    """The same database through the driver that comes with the package, when the URL names none."""
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise DatabaseRefused(f"the database is SQLite or PostgreSQL; {url.get_backend_name()} is not supported")
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url


def _make_engine(url: URL, **options: Any) -> Engine:
    try:
        return create_engine(url, **options)
    except (ImportError, NoSuchModuleError) as error:
        raise DatabaseRefused(
            f"the driver for {url.drivername} is not installed ({error}); "
            "install it with: pip install 'omero-openhcs[execution,postgresql]'"
        ) from error


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
