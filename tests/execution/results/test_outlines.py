# SPDX-License-Identifier: AGPL-3.0-or-later
"""Shapes of objects, drawn again by other means and compared with the label image."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.draw import polygon2mask
from skimage.segmentation import watershed

from openhcs_execution.results.outlines import masks_of, object_numbers, polygons_of


def cells(size: int = 200, count: int = 60) -> np.ndarray:
    """Objects of all shapes that touch each other and the border, with numbers that have gaps."""
    random = np.random.default_rng(5)
    markers = np.zeros((size, size), np.int32)
    places = random.choice(size * size, count, replace=False)
    markers.flat[places] = 7 * np.arange(1, count + 1)
    return watershed(random.random((size, size)), markers, mask=random.random((size, size)) > 0.001).astype(np.int32)


def drawn(shape: tuple[int, int], outlines) -> np.ndarray:
    """Pixels whose centre, half a pixel from its corner, is inside one of the outlines."""
    covered = np.zeros(shape, bool)
    for outline in outlines:
        covered |= polygon2mask(shape, outline[:, ::-1] - 0.5)
    return covered


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return np.count_nonzero(one & other) / np.count_nonzero(one | other)


def test_a_mask_holds_exactly_the_pixels_of_its_object():
    labels = cells()
    numbers = object_numbers(labels)
    assert len(numbers) == 60
    for mask in masks_of(labels, numbers):
        bits = np.unpackbits(np.frombuffer(mask.bits, np.uint8))[: mask.width * mask.height].reshape(mask.height, mask.width)
        found = np.zeros(labels.shape, bool)
        found[mask.y : mask.y + mask.height, mask.x : mask.x + mask.width] = bits
        np.testing.assert_array_equal(found, labels == mask.number)


def test_round_objects_are_outlined_to_the_pixel():
    rows, columns = np.mgrid[:120, :160]
    labels = np.zeros((120, 160), np.int32)
    for number, (row, column, radius) in enumerate([(0, 0, 9), (30, 40, 12), (119, 159, 20), (60, 100, 25)], start=1):
        labels[np.hypot(rows - row, columns - column) <= radius] = number
    for polygon in polygons_of(labels, object_numbers(labels)):
        assert overlap(drawn(labels.shape, polygon.outlines), labels == polygon.number) > 0.97


@pytest.mark.parametrize("pixels", [[(3, 4)], [(0, 0)], [(3, 4), (3, 5)], [(2, 2), (3, 3)], [(9, 9), (9, 8), (8, 9)]])
def test_the_smallest_objects_have_an_outline(pixels):
    labels = np.zeros((10, 10), np.int32)
    for place in pixels:
        labels[place] = 4
    (polygon,) = polygons_of(labels, [4])
    np.testing.assert_array_equal(drawn(labels.shape, polygon.outlines), labels == 4)


def test_an_object_in_parts_has_an_outline_for_each_and_a_hole_is_filled():
    labels = np.zeros((30, 40), np.int32)
    labels[2:10, 2:10] = 1
    labels[4:6, 4:6] = 0
    labels[20:25, 30:38] = 1
    (polygon,) = polygons_of(labels, [1])
    assert len(polygon.outlines) == 2
    covered = drawn(labels.shape, polygon.outlines)
    assert covered.sum() == 8 * 8 + 5 * 8


def test_the_corners_of_a_square_are_where_omero_has_them():
    labels = np.zeros((20, 20), np.int32)
    labels[5:9, 3:13] = 1
    (polygon,) = polygons_of(labels, [1])
    (outline,) = polygon.outlines
    # From the left edge of pixel 3 to the right edge of pixel 12.
    assert (outline[:, 0].min(), outline[:, 0].max()) == (3.0, 13.0)
    assert (outline[:, 1].min(), outline[:, 1].max()) == (5.0, 9.0)


def test_an_empty_image_has_no_objects():
    labels = np.zeros((5, 5), np.int32)
    assert object_numbers(labels) == []
    assert list(masks_of(labels, [])) == list(polygons_of(labels, [])) == []
