# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a run will need: time, memory, disk. Arithmetic on the size of the wells and on what was measured before.

The best basis for the time is what the same pipeline took on the same plate on this machine. Next are the costs of its
functions, measured when the catalogue was made, and then what the pipeline took on other plates, by the pixels in a well.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from openhcs_client import FieldShape, FunctionInfo, PipelineDocument, PipelineStep, PlateShape, RunEstimate, WellKind
from openhcs_execution.engine import projects_focal_planes

__all__ = ["MeasuredWells", "Resources", "estimate_run", "megapixels", "warnings_about"]

WELL_SECONDS = 0.7
"""What OpenHCS, staging and writing take for a well with nothing to compute."""
SECONDS_PER_MEGAPIXEL = 0.3
"""For a function of which no cost was measured; those of the built-in pipelines take 0.02 to 0.5."""
ENGINE_MB = 300.0
"""An engine process with OpenHCS in it, before the first image."""
MEMORY_PER_MEGAPIXEL = 40.0
"""For a function of which no cost was measured: some floating point copies of the plane."""
WELL_TABLES_MB = 0.1

_BYTES = {"int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "float": 4, "double": 8}
_LABEL_BYTES = 4
_FLOAT_BYTES = 4
_LONG_HOURS = 6.0
_MEGA = 1e6


@dataclass(frozen=True)
class MeasuredWells:
    """Wells that the pipeline was run on before: the median seconds of ``count`` wells.

    ``megapixels`` is the size of such a well, one channel with all focal planes; None for wells of the plate in question.
    """

    seconds: float
    count: int
    megapixels: float | None = None


@dataclass(frozen=True)
class Resources:
    """What the service has: workers, memory of one worker, free disk for results (MB), seconds that a well may take."""

    workers: int
    memory_mb: float
    free_mb: float
    well_time_limit: float


def estimate_run(
    document: PipelineDocument,
    plate: PlateShape,
    functions: dict[str, FunctionInfo],
    resources: Resources,
    measured: MeasuredWells | None = None,
) -> RunEstimate:
    """Estimate running ``document`` (valid, with the user's parameters) on every well of ``plate``."""
    steps = [(step, functions[step.function]) for step in document.steps if step.enabled]
    costs = {id(kind): _computed_seconds(steps, kind.fields) for kind in plate.kinds}
    basis = _basis(steps, measured)
    if measured is not None and (measured.megapixels is None or not all(info.cost for _, info in steps)):
        costs = {id(kind): _as_measured(measured, kind.fields) for kind in plate.kinds}
    count = sum(len(kind.wells) for kind in plate.kinds)
    total = sum(costs[id(kind)] * len(kind.wells) for kind in plate.kinds)
    slowest = max(costs.values())
    # The wells are shared out, and the last one may begin when the others are done.
    seconds = max(slowest, total / min(resources.workers, count))
    return RunEstimate(
        wells=count,
        seconds=_rounded(seconds),
        seconds_per_well=_rounded(total / count),
        memory_mb=math.ceil(max(_memory(steps, kind.fields, len(plate.channels)) for kind in plate.kinds)),
        output_mb=_rounded(sum(_output(steps, kind) for kind in plate.kinds)),
        processed_mb=_processed(steps, plate),
        basis=basis,
    )


def _as_measured(measured: MeasuredWells, fields: Sequence[FieldShape]) -> float:
    if measured.megapixels is None:
        return measured.seconds
    computing = max(0.0, measured.seconds - WELL_SECONDS)
    return WELL_SECONDS + computing * megapixels(fields) / max(measured.megapixels, 1e-6)


def warnings_about(estimate: RunEstimate, resources: Resources) -> list[str]:
    """What is worth knowing before such a run is started."""
    warnings = []
    if estimate.memory_mb > resources.memory_mb:
        needed, there = estimate.memory_mb / 1000, resources.memory_mb / 1000
        warnings.append(f"A worker may need about {needed:.1f} GB of memory and has {there:.1f} GB; wells may fail for it.")
    if estimate.output_mb > resources.free_mb:
        warnings.append(
            f"The results may take about {estimate.output_mb / 1000:.1f} GB, and the disk of the service has "
            f"{resources.free_mb / 1000:.1f} GB left."
        )
    if estimate.seconds > _LONG_HOURS * 3600:
        warnings.append(f"This run may take about {estimate.seconds / 3600:.0f} hours.")
    if estimate.seconds_per_well > resources.well_time_limit:
        limit = resources.well_time_limit
        warnings.append(f"A well may take about {estimate.seconds_per_well:.0f} seconds; it is stopped after {limit:.0f}.")
    return warnings


def megapixels(fields: Iterable[FieldShape]) -> float:
    """Pixels in millions of one channel of a well, all focal planes."""
    return sum(field.size_x * field.size_y * field.size_z * field.size_t for field in fields) / _MEGA


def _basis(steps: Sequence[tuple[PipelineStep, FunctionInfo]], measured: MeasuredWells | None) -> str:
    if measured is not None and measured.megapixels is None:
        return f"measured on {_wells(measured.count)} of this plate"
    unmeasured = [info.title for _, info in steps if info.cost is None]
    if not unmeasured:
        return "the measured cost of each function and the size of the images"
    if measured is not None:
        return f"measured on {_wells(measured.count)} of other plates, by the size of the images"
    return f"a rough guess by the size of the images: {unmeasured[0]} was never measured; test one well for a better one"


def _wells(count: int) -> str:
    return "one well" if count == 1 else f"{count} wells"


def _computed_seconds(steps: Sequence[tuple[PipelineStep, FunctionInfo]], fields: Sequence[FieldShape]) -> float:
    """Seconds for a well, from the cost of each function and the planes that it looks at."""
    seconds = WELL_SECONDS
    for step, info, size in _worked_on(steps, fields):
        per_megapixel = info.cost.seconds_per_megapixel if info.cost else SECONDS_PER_MEGAPIXEL
        seconds += per_megapixel * size * _channels_of(step, info)
    return seconds


def _worked_on(
    steps: Sequence[tuple[PipelineStep, FunctionInfo]], fields: Sequence[FieldShape]
) -> Iterable[tuple[PipelineStep, FunctionInfo, float]]:
    """Each step with the megapixels of one channel that it gets: all focal planes until they are projected."""
    flat = [field.model_copy(update={"size_z": 1}) for field in fields]
    current: Sequence[FieldShape] = fields
    for step, info in steps:
        if step.input == "start":
            current = fields
        yield step, info, megapixels(current)
        if projects_focal_planes(info.id):
            current = flat


def _channels_of(step: PipelineStep, info: FunctionInfo) -> int:
    """Planes per field: the channels that it is limited to or that its parameters name; one at least."""
    if step.channels is not None:
        return max(1, len(step.channels))
    named = sum(parameter.type == "channel" for parameter in info.parameters)
    return max(1, named)


def _memory(steps: Sequence[tuple[PipelineStep, FunctionInfo]], fields: Sequence[FieldShape], channels: int) -> float:
    """MB of an engine: the images after each step, which OpenHCS keeps, and what the hungriest function needs beside them."""
    kept = channels * megapixels(fields) * _BYTES.get(fields[0].pixel_type, _FLOAT_BYTES)
    largest = max(field.size_x * field.size_y for field in fields) / _MEGA
    hungriest = 0.0
    for _, info, size in _worked_on(steps, fields):
        kept += channels * size * _FLOAT_BYTES if info.outputs == ["image"] else size * _LABEL_BYTES
        hungriest = max(hungriest, largest * (info.cost.memory_mb_per_megapixel if info.cost else MEMORY_PER_MEGAPIXEL))
    return ENGINE_MB + kept + hungriest


def _output(steps: Sequence[tuple[PipelineStep, FunctionInfo]], kind: WellKind) -> float:
    """MB on the disk of the service: a label image of four bytes per pixel for each step that makes one, and tables."""
    makers = sum(any(output not in ("image", "measurements") for output in info.outputs) for _, info in steps)
    pixels = sum(field.size_x * field.size_y for field in kind.fields) / _MEGA
    return len(kind.wells) * (makers * pixels * _LABEL_BYTES + WELL_TABLES_MB)


def _processed(steps: Sequence[tuple[PipelineStep, FunctionInfo]], plate: PlateShape) -> float | None:
    """MB of all processed images, four bytes per pixel; None when the last step leaves the images as they were."""
    stacks = any(field.size_z > 1 for kind in plate.kinds for field in kind.fields)
    if not _changes_images(steps, stacks):
        return None
    pixels = sum(len(kind.wells) * sum(field.size_x * field.size_y for field in kind.fields) for kind in plate.kinds)
    return _rounded(len(plate.channels) * pixels / _MEGA * _FLOAT_BYTES)


def _changes_images(steps: Sequence[tuple[PipelineStep, FunctionInfo]], stacks: bool) -> bool:
    """Whether there is a step that makes images, and none after it that begins with the originals again.

    Projecting a single focal plane makes nothing; ``stacks`` says that there are more.
    """
    changed = False
    for step, info in steps:
        makes = info.outputs == ["image"] and (stacks or not projects_focal_planes(info.id))
        changed = makes or (changed and step.input != "start")
    return changed


def _rounded(value: float) -> float:
    """Three figures: more would promise what an estimate cannot keep."""
    return float(f"{value:.3g}")
