# SPDX-License-Identifier: AGPL-3.0-or-later
"""Anna, who owns the example plates: her pages and her client."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from signing_in import sign_in
from stack import Stack

from openhcs_client import RemoteOrchestrator

PLATE = "Synthetic GFP assay"


@pytest.fixture(scope="module")
def client(stack: Stack) -> Iterator[RemoteOrchestrator]:
    """Anna at the plugin's API."""
    anna = stack.users()["anna"]
    with RemoteOrchestrator.sign_in_to_web(stack.web_url, anna.name, anna.password, timeout=60) as client:
        yield client


@pytest.fixture
def anna(page: Page, stack: Stack) -> Page:
    """The start page as Anna sees it."""
    account = stack.users()["anna"]
    sign_in(page, stack.web_url, account.name, account.password)
    return page


@pytest.fixture
def plate(anna: Page) -> int:
    """Id of the example plate, from the link on the start page."""
    address = anna.get_by_role("link", name=PLATE).first.get_attribute("href")
    found = re.search(r"/execute/(\d+)/", address or "")
    assert found, address
    return int(found[1])
