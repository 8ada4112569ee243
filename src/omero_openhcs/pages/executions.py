# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of executions: of one plate, or all that the user may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omero_openhcs.omero_access.plates import open_plate
from openhcs_client import ExecutionPage, ExecutionStatusName

from .decorators import or_trouble, page

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["executions"]

LINES_SHOWN = 50


@page("omero_openhcs/executions.html")
def executions(request: HttpRequest, asker: Asker) -> dict[str, Any]:
    """A page of executions, newest first."""
    plate_text = request.GET.get("plate", "")
    plate = open_plate(asker.omero, int(plate_text)) if plate_text.isdecimal() and len(plate_text) < 19 else None
    status = request.GET.get("status") if request.GET.get("status") in set(ExecutionStatusName) else None
    mine = request.GET.get("owner") == "me"
    shown, trouble = or_trouble(
        lambda: asker.service.executions(
            plate=plate.plate_id if plate else None,
            status=status,
            owner=asker.person.user_id if mine else None,
            cursor=request.GET.get("cursor") or None,
            limit=LINES_SHOWN,
        ),
        ExecutionPage(executions=[]),
    )
    return {
        "plate": plate,
        "executions": shown.executions,
        "section": "executions",
        "next_cursor": shown.next_cursor,
        "status": status,
        "statuses": [name.value for name in ExecutionStatusName],
        "mine": mine,
        "trouble": trouble,
        "may_run": plate is not None and not asker.public and asker.person.is_member(plate.group_id),
    }
