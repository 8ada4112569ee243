# SPDX-License-Identifier: AGPL-3.0-or-later
"""Answer times of the list of pipelines when there are many."""

from __future__ import annotations

import itertools
import time
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING

import httpx
from pipelines_in_bulk import make_pipelines

from openhcs_client import RemoteOrchestrator

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["list_milliseconds", "make_many"]

PIPELINES = 1000
REQUESTS = 50
PAGES = ("", "?page=20", "?q=tubulin", "?q=tubulin+0042", "?show=mine")
"""What people open: the first page, a late one, searches that find many and few, their own."""


def make_many(connection: BlitzGateway, client: RemoteOrchestrator, pipeline: str) -> None:
    """Store a thousand pipelines of the connection's user."""
    connection.SERVICE_OPTS.setOmeroGroup(connection.getEventContext().groupId)
    make_pipelines(connection, client.pipeline(pipeline)[0], PIPELINES)


def list_milliseconds(web_url: str, user: str, password: str) -> list[float]:
    """Times of whole pages, one after the other, through OMERO.web as a browser asks for them."""
    cookies = CookieJar()
    RemoteOrchestrator.sign_in_to_web(web_url, user, password, cookies=cookies).close()
    times = []
    with httpx.Client(cookies=cookies, timeout=60) as browser:
        for number, page in enumerate(itertools.islice(itertools.cycle(PAGES), len(PAGES) + REQUESTS)):
            started = time.monotonic()
            browser.get(f"{web_url}/openhcs/pipelines/{page}").raise_for_status()
            if number >= len(PAGES):  # the first round fills caches
                times.append(1000 * (time.monotonic() - started))
    return times
