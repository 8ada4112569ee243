# SPDX-License-Identifier: AGPL-3.0-or-later
"""A PostgreSQL server of the tests' own: a private cluster that listens on a socket in its own folder and nowhere else."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from openhcs_execution.database import Database, migrate

__all__ = ["PostgresServer", "why_not"]

_SUPERUSER = "openhcs"
_TEMPLATE = "migrated"
_FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB -c max_connections=60"
"""What is tested is what happens when programs die, not when the power fails."""


def _programs() -> Path | None:
    """The folder of the newest server that is installed; Debian keeps its programs off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def _account() -> str | None:
    """The account that the server runs as, since it refuses to be root; None when we are somebody else already."""
    if os.geteuid() != 0:
        return None
    accounts = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in accounts else "nobody"


def why_not() -> str | None:
    """Why no server can be started here; None when one can."""
    if _programs() is None:
        return "PostgreSQL is not installed; `make test` installs it when run as root, otherwise: apt-get install postgresql"
    return None


@dataclass
class PostgresServer:
    """A running server; :meth:`new` makes databases in it. ``options`` are those of the server program."""

    options: str = _FAST
    folder: Path = field(init=False)
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> PostgresServer:
        programs, account = _programs(), _account()
        assert programs is not None
        # Not below pytest's folder: that is root's alone, and the name of a socket must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="openhcs-pg-"))
        if account is not None:
            shutil.chown(self.folder, account, pwd.getpwnam(account).pw_gid)
        # Whoever reaches the socket may do everything; only the account of the server and root can.
        data = str(self.folder / "data")
        self._run(["initdb", "-D", data, "-U", _SUPERUSER, "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"])
        self._serve()
        template = self.url(self._create(_TEMPLATE))
        database = Database(template)
        migrate(database)
        database.close()
        return self

    def _serve(self) -> None:
        """Start the server as our child, which ends also when the tests are killed."""
        programs, account = _programs(), _account()
        assert programs is not None
        who = [] if account is None else [f"--reuid={account}", f"--regid={pwd.getpwnam(account).pw_gid}", "--clear-groups"]
        command = ["setpriv", *who, "--pdeathsig=INT", str(programs / "postgres"), "-D", str(self.folder / "data")]
        with (self.folder / "log").open("ab") as log:
            command += ["-k", str(self.folder), "-c", "listen_addresses=", *self.options.split()]
            self.process = subprocess.Popen(command, cwd="/", stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while subprocess.run([programs / "pg_isready", "-q", "-h", self.folder], check=False).returncode != 0:
            assert self.process.poll() is None and time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)

    def _end(self, how: signal.Signals) -> None:
        self.process.send_signal(how)
        self.process.wait(60)

    def stop(self) -> None:
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    def restart(self) -> None:
        """As an upgrade of the server does it: connections are broken off."""
        self._end(signal.SIGINT)
        self._serve()

    def url(self, name: str) -> str:
        # As an administrator would write it, without the name of a driver.
        return URL.create("postgresql", username=_SUPERUSER, database=name, query={"host": str(self.folder)}).render_as_string(
            hide_password=False
        )

    def new(self, *, empty: bool = False) -> str:
        """The URL of a new database, with our tables unless it is to be empty."""
        return self.url(self._create(f"test_{uuid.uuid4().hex}", None if empty else _TEMPLATE))

    def drop(self, url: str) -> None:
        self._execute(f'drop database "{url.rsplit("/", 1)[1].partition("?")[0]}" with (force)')

    def _create(self, name: str, template: str | None = None) -> str:
        self._execute(f'create database "{name}"' + (f' template "{template}"' if template else ""))
        return name

    def _execute(self, sql: str) -> None:
        url = self.url("postgres").replace("postgresql:", "postgresql+psycopg:")
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(sql))
        engine.dispose()

    def _run(self, command: Sequence[str]) -> None:
        programs, account = _programs(), _account()
        assert programs is not None
        who = {} if account is None else {"user": account, "group": pwd.getpwnam(account).pw_gid, "extra_groups": []}
        with tempfile.TemporaryFile("w+") as said:  # a pipe would stay open in the server
            done = subprocess.run(
                [programs / command[0], *command[1:]], cwd="/", stdout=said, stderr=subprocess.STDOUT, check=False, **who
            )
            said.seek(0)
            assert done.returncode == 0, f"{' '.join(command)}\n{said.read()}"
