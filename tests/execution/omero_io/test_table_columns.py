# SPDX-License-Identifier: AGPL-3.0-or-later
"""Typed columns from measurements."""

from __future__ import annotations

import keyword
import math

import omero.grid
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openhcs_execution.omero_io.table_columns import PlacedField, column_chunks, identifiers

PLACES = {("A01", 1): PlacedField(11, 111), ("A01", 2): PlacedField(11, 112), ("AF48", 1): PlacedField(12, 121)}


def table(**measurements) -> pd.DataFrame:
    return pd.DataFrame({"well": ["A01", "A01", "AF48"], "field": [1, 2, 1], **measurements})


def columns(frame: pd.DataFrame, rows: int = 100) -> dict[str, omero.grid.Column]:
    (chunk,) = column_chunks(frame, PLACES, rows)
    return {column.name: column for column in chunk}


def test_rows_point_at_their_well_and_image():
    found = columns(table())
    assert list(found) == ["Well", "Image", "Well Name", "Field"]
    assert isinstance(found["Well"], omero.grid.WellColumn)
    assert isinstance(found["Image"], omero.grid.ImageColumn)
    assert found["Well"].values == [11, 11, 12]
    assert found["Image"].values == [111, 112, 121]
    assert (found["Well Name"].values, found["Well Name"].size) == (["A01", "A01", "AF48"], 4)
    assert found["Field"].values == [1, 2, 1]


@pytest.mark.parametrize(
    ("values", "kind", "stored"),
    [
        ([1, 2, 3], omero.grid.LongColumn, [1, 2, 3]),
        ([True, False, True], omero.grid.LongColumn, [1, 0, 1]),
        ([1.5, 2.0, 3.0], omero.grid.DoubleColumn, [1.5, 2.0, 3.0]),
        (["x", "ü", "long"], omero.grid.StringColumn, ["x", "ü", "long"]),
        (["x", None, "y"], omero.grid.StringColumn, ["x", "", "y"]),
    ],
)
def test_types(values, kind, stored):
    column = columns(table(m=values))["m"]
    assert isinstance(column, kind)
    assert column.values == stored


@pytest.mark.parametrize(
    "values",
    [
        [1.0, None, 3.0],
        pd.array([1, None, 3], dtype="Int64"),
        [1.0, float("nan"), 3.0],
        pd.array([1.0, None, 3.0], dtype="Float64"),
    ],
)
def test_missing_numbers_are_nan_and_never_zero(values):
    column = columns(table(m=values))["m"]
    assert isinstance(column, omero.grid.DoubleColumn)
    assert (column.values[0], column.values[2]) == (1.0, 3.0)
    assert math.isnan(column.values[1])


def test_a_column_without_any_value_is_nan():
    column = columns(table(m=[None, None, None]))["m"]
    assert isinstance(column, omero.grid.DoubleColumn)
    assert all(math.isnan(value) for value in column.values)


def test_the_width_of_texts_counts_bytes():
    assert columns(table(m=["µµµ", "", "x"]))["m"].size == 6


def test_chunks_have_the_same_columns_and_together_all_rows():
    frame = table(m=[1, 2, 3], n=["a", "bb", None], o=[None, None, 1.5])
    chunks = list(column_chunks(frame, PLACES, 2))
    assert [len(chunk[0].values) for chunk in chunks] == [2, 1]
    first, second = ([type(column) for column in chunk] for chunk in chunks)
    assert first == second
    assert [column.size for chunk in chunks for column in chunk if column.name == "n"] == [2, 2]
    assert [value for chunk in chunks for value in chunk[4].values] == [1, 2, 3]


def test_no_rows_still_give_the_columns():
    (chunk,) = column_chunks(table(m=[1.5, 2, 3]).iloc[:0], PLACES, 10)
    assert [column.name for column in chunk] == ["Well", "Image", "Well Name", "Field", "m"]
    assert all(column.values == [] for column in chunk)


def test_a_field_that_is_not_on_the_plate_is_an_error():
    with pytest.raises(KeyError):
        columns(pd.DataFrame({"well": ["B02"], "field": [1]}))


@given(st.lists(st.text(max_size=12), max_size=8))
def test_names_are_identifiers_and_unique(names):
    found = identifiers(names)
    assert len(set(found) | {"Well", "Image", "Field"}) == len(found) + 3
    assert all(name.isidentifier() and not keyword.iskeyword(name) for name in found)
