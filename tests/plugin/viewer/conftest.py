# SPDX-License-Identifier: AGPL-3.0-or-later
"""Chromium, signed in to the stack, and an image with labels to look at."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page
from stack import Stack

from tests.plugin.omero_images import Planted, omero_of, plant, sign_in

# Drawing in software needs to be read back from the canvas.
KEEP_DRAWING = """
const getContext = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, attributes) {
  const kept = kind.startsWith('webgl') ? { ...attributes, preserveDrawingBuffer: true } : attributes;
  return getContext.call(this, kind, kept);
};
"""


@pytest.fixture(scope="session")
def planted(stack: Stack) -> Planted:
    with omero_of(stack, "anna") as conn:
        return plant(conn, "Discs for the viewer")


@pytest.fixture
def troubles() -> list[str]:
    """What must not happen on a page: errors in the console, failed requests, requests to other hosts."""
    return []


@pytest.fixture
def anna(context: BrowserContext, page: Page, stack: Stack, troubles: list[str]) -> Iterator[Page]:
    """A page of Anna, signed in."""
    with sign_in(stack, "anna") as client:
        context.add_cookies([{"name": name, "value": value, "url": stack.web_url} for name, value in client.cookies.items()])
    host = urlsplit(stack.web_url).netloc
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on(
        "request",
        lambda request: (
            troubles.append(f"outside: {request.url}")
            if urlsplit(request.url).scheme.startswith("http") and urlsplit(request.url).netloc != host
            else None
        ),
    )
    page.on(
        "response",
        lambda response: troubles.append(f"{response.status}: {response.url}") if response.status >= 400 else None,
    )
    page.add_init_script(KEEP_DRAWING)
    yield page
