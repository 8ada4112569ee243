# SPDX-License-Identifier: AGPL-3.0-or-later
"""Making and measuring objects, against truth worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from openhcs_execution.engine.imaging import measure
from openhcs_execution.engine.imaging import objects_of as objects
from openhcs_execution.engine.imaging.labels import drop_small, renumber
from openhcs_execution.engine.imaging.noise import pixel_noise
from openhcs_execution.engine.imaging.objects import object_count

from .conftest import discs, noisy


def squares(*corners: tuple[int, int], size: int = 6, shape: tuple[int, int] = (40, 40)) -> np.ndarray:
    labels = np.zeros(shape, np.int32)
    for label, (y, x) in enumerate(corners, start=1):
        labels[y : y + size, x : x + size] = label
    return labels


TWO = squares((5, 5), (5, 20))


@pytest.mark.parametrize(("sigma", "level"), [(3.0, 100.0), (20.0, 1000.0)])
def test_noise_is_that_of_the_pixels_not_of_the_objects(sigma: float, level: float) -> None:
    plane = discs((200, 200), [(40, 40), (120, 150)], 20, 40 * level) + level
    found = pixel_noise(plane + np.random.default_rng(0).normal(0, sigma, plane.shape))
    assert found == pytest.approx(sigma, rel=0.06)


def test_noise_is_never_zero() -> None:
    assert pixel_noise(np.zeros((8, 8))) > 0
    assert pixel_noise(np.full((2, 2), 7.0)) > 0
    assert pixel_noise(np.eye(9)) > 0.1, "mostly flat, but not without variation"


@pytest.mark.parametrize("method", ["otsu", "li", "triangle", "isodata"])
def test_objects_above_a_threshold(method: str) -> None:
    plane = noisy(discs((100, 100), [(25, 25), (25, 70), (70, 40)], 8, 900))
    found = objects.find_objects(plane, method)
    assert object_count(renumber(drop_small(found, 10))) == 3, "single pixels of noise can be above the triangle"


def test_thresholds_by_value_and_by_noise() -> None:
    plane = noisy(discs((100, 100), [(25, 25), (70, 40)], 8, 900))
    assert object_count(objects.find_objects(plane, "value", 700.0)) == 2
    assert object_count(objects.find_objects(plane, "noise", 10.0)) == 2
    assert object_count(objects.find_objects(plane, "value", 5000.0)) == 0
    assert object_count(objects.find_objects(np.full((20, 20), 9, np.uint16))) == 0


def test_touching_discs_are_split() -> None:
    labels = objects.label_mask(discs((60, 60), [(30, 20), (30, 35)], 9, 1) > 0.5)
    assert object_count(labels) == 1
    assert object_count(objects.split_objects(labels, 18.0)) == 2


def test_growing_stops_at_neighbours_and_shrinking_at_rims() -> None:
    grown = objects.grow_objects(TWO, 20.0)
    assert set(np.unique(grown[8, :40])) <= {0, 1, 2}
    assert (grown[8, 11:15] == 1).all(), "the middle between both belongs to the nearer"
    assert (grown[TWO > 0] == TWO[TWO > 0]).all()
    shrunk = objects.shrink_objects(TWO, 2.0)
    assert np.bincount(shrunk.ravel())[1:].tolist() == [4, 4]
    touching = squares((5, 5), (5, 11))
    assert np.bincount(objects.shrink_objects(touching, 1.0).ravel())[1:].tolist() == [12, 12]


def test_rings_are_outside_every_object() -> None:
    ring = objects.ring_around_objects(TWO, gap=1.0, width=3.0)
    assert not (ring[TWO > 0]).any()
    assert object_count(ring) == 2


def test_cells_end_where_the_stain_ends() -> None:
    nuclei = (discs((80, 80), [(30, 30)], 5, 1) > 0.5).astype(np.int32)
    stain = noisy(discs((80, 80), [(30, 34)], 15, 800))
    cells = objects.cells_from_nuclei(nuclei, stain)
    assert np.count_nonzero(cells) == pytest.approx(np.pi * 15**2, rel=0.1)
    assert (cells[nuclei > 0] == 1).all()


def test_filters_of_objects() -> None:
    mixed = squares((5, 5), (5, 20), (0, 32))
    mixed[20:23, 20:23] = 4
    assert object_count(objects.filter_objects_by_size(mixed, smallest=10)) == 3
    assert object_count(objects.filter_objects_by_size(mixed, largest=10)) == 1
    assert object_count(objects.filter_objects_by_size(mixed, exclude_border=True)) == 3
    cross = np.zeros((30, 30), np.int32)
    cross[14:16, 5:25] = cross[5:25, 14:16] = 1
    assert object_count(objects.filter_objects_by_size(cross, least_solidity=0.9)) == 0
    plane = np.where(TWO == 2, 500, 100)
    assert objects.filter_objects_by_intensity(TWO, plane, least=300)[8, 22] == 1


def test_shapes_of_objects() -> None:
    holed = squares((5, 5), size=10)
    holed[9, 9] = 0
    assert (objects.fill_objects(holed)[5:15, 5:15] == 1).all()
    outline = objects.object_outlines(squares((5, 5), size=10))
    assert np.count_nonzero(outline) == 36
    corner = np.zeros((30, 30), np.int32)
    corner[5:25, 5:10] = corner[20:25, 5:25] = 1
    assert np.count_nonzero(objects.convex_objects(corner)) > np.count_nonzero(corner)
    spiky = squares((5, 5), size=10)
    spiky[10, 15:20] = 1
    assert objects.smooth_objects(spiky, 2.0)[10, 18] == 0
    assert objects.smooth_objects(np.eye(9, dtype=np.int32), 3.0).any(), "too thin for the disc, and still there"


def test_discs_of_points() -> None:
    labels = objects.discs(np.array([[10.0, 10.0], [10.0, 30.0]]), np.array([3.0, 5.0]), (40, 40))
    assert np.bincount(labels.ravel())[1:].tolist() == [29, 81]
    assert object_count(objects.discs(np.zeros((0, 2)), np.zeros(0), (5, 5))) == 0


def test_a_mask_and_what_is_within() -> None:
    plane = np.full(TWO.shape, 7, np.uint8)
    assert objects.blank_outside_objects(plane, TWO).sum() == 7 * 72
    assert objects.objects_to_mask(plane, TWO).sum() == 72


# ----------------------------------------------------------------- measures


def test_edge_and_core() -> None:
    plane = np.where(objects.shrink_objects(TWO, 1.0) > 0, 10.0, 30.0)
    found = measure.measure_object_edges(TWO, plane, rim=1.0)
    assert found["edge"].tolist() == [30, 30]
    assert found["core"].tolist() == [10, 10]
    assert found["edge_to_core"].tolist() == [3, 3]
    assert np.isnan(measure.measure_object_edges(TWO, plane, rim=50.0)["core"]).all()


def test_texture_tells_stripes_from_flat() -> None:
    plane = np.full(TWO.shape, 50.0)
    plane[:, 20:] = np.where(np.indices(TWO.shape)[1][:, 20:] % 2, 0.0, 100.0)
    found = measure.measure_object_texture(TWO, plane, distance=1, levels=4)
    assert found["contrast"][0] == 0
    assert found["homogeneity"][0] == 1
    # Steps 0 and 3: each pair to the right differs by 3, each pair below is equal; there are as many of both.
    assert found["contrast"][1] == pytest.approx(9 / 2)
    assert found["detail"][1] > 10 * found["detail"][0]
    assert measure.measure_object_texture(np.zeros_like(TWO), plane)["entropy"].shape == (0,)
    dot = np.zeros((5, 5), np.int32)
    dot[2, 2] = 1
    assert np.isnan(measure.measure_object_texture(dot, np.eye(5))["contrast"]).all()


def test_shape_of_a_disc_and_of_a_line() -> None:
    labels = (discs((80, 80), [(25, 25)], 15, 1) > 0.5).astype(np.int32)
    labels[60, 10:60] = 2
    found = measure.measure_object_shape(labels)
    assert found["roundness"][0] > 0.9 > 0.3 > found["roundness"][1]
    assert found["inner_radius"][0] == pytest.approx(15, abs=1)
    assert found["major_axis"][0] == pytest.approx(30, rel=0.05)
    assert found["solidity"][1] == 1


def test_neighbours() -> None:
    found = measure.measure_object_neighbours(squares((0, 0), (0, 10), (30, 0)), distance=15.0)
    assert found["nearest_distance"].tolist() == [10, 10, 30]
    assert found["neighbours"].tolist() == [1, 1, 0]
    assert np.isnan(measure.measure_object_neighbours(squares((5, 5)))["nearest_distance"]).all()


def test_objects_inside_objects() -> None:
    inner = np.zeros_like(TWO)
    inner[6:8, 6:8] = 1
    inner[8:10, 6:8] = 2
    inner[9, 24:30] = 3  # two pixels in the second object, four outside
    inner[30:32, 30:32] = 4
    found = measure.count_objects_inside(TWO, inner)
    assert found["count"].tolist() == [2, 1]
    assert found["share"].tolist() == pytest.approx([8 / 36, 2 / 36])
    assert measure.count_objects_inside(TWO, np.zeros_like(TWO))["count"].tolist() == [0, 0]
    assert measure.count_objects_inside(np.zeros_like(TWO), inner)["count"].shape == (0,)


def test_distance_to_other_objects() -> None:
    others = np.zeros_like(TWO)
    others[:, 0] = 1
    assert measure.measure_distance_to_objects(TWO, others)["distance"].tolist() == [8, 22]
    assert np.isnan(measure.measure_distance_to_objects(TWO, np.zeros_like(TWO))["distance"]).all()


def test_positive_objects_and_colocalisation() -> None:
    plane = np.where(TWO == 2, 600.0, 100.0)
    assert measure.classify_objects(TWO, plane, 500.0)["positive"].tolist() == [0, 1]
    pattern = np.random.default_rng(0).uniform(0, 1, TWO.shape)
    found = measure.measure_colocalisation_in_objects(TWO, pattern, pattern)
    assert found["pearson"] == pytest.approx([1, 1])
    assert found["manders_m1"].tolist() == found["manders_m2"].tolist()


def test_area_occupied() -> None:
    share, threshold = measure.measure_area_occupied(discs((100, 100), [(50, 50)], 30, 900) + 100)
    assert share == pytest.approx(np.pi * 0.09, rel=0.03)
    assert 300 < threshold < 800
