# SPDX-License-Identifier: AGPL-3.0-or-later
"""How many objects a run will find, by the newest wells on which the same pipeline ran with the same values on this plate."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from openhcs_client import ParameterValue, PipelineDocument, PlateShape, RunEstimate
from openhcs_execution.database import ExecutionInput, ExecutionRow, WellRow
from openhcs_execution.queue.reading import Reader
from openhcs_execution.results.bundle import ResultStore

__all__ = ["with_objects"]

_NEWEST_EXECUTIONS = 20
_NEWEST_WELLS = 8


def with_objects(
    estimate: RunEstimate,
    session: Session,
    store: ResultStore,
    reader: Reader,
    document: PipelineDocument,
    values: Mapping[str, ParameterValue],
    plate: PlateShape,
) -> RunEstimate:
    """The estimate with the number of objects in label images, when such a well was computed before."""
    counts: list[int] = []
    fields = 0
    wells: list[str] = []
    for execution_id, well, attempt in _newest_wells(session, reader, document, values, plate.plate_id):
        try:
            labels = store.read(execution_id, well, attempt).result.labels
        except FileNotFoundError:
            continue  # results are tidied away after a while
        counts.append(sum(label.objects for label in labels))
        fields += len({label.field for label in labels})
        wells.append(well)
    if not fields:
        return estimate
    per_field = sum(counts) / fields
    there = sum(len(kind.wells) * len(kind.fields) for kind in plate.kinds)
    where = f"well {wells[0]}" if len(set(wells)) == 1 else f"{len(set(wells))} wells"
    return estimate.model_copy(
        update={
            "objects": round(per_field * there),
            "objects_per_field": per_field,
            "objects_basis": f"{per_field:.0f} in each of {there} fields, as in {where}",
        }
    )


def _newest_wells(
    session: Session, reader: Reader, document: PipelineDocument, values: Mapping[str, ParameterValue], plate_id: int
) -> list[tuple[str, str, int]]:
    query = (
        select(ExecutionRow.number, ExecutionRow.execution_id, ExecutionInput.parameters)
        .join(ExecutionInput, ExecutionInput.execution == ExecutionRow.number)
        .where(
            ExecutionRow.plate_id == plate_id,
            ExecutionRow.pipeline_id == document.id,
            ExecutionRow.pipeline_version == document.version,
            ExecutionRow.wells_computed > 0,
        )
    )
    condition = reader.condition()
    if condition is not None:
        query = query.where(condition)
    found: list[tuple[str, str, int]] = []
    for row in session.execute(query.order_by(ExecutionRow.number.desc()).limit(_NEWEST_EXECUTIONS)):
        if row.parameters != dict(values):
            continue
        wells = (
            select(WellRow.well, WellRow.attempt)
            .where(WellRow.execution == row.number, WellRow.committed_at.is_not(None), WellRow.label_count > 0)
            .order_by(WellRow.committed_at.desc())
            .limit(_NEWEST_WELLS - len(found))
        )
        found += [(row.execution_id, well, attempt) for well, attempt in session.execute(wells)]
        if len(found) >= _NEWEST_WELLS:
            break
    return found
