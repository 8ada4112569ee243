# SPDX-License-Identifier: AGPL-3.0-or-later
"""``/metrics`` for Prometheus: for programs on this machine, and for others with the token of the settings."""

from __future__ import annotations

import hmac
from pathlib import Path

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from openhcs_client import OpenHCSError
from openhcs_execution.settings import is_loopback

from .authentication import ServiceOf

__all__ = ["router"]

router = APIRouter()

_SHORTEST_TOKEN = 16


@router.get("/metrics", include_in_schema=False)
def metrics(service: ServiceOf, request: Request) -> Response:
    """The registry in Prometheus' text format."""
    if not _is_local(request) and not _has_token(request, service.settings.metrics_token_file):
        raise OpenHCSError("not_for_you", "Metrics are for this machine, or for who has their token.", status=403)
    return Response(service.meters.exposition(), media_type=CONTENT_TYPE_LATEST)


def _is_local(request: Request) -> bool:
    """From this machine and not through a proxy on it, which says so in one of its usual headers."""
    proxied = any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip"))
    return not proxied and request.client is not None and is_loopback(request.client.host)


def _has_token(request: Request, file: Path | None) -> bool:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if file is None or scheme.lower() != "bearer":
        return False
    try:
        expected = file.read_text(encoding="utf-8").strip()
    except OSError:
        return False
    return len(expected) >= _SHORTEST_TOKEN and hmac.compare_digest(token.strip().encode(), expected.encode())
