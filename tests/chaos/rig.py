# SPDX-License-Identifier: AGPL-3.0-or-later
"""The whole system with a plate to compute, and ways to kill any part of it with SIGKILL and to bring it back.

What is restarted here is what a process manager restarts: the service, OMERO and OMERO.web. A Dask worker and an engine are
replaced by the service itself. A sign-in after a restart of OMERO is a person's: Chromium opens the start page.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import psutil
from playwright.sync_api import Browser
from servers import Server
from stack import Stack

from omero_sandbox.testing import RunningSandbox
from openhcs_client import ExecutionStatusName, RemoteOrchestrator
from openhcs_execution.tokens import issue_token
from tests.execution.omero_io.world import PASSWORD, Lab
from tests.execution.service_world import is_engine, nuclei_plate, wait_for

__all__ = ["GOAL_SECONDS", "KINDS", "Kill", "Rig"]

KINDS = ("Dask worker", "engine", "service with its scheduler", "OMERO", "OMERO.web", "everything at once")
"""The scheduler is embedded in the service's process, so it dies with it."""

GOAL_SECONDS = 30.0
"""Within so long of the service being back the work goes on; what took longer is told in the table."""

PATIENCE_SECONDS = 240.0
"""When a test fails: machines of tests are shared, and starting OpenHCS twice took two minutes on a busy one."""

_LOOK_EVERY = 0.02


@dataclass(frozen=True)
class Kill:
    """One kill: ``seconds`` is how long after the killed process was back (for what a person has to sign in: after the
    sign-in) a well was begun or finished again; None when there was nothing left to compute."""

    kind: str
    committed: int
    seconds: float | None
    signed_in: bool = False


