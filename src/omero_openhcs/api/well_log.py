# SPDX-License-Identifier: AGPL-3.0-or-later
"""``executions/<id>/wells/<well>/log/``: what was said about a well, also while it is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .decorators import api_view

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker
    from openhcs_client import WellLog

__all__ = ["well_log"]


@api_view("GET")
def well_log(request: HttpRequest, asker: Asker, execution_id: str, well: str) -> WellLog:
    """For whoever may see the execution; the service looks whether that is so."""
    return asker.service.well_log(execution_id, well)
