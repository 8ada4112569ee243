# SPDX-License-Identifier: AGPL-3.0-or-later
"""The report of a real run: who gets it, what of it needs OMERO, and that the saved file asks nobody for anything."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page

from .conftest import WebUser, World, error_of, wait_until_final

pytestmark = pytest.mark.stack

AXE = Path(__file__).resolve().parents[3] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
CSV = "well,role,compound\nA1,pos,Agonist\nA2,neg,DMSO\n"
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def report_plate(ada: WebUser, lab: int, make_plate: Callable[..., int]) -> int:
    plate = make_plate(ada, lab, name=f"Plate {EVIL}")
    assert ada.post(ada.api(f"plates/{plate}/controls/"), {"csv": CSV}).status_code == 200
    return plate


@pytest.fixture(scope="module")
def run(ada: WebUser, report_plate: int) -> str:
    """A finished run on a plate whose name is markup."""
    body = {"plate_id": report_plate, "pipeline_id": "nuclei-count", "parameters": {"diameter": 11}}
    submitted = ada.post(ada.api("executions/"), body)
    assert submitted.status_code == 201, submitted.text
    execution_id = submitted.json()["execution_id"]
    assert wait_until_final(ada, execution_id).status == "completed"
    return execution_id


def page_of(execution_id: str) -> str:
    return f"/openhcs/results/{execution_id}/report/"


def test_whoever_may_see_the_run_gets_its_report(ada: WebUser, colleague: WebUser, stranger: WebUser, run: str) -> None:
    shown = colleague.get(page_of(run))
    assert shown.status_code == 200, shown.text[:500]
    assert shown.headers["content-disposition"].startswith("inline; ")
    assert shown.headers["content-security-policy"].startswith("default-src 'none'; img-src data:")
    assert "Count nuclei on Plate &lt;img src=x onerror=alert(1)&gt;" in shown.text
    assert shown.text.count('src="data:image/jpeg;base64,') == 4, "two controls, each as it is and with outlines"
    assert "2 of 2 done" in shown.text
    assert "Result plate" in shown.text
    assert "Marked by" in shown.text

    saved = ada.get(f"{page_of(run)}?download=1").headers["content-disposition"]
    assert re.fullmatch(r'attachment; filename="openhcs-report-[A-Za-z0-9-]+\.html"', saved)
    by_program = ada.get(ada.api(f"executions/{run}/report/"))
    assert (by_program.status_code, by_program.headers["content-disposition"]) == (200, saved)

    refused = stranger.get(page_of(run))
    assert refused.status_code == 404
    assert "Count nuclei on" not in refused.text
    assert error_of(stranger.get(stranger.api(f"executions/{run}/report/")))["code"] == "execution_not_found"
    assert f'href="{page_of(run)}"' in ada.get(f"/openhcs/results/{run}/").text


def test_who_is_not_signed_in_gets_none(world: World, run: str) -> None:
    answer = httpx.get(world.stack.web_url + page_of(run), timeout=60)
    assert answer.status_code == 302
    assert "login" in answer.headers["location"]
    assert httpx.get(f"{world.stack.web_url}/openhcs/api/v1/executions/{run}/report/", timeout=60).status_code == 403


@pytest.mark.browser
def test_the_saved_file_shows_everything_without_a_network(
    context: BrowserContext, page: Page, ada: WebUser, run: str, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_bytes(ada.get(f"{page_of(run)}?download=1").content)
    requests: list[str] = []
    complaints: list[str] = []
    context.set_offline(True)
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(file.as_uri())
    assert [address for address in requests if not address.startswith("data:")] == [file.as_uri()]
    assert complaints == [], "its own policy must allow its style sheet and pictures"
    assert page.evaluate("[...document.images].map(image => image.naturalWidth > 0)") == [True] * 4
    assert page.evaluate("getComputedStyle(document.querySelector('figure')).breakInside") == "avoid"
    # The outlined picture is the same field with bright yellow lines in it.
    count = """index => {
      const image = document.images[index], canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
      const context = canvas.getContext('2d');
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      let found = 0;
      for (let i = 0; i < data.length; i += 4) found += data[i] > 150 && data[i + 1] > 120 && data[i + 2] < 110;
      return found;
    }"""
    assert page.evaluate(count, 0) == 0
    assert page.evaluate(count, 1) > 20

    page.evaluate(AXE.read_text(encoding="utf-8"))  # not as a script of the page: its policy would refuse that
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert found["passes"], "axe-core examined nothing"
    assert [violation["id"] for violation in found["violations"]] == []
    pages = re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))
    assert 3 <= len(pages) <= 8


def test_a_plate_that_is_gone_is_told(world: World, ada: WebUser, lab: int, make_plate: Callable[..., int]) -> None:
    plate = make_plate(ada, lab)
    body = {"plate_id": plate, "pipeline_id": "nuclei-count", "test_well": "A01", "parameters": {"diameter": 11}}
    execution_id = ada.post(ada.api("executions/"), body).json()["execution_id"]
    assert wait_until_final(ada, execution_id).status == "completed"
    connection = world.omero(ada, lab)
    try:
        connection.deleteObjects("Plate", [plate], deleteAnns=True, deleteChildren=True, wait=True)
    finally:
        connection.close()
    text = ada.get(page_of(execution_id)).text
    assert "Test of one well" in text
    assert f"Plate {plate} does not exist, or you may not read it." in text
    assert "The plate cannot be read any more" in text
    assert "<img" not in text
