# SPDX-License-Identifier: AGPL-3.0-or-later
"""Resolution levels: sizes, means without overflow, and object numbers that stay object numbers."""

from __future__ import annotations

import numpy as np
import pytest

from omero_openhcs.zarr.pyramid import halve_labels, halve_mean, level_count, level_size


@pytest.mark.parametrize(
    ("size", "levels"), [((256, 256), 1), ((257, 100), 2), ((1080, 1080), 4), ((2048, 2048), 4), ((1, 9000), 1), ((3, 9000), 2)]
)
def test_levels_end_when_the_longer_side_is_small_or_the_shorter_one_cannot_be_halved(
    size: tuple[int, int], levels: int
) -> None:
    assert level_count(*size) == levels
    assert min(level_size(*size, levels - 1)) >= 1


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"])
def test_the_mean_of_equal_pixels_is_that_pixel_at_both_ends_of_the_type(dtype: str) -> None:
    limits = np.finfo(dtype) if dtype[0] == "f" else np.iinfo(dtype)
    for value in (limits.min, limits.max, 0, 1):
        if dtype[0] == "f" and abs(value) > 1:
            value = np.sqrt(limits.max)
        halved = halve_mean(np.full((4, 6), value, dtype))
        assert halved.dtype == np.dtype(dtype)
        assert (halved == np.array(value, dtype)).all()


def test_integers_are_rounded_to_the_nearest() -> None:
    assert halve_mean(np.array([[0, 1], [0, 0]], "u2")) == 0
    assert halve_mean(np.array([[1, 1], [0, 0]], "u2")) == 1
    assert halve_mean(np.array([[-1, -1], [-1, 0]], "i2")) == -1


def test_an_odd_last_row_and_column_are_left_out() -> None:
    plane = np.arange(35, dtype="u2").reshape(5, 7)
    assert halve_mean(plane).shape == (2, 3)
    assert halve_mean(plane)[0, 0] == round((0 + 1 + 7 + 8) / 4)


def test_the_mean_level_is_the_mean_of_the_image() -> None:
    plane = np.random.default_rng(1).integers(0, 60000, (512, 512)).astype("u2")
    expected = plane.astype(float).reshape(256, 2, 256, 2).mean(axis=(1, 3))
    assert np.abs(halve_mean(plane) - expected).max() <= 0.5


def test_object_numbers_are_never_mixed() -> None:
    labels = np.array([[7, 9, 9, 9], [7, 9, 0, 0]], "i4")
    halved = halve_labels(labels)
    assert halved.tolist() == [[7, 9]]
    assert halved.flags.c_contiguous
