# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether a live plate map of 1,536 wells stays smooth: frame times of the results page in Chromium, 50 events a second.

The page and its scripts are the real ones, from OMERO.web. What they are told is not: the data in the page is changed on its
way to a plate of 32 x 48 wells, and the events, each of which changes the state or the values of a well, are made here and
arrive in answers to polling, which is harder than one by one. A measurement is on show, so that wells are coloured and limits
move.
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Page, Route, sync_playwright
from signing_in import sign_in

from openhcs_client import well_name

__all__ = ["Frames", "chromium", "frame_times"]

ROWS, COLUMNS = 32, 48
EVENTS_PER_SECOND = 50
SECONDS = 15.0
STEPS = ("well_staging", "well_step", "well_done")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

LISTEN = """
window.frames_ms = [];
const look = (before) => requestAnimationFrame((now) => { window.frames_ms.push(now - before); look(now); });
requestAnimationFrame(look);
"""


@dataclass(frozen=True)
class Frames:
    """Milliseconds between frames, and how many wells were drawn as done at the end."""

    milliseconds: list[float]
    done: int

    def percentile(self, percent: int) -> float:
        return statistics.quantiles(self.milliseconds, n=100, method="inclusive")[percent - 1]


def chromium() -> str | None:
    """The browser, None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def frame_times(site: str, user: str, password: str, execution_id: str) -> Frames:
    """Show the results page of an execution as if it were a running one of 1,536 wells."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
        sign_in(page, site, user, password)
        frames = _watch(page, f"{site}/openhcs/results/{execution_id}/", execution_id)
        browser.close()
        return frames


def _watch(page: Page, address: str, execution_id: str) -> Frames:
    begun: list[float] = []

    def answer_events(route: Route) -> None:
        since = int(re.search(r"since=(\d+)", route.request.url)[1])  # type: ignore[index]
        begun.extend([] if begun else [time.monotonic()])
        until = min(int(EVENTS_PER_SECOND * (time.monotonic() - begun[0])), ROWS * COLUMNS * len(STEPS))
        events = [_event(number) for number in range(since + 1, until + 1)]
        route.fulfill(json={"events": events, "next": max(since, until), "status": "running"})

    page.route(address, lambda route: _as_large_plate(route))
    page.route(re.compile(rf"/executions/{execution_id}/events/"), answer_events)
    page.goto(address)
    page.select_option("#oh-shown", "nuclei_count")
    page.wait_for_selector(".openhcs-platemap-grid [role=gridcell]", state="attached")
    while not begun:
        page.wait_for_timeout(20)
    page.evaluate(LISTEN)
    page.wait_for_timeout(1000 * SECONDS)
    milliseconds = page.evaluate("window.frames_ms")
    page.locator("#oh-shown").select_option("")
    done = page.locator("[role=gridcell]", has_text=re.compile(r"\bdone\b")).count()
    return Frames(milliseconds[1:], done)


def _as_large_plate(route: Route) -> None:
    response = route.fetch()
    found = re.search(r'(<script id="openhcs-data"[^>]*>)(.*?)(</script>)', response.text(), re.DOTALL)
    assert found is not None, "the results page has no data"
    data: dict[str, Any] = json.loads(found[2])
    execution = data["execution"]
    execution |= {"rows": ROWS, "columns": COLUMNS, "status": "running", "ended_at": None, "last_event": 0}
    execution |= {"wells_total": ROWS * COLUMNS, "wells_completed": 0, "wells_failed": 0}
    template = execution["wells"][0] | {"state": "waiting", "measurements": {}, "seconds": None, "ended_at": None}
    execution["wells"] = [
        template | {"well": well_name(row, column), "row": row, "column": column}
        for row in range(ROWS)
        for column in range(COLUMNS)
    ]
    # One well has a value from the beginning, so that there is a measurement to show.
    execution["wells"][0] |= {"state": "done", "measurements": {"nuclei_count": 1.0}}
    data["images"] = {well["well"]: [1] for well in execution["wells"]}
    body = response.text().replace(found[0], found[1] + json.dumps(data).replace("<", "\\u003C") + found[3])
    route.fulfill(response=response, body=body)


def _event(number: int) -> dict[str, Any]:
    """The events of a well follow each other at once; wells in plate order."""
    place, step = divmod(number - 1, len(STEPS))
    data: dict[str, Any] = {"state": ("staging", "running", "done")[step], "attempt": 1, "step": 1, "step_count": 2}
    if step == 2:
        # The values grow, so the limits of the colours move all the time.
        data |= {"measurements": {"nuclei_count": float(place)}, "seconds": 1.0}
    return {
        "sequence": number,
        "time": datetime.now(UTC).isoformat(),
        "kind": STEPS[step],
        "well": well_name(place // COLUMNS, place % COLUMNS),
        "data": data,
    }
