# SPDX-License-Identifier: AGPL-3.0-or-later
"""Questions about the tables of an execution: which rows, in which order, how a column is spread, how two belong together.

A question names columns and values, and nothing in it is an expression: a filter is a column, one of a few operators and a
value. Filters are joined by *and*. A missing value fulfils no comparison, not even *is not*; ask for it with ``missing``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from ._errors import OpenHCSError
from ._executions import MeasurementLevel
from ._field_errors import field_errors_of

__all__ = [
    "MOST_FILTERS",
    "MOST_POINTS",
    "ColumnHistogram",
    "LabelThumbnails",
    "PointDensity",
    "TableColumn",
    "TableFilter",
    "TableFormat",
    "TableOperator",
    "TablePoints",
    "TableRows",
    "ThumbnailSheet",
    "WellValues",
    "filters_as_text",
    "read_filters",
]

MOST_FILTERS = 20
MOST_POINTS = 20_000
"""Points of a scatter that are sent one by one; of more, a sample and their density."""


class TableOperator(StrEnum):
    """What a filter asks of a column. ``contains`` is for text, and case does not matter to it."""

    EQUAL = "eq"
    NOT_EQUAL = "ne"
    LESS = "lt"
    AT_MOST = "le"
    GREATER = "gt"
    AT_LEAST = "ge"
    CONTAINS = "contains"
    PRESENT = "present"
    MISSING = "missing"


class TableFormat(StrEnum):
    """How a table is downloaded."""

    CSV = "csv"
    PARQUET = "parquet"


class TableFilter(BaseModel):
    """A condition on one column. ``present`` and ``missing`` take no value."""

    model_config = ConfigDict(extra="forbid")

    column: str = Field(min_length=1, max_length=200)
    operator: TableOperator
    value: float | str | None = None

    @field_validator("value")
    @classmethod
    def _short_and_finite(cls, value: float | str | None) -> float | str | None:
        if isinstance(value, str) and len(value) > 200:
            raise ValueError("must have 200 characters at most")
        if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
            raise ValueError("must be a number that is not infinite")
        return value


class TableColumn(BaseModel):
    """A column of a table; ``numeric`` ones can be drawn and compared by size."""

    name: str
    numeric: bool


class TableRows(BaseModel):
    """A page of the rows that fulfil the filters. ``wells`` counts those rows by well."""

    level: MeasurementLevel
    columns: list[TableColumn]
    rows: list[list[float | int | str | None]]
    offset: int
    total_rows: int
    matching_rows: int
    wells: dict[str, int]


class ColumnHistogram(BaseModel):
    """How the values of a column are spread: ``counts[i]`` of them lie between ``edges[i]`` and ``edges[i + 1]``.

    Both are empty when there is no value at all; the last bin holds the largest value as well.
    """

    column: str
    edges: list[float]
    counts: list[int]
    values: int
    missing: int
    mean: float | None = None
    median: float | None = None


class PointDensity(BaseModel):
    """All points counted on a grid: ``counts[row][column]``, from the smallest x and y on."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float
    counts: list[list[int]]


class TablePoints(BaseModel):
    """Two columns against each other.

    ``total`` rows have both values. Where that is more than were asked for, the points are an even random sample of them, the
    same one each time, and ``density`` counts all. ``well`` points into ``wells``; ``field``, ``label`` and ``object`` name an
    object where the rows are objects.
    """

    x: list[float]
    y: list[float]
    well: list[int]
    wells: list[str]
    field: list[int] | None = None
    label: list[int | None] | None = None
    object: list[str | None] | None = None
    total: int
    missing: int
    density: PointDensity | None = None


class WellValues(BaseModel):
    """One number per well: the median over its objects where objects have the column, else the value of the well itself."""

    column: str
    statistic: Literal["median", "value"]
    values: dict[str, float | None]


class ThumbnailSheet(BaseModel):
    """Small pictures of many wells in one image.

    The picture of ``wells[i]`` is ``tile`` pixels wide and high and lies in column ``i % columns`` and row ``i // columns``;
    a smaller picture is centred. ``image`` is a data URL; empty without any picture.
    """

    tile: int
    columns: int
    wells: list[str]
    unreadable: list[str] = []
    image: str


class LabelThumbnails(ThumbnailSheet):
    """Label images, one colour per object. ``without`` are done wells that have no label image of this name and field."""

    names: list[str]
    name: str
    without: list[str]


_FILTERS: TypeAdapter[list[TableFilter]] = TypeAdapter(list[TableFilter])


def filters_as_text(filters: Sequence[TableFilter]) -> str | None:
    """Filters as the query parameter ``filters``; None without any."""
    return json.dumps([entry.model_dump(mode="json") for entry in filters]) if filters else None


def read_filters(text: str | None) -> list[TableFilter]:
    """Read the query parameter ``filters``: a JSON list of column, operator and value.

    Raises:
        OpenHCSError: ``invalid_request`` (422), with the wrong ones by number.
    """
    if not text:
        return []
    try:
        filters = _FILTERS.validate_json(text)
    except ValidationError as error:
        fields = field_errors_of(error, _given(text))
        named = {f"filters.{name}" if name else "filters": told for name, told in fields.items()}
        raise OpenHCSError("invalid_request", "A filter of the table is not right.", status=422, field_errors=named) from error
    if len(filters) > MOST_FILTERS:
        told = f"at most {MOST_FILTERS}"
        raise OpenHCSError("invalid_request", f"A table takes {told} filters.", status=422, field_errors={"filters": told})
    return filters


def _given(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
