# SPDX-License-Identifier: AGPL-3.0-or-later
"""The viewer in Chromium, judged by the pixels that it draws."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from stack import Stack

from tests.plugin.omero_images import PROCESSED_NAMESPACE, Planted, omero_of, plant_image, say_what_made_it

pytestmark = [pytest.mark.stack, pytest.mark.browser]

PATIENCE = 60.0


def panel_pixels(page: Page, kind: str) -> np.ndarray:
    """What a panel shows, without its title and scale bar: an array (y, x, 3)."""
    box = page.locator(f"[data-panel={kind}]").bounding_box()
    assert box is not None
    clip = {"x": box["x"] + 3, "y": box["y"] + 30, "width": box["width"] - 6, "height": box["height"] - 75}
    with Image.open(io.BytesIO(page.screenshot(clip=clip))) as picture:  # type: ignore[arg-type]
        return np.asarray(picture.convert("RGB")).astype(int)


def lit(pixels: np.ndarray) -> float:
    return float((pixels.sum(axis=-1) > 90).mean())


def wait_until(page: Page, happened: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if happened():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"did not happen: {what}")


def steady(page: Page, kind: str) -> np.ndarray:
    """A panel's pixels once two looks in a row are the same."""
    before = panel_pixels(page, kind)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        page.wait_for_timeout(250)
        now = panel_pixels(page, kind)
        if now.shape == before.shape and (now == before).all():
            return now
        before = now
    raise AssertionError("the panel never comes to rest")


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two panels show the same, but for the rounding of a panel's place on the screen to whole pixels."""
    height, width = min(one.shape[0], other.shape[0]) - 2, min(one.shape[1], other.shape[1]) - 2
    best = min(
        float((np.abs(one[1 : 1 + height, 1 : 1 + width] - other[dy : dy + height, dx : dx + width]).max(axis=-1) > 40).mean())
        for dy in range(3)
        for dx in range(3)
    )
    return best < 0.01


@pytest.fixture
def viewer(anna: Page, stack: Stack, planted: Planted) -> Page:
    """The viewer of the planted image, with its three panels drawn."""
    anna.goto(f"{stack.web_url}/openhcs/viewer/{planted.image_id}/")
    expect(anna.locator("[data-panel=outlines]")).to_be_visible(timeout=PATIENCE * 1000)
    wait_until(anna, lambda: lit(panel_pixels(anna, "original")) > 0.02, "the image is lit")
    steady(anna, "outlines")
    return anna


def test_the_image_is_lit_and_the_overlays_change_it(viewer: Page, troubles: list[str]) -> None:
    original, objects, outlines = (steady(viewer, kind) for kind in ("original", "labels", "outlines"))
    assert lit(original) > 0.05
    assert not same(original, objects)
    assert not same(original, outlines)
    # Outlines are yellow, which the image (green and magenta) has nowhere.
    yellow = (outlines[..., 0] > 180) & (outlines[..., 1] > 180) & (outlines[..., 2] < 120)
    assert 0.001 < yellow.mean() < 0.2
    # Fills differ from object to object.
    fills = {
        tuple(colour // 32) for colour in objects[np.abs(objects - objects.mean(axis=-1, keepdims=True)).max(axis=-1) > 40]
    }
    assert len(fills) > 12
    viewer.locator(".oh-viewer-area").focus()
    viewer.keyboard.press("l")
    assert same(original, steady(viewer, "labels"))
    assert same(original, steady(viewer, "outlines"))
    assert troubles == []


def test_moving_and_magnifying_one_panel_moves_all(viewer: Page) -> None:
    viewer.locator(".oh-viewer-area").focus()
    viewer.keyboard.press("l")
    before = steady(viewer, "original")
    box = viewer.locator("[data-panel=labels]").bounding_box()
    assert box is not None
    viewer.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.45)
    viewer.mouse.wheel(0, -300)
    viewer.mouse.down()
    viewer.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.55, steps=4)
    viewer.mouse.up()
    viewer.mouse.move(box["x"] + 5, box["y"] - 40)
    after = steady(viewer, "original")
    assert not same(before, after)
    assert lit(after) > 0.02
    assert same(after, steady(viewer, "labels"))
    assert same(after, steady(viewer, "outlines"))
    viewer.get_by_role("button", name="Fit the whole image (0)").click()
    viewer.mouse.move(5, 5)
    assert same(before, steady(viewer, "original"))


