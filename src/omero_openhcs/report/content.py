# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a report says, from what the execution service and OMERO say: plain data for the template, without asking anybody.

Everything is bounded, so that a plate of 1536 wells and 50 measurements stays a file of a few megabytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from openhcs_client import (
    ControlStatistics,
    DriftStatistics,
    EdgeStatistics,
    ExecutionDetail,
    ExposedParameter,
    FunctionInfo,
    ImageFlag,
    Measurement,
    MeasurementQuality,
    ParameterValue,
    PipelineDocument,
    PlateControls,
    QualityReport,
    WellExecution,
    WellRole,
    WellState,
)

from .colours import is_number, readable
from .pictures import Picture
from .plate_map_svg import STATE_LOOKS, HeatMap, PlateFrame, StateMap, draw_heat_map, draw_states

__all__ = ["MOST_HEAT_MAPS", "Report", "ReportSources", "build_report", "main_measurement", "measured_names"]

MOST_HEAT_MAPS = 6
MOST_FLAGS = 100
MOST_WELL_ROWS = 1536
MOST_MEASUREMENTS = 200
LONGEST_VALUE = 500


@dataclass(frozen=True)
class ReportSources:
    """What was asked for the report. ``quality`` is None when the service could not say it, and ``troubles`` then says why."""

    execution: ExecutionDetail
    document: PipelineDocument
    quality: QualityReport | None
    pictures: Sequence[Picture]
    functions: Mapping[str, FunctionInfo]
    made_at: datetime
    versions: Sequence[tuple[str, str]] = ()
    screen: str = ""
    methods: str = ""
    troubles: Sequence[str] = ()


@dataclass(frozen=True)
class ParameterLine:
    """A parameter of a step as it was used."""

    title: str
    value: ParameterValue
    unit: str
    changed: bool


@dataclass(frozen=True)
class StepLine:
    """A step; its number counts from 1."""

    number: int
    name: str
    function: str
    enabled: bool
    channels: str
    parameters: list[ParameterLine]


@dataclass(frozen=True)
class QualityLine:
    """The statistics of a measurement as text."""

    title: str
    wells: int
    figures: list[str]
    verdict: str
    effects: str
    notes: str


@dataclass(frozen=True)
class ControlLine:
    """The wells of a role."""

    role: str
    wells: str
    compounds: str


@dataclass(frozen=True)
class WellLine:
    """A row of the appendix."""

    well: str
    state: str
    role: str
    values: list[str]


@dataclass(frozen=True)
class Report:
    """Everything that the template shows. ``versions`` are those of the moment, not of the run."""

    execution: ExecutionDetail
    screen: str
    document: PipelineDocument
    made_at: datetime
    final: bool
    duration: timedelta | None
    troubles: Sequence[str]
    states: StateMap
    marks: list[tuple[WellRole, int]]
    heat_maps: list[HeatMap]
    measured: int
    quality: QualityReport | None
    quality_lines: list[QualityLine]
    controls_source: str
    control_lines: list[ControlLine]
    flags: list[ImageFlag]
    flags_left_out: int
    pictures: Sequence[Picture]
    failed: list[WellExecution]
    steps: list[StepLine]
    changed: list[ParameterLine]
    saved: list[tuple[str, str]]
    versions: Sequence[tuple[str, str]]
    methods: str
    columns: list[str]
    wells: list[WellLine]
    wells_left_out: int


