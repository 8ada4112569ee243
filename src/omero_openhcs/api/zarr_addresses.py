# SPDX-License-Identifier: AGPL-3.0-or-later
"""``zarr-addresses/``: an address by which napari, Vizarr or a script reads one image or plate without signing in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.urls import reverse

from omero_openhcs.omero_access.images import read_image
from omero_openhcs.omero_access.plates import open_plate
from omero_openhcs.zarr.formats import FORMATS
from omero_openhcs.zarr.tokens import issue_token
from openhcs_client import MakeZarrAddress, ZarrAddress

from .decorators import api_view
from .requests import read_body

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["zarr_address"]


@api_view("POST", omero=True)
def zarr_address(request: HttpRequest, asker: Asker) -> tuple[ZarrAddress, int]:
    """Make an address for something that the user may read. It ends with the user's session at the latest."""
    wanted = read_body(request, MakeZarrAddress)
    read = read_image if wanted.kind == "image" else open_plate
    read(asker.omero, wanted.id)  # refuses what does not exist or may not be read
    token = issue_token(request, wanted.kind, wanted.id, asker.person.user_id)
    name = f"openhcs_zarr_{wanted.kind}_by_token"
    urls = {version: reverse(name, args=[token.text, version, wanted.id]) for version in FORMATS}
    address = ZarrAddress(kind=wanted.kind, id=wanted.id, urls=urls, expires_at=datetime.fromtimestamp(token.expires, UTC))
    return address, 201
