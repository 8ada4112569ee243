# SPDX-License-Identifier: AGPL-3.0-or-later
"""``plates/<id>/controls/``: which wells of a plate are controls, and ``executions/<id>/quality/``, which needs to know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from omero_openhcs.omero_access.control_wells import read_controls, save_controls
from omero_openhcs.omero_access.plates import open_plate
from omero_openhcs.quality import quality_of
from openhcs_client import (
    OpenHCSError,
    PlateControls,
    QualityReport,
    SaveControls,
    WellContent,
    normal_contents,
    read_controls_csv,
)

from .decorators import api_view
from .requests import read_body, read_query

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["plate_controls", "quality"]


class _QualityQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    measurement: str | None = Field(default=None, max_length=200)


@api_view("GET", "POST", omero=True)
def plate_controls(request: HttpRequest, asker: Asker, plate_id: int) -> PlateControls:
    """The control wells of a plate that the user may read; a POST puts the user's own marks in place first."""
    plate = open_plate(asker.omero, plate_id)
    if request.method == "POST":
        save_controls(asker.omero, plate, asker.person.user_id, _wanted(read_body(request, SaveControls)))
    return read_controls(asker.omero, plate, asker.person.user_id)


@api_view("GET", omero=True)
def quality(request: HttpRequest, asker: Asker, execution_id: str) -> QualityReport:
    """Statistics of an execution so far, with the control wells as OMERO knows them at this moment."""
    query = read_query(request, _QualityQuery)
    return quality_of(asker, asker.service.execution(execution_id), query.measurement)


def _wanted(body: SaveControls) -> list[WellContent]:
    if (body.csv is None) == (body.wells is None):
        raise OpenHCSError("invalid_controls", "Give either the wells or the text of a CSV file.", status=422)
    return normal_contents(body.wells) if body.wells is not None else read_controls_csv(body.csv or "")