def build_report(sources: ReportSources) -> Report:
    """Put the parts together."""
    execution, document, quality = sources.execution, sources.document, sources.quality
    controls = quality.controls if quality is not None else None
    roles = {entry.well: entry.role for entry in controls.wells} if controls else {}
    frame = PlateFrame.of(execution.rows, execution.columns, execution.wells, roles)
    names = measured_names(execution, document)
    described = describe(document)
    heat_maps = [
        draw_heat_map(frame, number, name, *_title_and_unit(name, described))
        for number, name in enumerate(names[:MOST_HEAT_MAPS])
    ]
    present = {well.well for well in execution.wells}
    flags = list(quality.flags) if quality is not None else []
    ends = execution.ended_at
    return Report(
        execution=execution,
        screen=sources.screen,
        document=document,
        made_at=sources.made_at,
        final=execution.status.is_final,
        duration=ends - execution.started_at if ends and execution.started_at else None,
        troubles=sources.troubles,
        states=draw_states(frame),
        marks=_counted(role for well, role in roles.items() if well in present),
        heat_maps=heat_maps,
        measured=len(names),
        quality=quality,
        quality_lines=_quality_lines(quality, described),
        controls_source=_source_of(quality),
        control_lines=_control_lines(controls),
        flags=flags[:MOST_FLAGS],
        flags_left_out=max(0, len(flags) - MOST_FLAGS),
        pictures=sources.pictures,
        failed=[well for well in execution.wells if well.state is WellState.FAILED],
        steps=_steps(execution, document, sources.functions),
        changed=_changed(execution, document),
        saved=_saved(execution),
        versions=sources.versions,
        methods=sources.methods,
        columns=[f"{each.title} ({each.unit})" if each.unit else each.title for each in heat_maps],
        wells=_well_lines(execution.wells[:MOST_WELL_ROWS], roles, [each.name for each in heat_maps]),
        wells_left_out=max(0, len(execution.wells) - MOST_WELL_ROWS),
    )


def measured_names(execution: ExecutionDetail, document: PipelineDocument) -> list[str]:
    """Measurements of which some well has a number: the main one, those that the pipeline describes, the others."""
    found: dict[str, None] = {}
    for well in execution.wells:
        found.update((name, None) for name, value in well.measurements.items() if is_number(value))
    described = [entry.name for entry in document.measurements if entry.level == "well"]
    wanted = [name for name in (document.primary_measurement, *described) if name in found]
    return list(dict.fromkeys([*(name for name in wanted if name), *found]))[:MOST_MEASUREMENTS]


def main_measurement(execution: ExecutionDetail, document: PipelineDocument) -> str | None:
    """The measurement that stands for the plate; None when nothing was measured."""
    return next(iter(measured_names(execution, document)), None)


def describe(document: PipelineDocument) -> dict[str, Measurement]:
    """The measurements by name, at the level of wells where the pipeline gives several."""
    return {entry.name: entry for entry in sorted(document.measurements, key=lambda entry: entry.level == "well")}


def _title_and_unit(name: str, described: Mapping[str, Measurement]) -> tuple[str, str]:
    entry = described.get(name)
    if entry is not None:
        return entry.title, entry.unit or ""
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:], ""


def _counted(roles: Iterable[WellRole]) -> list[tuple[WellRole, int]]:
    known = list(roles)
    return [(role, known.count(role)) for role in WellRole if role is not WellRole.TREATMENT and role in known]


def _quality_lines(quality: QualityReport | None, described: Mapping[str, Measurement]) -> list[QualityLine]:
    if quality is None:
        return []
    lines = []
    for entry in quality.measurements[:MOST_MEASUREMENTS]:
        lines.append(
            QualityLine(
                title=_title_and_unit(entry.name, described)[0],
                wells=entry.wells,
                figures=_figures(entry.controls),
                verdict=entry.controls.verdict or "–",
                effects=_effects(entry),
                notes=" ".join(entry.controls.notes),
            )
        )
    return lines


def _figures(found: ControlStatistics) -> list[str]:
    """In the order of the table's columns."""
    values = (
        found.z_prime,
        found.z_prime_robust,
        found.ssmd,
        found.ssmd_robust,
        found.signal_window,
        found.positive_cv,
        found.negative_cv,
    )
    return [readable(value) for value in values]


def _effects(entry: MeasurementQuality) -> str:
    effects: list[EdgeStatistics | DriftStatistics] = [entry.edge, *entry.drift]
    return " ".join(effect.note for effect in effects if effect.found) or "none found"


def _source_of(quality: QualityReport | None) -> str:
    if quality is None:
        return ""
    controls = quality.controls
    if controls is None:
        return "The plate cannot be read any more, so its control wells are not known."
    whose = controls.marked_by or "somebody"
    return {
        "own": f"Marked by {whose}, who made this report.",
        "plate_owner": f"Marked by {whose}, the owner of the plate.",
        "colleague": f"Marked by {whose}.",
        "annotations": "Read from the annotations of the wells in OMERO.",
        "none": "No control wells are known for this plate, so there are no statistics of controls.",
    }[controls.source]


