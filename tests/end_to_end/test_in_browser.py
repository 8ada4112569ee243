# SPDX-License-Identifier: AGPL-3.0-or-later
"""The main job as a biologist does it, in a browser: test one well, run the row, sign out, come back, look at the results."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect
from stack import Stack

from omero_sandbox.demo.install import SYNTHETIC_PLATE

from .conftest import ROW_PLATE, first_user, omero_connection, plate_named, sign_in_first_user, web_client

pytestmark = [pytest.mark.stack, pytest.mark.browser]

MINUTES = 60_000


@pytest.fixture
def page(browser: Browser, browser_context_args: dict) -> Iterator[Page]:
    """A page that fails the test when a script of ours fails or one of our pages fetches anything from elsewhere."""
    context = browser.new_context(**browser_context_args)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: errors.append(request.url) if from_elsewhere(request) else None)
    yield page
    context.close()
    assert errors == []


def from_elsewhere(request: Request) -> bool:
    """Whether one of our pages asks another host; OMERO.web's own login page looks for new versions of OMERO.insight."""
    ours = "/openhcs/" in urlsplit(request.frame.url).path
    return ours and not request.url.startswith(("http://127.0.0.1:", "data:", "blob:"))


def sign_out(page: Page, stack: Stack) -> None:
    page.evaluate("document.querySelector('#logout form, form[action$=\"/webclient/logout/\"]').submit()")
    page.wait_for_url("**/webclient/login/**")


def wells_said_to_be(page: Page, words: str) -> int:
    return page.locator(f'#oh-map [data-well][aria-label*="{words}"]').count()


@pytest.mark.timeout(900)
def test_the_main_job(page: Page, stack: Stack, row_plate: int) -> None:
    sign_in_first_user(page, stack)
    page.get_by_placeholder("Find by name").fill(ROW_PLATE)
    page.get_by_role("button", name="Find", exact=True).click()
    page.locator(f'a[href*="/openhcs/execute/{row_plate}/"]').first.click()
    expect(page.locator("h1")).to_have_text(ROW_PLATE)

    page.select_option("#oh-pipeline", "spot-count")
    expect(page.get_by_role("button", name="Test one well")).to_be_enabled()
    page.get_by_role("button", name="Test one well").click()
    expect(page.locator("#oh-test-result canvas")).to_be_visible(timeout=2 * MINUTES)

    # Leave the rest of the plate map as it is: all wells are chosen.
    page.get_by_role("button", name="Run plate").click()
    page.wait_for_url("**/openhcs/results/**", timeout=MINUTES)
    execution_id = re.search(r"/results/([^/]+)/", page.url).group(1)  # type: ignore[union-attr]

    # The map fills in while the page stays open.
    page.wait_for_function(
        """() => { const done = document.querySelectorAll('#oh-counts')[0].textContent.match(/^(\\d+) of 24/);
                   return done && +done[1] >= 2 && +done[1] < 24; }""",
        timeout=2 * MINUTES,
    )
    sign_out(page, stack)
    page.goto(f"{stack.web_url}/openhcs/")
    expect(page).to_have_url(re.compile("/webclient/login/"))

    # Nobody is signed in at the page any more, and the run goes on to its end.
    with web_client(stack, first_user(stack)) as client:
        assert client.wait(execution_id, progress=False).status == "completed"

    sign_in_first_user(page, stack)
    page.goto(f"{stack.web_url}/openhcs/results/{execution_id}/")
    expect(page.locator("#oh-counts")).to_contain_text("24 of 24 wells done")
    page.select_option("#oh-shown", index=1)
    values = page.locator("#oh-map [data-well]").evaluate_all("cells => cells.map(c => c.getAttribute('aria-label'))")
    assert len([text for text in values if re.search(r"O\d\d, .*: [\d.,]+", text)]) == 24
    expect(page.get_by_text("Result plate with the label images")).to_be_visible()
    expect(page.get_by_text("Table of measurements")).to_be_visible()
    expect(page.locator("#oh-table tbody tr")).to_have_count(24)


def test_the_right_hand_panel_and_the_top_link(page: Page, stack: Stack, row_plate: int) -> None:
    sign_in_first_user(page, stack)
    page.goto(f"{stack.web_url}/webclient/?show=plate-{row_plate}")
    expect(page.get_by_role("link", name="OpenHCS").first).to_be_visible()
    page.locator("#annotation_tabs a", has_text="OpenHCS").click()
    run = page.locator(f'#openhcs_tab a[href*="/openhcs/execute/{row_plate}/"]').first
    expect(run).to_be_visible(timeout=MINUTES)


def test_a_late_answer_does_not_replace_the_choice(page: Page, stack: Stack) -> None:
    """The page loads its first pipeline while another is chosen: what is shown and run is what was chosen last."""
    with omero_connection(stack, first_user(stack)) as connection:
        plate_id = plate_named(connection, SYNTHETIC_PLATE)
    sign_in_first_user(page, stack)
    held: list[Route] = []
    page.route("**/api/v1/pipelines/nuclei-count/", lambda route: held.append(route))
    page.goto(f"{stack.web_url}/openhcs/execute/{plate_id}/?pipeline=nuclei-count")
    page.select_option("#oh-pipeline", "colocalisation")
    chosen = page.locator("#oh-values")
    expect(chosen).to_contain_text("Marker channel")
    with page.expect_response("**/api/v1/pipelines/nuclei-count/"):
        held[0].continue_()
    page.wait_for_load_state("networkidle")
    expect(chosen).to_contain_text("Marker channel")
