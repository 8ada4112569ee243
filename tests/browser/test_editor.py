# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pipeline editor as people use it: with the mouse, with the keyboard alone, as text; and when something goes wrong."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Dialog, Locator, Page, expect
from signing_in import sign_in
from stack import Stack

from openhcs_client import PipelineDocument, RemoteOrchestrator

pytestmark = [pytest.mark.stack, pytest.mark.browser]

MINUTE = 60_000
COPIED = """() => new Promise(done => {
  document.addEventListener('copy', event => done(event.clipboardData.getData('text/plain')), { once: true });
  document.execCommand('copy');
})"""
"""What a copy of the selection would put on the clipboard, which itself is closed to pages on plain http."""
TABS = 80
"""More than any page of ours needs to go from one control to another."""


@pytest.fixture(scope="module")
def cookies(stack: Stack, browser: Any) -> list[Any]:
    """Anna's signed-in session, made once: signing in costs seconds."""
    account = stack.users()["anna"]
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, stack.web_url, account.name, account.password)
    found = context.cookies()
    context.close()
    return found


@pytest.fixture
def anna(context: BrowserContext, page: Page, cookies: list[Any]) -> Iterator[Page]:
    """A page of Anna; a script error in it fails the test."""
    context.add_cookies(cookies)
    page.set_default_timeout(MINUTE)
    expect.set_options(timeout=MINUTE)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    expect.set_options(timeout=5000)
    assert errors == []


@pytest.fixture
def mine(client: RemoteOrchestrator) -> PipelineDocument:
    """A pipeline of Anna's own."""
    document = client.pipeline("nuclei-count")[0].model_dump(mode="json")
    document |= {"id": f"edited-{secrets.token_hex(4)}", "name": "Nuclei of mine"}
    return client.save_pipeline(PipelineDocument.model_validate(document))


def open_editor(page: Page, stack: Stack, path: str) -> None:
    page.goto(f"{stack.web_url}/openhcs/pipelines/{path}")
    expect(page.locator("html[data-oh-editor=ready]")).to_be_attached()


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name=re.compile(rf"^Step \d+: {name}$"))


def order(page: Page) -> list[str]:
    return page.locator(".oh-title-input").evaluate_all("inputs => inputs.map(input => input.value)")


def add_step(page: Page, search: str, title: str) -> None:
    page.get_by_role("button", name="Add a step", exact=True).click()
    dialog = page.get_by_role("dialog", name="Add a step")
    dialog.get_by_role("combobox").fill(search)
    dialog.get_by_role("option").filter(has=page.get_by_text(title, exact=True)).first.click()
    dialog.get_by_role("button", name="Add step").click()
    expect(card(page, title)).to_be_visible()


def text_of(page: Page) -> dict[str, Any]:
    """The document in the JSON view. CodeMirror draws only what is in sight, so it is asked and not read."""
    page.get_by_role("tab", name="JSON").click()
    page.locator("#oh-json .cm-content").focus()
    page.keyboard.press("Control+a")
    text = page.evaluate(COPIED)
    return json.loads(text)


def saved_state(page: Page, version: int) -> None:
    expect(page.locator("#oh-editor-state")).to_have_text(f"Version {version}, saved")


