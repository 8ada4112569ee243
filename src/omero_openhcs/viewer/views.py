# SPDX-License-Identifier: AGPL-3.0-or-later
"""``/openhcs/viewer/<image_id>/``, optionally ``?execution=<id>&field=<n>``."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse

from omero_openhcs import settings
from omero_openhcs.omero_access.image_places import plate_of_image
from omero_openhcs.omero_access.images import read_image
from omero_openhcs.omero_access.label_images import origin_of_label_image
from omero_openhcs.omero_access.plates import open_plate, read_layout
from omero_openhcs.pages.decorators import page

from .place import Place, find_place

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from omero_openhcs.identity import Asker
    from omero_openhcs.omero_access.gateway import BlitzGateway

__all__ = ["viewer"]

ZARR_VERSION = "0.4"


@page("omero_openhcs/viewer/viewer.html")
def viewer(request: HttpRequest, asker: Asker, image_id: int) -> dict[str, Any] | HttpResponse:
    """Show an image with its labels; a label image is shown on top of the image that it was made of."""
    conn = asker.omero
    execution = _execution_id(request)
    origin = origin_of_label_image(conn, image_id)
    if origin is not None:
        return redirect(_address(origin.source_image_id, origin.execution_id or execution))
    info = read_image(conn, image_id)
    place = _place(conn, image_id)
    chosen = _chosen_field(request, place)
    if chosen is not None and chosen != image_id:
        return redirect(_address(chosen, execution))
    return {
        "section": "viewer",
        "image": info,
        "place": place,
        "execution_id": execution,
        "data": {
            "image": {"id": image_id, "name": info.name, "zarr": reverse("openhcs_zarr_image", args=[ZARR_VERSION, image_id])},
            "place": asdict(place) if place else None,
            "execution": execution,
            "iviewer": _iviewer(image_id),
            "vizarr": settings.VIZARR_URL,
            "viewer": {str(step): _address(step, execution) for step in _neighbours(place)},
        },
    }


def _iviewer(image_id: int) -> str:
    """Where OMERO.iviewer shows the image; empty when it is not installed."""
    try:
        return f"{reverse('omero_iviewer_index')}?{urlencode({'images': image_id})}"
    except NoReverseMatch:
        return ""


def _place(conn: BlitzGateway, image_id: int) -> Place | None:
    plate_id = plate_of_image(conn, image_id)
    return find_place(read_layout(conn, open_plate(conn, plate_id)), image_id) if plate_id is not None else None


def _neighbours(place: Place | None) -> set[int]:
    if place is None:
        return set()
    steps = [*place.fields, place.previous_well, place.next_well]
    return {step.image_id for step in steps if step is not None}


def _chosen_field(request: HttpRequest, place: Place | None) -> int | None:
    """The image of the field that the address names; a field that does not exist is ignored."""
    text = request.GET.get("field", "")
    if place is None or not text.isdecimal() or not 1 <= int(text) <= len(place.fields):
        return None
    return place.fields[int(text) - 1].image_id


def _execution_id(request: HttpRequest) -> str:
    text = request.GET.get("execution", "")
    return text if re.fullmatch(r"[A-Za-z0-9_-]{1,100}", text) else ""


def _address(image_id: int, execution: str) -> str:
    query = f"?{urlencode({'execution': execution})}" if execution else ""
    return reverse("openhcs_viewer", args=[image_id]) + query
