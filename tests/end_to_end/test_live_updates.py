# SPDX-License-Identifier: AGPL-3.0-or-later
"""Live updates as a browser gets them: behind the documented nginx, over a restart of the service, and without them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, WebSocket, expect
from stack import Stack, StackOptions, free_port

from openhcs_client import RemoteOrchestrator

from .conftest import first_user, omero_connection, plate_named, sign_in_first_user, web_client
from .reverse_proxy import find_nginx, running_nginx

pytestmark = [pytest.mark.stack, pytest.mark.browser]

MINUTE = 60_000
PLATE = "Synthetic GFP assay"
LISTEN = """window.seen = [];
document.addEventListener('openhcs:events', (event) => window.seen.push(...event.detail));"""


@pytest.fixture(scope="module")
def web(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A second OMERO.web on the same OMERO and service, configured for a reverse proxy."""
    settings = {
        "omero.web.openhcs.live_url": "/openhcs-live/",
        "omero.web.openhcs.service_secret_file": str(stack.secret_file),
    }
    second = Stack(StackOptions(folder=tmp_path_factory.mktemp("web"), web_workers=2, web_config=settings))
    second.omero_port, second.service_port, second.web_port = stack.omero_port, stack.service_port, free_port()
    second.start_web()
    assert second.web is not None
    try:
        second.web.wait_for_http(f"{second.web_url}/webclient/login/")
        yield second
    finally:
        second.stop()


