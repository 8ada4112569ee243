# SPDX-License-Identifier: AGPL-3.0-or-later
"""OMERO.parade asks every module for filters. OpenHCS has data and no filters: data can be filtered in parade's own table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import JsonResponse

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["get_filters", "get_script"]


def get_filters(request: HttpRequest, conn: Any) -> list[str]:
    """The names of our filters: none."""
    return []


def get_script(request: HttpRequest, filter_name: str, conn: Any) -> JsonResponse:
    """The script of a filter, asked for by name only after :func:`get_filters` named it."""
    return JsonResponse({"Error": "OpenHCS has no filters"}, status=404)
