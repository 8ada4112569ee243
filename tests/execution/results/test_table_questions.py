# SPDX-License-Identifier: AGPL-3.0-or-later
"""Filters, order, histograms and points of tables, against NumPy; and tables that have nothing to say."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from openhcs_client import MeasurementLevel, OpenHCSError, TableFilter, TableFormat, TableOperator, read_filters
from openhcs_execution.results.export import pieces_of
from openhcs_execution.results.table_questions import Order, histogram, matching, points, rows, well_values

OBJECT = MeasurementLevel.OBJECT


@pytest.fixture
def table() -> pa.Table:
    """Six objects in two wells, in two chunks; one has no area."""
    first = pa.table({"well": ["A01"] * 3, "field": [1, 1, 2], "label": [1, 2, 1], "area": [3.0, None, 1.0]})
    second = pa.table({"well": ["B02"] * 3, "field": [1, 1, 1], "label": [1, 2, 3], "area": [2.0, 3.0, 8.0]})
    return pa.concat_tables([first, second])


def where(column: str, operator: str, value: float | str | None = None) -> TableFilter:
    return TableFilter(column=column, operator=TableOperator(operator), value=value)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (where("area", "gt", 2), [3.0, 3.0, 8.0]),
        (where("area", "ge", "2"), [3.0, 2.0, 3.0, 8.0]),
        (where("area", "lt", 2), [1.0]),
        (where("area", "le", 2), [1.0, 2.0]),
        (where("area", "eq", 3), [3.0, 3.0]),
        (where("area", "ne", 3), [1.0, 2.0, 8.0]),
        (where("area", "missing"), [None]),
        (where("area", "present"), [3.0, 1.0, 2.0, 3.0, 8.0]),
        (where("well", "eq", "B02"), [2.0, 3.0, 8.0]),
        (where("well", "ne", "B02"), [3.0, None, 1.0]),
        (where("well", "contains", "b0"), [2.0, 3.0, 8.0]),
        (where("well", "contains", ".*"), []),
        (where("well", "eq", "' or 1=1 --"), []),
    ],
)
def test_a_filter_keeps_the_rows_that_fulfil_it(table: pa.Table, condition: TableFilter, expected: list) -> None:
    assert matching(table, [condition]).column("area").to_pylist() == expected


def test_filters_are_joined_by_and(table: pa.Table) -> None:
    found = rows(table, OBJECT, filters=[where("area", "ge", 2), where("well", "eq", "B02")])
    assert (found.matching_rows, found.total_rows, found.wells) == (3, 6, {"B02": 3})


@pytest.mark.parametrize(
    ("condition", "code", "field"),
    [
        (where("volume", "gt", 1), "unknown_column", "filters.0.column"),
        (where("area", "gt", "large"), "invalid_request", "filters.0.value"),
        (where("area", "gt", "nan"), "invalid_request", "filters.0.value"),
        (where("area", "gt"), "invalid_request", "filters.0.value"),
        (where("area", "contains", "1"), "invalid_request", "filters.0.operator"),
        (where("well", "lt", "B"), "invalid_request", "filters.0.operator"),
    ],
)
def test_filters_that_make_no_sense_are_refused_by_number(
    table: pa.Table, condition: TableFilter, code: str, field: str
) -> None:
    with pytest.raises(OpenHCSError) as refused:
        matching(table, [condition])
    assert (refused.value.code, refused.value.status, list(refused.value.field_errors)) == (code, 422, [field])


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '[{"column": "a"}]',
        '[{"column": "a", "operator": "exec"}]',
        '[{"column": "a", "operator": "gt", "sql": "1"}]',
    ],
)
def test_filters_that_are_no_filters_are_refused(text: str) -> None:
    with pytest.raises(OpenHCSError) as refused:
        read_filters(text)
    assert refused.value.status == 422
    assert all(name.startswith("filters") for name in refused.value.field_errors)


def test_too_many_filters_are_refused() -> None:
    one = '{"column": "a", "operator": "missing"}'
    assert len(read_filters(f"[{','.join([one] * 20)}]")) == 20
    with pytest.raises(OpenHCSError, match="at most 20"):
        read_filters(f"[{','.join([one] * 21)}]")


@pytest.mark.parametrize(
    ("descending", "expected"), [(False, [1.0, 2.0, 3.0, 3.0, 8.0, None]), (True, [8.0, 3.0, 3.0, 2.0, 1.0, None])]
)
def test_missing_values_come_last_and_pages_fit_together(table: pa.Table, descending: bool, expected: list) -> None:
    order = Order("area", descending)
    whole = [row[3] for row in rows(table, OBJECT, order=order).rows]
    paged = [row[3] for start in range(0, 6, 2) for row in rows(table, OBJECT, order=order, offset=start, limit=2).rows]
    assert whole == paged == expected


def test_equal_values_keep_the_order_of_the_plate(table: pa.Table) -> None:
    equal = [row[0] for row in rows(table, OBJECT, order=Order("area")).rows if row[3] == 3.0]
    assert equal == ["A01", "B02"]


def test_a_histogram_counts_every_value_once(table: pa.Table) -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(10, 3, 5000)
    many = pa.table({"well": ["A01"] * 5001, "area": [*values, None]})
    found = histogram(many, "area", bins=30)
    expected, edges = np.histogram(values, 30)
    assert found.counts == expected.tolist()
    assert found.edges == pytest.approx(edges.tolist())
    assert (found.values, found.missing) == (5000, 1)
    assert found.mean == pytest.approx(values.mean())
    assert found.median == pytest.approx(np.median(values))


def test_whole_numbers_get_a_bin_each() -> None:
    counted = pa.table({"well": ["A01"] * 5, "count": [1, 1, 2, 4, 4]})
    found = histogram(counted, "count")
    assert found.counts == [2, 1, 0, 2]
    assert found.edges == [0.5, 1.5, 2.5, 3.5, 4.5]


@pytest.mark.parametrize(("constant", "low", "high"), [(7.0, 3.5, 10.5), (0.0, -0.5, 0.5), (-4.0, -6.0, -2.0)])
def test_constant_values_fill_one_bin(constant: float, low: float, high: float) -> None:
    found = histogram(pa.table({"well": ["A01"] * 3, "v": [constant] * 3}), "v")
    assert (found.counts, found.edges) == ([3], [low, high])


@pytest.mark.parametrize("column", [pa.array([None, None], pa.float64()), pa.nulls(2)])
def test_a_column_without_any_value_has_no_bins_and_no_points(column: pa.Array) -> None:
    empty = pa.table({"well": ["A01", "A02"], "v": column})
    found = histogram(empty, "v")
    assert (found.counts, found.edges, found.values, found.missing, found.mean) == ([], [], 0, 2, None)
    drawn = points(empty, "v", "v")
    assert (drawn.x, drawn.total, drawn.missing) == ([], 0, 2)


def test_text_cannot_be_drawn(table: pa.Table) -> None:
    for ask in (lambda: histogram(table, "well"), lambda: points(table, "area", "well")):
        with pytest.raises(OpenHCSError) as refused:
            ask()
        assert (refused.value.code, refused.value.status) == ("not_a_number", 422)


def test_before_the_first_well_every_question_has_an_empty_answer() -> None:
    nothing = pa.table({})
    assert rows(nothing, OBJECT, filters=[where("area", "gt", 1)], order=Order("area")).rows == []
    assert histogram(nothing, "area").counts == []
    assert points(nothing, "area", "label").total == 0
    assert b"".join(pieces_of(nothing, TableFormat.CSV)) == b""


def test_points_name_their_objects(table: pa.Table) -> None:
    found = points(table, "label", "area")
    named = [(found.wells[well], field, label) for well, field, label in zip(found.well, found.field, found.label, strict=True)]
    assert named == [("A01", 1, 1), ("A01", 2, 1), ("B02", 1, 1), ("B02", 1, 2), ("B02", 1, 3)]
    assert (found.total, found.missing, found.density) == (5, 1, None)


def test_of_many_points_a_sample_is_sent_and_all_are_counted() -> None:
    rng = np.random.default_rng(2)
    count = 30_000
    values = {"x": rng.normal(size=count), "y": rng.normal(size=count)}
    many = pa.table({"well": [f"A{number % 12 + 1:02d}" for number in range(count)], **values})
    found = points(many, "x", "y", most=500)
    assert (len(found.x), found.total) == (500, count)
    assert set(found.x) <= set(values["x"])
    assert found.density is not None
    assert sum(map(sum, found.density.counts)) == count
    assert points(many, "x", "y", most=500).x == found.x
    # The sample is even: its mean is that of all, within five standard errors.
    assert abs(np.mean(found.x) - values["x"].mean()) < 5 / np.sqrt(500)


def test_a_well_is_the_median_of_its_objects_or_its_own_value(table: pa.Table) -> None:
    wells = pa.table({"well": ["A01", "A02", "B02"], "count": [3.0, 0.0, None]})
    medians = well_values(table, wells, "area")
    assert (medians.statistic, medians.values) == ("median", {"A01": 2.0, "A02": None, "B02": 3.0})
    own = well_values(table, wells, "count")
    assert (own.statistic, own.values) == ("value", {"A01": 3.0, "A02": 0.0, "B02": None})
    with pytest.raises(OpenHCSError, match="no column 'volume'"):
        well_values(table, wells, "volume")
    assert well_values(pa.table({}), pa.table({}), "area").values == {}


HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "plain", 'quote"d', "comma,d", "new\nline"]


def test_text_in_csv_is_no_formula_and_comes_back() -> None:
    table = pa.table({"well": HOSTILE, "=evil": [1.5, None, -2.0, 1e-9, 1e300, 0.1, 3.0, 4.0, 5.0]})
    read = pd.read_csv(io.BytesIO(b"".join(pieces_of(table, TableFormat.CSV))))
    assert list(read.columns) == ["well", "'=evil"]
    assert read["well"].tolist() == ["'" + text if text[0] in "=+-@\t" else text for text in HOSTILE]
    assert read["'=evil"].fillna(-1).tolist() == table.column("=evil").to_pandas().fillna(-1).tolist()


def test_parquet_comes_back_as_it_was(table: pa.Table) -> None:
    sent = b"".join(pieces_of(table, TableFormat.PARQUET))
    assert pq.read_table(io.BytesIO(sent)).equals(table.combine_chunks())


def test_files_are_made_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openhcs_execution.results.export.ROWS_AT_ONCE", 10)
    table = pa.table({"well": ["A01"] * 95, "v": list(range(95))})
    csv = list(pieces_of(table, TableFormat.CSV))
    assert len(csv) == 10
    assert pd.read_csv(io.BytesIO(b"".join(csv)))["v"].tolist() == list(range(95))
    parquet = list(pieces_of(table, TableFormat.PARQUET))
    assert len([part for part in parquet if part]) > 5
    assert pq.read_table(io.BytesIO(b"".join(parquet))).column("v").to_pylist() == list(range(95))
