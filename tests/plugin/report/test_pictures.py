# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pictures of fields: outlines where objects are, a bounded size, and a sentence in place of what cannot be read."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping

import numpy as np
import pytest
from PIL import Image

from omero_openhcs.report.examples import Example, choose_examples
from omero_openhcs.report.pictures import LARGEST_PICTURE, LONGEST_SIDE, draw_outlines, outlines_of, take_pictures
from openhcs_client import ImageFlag, OpenHCSError, WellRole, WellState

from .made import controls, execution, quality


def labels(size: int = 40) -> np.ndarray:
    found = np.zeros((size, size), np.int32)
    found[10:20, 10:20] = 1
    found[10:20, 20:30] = 2
    return found


def jpeg(width: int = 40, height: int = 40, noise: bool = False) -> bytes:
    pixels = np.random.default_rng(1).integers(0, 255, (height, width, 3)) if noise else np.full((height, width, 3), 30)
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG", quality=95)
    return file.getvalue()


class Source:
    """Fields whose answers are given; an error is raised."""

    def __init__(self, picture: bytes | OpenHCSError, objects: Mapping[str, np.ndarray] | OpenHCSError) -> None:
        self._picture, self._objects = picture, objects

    def picture(self, well: str, field: int) -> bytes:
        if isinstance(self._picture, OpenHCSError):
            raise self._picture
        return self._picture

    def labels(self, well: str, field: int) -> Mapping[str, np.ndarray]:
        if isinstance(self._objects, OpenHCSError):
            raise self._objects
        return self._objects


EXAMPLE = Example("A01", 1, "median well")


def opened(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"), validate=True)))


def test_outlines_are_the_inner_edges_and_keep_touching_objects_apart() -> None:
    edge = outlines_of(labels(), 40, 40)
    assert edge[10, 15]
    assert edge[15, 10]
    assert edge[15, 19]
    assert edge[15, 20]
    assert not edge[15, 15]
    assert not edge[9, 15]
    assert edge.sum() == 2 * (10 * 10 - 8 * 8)


@pytest.mark.parametrize(("height", "width"), [(20, 20), (80, 80), (40, 20)])
def test_outlines_follow_the_size_of_the_picture(height: int, width: int) -> None:
    edge = outlines_of(labels(), height, width)
    assert edge.shape == (height, width)
    assert edge[height * 15 // 40, width * 10 // 40]
    assert not edge[: height // 5].any()


@pytest.mark.parametrize("found", [np.zeros((40, 40), np.int32), np.zeros((0, 0), np.int32), np.ones((1, 1), np.int32)])
def test_fields_without_edges_have_no_outlines(found: np.ndarray) -> None:
    assert not outlines_of(found, 30, 30).any()


def test_outlines_are_drawn_in_their_colour() -> None:
    drawn = np.array(draw_outlines(Image.new("RGB", (40, 40)), [labels()]))
    assert tuple(drawn[10, 15]) == (255, 216, 0)
    assert tuple(drawn[15, 15]) == (0, 0, 0)


def test_a_picture_shows_the_field_twice() -> None:
    (picture,) = take_pictures(Source(jpeg(), {"nuclei": labels()}), [EXAMPLE])
    assert picture.trouble == ""
    assert picture.objects == [("nuclei", "#ffd800")]
    plain, outlined = (np.array(opened(uri)).astype(int) for uri in (picture.plain, picture.outlined))
    assert plain[10, 15, 0] < 60
    assert outlined[10, 15, 0] > 200
    assert outlined[15, 15, 0] < 60


def test_a_noisy_picture_stays_small() -> None:
    (picture,) = take_pictures(Source(jpeg(2000, 1500, noise=True), {"nuclei": labels()}), [EXAMPLE])
    assert opened(picture.plain).size == (LONGEST_SIDE, LONGEST_SIDE * 3 // 4)
    assert len(picture.plain) <= LARGEST_PICTURE
    assert len(picture.outlined) <= LARGEST_PICTURE


GONE = OpenHCSError("image_not_found", "Image 5 does not exist, or you may not read it.", status=404)


@pytest.mark.parametrize(
    ("source", "plain", "words"),
    [
        (Source(GONE, {}), False, "does not exist"),
        (Source(b"no picture", {}), False, "cannot be opened"),
        (Source(jpeg(5000, 10), {}), False, "cannot be opened"),
        (Source(jpeg(), GONE), True, "does not exist"),
        (Source(jpeg(), {}), True, "finds no objects"),
    ],
)
def test_what_cannot_be_shown_is_said(source: Source, plain: bool, words: str) -> None:
    (picture,) = take_pictures(source, [EXAMPLE])
    assert (bool(picture.plain), picture.outlined) == (plain, "")
    assert words in picture.trouble


def test_no_picture_is_begun_when_the_time_is_up() -> None:
    (picture,) = take_pictures(Source(jpeg(), {"nuclei": labels()}), [EXAMPLE], seconds=-1)
    assert picture.plain == ""
    assert "too long" in picture.trouble


def test_examples_are_typical_wells_and_a_flagged_one() -> None:
    found = execution(rows=2, columns=6)
    roles = {"A01": WellRole.POSITIVE, "A02": WellRole.POSITIVE, "A03": WellRole.POSITIVE, "B06": WellRole.NEGATIVE}
    flags = [
        ImageFlag(well="B06", field=1, kind="saturated", message="2 % of the pixels."),
        ImageFlag(well="B01", field=2, kind="saturated", message="3 % of the pixels."),
    ]
    chosen = choose_examples(found.wells, "count", quality(["count"], controls(roles), flags))
    assert [(each.well, each.field) for each in chosen] == [("A02", 1), ("B06", 1), ("B01", 1), ("B01", 2)]
    assert chosen[3].why == "flagged: 3 % of the pixels."


@pytest.mark.parametrize("main", ["count", None])
def test_examples_without_values_or_controls(main: str | None) -> None:
    found = execution(value=lambda number: {"count": None})
    assert [each.well for each in choose_examples(found.wells, main, None)] == ["A01"]


def test_no_example_of_a_run_that_has_nothing_done() -> None:
    found = execution(state=lambda number: WellState.FAILED)
    flags = [ImageFlag(well="A01", field=1, kind="saturated", message="x")]
    assert choose_examples(found.wells, None, quality([], None, flags)) == []
