# SPDX-License-Identifier: AGPL-3.0-or-later
"""Is the service well: for process managers, load balancers and OMERO.web. No token, and nothing about anybody's work."""

from __future__ import annotations

from fastapi import APIRouter, Response

from openhcs_client import ExecutionStatusName, ServiceHealth
from openhcs_execution.queue.reading import count_by_status
from openhcs_execution.version import VERSION, installed_version

from .authentication import ServiceOf

__all__ = ["router"]

router = APIRouter()


@router.get("/healthz")
def healthz(service: ServiceOf) -> ServiceHealth:
    """The process answers and its database does; ``starting`` until wells can be computed."""
    with service.database.read() as session:
        counts = count_by_status(session)
    return ServiceHealth(
        status="ok" if service.ready else "starting",
        version=VERSION,
        openhcs_version=installed_version("openhcs"),
        workers=service.workers,
        queued_executions=counts.get(ExecutionStatusName.QUEUED, 0),
        running_executions=counts.get(ExecutionStatusName.RUNNING, 0),
        functions_offered=service.tested.offered,
        functions_tested=not service.tested.differences,
        pipeline_problems=service.pipelines.problems,
        mail=bool(service.settings.smtp_host),
    )


@router.get("/readyz")
def readyz(service: ServiceOf, response: Response) -> ServiceHealth:
    """The same, with status 503 when wells cannot be computed or submissions cannot be taken."""
    problems = service.readiness.problems()
    if problems:
        response.status_code = 503
    return healthz(service).model_copy(update={"problems": problems})


@router.get("/version")
async def version() -> dict[str, str]:
    """Versions of the service and of what it computes with."""
    return {"version": VERSION, "openhcs": installed_version("openhcs"), "dask": installed_version("distributed")}
