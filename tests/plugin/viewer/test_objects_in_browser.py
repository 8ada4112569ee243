# SPDX-License-Identifier: AGPL-3.0-or-later
"""Objects in the viewer: what is measured of them, choosing them in image and table, links, pictures, other software.

One well is really run; its objects are put into the middle of the panels by the address, so that a test knows where they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import BrowserType, Page, Route, expect
from stack import Stack

from omero_sandbox.demo.install import SYNTHETIC_PLATE
from openhcs_client import RemoteOrchestrator
from tests.plugin.omero_images import Planted, omero_of, plant_image, sign_in

from .test_in_browser import PATIENCE, lit, panel_pixels, same, steady, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.browser]

WELL = "B03"
SECONDS = 1000.0 * PATIENCE
CHOSEN = ".oh-viewer-objects [aria-selected=true]"


@dataclass(frozen=True)
class Run:
    """A test of one well, and where and what its nuclei are in the first field."""

    execution_id: str
    image_id: int
    objects: dict[int, dict]

    def largest(self, count: int) -> list[int]:
        """Numbers of the largest objects that lie inside the field."""
        inside = [number for number, row in self.objects.items() if not row["touches_border"]]
        return sorted(inside, key=lambda number: -self.objects[number]["area"])[:count]

    def at(self, number: int, zoom: float = 2) -> str:
        """The part of the address that puts an object into the middle of every panel."""
        row = self.objects[number]
        return f"at={row['centroid_x'] + 0.5:.2f},{row['centroid_y'] + 0.5:.2f},{zoom}"


@pytest.fixture(scope="session")
def run(stack: Stack) -> Run:
    account = stack.users()["anna"]
    with omero_of(stack, "anna") as conn:
        plate = next(iter(conn.getObjects("Plate", attributes={"name": SYNTHETIC_PLATE})))
        plate_id = plate.getId()
        image_id = next(well for well in plate.listChildren() if (well.row, well.column) == (1, 2)).getImage(0).getId()
    with RemoteOrchestrator.sign_in_to_web(stack.web_url, account.name, account.password) as client:
        execution_id = client.execute_remote(plate_id=plate_id, pipeline="nuclei-count", config={"test_well": WELL})
        assert client.wait(execution_id, progress=False).status == "completed"
    with sign_in(stack, "anna") as browser:
        page = browser.get(f"/openhcs/api/v1/executions/{execution_id}/measurements/?level=object&well={WELL}").json()
    rows = [dict(zip(page["columns"], row, strict=True)) for row in page["rows"]]
    return Run(execution_id, image_id, {row["label"]: row for row in rows if row["field"] == 1 and row["object"] == "nuclei"})


def open_at(page: Page, stack: Stack, run: Run, view: str) -> None:
    page.goto(f"{stack.web_url}/openhcs/viewer/{run.image_id}/?execution={run.execution_id}#{view}")
    expect(page.locator(".oh-viewer-objects h2")).to_contain_text(f"{len(run.objects)} objects", timeout=SECONDS)
    wait_until(page, lambda: lit(panel_pixels(page, "original")) > 0.02, "the image is lit")
    steady(page, "outlines")


def middle(page: Page, kind: str) -> tuple[float, float]:
    box = page.locator(f"[data-panel={kind}]").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def real(troubles: list[str]) -> list[str]:
    """Without the answer that nothing was saved in OMERO for an image, which readers of Zarr have to ask for."""
    return [trouble for trouble in troubles if not (trouble.startswith("404") and trouble.endswith("/labels/.zattrs"))]


def white(pixels: np.ndarray) -> int:
    return int((pixels.min(axis=-1) > 245).sum())


def test_hover_click_row_event_link_and_picture(anna: Page, stack: Stack, run: Run, troubles: list[str]) -> None:
    first, second, third = run.largest(3)
    open_at(anna, stack, run, run.at(first))
    without = white(steady(anna, "outlines"))

    # The object under the pointer, with what was measured of it.
    anna.mouse.move(*middle(anna, "original"))
    card = anna.locator(".oh-viewer-card")
    expect(card).to_contain_text(f"Object {first}")
    area = run.objects[first]["area"]
    expect(card.locator("dt", has_text=re.compile("^Area$")).locator("+ dd")).to_have_text(f"{area:g}")

    # A click chooses it: its row is marked and in sight, and it is outlined in white.
    anna.mouse.click(*middle(anna, "labels"))
    expect(anna.locator(CHOSEN)).to_have_attribute("data-object", str(first))
    expect(anna.locator(CHOSEN)).to_be_in_viewport()
    anna.mouse.move(5, 5)
    wait_until(anna, lambda: white(panel_pixels(anna, "outlines")) > without + 20, "the chosen object is outlined in white")

    # A row chooses as well, and brings its object to the middle of all panels.
    anna.locator(".oh-viewer-rows").evaluate("element => element.scrollTop = 0")
    anna.get_by_role("button", name="Area", exact=True).click()
    anna.get_by_role("button", name="Area", exact=True).click()
    anna.locator(f".oh-viewer-objects [data-object='{second}'] td").first.click()
    expect(anna.locator(CHOSEN)).to_have_attribute("data-object", str(second))
    for kind in ("original", "labels", "outlines"):
        anna.mouse.move(*middle(anna, kind))
        expect(card).to_contain_text(f"Object {second}")

    # Another part of the page chooses by the event; what is about another image is not ours.
    announce = "detail => document.dispatchEvent(new CustomEvent('openhcs:object-selected', { detail }))"
    anna.evaluate(announce, {"image_id": run.image_id + 1, "label_name": "nuclei", "object_id": first})
    anna.evaluate(announce, {"image_id": run.image_id, "label_name": "nuclei", "object_id": third})
    expect(anna.locator(CHOSEN)).to_have_attribute("data-object", str(third))
    # And hears of it.
    anna.evaluate("document.addEventListener('openhcs:object-selected', event => { window.heard = event.detail; })")
    anna.locator(".oh-viewer-rows").press("ArrowDown")
    anna.wait_for_function("() => window.heard")
    heard = anna.evaluate("({ ...window.heard, source: null })")
    chosen = int(anna.locator(CHOSEN).get_attribute("data-object") or 0)
    assert heard == {"image_id": run.image_id, "label_name": "nuclei", "object_id": chosen, "source": None}

    # The address is a link to exactly this view.
    anna.get_by_label("full colour at").first.fill("300")
    anna.wait_for_url(re.compile(f"object={chosen}"))
    anna.mouse.move(5, 5)
    seen = steady(anna, "labels")
    anna.wait_for_timeout(500)  # the address follows with a delay of 400 ms
    address = anna.url
    anna.goto("about:blank")
    anna.goto(address)
    expect(anna.locator(CHOSEN)).to_have_attribute("data-object", str(chosen), timeout=SECONDS)
    wait_until(anna, lambda: same(seen, steady(anna, "labels")), "the link brings back the view")

    # The picture is what is on the screen.
    with anna.expect_download() as download:
        anna.get_by_role("button", name="Picture").click()
    assert download.value.suggested_filename == f"{SYNTHETIC_PLATE.replace(' ', '_')}_{WELL}_field_1.png"
    with Image.open(download.value.path()) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    third_of_it = pixels[30:-45, pixels.shape[1] // 3 + 3 : 2 * pixels.shape[1] // 3 - 3]
    assert same(third_of_it, seen)
    assert real(troubles) == []


def test_an_address_for_other_software_opens_the_image(anna: Page, stack: Stack, run: Run) -> None:
    open_at(anna, stack, run, run.at(run.largest(1)[0]))
    expect(anna.get_by_role("link", name="OMERO.iviewer")).to_have_count(0)
    anna.get_by_role("button", name="Address for napari").click()
    url = anna.get_by_label("OME-Zarr 0.4").input_value()
    assert anna.get_by_label("napari", exact=True).input_value() == f"napari --plugin napari-ome-zarr {url}"
    answer = httpx.get(f"{url}/.zattrs")
    assert answer.json()["omero"]["id"] == run.image_id
    expect(anna.get_by_role("link", name="Open in Vizarr")).to_have_count(0)


def test_the_results_page_has_the_viewer_of_the_chosen_well(anna: Page, stack: Stack, run: Run, troubles: list[str]) -> None:
    anna.goto(f"{stack.web_url}/openhcs/results/{run.execution_id}/")
    expect(anna.locator("#oh-viewer-section")).to_be_hidden()
    anna.locator(f'#oh-map [data-well="{WELL}"]').click()
    anna.locator("#oh-viewer-section summary").click()
    expect(anna.locator("#oh-viewer .oh-viewer-objects h2")).to_contain_text(f"{len(run.objects)} objects", timeout=SECONDS)
    anna.locator("#oh-viewer [data-panel=outlines]").scroll_into_view_if_needed()
    wait_until(anna, lambda: lit(panel_pixels(anna, "outlines")) > 0.02, "the image is lit")
    # The page's own address stays what it is.
    assert "#" not in anna.url
    anna.get_by_label("Field in the viewer").select_option("2")
    expect(anna.locator("#oh-viewer .oh-viewer-objects h2")).not_to_contain_text(f"{len(run.objects)} objects", timeout=SECONDS)
    assert real(troubles) == []


def test_twenty_thousand_objects(anna: Page, stack: Stack) -> None:
    side = 142
    numbers = np.arange(1, side * side + 1, dtype="<i4")
    labels = np.zeros((384, 384), "<i4")
    labels[: 2 * side, : 2 * side] = np.kron(numbers.reshape(side, side), np.ones((2, 2), "<i4"))
    columns = ["well", "field", "object", "label", "centroid_y", "centroid_x", "area"]
    rows = [["A01", 1, "nuclei", int(n), 2.0 * ((n - 1) // side), 2.0 * ((n - 1) % side), 4] for n in numbers]

    def serve(route: Route) -> None:
        if "/measurements/" in route.request.url:
            cursor = re.search(r"cursor=(\d+)", route.request.url)
            start = int(cursor[1]) if cursor else 0
            more = start + 10_000 if start + 10_000 < len(rows) else None
            page = {"level": "object", "columns": columns, "rows": rows[start : start + 10_000], "total_rows": len(rows)}
            route.fulfill(body=json.dumps({**page, "next_cursor": more and str(more)}), content_type="application/json")
        elif route.request.url.endswith("/labels/"):
            found = [{"field": 1, "name": "nuclei", "objects": len(rows), "omero_image_id": None}]
            route.fulfill(body=json.dumps(found), content_type="application/json")
        else:
            route.fulfill(body=labels.tobytes(), headers={"X-Shape": "384,384"})

    anna.route("**/api/v1/executions/crowded/**", serve)
    anna.goto(f"{stack.web_url}/openhcs/viewer/1/?execution=crowded")
    expect(anna.locator(".oh-viewer-objects h2")).to_contain_text("20,164 objects", timeout=SECONDS)
    anna.locator(".oh-viewer-rows").evaluate("element => element.scrollTop = element.scrollHeight")
    expect(anna.locator(".oh-viewer-objects [data-object='20164']")).to_be_visible()
    assert anna.locator(".oh-viewer-objects [data-object]").count() < 60
    anna.locator(".oh-viewer-objects [data-object='20164'] td").first.click()
    anna.mouse.move(*middle(anna, "original"))
    expect(anna.locator(".oh-viewer-card")).to_contain_text("Object 2")


# ----------------------------------------------------------------- images of every kind

RAMP = np.tile(np.linspace(0, 1, 300), (200, 1))
ODD_IMAGES = {
    "8 bit RGB": np.stack([RAMP, RAMP**2, RAMP * 0.5])[None, :, None] * 255,
    "int32": (RAMP[None, None, None] * 2e9 - 1e9).astype("<i4"),
    "float": (RAMP[None, None, None] * 1e-3).astype("<f4"),
    "double with NaN": np.where(RAMP < 0.1, np.nan, RAMP * 4)[None, None, None],
    "3-D and time": np.stack([np.stack([RAMP * 1000 * (t + 1) * (z + 1) for z in range(3)])[None] for t in range(2)]),
    "constant": np.full((1, 1, 1, 200, 300), 7),
}
ODD_TYPES = {"8 bit RGB": "u1", "3-D and time": "<u2", "constant": "<u2"}


@pytest.fixture(scope="session")
def odd_images(stack: Stack) -> dict[str, int]:
    with omero_of(stack, "anna") as conn:
        return {
            name: plant_image(conn, name, pixels.astype(ODD_TYPES[name]) if name in ODD_TYPES else pixels)
            for name, pixels in ODD_IMAGES.items()
        }


def test_images_of_every_kind_are_shown(anna: Page, stack: Stack, odd_images: dict[str, int], troubles: list[str]) -> None:
    for name, image_id in odd_images.items():
        anna.goto(f"{stack.web_url}/openhcs/viewer/{image_id}/")
        expect(anna.locator("[data-panel=original]")).to_be_visible(timeout=SECONDS)
        channels = ODD_IMAGES[name].shape[1]
        expect(anna.locator(".oh-viewer-histogram path[d]")).to_have_count(channels)
        for button in anna.get_by_role("button", name="Min–max").all():
            button.click()
        if name == "constant":
            expect(anna.locator("output.oh-viewer-values").first).to_have_text("7 – 8")
        else:
            wait_until(anna, lambda: lit(panel_pixels(anna, "original")) > 0.1, f"{name} is lit")
            seen = steady(anna, "original")
            # A ramp: one side is brighter than the other.
            sides = [half.max(axis=-1).mean() for half in np.array_split(seen[seen.shape[0] // 2], 2)]
            assert sides[0] != pytest.approx(sides[1], rel=0.1), name
        expect(anna.locator("fieldset", has=anna.locator("legend", has_text="Plane"))).to_have_count(
            int(name == "3-D and time")
        )
        expect(anna.locator(".oh-viewer-banner")).to_be_hidden()
    assert real(troubles) == []


@pytest.fixture
def without_graphics(browser_type: BrowserType, browser_type_launch_args: dict, stack: Stack) -> Iterator[Page]:
    """A Chromium that has no WebGL at all."""
    arguments = [argument for argument in browser_type_launch_args["args"] if "swiftshader" not in argument]
    browser = browser_type.launch(**{**browser_type_launch_args, "args": [*arguments, "--disable-3d-apis"]})
    context = browser.new_context()
    with sign_in(stack, "anna") as client:
        context.add_cookies([{"name": name, "value": value, "url": stack.web_url} for name, value in client.cookies.items()])
    yield context.new_page()
    browser.close()


def test_a_browser_without_webgl_is_told_what_to_do(without_graphics: Page, stack: Stack, planted: Planted) -> None:
    without_graphics.goto(f"{stack.web_url}/openhcs/viewer/{planted.image_id}/")
    expect(without_graphics.get_by_role("alert").filter(has_text="WebGL 2")).to_be_visible()
    assert without_graphics.evaluate("document.createElement('canvas').getContext('webgl2')") is None
