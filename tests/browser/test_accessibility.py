# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages for people who see, hear or point differently: axe-core finds nothing serious, and the keyboard is enough.

Only our own part of a page is examined; the header around it is OMERO.web's.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from stack import Stack

from openhcs_client import RemoteOrchestrator

pytestmark = [pytest.mark.stack, pytest.mark.browser]

AXE = Path(__file__).resolve().parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
OURS = ".oh-page"
MINUTE = 60_000
TABS = 80
"""More than any page of ours needs to go from one control to another."""


@pytest.fixture(scope="module")
def finished(client: RemoteOrchestrator) -> dict[str, str]:
    """Id of a finished run by pipeline: pictures, figures and a table are there to be looked at."""
    return {}


@pytest.fixture
def execution(client: RemoteOrchestrator, plate: int, finished: dict[str, str]) -> str:
    if not finished:
        execution_id = client.execute_remote(plate_id=plate, pipeline="nuclei-count", config={"wells": ["B02", "B03"]})
        assert client.wait(execution_id, progress=False).status == "completed"
        finished["nuclei-count"] = execution_id
    return finished["nuclei-count"]


def violations(page: Page) -> list[str]:
    """What axe-core calls serious or critical, with the elements and its words."""
    page.add_script_tag(path=AXE)
    found: dict[str, Any] = page.evaluate("ours => axe.run({ include: [[ours]] }, { resultTypes: ['violations'] })", OURS)
    assert found["passes"], "axe-core examined nothing"
    return [
        f"{violation['id']} ({violation['impact']}): {node['html'][:160]}: {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.fixture(params=[1400, 420], ids=["wide", "narrow"], autouse=True)
def width(request: pytest.FixtureRequest, page: Page) -> int:
    page.set_viewport_size({"width": request.param, "height": 900})
    return request.param


def test_the_start_page(anna: Page, execution: str) -> None:
    anna.reload()
    expect(anna.get_by_role("heading", name="My plates")).to_be_visible()
    assert violations(anna) == []


def test_the_list_of_executions(anna: Page, stack: Stack, execution: str) -> None:
    anna.goto(f"{stack.web_url}/openhcs/executions/")
    expect(anna.locator(f'a[href*="{execution}"]').first).to_be_visible()
    assert violations(anna) == []


def test_the_pipelines(anna: Page, stack: Stack) -> None:
    anna.goto(f"{stack.web_url}/openhcs/pipelines/")
    expect(anna.get_by_role("link", name="Count nuclei").first).to_be_visible()
    assert violations(anna) == []


def test_a_pipeline_as_json_and_as_python(anna: Page, stack: Stack) -> None:
    anna.goto(f"{stack.web_url}/openhcs/pipelines/nuclei-count/")
    assert violations(anna) == []
    anna.get_by_role("tab", name="Python").click()
    expect(anna.get_by_role("tabpanel").filter(visible=True)).to_contain_text("import", timeout=MINUTE)
    assert violations(anna) == []


def test_the_editor(anna: Page, stack: Stack, width: int) -> None:
    anna.goto(f"{stack.web_url}/openhcs/pipelines/new/?from=nuclei-count")
    expect(anna.locator("html[data-oh-editor=ready]")).to_be_attached(timeout=MINUTE)
    anna.get_by_label("Diameter", exact=True).fill("3")
    expect(anna.locator("#oh-problems")).to_be_visible(timeout=MINUTE)
    anna.get_by_text("What is wrong").click()
    anna.get_by_label("On run page: Smallest").check()
    assert violations(anna) == []
    for tab in ("Run page", "Measurements", "Differences"):
        anna.get_by_role("tab", name=tab).click()
        assert violations(anna) == [], tab
    anna.get_by_role("button", name="Add a step", exact=True).click()
    expect(anna.get_by_role("combobox", name="Search the catalogue")).to_be_focused()
    assert violations(anna) == []
    anna.keyboard.press("Escape")
    expect(anna.get_by_role("button", name="Add a step", exact=True)).to_be_focused()
    assert anna.evaluate("document.querySelector('.oh-page').scrollWidth") <= width, "nothing has to be scrolled sideways"


def test_choosing_what_to_run(anna: Page, stack: Stack, plate: int) -> None:
    anna.goto(f"{stack.web_url}/openhcs/execute/{plate}/?pipeline=nuclei-count")
    expect(anna.get_by_role("button", name="Test one well")).to_be_enabled()
    assert violations(anna) == []


def test_results(anna: Page, stack: Stack, execution: str) -> None:
    anna.goto(f"{stack.web_url}/openhcs/results/{execution}/")
    expect(anna.locator("#oh-table tbody tr")).to_have_count(2)
    anna.locator('#oh-map [data-well="B02"]').click()
    expect(anna.locator("#oh-well-body img").first).to_be_visible()
    assert violations(anna) == []
    expect(anna.locator("#oh-quality")).to_contain_text("From 0 of 0 positive")
    anna.locator("#oh-heat-options summary").click()
    anna.select_option("#oh-heat-limits", "manual")
    assert violations(anna) == []
    anna.select_option("#oh-shown", "")
    assert violations(anna) == []


def test_pictures_and_tables_of_results(anna: Page, stack: Stack, execution: str) -> None:
    anna.goto(f"{stack.web_url}/openhcs/results/{execution}/")
    anna.select_option("#oh-shown", "picture:images")
    expect(anna.locator("#oh-map .openhcs-platemap-picture")).to_have_count(2)
    anna.select_option("#oh-shown", "picture:labels")
    expect(anna.locator('#oh-map [data-well="B02"]')).to_have_attribute("aria-label", re.compile("B02, label image"))
    assert violations(anna) == []

    anna.select_option("#oh-level", "object")
    expect(anna.locator("#oh-table-count")).to_contain_text("rows 1 to 100 are shown")
    anna.get_by_label("Column to filter by").select_option("well")
    anna.get_by_label("Condition").select_option("eq")
    anna.get_by_label("Value", exact=True).fill("B03")
    anna.keyboard.press("Enter")
    expect(anna.locator("#oh-table-count")).to_contain_text("in 1 well")
    anna.locator("#oh-charts summary").click()
    expect(anna.locator("#oh-scatter canvas")).to_be_visible()
    expect(anna.locator("#oh-histogram-words")).to_contain_text("values of")
    assert violations(anna) == []

    # A rectangle over the whole plot: all rows of the one well, which stands out on the plate.
    anna.locator("#oh-scatter .u-over").scroll_into_view_if_needed()
    box = anna.locator("#oh-scatter .u-over").bounding_box()
    assert box is not None
    anna.mouse.move(box["x"] + 2, box["y"] + 2)
    anna.mouse.down()
    anna.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] - 2, steps=4)
    anna.mouse.up()
    expect(anna.locator("#oh-table-chosen")).to_contain_text("rows chosen in the plot, in B03")
    expect(anna.locator('#oh-map [data-well="B02"]')).to_have_class(re.compile("openhcs-platemap-faded"))
    expect(anna.locator('#oh-map [data-well="B03"]')).to_have_attribute("aria-label", re.compile("holds chosen rows"))
    with anna.expect_download() as downloaded:
        anna.get_by_role("link", name="Download (Parquet)").click()
    assert downloaded.value.suggested_filename.endswith("-object.parquet")
    assert violations(anna) == []
    anna.get_by_role("button", name="Show all rows again").press("Enter")
    expect(anna.locator("#oh-table-chosen")).to_be_hidden()


