# SPDX-License-Identifier: AGPL-3.0-or-later
"""``executions/<id>/table/…``: rows, histograms and points of the tables of an execution, and tables as files.

As everything of an execution, the service decides who may read it. Files are passed on as they are made.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.http import StreamingHttpResponse
from pydantic import BaseModel, ConfigDict, Field

from openhcs_client import (
    MOST_POINTS,
    ColumnHistogram,
    MeasurementLevel,
    TableFilter,
    TableFormat,
    TablePoints,
    TableRows,
    WellValues,
    read_filters,
)

from .decorators import api_view
from .requests import read_query

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["download", "histogram", "points", "table", "wells"]

MEDIA_TYPES = {TableFormat.CSV: "text/csv; charset=utf-8", TableFormat.PARQUET: "application/vnd.apache.parquet"}


class _TableQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    level: MeasurementLevel = MeasurementLevel.WELL
    filters: str | None = Field(default=None, max_length=10_000)

    def conditions(self) -> list[TableFilter]:
        return read_filters(self.filters)


class _RowsQuery(_TableQuery):
    sort: str | None = Field(default=None, max_length=200)
    descending: bool = False
    offset: int = Field(default=0, ge=0, le=10**12)
    limit: int = Field(default=100, ge=1, le=1000)


class _HistogramQuery(_TableQuery):
    column: str = Field(min_length=1, max_length=200)
    bins: int = Field(default=40, ge=1, le=400)


class _PointsQuery(_TableQuery):
    x: str = Field(min_length=1, max_length=200)
    y: str = Field(min_length=1, max_length=200)
    most: int = Field(default=MOST_POINTS, ge=1, le=MOST_POINTS)


class _WellsQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    column: str = Field(min_length=1, max_length=200)


class _DownloadQuery(_TableQuery):
    sort: str | None = Field(default=None, max_length=200)
    descending: bool = False
    format: TableFormat = TableFormat.CSV


@api_view("GET")
def table(request: HttpRequest, asker: Asker, execution_id: str) -> TableRows:
    """A page of the rows that fulfil all filters."""
    asked = read_query(request, _RowsQuery)
    return asker.service.table(
        execution_id,
        asked.level,
        filters=asked.conditions(),
        sort=asked.sort,
        descending=asked.descending,
        offset=asked.offset,
        limit=asked.limit,
    )


@api_view("GET")
def histogram(request: HttpRequest, asker: Asker, execution_id: str) -> ColumnHistogram:
    """How the values of a column are spread."""
    asked = read_query(request, _HistogramQuery)
    return asker.service.histogram(execution_id, asked.column, asked.level, filters=asked.conditions(), bins=asked.bins)


@api_view("GET")
def points(request: HttpRequest, asker: Asker, execution_id: str) -> TablePoints:
    """Two columns against each other."""
    asked = read_query(request, _PointsQuery)
    return asker.service.points(execution_id, asked.x, asked.y, asked.level, filters=asked.conditions(), most=asked.most)


@api_view("GET")
def wells(request: HttpRequest, asker: Asker, execution_id: str) -> WellValues:
    """One number per well, for comparing executions."""
    return asker.service.well_values(execution_id, read_query(request, _WellsQuery).column)


@api_view("GET")
def download(request: HttpRequest, asker: Asker, execution_id: str) -> StreamingHttpResponse:
    """A table as a file."""
    asked = read_query(request, _DownloadQuery)
    name = _file_name(asker.service.execution(execution_id).plate_name, execution_id, asked)
    pieces = asker.service.download_table(
        execution_id,
        asked.level,
        asked.format,
        filters=asked.conditions(),
        sort=asked.sort,
        descending=asked.descending,
    )
    response = StreamingHttpResponse(pieces, content_type=MEDIA_TYPES[asked.format])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _file_name(plate: str, execution_id: str, asked: _DownloadQuery) -> str:
    """Of plain characters: a plate's name is text that anybody wrote."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", plate).strip("._")[:80] or "plate"
    return f"{plain}-{execution_id}-{asked.level.value}.{asked.format.value}"
