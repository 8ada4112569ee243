# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pictures of many wells in one image: bad ones are told and cost only themselves; what is kept is bounded."""

from __future__ import annotations

import base64
import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import omero
import pytest
from omero.rtypes import unwrap
from PIL import Image

from omero_openhcs.omero_access import thumbnails
from omero_openhcs.omero_access.thumbnails import WellImage
from omero_openhcs.thumbnail_sheets import SheetCache, compose, find_sheet


def jpeg(width: int, height: int, grey: int = 200) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (grey, grey, grey)).save(file, "JPEG")
    return file.getvalue()


def images(*wells: str) -> list[WellImage]:
    return [WellImage(well, number, f"{number}.1.1") for number, well in enumerate(wells, 1)]


def pixels(sheet: Any) -> np.ndarray:
    data = base64.b64decode(sheet.image.removeprefix("data:image/jpeg;base64,"))
    return np.asarray(Image.open(io.BytesIO(data)).convert("L")).astype(int)


def test_pictures_lie_where_the_sheet_says_and_small_ones_in_the_middle() -> None:
    sheet = compose(images("A01", "A02", "B01"), {"A01": jpeg(32, 32), "A02": jpeg(32, 16), "B01": jpeg(32, 32, 90)}, 32)
    assert (sheet.wells, sheet.columns, sheet.unreadable) == (["A01", "A02", "B01"], 2, [])
    found = pixels(sheet)
    assert found.shape == (64, 64)
    assert found[16, 16] > 180 and found[48, 16] in range(80, 100)
    assert found[2, 48] < 20 < found[16, 48] and found[30, 48] < 20
    assert found[48, 48] < 20  # the sheet's last tile is nobody's


@pytest.mark.parametrize("broken", [b"", b"not a picture", jpeg(32, 32)[:60], jpeg(2000, 10)])
def test_what_cannot_be_shown_is_unreadable_and_no_black_picture(broken: bytes) -> None:
    sheet = compose(images("A01", "A02"), {"A01": broken, "A02": jpeg(8, 8)}, 32)
    assert (sheet.wells, sheet.unreadable) == (["A02"], ["A01"])


def test_a_plate_without_any_picture_has_no_image() -> None:
    assert compose([], {}, 32).image == ""
    assert compose(images("A01"), {}, 32).unreadable == ["A01"]


def test_what_is_kept_is_bounded_and_drawn_once() -> None:
    cache = SheetCache(kept_bytes=25)
    drawn = []

    def request(revision: str, text: str) -> Any:
        sheet = SimpleNamespace(model_dump_json=lambda: text)
        return SimpleNamespace(revision=revision, draw=lambda: drawn.append(revision) or sheet)

    for revision in ("a", "b", "a", "c", "a", "b"):
        assert find_sheet(request(revision, revision * 10), cache) == revision * 10
    assert drawn == ["a", "b", "c", "b"]  # c took the place of b, which was used longest ago
    find_sheet(request("large", "x" * 100), cache)
    assert cache.get("large") is None and cache.get("a") is not None


class Store:
    """A thumbnail store in which some images spoil the call for all, as a missing file does."""

    def __init__(self, broken: set[int]) -> None:
        self.broken = broken
        self.calls = 0

    def getThumbnailByLongestSideSet(self, size: Any, pixels_ids: list[int], context: Any) -> dict[int, bytes]:
        self.calls += 1
        assert unwrap(size) == 64
        if self.broken & set(pixels_ids):
            raise omero.ResourceError(message="no such file")
        return dict.fromkeys(pixels_ids, b"picture")


def test_one_image_that_cannot_be_drawn_costs_only_itself() -> None:
    store = Store({17, 200})
    found = thumbnails._draw(store, list(range(1, 385)), 64, None)
    assert set(range(1, 385)) - set(found) == {17, 200}
    assert store.calls < 40  # halves, not one call per image
    plain = Store(set())
    assert len(thumbnails._draw(plain, list(range(384)), 64, None)) == 384
    assert plain.calls == 1
