# SPDX-License-Identifier: AGPL-3.0-or-later
"""Measurements of the newest executions of a plate as numbers by image, which is how OMERO.parade takes data.

A request names a plate and a field of its wells, counted from 0. What is offered is what the user may see and what has a value
in at least one image of that field: OMERO.parade cannot draw nothing. When the service does not answer, nothing is offered,
so that the other providers of a page still work; the log says why.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from omero_openhcs.omero_access.people import person_of
from omero_openhcs.omero_access.plates import open_plate, read_layout
from omero_openhcs.service.connection import service_for
from openhcs_client import Execution, MeasurementLevel, OpenHCSError, TableFilter, TableOperator

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.omero_access.gateway import BlitzGateway
    from openhcs_client import RemoteOrchestrator

__all__ = ["get_data", "get_dataproviders"]

logger = logging.getLogger(__name__)

MOST_EXECUTIONS = 3
"""Of so many newest executions measurements are offered; a list of hundreds helps nobody."""

_PLACES = frozenset({"well", "field"})
_ROWS = 1000


@dataclass(frozen=True)
class _Question:
    plate_id: int
    field: int


def get_dataproviders(request: HttpRequest, conn: BlitzGateway) -> list[str]:
    """Names of the data that there is for the plate and field of the request."""
    return list(_data(request, conn))


def get_data(request: HttpRequest, data_name: str, conn: BlitzGateway) -> dict[int, float]:
    """The numbers of one name by image id; images without a value are left out."""
    return _data(request, conn).get(data_name, {})


def _data(request: HttpRequest, conn: BlitzGateway) -> dict[str, dict[int, float]]:
    question = _question(request)
    if question is None:
        return {}
    try:
        return _measured(conn, question)
    except OpenHCSError as error:
        logger.warning("No data of OpenHCS for OMERO.parade: %s (%s)", error.message, error.code)
        return {}


def _question(request: HttpRequest) -> _Question | None:
    plate, field = request.GET.get("plate", ""), request.GET.get("field", "0")
    if not (plate.isdecimal() and field.isdecimal() and len(plate) < 19 and len(field) < 6):
        return None  # a dataset or a project, or no number: nothing of ours
    return _Question(int(plate), int(field))


def _measured(conn: BlitzGateway, question: _Question) -> dict[str, dict[int, float]]:
    plate = open_plate(conn, question.plate_id)
    images = {
        well.well: well.fields[question.field].image_id
        for well in read_layout(conn, plate).wells
        if len(well.fields) > question.field
    }
    service = service_for(person_of(conn))
    found: dict[str, dict[int, float]] = {}
    for execution in _executions(service, question.plate_id):
        for column, values in _columns(service, execution, question.field + 1).items():
            by_image = {images[well]: value for well, value in values.items() if well in images}
            if by_image:
                # The newest execution keeps the name when two began in the same minute.
                found.setdefault(_name(execution, column), by_image)
    return found


def _executions(service: RemoteOrchestrator, plate_id: int) -> list[Execution]:
    listed = service.executions(plate=plate_id, limit=50).executions
    return [each for each in listed if each.wells_completed > 0 and not each.test_well][:MOST_EXECUTIONS]


def _columns(service: RemoteOrchestrator, execution: Execution, field: int) -> dict[str, dict[str, float]]:
    """Numbers by column and well, of one field (from 1) of each well."""
    columns: dict[str, dict[str, float]] = {}
    for well, name, value in _cells(service, execution, field):
        columns.setdefault(name, {})[well] = value
    return columns


def _cells(service: RemoteOrchestrator, execution: Execution, field: int) -> Iterator[tuple[str, str, float]]:
    only = [TableFilter(column="field", operator=TableOperator.EQUAL, value=field)]
    offset = 0
    while True:
        page = service.table(execution.execution_id, MeasurementLevel.FIELD, filters=only, offset=offset, limit=_ROWS)
        names = [column.name for column in page.columns]
        numeric = [column.numeric and column.name not in _PLACES for column in page.columns]
        for row in page.rows:
            well = str(row[names.index("well")])
            for name, drawn, value in zip(names, numeric, row, strict=True):
                if drawn and isinstance(value, int | float):
                    yield well, name, float(value)
        offset += len(page.rows)
        if not page.rows or offset >= page.matching_rows:
            return


def _name(execution: Execution, column: str) -> str:
    return f"OpenHCS {column} ({execution.pipeline_name} v{execution.pipeline_version}, {execution.created_at:%Y-%m-%d %H:%M})"
