# SPDX-License-Identifier: AGPL-3.0-or-later
"""The start page: my plates, my executions, the service's health, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omero_openhcs.omero_access.plates import PlateLine, list_plates
from openhcs_client import Execution, ExecutionPage

from .decorators import or_trouble, page

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["start"]

PLATES_SHOWN = 24
EXECUTIONS_SHOWN = 10


@page("omero_openhcs/start.html")
def start(request: HttpRequest, asker: Asker) -> dict[str, Any]:
    """My plates (or everybody's that I may read), with my newest executions."""
    everybody = request.GET.get("owner") == "all" or asker.public
    name = request.GET.get("name", "").strip()[:100]
    screen_id = _number(request.GET.get("screen"))
    offset = _number(request.GET.get("from")) or 0
    results = request.GET.get("results") == "1"
    owner_id = None if everybody or screen_id else asker.person.user_id
    plates = list_plates(
        asker.omero, owner_id=owner_id, screen_id=screen_id, name=name, results=results, limit=PLATES_SHOWN + 1, offset=offset
    )
    recent, trouble = or_trouble(lambda: _executions(asker), ExecutionPage(executions=[]))
    health, no_health = or_trouble(lambda: asker.service.health(), None)
    return {
        "section": "start",
        "plates": _with_newest(plates[:PLATES_SHOWN], recent.executions, asker),
        "more_from": offset + PLATES_SHOWN if len(plates) > PLATES_SHOWN else None,
        "earlier_from": max(0, offset - PLATES_SHOWN) if offset else None,
        "everybody": everybody,
        "name": name,
        "results": results,
        "screen_id": screen_id,
        "executions": [line for line in recent.executions if line.owner_id == asker.person.user_id][:EXECUTIONS_SHOWN],
        "health": health,
        "trouble": trouble or no_health,
        "public": asker.public,
        "first_time": not trouble and not recent.executions,
    }


def _executions(asker: Asker) -> ExecutionPage:
    return asker.service.executions(owner=None if asker.public else asker.person.user_id, limit=100)


def _with_newest(plates: list[PlateLine], executions: list[Execution], asker: Asker) -> list[dict[str, Any]]:
    newest: dict[int, Execution] = {}
    for execution in executions:
        newest.setdefault(execution.plate_id, execution)
    return [
        {
            "plate": plate,
            "newest": newest.get(plate.plate_id),
            "may_run": not asker.public and asker.person.is_member(plate.group_id),
        }
        for plate in plates
    ]


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None
