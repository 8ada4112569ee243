# SPDX-License-Identifier: AGPL-3.0-or-later
"""Start an embedded OMERO in a process of its own, for tests and demos.

>>> sandbox = start_sandbox(folder)                        # doctest: +SKIP
>>> with sandbox.connect() as conn:                        # a plain BlitzGateway
...     conn.getUser().getName()
'root'
>>> sandbox.stop()
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["RunningSandbox", "SandboxError", "start_sandbox"]

_READY_SECONDS = 60.0
_STOP_SECONDS = 20.0


class SandboxError(RuntimeError):
    """The sandbox did not start, or ended before it was ready; the message holds what it said."""


@dataclass
class RunningSandbox:
    """A sandbox in a process of its own.

    ``connect`` gives a signed-in BlitzGateway; whoever asks for it closes it. ``kill`` is a crash, ``restart`` comes back
    with the same data on the same port; sessions do not survive either, data do.
    """

    host: str
    port: int
    root_password: str
    process: subprocess.Popen[str]
    folder: Path
    options: tuple[str, ...] = ()
    _log: list[str] = field(default_factory=list, repr=False)

    def connect(self, user: str = "root", password: str | None = None, group: str | None = None) -> BlitzGateway:
        """Return a BlitzGateway signed in as ``user`` (root: with the sandbox's root password).

        Raises:
            ConnectionError: the sandbox refused.
        """
        from omero.gateway import BlitzGateway

        conn = BlitzGateway(
            user,
            self.root_password if password is None else password,
            host=self.host,
            port=self.port,
            group=group,
            secure=True,
        )
        if not conn.connect():
            raise ConnectionError(f"{user} could not sign in to the sandbox: {conn.getLastError()}")
        return conn

    @contextlib.contextmanager
    def connection(self, user: str = "root", password: str | None = None, group: str | None = None) -> Iterator[BlitzGateway]:
        """The same as a context: the session is closed at its end."""
        conn = self.connect(user, password, group)
        try:
            yield conn
        finally:
            conn.close()

    def create_group(self, name: str, permissions: str = "rwra--") -> int:
        """Make a group and return its id."""
        import omero.model
        from omero.rtypes import rstring

        group = omero.model.ExperimenterGroupI()
        group.name = rstring(name)
        group.details.permissions = omero.model.PermissionsI(permissions)
        with self.connection() as conn:
            return int(conn.getAdminService().createGroup(group))

    def create_user(
        self, name: str, password: str, groups: Iterable[int | str] = (), owner_of: Iterable[int | str] = ()
    ) -> int:
        """Make a user in groups (ids or names; the first is the default) and return the id; ``owner_of`` are added to them."""
        import omero.model
        from omero.rtypes import rstring

        user = omero.model.ExperimenterI()
        user.omeName, user.firstName, user.lastName = rstring(name), rstring(name), rstring("Test")
        with self.connection() as conn:
            admin = conn.getAdminService()

            def ids(wanted: Iterable[int | str]) -> list[int]:
                return [each if isinstance(each, int) else admin.lookupGroup(each).id.val for each in wanted]

            owned = ids(owner_of)
            proxies = [omero.model.ExperimenterGroupI(each, False) for each in dict.fromkeys([*ids(groups), *owned])]
            if not proxies:
                raise ValueError("A user belongs to at least one group.")
            user_id = int(admin.createExperimenterWithPassword(user, rstring(password), proxies[0], proxies[1:]))
            for group_id in owned:
                admin.setGroupOwner(omero.model.ExperimenterGroupI(group_id, False), omero.model.ExperimenterI(user_id, False))
            return user_id

    @property
    def log(self) -> str:
        """What the sandbox has written to its standard error so far."""
        return "".join(self._log)

    def stop(self) -> None:
        """Stop it as an operator would, and wait. Safe to call when it is gone already."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise SandboxError(f"The sandbox did not stop within {_STOP_SECONDS:.0f} s.\n{self.log}") from None
            finally:
                self.process.wait()

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Start it again with the same data on the same port; stops it first if it still runs."""
        self.stop()
        again = start_sandbox(self.folder, port=self.port, root_password=self.root_password, options=self.options)
        self.process, self._log = again.process, again._log


def start_sandbox(
    folder: Path,
    *,
    port: int = 0,
    root_password: str = "omero",  # noqa: S107  the documented default of a fresh sandbox
    options: Iterable[str] = (),
) -> RunningSandbox:
    """Start ``omero-sandbox serve`` with the data in ``folder`` and wait until it answers.

    Args:
        folder: its data folder; made when missing.
        port: 0 takes a free one.
        root_password: of a fresh folder; must be the one given then when the folder is used again.
        options: further options of ``omero-sandbox serve``, for example ``--idle-timeout 2``.

    Raises:
        SandboxError: it did not get ready.
    """
    options = tuple(options)
    process = subprocess.Popen(  # noqa: S603  our own command line
        [sys.executable, "-m", "omero_sandbox.cli", "serve", "--data", str(folder), "--port", str(port), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMERO_SANDBOX_ROOT_PASSWORD": root_password},
        start_new_session=True,  # Ctrl-C in a terminal ends the tests, which then stop the sandbox in order
    )
    log: list[str] = []
    lines: queue.Queue[str | None] = queue.Queue()
    assert process.stdout is not None and process.stderr is not None
    threading.Thread(target=_collect, args=(process.stderr, log), daemon=True).start()
    threading.Thread(target=_pass_on, args=(process.stdout, lines), daemon=True).start()
    ready = _wait_for_ready(process, lines, log)
    facts = dict(part.split("=", 1) for part in ready.split()[1:])
    return RunningSandbox(facts["host"], int(facts["port"]), root_password, process, Path(folder), options, log)


def _wait_for_ready(process: subprocess.Popen[str], lines: queue.Queue[str | None], log: list[str]) -> str:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            process.kill()
            raise SandboxError(f"The sandbox was not ready after {_READY_SECONDS:.0f} s.\n{''.join(log)}") from None
        if line is None:
            raise SandboxError(f"The sandbox ended with status {process.wait()} before it was ready.\n{''.join(log)}")
        if line.startswith("READY "):
            return line


def _collect(stream: Iterable[str], into: list[str]) -> None:
    for line in stream:
        into.append(line)


def _pass_on(stream: Iterable[str], lines: queue.Queue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)
