# SPDX-License-Identifier: AGPL-3.0-or-later
"""A run is paused and goes on by a button, and the pages say so; one that waits says why."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from stack import Stack

from openhcs_client import RemoteOrchestrator

pytestmark = [pytest.mark.stack, pytest.mark.browser]

MINUTE = 60_000


@pytest.fixture
def runs(client: RemoteOrchestrator, plate: int) -> Iterator[list[str]]:
    """Three runs of a whole plate by one user, of whom two may be in work; cancelled at the end."""
    started = [client.execute_remote(plate_id=plate, pipeline="nuclei-count") for _ in range(3)]
    yield started
    for execution_id in started:
        if not client.status(execution_id).status.is_final:
            client.cancel(execution_id)


def test_a_run_is_paused_and_goes_on(anna: Page, stack: Stack, client: RemoteOrchestrator, runs: list[str]) -> None:
    first, _second, third = runs
    anna.goto(f"{stack.web_url}/openhcs/results/{third}/")
    expect(anna.locator("#oh-message")).to_contain_text("may have 2 runs in work at a time", timeout=MINUTE)

    anna.goto(f"{stack.web_url}/openhcs/results/{first}/")
    anna.get_by_role("button", name="Pause").click()
    expect(anna.locator("#oh-message")).to_contain_text("Paused by Anna", timeout=MINUTE)
    assert client.status(first).paused
    anna.goto(f"{stack.web_url}/openhcs/executions/")
    line = anna.locator(f"[data-oh-live='{first}']")
    expect(line.get_by_text("paused", exact=True)).to_be_visible()

    anna.goto(f"{stack.web_url}/openhcs/results/{first}/")
    anna.get_by_role("button", name="Resume").click()
    expect(anna.get_by_role("button", name="Pause")).to_be_visible()
    expect(anna.locator("#oh-message")).not_to_contain_text("Paused by")
    assert not client.status(first).paused
