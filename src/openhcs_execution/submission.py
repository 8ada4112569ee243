# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a request to a queued execution: everything that can be wrong is found here, before anything is kept.

The order is from cheap to dear: the request alone, then the OMERO session and whose it is, then the plate, then the pipeline
against the plate. Only then is a session opened for the job, and the rows are written in one transaction.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence

from sqlalchemy import select

from openhcs_client import (
    Claims,
    OpenHCSError,
    PipelineDocument,
    PlateLayout,
    ServiceSubmission,
    well_name,
    well_position,
)
from openhcs_execution.catalogue import PipelineCatalogue
from openhcs_execution.checking import check_run
from openhcs_execution.database import ExecutionRow, JobSession
from openhcs_execution.logging import get_logger
from openhcs_execution.omero_io import (
    OmeroServer,
    SessionUser,
    close_job_session,
    join_session,
    open_job_session,
    read_layout,
    session_user,
)
from openhcs_execution.passport import require_same_plate
from openhcs_execution.queue.adding import NewExecution, PriorityClass, add_execution, find_repeated
from openhcs_execution.queue.controls_first import checked_controls
from openhcs_execution.queue.limits import refuse_when_draining
from openhcs_execution.queue.needs import Needs
from openhcs_execution.queue.reading import reader_of
from openhcs_execution.saving_check import check_saving
from openhcs_execution.service import Service

__all__ = ["TRIAL_WAIT_SECONDS", "chosen_wells", "priority_class_of", "submit"]

TRIAL_WAIT_SECONDS = 8.0
"""How long a submission waits for OpenHCS's opinion: OMERO.web gives it 15 seconds. After that all other checks must do."""

log = get_logger(__name__)


def submit(service: Service, claims: Claims, request: ServiceSubmission, key: str | None = None) -> tuple[str, bool]:
    """Queue an execution and return its id, and whether it is new: a repeated ``key`` finds the first one.

    A session that came with ``session_for_job`` becomes the service's own when this returns; when this raises, it is still
    the caller's.

    Raises:
        OpenHCSError: for every reason not to queue it; nothing is kept then.
    """
    request_hash = _request_hash(request)
    if key is not None:
        repeated = find_repeated(service.database, claims.user_id, key, request_hash)
        if repeated is not None:
            _close_unneeded(service, repeated, request)
            return repeated, False
    if request.plate_id >= 2**63:  # OMERO could not even be asked
        raise OpenHCSError("plate_not_found", f"Plate {request.plate_id} does not exist, or you may not read it.", status=404)
    refuse_when_draining(service.database)
    _require_our_server(service.omero, request.omero_server)
    _require_free_space(service)
    document = _document(service.pipelines, request)
    session_key = request.omero_session.get_secret_value()
    with join_session(service.omero, session_key) as conn:
        user = session_user(conn)
        if user.user_id != claims.user_id:
            raise OpenHCSError(
                "session_of_another_user", "The OMERO session belongs to another user than the one who asks.", status=403
            )
        mail_to = _mail_address(service, user, request)
        layout = read_layout(conn, request.plate_id)
        if request.expected_plate is not None:
            require_same_plate(request.expected_plate, layout)
        wells = [chosen_well(layout, request.test_well)] if request.test_well else chosen_wells(layout, request.wells)
        check = check_run(
            service, document, request.parameters, layout.shape(wells), reader_of(claims), wait_seconds=TRIAL_WAIT_SECONDS
        )
        applied = check.raise_if_wrong()
        controls_first = None if request.test_well else checked_controls(request.controls_first, wells, document)
        if not request.test_well:
            check_saving(conn, request.saving, layout, wells, check.estimate, service.settings)
        if not request.session_for_job:
            session_key = open_job_session(conn, layout.group_id, idle_minutes=service.settings.session_idle_minutes)
    new = NewExecution(
        owner_id=user.user_id,
        owner_name=user.name,
        document=document,
        applied=applied,
        parameters=dict(request.parameters),
        layout=layout,
        wells=wells,
        sealed_session=service.vault.seal(session_key),
        test_well=bool(request.test_well),
        saving=request.saving,
        controls_first=controls_first,
        needs=Needs(frozenset(document.needs), None if check.estimate is None else round(check.estimate.memory_mb)),
        priority_class=priority_class_of(user, service.settings.power_user_groups),
        idempotency_key=key,
        request_hash=request_hash,
        mail_to=mail_to,
    )
    execution_id = _add(service, new, session_key, ours=not request.session_for_job)
    if execution_id != new.execution_id:
        _close_unneeded(service, execution_id, request)
        return execution_id, False
    service.wake()
    log.info(
        "submitted",
        execution_id=execution_id,
        plate_id=layout.plate_id,
        pipeline_id=document.id,
        wells=len(wells),
        tried=check.complete,
    )
    return execution_id, True


