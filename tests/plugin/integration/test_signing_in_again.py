# SPDX-License-Identifier: AGPL-3.0-or-later
"""A run whose OMERO session is lost waits for its owner, and goes on when she looks at a page; nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import omero
import pytest
from omero.rtypes import rstring
from playwright.sync_api import BrowserContext, Page

from openhcs_client import ExecutionStatusName

from .conftest import WebUser, World, error_of, wait_until_final

pytestmark = [pytest.mark.stack, pytest.mark.browser]

WELLS = 8


@pytest.fixture
def owner(world: World, lab: int) -> WebUser:
    return world.person(lab)


@pytest.fixture
def waiting(world: World, owner: WebUser, lab: int, make_plate: Callable[..., int]) -> Iterator[str]:
    """A run of the owner that lost its session after its first wells; nobody looks at a page of it."""
    plate = make_plate(owner, lab, wells=WELLS)
    before = sessions_of(world, owner)
    body = {"plate_id": plate, "pipeline_id": "nuclei-count", "parameters": {"diameter": 11}}
    execution_id = owner.post(owner.api("executions/"), body).json()["execution_id"]
    opened = sessions_of(world, owner) - before
    assert len(opened) == 1, "a run has one session of its own"
    wait_for_event(owner, execution_id, "well_done")
    close_as_administrator(world, opened.pop())
    wait_for_event(owner, execution_id, "waiting_for_sign_in")
    yield execution_id
    owner.post(owner.api(f"executions/{execution_id}/cancel/"))


def sessions_of(world: World, person: WebUser) -> set[str]:
    """The keys of the person's open sessions, but for the one that asks."""
    connection = world.omero(person)
    try:
        own = connection.getEventContext().sessionUuid
        found = connection.c.sf.getSessionService().getMyOpenSessions()
        return {session.uuid.val for session in found} - {own}
    finally:
        connection.close()


def close_as_administrator(world: World, key: str) -> None:
    session = omero.model.SessionI()
    session.setUuid(rstring(key))
    service = world.root.c.sf.getSessionService()
    for _ in range(20):  # everybody who joined a session counts; it is gone when nobody is left
        if service.closeSession(session) < 0:
            return


def wait_for_event(person: WebUser, execution_id: str, kind: str, seconds: float = 90) -> None:
    deadline, since = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        page = person.get(person.api(f"executions/{execution_id}/events/?since={since}")).json()
        since = page["next"]
        if any(event["kind"] == kind for event in page["events"]):
            return
        assert not ExecutionStatusName(page["status"]).is_final, f"{page['status']} without {kind}"
        time.sleep(0.1)
    raise AssertionError(f"no event {kind} within {seconds} s")


def open_page(context: BrowserContext, page: Page, person: WebUser, path: str) -> None:
    """Open ``path`` in Chromium with the person's sign-in."""
    context.add_cookies(
        [{"name": cookie.name, "value": cookie.value or "", "url": person.base} for cookie in person.client.cookies.jar]
    )
    assert page.goto(person.base + path).ok  # type: ignore[union-attr]


def assert_it_completes(person: WebUser, execution_id: str) -> None:
    status = wait_until_final(person, execution_id)
    assert (status.status, status.wells_completed, status.wells_failed) == ("completed", WELLS, 0), status
    detail = person.get(person.api(f"executions/{execution_id}/")).json()
    assert {well["measurements"]["nuclei_count"] for well in detail["wells"]} == {3}
    assert detail["results"]["plate_id"], "the results are saved with the new session"


@pytest.mark.parametrize("path", ["/openhcs/", "/openhcs/results/{}/"])
def test_the_next_visit_of_its_owner_lets_a_run_go_on(
    context: BrowserContext, page: Page, owner: WebUser, waiting: str, path: str
) -> None:
    status = owner.get(f"/openhcs/status/{waiting}/").json()
    assert status["status"] == "waiting_for_sign_in"
    assert "Sign in" in status["message"]
    open_page(context, page, owner, path.format(waiting))
    assert_it_completes(owner, waiting)


def test_a_colleague_who_looks_at_it_does_not_lend_a_session(
    context: BrowserContext, page: Page, owner: WebUser, colleague: WebUser, waiting: str
) -> None:
    refusal = colleague.post(colleague.api(f"executions/{waiting}/session/"))
    assert (refusal.status_code, error_of(refusal)["code"]) == (403, "not_owner")
    open_page(context, page, colleague, f"/openhcs/results/{waiting}/")
    page.get_by_text("The run goes on when").wait_for()
    assert owner.get(f"/openhcs/status/{waiting}/").json()["status"] == "waiting_for_sign_in"
