# SPDX-License-Identifier: AGPL-3.0-or-later
"""How long wells took before, as far as whoever asks may know."""

from __future__ import annotations

import statistics

from sqlalchemy import select
from sqlalchemy.orm import Session

from openhcs_client import PlateLayout
from openhcs_execution.database import ExecutionInput, ExecutionRow, WellRow
from openhcs_execution.estimate import MeasuredWells, megapixels

from .reading import Reader

__all__ = ["measured_wells"]

_NEWEST = 100
"""Wells that are looked at: enough for a median, and soon read."""


def measured_wells(session: Session, reader: Reader, pipeline: tuple[str, int], plate_id: int) -> MeasuredWells | None:
    """Wells of a pipeline (id and version), on this plate or else of its newest run on another; None when there are none."""
    here = _seconds(session, reader, pipeline, plate=plate_id)
    if here:
        return MeasuredWells(statistics.median(here), len(here))
    tested = _seconds(session, reader, pipeline, plate=plate_id, tests=True)
    if tested:  # most of them took steps from an earlier test; the slowest one did not
        return MeasuredWells(max(tested), 1)
    query = select(ExecutionRow).where(
        ExecutionRow.pipeline_id == pipeline[0], ExecutionRow.pipeline_version == pipeline[1], ExecutionRow.wells_computed > 0
    )
    query = query.where(ExecutionRow.test_well.is_(False))
    condition = reader.condition()
    if condition is not None:
        query = query.where(condition)
    newest = session.scalars(query.order_by(ExecutionRow.number.desc()).limit(1)).one_or_none()
    if newest is None:
        return None
    seconds = _seconds(session, reader, pipeline, plate=newest.plate_id)
    if not seconds:
        return None
    layout = PlateLayout.model_validate_json(session.get_one(ExecutionInput, newest.number).layout)
    sizes = [
        megapixels(kind.fields) for kind in layout.shape([well.well for well in layout.wells]).kinds for _well in kind.wells
    ]
    return MeasuredWells(statistics.median(seconds), len(seconds), statistics.median(sizes))


def _seconds(session: Session, reader: Reader, pipeline: tuple[str, int], *, plate: int, tests: bool = False) -> list[float]:
    query = (
        select(WellRow.seconds)
        .join(ExecutionRow, ExecutionRow.number == WellRow.execution)
        .where(
            ExecutionRow.plate_id == plate,
            ExecutionRow.pipeline_id == pipeline[0],
            ExecutionRow.pipeline_version == pipeline[1],
            ExecutionRow.test_well.is_(tests),
            WellRow.committed_at.is_not(None),
            WellRow.seconds.is_not(None),
        )
    )
    condition = reader.condition()
    if condition is not None:
        query = query.where(condition)
    return [seconds for seconds in session.scalars(query.order_by(WellRow.committed_at.desc()).limit(_NEWEST)) if seconds]
