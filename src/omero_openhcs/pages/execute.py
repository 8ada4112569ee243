# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page for running a pipeline on a plate: choose a pipeline, its values and the wells; test one well, then run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omero_openhcs.catalogue import list_pipelines
from omero_openhcs.omero_access.datasets import own_datasets
from omero_openhcs.omero_access.people import mail_address
from omero_openhcs.omero_access.plates import PlateSummary, open_plate, read_layout
from omero_openhcs.submission import require_may_run
from openhcs_client import OpenHCSError, PlateLayout, SavingOptions

from .decorators import or_trouble, page
from .page_data import common_page_data

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["execute"]


@page("omero_openhcs/execute.html")
def execute(request: HttpRequest, asker: Asker, plate_id: int) -> dict[str, Any]:
    """Everything that the page's script needs, and a plain sentence when this user cannot run anything here."""
    plate = open_plate(asker.omero, plate_id)
    layout = read_layout(asker.omero, plate)
    lines, trouble = or_trouble(lambda: list_pipelines(asker), [])
    refusal = _refusal(asker, plate)
    return {
        "plate": plate,
        "layout": layout,
        "fields_total": sum(len(well.fields) for well in layout.wells),
        "trouble": trouble,
        "refusal": refusal,
        "mail_address": "" if refusal or trouble else _offered_mail(asker),
        "pipelines": lines,
        "saving": SavingOptions(),
        "datasets": [] if refusal else own_datasets(asker.omero, plate.group_id),
        "data": _page_data(request, asker, layout, lines, may_run=not refusal),
    }


def _refusal(asker: Asker, plate: PlateSummary) -> str:
    try:
        require_may_run(asker, plate)
    except OpenHCSError as error:
        return error.message
    return ""


def _offered_mail(asker: Asker) -> str:
    """Where a mail at the end of a run would go; empty when the service sends none or OMERO has no address."""
    health, _trouble = or_trouble(lambda: asker.service.health(), None)
    return mail_address(asker.omero) if health is not None and health.mail else ""


def _page_data(request: HttpRequest, asker: Asker, layout: PlateLayout, lines: list[Any], *, may_run: bool) -> dict[str, Any]:
    wells = {well.well for well in layout.wells}
    asked_wells = [name for name in request.GET.getlist("well") if name in wells]
    ids = [line.id for line in lines]
    wanted = request.GET.get("pipeline", "")
    return {
        **common_page_data(),
        "plate_id": layout.plate_id,
        "plate_name": layout.name,
        "rows": layout.rows,
        "columns": layout.columns,
        "channels": list(layout.channels),
        "wells": [{"well": well.well, "images": [field.image_id for field in well.fields]} for well in layout.wells],
        "selected_wells": asked_wells,
        "pipeline": wanted if wanted in ids else (ids[0] if ids else None),
        "may_run": may_run,
        "user": asker.person.name,
    }
