# SPDX-License-Identifier: AGPL-3.0-or-later
"""The OMERO sessions of open executions: used now and then so that they do not idle out, and closed when the work is done."""

from __future__ import annotations

import time

from sqlalchemy import select

from openhcs_client import ExecutionStatusName, OpenHCSError
from openhcs_execution.background import BackgroundLoop
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
        self._keep_at = time.monotonic()
        self._loop = BackgroundLoop("session-keeper", self._turn, trouble="session_keeper_failed")

    def start(self) -> None:
        self._forget_unreadable()
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop(10)

    def wake(self) -> None:
        """An execution ended: close its session now rather than at the next round."""
        self._loop.wake()

    def _turn(self) -> float:
        try:
            self._close_finished()
            if time.monotonic() >= self._keep_at:
                self._keep_at = time.monotonic() + self._every_seconds
                self._keep_open()
        except OpenHCSError as error:  # OMERO does not answer: the next round tries again
            log.warning("sessions_not_kept", reason=error.code)
        return max(0.0, self._keep_at - time.monotonic())

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
            if self._loop.stopping:
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
