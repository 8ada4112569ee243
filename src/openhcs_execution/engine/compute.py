# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the engine's child does for each request: compute a well."""

from __future__ import annotations

import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import tifffile

from openhcs_client import FailureClass, OpenHCSError, PipelineDocument, PipelineStep

from .catalogue import catalogue_entry
from .collect import collect
from .failures import failure_from, well_failure
from .hints import remember_type_hints
from .images import take_images
from .jobs import EngineJob, EngineProgress, EngineResult, TrialKind
from .memory import Recall, StepMemory, remembering
from .orchestration import WellMissingError, run_well
from .staging import IMAGES, StagedPlane, read_staged_planes
from .steps import build_steps, projects
from .tables import Artifact
from .trial import TINY_WELL, stage_tiny_well
from .validation import check_document

__all__ = ["compute", "rehearse", "versions"]

_MANY_CHANNELS = 32

remember_type_hints()


@cache
def versions() -> Mapping[str, str]:
    """The versions that results depend on; looking them up takes milliseconds, and they do not change while this runs."""
    packages = ("openhcs", "numpy", "scipy", "scikit-image", "omero-openhcs")
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in packages}


def compute(job: EngineJob, on_progress: Callable[[EngineProgress], None], memory: StepMemory | None = None) -> EngineResult:
    """Compute one well. What goes wrong with the well is in ``failure``; nothing is raised for it.

    Steps are taken from ``memory``, and kept there, when the job asks for it. OpenHCS gets ``job.scratch`` for what it writes,
    empty, and gone afterwards.
    """
    started = time.monotonic()
    result = EngineResult(well=job.well, seconds=0.0, versions=dict(versions()))
    try:
        _empty(job.scratch)
        focal_planes = _check_planes(job, read_staged_planes(job.planes))
        report = check_document(job.document, job.channels)
        if not report.valid:
            raise OpenHCSError("bad_pipeline", next(iter(report.field_errors.values())), field_errors=report.field_errors)
        recall = Recall()
        artifacts = _run(job, focal_planes, _listener(on_progress, recall), recall, memory)
        result.reused_steps = recall.reused_steps
        collected = collect(artifacts, job.fields, job.well, job.output)
        result.fields_table, result.objects_table = collected.fields_table, collected.objects_table
        result.labels, result.well_measurements = collected.labels, collected.well_measurements
        if job.keep_images:
            result.images = take_images(job.scratch, job.well, job.fields, job.output)
    except WellMissingError as error:
        result.failure = well_failure(FailureClass.ENGINE_ERROR, str(error), error)
    except Exception as error:
        # Whatever a library raises is a failure of this well: the engine stays, and the reason goes to the user.
        result.failure = failure_from(error, job.well)
    finally:
        shutil.rmtree(job.scratch, ignore_errors=True)
    result.seconds = time.monotonic() - started
    return result


def _empty(folder: Path) -> None:
    """Remove what a process left that was killed in the middle of another well.

    Raises:
        OSError: when it cannot be removed: its images would pass for those of this well.
    """
    if folder.exists():
        shutil.rmtree(folder)


def _run(
    job: EngineJob,
    focal_planes: int,
    listener: Callable[[dict[str, Any]], None],
    recall: Recall,
    memory: StepMemory | None,
) -> list[Artifact]:
    if memory is None or not job.remember:
        steps = build_steps(job.document, job.channels, focal_planes=focal_planes)
        return run_well(job.planes, job.scratch, job.well, steps, listener, execution_id=job.execution_id)
    steps = build_steps(job.document, job.channels, focal_planes=focal_planes, change=remembering(memory))
    with memory.during(recall, job.execution_id):
        return run_well(job.planes, job.scratch, job.well, steps, listener, execution_id=job.execution_id)


def _listener(on_progress: Callable[[EngineProgress], None], recall: Recall) -> Callable[[dict[str, Any]], None]:
    """Pick from OpenHCS's events those that say that a step began."""

    def listen(event: dict[str, Any]) -> None:
        if event["phase"] == "step_started":
            recall.step = event["completed"] + 1
            on_progress(EngineProgress(step=event["completed"] + 1, step_count=event["total"], step_name=event["step_name"]))

    return listen


def _check_planes(job: EngineJob, planes: Sequence[StagedPlane]) -> int:
    """Check that everything the job speaks of is staged, and return the number of focal planes.

    Raises:
        OpenHCSError: ``planes_missing`` | ``too_many_planes``, said about the well, never about files.
    """
    found = {(plane.field, plane.channel, plane.z, plane.t) for plane in planes if plane.well == job.well}
    if not found or not job.fields:
        raise OpenHCSError("planes_missing", f"Well {job.well} has no staged images.", status=422)
    focal_planes = max(z for _, _, z, _ in found)
    if max(t for *_, t in found) > 1:
        raise OpenHCSError(
            "too_many_planes", f"Well {job.well} has several time points; the pipelines work on one.", status=422
        )
    for field in job.fields:
        for channel, name in enumerate(job.channels, start=1):
            missing = [z for z in range(1, focal_planes + 1) if (field, channel, z, 1) not in found]
            if missing:
                where = f"field {field} of well {job.well}"
                raise OpenHCSError("planes_missing", f"The image of channel {name} is missing in {where}.", status=422)
    if focal_planes > 1 and not projects(job.document):
        raise OpenHCSError(
            "too_many_planes",
            f"Well {job.well} has {focal_planes} focal planes, but the pipeline works on one; add a step that projects them.",
            status=422,
        )
    if any(step.enabled and _sees_fields_together(step) for step in job.document.steps):
        _check_sizes(job, planes)
    return focal_planes


def _sees_fields_together(step: PipelineStep) -> bool:
    try:
        return "site" in catalogue_entry(step.function).grouping.over
    except KeyError:
        return False  # refused with a sentence of its own


def _check_sizes(job: EngineJob, planes: Sequence[StagedPlane]) -> None:
    """Check that all fields have one size, where a step looks at them together.

    Raises:
        OpenHCSError: ``sizes_differ``.
    """
    sizes = set()
    for plane in planes:
        with tifffile.TiffFile(job.planes / IMAGES / plane.file_name) as file:
            sizes.add(file.pages[0].shape)
    if len(sizes) > 1:
        raise OpenHCSError(
            "sizes_differ",
            f"The fields of well {job.well} differ in size, but the pipeline looks at them together.",
            status=422,
        )


def rehearse() -> EngineResult:
    """Compute a tiny well, so that what OpenHCS and the image libraries load on first use is there for the first real one."""
    steps = [
        PipelineStep(name="Even out", function="omero_openhcs:correct_illumination"),
        PipelineStep(name="Nuclei", function="omero_openhcs:segment_nuclei"),
        PipelineStep(name="Intensity", function="omero_openhcs:measure_nuclei_intensity"),
        PipelineStep(name="Spots", function="omero_openhcs:find_spots", parameters={"diameter": 3.0}),
    ]
    document = PipelineDocument(id="rehearsal", name="Rehearsal", steps=steps)
    with tempfile.TemporaryDirectory(prefix="openhcs-rehearsal-", ignore_cleanup_errors=True) as folder:
        planes = stage_tiny_well(Path(folder) / "planes", ["1"], TrialKind(fields=1, focal_planes=1, pixel_type="uint16"))
        job = EngineJob(
            execution_id="rehearsal",
            well=TINY_WELL,
            document=document,
            channels=["1"],
            fields=[1],
            planes=planes,
            output=Path(folder) / "out",
            scratch=Path(folder) / "openhcs",
        )
        return compute(job, lambda progress: None)
