# SPDX-License-Identifier: AGPL-3.0-or-later
"""The loop that deletes from OMERO what executions saved, when somebody who may asked for it."""

from __future__ import annotations

from openhcs_client import OpenHCSError
from openhcs_execution.background import BackgroundLoop
from openhcs_execution.database import Database
from openhcs_execution.logging import get_logger
from openhcs_execution.omero_io import OmeroServer, close_job_session, delete_found, find_results
from openhcs_execution.queue import deletions
from openhcs_execution.secrets import SecretError, SessionVault

from .connection import KeptConnection

__all__ = ["Deleter"]

log = get_logger(__name__)

_PAUSE = 5.0
"""Seconds until it is tried again while OMERO does not answer."""


class Deleter:
    """One thread with one OMERO connection. What is to be deleted stands in the database, so it goes on after a crash."""

    def __init__(self, database: Database, vault: SessionVault, server: OmeroServer) -> None:
        self._database, self._vault, self._server = database, vault, server
        self._connection = KeptConnection(server, vault)
        self._loop = BackgroundLoop("deleter", self._turn, trouble="deleting_failed", ended=self._connection.close)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def wake(self) -> None:
        """Somebody asked for a deletion."""
        self._loop.wake()

    def _turn(self) -> float | None:
        waiting = False
        for deletion in deletions.open_deletions(self._database):
            if self._loop.stopping:
                break
            waiting = not self._delete(deletion) or waiting
        return _PAUSE if waiting else None

    def _delete(self, deletion: deletions.Deletion) -> bool:
        """Delete; False when OMERO does not answer and it is to be tried again."""
        problem = ""
        try:
            self._connection.use(deletion.sealed_key, deletion.group_id, lambda conn: self._delete_with(conn, deletion))
        except OpenHCSError as error:
            if error.code == "omero_unreachable":
                log.warning("results_not_deleted_yet", execution_id=deletion.execution_id)
                return False
            problem = error.message
        except SecretError:
            problem = "The OMERO session cannot be read any more. Delete the results again."
        except Exception:
            log.exception("results_not_deleted", execution_id=deletion.execution_id)
            problem = "Something went wrong; the log of the service says what. Delete the results again."
        deletions.end(self._database, deletion.number, problem)
        log.info("results_deleted", execution_id=deletion.execution_id, problem=problem)
        self._close(deletion)
        return True

    def _delete_with(self, conn: object, deletion: deletions.Deletion) -> None:
        found = find_results(conn, deletion.execution_id, deletion.plate_id, deletion.owner_id, deletion.dataset_id)
        total = len(found.objects)
        delete_found(conn, found, lambda done: deletions.progress(self._database, deletion.number, done, total))

    def _close(self, deletion: deletions.Deletion) -> None:
        self._connection.close()
        try:
            close_job_session(self._server, self._vault.open(deletion.sealed_key))
        except (OpenHCSError, SecretError):
            log.warning("session_not_closed", execution_id=deletion.execution_id)
