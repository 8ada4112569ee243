# SPDX-License-Identifier: AGPL-3.0-or-later
"""``executions/``: submit, list, follow, cancel, pause, retry, run again, and read what was measured.

Who may see an execution is decided by the execution service from the signed claims: its owner, members who may read the
plate's group, administrators. Reading needs no OMERO connection, so that polling stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from pydantic import BaseModel, ConfigDict, Field

from omero_openhcs.submission import delete_results, deletion_plan, run_again, run_the_same, sign_in_again, submit
from openhcs_client import (
    DeletionPlan,
    EventPage,
    ExecutionCreated,
    ExecutionDetail,
    ExecutionPage,
    ExecutionStatus,
    ExecutionStatusName,
    MeasurementLevel,
    MeasurementPage,
    RetryWhich,
    SubmitExecution,
)

from .decorators import api_view
from .requests import idempotency_key, read_body, read_query

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = [
    "cancel",
    "delete",
    "plan_deletion",
    "events",
    "execution_collection",
    "execution_detail",
    "measurements",
    "pause",
    "renew_session",
    "rerun",
    "resume",
    "retry",
    "status",
]


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _ListQuery(_Query):
    plate: int | None = Field(default=None, ge=1)
    status: ExecutionStatusName | None = None
    owner: int | None = Field(default=None, ge=0)
    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=50, ge=1, le=200)


class _RetryQuery(_Query):
    which: RetryWhich = "unfinished"


class _EventQuery(_Query):
    since: int = Field(default=0, ge=0)
    limit: int = Field(default=1000, ge=1, le=10_000)


class _MeasurementQuery(_Query):
    level: MeasurementLevel = MeasurementLevel.WELL
    well: str | None = Field(default=None, max_length=10)
    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=1000, ge=1, le=10_000)


@api_view("GET", "POST")  # what the address takes, for the refusal of other methods
def _list(request: HttpRequest, asker: Asker) -> ExecutionPage:
    query = read_query(request, _ListQuery)
    return asker.service.executions(**query.model_dump())


@api_view("POST", omero=True)
def _submit(request: HttpRequest, asker: Asker) -> tuple[ExecutionCreated, int]:
    created = submit(asker, read_body(request, SubmitExecution), idempotency_key(request))
    return _with_our_addresses(created), 201


def execution_collection(request: HttpRequest) -> Any:
    """List executions (which needs no OMERO connection), or submit one (which does)."""
    return _submit(request) if request.method == "POST" else _list(request)


@api_view("GET")
def execution_detail(request: HttpRequest, asker: Asker, execution_id: str) -> ExecutionDetail:
    """An execution with its wells, its document and its changed parameters."""
    return asker.service.execution(execution_id)


@api_view("GET")
def status(request: HttpRequest, asker: Asker, execution_id: str) -> ExecutionStatus:
    """How far it is; also served at ``/openhcs/status/<id>/``."""
    return asker.service.status(execution_id)


@api_view("GET")
def events(request: HttpRequest, asker: Asker, execution_id: str) -> EventPage:
    """What happened after the cursor ``since``."""
    query = read_query(request, _EventQuery)
    return asker.service.events(execution_id, **query.model_dump())


@api_view("POST")
def cancel(request: HttpRequest, asker: Asker, execution_id: str) -> ExecutionStatus:
    """Stop it; wells that are done stay. For its owner and administrators."""
    asker.service.cancel(execution_id)
    return asker.service.status(execution_id)


@api_view("POST")
def pause(request: HttpRequest, asker: Asker, execution_id: str) -> ExecutionStatus:
    """Begin no further well of it; wells in work are finished. For its owner and administrators."""
    asker.service.pause(execution_id)
    return asker.service.status(execution_id)


@api_view("POST")
def resume(request: HttpRequest, asker: Asker, execution_id: str) -> ExecutionStatus:
    """Let it go on after a pause. For its owner and administrators."""
    asker.service.resume(execution_id)
    return asker.service.status(execution_id)


@api_view("POST", omero=True)
def retry(request: HttpRequest, asker: Asker, execution_id: str) -> ExecutionStatus:
    """Run its failed and skipped wells again, or only ``which``. For its owner and administrators."""
    query = read_query(request, _RetryQuery)
    run_again(asker, asker.service.execution(execution_id), query.which)
    return asker.service.status(execution_id)


@api_view("POST", omero=True)
def rerun(request: HttpRequest, asker: Asker, execution_id: str) -> tuple[ExecutionCreated, int]:
    """Run the same again as a new execution. For whoever may see it and run on the plate."""
    created = run_the_same(asker, asker.service.execution(execution_id), idempotency_key(request))
    return _with_our_addresses(created), 201


@api_view("POST", omero=True)
def renew_session(request: HttpRequest, asker: Asker, execution_id: str) -> ExecutionStatus:
    """Sign in again for an execution that waits for it. For its owner."""
    sign_in_again(asker, asker.service.execution(execution_id))
    return asker.service.status(execution_id)


class _ConfirmedDeletion(BaseModel):
    model_config = ConfigDict(extra="forbid")

    digest: str = Field(max_length=64, description="Of the plan that was looked at.")


@api_view("POST", omero=True)
def plan_deletion(request: HttpRequest, asker: Asker, execution_id: str) -> DeletionPlan:
    """What deleting its results from OMERO would remove; nothing is changed. For its owner and administrators."""
    return deletion_plan(asker, asker.service.execution(execution_id))


@api_view("POST", omero=True)
def delete(request: HttpRequest, asker: Asker, execution_id: str) -> tuple[ExecutionDetail, int]:
    """Delete from OMERO what the plan lists. It goes on by itself, and events tell how far it is."""
    confirmed = read_body(request, _ConfirmedDeletion)
    return delete_results(asker, asker.service.execution(execution_id), confirmed.digest), 202


@api_view("GET")
def measurements(request: HttpRequest, asker: Asker, execution_id: str) -> MeasurementPage:
    """A page of measurements per well, field or object."""
    query = read_query(request, _MeasurementQuery)
    return asker.service.measurements(execution_id, **query.model_dump())


def _with_our_addresses(created: ExecutionCreated) -> ExecutionCreated:
    return ExecutionCreated(
        execution_id=created.execution_id,
        status_url=reverse("openhcs_status", kwargs={"execution_id": created.execution_id}),
        results_url=reverse("openhcs_results", kwargs={"execution_id": created.execution_id}),
    )
