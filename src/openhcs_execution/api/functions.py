# SPDX-License-Identifier: AGPL-3.0-or-later
"""The function catalogue."""

from __future__ import annotations

from fastapi import APIRouter

from openhcs_client import FunctionInfo

from .authentication import ClaimsOf, ServiceOf

__all__ = ["router"]

router = APIRouter(prefix="/functions")


@router.get("/")
async def functions(service: ServiceOf, _claims: ClaimsOf, offered: bool = True) -> dict[str, list[FunctionInfo]]:
    """The functions that steps may name; with ``offered=false`` also those that are not offered, with the reason."""
    return {"functions": service.functions.list(offered_only=offered)}


@router.get("/{function_id}/")
async def function(service: ServiceOf, _claims: ClaimsOf, function_id: str) -> FunctionInfo:
    return service.functions.get(function_id)