def test_comparing_two_runs(
    anna: Page, stack: Stack, client: RemoteOrchestrator, plate: int, execution: str, finished: dict[str, str], width: int
) -> None:
    if "other" not in finished:
        finished["other"] = client.execute_remote(plate_id=plate, pipeline="colocalisation", config={"wells": ["B02"]})
        client.wait(finished["other"], progress=False)
    anna.goto(f"{stack.web_url}/openhcs/results/{execution}/")
    anna.get_by_role("link", name="Compare with…").click()
    expect(anna.get_by_role("heading", name="Compare with…")).to_be_visible()
    assert violations(anna) == []
    anna.locator(f'a[href*="b={finished["other"]}"]').click()
    expect(anna.get_by_role("heading", name="Comparing two runs")).to_be_visible()
    expect(anna.locator("#oh-only")).to_contain_text("Measured in the first run only")
    expect(anna.locator("#oh-differences")).to_contain_text("Steps")
    assert violations(anna) == []
    assert anna.evaluate("document.querySelector('.oh-page').scrollWidth") <= width, "nothing has to be scrolled sideways"


def test_marking_control_wells_with_the_keyboard(anna: Page, stack: Stack, execution: str) -> None:
    anna.goto(f"{stack.web_url}/openhcs/results/{execution}/")
    anna.locator("#oh-mark-controls").press("Enter")
    dialog = anna.get_by_role("dialog")
    expect(dialog.locator('[data-well="A01"]')).to_be_visible()
    assert violations(anna) == []
    dialog.locator('[data-well="A01"]').press("ArrowDown")
    anna.keyboard.press("ArrowRight")
    expect(dialog.locator('[data-well="B02"]')).to_be_focused()
    anna.keyboard.press("Space")
    dialog.get_by_role("button", name="Empty").press("Enter")
    expect(dialog.locator('[data-well="B02"]')).to_have_attribute("aria-label", re.compile("empty"))
    anna.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_the_viewer(anna: Page, stack: Stack, execution: str) -> None:
    anna.goto(f"{stack.web_url}/openhcs/results/{execution}/")
    anna.locator('#oh-map [data-well="B02"]').click()
    anna.locator("#oh-well-body").get_by_role("link", name=re.compile("viewer")).first.click()
    expect(anna.locator("#openhcs-viewer canvas").first).to_be_visible(timeout=MINUTE)
    expect(anna.locator(".oh-viewer-objects [data-object]").first).to_be_visible(timeout=MINUTE)
    anna.get_by_role("button", name="Address for napari").click()
    expect(anna.get_by_label("OME-Zarr 0.4")).to_be_visible()
    assert violations(anna) == []


