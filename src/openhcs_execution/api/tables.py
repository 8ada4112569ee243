# SPDX-License-Identifier: AGPL-3.0-or-later
"""Questions about the tables of an execution, also while it still runs, and its label images as small pictures.

The database is read first and let go; tables are read from files after that.
"""

from __future__ import annotations

from typing import Annotated

import pyarrow as pa
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from openhcs_client import (
    MOST_POINTS,
    ColumnHistogram,
    LabelThumbnails,
    MeasurementLevel,
    OpenHCSError,
    TableFormat,
    TablePoints,
    TableRows,
    WellValues,
    read_filters,
)
from openhcs_execution.queue import reading
from openhcs_execution.results.export import MEDIA_TYPES, pieces_of
from openhcs_execution.results.label_thumbnails import label_thumbnails
from openhcs_execution.results.table_questions import Order, histogram, matching, ordered, points, rows, well_values
from openhcs_execution.results.tables import CommittedWell, read_committed

from .authentication import ClaimsOf, ServiceOf, reader_of

__all__ = ["router"]

router = APIRouter(prefix="/executions/{execution_id}")

Filters = Annotated[str | None, Query(max_length=10_000)]
ColumnName = Annotated[str, Query(min_length=1, max_length=200)]


def _committed(service: ServiceOf, claims: ClaimsOf, execution_id: str) -> list[CommittedWell]:
    with service.database.read() as session:
        return read_committed(session, reading.find_execution(session, execution_id, reader_of(claims)), files=True)


def _table(service: ServiceOf, claims: ClaimsOf, execution_id: str, level: MeasurementLevel) -> pa.Table:
    """The whole table of a level. That of wells is in the database and outlives the files."""
    files = level is not MeasurementLevel.WELL
    with service.database.read() as session:
        execution = reading.find_execution(session, execution_id, reader_of(claims))
        wells = read_committed(session, execution, files=files)
    return service.tables.table(execution_id, wells, level)


@router.get("/table/")
def table(
    service: ServiceOf,
    claims: ClaimsOf,
    execution_id: str,
    level: MeasurementLevel = MeasurementLevel.WELL,
    filters: Filters = None,
    sort: Annotated[str | None, Query(max_length=200)] = None,
    descending: bool = False,
    offset: Annotated[int, Query(ge=0, le=10**12)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> TableRows:
    whole = _table(service, claims, execution_id, level)
    order = Order(sort, descending) if sort else None
    return rows(whole, level, filters=read_filters(filters), order=order, offset=offset, limit=limit)


@router.get("/table/histogram/")
def column_histogram(
    service: ServiceOf,
    claims: ClaimsOf,
    execution_id: str,
    column: ColumnName,
    level: MeasurementLevel = MeasurementLevel.WELL,
    filters: Filters = None,
    bins: Annotated[int, Query(ge=1, le=400)] = 40,
) -> ColumnHistogram:
    whole = _table(service, claims, execution_id, level)
    return histogram(whole, column, filters=read_filters(filters), bins=bins)


@router.get("/table/points/")
def column_points(
    service: ServiceOf,
    claims: ClaimsOf,
    execution_id: str,
    x: ColumnName,
    y: ColumnName,
    level: MeasurementLevel = MeasurementLevel.WELL,
    filters: Filters = None,
    most: Annotated[int, Query(ge=1, le=MOST_POINTS)] = MOST_POINTS,
) -> TablePoints:
    whole = _table(service, claims, execution_id, level)
    return points(whole, x, y, filters=read_filters(filters), most=most)


@router.get("/table/wells/")
def values_of_wells(service: ServiceOf, claims: ClaimsOf, execution_id: str, column: ColumnName) -> WellValues:
    own = _table(service, claims, execution_id, MeasurementLevel.WELL)
    try:
        objects = _table(service, claims, execution_id, MeasurementLevel.OBJECT)
    except OpenHCSError as error:
        if error.code != "results_removed":
            raise
        objects = pa.table({})  # the values of wells are still there
    return well_values(objects, own, column)


@router.get("/table/download/", response_class=StreamingResponse)
def download(
    service: ServiceOf,
    claims: ClaimsOf,
    execution_id: str,
    level: MeasurementLevel = MeasurementLevel.WELL,
    filters: Filters = None,
    sort: Annotated[str | None, Query(max_length=200)] = None,
    descending: bool = False,
    form: Annotated[TableFormat, Query(alias="format")] = TableFormat.CSV,
) -> StreamingResponse:
    whole = _table(service, claims, execution_id, level)
    chosen = ordered(matching(whole, read_filters(filters)), Order(sort, descending) if sort else None)
    return StreamingResponse(pieces_of(chosen, form), media_type=MEDIA_TYPES[form])


@router.get("/label-thumbnails/")
def thumbnails(
    service: ServiceOf,
    claims: ClaimsOf,
    execution_id: str,
    name: Annotated[str | None, Query(max_length=200)] = None,
    field: Annotated[int, Query(ge=1, le=10_000)] = 1,
    size: Annotated[int, Query(ge=16, le=128)] = 64,
    wells: Annotated[str | None, Query(max_length=20_000)] = None,
) -> LabelThumbnails:
    """``wells``, with commas between them, asks for these only: for what was done since the last question."""
    committed = _committed(service, claims, execution_id)
    if wells:
        asked = set(wells.split(","))
        committed = [well for well in committed if well.well in asked]
    return label_thumbnails(service.results, execution_id, committed, name=name, field=field, tile=size)
