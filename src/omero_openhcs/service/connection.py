# SPDX-License-Identifier: AGPL-3.0-or-later
"""One client of the execution service per request, speaking for the person who asks, over connections kept by the process."""

from __future__ import annotations

import functools
import os

import httpx

from omero_openhcs import settings
from omero_openhcs.omero_access.people import Person
from omero_openhcs.request_ids import current_request_id
from openhcs_client import RemoteOrchestrator

from .tokens import read_secret, sign_token

__all__ = ["service_for"]

_MOST_CONNECTIONS = 16


def service_for(person: Person) -> RemoteOrchestrator:
    """Return a client whose every request carries a fresh token of ``person``.

    Raises:
        OpenHCSError: ``service_not_configured`` (503).
    """
    secret = read_secret(settings.SERVICE_SECRET_FILE)
    return RemoteOrchestrator(
        base_url=settings.SERVICE_URL,
        token=lambda: sign_token(person, secret),
        transport=_SharedTransport(_transport_of(os.getpid())),
        retries=1,
        timeout=settings.SERVICE_TIMEOUT_MS / 1000,
    )


@functools.lru_cache(maxsize=1)
def _transport_of(pid: int) -> httpx.HTTPTransport:
    """The process's connections to the service: a worker forked from a preloaded OMERO.web must not use its parent's."""
    return httpx.HTTPTransport(
        limits=httpx.Limits(max_connections=_MOST_CONNECTIONS, max_keepalive_connections=_MOST_CONNECTIONS)
    )


class _SharedTransport(httpx.BaseTransport):
    """Lends the process's transport to one client; closing the client leaves the connections open for the next."""

    def __init__(self, shared: httpx.HTTPTransport) -> None:
        self._shared = shared

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request_id := current_request_id():  # the service logs the request under the same name
            request.headers["X-Request-ID"] = request_id
        return self._shared.handle_request(request)
