# SPDX-License-Identifier: AGPL-3.0-or-later
"""An administrator looks at the queue, changes a limit, stops the queue, cancels somebody's run; the audit log has it all."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from signing_in import sign_in
from stack import Stack

from openhcs_client import RemoteOrchestrator

from .test_accessibility import violations

pytestmark = [pytest.mark.stack, pytest.mark.browser]

MINUTE = 60_000


@pytest.fixture
def root(page: Page, stack: Stack) -> Page:
    """The pages as OMERO's administrator sees them."""
    sign_in(page, stack.web_url, "root", stack.root_password)
    return page


@pytest.fixture
def run(root: Page, stack: Stack) -> Iterator[tuple[RemoteOrchestrator, str]]:
    """A run of Anna's, which the administrator finds in the queue; paused, so that it is still there."""
    root.goto(f"{stack.web_url}/openhcs/?owner=all")
    address = root.get_by_role("link", name="Synthetic GFP assay").first.get_attribute("href") or ""
    plate = int(re.findall(r"\d+", address)[-1])
    account = stack.users()["anna"]
    with RemoteOrchestrator.sign_in_to_web(stack.web_url, account.name, account.password) as client:
        execution_id = client.execute_remote(plate_id=plate, pipeline="nuclei-count")
        client.pause(execution_id)
        yield client, execution_id
        if not client.status(execution_id).status.is_final:
            client.cancel(execution_id)


def test_an_administrator_at_work(root: Page, stack: Stack, run: tuple[RemoteOrchestrator, str]) -> None:
    client, execution_id = run
    root.goto(f"{stack.web_url}/openhcs/")
    root.get_by_role("link", name="Administration").click()
    line = root.locator(f'[data-oh-run="{execution_id}"]')
    expect(line).to_contain_text("Anna")
    expect(line).to_contain_text("paused")
    assert violations(root) == []

    # A limit of one user, which holds at once and is shown after a reload.
    person = root.locator("#oh-admin-people tr", has_text="Anna")
    person.get_by_label("Runs at a time of").fill("5")
    person.get_by_role("button", name="Change").click()
    expect(root.get_by_role("status").filter(has_text="The limits of Anna")).to_be_attached(timeout=MINUTE)
    root.reload()
    expect(person.get_by_label("Runs at a time of")).to_have_value("5")
    person.get_by_label("Runs at a time of").fill("")
    person.get_by_role("button", name="Change").click()
    expect(root.get_by_role("status").filter(has_text="The limits of Anna")).to_be_attached(timeout=MINUTE)

    # Hours of GPUs have a limit of their own, for one user and for all.
    expect(person.get_by_label("GPU hours a day of")).to_have_value("")
    expect(root.get_by_label("GPU hours in a day")).to_have_value("")

    # The work is moved to a scheduler only when the service may talk to it; a refusal is told in a sentence.
    expect(root.locator("#oh-admin-queue")).to_contain_text("Wells are computed on the machine of the service.")
    root.get_by_role("button", name="Move to a scheduler…").click()
    dialog = root.get_by_role("dialog")
    dialog.get_by_role("button", name="Move", exact=True).click()
    expect(dialog).to_be_visible()  # without an address
    dialog.get_by_label("Address").fill("tls://127.0.0.1:1")
    assert violations(root) == []
    dialog.get_by_role("button", name="Move", exact=True).click()
    refusal = root.get_by_role("alert").filter(has_text="reached over TLS: set OPENHCS_EXECUTION_TLS_CA_FILE")
    expect(refusal).to_be_visible(timeout=MINUTE)
    with root.expect_response(f"{stack.web_url}/openhcs/admin/", timeout=MINUTE):  # the queue is brought up to date
        pass
    expect(refusal).to_be_visible()
    expect(root.locator("#oh-admin-queue")).to_contain_text("Wells are computed on the machine of the service.")

    # The queue is stopped with a note that those who wait see, and goes on.
    root.get_by_role("button", name="Stop the queue…").click()
    dialog = root.get_by_role("dialog")
    dialog.get_by_label("Note for those who wait").fill("New disks until noon")
    assert violations(root) == []
    dialog.get_by_role("button", name="Stop the queue").click()
    expect(root.locator("#oh-admin-queue")).to_contain_text("New disks until noon", timeout=MINUTE)
    root.get_by_role("button", name="Let the queue go on").click()
    expect(root.get_by_role("button", name="Stop the queue…")).to_be_visible(timeout=MINUTE)

    # Somebody else's run is cancelled after a question.
    line.get_by_role("button", name=re.compile("^Cancel")).click()
    root.get_by_role("dialog").get_by_role("button", name="Not now").click()
    assert not client.status(execution_id).status.is_final
    line.get_by_role("button", name=re.compile("^Cancel")).click()
    root.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
    expect(line).to_have_count(0, timeout=MINUTE)
    assert client.status(execution_id).status == "cancelled"

    root.get_by_role("link", name="Audit log").click()
    for text in ("Cancel", "Drain", "Undrain", "Change limits", "New disks until noon"):
        expect(root.locator(".oh-table")).to_contain_text(text)
    assert violations(root) == []
    root.get_by_label("Did").select_option("cancel")
    root.get_by_role("button", name="Show").click()
    expect(root.locator(".oh-table tbody tr").first).to_contain_text(execution_id)
    assert "Undrain" not in root.locator(".oh-table tbody").inner_text()
