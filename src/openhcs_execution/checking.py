# SPDX-License-Identifier: AGPL-3.0-or-later
"""Can this pipeline run on these wells, and what will it take? Asked by pages while people think, and by every submission.

The order is from cheap to dear: the values that the user set, the document, the document against the plate, and at last
OpenHCS itself on tiny made-up wells. Each error is said where it can be corrected: a value that is set on the page for
running stands under ``parameters.<name>``, anything else in the document under ``document.<path>``, and wells under ``wells``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import psutil

from openhcs_client import (
    OpenHCSError,
    ParameterValue,
    PipelineDocument,
    PlateShape,
    RunEstimate,
    ValidationReport,
)
from openhcs_execution.catalogue import apply_parameters
from openhcs_execution.engine import TrialKind, check_document, check_published, find_misfits, focal_planes
from openhcs_execution.estimate import Resources, estimate_run, warnings_about
from openhcs_execution.objects_estimate import with_objects
from openhcs_execution.queue.history import measured_wells
from openhcs_execution.queue.reading import Reader
from openhcs_execution.service import Service

__all__ = ["RunCheck", "check_run"]


@dataclass
class RunCheck:
    """What was found. ``applied`` is the document with the user's values in its steps, when there are no errors.

    ``code`` and ``message`` say what is wrong first of all. ``complete`` is false when OpenHCS could not be asked in time.
    """

    errors: dict[str, str] = field(default_factory=dict)
    code: str = ""
    message: str = ""
    applied: PipelineDocument | None = None
    warnings: list[str] = field(default_factory=list)
    estimate: RunEstimate | None = None
    complete: bool = True

    def refuse(self, code: str, message: str, errors: Mapping[str, str]) -> None:
        """Note what is wrong; the first reason is what the refusal is called."""
        if not self.code:
            self.code, self.message = code, message
        self.errors |= errors

    def raise_if_wrong(self) -> PipelineDocument:
        """Return the document to run.

        Raises:
            OpenHCSError: status 422, with every error that was found under ``field_errors``.
        """
        if self.code or self.applied is None:
            raise OpenHCSError(self.code, self.message, status=422, field_errors=self.errors)
        return self.applied

    def report(self) -> ValidationReport:
        """The same as a report about the document, where the document's own paths have no prefix."""
        errors = {path.removeprefix("document."): text for path, text in self.errors.items()}
        if self.code and not errors:
            errors = {"": self.message}
        return ValidationReport(
            valid=not self.code,
            field_errors=errors,
            warnings=self.warnings,
            estimate=self.estimate,
            complete=self.complete,
        )


def check_run(
    service: Service,
    document: PipelineDocument,
    values: Mapping[str, ParameterValue],
    plate: PlateShape,
    reader: Reader,
    *,
    wait_seconds: float,
) -> RunCheck:
    """Check ``document`` with the user's ``values`` on the wells of ``plate``.

    ``wait_seconds`` is how long to wait for OpenHCS's opinion when it is busy or still starting.
    """
    check = RunCheck()
    if len(plate.channels) < document.minimum_channels:
        check.refuse(
            "too_few_channels",
            f"The pipeline {document.name!r} needs {document.minimum_channels} channels; the plate has {len(plate.channels)}.",
            {},
        )
        return check
    applied = _check_words(check, document, values, plate)
    if applied is None or check.code:
        return check
    _ask_openhcs(service, check, document, applied, plate, wait_seconds)
    if check.code:
        return check
    check.applied = applied
    resources = _resources(service)
    with service.database.read() as session:
        measured = measured_wells(session, reader, (document.id, document.version), plate.plate_id)
    functions = {info.id: info for info in service.functions.list(offered_only=True)}
    check.estimate = estimate_run(applied, plate, functions, resources, measured)
    check.warnings += warnings_about(check.estimate, resources)
    with service.database.read() as session:
        check.estimate = with_objects(check.estimate, session, service.results, reader, document, values, plate)
    return check


def _check_words(
    check: RunCheck, document: PipelineDocument, values: Mapping[str, ParameterValue], plate: PlateShape
) -> PipelineDocument | None:
    """What can be said without OpenHCS; returns the document with the values in its steps, when they can be."""
    published = check_published(document, None).field_errors
    try:
        applied = apply_parameters(document, values, plate.channels)
    except OpenHCSError as error:
        check.refuse(error.code, error.message, error.field_errors)
        return None
    # In the order of what a person corrects first: other wells can be chosen at once, a pipeline must be edited.
    for misfit in sorted(find_misfits(applied, plate), key=lambda each: each.path != "wells"):
        path = misfit.path if misfit.path == "wells" else f"document.{misfit.path}"
        check.refuse(misfit.code, misfit.message, {path: misfit.message})
    errors = _placed(document, published | check_document(applied, plate.channels).field_errors)
    if errors:
        check.refuse("invalid_pipeline", f"The pipeline {document.name!r} cannot be run on this plate.", errors)
    return applied


def _placed(document: PipelineDocument, errors: Mapping[str, str]) -> dict[str, str]:
    """Errors in the steps, those about a value that people may set under the name by which they know it."""
    exposed = {f"steps.{each.step}.parameters.{each.parameter}": each.name for each in document.parameters}
    return {f"parameters.{exposed[path]}" if path in exposed else f"document.{path}": text for path, text in errors.items()}


def _ask_openhcs(
    service: Service,
    check: RunCheck,
    document: PipelineDocument,
    applied: PipelineDocument,
    plate: PlateShape,
    wait_seconds: float,
) -> None:
    kinds = {
        TrialKind(fields=min(2, len(kind.fields)), focal_planes=min(2, focal_planes(kind.fields)), pixel_type=pixel_type): None
        for kind in plate.kinds
        for pixel_type in sorted({each.pixel_type for each in kind.fields})
    }
    trial = service.desk.try_document(applied, plate.channels, list(kinds), wait_seconds=wait_seconds)
    if trial is None:
        check.complete = False
        return
    check.warnings += trial.warnings
    if trial.error is not None:
        message = f"The pipeline {document.name!r} cannot be run on this plate. {trial.error}"
        check.refuse("pipeline_fails", message, {"document.steps": trial.error})


def _resources(service: Service) -> Resources:
    settings = service.settings
    shared = psutil.virtual_memory().total / 1e6 / settings.workers
    limit = settings.engine_memory_limit_mb
    return Resources(
        workers=service.workers,
        memory_mb=shared if limit is None else min(shared, limit * 1.048576),
        free_mb=max(0.0, psutil.disk_usage(str(settings.results)).free / 1e6 - settings.minimum_free_mb),
        well_time_limit=settings.well_time_limit,
    )
