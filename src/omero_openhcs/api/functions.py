# SPDX-License-Identifier: AGPL-3.0-or-later
"""``functions/``: what a pipeline step may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from .decorators import api_view
from .requests import read_query

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker
    from openhcs_client import FunctionInfo

__all__ = ["function_detail", "function_list"]


class _FunctionQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    offered: bool = True


@api_view("GET")
def function_list(request: HttpRequest, asker: Asker) -> dict[str, Any]:
    """The functions that are offered; with ``offered=false`` also the others, each with the reason."""
    query = read_query(request, _FunctionQuery)
    return {"functions": [info.model_dump(mode="json") for info in asker.service.functions(offered=query.offered)]}


@api_view("GET")
def function_detail(request: HttpRequest, asker: Asker, function_id: str) -> FunctionInfo:
    """One function with its parameters."""
    return asker.service.function(function_id)
