# SPDX-License-Identifier: AGPL-3.0-or-later
"""Golden wells of pipelines: run them, say what is known about them, and add one from a run.

A check is nothing but test runs of the user; OMERO decides which plates she can run. A golden well on a plate that she may not
read is told as such and does not keep the others from running.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from openhcs_client import (
    CheckState,
    ExecutionDetail,
    ExpectedMeasurement,
    GoldenCheck,
    GoldenQuestion,
    GoldenWell,
    GoldenWellCheck,
    OpenHCSError,
    PipelineDocument,
    PipelineSource,
    RecordedMeasurement,
    RecordGoldenWell,
    SharingCheck,
    SubmitExecution,
    WellExecution,
    WellState,
    check_golden_well,
    combined_check,
    default_tolerance,
    not_run,
    overall_state,
    well_name,
    well_position,
)

from .catalogue import read_version, save_copy, save_pipeline
from .omero_access.pipelines import is_user_pipeline, list_user_pipelines, owner_of
from .omero_access.plates import plate_names
from .submission import submit

if TYPE_CHECKING:
    from .identity import Asker

__all__ = ["read_check", "read_sharing_check", "record_golden_well", "require_agreement", "start_check"]


def read_check(asker: Asker, pipeline_id: str, *, version: int | None, expected_by: int | None) -> GoldenCheck:
    """What is known about the golden wells of ``expected_by`` (or of the version itself), run with ``version`` (the newest).

    Raises:
        OpenHCSError: ``unknown_pipeline`` or ``unknown_pipeline_version`` (404).
    """
    document = read_version(asker, pipeline_id, version)
    return _known(asker, document, document if expected_by is None else read_version(asker, pipeline_id, expected_by))


def read_sharing_check(asker: Asker, pipeline_id: str, *, version: int | None) -> SharingCheck:
    """What is known about the golden wells of a version, and about those of the version before it when they differ."""
    document = read_version(asker, pipeline_id, version)
    before = _before(asker, document)
    checks = [_known(asker, document, document)]
    if before is not None and before.golden_wells and before.golden_wells != document.golden_wells:
        checks.append(_known(asker, document, before))
    states = [check.state for check in checks if check.wells]
    return SharingCheck(pipeline_id=document.id, version=document.version, state=overall_state(states), checks=checks)


def require_agreement(asker: Asker, pipeline_id: str) -> None:
    """Refuse to go on with a pipeline whose newest version is not known to measure what its golden wells expect.

    Raises:
        OpenHCSError: ``golden_wells_differ`` or ``golden_wells_not_checked`` (409).
    """
    check = read_sharing_check(asker, pipeline_id, version=None)
    if check.state in (CheckState.AGREES, CheckState.NO_GOLDEN_WELLS):
        return
    if check.state is CheckState.DIFFERS:
        raise OpenHCSError(
            "golden_wells_differ",
            f"With version {check.version}, some golden wells measure something else than what is expected of them. Look at "
            "the differences on the pipeline's page, then confirm that you want to share it all the same.",
            status=409,
        )
    raise OpenHCSError(
        "golden_wells_not_checked",
        f"Not all golden wells have been run with version {check.version}. Check them on the pipeline's page first, or confirm "
        "that you want to share it all the same.",
        status=409,
    )


def start_check(
    asker: Asker, pipeline_id: str, *, version: int | None, expected_by: int | None, idempotency_key: str | None
) -> GoldenCheck:
    """Start a test run of each golden well; the answer names the executions, and why there is none where there is none.

    Raises:
        OpenHCSError: as :func:`read_check`, and ``no_golden_wells`` (409).
    """
    asker.refuse_public()
    document = read_version(asker, pipeline_id, version)
    expecting = document if expected_by is None else read_version(asker, pipeline_id, expected_by)
    if not expecting.golden_wells:
        raise OpenHCSError(
            "no_golden_wells", f"Version {expecting.version} of {expecting.name!r} has no golden wells to check.", status=409
        )
    names = plate_names(asker.omero, (golden.plate_id for golden in expecting.golden_wells))
    wells = []
    for index, golden in enumerate(expecting.golden_wells):
        key = None if idempotency_key is None else f"{idempotency_key[:90]}.{index}"
        wells.append(_named(_start(asker, document, golden, key), names))
    return combined_check(document.id, document.version, expecting.version, wells)


def record_golden_well(asker: Asker, pipeline_id: str, wanted: RecordGoldenWell) -> PipelineDocument:
    """Save a new version of the user's own pipeline that expects of a well what her execution measured there.

    It replaces a golden well of the same plate, well and parameters. Where the pipeline is not hers, a copy of hers is saved
    when she wants one.

    Raises:
        OpenHCSError: ``not_owner`` (403) of the execution; ``other_pipeline``, ``well_not_done``, ``copy_needed`` or
            ``too_many_golden_wells`` (409); ``invalid_request`` (422) for a measurement that the well does not have.
    """
    asker.refuse_public()
    execution = asker.service.execution(wanted.execution_id)
    if execution.owner_id != asker.person.user_id:
        raise OpenHCSError("not_owner", "Only a well of an execution of your own can become a golden well.", status=403)
    if execution.pipeline_id != pipeline_id:
        raise OpenHCSError("other_pipeline", "This execution ran another pipeline.", status=409)
    golden = _golden_well(execution, _finished_well(execution, wanted.well), wanted)
    ran = PipelineDocument.model_validate(execution.document)
    if not wanted.copy_pipeline and owner_of(ran.id) != asker.person.user_id:
        raise OpenHCSError(
            "copy_needed",
            f"The pipeline {ran.name!r} is not yours. Save a copy of your own with this golden well instead.",
            status=409,
        )
    own = _own_version(asker, ran)
    if own is not None:
        return save_pipeline(asker, _with_golden_well(own, golden), based_on=own.version, group_id=None)
    copy = _with_golden_well(ran.model_copy(update={"golden_wells": []}), golden)
    source = PipelineSource(id=ran.id, version=ran.version, hash=ran.content_hash())
    return save_copy(asker, copy, copied_from=source, group_id=execution.group_id)


def _before(asker: Asker, document: PipelineDocument) -> PipelineDocument | None:
    """The version before this one, if there is one."""
    if document.version == 1:
        return None
    try:
        return read_version(asker, document.id, document.version - 1)
    except OpenHCSError as error:
        if error.code != "unknown_pipeline_version":
            raise
        return None


def _known(asker: Asker, document: PipelineDocument, expecting: PipelineDocument) -> GoldenCheck:
    names = plate_names(asker.omero, (golden.plate_id for golden in expecting.golden_wells))
    readable = [golden for golden in expecting.golden_wells if golden.plate_id in names]
    question = GoldenQuestion(
        pipeline_id=document.id,
        version=document.version,
        pipeline_hash=document.content_hash(),
        expected_by=expecting.version,
        golden_wells=readable,
    )
    known = iter(asker.service.known_of_golden_wells(question).wells if readable else [])
    wells = [
        _named(next(known), names) if golden.plate_id in names else not_run(golden, _unreadable(golden))
        for golden in expecting.golden_wells
    ]
    return combined_check(document.id, document.version, expecting.version, wells)


def _unreadable(golden: GoldenWell) -> str:
    return f"Plate {golden.plate_id} does not exist, or you may not read it."


def _named(check: GoldenWellCheck, names: dict[int, str]) -> GoldenWellCheck:
    return check.model_copy(update={"plate_name": names.get(check.plate_id)})


def _start(asker: Asker, document: PipelineDocument, golden: GoldenWell, key: str | None) -> GoldenWellCheck:
    wanted = SubmitExecution(
        plate_id=golden.plate_id,
        pipeline_id=document.id,
        version=document.version,
        parameters=golden.parameters,
        test_well=golden.well,
    )
    try:
        created = submit(asker, wanted, key, document if is_user_pipeline(document.id) else None)
    except OpenHCSError as error:
        if error.code == "service_unavailable":
            raise
        return not_run(golden, " ".join([error.message, *error.field_errors.values()]))
    return check_golden_well(golden, None).model_copy(
        update={"state": CheckState.RUNNING, "execution_id": created.execution_id}
    )


def _finished_well(execution: ExecutionDetail, name: str) -> WellExecution:
    try:
        normal = well_name(*well_position(name))
    except ValueError:
        normal = ""
    well = next((well for well in execution.wells if well.well == normal), None)
    if well is None or well.state not in (WellState.DONE, WellState.SAVING):
        raise OpenHCSError(
            "well_not_done",
            f"Well {name} of this execution has no measurements (yet).",
            status=409,
            field_errors={"well": "has no measurements"},
        )
    return well


def _golden_well(execution: ExecutionDetail, well: WellExecution, wanted: RecordGoldenWell) -> GoldenWell:
    chosen = wanted.measurements
    if chosen is None:
        chosen = [RecordedMeasurement(name=name) for name in well.measurements]
    missing = sorted(entry.name for entry in chosen if entry.name not in well.measurements)
    if missing:
        raise OpenHCSError(
            "invalid_request",
            f"The well was not measured for {missing[0]!r}.",
            status=422,
            field_errors={"measurements": f"not measured: {', '.join(missing)}"},
        )
    expected = [_expected(entry, well.measurements[entry.name], wanted.relative) for entry in chosen]
    try:
        return GoldenWell(
            plate_id=execution.plate_id,
            well=well.well,
            parameters=execution.parameters,
            expected=expected,
            note=wanted.note,
        )
    except ValidationError as error:
        raise OpenHCSError(
            "invalid_request",
            "This well cannot become a golden well: its name or values are beyond what one may hold.",
            status=422,
        ) from error


def _expected(entry: RecordedMeasurement, value: float | None, relative: float | None) -> ExpectedMeasurement:
    tolerance = next(chosen for chosen in (entry.relative, relative, default_tolerance(entry.name)) if chosen is not None)
    return ExpectedMeasurement(name=entry.name, value=value, relative=tolerance, absolute=entry.absolute)


def _own_version(asker: Asker, ran: PipelineDocument) -> PipelineDocument | None:
    """The newest version of the pipeline that ran, when it is the asker's, or else of her copy of it that computes the same."""
    if owner_of(ran.id) == asker.person.user_id:
        return read_version(asker, ran.id, None)
    plain = ran.id.partition("-")[2] if is_user_pipeline(ran.id) else ran.id
    own_id = f"u{asker.person.user_id}-{plain}"
    if not list_user_pipelines(asker.omero, own_id):
        return None
    own = read_version(asker, own_id, None)
    return own if (own.steps, own.parameters) == (ran.steps, ran.parameters) else None


def _with_golden_well(document: PipelineDocument, golden: GoldenWell) -> PipelineDocument:
    def key(well: GoldenWell) -> tuple[object, ...]:
        return well.plate_id, well_name(*well_position(well.well)), well.parameters

    others = [known for known in document.golden_wells if key(known) != key(golden)]
    content = document.model_dump() | {"golden_wells": [*others, golden]}
    try:
        return PipelineDocument.model_validate(content)
    except ValidationError as error:
        raise OpenHCSError(
            "too_many_golden_wells", "A pipeline holds at most 20 golden wells; remove one first.", status=409
        ) from error
