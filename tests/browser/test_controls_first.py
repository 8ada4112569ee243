# SPDX-License-Identifier: AGPL-3.0-or-later
"""Control wells come first, and the run pauses by itself when their Z'-factor is below what was asked for."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from stack import Stack

from openhcs_client import RemoteOrchestrator

pytestmark = [pytest.mark.stack, pytest.mark.browser]

MINUTE = 60_000

CONTROLS = ["A01", "A12", "B01", "B12"]
"""Column 1 of the synthetic plate has the negative controls, column 12 the positive ones."""


def test_controls_first_and_a_pause(anna: Page, stack: Stack, client: RemoteOrchestrator, plate: int) -> None:
    chosen = "&".join(f"well={well}" for well in [*CONTROLS, "A02", "A03", "B02"])
    anna.goto(f"{stack.web_url}/openhcs/execute/{plate}/?pipeline=nuclei-count&{chosen}")
    expect(anna.locator("#oh-first-count")).to_have_text("2 positive, 2 negative", timeout=MINUTE)
    anna.get_by_label("Pause the run when the Z′-factor of").check()
    anna.get_by_label("Measurement", exact=True).select_option("nuclei_count")
    anna.get_by_label("is below").fill("3")  # more than a Z'-factor can be
    anna.get_by_role("button", name="Run 7 wells").click()
    assert anna.evaluate("document.querySelector('#oh-futility-below').validity.rangeOverflow")
    anna.get_by_label("is below").fill("1")  # a Z'-factor never reaches 1, so this run pauses for certain
    anna.get_by_role("button", name="Run 7 wells").click()
    anna.wait_for_url(re.compile(r"/openhcs/results/"), timeout=MINUTE)

    expect(anna.locator("#oh-message")).to_contain_text("Z′-factor of nuclei_count is", timeout=2 * MINUTE)
    execution_id = anna.url.rstrip("/").rsplit("/", 1)[1]
    paused = client.execution(execution_id)
    assert paused.paused
    assert paused.futility is not None
    assert (paused.futility.positive_wells, paused.futility.negative_wells) == (2, 2)
    begun = sorted((well for well in paused.wells if well.started_at), key=lambda well: well.started_at)
    assert {well.well for well in begun[:4]} == set(CONTROLS)

    anna.get_by_role("button", name="Resume").click()
    client.wait(execution_id, timeout=2 * MINUTE / 1000)
    done = client.execution(execution_id)
    assert done.wells_completed == 7
    assert [well.well for well in done.wells] == ["A01", "A02", "A03", "A12", "B01", "B02", "B12"]
