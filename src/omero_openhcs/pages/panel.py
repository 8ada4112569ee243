# SPDX-License-Identifier: AGPL-3.0-or-later
"""The right-hand panel in OMERO.web's own pages: the newest executions of what is selected, and a button to run more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse

from omero_openhcs.omero_access.plates import list_plates, open_plate, plate_of_well
from openhcs_client import ExecutionPage, OpenHCSError

from .decorators import or_trouble, page

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["panel"]

EXECUTIONS_SHOWN = 5
PLATES_SHOWN = 50


@page("omero_openhcs/panel.html", refused="omero_openhcs/panel_refusal.html")
def panel(request: HttpRequest, asker: Asker, kind: str, object_id: int) -> dict[str, Any]:
    """The panel for a ``plate``, ``well`` or ``screen``."""
    if kind == "screen":
        return {"kind": kind, "plates": list_plates(asker.omero, screen_id=object_id, limit=PLATES_SHOWN)}
    if kind not in ("plate", "well"):
        raise OpenHCSError("not_found", "There is nothing to run here: choose a plate, a well or a screen.", status=404)
    plate_id, well = plate_of_well(asker.omero, object_id) if kind == "well" else (object_id, "")
    plate = open_plate(asker.omero, plate_id)
    shown, trouble = or_trouble(
        lambda: asker.service.executions(plate=plate_id, limit=EXECUTIONS_SHOWN), ExecutionPage(executions=[])
    )
    return {
        "kind": kind,
        "plate": plate,
        "well": well,
        "executions": shown.executions,
        "more": shown.next_cursor is not None,
        "trouble": trouble,
        "may_run": not asker.public and asker.person.is_member(plate.group_id),
        "run_url": reverse("openhcs_execute", kwargs={"plate_id": plate_id}) + (f"?well={well}" if well else ""),
    }
