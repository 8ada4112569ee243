# SPDX-License-Identifier: AGPL-3.0-or-later
"""Golden wells in a browser: a well of a run becomes one, the button checks it, and a changed version shows its differences."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

import omero.model
import pytest
from omero.gateway import BlitzGateway
from omero.rtypes import rstring
from playwright.sync_api import Page, expect
from signing_in import sign_in
from stack import Stack

from openhcs_client import PipelineDocument, RemoteOrchestrator

from .test_accessibility import violations

pytestmark = [pytest.mark.stack, pytest.mark.browser]

MINUTE = 60_000
PLATE = "Synthetic GFP assay"


@pytest.fixture
def other_group(stack: Stack) -> Iterator[str]:
    """A second group of anna's, while the test goes on: without one there is nowhere to share to."""
    root = BlitzGateway("root", stack.root_password, host="127.0.0.1", port=stack.omero_port, secure=True)
    assert root.connect(), root.getLastError()
    admin = root.getAdminService()
    group = omero.model.ExperimenterGroupI()
    group.name = rstring(f"golden-{secrets.token_hex(3)}")
    group.details.permissions = omero.model.PermissionsI("rwr---")
    proxy = omero.model.ExperimenterGroupI(admin.createGroup(group), False)
    person = admin.lookupExperimenter(stack.users()["anna"].name)
    admin.addGroups(person, [proxy])
    yield group.name.val
    admin.removeGroups(person, [proxy])
    root.close()


@pytest.fixture
def client(stack: Stack, other_group: str) -> Iterator[RemoteOrchestrator]:
    anna = stack.users()["anna"]
    with RemoteOrchestrator.sign_in_to_web(stack.web_url, anna.name, anna.password, timeout=60) as client:
        yield client


@pytest.fixture
def anna(page: Page, stack: Stack, other_group: str) -> Page:
    account = stack.users()["anna"]
    sign_in(page, stack.web_url, account.name, account.password)
    return page


def test_a_golden_well_from_the_run_to_the_difference(
    anna: Page, stack: Stack, client: RemoteOrchestrator, other_group: str
) -> None:
    address = anna.get_by_role("link", name=PLATE).first.get_attribute("href") or ""
    plate = int(re.search(r"/execute/(\d+)/", address).group(1))  # type: ignore[union-attr]
    execution_id = client.execute_remote(plate_id=plate, pipeline="nuclei-count", config={"test_well": "C05"})
    assert client.wait(execution_id, progress=False).status == "completed"

    anna.goto(f"{stack.web_url}/openhcs/results/{execution_id}/")
    anna.locator("#oh-table").get_by_role("button", name="C05").click()
    anna.get_by_role("button", name="Use as a golden well").click()
    dialog = anna.get_by_role("dialog")
    expect(dialog).to_contain_text("not your pipeline")
    assert violations(anna) == []
    tolerance = dialog.get_by_label("Tolerance of Nuclei in per cent")
    expect(tolerance).to_have_value("2")
    tolerance.fill("101")
    dialog.get_by_role("button", name="Save a copy").click()
    assert tolerance.evaluate("input => !input.checkValidity()")
    tolerance.fill("0")
    dialog.get_by_role("button", name="Save a copy").click()
    dialog.get_by_role("link").click()

    section = anna.locator("#oh-golden")
    state = section.locator("#oh-golden-state")
    expect(state).to_have_text("Not checked")
    section.get_by_role("button", name="Check golden wells").click()
    expect(state).to_have_text("Agrees", timeout=2 * MINUTE)
    expect(section.get_by_role("link", name=f"{PLATE} · C05")).to_have_attribute("href", re.compile(r"show=well-\d+"))
    assert violations(anna) == []

    found = re.search(r"/pipelines/([\w-]+)/", anna.url)
    assert found is not None, anna.url
    newest = client.pipeline(found[1])[0]
    changed = newest.model_dump(mode="json")
    changed["steps"][2]["parameters"]["subtract_background"] = False
    saved = client.save_pipeline(PipelineDocument.model_validate(changed), based_on=newest.version)

    anna.goto(f"{stack.web_url}/openhcs/pipelines/{saved.id}/")
    expect(state).to_have_text("Not checked")
    section.get_by_role("button", name="Check golden wells").click()
    expect(state).to_have_text("Differs", timeout=2 * MINUTE)
    row = section.locator('[data-oh-measurement="stain_mean"]')
    expect(row).to_contain_text("Mean stain intensity")
    expect(row.locator("td")).to_have_count(4)
    expect(section.locator('[data-oh-measurement="nuclei_count"]')).to_be_hidden()
    anna.reload()
    expect(state).to_have_text("Differs")

    # Before it is shared, its owner is told, and has to agree to it.
    anna.get_by_role("button", name="Share…").click()
    sharing = anna.get_by_role("dialog")
    expect(sharing).to_contain_text("Differs")
    expect(sharing.locator('[data-oh-measurement="stain_mean"]')).to_be_visible()
    agreed = sharing.get_by_label("Share it all the same")
    expect(agreed).not_to_be_checked()
    assert violations(anna) == []
    sharing.get_by_label("Group").select_option(sharing.locator("option", has_text=other_group).get_attribute("value"))
    sharing.get_by_role("button", name="Move it there").click()
    expect(sharing.locator("[data-oh-refusal]")).to_contain_text("some golden wells measure something else")
    agreed.check()
    sharing.get_by_role("button", name="Move it there").click()
    expect(anna.locator("[data-oh-actions-bar]")).to_contain_text(other_group)
    client.delete_pipeline(saved.id, revision=client.pipeline_summary(saved.id).revision)
