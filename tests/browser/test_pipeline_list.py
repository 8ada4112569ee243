# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of pipelines in a browser: search while typing, the menu and its dialogs by keyboard, and bringing in a file."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from signing_in import sign_in
from stack import Stack

from openhcs_client import RemoteOrchestrator

from .test_accessibility import violations

pytestmark = [pytest.mark.stack, pytest.mark.browser]


@pytest.fixture
def pipelines(page: Page, stack: Stack) -> Page:
    """The list, as Anna sees it."""
    account = stack.users()["anna"]
    sign_in(page, stack.web_url, account.name, account.password, then="/openhcs/pipelines/")
    return page


@pytest.mark.parametrize("width", [1400, 420])
def test_searching_and_changing_by_keyboard(pipelines: Page, client: RemoteOrchestrator, width: int) -> None:
    word = f"word{secrets.token_hex(3)}"
    made = client.copy_pipeline("nuclei-count", name=f"Nuclei {word}")
    pipelines.set_viewport_size({"width": width, "height": 900})
    pipelines.get_by_role("searchbox").press_sequentially(word, delay=20)
    expect(pipelines.get_by_role("status")).to_have_text("1 pipeline")
    expect(pipelines).to_have_url(re.compile(rf"\?q={word}$"))
    assert violations(pipelines) == []

    menu = pipelines.locator("summary[aria-label='Actions for Nuclei " + word + "']")
    menu.focus()
    pipelines.keyboard.press("Enter")
    rename = pipelines.get_by_role("button", name="Rename…")
    expect(rename).to_be_visible()
    assert violations(pipelines) == []
    pipelines.keyboard.press("Tab")
    pipelines.keyboard.press("Escape")
    expect(rename).to_be_hidden()
    expect(menu).to_be_focused()

    pipelines.keyboard.press("Enter")
    rename.focus()
    pipelines.keyboard.press("Enter")
    dialog = pipelines.get_by_role("dialog")
    assert violations(pipelines) == []
    # Somebody else is faster; what was entered stays.
    line = client.rename_pipeline(made.id, f"Other {word}", revision=client.pipeline_summary(made.id).revision)
    dialog.get_by_label("Name").fill(f"Mine {word} <b>")
    pipelines.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("Somebody has changed")
    expect(dialog.get_by_label("Name")).to_have_value(f"Mine {word} <b>")
    assert client.pipeline_summary(made.id).name == line.name
    pipelines.keyboard.press("Escape")

    pipelines.reload()
    pipelines.locator("summary[aria-label^='Actions for Other']").click()
    pipelines.get_by_role("button", name="Rename…").click()
    dialog.get_by_label("Name").fill(f"Mine {word} <b>")
    dialog.get_by_label("Tags").fill("kinase, screen 7")
    dialog.get_by_role("button", name="Rename").click()
    expect(pipelines.get_by_role("link", name=f"Mine {word} <b>")).to_be_visible()
    expect(pipelines.get_by_text("screen 7", exact=True)).to_be_visible()

    pipelines.locator("summary[aria-label^='Actions for Mine']").click()
    pipelines.get_by_role("button", name="Deprecate…").click()
    dialog.get_by_label("Note").fill("Use the other one.")
    dialog.get_by_role("button", name="Deprecate").click()
    expect(pipelines.get_by_text("No pipeline is like that.")).to_be_visible()
    pipelines.get_by_label("deprecated too").check()
    expect(pipelines.get_by_text("Use the other one.")).to_be_visible()
    assert violations(pipelines) == []

    pipelines.get_by_role("link", name=f"Mine {word} <b>").click()
    expect(pipelines.get_by_text("This pipeline is deprecated.")).to_be_visible()
    pipelines.get_by_role("button", name="Delete…").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(pipelines).to_have_url(re.compile(r"/openhcs/pipelines/$"))
    assert client.pipelines(word, deprecated=True) == []


def test_a_file_is_brought_in_or_told_what_is_wrong(pipelines: Page, client: RemoteOrchestrator, tmp_path: Path) -> None:
    document = client.pipeline("nuclei-count")[0].model_dump(mode="json") | {"id": "u999-theirs", "name": "From elsewhere"}
    chooser = pipelines.locator("#oh-import-file")
    told = pipelines.locator("#oh-import-refusal")
    for name, text, sentence in (
        ("text.json", "no JSON", "text.json is not a pipeline: it is not JSON."),
        ("bad.json", json.dumps(document | {"steps": [{"name": "<img src=x>"}]}), "steps.0.function"),
    ):
        (tmp_path / name).write_text(text)
        chooser.set_input_files(tmp_path / name)
        expect(told).to_contain_text(sentence)
    (tmp_path / "good.json").write_text(json.dumps(document))
    chooser.set_input_files(tmp_path / "good.json")
    expect(pipelines).to_have_url(re.compile(r"/openhcs/pipelines/u\d+-theirs[\w-]*/$"))
    found = re.search(r"/pipelines/([\w-]+)/", pipelines.url)
    assert found is not None
    saved = client.pipeline(found[1])[0].model_dump(mode="json")
    assert saved | {"id": document["id"], "version": document["version"]} == document


SCRIPT = """from openhcs.core.steps.function_step import FunctionStep
from openhcs.processing.backends.processors.numpy_processor import gaussian_blur
import os
pipeline_steps = [FunctionStep(func=(gaussian_blur, {'sigma': 2.5}), name='Smooth <b>gently</b>')]
for i in range(3): os.system('true')
"""


def test_a_script_is_told_line_by_line_and_opens_in_the_editor(
    pipelines: Page, client: RemoteOrchestrator, tmp_path: Path
) -> None:
    (tmp_path / "latin.py").write_bytes(b"x = '\xe9'")
    chooser = pipelines.locator("#oh-import-file")
    chooser.set_input_files(tmp_path / "latin.py")
    expect(pipelines.locator("#oh-import-refusal")).to_contain_text("It is not text in UTF-8.")
    before = client.pipelines(owner="me")

    (tmp_path / "gentle.py").write_text(SCRIPT)
    chooser.set_input_files(tmp_path / "gentle.py")
    dialog = pipelines.get_by_role("dialog", name="Import an OpenHCS Python pipeline")
    expect(dialog).to_contain_text("1 step was read; 2 places are not in it.")
    rows = dialog.get_by_role("row")
    expect(rows.filter(has_text="import os")).to_contain_text("Not read")
    expect(rows.filter(has_text="for i in range(3)")).to_contain_text("loop")
    assert violations(pipelines) == []
    dialog.get_by_role("button", name="Open in the editor").click()
    expect(pipelines).to_have_url(re.compile(r"/openhcs/pipelines/new/\?imported$"))
    expect(pipelines.locator("#oh-name")).to_have_value("gentle")
    expect(pipelines.locator("#oh-step-list")).to_contain_text("sigma", ignore_case=True)
    expect(pipelines.locator("#oh-json")).to_contain_text("Smooth <b>gently</b>")
    expect(pipelines.locator("#oh-editor-state")).to_contain_text("Not saved yet")
    assert client.pipelines(owner="me") == before, "nothing is saved before the user saves it"
