# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an owner can do to an execution: cancel, pause and resume it, retry its wells, run it again, sign in again."""

from __future__ import annotations

from pydantic import SecretStr

from openhcs_client import (
    Claims,
    ControlsFirst,
    OpenHCSError,
    PipelineDocument,
    PlateLayout,
    RetryWhich,
    SavingOptions,
    ServiceSubmission,
)
from openhcs_execution.database import ExecutionInput, ExecutionRow
from openhcs_execution.logging import get_logger
from openhcs_execution.omero_io import close_job_session, join_session, open_job_session, session_user
from openhcs_execution.queue import executions
from openhcs_execution.queue.audit import Actor
from openhcs_execution.queue.limits import refuse_when_draining
from openhcs_execution.service import Service
from openhcs_execution.submission import submit

__all__ = [
    "cancel_execution",
    "pause_execution",
    "renew_session",
    "rerun_execution",
    "resume_execution",
    "retry_execution",
]

log = get_logger(__name__)


def cancel_execution(service: Service, number: int, by: Actor) -> None:
    """Cancel at once for everybody who looks, then stop what still computes."""
    if executions.cancel(service.database, number, by):
        service.stop_work(number)
        log.info("cancelled", execution=number)


def pause_execution(service: Service, number: int, by: Actor) -> None:
    """Begin no further well; those that are being computed are finished."""
    if executions.pause(service.database, number, by):
        service.hold_work(number)


def resume_execution(service: Service, number: int, by: Actor) -> None:
    """Let a paused execution go on."""
    if executions.resume(service.database, number, by):
        service.wake()


def rerun_execution(
    service: Service, claims: Claims, number: int, session_key: str, session_for_job: bool = False, key: str | None = None
) -> tuple[str, bool]:
    """Queue a new execution that asks for the same as an old one: document, parameters, plate and wells.

    It is checked like any submission: the plate may have changed, or the person who asks may be another.
    """
    with service.database.read() as session:
        execution, inputs = session.get_one(ExecutionRow, number), session.get_one(ExecutionInput, number)
    wells = [well.well for well in PlateLayout.model_validate_json(inputs.layout).wells]
    request = ServiceSubmission(
        plate_id=execution.plate_id,
        pipeline_id=execution.pipeline_id,
        version=execution.pipeline_version,
        wells=None if execution.test_well else wells,
        test_well=wells[0] if execution.test_well else None,
        parameters=inputs.parameters,
        saving=SavingOptions.model_validate(inputs.saving),
        controls_first=None if inputs.controls_first is None else ControlsFirst.model_validate(inputs.controls_first),
        document=PipelineDocument.model_validate_json(inputs.document),
        omero_session=SecretStr(session_key),
        session_for_job=session_for_job,
    )
    return submit(service, claims, request, key)


def retry_execution(
    service: Service,
    number: int,
    by: Actor,
    *,
    which: RetryWhich = "unfinished",
    session_key: str | None = None,
    session_for_job: bool = False,
) -> None:
    """Queue failed and skipped wells again, with a new OMERO session when one is given."""
    refuse_when_draining(service.database)
    if session_key is None:
        executions.retry(service.database, number, which=which, by=by)
    else:
        key = _job_session(service, number, session_key, session_for_job)
        try:
            executions.retry(service.database, number, service.vault.seal(key), which=which, by=by)
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
