# SPDX-License-Identifier: AGPL-3.0-or-later
"""Submitting an execution and signing a waiting one in again: permission first, then a session of its own, then the service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import SecretStr

from openhcs_client import (
    DeletionPlan,
    ExecutionCreated,
    ExecutionDetail,
    OpenHCSError,
    ParameterValue,
    PipelineDocument,
    PipelineSummary,
    RetryWhich,
    ServiceSubmission,
    SubmitExecution,
    ValidationReport,
)

from . import settings
from .omero_access.control_wells import read_controls
from .omero_access.pipeline_changes import open_pipeline
from .omero_access.pipelines import is_user_pipeline, read_versions
from .omero_access.plates import PlateSummary, open_plate, read_layout
from .omero_access.sessions import close_session, open_job_session

if TYPE_CHECKING:
    from .identity import Asker

__all__ = [
    "check_on_plate",
    "delete_results",
    "deletion_plan",
    "require_may_run",
    "run_again",
    "run_the_same",
    "sign_in_again",
    "submit",
]


def submit(
    asker: Asker, wanted: SubmitExecution, idempotency_key: str | None, document: PipelineDocument | None = None
) -> ExecutionCreated:
    """Hand an execution to the service, with a session of the user in the plate's group.

    ``document`` is the asked version of a user's own pipeline, when it was read already. When the service does not take the
    execution, the session is closed again.

    Raises:
        OpenHCSError: whatever refuses it: the plate, the group, the pipeline, or the service's own checks.
    """
    asker.refuse_public()
    plate = open_plate(asker.omero, wanted.plate_id)
    require_may_run(asker, plate)
    document = _document_of(asker, wanted) if document is None else document
    wanted = _with_control_wells(asker, wanted, plate)
    with _handed_over_session(asker, plate.group_id) as key:
        return asker.service.submit(
            ServiceSubmission(
                **wanted.model_dump(),
                omero_session=key,
                session_for_job=True,
                omero_server=settings.OMERO_SERVER or None,
                document=document,
            ),
            idempotency_key=idempotency_key,
        )


def check_on_plate(
    asker: Asker,
    document: PipelineDocument,
    plate_id: int,
    wells: Sequence[str] | None,
    parameters: Mapping[str, ParameterValue],
) -> ValidationReport:
    """Ask the service whether ``document`` would run on these wells, and what it would take. Nothing is kept.

    Raises:
        OpenHCSError: ``plate_not_found`` (404) when the user may not read the plate; ``plate_empty`` (422).
    """
    layout = read_layout(asker.omero, open_plate(asker.omero, plate_id))
    there = [well.well for well in layout.wells]
    chosen = [name for name in there if name in set(wells)] if wells else there
    unknown = sorted(set(wells or ()) - set(there))
    if unknown:
        return ValidationReport(valid=False, field_errors={"wells": f"The plate has no images in {', '.join(unknown[:10])}."})
    return asker.service.validate(document, plate=layout.shape(chosen), parameters=parameters)


def sign_in_again(asker: Asker, execution: ExecutionDetail) -> None:
    """Give an execution that waits for it a new session of its owner.

    Raises:
        OpenHCSError: ``not_owner`` (403) when somebody else asks; ``not_waiting`` (409) when it needs none.
    """
    asker.refuse_public()
    if execution.owner_id != asker.person.user_id:
        raise OpenHCSError("not_owner", f"Only {execution.owner_name} can sign in for this execution.", status=403)
    if execution.status != "waiting_for_sign_in":
        raise OpenHCSError("not_waiting", "This execution is not waiting for a sign-in.", status=409)
    with _handed_over_session(asker, execution.group_id) as key:
        asker.service.renew_session(execution.execution_id, key.get_secret_value(), session_for_job=True)


def run_the_same(asker: Asker, execution: ExecutionDetail, idempotency_key: str | None) -> ExecutionCreated:
    """Submit what an execution asked for once more, in the name of the person who asks now.

    Raises:
        OpenHCSError: whatever refuses it, as for a new submission.
    """
    asker.refuse_public()
    plate = open_plate(asker.omero, execution.plate_id)
    require_may_run(asker, plate)
    with _handed_over_session(asker, plate.group_id) as key:
        return asker.service.rerun(
            execution.execution_id, key.get_secret_value(), session_for_job=True, idempotency_key=idempotency_key
        )


def run_again(asker: Asker, execution: ExecutionDetail, which: RetryWhich = "unfinished") -> None:
    """Run the failed and skipped wells again, or only ``which``, with a new session when the owner asks.

    When an administrator asks, the execution waits for its owner to sign in: nobody works in somebody else's name.
    """
    asker.refuse_public()
    if execution.owner_id != asker.person.user_id:
        asker.service.retry(execution.execution_id, which=which)
        return
    with _handed_over_session(asker, execution.group_id) as key:
        asker.service.retry(execution.execution_id, key.get_secret_value(), session_for_job=True, which=which)


def deletion_plan(asker: Asker, execution: ExecutionDetail) -> DeletionPlan:
    """What deleting the results of an execution would remove. For its owner and administrators.

    Raises:
        OpenHCSError: ``not_yours`` (403).
    """
    _require_may_delete(asker, execution)
    with _handed_over_session(asker, _session_group(asker, execution)) as key:
        return asker.service.deletion_plan(execution.execution_id, key.get_secret_value(), session_for_job=True)


def delete_results(asker: Asker, execution: ExecutionDetail, digest: str) -> ExecutionDetail:
    """Delete what the plan with this digest lists, in the name of the person who asks.

    Raises:
        OpenHCSError: ``not_yours`` (403), ``plan_changed`` or ``not_finished`` (409).
    """
    _require_may_delete(asker, execution)
    with _handed_over_session(asker, _session_group(asker, execution)) as key:
        return asker.service.delete_results(execution.execution_id, digest, key.get_secret_value(), session_for_job=True)


def _require_may_delete(asker: Asker, execution: ExecutionDetail) -> None:
    asker.refuse_public()
    if execution.owner_id != asker.person.user_id and not asker.person.admin:
        raise OpenHCSError("not_yours", "Only its owner or an administrator may delete these results.", status=403)


def _session_group(asker: Asker, execution: ExecutionDetail) -> int:
    """The group of the plate, or for an administrator who is no member their own."""
    if asker.person.is_member(execution.group_id) or not asker.person.admin:
        return execution.group_id
    return int(asker.omero.getEventContext().groupId)


def require_may_run(asker: Asker, plate: PlateSummary) -> None:
    """Refuse who may read the plate but not write results next to it.

    Raises:
        OpenHCSError: ``public_user`` or ``not_a_group_member`` (403).
    """
    asker.refuse_public()
    if not asker.person.is_member(plate.group_id):
        raise OpenHCSError(
            "not_a_group_member",
            f"You may look at this plate, but you are not a member of its group “{plate.group_name}”, so results could not be "
            "saved there. Ask the group's owner to add you.",
            status=403,
        )


@contextmanager
def _handed_over_session(asker: Asker, group_id: int) -> Iterator[SecretStr]:
    """Open a session for the service; when the service does not take it, close it again."""
    key = open_job_session(asker.omero, group_id, idle_minutes=settings.JOB_SESSION_IDLE_MINUTES)
    try:
        yield key
    except BaseException:
        close_session(asker.omero, key)
        raise


def _with_control_wells(asker: Asker, wanted: SubmitExecution, plate: PlateSummary) -> SubmitExecution:
    """The same submission with the control wells as the plate's annotations have them, when it wants controls first."""
    if wanted.controls_first is None or wanted.controls_first.roles is not None:
        return wanted
    marked = read_controls(asker.omero, plate, asker.person.user_id).wells
    roles = {entry.well: entry.role for entry in marked}
    return wanted.model_copy(update={"controls_first": wanted.controls_first.model_copy(update={"roles": roles})})


def _document_of(asker: Asker, wanted: SubmitExecution) -> PipelineDocument | None:
    """The document of a user's own pipeline; None for a built-in one, which the service knows itself."""
    if not is_user_pipeline(wanted.pipeline_id):
        return None
    if wanted.version is None:
        _refuse_deprecated(open_pipeline(asker.omero, wanted.pipeline_id)[-1].summary())
    return read_versions(asker.omero, wanted.pipeline_id, wanted.version)[0]


def _refuse_deprecated(pipeline: PipelineSummary) -> None:
    """A deprecated pipeline is run only by somebody who says which version of it they want."""
    if pipeline.deprecated:
        note = f" Its owner says: {pipeline.note}" if pipeline.note else ""
        raise OpenHCSError(
            "pipeline_deprecated",
            f"“{pipeline.name}” is deprecated.{note} To run it all the same, name the version, such as {pipeline.version}.",
            status=409,
            field_errors={"version": "name the version of a deprecated pipeline"},
        )