def test_the_readout_tells_the_object_and_the_intensity_under_the_pointer(viewer: Page, planted: Planted) -> None:
    # At 1:1 and more, the tiles of the full resolution are loaded.
    viewer.locator(".oh-viewer-area").focus()
    for _ in range(6):
        viewer.keyboard.press("+")
    steady(viewer, "original")
    box = viewer.locator("[data-panel=original]").bounding_box()
    assert box is not None
    readout = viewer.locator(".oh-viewer-readout")
    seen = set()
    for step in range(1, 12):
        viewer.mouse.move(box["x"] + box["width"] * step / 12, box["y"] + box["height"] * 0.63)
        expect(readout).to_have_text(re.compile(r"x \d+, y \d+"))
        text = readout.inner_text()
        x, y = (int(number) for number in re.findall(r"[xy] (\d+)", text))
        number = int(planted.labels[y, x])
        assert ("background" if number == 0 else f"object {number}") in text
        assert f": {planted.pixels[0, 0, 1, y, x]}" in text
        seen.add(number)
    assert len(seen) > 1


def test_channels_can_be_hidden_recoloured_and_stretched(viewer: Page) -> None:
    viewer.keyboard.press("Tab")
    before = steady(viewer, "original")
    boxes = viewer.locator(".oh-viewer-shown")
    boxes.nth(1).uncheck()
    only_first = steady(viewer, "original")
    assert only_first.sum() < before.sum()
    viewer.locator("input[type=color]").first.fill("#ff0000")
    red = steady(viewer, "original")
    assert red[..., 0].sum() > 20 * max(1, red[..., 1].sum())
    # Full colour at a lower intensity makes the noise of the ground visible.
    viewer.get_by_label("full colour at").first.fill("60")
    assert steady(viewer, "original").sum() > 1.1 * red.sum()
    boxes.nth(0).uncheck()
    assert lit(steady(viewer, "original")) == 0