def test_with_the_mouse(anna: Page, stack: Stack, client: RemoteOrchestrator) -> None:
    """New pipeline, steps from the catalogue, dragged and set; saved, saved again, and the two versions compared."""
    anna.goto(f"{stack.web_url}/openhcs/pipelines/")
    anna.get_by_role("link", name="New pipeline").click()
    anna.get_by_label("Name of the pipeline").fill(f"Bright <b>nuclei</b> {secrets.token_hex(3)}")
    add_step(anna, "bright round objects", "Find nuclei")
    add_step(anna, "intensity nuclei", "Measure intensity in nuclei")
    add_step(anna, "gaussian", "Smooth")
    assert order(anna) == ["Find nuclei", "Measure intensity in nuclei", "Smooth"]

    grip = card(anna, "Smooth").locator(".oh-grip")
    grip.scroll_into_view_if_needed()
    start = grip.bounding_box()
    assert start
    anna.mouse.move(start["x"] + 8, start["y"] + 8)
    anna.mouse.down()
    anna.mouse.move(start["x"] + 8, start["y"] - 12)  # the cards fold
    first = card(anna, "Find nuclei").bounding_box()
    assert first
    anna.mouse.move(start["x"] + 8, first["y"] + 4, steps=4)
    anna.mouse.up()
    assert order(anna) == ["Smooth", "Find nuclei", "Measure intensity in nuclei"]

    sigma = card(anna, "Smooth").get_by_label("Sigma", exact=True)
    slider = card(anna, "Smooth").locator("[data-parameter=sigma] input[type=range]")
    slider.evaluate("slider => { slider.value = slider.max; slider.dispatchEvent(new Event('input', { bubbles: true })); }")
    expect(sigma).to_have_value("50")
    sigma.fill("2.5")
    card(anna, "Smooth").get_by_label("On run page: Sigma").check()
    card(anna, "Smooth").get_by_label("Title").fill("Softness")
    card(anna, "Smooth").get_by_label("Most").fill("10")
    anna.get_by_role("button", name="Save pipeline").click()
    anna.wait_for_url(re.compile(r"/openhcs/pipelines/u\d+-bright-b-nuclei-b-"))
    saved_state(anna, 1)

    pipeline_id = anna.url.rstrip("/").rsplit("/", 1)[1]
    anna.reload()
    saved_state(anna, 1)
    assert order(anna) == ["Smooth", "Find nuclei", "Measure intensity in nuclei"]
    [stored] = client.pipeline(pipeline_id)
    [shown] = stored.parameters
    assert (shown.title, shown.default, shown.maximum, shown.step) == ("Softness", 2.5, 10, 0)
    assert stored.steps[0].parameters["sigma"] == 2.5
    assert anna.locator("#oh-editor b").filter(has_text="nuclei").count() == 0, "a name is text"

    card(anna, "Smooth").get_by_label("Sigma", exact=True).fill("4")
    anna.get_by_role("button", name="Duplicate step 1, Smooth").click()
    anna.get_by_label("Run step 2, Smooth 2").uncheck()
    anna.get_by_role("button", name="Save as version 2").click()
    saved_state(anna, 2)
    anna.get_by_role("tab", name="Differences").click()
    panel = anna.get_by_role("tabpanel", name="Differences")
    panel.get_by_label("From").select_option("1")
    panel.get_by_label("to", exact=True).select_option("2")
    changes = panel.locator(".oh-step-change")
    expect(changes.nth(0)).to_contain_text("changed")
    expect(changes.nth(0).locator("del")).to_have_text("2.5 pixels")
    expect(changes.nth(0).locator("ins")).to_have_text("4 pixels")
    expect(changes.nth(1)).to_contain_text("added")
    panel.get_by_text("The same as JSON").click()
    expect(panel.locator(".cm-deletedChunk").filter(has_text="2.5").first).to_be_visible()


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element that ``selector`` names has the focus."""
    for _ in range(TABS):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the Tab key does not lead to {selector}")


def test_with_the_keyboard_alone(anna: Page, stack: Stack) -> None:
    open_editor(anna, stack, "new/")
    keyboard = anna.keyboard
    tab_to(anna, "#oh-name")
    keyboard.press("Control+a")
    keyboard.type(f"Typed {secrets.token_hex(3)}")
    tab_to(anna, "#oh-add-step")
    for words, title in (("find nuclei", "Find nuclei"), ("smooth", "Smooth")):
        anna.locator("#oh-add-step").focus()
        keyboard.press("Enter")
        expect(anna.get_by_role("combobox", name="Search the catalogue")).to_be_focused()
        keyboard.type(words)
        expect(anna.get_by_role("dialog").get_by_role("option", selected=True)).to_contain_text(title)
        keyboard.press("Enter")
        expect(card(anna, title).get_by_label("Name of the step")).to_be_focused()
    keyboard.press("Alt+ArrowUp")
    assert order(anna) == ["Smooth", "Find nuclei"]
    expect(card(anna, "Smooth").get_by_label("Name of the step")).to_be_focused()
    expect(anna.locator("#oh-announce")).to_have_text("Smooth is now step 1 of 2.")
    tab_to(anna, ".oh-tool[aria-label^='Move step 1'][aria-label$='down']")
    keyboard.press("Enter")
    assert order(anna) == ["Find nuclei", "Smooth"]
    # The button that was pressed cannot move the step further; undo is heard outside text fields.
    keyboard.press("Control+z")
    assert order(anna) == ["Smooth", "Find nuclei"]
    keyboard.press("Control+Shift+Z")
    assert order(anna) == ["Find nuclei", "Smooth"]
    keyboard.press("Control+s")
    anna.wait_for_url(re.compile(r"/openhcs/pipelines/u\d+-typed-"))
    saved_state(anna, 1)


def test_text_and_forms_say_the_same(anna: Page, stack: Stack) -> None:
    open_editor(anna, stack, "new/?from=nuclei-count")
    diameter = card(anna, "Find nuclei").get_by_label("Diameter", exact=True)
    expect(diameter).to_have_value("18")
    diameter.fill("25")
    document = text_of(anna)
    assert document["steps"][1]["parameters"]["diameter"] == 25
    assert document["parameters"][1]["default"] == 25

    content = anna.locator("#oh-json .cm-content")
    document["steps"][0] |= {"name": "Flatten", "enabled": False}
    content.fill(json.dumps(document))
    expect(card(anna, "Flatten")).to_be_visible()
    expect(anna.get_by_label("Run step 1, Flatten")).not_to_be_checked()

    content.fill('{"name": "Broken",\n  "steps": [,]}')
    mistake = anna.locator("#oh-text-mistake")
    expect(mistake).to_contain_text("Line 2, column 13")
    assert order(anna) == ["Flatten", "Find nuclei", "Measure nuclear stain"], "the forms stay as they were"
    expect(diameter).to_have_value("25")
    mistake.get_by_role("button").click()
    expect(mistake).to_be_hidden()
    assert text_of(anna)["steps"][0]["name"] == "Flatten"
    anna.get_by_role("button", name="Undo").click()
    anna.get_by_role("button", name="Undo").click()
    expect(card(anna, "Find nuclei").get_by_label("Diameter", exact=True)).to_have_value("18")
    assert text_of(anna)["steps"][0]["name"] == "Project focal planes"


def test_a_mistake_is_told_at_its_field(anna: Page, stack: Stack, mine: PipelineDocument) -> None:
    open_editor(anna, stack, f"{mine.id}/")
    diameter = card(anna, "Find nuclei").get_by_label("Diameter", exact=True)
    diameter.fill("3")
    expect(diameter).to_have_attribute("aria-invalid", "true")
    expect(diameter).to_have_accessible_description(re.compile("The least is 4 pixels"))
    anna.get_by_text("What is wrong").click()
    anna.get_by_role("button", name="Step 2, Diameter:").click()
    expect(diameter).to_be_focused()
    anna.get_by_role("button", name="Values of step 2, Find nuclei").click()
    expect(diameter).to_be_hidden()
    anna.get_by_role("button", name="Save as version 2").click()
    expect(diameter).to_be_focused()
    expect(anna.locator("#oh-announce")).to_contain_text("not saved")
    diameter.fill("30")
    expect(diameter).not_to_have_attribute("aria-invalid", "true")
    card(anna, "Find nuclei").get_by_role("button", name="Diameter: back to the default").click()
    expect(diameter).to_have_value("18")


def test_unsaved_changes_are_not_lost_by_a_click_or_a_reload(anna: Page, stack: Stack, mine: PipelineDocument) -> None:
    open_editor(anna, stack, f"{mine.id}/")
    name = anna.get_by_label("Name of the pipeline")
    name.fill("Not yet saved")
    anna.get_by_role("link", name="Executions", exact=True).click()
    anna.get_by_role("button", name="Stay on this page").click()
    expect(name).to_have_value("Not yet saved")

    asked: list[str] = []

    def accept(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    anna.wait_for_function("() => Object.keys(sessionStorage).some(key => key.startsWith('openhcs-draft:'))")
    anna.on("dialog", accept)
    anna.reload()
    assert asked == ["beforeunload"]
    expect(name).to_have_value("Nuclei of mine")
    anna.get_by_role("button", name="Bring them back").click()
    expect(name).to_have_value("Not yet saved")
    anna.get_by_role("link", name="Executions", exact=True).click()
    anna.get_by_role("button", name="Leave without saving").click()
    anna.wait_for_url(re.compile("/openhcs/executions/"))
    assert asked == ["beforeunload"], "who has answered is not asked again"


def test_an_ended_session_keeps_the_edit(
    anna: Page, context: BrowserContext, stack: Stack, client: RemoteOrchestrator, mine: PipelineDocument
) -> None:
    open_editor(anna, stack, f"{mine.id}/")
    name = anna.get_by_label("Name of the pipeline")
    name.fill("Kept through a login")
    context.clear_cookies(name="sessionid")
    anna.get_by_role("button", name="Save as version 2").click()
    expect(anna.locator("#oh-editor-notice")).to_contain_text("your OMERO session has ended")
    anna.get_by_role("link", name="Log in and come back here").click()
    account = stack.users()["anna"]
    anna.fill("#id_username", account.name)
    anna.fill("#id_password", account.password)
    anna.click("[type=submit]")
    anna.get_by_role("button", name="Bring them back").click()
    expect(name).to_have_value("Kept through a login")
    anna.get_by_role("button", name="Save as version 2").click()
    saved_state(anna, 2)
    assert client.pipeline(mine.id)[0].name == "Kept through a login"


def test_a_version_saved_meanwhile_keeps_the_edit(
    anna: Page, stack: Stack, client: RemoteOrchestrator, mine: PipelineDocument
) -> None:
    open_editor(anna, stack, f"{mine.id}/")
    anna.get_by_label("Name of the pipeline").fill("My edit")
    elsewhere = mine.model_copy(update={"description": "Edited in another window."})
    assert client.save_pipeline(elsewhere, based_on=1).version == 2
    save = anna.get_by_role("button", name="Save as version 2")
    save.click()
    dialog = anna.get_by_role("dialog", name="Version 2 was saved meanwhile")
    dialog.get_by_role("button", name="See the differences").click()
    expect(dialog.locator("del").filter(has_text="Edited in another window.")).to_be_visible()
    dialog.get_by_role("button", name="Go on editing").click()
    expect(anna.get_by_label("Name of the pipeline")).to_have_value("My edit")
    assert len(client.pipeline(mine.id)) == 2

    save.click()
    dialog.get_by_role("button", name="Save mine as a copy").click()
    anna.wait_for_url(re.compile(r"/openhcs/pipelines/u\d+-my-edit-copy"))
    saved_state(anna, 1)
    assert client.pipeline(mine.id)[0].description == "Edited in another window."
