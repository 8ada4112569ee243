# SPDX-License-Identifier: AGPL-3.0-or-later
"""Take the screenshots of the documentation from a demo of its own: ``.venv/bin/python scripts/screenshots.py``.

Everything in the pictures is real: the synthetic plate is run through the pages while they are photographed.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from signing_in import sign_in
from stack import Stack, StackOptions

from omero_sandbox.demo.install import CARDIOMYOCYTE_PLATE, SYNTHETIC_PLATE

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
SIZE = {"width": 1400, "height": 900}
LONG = 180_000  # milliseconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=IMAGES)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    arguments = ["--no-sandbox", "--enable-unsafe-swiftshader", "--disable-background-networking", "--disable-component-update"]
    with (
        tempfile.TemporaryDirectory(prefix="screenshots-") as folder,
        Stack(StackOptions(folder=Path(folder), report=print)) as stack,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        page = browser.new_context(viewport=SIZE).new_page()
        photograph(page, stack, options.output)
        browser.close()
    return 0


def photograph(page: Page, stack: Stack, output: Path) -> None:
    def take(name: str, *, height: int = SIZE["height"]) -> None:
        # OMERO.web's pages scroll within themselves, so a long page needs a high window.
        page.set_viewport_size({**SIZE, "height": height})
        page.wait_for_load_state("networkidle")
        page.screenshot(path=output / f"{name}.png")
        page.set_viewport_size(SIZE)
        print(f"-- {name}.png")

    user = next(iter(stack.users().values()))
    sign_in(page, stack.web_url, user.name, user.password)
    take("start")
    synthetic = plate_link(page, SYNTHETIC_PLATE)

    page.goto(f"{stack.web_url}/openhcs/pipelines/")
    take("pipelines")
    page.goto(f"{stack.web_url}/openhcs/pipelines/nuclei-count/")
    take("pipeline")
    plate = re.search(r"/execute/(\d+)/", synthetic).group(1)  # type: ignore[union-attr]
    page.goto(f"{stack.web_url}/openhcs/pipelines/new/?from=nuclei-count&plate={plate}")
    page.wait_for_selector("html[data-oh-editor=ready] [data-parameter=diameter]")
    page.get_by_role("button", name="Values of step 1").click()
    page.get_by_label("On run page: Smallest").check()
    page.wait_for_function("() => /no mistakes/.test(document.querySelector('#oh-editor-state').textContent)")
    page.evaluate("document.querySelector('.oh-page').scrollTop = 0")
    take("editor", height=1250)

    page.goto(synthetic)
    page.select_option("#oh-pipeline", "colocalisation")
    page.wait_for_selector("#oh-test:enabled")
    page.select_option("#oh-test-well", "C04")
    page.click("#oh-test")
    page.wait_for_selector("#oh-test-result canvas:visible", timeout=LONG)
    take("execute", height=1500)

    page.click("#oh-run")
    page.wait_for_url("**/openhcs/results/**", timeout=LONG)
    done = "() => +document.querySelector('#oh-counts').textContent.match(/^\\d+/)[0]"
    page.wait_for_function(f"() => ({done})() >= 30", timeout=LONG)
    page.screenshot(path=output / "results-running.png")
    page.wait_for_function("() => /^Completed/.test(document.querySelector('#oh-state').textContent.trim())", timeout=2 * LONG)
    page.select_option("#oh-shown", index=1)
    page.locator('#oh-map [data-well="C04"]').click()
    page.wait_for_selector("#oh-well canvas, #oh-well img", timeout=LONG)
    take("results", height=1900)
    photograph_tables(page, take)
    photograph_report(page, output)
    viewer = page.locator("#oh-well a[href*='/openhcs/viewer/']").first.get_attribute("href")
    page.goto(f"{stack.web_url}/openhcs/executions/")
    take("executions")

    page.goto(viewer if viewer and viewer.startswith("http") else f"http://127.0.0.1:{stack.web_port}{viewer}")
    page.wait_for_selector(".oh-viewer-objects [data-object]", timeout=LONG)
    page.locator(".oh-viewer-objects [data-object] td").nth(30).click()
    panel = page.locator("[data-panel=original]").bounding_box()
    if panel is not None:
        page.mouse.move(panel["x"] + panel["width"] / 2, panel["y"] + panel["height"] / 2)
    page.wait_for_timeout(4000)  # drawing in software has no event to wait for
    take("viewer")

    page.goto(f"{stack.web_url}/webclient/?show=plate-{plate}")
    page.locator("#annotation_tabs a", has_text="OpenHCS").click()
    page.wait_for_selector("#openhcs_tab a", timeout=LONG)
    page.wait_for_timeout(3000)  # the thumbnails of OMERO.web's plate grid come in on their own
    take("panel")

    page.goto(f"{stack.web_url}/openhcs/")
    page.goto(plate_link(page, CARDIOMYOCYTE_PLATE))
    page.wait_for_selector("#oh-test:enabled")
    page.fill("#oh-values input[type=number] >> nth=0", "38")
    page.click("#oh-test")
    page.wait_for_selector("#oh-test-result canvas:visible", timeout=LONG)
    take("cardiomyocytes", height=1500)


def photograph_report(page: Page, output: Path) -> None:
    """The beginning of the report and its example fields; ends on the results page it began on."""
    results = page.url
    page.goto(results + "report/")
    page.set_viewport_size({**SIZE, "height": 1500})
    page.screenshot(path=output / "report.png")
    page.locator("section:has(#fields)").screenshot(path=output / "report-fields.png")
    page.set_viewport_size(SIZE)
    page.goto(results)
    page.locator('#oh-map [data-well="C04"]').click()
    page.wait_for_selector("#oh-well a[href*='/openhcs/viewer/']", timeout=LONG)


def photograph_tables(page: Page, take: Callable[..., None]) -> None:
    """Pictures on the plate, plots with a rectangle, and two runs beside each other; ends on the results page it began on."""
    results = page.url
    page.select_option("#oh-shown", "picture:labels")
    page.wait_for_selector("#oh-map .openhcs-platemap-picture")
    page.select_option("#oh-level", "object")
    page.click("#oh-charts summary")
    page.wait_for_selector("#oh-scatter canvas")
    page.set_viewport_size({**SIZE, "height": 2100})
    box = page.locator("#oh-scatter .u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 4, box["y"] + box["height"] * 0.6, steps=5)
    page.mouse.up()
    page.wait_for_selector("#oh-table-chosen:visible")
    take("tables", height=2100)
    page.get_by_role("link", name="Compare with…").click()
    page.locator("main table a").first.click()
    page.wait_for_selector("#oh-changed table, #oh-changed .oh-empty")
    take("compare", height=1700)
    page.goto(results)
    page.locator('#oh-map [data-well="C04"]').click()
    page.wait_for_selector("#oh-well canvas, #oh-well img", timeout=LONG)


def plate_link(page: Page, name: str) -> str:
    link = page.get_by_role("link", name=f"Run a pipeline on {name}", exact=True).first
    return page.evaluate("element => element.href", link.element_handle())


if __name__ == "__main__":
    sys.exit(main())
