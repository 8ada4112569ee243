# SPDX-License-Identifier: AGPL-3.0-or-later
"""Executions for the tests of the report, as the service would describe them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from omero_openhcs.report.content import Report, ReportSources, build_report
from omero_openhcs.report.document import render_report
from openhcs_client import (
    ControlStatistics,
    DriftStatistics,
    EdgeStatistics,
    ExecutionDetail,
    ImageFlag,
    MeasurementQuality,
    PipelineDocument,
    PlateControls,
    QualityReport,
    WellContent,
    WellExecution,
    WellRole,
    WellState,
    well_name,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINKS = {
    "plate": "https://omero.example.org/webclient/?show=plate-51",
    "results": "https://omero.example.org/openhcs/results/e1/",
}


def document(names: list[str] | None = None, **changes: Any) -> PipelineDocument:
    """A pipeline of two steps with a parameter that users may set, and these measurements of wells."""
    names = ["count"] if names is None else names
    return PipelineDocument.model_validate(
        {
            "id": "nuclei-count",
            "name": "Count nuclei",
            "steps": [
                {"name": "Smooth", "function": "openhcs:gaussian_blur", "parameters": {"sigma": 1.5}},
                {"name": "Find", "function": "openhcs:find", "parameters": {"diameter": 20}, "enabled": False},
            ],
            "parameters": [
                {
                    "name": "size",
                    "title": "Diameter",
                    "step": 1,
                    "parameter": "diameter",
                    "type": "integer",
                    "default": 20,
                    "unit": "pixels",
                }
            ],
            "measurements": [{"name": name, "title": name.title(), "level": "well", "unit": "µm"} for name in names],
            "primary_measurement": names[0] if names else None,
            **changes,
        }
    )


def execution(
    rows: int = 2,
    columns: int = 3,
    value: Callable[[int], Mapping[str, float | None]] = lambda number: {"count": float(number)},
    state: Callable[[int], WellState] = lambda number: WellState.DONE,
    pipeline: PipelineDocument | None = None,
    **changes: Any,
) -> ExecutionDetail:
    """An execution of a whole plate; ``value`` and ``state`` say what the wells have, by their number in plate order."""
    wells = [
        WellExecution(
            well=well_name(number // columns, number % columns),
            row=number // columns,
            column=number % columns,
            well_id=number,
            state=state(number),
            measurements=dict(value(number)) if state(number) is WellState.DONE else {},
        )
        for number in range(rows * columns)
    ]
    done = sum(well.state is WellState.DONE for well in wells)
    known: dict[str, Any] = {
        "execution_id": "3f2a91c0",
        "plate_id": 51,
        "plate_name": "Screen A plate 3",
        "group_id": 3,
        "owner_id": 2,
        "owner_name": "Ada Test",
        "pipeline_id": "nuclei-count",
        "pipeline_name": "Count nuclei",
        "pipeline_version": 2,
        "pipeline_hash": "ab" * 32,
        "status": "completed",
        "wells_total": len(wells),
        "wells_completed": done,
        "wells_failed": sum(well.state is WellState.FAILED for well in wells),
        "created_at": NOON,
        "started_at": NOON,
        "ended_at": NOON + timedelta(minutes=5),
        "document": (pipeline or document()).model_dump(mode="json"),
        "rows": rows,
        "columns": columns,
        "wells": wells,
    }
    return ExecutionDetail.model_validate({**known, **changes})


def controls(roles: Mapping[str, WellRole], source: str = "own") -> PlateControls:
    return PlateControls.model_validate(
        {
            "plate_id": 51,
            "source": source,
            "marked_by": "Ada",
            "wells": [WellContent(well=well, role=role, compound="DMSO") for well, role in roles.items()],
        }
    )


def quality(
    names: list[str], known: PlateControls | None = None, flags: list[ImageFlag] | None = None, **statistics: Any
) -> QualityReport:
    return QualityReport(
        execution_id="3f2a91c0",
        wells_total=6,
        wells_used=6,
        positive_wells=1,
        negative_wells=1,
        measurements=[
            MeasurementQuality(
                name=name,
                wells=6,
                missing=0,
                controls=ControlStatistics(**statistics),
                edge=EdgeStatistics(found=True, note="Edge effect: higher."),
                drift=[DriftStatistics(along="rows")],
            )
            for name in names
        ],
        flags=flags or [],
        controls=known,
    )


def report(found: ExecutionDetail, **changes: Any) -> Report:
    """The report of an execution, without anything that is not given."""
    pipeline = PipelineDocument.model_validate(found.document)
    given: dict[str, Any] = {"quality": None, "pictures": [], "functions": {}, "made_at": NOON, **changes}
    return build_report(ReportSources(execution=found, document=pipeline, **given))


def html(found: ExecutionDetail, **changes: Any) -> str:
    return render_report(report(found, **changes), LINKS)