def test_a_refusal(anna: Page, stack: Stack) -> None:
    assert anna.goto(f"{stack.web_url}/openhcs/execute/987654/").status == 404  # type: ignore[union-attr]
    assert violations(anna) == []


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element that ``selector`` names has the focus."""
    for _ in range(TABS):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the Tab key does not lead to {selector}")


def chosen(page: Page) -> list[str]:
    return page.locator('#oh-map [aria-selected="true"]').evaluate_all("cells => cells.map(cell => cell.dataset.well)")


def test_wells_are_chosen_and_tested_with_the_keyboard_alone(anna: Page, stack: Stack, plate: int) -> None:
    anna.goto(f"{stack.web_url}/openhcs/execute/{plate}/?pipeline=nuclei-count")
    expect(anna.get_by_role("button", name="Test one well")).to_be_enabled()
    keyboard = anna.keyboard
    tab_to(anna, "#oh-map [data-row]")
    keyboard.press("Escape")
    assert chosen(anna) == []
    expect(anna.locator("#oh-wells-error")).to_have_text("Choose at least one well.")
    keyboard.press("Control+Home")
    for key in ("ArrowDown", "ArrowRight", "Space", "Shift+ArrowRight", "Shift+ArrowDown"):
        keyboard.press(key)
    assert chosen(anna) == ["B02", "B03", "C02", "C03"]
    expect(anna.get_by_role("button", name="Run 4 wells")).to_be_enabled()
    tab_to(anna, "#oh-test")
    keyboard.press("Enter")
    expect(anna.locator("#oh-test-result")).to_contain_text("Test of B02")
    expect(anna.locator("#oh-test-result canvas").first).to_be_visible(timeout=MINUTE)
    assert violations(anna) == []