@pytest.fixture(scope="module")
def site(stack: Stack, web: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of nginx with the documented locations."""
    if find_nginx() is None:
        pytest.skip("nginx is not installed and could not be (on Debian: apt-get install nginx-light)")
    with running_nginx(tmp_path_factory.mktemp("nginx"), web.web_port, stack.service_port) as address:
        yield address


@pytest.fixture
def client(stack: Stack) -> Iterator[RemoteOrchestrator]:
    with web_client(stack, first_user(stack)) as client:
        yield client


@pytest.fixture
def run(stack: Stack, client: RemoteOrchestrator) -> Iterator[str]:
    """A paused run of a plate, so that a page is there before anything happens."""
    with omero_connection(stack, first_user(stack)) as connection:
        plate = plate_named(connection, PLATE)
    execution_id = client.execute_remote(plate_id=plate, pipeline="nuclei-count")
    client.pause(execution_id)
    yield execution_id
    if not client.status(execution_id).status.is_final:
        client.cancel(execution_id)


@pytest.fixture
def page(browser: Browser, browser_context_args: dict) -> Iterator[Page]:
    context = browser.new_context(**browser_context_args)
    context.add_init_script(LISTEN)
    yield context.new_page()
    context.close()


def open_results(page: Page, site: str, execution_id: str) -> WebSocket:
    """Open the results page and wait for its live connection."""
    with page.expect_websocket() as opened:
        page.goto(f"{site}/openhcs/results/{execution_id}/")
    if not opened.value.is_closed():
        opened.value.wait_for_event("framereceived")
    return opened.value


def assert_told_once(page: Page, client: RemoteOrchestrator, execution_id: str) -> None:
    """The page heard of every event after the one it was rendered with, once and in order."""
    last = client.status(execution_id).last_event
    page.wait_for_function("last => window.seen.at(-1) === last", arg=last)
    seen = page.evaluate("window.seen")
    assert seen == list(range(seen[0], last + 1))
    rendered = page.evaluate("JSON.parse(document.getElementById('openhcs-data').textContent).execution.last_event")
    assert seen[0] == rendered + 1


@pytest.mark.timeout(600)
def test_events_come_through_the_documented_nginx(
    page: Page, stack: Stack, site: str, client: RemoteOrchestrator, run: str
) -> None:
    sign_in_first_user(page, stack, site)
    socket = open_results(page, site, run)
    assert re.fullmatch(rf"ws://{site.removeprefix('http://')}/openhcs-live/executions/{run}/\?since=\d+", socket.url)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/events/" in request.url else None)
    client.resume(run)
    expect(page.locator("#oh-counts")).to_contain_text(re.compile(r"^[1-9]\d* of"), timeout=3 * MINUTE)
    page.locator("#oh-map [data-well][aria-label*='step ']").first.wait_for(state="attached", timeout=MINUTE)
    page.locator("#oh-map [data-well][aria-label*='done']").first.click()
    page.get_by_text("Log", exact=True).click()
    expect(page.locator("#oh-well-log-body")).to_contain_text("Step 1 of", timeout=MINUTE)
    client.cancel(run)
    expect(page.locator("#oh-state")).to_contain_text("Cancelled", timeout=MINUTE)
    assert_told_once(page, client, run)
    assert asked == [], "everything came over the live connection"


COLOURED = """(title) => {
  window.coloured = {};
  window.lookedSince = Date.now();
  const look = ({ target }) => {
    const well = target.dataset?.well;
    const value = well && (target.getAttribute('aria-label') ?? '').match(new RegExp(`${title}: [0-9]`));
    if (value && !window.coloured[well]) window.coloured[well] = Date.now();
  };
  new MutationObserver((changes) => changes.forEach(look)).observe(
    document.querySelector('#oh-map'), { subtree: true, attributes: true, attributeFilter: ['aria-label'] });
}"""


@pytest.mark.timeout(600)
def test_the_heat_map_takes_a_finished_well_in_at_once(
    page: Page, stack: Stack, site: str, client: RemoteOrchestrator, run: str
) -> None:
    sign_in_first_user(page, stack, site)
    open_results(page, site, run)
    client.resume(run)
    expect(page.locator("#oh-counts")).to_contain_text(re.compile(r"^[1-9]\d* of"), timeout=3 * MINUTE)
    page.locator("#oh-shown").select_option(label="Nuclei")
    page.evaluate(COLOURED, "Nuclei")
    page.wait_for_function("Object.keys(window.coloured).length > 8", timeout=2 * MINUTE)
    coloured, since = page.evaluate("[window.coloured, window.lookedSince]")
    client.cancel(run)
    computed = {event.well: event.time for event in client.events(run, limit=2000).events if event.data.get("measurements")}
    delays = {well: at / 1000 - computed[well].timestamp() for well, at in coloured.items()}
    # Wells that were done before get another colour when the limits move.
    seconds = sorted(delay for well, delay in delays.items() if computed[well].timestamp() > since / 1000)
    print(f"from a well's values to its colour: median {seconds[len(seconds) // 2]:.2f} s, longest {seconds[-1]:.2f} s")
    assert seconds[len(seconds) // 2] < 1


@pytest.mark.timeout(600)
def test_nothing_is_missed_or_repeated_when_the_service_is_killed(
    page: Page, stack: Stack, site: str, client: RemoteOrchestrator, run: str
) -> None:
    sign_in_first_user(page, stack, site)
    open_results(page, site, run)
    client.resume(run)
    page.wait_for_function("window.seen.length > 3", timeout=2 * MINUTE)
    assert stack.service is not None
    stack.service.kill()
    stack.start_service()
    stack.service.wait()
    with page.expect_websocket(timeout=2 * MINUTE) as again:
        pass
    again.value.wait_for_event("framereceived")
    length = page.evaluate("window.seen.length")
    page.wait_for_function("length => window.seen.length > length", arg=length, timeout=2 * MINUTE)
    client.cancel(run)
    expect(page.locator("#oh-state")).to_contain_text("Cancelled", timeout=MINUTE)
    assert_told_once(page, client, run)


@pytest.mark.timeout(600)
def test_a_proxy_that_knows_no_websockets_leaves_the_page_polling(
    page: Page, stack: Stack, web: Stack, client: RemoteOrchestrator, run: str
) -> None:
    """Here nothing serves ``/openhcs-live/``: OMERO.web answers the upgrade with a page."""
    sign_in_first_user(page, stack, web.web_url)
    page.goto(f"{web.web_url}/openhcs/results/{run}/")
    client.resume(run)
    expect(page.locator("#oh-counts")).to_contain_text(re.compile(r"^[1-9]\d* of"), timeout=3 * MINUTE)
    client.cancel(run)
    expect(page.locator("#oh-state")).to_contain_text("Cancelled", timeout=MINUTE)
    assert_told_once(page, client, run)


@pytest.mark.timeout(600)
def test_pages_of_the_demo_connect_without_a_proxy(page: Page, stack: Stack, run: str) -> None:
    sign_in_first_user(page, stack, stack.web_url)
    socket = open_results(page, stack.web_url, run)
    assert socket.url.startswith(f"ws://127.0.0.1:{stack.service_port}/api/v1/live/")
