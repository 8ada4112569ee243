# SPDX-License-Identifier: AGPL-3.0-or-later
"""For OMERO administrators: the queue and everybody's part of it, limits, draining, and the audit log.

Cancelling and pausing somebody's execution are the same addresses as for its owner; an administrator may use them too.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from openhcs_client import AuditPage, DrainRequest, EngineChange, LimitsChange, OpenHCSError, PersonLimits, QueueOverview
from openhcs_execution.queue import limits
from openhcs_execution.queue.audit import read_audit
from openhcs_execution.queue.overview import read_overview

from .authentication import AdministratorOf, ServiceOf, actor_of

__all__ = ["router"]

router = APIRouter(prefix="/admin")


@router.get("/queue/")
def queue(service: ServiceOf, _admin: AdministratorOf) -> QueueOverview:
    with service.database.read() as session:
        overview = read_overview(session, service.board, service.workers, service.engine)
    alive, problems = service.alive_workers(), service.readiness.problems()
    return overview.model_copy(update={"workers_alive": alive, "problems": problems})


@router.post("/limits/")
def change_limits(service: ServiceOf, admin: AdministratorOf, body: LimitsChange) -> QueueOverview:
    limits.change_limits(service.database, body, actor_of(admin))
    service.wake()
    return queue(service, admin)


@router.post("/users/{user_id}/limits/")
def change_person_limits(service: ServiceOf, admin: AdministratorOf, user_id: int, body: PersonLimits) -> QueueOverview:
    if not 0 <= user_id < 2**63:
        raise OpenHCSError("user_not_found", "There is no such user.", status=404)
    limits.change_person_limits(service.database, user_id, body, actor_of(admin))
    service.wake()
    return queue(service, admin)


@router.post("/drain/")
def drain(service: ServiceOf, admin: AdministratorOf, body: DrainRequest | None = None) -> QueueOverview:
    """Begin no further well and take no submissions; wells that are being computed are finished."""
    if limits.drain(service.database, actor_of(admin), body.note if body else ""):
        service.hold_work()
    return queue(service, admin)


@router.post("/undrain/")
def undrain(service: ServiceOf, admin: AdministratorOf) -> QueueOverview:
    limits.undrain(service.database, actor_of(admin))
    service.wake()
    return queue(service, admin)


@router.post("/engine/")
def change_engine(service: ServiceOf, admin: AdministratorOf, body: EngineChange) -> QueueOverview:
    """Compute elsewhere from now on; what is being computed is finished where it is."""
    service.move_to(body.address, actor_of(admin))
    return queue(service, admin)


@router.get("/audit/")
def audit(
    service: ServiceOf,
    _admin: AdministratorOf,
    target: Annotated[str | None, Query(max_length=64)] = None,
    user: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
    action: Annotated[str | None, Query(max_length=32)] = None,
    cursor: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> AuditPage:
    with service.database.read() as session:
        return read_audit(session, target=target, user=user, action=action, before=cursor, limit=limit)