class Rig:
    """A running stack, a person with a plate of nuclei, and the random choices."""

    def __init__(self, stack: Stack, browser: Browser, random: Random) -> None:
        self.stack, self.browser, self.random = stack, browser, random
        sandbox = RunningSandbox("127.0.0.1", stack.omero_port, stack.root_password, None, stack.folder)  # type: ignore[arg-type]
        self.lab = Lab(sandbox)
        conn = self.lab.person()
        self.user, self.user_id = conn.getUser().getName(), int(conn.getUserId())
        self.plate_id = 0
        self._database = stack.folder / "service" / "execution.db"
        self._secret = stack.secret_file.read_text(encoding="utf-8").strip()

    def make_plate(self, rows: int, columns: int, fields: int, size: int) -> None:
        self.plate_id = nuclei_plate(self.lab.connections[0], rows, columns, fields, size)
        self.lab.close()  # this session would not outlive the first kill of OMERO

    # ----------------------------------------------------------------- what people do

    def submit(self) -> str:
        """As a person does it: signed in to OMERO.web."""
        with self.web_client() as client:
            return client.execute_remote(plate_id=self.plate_id, pipeline="nuclei-count")

    def web_client(self) -> RemoteOrchestrator:
        return RemoteOrchestrator.sign_in_to_web(self.stack.web_url, self.user, PASSWORD, timeout=60)

    def service_client(self) -> RemoteOrchestrator:
        """Asks the service directly, so that looking on does not depend on what was killed."""

        def token() -> str:
            return issue_token(self._secret, user_id=self.user_id, name=self.user, admin=False, groups=[])

        return RemoteOrchestrator(base_url=self.stack.service_url, token=token, timeout=60)

    def visit(self, execution_id: str) -> None:
        """The person signs in to OMERO.web in a browser and looks at the start page, nothing else."""
        context = self.browser.new_context()
        try:
            page = context.new_page()
            page.set_default_timeout(60_000)
            page.goto(f"{self.stack.web_url}/webclient/login/?url=/openhcs/")
            page.fill("#id_username", self.user)
            page.fill("#id_password", PASSWORD)
            with page.expect_response(lambda answer: answer.url.endswith(f"/executions/{execution_id}/session/")) as renewed:
                page.press("#id_password", "Enter")
            assert renewed.value.ok, renewed.value.text()
        finally:
            context.close()

    # ----------------------------------------------------------------- what is known without asking anybody

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Look into the service's database file, which is there also while the service is not."""
        connection = sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=30)
        with contextlib.closing(connection):
            return connection.execute(sql, values).fetchall()

    def status(self, execution_id: str) -> ExecutionStatusName:
        return ExecutionStatusName(self.query("select status from executions where execution_id = ?", execution_id)[0][0])

    def committed(self, execution_id: str) -> dict[str, tuple[Any, ...]]:
        """What was committed of each well: never to change again."""
        rows = self.query(
            "select well, committed_at, attempt, measurements, field_rows, object_rows, label_count from wells "
            "join executions on number = execution where execution_id = ? and committed_at is not null",
            execution_id,
        )
        return {row[0]: row[1:] for row in rows}

    def seconds_per_well(self, execution_id: str) -> float:
        """Between the first and the last commit of an execution, by all workers together."""
        times = sorted(datetime.fromisoformat(row[0]) for row in self.committed(execution_id).values())
        return (times[-1] - times[0]).total_seconds() / (len(times) - 1)

    def _went_on(self, execution_id: str, since: datetime) -> bool:
        """Whether a well was begun, computed or saved after ``since``, or nothing is left to do."""
        if self.status(execution_id).is_final:
            return True
        found = self.query(
            "select count(*) from events join executions on number = execution where execution_id = ? and time > ? "
            "and kind in ('well_staging', 'well_step', 'well_saving', 'well_done', 'finished')",
            execution_id,
            since.replace(tzinfo=None).isoformat(" "),
        )
        return bool(found[0][0])

    # ----------------------------------------------------------------- killing

    def kill(self, kind: str, execution_id: str) -> Kill:
        """Kill, bring back, and wait until the work goes on.

        Raises:
            AssertionError: when it does not go on.
        """
        committed = len(self.committed(execution_id))
        omero_died = kind in ("OMERO", "everything at once")
        if kind in ("Dask worker", "engine"):
            self._kill_one(self._workers if kind == "Dask worker" else self._engines)
        elif kind == "everything at once":
            _sigkill([process for server in self._servers() for process in _tree(server)])
            for server in self._servers():
                _reap(server)
            self._start(*self._servers())
        else:
            server = self._servers()[("OMERO", "service with its scheduler", "OMERO.web").index(kind)]
            _sigkill(_tree(server) if server is self.stack.web else [_leader(server)])
            _reap(server)
            if kind != "service with its scheduler":
                time.sleep(self.random.uniform(0, 3))  # it is away for a while; the service is started again at once
            self._start(server)
        if omero_died and self._asks_for_sign_in(execution_id):
            self.visit(execution_id)
            return Kill(kind, committed, self._seconds_until_it_went_on(kind, execution_id), signed_in=True)
        return Kill(kind, committed, self._seconds_until_it_went_on(kind, execution_id))

    def _seconds_until_it_went_on(self, kind: str, execution_id: str) -> float | None:
        if self.status(execution_id).is_final:
            return None
        since, begun = datetime.now(UTC), time.monotonic()
        while not self._went_on(execution_id, since):
            assert time.monotonic() - begun < PATIENCE_SECONDS, self._stuck(kind, execution_id)
            time.sleep(_LOOK_EVERY)
        return time.monotonic() - begun

    def _stuck(self, kind: str, execution_id: str) -> str:
        row = self.query("select * from executions where execution_id = ?", execution_id)
        assert self.stack.service is not None
        return f"nothing went on {PATIENCE_SECONDS:g} s after {kind} was killed: {row}\n{self.stack.service.tail(60)}"

    def _asks_for_sign_in(self, execution_id: str) -> bool:
        """Wait until the loss of its OMERO session is noticed; False when the execution ended without having needed one."""
        wait_for(
            lambda: self.status(execution_id) == ExecutionStatusName.WAITING_FOR_SIGN_IN or self.status(execution_id).is_final,
            PATIENCE_SECONDS,
            "the execution to ask for a sign-in",
        )
        return self.status(execution_id) == ExecutionStatusName.WAITING_FOR_SIGN_IN

    def _kill_one(self, candidates: Callable[[], list[psutil.Process]]) -> None:
        """Kill one of them; when all are just being replaced, the first that is there again."""
        wait_for(lambda: bool(candidates()), 60, "a process to kill")
        _sigkill([self.random.choice(candidates())])

    def _workers(self) -> list[psutil.Process]:
        """Dask workers: children of the service that have an engine."""
        children = _leader(self._servers()[1]).children()
        return [child for child in children if any(is_engine(each) for each in _children(child))]

    def _engines(self) -> list[psutil.Process]:
        """Engines of workers; the service's own answers questions and computes no well."""
        return [each for worker in self._workers() for each in _children(worker) if is_engine(each)]

    def _servers(self) -> tuple[Server, Server, Server]:
        assert self.stack.omero and self.stack.service and self.stack.web
        return self.stack.omero, self.stack.service, self.stack.web

    def _start(self, *servers: Server) -> None:
        """Start servers as they were started before, and wait until they answer."""
        for server in servers:
            server.start(ready=None if server is self.stack.web else r"^READY ")
        for server in servers:
            if server is not self.stack.web:
                server.wait()
        self.stack.web.wait_for_http(f"{self.stack.web_url}/webclient/login/")  # type: ignore[union-attr]


def _leader(server: Server) -> psutil.Process:
    assert server.process is not None
    return psutil.Process(server.process.pid)


def _tree(server: Server) -> list[psutil.Process]:
    return [_leader(server), *_leader(server).children(recursive=True)]


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children()
    except psutil.Error:
        return []


def _sigkill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


def _reap(server: Server) -> None:
    assert server.process is not None
    server.process.wait(30)
