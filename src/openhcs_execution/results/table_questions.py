# SPDX-License-Identifier: AGPL-3.0-or-later
"""Answers about one table: rows that fulfil filters, in an order, and how one column or two are spread.

Everything a question names is looked up in the table's own columns; values are compared as values. Nothing is evaluated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from openhcs_client import (
    MOST_POINTS,
    ColumnHistogram,
    MeasurementLevel,
    OpenHCSError,
    PointDensity,
    TableColumn,
    TableFilter,
    TableOperator,
    TablePoints,
    TableRows,
    WellValues,
)

__all__ = ["Order", "histogram", "matching", "ordered", "points", "rows", "well_values"]

DENSITY_BINS = (96, 64)
"""Columns and rows of the grid on which many points are counted."""

_COMPARE = {
    TableOperator.EQUAL: pc.equal,
    TableOperator.NOT_EQUAL: pc.not_equal,
    TableOperator.LESS: pc.less,
    TableOperator.AT_MOST: pc.less_equal,
    TableOperator.GREATER: pc.greater,
    TableOperator.AT_LEAST: pc.greater_equal,
}
_BY_SIZE = frozenset({TableOperator.LESS, TableOperator.AT_MOST, TableOperator.GREATER, TableOperator.AT_LEAST})


@dataclass(frozen=True)
class Order:
    """By which column rows are sorted. Missing values come last, whatever the direction."""

    column: str
    descending: bool = False


def matching(table: pa.Table, filters: Sequence[TableFilter]) -> pa.Table:
    """The rows that fulfil all filters.

    Raises:
        OpenHCSError: ``unknown_column`` or ``invalid_request`` (422), with the filter by number.
    """
    if _nothing_yet(table) or not filters:
        return table
    mask = None
    for number, entry in enumerate(filters):
        column = _column(table, entry.column, f"filters.{number}.column")
        one = _condition(column, entry, f"filters.{number}.value")
        mask = one if mask is None else pc.and_(mask, one)
    return table.filter(mask)


def ordered(table: pa.Table, order: Order | None) -> pa.Table:
    """The rows in this order; rows with equal values keep theirs.

    Raises:
        OpenHCSError: ``unknown_column`` (422).
    """
    if order is None or _nothing_yet(table):
        return table
    return table.take(_positions(table, order))


def rows(
    table: pa.Table,
    level: MeasurementLevel,
    *,
    filters: Sequence[TableFilter] = (),
    order: Order | None = None,
    offset: int = 0,
    limit: int = 100,
) -> TableRows:
    """A page of the rows that fulfil the filters.

    Raises:
        OpenHCSError: as :func:`matching` and :func:`ordered`.
    """
    found = matching(table, filters)
    if order is None or _nothing_yet(found):
        shown = found.slice(offset, limit)
    else:
        # Only the page is taken from the table, not all of its rows in their new order.
        shown = found.take(_positions(found, order)[offset : offset + limit])
    columns = [TableColumn(name=field.name, numeric=_is_numeric(field.type)) for field in table.schema]
    cells = [column.to_pylist() for column in shown.columns]
    return TableRows(
        level=level,
        columns=columns,
        rows=[list(row) for row in zip(*cells, strict=True)] if cells else [],
        offset=offset,
        total_rows=table.num_rows,
        matching_rows=found.num_rows,
        wells=_by_well(found),
    )


def histogram(table: pa.Table, column: str, *, filters: Sequence[TableFilter] = (), bins: int = 40) -> ColumnHistogram:
    """How a column is spread over the rows that fulfil the filters; constant values fill one bin around them.

    Raises:
        OpenHCSError: ``unknown_column``, ``not_a_number`` (422).
    """
    if _nothing_yet(table):
        return ColumnHistogram(column=column, edges=[], counts=[], values=0, missing=0)
    numbers = _numbers(matching(table, filters), column, "column")
    present = numbers[np.isfinite(numbers)]
    missing = int(numbers.size - present.size)
    if present.size == 0:
        return ColumnHistogram(column=column, edges=[], counts=[], values=0, missing=missing)
    counts, edges = np.histogram(present, _edges(present, bins))
    return ColumnHistogram(
        column=column,
        edges=edges.tolist(),
        counts=counts.tolist(),
        values=int(present.size),
        missing=missing,
        mean=float(present.mean()),
        median=float(np.median(present)),
    )


def points(table: pa.Table, x: str, y: str, *, filters: Sequence[TableFilter] = (), most: int = MOST_POINTS) -> TablePoints:
    """Two columns against each other, over the rows that fulfil the filters and have both values.

    Raises:
        OpenHCSError: ``unknown_column``, ``not_a_number`` (422).
    """
    if _nothing_yet(table):
        return TablePoints(x=[], y=[], well=[], wells=[], total=0, missing=0)
    found = matching(table, filters)
    xs, ys = _numbers(found, x, "x"), _numbers(found, y, "y")
    both = np.flatnonzero(np.isfinite(xs) & np.isfinite(ys))
    total = int(both.size)
    chosen, density = both, None
    if total > most:
        # Always the same sample: a picture that changes by itself cannot be believed.
        chosen = np.sort(np.random.default_rng(0).choice(both, most, replace=False))
        density = _density(xs[both], ys[both])
    shown = found.take(pa.array(chosen))
    wells = pc.dictionary_encode(shown.column("well").combine_chunks()) if chosen.size else None
    return TablePoints(
        x=xs[chosen].tolist(),
        y=ys[chosen].tolist(),
        well=wells.indices.to_pylist() if wells is not None else [],
        wells=wells.dictionary.to_pylist() if wells is not None else [],
        field=_cells(shown, "field"),
        label=_cells(shown, "label"),
        object=_cells(shown, "object"),
        total=total,
        missing=int(found.num_rows - total),
        density=density,
    )


def well_values(objects: pa.Table, wells: pa.Table, column: str) -> WellValues:
    """One number per well: the exact median over its objects, or the well's own value where objects have no such column.

    Raises:
        OpenHCSError: ``unknown_column``, ``not_a_number`` (422).
    """
    if _nothing_yet(wells):
        return WellValues(column=column, statistic="value", values={})
    if column not in objects.column_names:
        own = _numbers(wells, column, "column")
        return WellValues(column=column, statistic="value", values=_by_name(wells.column("well").to_pylist(), own))
    names = wells.column("well").to_pylist()
    place = pc.index_in(objects.column("well"), value_set=pa.array(names)).to_numpy()
    numbers = _numbers(objects, column, "column")
    medians = [_median(numbers[place == position]) for position in range(len(names))]
    return WellValues(column=column, statistic="median", values=_by_name(names, np.array(medians)))


def _by_name(names: Sequence[str], values: np.ndarray) -> dict[str, float | None]:
    return {name: float(value) if np.isfinite(value) else None for name, value in zip(names, values, strict=True)}


def _median(values: np.ndarray) -> float:
    present = values[np.isfinite(values)]
    return float(np.median(present)) if present.size else float("nan")


def _nothing_yet(table: pa.Table) -> bool:
    """Before the first well is done there are no columns, and no question about them is wrong."""
    return bool(table.num_columns == 0)


def _column(table: pa.Table, name: str, where: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        raise OpenHCSError(
            "unknown_column",
            f"This table has no column {name!r}: this execution did not measure it at this level.",
            status=422,
            field_errors={where: "this table has no such column"},
        )
    return table.column(name)


def _condition(column: pa.ChunkedArray, entry: TableFilter, where: str) -> pa.ChunkedArray:
    if entry.operator is TableOperator.PRESENT:
        return pc.is_valid(column)
    if entry.operator is TableOperator.MISSING:
        return pc.is_null(column)
    if _is_numeric(column.type):
        return pc.fill_null(_COMPARE[_numeric_operator(entry, where)](column, pa.scalar(_number(entry, where))), False)
    text = "" if entry.value is None else str(entry.value)
    if entry.operator in _BY_SIZE:
        raise _wrong(where.replace("value", "operator"), f"{entry.column} is text, which is not compared by size")
    if entry.operator is TableOperator.CONTAINS:
        return pc.fill_null(pc.match_substring(column.cast(pa.string()), text, ignore_case=True), False)
    return pc.fill_null(_COMPARE[entry.operator](column.cast(pa.string()), pa.scalar(text)), False)


def _numeric_operator(entry: TableFilter, where: str) -> TableOperator:
    if entry.operator is TableOperator.CONTAINS:
        raise _wrong(where.replace("value", "operator"), f"{entry.column} holds numbers; only text contains something")
    return entry.operator


def _number(entry: TableFilter, where: str) -> float:
    if isinstance(entry.value, str):
        try:
            number = float(entry.value)
        except ValueError:
            number = np.nan
        if np.isfinite(number):
            return number
    elif entry.value is not None:
        return entry.value
    raise _wrong(where, f"{entry.column} holds numbers, so it is compared with a number")


def _wrong(where: str, told: str) -> OpenHCSError:
    return OpenHCSError(
        "invalid_request", f"A filter of the table is not right: {told}.", status=422, field_errors={where: told}
    )


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _numbers(table: pa.Table, name: str, where: str) -> np.ndarray:
    """A column as float64, NaN where it is missing."""
    column = _column(table, name, where)
    if pa.types.is_null(column.type):
        return np.full(table.num_rows, np.nan)
    if not _is_numeric(column.type):
        told = "holds text, which cannot be drawn"
        raise OpenHCSError("not_a_number", f"The column {name!r} {told}.", status=422, field_errors={where: told})
    return np.asarray(column.cast(pa.float64()).to_numpy())


def _positions(table: pa.Table, order: Order) -> pa.Array:
    column = _column(table, order.column, "sort")
    # Arrow's sort of one chunk is stable and many times faster than that of hundreds of small ones.
    whole = column.combine_chunks()
    keys = pa.table({"key": whole})
    direction = "descending" if order.descending else "ascending"
    return pc.sort_indices(keys, sort_keys=[("key", direction)])  # missing values last, by default


def _by_well(table: pa.Table) -> dict[str, int]:
    if table.num_rows == 0:
        return {}
    counted = pc.value_counts(table.column("well"))
    return {entry["values"]: entry["counts"] for entry in counted.to_pylist()}


def _cells(table: pa.Table, name: str) -> list | None:
    return table.column(name).to_pylist() if name in table.column_names else None


def _edges(values: np.ndarray, bins: int) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    if low == high:
        half = max(abs(low), 1.0) * 0.5
        return np.array([low - half, high + half])
    if high - low <= bins and not np.any(values % 1):
        return np.arange(low - 0.5, high + 1.0)  # a bin for each whole number
    return np.linspace(low, high, bins + 1)


def _density(xs: np.ndarray, ys: np.ndarray) -> PointDensity:
    spans = [_span(xs), _span(ys)]
    counts, _, _ = np.histogram2d(xs, ys, bins=DENSITY_BINS, range=spans)
    (x_low, x_high), (y_low, y_high) = spans
    return PointDensity(x_low=x_low, x_high=x_high, y_low=y_low, y_high=y_high, counts=counts.T.astype(int).tolist())


def _span(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return (low, high) if low < high else (low - 0.5, high + 0.5)
