# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an owner can do to a queued or running execution: cancel it, retry its wells, sign in again."""

from __future__ import annotations

from openhcs_client import OpenHCSError
from openhcs_execution.database import ExecutionRow
from openhcs_execution.logging import get_logger
from openhcs_execution.omero_io import close_job_session, join_session, open_job_session, session_user
from openhcs_execution.queue import executions
from openhcs_execution.service import Service

__all__ = ["cancel_execution", "renew_session", "retry_execution"]

log = get_logger(__name__)


def cancel_execution(service: Service, number: int) -> None:
    """Cancel at once for everybody who looks, then stop what still computes."""
    if executions.cancel(service.database, number):
        service.stop_work(number)
        log.info("cancelled", execution=number)


def retry_execution(service: Service, number: int, session_key: str | None = None, session_for_job: bool = False) -> None:
    """Queue failed and skipped wells again, with a new OMERO session when one is given."""
    if session_key is None:
        executions.retry(service.database, number)
    else:
        key = _job_session(service, number, session_key, session_for_job)
        try:
            executions.retry(service.database, number, service.vault.seal(key))
        except BaseException:
            if not session_for_job:
                close_job_session(service.omero, key)
            raise
    service.wake()


def renew_session(service: Service, number: int, session_key: str, session_for_job: bool) -> None:
    """Give an open execution a new OMERO session of its owner; the one it had is closed."""
    key = _job_session(service, number, session_key, session_for_job)
    try:
        replaced = executions.renew_session(service.database, number, service.vault.seal(key))
    except BaseException:
        if not session_for_job:
            close_job_session(service.omero, key)
        raise
    if replaced is not None and service.vault.open(replaced) != key:
        close_job_session(service.omero, service.vault.open(replaced))
    service.wake()


def _job_session(service: Service, number: int, session_key: str, session_for_job: bool) -> str:
    """Check that the session belongs to the execution's owner and return the key of the job's own.

    Raises:
        OpenHCSError: ``session_of_another_user``, status 403.
    """
    with service.database.read() as session:
        execution = session.get_one(ExecutionRow, number)
    with join_session(service.omero, session_key) as conn:
        # An administrator may cancel for others but not write in their name with a session of her own.
        if session_user(conn).user_id != execution.owner_id:
            raise OpenHCSError(
                "session_of_another_user", "The OMERO session does not belong to the owner of this execution.", status=403
            )
        if session_for_job:
            return session_key
        return open_job_session(conn, execution.group_id, idle_minutes=service.settings.session_idle_minutes)
