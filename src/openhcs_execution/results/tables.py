# SPDX-License-Identifier: AGPL-3.0-or-later
"""The whole table of an execution at one level, put together from its committed wells.

A well's bundle never changes once it is committed. So the table of each well is read once and kept (up to a number of bytes,
the least recently used go first), and putting them together copies nothing: a plate that grows well by well reads each new
well only. Rows stand in plate order.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy.orm import Session

from openhcs_client import MeasurementLevel
from openhcs_execution.database import ExecutionRow

from .bundle import ResultStore
from .measurements import committed_wells, require_kept

__all__ = ["CommittedWell", "TableStore", "read_committed"]

KEPT_BYTES = 512 << 20

_WELL = "well"


@dataclass(frozen=True)
class CommittedWell:
    """What a table needs to know of a committed well, without the database."""

    well: str
    attempt: int
    measurements: dict[str, float | None]


def read_committed(session: Session, execution: ExecutionRow, *, files: bool) -> list[CommittedWell]:
    """The committed wells of an execution in plate order; ``files``: their bundles will be read as well.

    Raises:
        OpenHCSError: ``results_removed`` (410) when ``files`` are needed and were removed because they were old.
    """
    if files:
        require_kept(execution)
    return [CommittedWell(row.well, row.attempt, dict(row.measurements)) for row in committed_wells(session, execution)]


class TableStore:
    """Tables of executions. Safe between threads."""

    def __init__(self, store: ResultStore, kept_bytes: int = KEPT_BYTES) -> None:
        self._store = store
        self._kept_bytes = kept_bytes
        self._pieces: OrderedDict[tuple[str, str, int, MeasurementLevel], pa.Table] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def used(self) -> int:
        """Bytes of the tables that are kept at the moment."""
        return self._bytes

    def table(self, execution_id: str, wells: Sequence[CommittedWell], level: MeasurementLevel) -> pa.Table:
        """All rows of ``level``. A column that only some wells have is missing (null) in the others, never zero."""
        if level is MeasurementLevel.WELL:
            return _well_table(wells)
        pieces = [self._piece(execution_id, well, level) for well in wells]
        there = [piece for piece in pieces if piece.num_columns > 0]
        if not there:
            return pa.table({})
        return pa.concat_tables(there, promote_options="permissive")

    def _piece(self, execution_id: str, well: CommittedWell, level: MeasurementLevel) -> pa.Table:
        key = (execution_id, well.well, well.attempt, level)
        with self._lock:
            known = self._pieces.get(key)
            if known is not None:
                self._pieces.move_to_end(key)
                return known
        result = self._store.read(execution_id, well.well, well.attempt).result
        path = result.fields_table if level is MeasurementLevel.FIELD else result.objects_table
        piece = pa.table({}) if path is None else _without_odd_numbers(pq.read_table(path))
        self._keep(key, piece)
        return piece

    def _keep(self, key: tuple[str, str, int, MeasurementLevel], piece: pa.Table) -> None:
        if piece.nbytes > self._kept_bytes:
            return
        with self._lock:
            if key not in self._pieces:
                self._pieces[key] = piece
                self._bytes += piece.nbytes
            while self._bytes > self._kept_bytes:
                self._bytes -= self._pieces.popitem(last=False)[1].nbytes


def _well_table(wells: Sequence[CommittedWell]) -> pa.Table:
    names = dict.fromkeys(name for well in wells for name in well.measurements)
    if not wells:
        return pa.table({})
    columns: dict[str, pa.Array] = {_WELL: pa.array([well.well for well in wells], pa.string())}
    for name in names:
        columns[name] = pa.array([_finite(well.measurements.get(name)) for well in wells], pa.float64())
    return pa.table(columns)


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _without_odd_numbers(table: pa.Table) -> pa.Table:
    """NaN and infinity as missing, which is what they mean; files that we wrote have none, older ones may."""
    for position, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            column = table.column(position)
            mask = pa.compute.is_finite(column)
            if not pa.compute.all(mask).as_py():
                table = table.set_column(position, field, pa.compute.if_else(mask, column, pa.scalar(None, field.type)))
    return table
