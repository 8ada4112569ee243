# SPDX-License-Identifier: AGPL-3.0-or-later
"""``health/``: is the execution service well, for anyone who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .decorators import api_view

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker
    from openhcs_client import ServiceHealth

__all__ = ["health"]


@api_view("GET")
def health(request: HttpRequest, asker: Asker) -> ServiceHealth:
    """Health, versions and load of the execution service."""
    return asker.service.health()
