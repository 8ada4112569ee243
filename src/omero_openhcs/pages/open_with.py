# SPDX-License-Identifier: AGPL-3.0-or-later
"""*Open with … OpenHCS pipeline*: from what is selected in OMERO.web's tree to the page that runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.shortcuts import redirect
from django.urls import reverse

from omero_openhcs.omero_access.plates import plate_of_well
from openhcs_client import OpenHCSError

from .decorators import page

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from omero_openhcs.identity import Asker

__all__ = ["open_with"]


@page("omero_openhcs/start.html")
def open_with(request: HttpRequest, asker: Asker) -> HttpResponse:
    """Redirect ``?plate=``, ``?well=`` (several of one plate) or ``?screen=`` to where they can be run."""
    plates, wells, screens = (_ids(request, kind) for kind in ("plate", "well", "screen"))
    if screens:
        return redirect(f"{reverse('openhcs_index')}?{urlencode({'screen': screens[0]})}")
    if plates:
        return redirect("openhcs_execute", plate_id=plates[0])
    if wells:
        found = [plate_of_well(asker.omero, well_id) for well_id in wells]
        if len({plate_id for plate_id, _ in found}) > 1:
            raise OpenHCSError(
                "several_plates", "These wells belong to different plates. Choose wells of one plate.", status=422
            )
        names = urlencode([("well", name) for _, name in found])
        return redirect(f"{reverse('openhcs_execute', kwargs={'plate_id': found[0][0]})}?{names}")
    return redirect("openhcs_index")


def _ids(request: HttpRequest, kind: str) -> list[int]:
    return [int(text) for text in request.GET.getlist(kind) if text.isdecimal() and len(text) < 19]
