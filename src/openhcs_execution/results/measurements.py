# SPDX-License-Identifier: AGPL-3.0-or-later
"""Measurements of an execution as pages of columns and rows.

Well values come from the database; field and object rows from the Parquet tables of the bundles, well after well in plate
order. The cursor is the number of rows before the page, so a page may begin in the middle of a well. Columns are those of all
wells committed so far; where a well lacks one, its value is missing (null), never zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from openhcs_client import MeasurementLevel, MeasurementPage, OpenHCSError, well_name, well_position
from openhcs_execution.database import ExecutionRow, WellRow
from openhcs_execution.queue.executions import RESULTS_REMOVED_MESSAGE

from .bundle import ResultStore

__all__ = ["committed_wells", "normal_well_name", "read_measurements", "require_kept"]

Cell = float | int | str | None


def committed_wells(session: Session, execution: ExecutionRow, well: str | None = None) -> list[WellRow]:
    """The committed wells of an execution in plate order, or the one named, if it is committed."""
    statement = select(WellRow).where(WellRow.execution == execution.number, WellRow.committed_at.is_not(None))
    if well is not None:
        statement = statement.where(WellRow.well == well)
    return list(session.scalars(statement.order_by(WellRow.row, WellRow.column)))


def normal_well_name(session: Session, execution: ExecutionRow, well: str) -> str:
    """Return the name as stored (``a1`` is ``A01``).

    Raises:
        OpenHCSError: ``unknown_well``, status 404, when the execution has no such well.
    """
    try:
        name = well_name(*well_position(well))
    except ValueError:
        name = ""
    if not name or session.get(WellRow, (execution.number, name)) is None:
        raise OpenHCSError("unknown_well", f"This execution has no well {well!r}.", status=404)
    return name


def require_kept(execution: ExecutionRow) -> None:
    """Refuse to look for files that were removed because they were old.

    Raises:
        OpenHCSError: ``results_removed``, status 410.
    """
    if execution.results_removed_at is not None:
        raise OpenHCSError("results_removed", RESULTS_REMOVED_MESSAGE, status=410)


def read_measurements(
    session: Session,
    store: ResultStore,
    execution: ExecutionRow,
    *,
    level: MeasurementLevel,
    well: str | None = None,
    cursor: str | None = None,
    limit: int = 1000,
) -> MeasurementPage:
    """One page of measurements.

    Raises:
        OpenHCSError: ``bad_cursor`` (422), ``unknown_well`` (404), ``results_removed`` (410).
    """
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise OpenHCSError("bad_cursor", "This cursor is not one that the service gave out.", status=422)
    start = int(cursor or 0)
    wells = committed_wells(session, execution, None if well is None else normal_well_name(session, execution, well))
    if level is MeasurementLevel.WELL:
        columns, rows, total = _well_rows(wells, start, limit)
    else:
        require_kept(execution)
        columns, rows, total = _table_rows(store, execution.execution_id, wells, level, start, limit)
    end = start + len(rows)
    return MeasurementPage(
        level=level,
        columns=columns,
        rows=rows,
        total_rows=total,
        next_cursor=str(end) if rows and end < total else None,
    )


def _well_rows(wells: Sequence[WellRow], start: int, limit: int) -> tuple[list[str], list[list[Cell]], int]:
    names = list(dict.fromkeys(name for well in wells for name in well.measurements))
    rows: list[list[Cell]] = [
        [well.well, *(_finite(well.measurements.get(name)) for name in names)] for well in wells[start : start + limit]
    ]
    return ["well", *names], rows, len(wells)


def _table_rows(
    store: ResultStore, execution_id: str, wells: Sequence[WellRow], level: MeasurementLevel, start: int, limit: int
) -> tuple[list[str], list[list[Cell]], int]:
    columns: dict[str, None] = {}
    tables: list[tuple[Path, int]] = []
    for well in wells:
        result = store.read(execution_id, well.well, well.attempt).result
        path = result.fields_table if level is MeasurementLevel.FIELD else result.objects_table
        if path is not None:
            columns.update(dict.fromkeys(_schema(path)))
            tables.append((path, well.field_rows if level is MeasurementLevel.FIELD else well.object_rows))
    names = list(columns)
    rows: list[list[Cell]] = []
    for path, skip, count in _slices(tables, start, limit):
        rows.extend(_read_slice(path, names, skip, count))
    return names, rows, sum(count for _, count in tables)


def _slices(tables: Sequence[tuple[Path, int]], start: int, limit: int) -> Iterator[tuple[Path, int, int]]:
    """Which rows of which tables make up ``limit`` rows from row ``start`` on."""
    for path, size in tables:
        if limit <= 0:
            return
        if start >= size:
            start -= size
            continue
        count = min(limit, size - start)
        yield path, start, count
        start, limit = 0, limit - count


@lru_cache(maxsize=4096)
def _schema(path: Path) -> tuple[str, ...]:
    return tuple(pq.read_schema(path).names)


def _read_slice(path: Path, names: Sequence[str], skip: int, count: int) -> list[list[Cell]]:
    table: pa.Table = pq.read_table(path).slice(skip, count)
    there = set(table.column_names)
    values = [table.column(name).to_pylist() if name in there else [None] * table.num_rows for name in names]
    return [[_finite(value) for value in row] for row in zip(*values, strict=True)]


def _finite(value: Cell) -> Cell:
    """JSON has no NaN and no infinity; a measurement that is not a number is missing."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
