# SPDX-License-Identifier: AGPL-3.0-or-later
"""The OMERO sessions of open executions: used now and then so that they do not idle out, and closed when the work is done."""

from __future__ import annotations

import threading
import time

from sqlalchemy import select

from openhcs_client import ExecutionStatusName, OpenHCSError
from openhcs_execution.database import Database, ExecutionRow, JobSession
from openhcs_execution.logging import get_logger
from openhcs_execution.omero_io import OmeroServer, close_job_session, keep_alive
from openhcs_execution.queue import executions
from openhcs_execution.secrets import SecretError, SessionVault

__all__ = ["SessionKeeper"]

log = get_logger(__name__)


class SessionKeeper:
    """One loop for all sessions. What is to be closed stands in the database, so it is closed also after a crash."""

    def __init__(self, database: Database, vault: SessionVault, server: OmeroServer, every_seconds: float) -> None:
        self._database = database
        self._vault = vault
        self._server = server
        self._every_seconds = every_seconds
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="session-keeper", daemon=True)

    def start(self) -> None:
        self._forget_unreadable()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def wake(self) -> None:
        """An execution ended: close its session now rather than at the next round."""
        self._woken.set()

    def _run(self) -> None:
        keep_at = time.monotonic()
        while not self._stopping.is_set():
            try:
                self._close_finished()
                if time.monotonic() >= keep_at:
                    keep_at = time.monotonic() + self._every_seconds
                    self._keep_open()
            except OpenHCSError as error:  # OMERO does not answer: the next round tries again
                log.warning("sessions_not_kept", reason=error.code)
            except Exception:
                log.exception("session_keeper_failed")
            self._woken.wait(max(0.0, keep_at - time.monotonic()))
            self._woken.clear()

    def _sessions(self, *, finished: bool) -> list[tuple[int, str, JobSession]]:
        final = [status.value for status in ExecutionStatusName if status.is_final]
        condition = ExecutionRow.status.in_(final) if finished else ExecutionRow.status.not_in(final)
        statement = (
            select(ExecutionRow.number, ExecutionRow.execution_id, JobSession)
            .join(JobSession, JobSession.execution == ExecutionRow.number)
            .where(condition)
        )
        with self._database.read() as session:
            return [(number, execution_id, row) for number, execution_id, row in session.execute(statement)]

    def _close_finished(self) -> None:
        for number, execution_id, row in self._sessions(finished=True):
            if not row.lost:
                close_job_session(self._server, self._vault.open(row.sealed_key))
            executions.drop_session(self._database, number, row.sealed_key)
            log.info("session_closed", execution_id=execution_id)

    def _keep_open(self) -> None:
        for number, execution_id, row in self._sessions(finished=False):
            if self._stopping.is_set():
                return
            if row.lost or keep_alive(self._server, self._vault.open(row.sealed_key)):
                continue
            if executions.lose_session(self._database, number, row.sealed_key):
                log.warning("session_lost", execution_id=execution_id)

    def _forget_unreadable(self) -> None:
        """Sessions sealed with a former secret are lost: their executions wait for sign-in instead of failing."""
        for finished in (True, False):
            for number, execution_id, row in self._sessions(finished=finished):
                try:
                    self._vault.open(row.sealed_key)
                except SecretError:
                    log.warning("session_unreadable", execution_id=execution_id)
                    executions.lose_session(self._database, number, row.sealed_key)
                    if finished:
                        executions.drop_session(self._database, number, row.sealed_key)
