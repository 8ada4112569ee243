# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page for running a pipeline: one well is tested live while values change, and what cannot run is said on its field."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect
from stack import Stack

from openhcs_client import ExposedParameter, PipelineDocument, PipelineStep, RemoteOrchestrator

pytestmark = [pytest.mark.stack, pytest.mark.browser]

MINUTE = 60_000
SUBMITTED = re.compile(r"/api/v1/executions/$")


def settled(page: Page) -> Locator:
    """The result of the newest test, once it is there."""
    expect(page.locator(".oh-test:not(.oh-stale) .oh-test-head .oh-status-completed")).to_be_visible(timeout=2 * MINUTE)
    expect(page.locator("#oh-test-result canvas")).to_be_visible()
    return page.locator("#oh-test-result")


def drawn(page: Page) -> str:
    return str(page.locator("#oh-test-result canvas").evaluate("canvas => canvas.toDataURL()"))


def number(page: Page) -> int:
    return int(page.locator("#oh-test-result .oh-headline strong").inner_text().replace(",", ""))


def test_values_are_tried_on_one_well_without_leaving_the_page(anna: Page, stack: Stack, plate: int) -> None:
    anna.goto(f"{stack.web_url}/openhcs/execute/{plate}/?pipeline=nuclei-count&well=C04")
    anna.evaluate("window.stayed = true")
    expect(anna.locator(".oh-outlined figcaption")).to_contain_text("Press “Test one well”")
    anna.get_by_role("button", name="Test one well").click()
    result = settled(anna)
    expect(result).to_contain_text("Test of C04")
    first, outlines = number(anna), drawn(anna)
    assert first > 0

    expect(anna.locator("#oh-check")).to_contain_text("measured on", timeout=MINUTE)

    # Nuclei are to be much larger: fewer are found, with other outlines, and what it was before stands beside it.
    with anna.expect_response(SUBMITTED):
        anna.fill("#oh-value-diameter", "60")
    settled(anna)
    fewer = number(anna)
    assert fewer < first
    assert drawn(anna) != outlines
    expect(result.locator(".oh-headline .oh-before")).to_have_text(f"was {first:,}")

    # Only the last step changes: the count and the outlines stay, and the nuclei are not looked for again. A test may land
    # on the other worker while the first one is busy; that one knows the well from then on.
    for channel in ("2", "1", "2"):
        with anna.expect_response(SUBMITTED):
            anna.select_option("#oh-value-stain-channel", channel)
        settled(anna)
        assert number(anna) == fewer
        if "reused" in result.inner_text() or "nothing had changed" in result.inner_text():
            break
    else:
        raise AssertionError(result.inner_text())

    # Another field shows its own objects; another well is chosen on the plate and tested at once.
    anna.locator("#oh-test-result select").first.select_option("2")
    expect(result.locator("figcaption").first).to_have_text("Original, field 2 of C04")
    anna.get_by_text("Choose the well on the plate").click()
    with anna.expect_response(SUBMITTED):
        anna.locator('#oh-test-map [data-well="B03"]').click()
    settled(anna)
    expect(result).to_contain_text("Test of B03")
    expect(anna.locator("#oh-test-well")).to_have_value("B03")
    assert anna.evaluate("window.stayed") is True


def test_a_newer_change_replaces_a_test_under_way(anna: Page, stack: Stack, plate: int, client: RemoteOrchestrator) -> None:
    # A test that takes seconds, so that it is still under way when the change comes.
    document = client.pipeline("nuclei-count")[0].model_copy(deep=True)
    document.id, document.name = "slow-count", "Slow count"
    document.steps += [
        PipelineStep(name=f"Top hat {number}", function="skimage:morphology.white_tophat") for number in range(1, 9)
    ]
    saved = client.save_pipeline(PipelineDocument.model_validate(document.model_dump()))
    anna.goto(f"{stack.web_url}/openhcs/execute/{plate}/?pipeline={saved.id}&well=D05")
    with anna.expect_response(SUBMITTED) as answer:
        anna.get_by_role("button", name="Test one well").click()
    superseded = answer.value.json()["execution_id"]
    with anna.expect_response(f"**/executions/{superseded}/cancel/"):
        anna.fill("#oh-value-diameter", "25")
    settled(anna)
    assert client.wait(superseded, progress=False).status == "cancelled"
    newest = client.executions(plate=plate).executions[0]
    assert newest.execution_id != superseded
    assert client.execution(newest.execution_id).parameters == {"diameter": 25}


def test_what_cannot_run_is_said_on_its_field_and_the_rest_is_estimated(
    anna: Page, stack: Stack, plate: int, client: RemoteOrchestrator
) -> None:
    """The pipeline asks for a channel by a name that this plate does not have."""
    document = client.pipeline("nuclei-count")[0].model_copy(deep=True)
    document.id, document.name = "mitochondria", "Count with mitochondria"
    document.parameters = [
        each.model_copy(update={"default": "Mitochondria"}) if each.name == "stain-channel" else each
        for each in document.parameters
    ]
    document.steps[2].parameters["channel"] = "Mitochondria"
    assert all(isinstance(each, ExposedParameter) for each in document.parameters)
    saved = client.save_pipeline(PipelineDocument.model_validate(document.model_dump()))
    anna.goto(f"{stack.web_url}/openhcs/execute/{plate}/?pipeline={saved.id}")
    expect(anna.locator("#oh-value-stain-channel-error")).to_be_visible(timeout=MINUTE)
    expect(anna.locator("#oh-value-stain-channel")).to_have_attribute("aria-invalid", "true")
    expect(anna.locator("#oh-run")).to_be_disabled()
    anna.select_option("#oh-value-stain-channel", index=1)
    expect(anna.locator("#oh-check .oh-estimate")).to_contain_text("wells", timeout=MINUTE)
    expect(anna.locator("#oh-value-stain-channel-error")).to_be_hidden()
    expect(anna.locator("#oh-run")).to_be_enabled()