def _control_lines(controls: PlateControls | None) -> list[ControlLine]:
    lines = []
    for role, word in (
        (WellRole.POSITIVE, "positive controls"),
        (WellRole.NEGATIVE, "negative controls"),
        (WellRole.EMPTY, "empty"),
    ):
        wells = [entry for entry in controls.wells if entry.role is role] if controls else []
        if wells:
            compounds = dict.fromkeys(" ".join((entry.compound, entry.concentration)).strip() for entry in wells)
            lines.append(ControlLine(word, ", ".join(entry.well for entry in wells), ", ".join(filter(None, compounds))))
    return lines


def _steps(execution: ExecutionDetail, document: PipelineDocument, functions: Mapping[str, FunctionInfo]) -> list[StepLine]:
    lines = []
    for index, step in enumerate(document.steps):
        function = functions.get(step.function)
        exposed = {entry.parameter: entry for entry in document.parameters if entry.step == index}
        lines.append(
            StepLine(
                number=index + 1,
                name=step.name,
                function=step.function,
                enabled=step.enabled,
                channels=", ".join(step.channels) if step.channels else "all",
                parameters=[
                    _parameter(name, step.parameters.get(name), exposed.get(name), function, execution.parameters)
                    for name in dict.fromkeys([*step.parameters, *exposed])
                ],
            )
        )
    return lines


def _parameter(
    name: str,
    value: ParameterValue,
    exposed: ExposedParameter | None,
    function: FunctionInfo | None,
    changed: Mapping[str, ParameterValue],
) -> ParameterLine:
    """A parameter with the value of the run, which is the user's where the pipeline lets the user set it."""
    known = {entry.name: entry for entry in function.parameters} if function is not None else {}
    info = known.get(name)
    title = (exposed.title if exposed else "") or (info.title if info else "") or name.replace("_", " ")
    unit = (exposed.unit if exposed else None) or (info.unit if info else None) or ""
    if exposed is None:
        return ParameterLine(title, _bounded(value), unit, changed=False)
    if exposed.name in changed:
        return ParameterLine(title, _bounded(changed[exposed.name]), unit, changed=True)
    return ParameterLine(title, _bounded(exposed.default if value is None else value), unit, changed=False)


def _bounded(value: ParameterValue) -> ParameterValue:
    return f"{value[:LONGEST_VALUE]}…" if isinstance(value, str) and len(value) > LONGEST_VALUE else value


def _changed(execution: ExecutionDetail, document: PipelineDocument) -> list[ParameterLine]:
    known = {entry.name: entry for entry in document.parameters}
    return [
        ParameterLine(
            known[name].title if name in known else name,
            _bounded(value),
            (known[name].unit or "") if name in known else "",
            changed=True,
        )
        for name, value in execution.parameters.items()
    ]


def _saved(execution: ExecutionDetail) -> list[tuple[str, str]]:
    """What lies in OMERO, with its ids."""
    links = execution.results
    objects = (
        ("Result plate", links.plate_id),
        ("Dataset", links.dataset_id),
        ("Table of measurements (file)", links.table_file_id),
        ("Table of measurements (annotation)", links.table_annotation_id),
        ("Provenance (annotation)", links.provenance_annotation_id),
        ("Pipeline (annotation)", links.pipeline_annotation_id),
    )
    lines = [(name, f"id {found}") for name, found in objects if found is not None]
    if links.rois is not None:
        more = f"; {links.rois_left_out} objects have none, because a cap was reached" if links.rois_left_out else ""
        lines.append(("ROIs", f"{links.rois}{more}"))
    return lines


def _well_lines(wells: Sequence[WellExecution], roles: Mapping[str, WellRole], names: Sequence[str]) -> list[WellLine]:
    return [
        WellLine(
            well=well.well,
            state=STATE_LOOKS[well.state].word,
            role=roles.get(well.well, WellRole.TREATMENT).value,
            values=[readable(well.measurements.get(name)) for name in names],
        )
        for well in wells
    ]
