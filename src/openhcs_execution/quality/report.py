# SPDX-License-Identifier: AGPL-3.0-or-later
"""The quality of an execution so far: what was committed, and who is a control, become one report.

Reading (:func:`read_plate_values`) needs the database; the statistics (:func:`make_report`) are of plain numbers, so that
no transaction is open while they are made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from openhcs_client import (
    MeasurementQuality,
    OpenHCSError,
    QualityReport,
    QualityRequest,
    WellRole,
    well_name,
    well_position,
)
from openhcs_execution.database import ExecutionRow, WellRow
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.results.measurements import committed_wells

from .controls import control_statistics
from .images import FieldRow, flag_images
from .place import b_scores, drift, edge_effect

__all__ = ["PlateValues", "make_report", "read_plate_values"]

_MARKS = ("sharpness", "saturated_fraction", "_count")
"""Endings of the columns of fields that :mod:`images` looks at."""


@dataclass(frozen=True)
class PlateValues:
    """What an execution measured so far. ``wells`` are all of its wells, ``committed`` those with ``values`` by name."""

    execution_id: str
    rows: int
    columns: int
    wells: tuple[str, ...]
    committed: tuple[str, ...]
    values: Mapping[str, Mapping[str, float | None]]
    fields: tuple[FieldRow, ...]

    def plate(self, measurement: str, leave_out: frozenset[str] = frozenset()) -> np.ndarray:
        """One measurement as float64 (rows, columns), NaN where a well has none or is left out."""
        plate = np.full((self.rows, self.columns), np.nan)
        for well in self.committed:
            value = self.values[well].get(measurement)
            if value is not None and np.isfinite(value) and well not in leave_out:
                plate[well_position(well)] = value
        return plate


def read_plate_values(session: Session, store: ResultStore, execution: ExecutionRow) -> PlateValues:
    """Read the committed wells of an execution and the few columns of its fields that say something of the images."""
    committed = committed_wells(session, execution)
    fields: list[FieldRow] = []
    kept = execution.results_removed_at is None  # the statistics of wells need no files
    for well in committed if kept else ():
        table = store.read(execution.execution_id, well.well, well.attempt).result.fields_table
        if table is not None:
            fields += _field_rows(table, well.well)
    names = session.scalars(select(WellRow.well).where(WellRow.execution == execution.number).order_by(WellRow.position))
    return PlateValues(
        execution_id=execution.execution_id,
        rows=execution.rows,
        columns=execution.columns,
        wells=tuple(names),
        committed=tuple(well.well for well in committed),
        values={well.well: dict(well.measurements) for well in committed},
        fields=tuple(fields),
    )


def make_report(plate: PlateValues, request: QualityRequest) -> QualityReport:
    """The statistics of all measurements, or of the one asked for, which then also has its B-scores.

    Raises:
        OpenHCSError: ``unknown_well`` (422) when a role is given to what is not a well; ``unknown_measurement`` (404) when
            wells are committed and none has it.
    """
    roles = _normal_roles(request.roles)
    names = list(dict.fromkeys(name for well in plate.committed for name in plate.values[well]))
    if request.measurement is not None:
        if plate.committed and request.measurement not in names:
            raise OpenHCSError(
                "unknown_measurement", f"No well of this execution has a measurement {request.measurement!r}.", status=404
            )
        names = [request.measurement] if plate.committed else []
    return QualityReport(
        execution_id=plate.execution_id,
        wells_total=len(plate.wells),
        wells_used=len(plate.committed),
        positive_wells=sum(roles.get(well) is WellRole.POSITIVE for well in plate.wells),
        negative_wells=sum(roles.get(well) is WellRole.NEGATIVE for well in plate.wells),
        measurements=[_quality_of(plate, name, roles, with_scores=request.measurement is not None) for name in names],
        flags=flag_images(plate.fields),
    )


def _quality_of(plate: PlateValues, name: str, roles: Mapping[str, WellRole], *, with_scores: bool) -> MeasurementQuality:
    def of(role: WellRole) -> list[float | None]:
        return [plate.values[well].get(name) for well in plate.committed if roles.get(well) is role]

    # Controls differ on purpose, and mostly sit in columns of their own: they would pass for an effect of their place.
    treated = plate.plate(name, leave_out=frozenset(well for well, role in roles.items() if role is not WellRole.TREATMENT))
    present = int(np.isfinite(plate.plate(name)).sum())
    quality = MeasurementQuality(
        name=name,
        wells=present,
        missing=len(plate.committed) - present,
        controls=control_statistics(of(WellRole.POSITIVE), of(WellRole.NEGATIVE)),
        edge=edge_effect(treated),
        drift=[drift(treated, "rows"), drift(treated, "columns")],
    )
    if with_scores:
        scores = b_scores(treated)
        if scores is None:
            quality.b_score_note = "B-scores need values that vary in at least two rows and two columns of treated wells."
        else:
            quality.b_scores = {
                well_name(int(row), int(column)): float(scores[row, column]) for row, column in np.argwhere(np.isfinite(scores))
            }
    return quality


def _normal_roles(roles: Mapping[str, WellRole]) -> dict[str, WellRole]:
    normal = {}
    for well, role in roles.items():
        try:
            normal[well_name(*well_position(well))] = role
        except ValueError as error:
            raise OpenHCSError(
                "unknown_well", f"{well!r} is not the name of a well.", status=422, field_errors={"roles": f"{well!r}"}
            ) from error
    return normal


@lru_cache(maxsize=8192)
def _field_rows(table: Path, well: str) -> tuple[FieldRow, ...]:
    """The marks of a well's fields. A bundle never changes, so that each table is read once."""
    names = [name for name in pq.read_schema(table).names if name == "field" or name.endswith(_MARKS)]
    rows = pq.read_table(table, columns=names).to_pylist()
    return tuple(
        FieldRow(
            well=well,
            field=int(row.pop("field", number)),
            values={name: np.nan if value is None else float(value) for name, value in row.items()},
        )
        for number, row in enumerate(rows, 1)
    )