def test_the_section_slider_shows_another_plane(viewer: Page) -> None:
    first = steady(viewer, "original")
    viewer.get_by_label("Section z").fill("1")
    second = steady(viewer, "original")
    assert not same(first, second)
    height = second.shape[0]
    middle = second[:, second.shape[1] // 4 : second.shape[1] // 2, 1].astype(float)
    rows = middle.mean(axis=1)
    bright = np.flatnonzero(rows > rows.max() / 2)
    assert bright.max() < height * 0.6


def test_the_opacity_slider_fades_the_fills(viewer: Page) -> None:
    original = steady(viewer, "original")
    slider = viewer.get_by_label("Fill")
    slider.fill("100")
    full = steady(viewer, "labels")
    slider.fill("5")
    faint = steady(viewer, "labels")
    width = min(original.shape[1], full.shape[1], faint.shape[1])
    assert np.abs(faint[:, :width] - original[:, :width]).mean() < 0.5 * np.abs(full[:, :width] - original[:, :width]).mean()


def test_panels_can_be_switched_off_but_not_the_last(viewer: Page) -> None:
    for name in ("Original", "Objects", "Outlines"):
        viewer.get_by_role("button", name=name, exact=True).click()
    expect(viewer.locator("[data-panel]")).to_have_count(1)
    assert lit(steady(viewer, "outlines")) > 0.02


def test_an_ended_session_is_said_on_the_page(viewer: Page) -> None:
    viewer.context.clear_cookies()
    viewer.get_by_label("Section z").fill("1")
    alert = viewer.locator(".oh-viewer-banner")
    expect(alert).to_contain_text("Sign in again", timeout=PATIENCE * 1000)
    expect(alert.get_by_role("button", name="Try again")).to_be_visible()


def test_a_label_image_is_shown_on_the_image_that_it_was_made_of(anna: Page, stack: Stack, planted: Planted) -> None:
    anna.goto(f"{stack.web_url}/openhcs/viewer/{planted.label_image_id}/")
    assert anna.url == f"{stack.web_url}/openhcs/viewer/{planted.image_id}/?execution={planted.execution_id}"
    expect(anna.locator("[data-panel=outlines]")).to_be_visible(timeout=PATIENCE * 1000)


def test_an_image_that_may_not_be_read_is_a_page_that_says_so(anna: Page, stack: Stack) -> None:
    answer = anna.goto(f"{stack.web_url}/openhcs/viewer/999999/")
    assert answer is not None
    assert answer.status == 404
    expect(anna.get_by_text("does not exist, or you may not read it")).to_be_visible()


def test_on_a_plate_one_goes_from_field_to_field_and_from_well_to_well(anna: Page, stack: Stack) -> None:
    anna.goto(f"{stack.web_url}/openhcs/viewer/1/")
    expect(anna.locator("h1").filter(has_text="A01, field 1")).to_be_visible()
    anna.get_by_label("Field", exact=True).select_option(label="Field 2")
    expect(anna.locator("h1").filter(has_text="A01, field 2")).to_be_visible()
    anna.get_by_role("link", name="A02 ›").click()
    expect(anna.locator("h1").filter(has_text="A02, field 2")).to_be_visible()
    anna.locator(".oh-viewer-area").focus()
    anna.keyboard.press("[")
    expect(anna.locator("h1").filter(has_text="A01, field 2")).to_be_visible()
    anna.goto(f"{stack.web_url}/openhcs/viewer/1/?field=2")
    expect(anna.locator("h1").filter(has_text="A01, field 2")).to_be_visible()


def test_labels_that_only_the_service_holds_are_shown_as_well(anna: Page, stack: Stack) -> None:
    labels = np.zeros((384, 384), "<i4")
    labels[100:250, 80:300] = 5

    def serve(route: object) -> None:
        if route.request.url.endswith("/labels/"):  # type: ignore[attr-defined]
            found = [{"field": 1, "name": "nuclei", "objects": 1, "omero_image_id": None}]
            route.fulfill(body=json.dumps(found), content_type="application/json")  # type: ignore[attr-defined]
        else:
            route.fulfill(body=labels.tobytes(), headers={"X-Shape": "384,384"})  # type: ignore[attr-defined]

    anna.route("**/api/v1/executions/test-run/wells/A01/labels/**", serve)
    anna.goto(f"{stack.web_url}/openhcs/viewer/1/?execution=test-run")
    expect(anna.locator("[data-panel=outlines]")).to_be_visible(timeout=PATIENCE * 1000)
    outlines = steady(anna, "outlines")
    yellow = (outlines[..., 0] > 180) & (outlines[..., 1] > 180) & (outlines[..., 2] < 120)
    rows, columns = np.flatnonzero(yellow.any(axis=1)), np.flatnonzero(yellow.any(axis=0))
    # A rectangle of 220 x 150.
    assert (columns.max() - columns.min()) / (rows.max() - rows.min()) == pytest.approx(220 / 150, rel=0.05)


def test_the_processed_image_is_shown_beside_the_original_with_its_own_contrast(
    anna: Page, stack: Stack, planted: Planted, troubles: list[str]
) -> None:
    """The last step is said to have inverted the image: dark discs on a bright ground, of another range."""
    with omero_of(stack, "anna") as conn:
        source_id = plant_image(conn, "Discs before", planted.pixels)
        inverted = 60_000 - 4 * planted.pixels[:, :, 1:2]
        processed_id = plant_image(conn, "Discs processed", inverted)
        say_what_made_it(conn, processed_id, PROCESSED_NAMESPACE, source_id, "exec-2")
    anna.goto(f"{stack.web_url}/openhcs/viewer/{source_id}/?execution=exec-2")
    expect(anna.locator("[data-panel=processed]")).to_be_visible(timeout=PATIENCE * 1000)
    expect(anna.locator("[data-panel=labels]")).to_have_count(0)  # no segmentation was saved
    wait_until(anna, lambda: lit(panel_pixels(anna, "processed")) > 0.02, "the processed image is lit")
    original, processed = steady(anna, "original"), steady(anna, "processed")
    assert not same(original, processed)
    rows, columns = (min(one.shape[axis], processed.shape[axis]) for axis, one in ((0, original), (1, original)))
    brightness = np.corrcoef(original[:rows, :columns].sum(axis=-1).ravel(), processed[:rows, :columns].sum(axis=-1).ravel())[
        0, 1
    ]
    assert brightness < -0.2  # where the one is bright, the other is dark

    # Its contrast is its own, and in the address.
    controls = anna.get_by_role("group", name="Processed image")
    controls.get_by_role("checkbox").first.uncheck()
    wait_until(anna, lambda: not same(processed, panel_pixels(anna, "processed")), "a channel of it is off")
    assert same(original, steady(anna, "original"))
    expect(anna).to_have_url(re.compile("[#&]p=%21|[#&]p=!"))
    off = steady(anna, "processed")
    anna.reload()
    expect(anna.locator("[data-panel=processed]")).to_be_visible(timeout=PATIENCE * 1000)
    wait_until(anna, lambda: same(off, panel_pixels(anna, "processed")), "the address shows the same view")

    # All panels stay at one place.
    anna.locator(".oh-viewer-area").focus()
    anna.keyboard.press("+")
    anna.keyboard.press("+")
    moved = steady(anna, "processed")
    assert not same(off, moved)
    anna.get_by_role("button", name="Original", exact=True).click()
    expect(anna.locator("[data-panel=original]")).to_have_count(0)
    assert [trouble for trouble in troubles if not trouble.endswith("/labels/.zattrs")] == []  # absent without labels