def priority_class_of(user: SessionUser, power_user_groups: Sequence[str]) -> PriorityClass:
    """Whose executions come first: what OMERO says about this user now, and the groups named in the settings."""
    if user.admin:
        return PriorityClass.ADMINISTRATOR
    powerful = set(power_user_groups) & set(user.group_names)
    return PriorityClass.POWER_USER if powerful else PriorityClass.USER


def _mail_address(service: Service, user: SessionUser, request: ServiceSubmission) -> str:
    """Where a mail about the end goes: only ever to the address that OMERO has of the user; empty when none is wanted."""
    if not request.mail_when_done or request.test_well:
        return ""
    if not service.settings.smtp_host:
        raise _no_mail("This execution service does not send mails.")
    if not user.email:
        raise _no_mail("OMERO has no mail address of yours. Enter one in your OMERO settings, or run without a mail.")
    return user.email


def _no_mail(sentence: str) -> OpenHCSError:
    return OpenHCSError("no_mail", sentence, status=422, field_errors={"mail_when_done": sentence})


def _close_unneeded(service: Service, execution_id: str, request: ServiceSubmission) -> None:
    """Close the session that a repeated submission opened for the job: the first one's works for it already.

    The same request sent twice brings the same session, which is in use.
    """
    if not request.session_for_job:
        return
    key = request.omero_session.get_secret_value()
    with service.database.read() as session:
        in_use = session.scalar(
            select(JobSession.sealed_key)
            .join(ExecutionRow, ExecutionRow.number == JobSession.execution)
            .where(ExecutionRow.execution_id == execution_id)
        )
    if in_use is None or service.vault.open(in_use) != key:
        close_job_session(service.omero, key)


def _add(service: Service, new: NewExecution, session_key: str, *, ours: bool) -> str:
    """Write the rows; a session that was opened for them is closed when it turns out that nobody needs it."""
    try:
        execution_id = add_execution(service.database, new)
    except BaseException:
        if ours:
            close_job_session(service.omero, session_key)
        raise
    if ours and execution_id != new.execution_id:
        close_job_session(service.omero, session_key)
    return execution_id


def _request_hash(request: ServiceSubmission) -> str:
    """What makes two submissions the same: all but the session, which differs each time."""
    content = request.model_dump(mode="json", exclude={"omero_session", "session_for_job"})
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _require_our_server(ours: OmeroServer, asked: str | None) -> None:
    if not asked:
        return
    host, _, port = asked.rpartition(":")
    if (_plain_host(host), port) != (_plain_host(ours.host), str(ours.port)):
        raise OpenHCSError(
            "other_omero_server",
            f"This execution service works with the OMERO server {ours.host}:{ours.port}, not with {asked}.",
            status=422,
            field_errors={"omero_server": "not the server of this service"},
        )


def _plain_host(host: str) -> str:
    name = host.strip("[]").casefold()
    return "127.0.0.1" if name in ("localhost", "::1") else name


def _require_free_space(service: Service) -> None:
    needed = service.settings.minimum_free_mb * 1024 * 1024
    for folder in (service.settings.scratch, service.settings.data_dir):
        if shutil.disk_usage(folder).free < needed:
            raise OpenHCSError(
                "disk_full",
                "The disk of the execution service is almost full; nothing can be run until your administrator makes room.",
                status=507,
            )


def _document(pipelines: PipelineCatalogue, request: ServiceSubmission) -> PipelineDocument:
    document = request.document
    if document is None:
        return pipelines.resolve(request.pipeline_id, request.version)
    if document.id != request.pipeline_id or request.version not in (None, document.version):
        raise OpenHCSError(
            "pipeline_mismatch",
            f"The submission asks for pipeline {request.pipeline_id!r} but carries {document.id!r} version {document.version}.",
            status=422,
            field_errors={"pipeline_id": "differs from the document"},
        )
    return document


def chosen_well(layout: PlateLayout, name: str) -> str:
    """The plate's name of the one well asked for."""
    return chosen_wells(layout, [name])[0]


def chosen_wells(layout: PlateLayout, names: Sequence[str] | None) -> list[str]:
    """The wells to compute, in plate order and each once; all with images when ``names`` is empty.

    Raises:
        OpenHCSError: ``unknown_wells``, status 422, naming those that the plate has not, or not with images.
    """
    there = [well.well for well in sorted(layout.wells, key=lambda well: (well.row, well.column))]
    if not names:
        return there
    asked: set[str] = set()
    unknown: list[str] = []
    for name in names:
        try:
            normal = well_name(*well_position(name))
        except ValueError:
            normal = ""
        if normal in there:
            asked.add(normal)
        else:
            unknown.append(name[:10])
    if unknown:
        shown = ", ".join(unknown[:10]) + (", …" if len(unknown) > 10 else "")
        raise OpenHCSError(
            "unknown_wells",
            f"The plate has no images in {shown}.",
            status=422,
            field_errors={"wells": f"no images in {shown}"},
        )
    return [name for name in there if name in asked]
