# SPDX-License-Identifier: AGPL-3.0-or-later
"""Executions: submit, list, look at, cancel, pause, retry, run again, and sign in again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict, SecretStr

from openhcs_client import (
    DeletionPlan,
    ExecutionCreated,
    ExecutionDetail,
    ExecutionPage,
    ExecutionStatus,
    ExecutionStatusName,
    OpenHCSError,
    RetryWhich,
    ServiceSubmission,
)
from openhcs_execution import control, deletion
from openhcs_execution.queue import reading
from openhcs_execution.submission import submit

from .authentication import ClaimsOf, ServiceOf, actor_of, reader_of, require_owner
from .strict_json import StrictJsonRoute

__all__ = ["router"]

router = APIRouter(prefix="/executions", route_class=StrictJsonRoute)

LARGEST_ID = 2**63
"""OMERO's ids, and the database's, have 64 bits with a sign."""


class RenewedSession(BaseModel):
    """An OMERO session of the execution's owner; ``session_for_job`` as in a submission."""

    model_config = ConfigDict(extra="forbid")

    omero_session: SecretStr
    session_for_job: bool = False


class ConfirmedDeletion(RenewedSession):
    """A session of who deletes, and the digest of the plan that they saw."""

    digest: str


@router.post("/", status_code=201)
def create(
    service: ServiceOf,
    claims: ClaimsOf,
    body: ServiceSubmission,
    response: Response,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> ExecutionCreated:
    """Queue an execution: 201, or 200 with the first one when the key was seen before."""
    execution_id, created = submit(service, claims, body, idempotency_key)
    if not created:
        response.status_code = 200
    return _created(execution_id)


def _created(execution_id: str) -> ExecutionCreated:
    return ExecutionCreated(
        execution_id=execution_id,
        status_url=f"/api/v1/executions/{execution_id}/status/",
        results_url=f"/api/v1/executions/{execution_id}/",
    )


@router.get("/")
def page(
    service: ServiceOf,
    claims: ClaimsOf,
    plate: Annotated[int | None, Query(ge=1, lt=LARGEST_ID)] = None,
    status: ExecutionStatusName | None = None,
    owner: Annotated[int | None, Query(ge=0, lt=LARGEST_ID)] = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ExecutionPage:
    with service.database.read() as session:
        return reading.read_page(
            session,
            reader_of(claims),
            plate=plate,
            status=status,
            owner=owner,
            before=_number(cursor),
            limit=limit,
            board=service.board,
        )


def _number(cursor: str | None) -> int | None:
    if not cursor:
        return None
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise OpenHCSError("bad_cursor", "This cursor is not one that the service gave out.", status=422)
    return int(cursor)


@router.get("/{execution_id}/")
def detail(service: ServiceOf, claims: ClaimsOf, execution_id: str) -> ExecutionDetail:
    with service.database.read() as session:
        row = reading.find_execution(session, execution_id, reader_of(claims))
        return reading.read_detail(session, row, service.board.of(row))


@router.get("/{execution_id}/status/")
def status(service: ServiceOf, claims: ClaimsOf, execution_id: str) -> ExecutionStatus:
    with service.database.read() as session:
        row = reading.find_execution(session, execution_id, reader_of(claims))
        return reading.read_status(row, service.board.of(row), service.forecasts.of(row))


@router.post("/{execution_id}/cancel/")
def cancel(service: ServiceOf, claims: ClaimsOf, execution_id: str) -> ExecutionStatus:
    control.cancel_execution(service, _mine(service, claims, execution_id), actor_of(claims))
    return status(service, claims, execution_id)


@router.post("/{execution_id}/pause/")
def pause(service: ServiceOf, claims: ClaimsOf, execution_id: str) -> ExecutionStatus:
    """Begin no further well; those in work are finished."""
    control.pause_execution(service, _mine(service, claims, execution_id), actor_of(claims))
    return status(service, claims, execution_id)


@router.post("/{execution_id}/resume/")
def resume(service: ServiceOf, claims: ClaimsOf, execution_id: str) -> ExecutionStatus:
    control.resume_execution(service, _mine(service, claims, execution_id), actor_of(claims))
    return status(service, claims, execution_id)


@router.post("/{execution_id}/rerun/", status_code=201)
def rerun(
    service: ServiceOf,
    claims: ClaimsOf,
    execution_id: str,
    body: RenewedSession,
    response: Response,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> ExecutionCreated:
    """Queue a new execution that asks for the same; for whoever may see the old one and may run on the plate."""
    with service.database.read() as session:
        number = reading.find_execution(session, execution_id, reader_of(claims)).number
    key = body.omero_session.get_secret_value()
    new, created = control.rerun_execution(service, claims, number, key, body.session_for_job, idempotency_key)
    if not created:
        response.status_code = 200
    return _created(new)


@router.post("/{execution_id}/retry/")
def retry(
    service: ServiceOf,
    claims: ClaimsOf,
    execution_id: str,
    body: RenewedSession | None = None,
    which: RetryWhich = "unfinished",
) -> ExecutionStatus:
    """Queue failed and skipped wells again; a finished execution also needs a session, here or by signing in after."""
    number = _mine(service, claims, execution_id)
    if body is None:
        control.retry_execution(service, number, actor_of(claims), which=which)
    else:
        key, ours = body.omero_session.get_secret_value(), body.session_for_job
        control.retry_execution(service, number, actor_of(claims), which=which, session_key=key, session_for_job=ours)
    return status(service, claims, execution_id)


@router.post("/{execution_id}/session/")
def renew_session(service: ServiceOf, claims: ClaimsOf, execution_id: str, body: RenewedSession) -> ExecutionStatus:
    number = _mine(service, claims, execution_id)
    control.renew_session(service, number, body.omero_session.get_secret_value(), body.session_for_job)
    return status(service, claims, execution_id)


@router.post("/{execution_id}/results/deletion-plan/")
def deletion_plan(service: ServiceOf, claims: ClaimsOf, execution_id: str, body: RenewedSession) -> DeletionPlan:
    """What deleting the results would remove; nothing is changed."""
    number = _mine(service, claims, execution_id)
    return deletion.plan_deletion(service, claims, number, body.omero_session.get_secret_value(), body.session_for_job)


@router.post("/{execution_id}/results/delete/")
def delete_results(
    service: ServiceOf, claims: ClaimsOf, execution_id: str, body: ConfirmedDeletion, response: Response
) -> ExecutionDetail:
    """Delete what the plan with this digest lists: 202, and the events say how far it is."""
    number = _mine(service, claims, execution_id)
    key = body.omero_session.get_secret_value()
    deletion.delete_results(service, claims, number, body.digest, key, body.session_for_job)
    response.status_code = 202
    return detail(service, claims, execution_id)


def _mine(service: ServiceOf, claims: ClaimsOf, execution_id: str) -> int:
    """The internal number of an execution that the caller may change."""
    with service.database.read() as session:
        row = reading.find_execution(session, execution_id, reader_of(claims))
        require_owner(claims, row)
        return row.number
