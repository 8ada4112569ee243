# SPDX-License-Identifier: AGPL-3.0-or-later
"""Image analysis against known truth: synthetic fields, a real annotated one, and formulas worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from omero_sandbox.demo.plate_design import all_wells
from omero_sandbox.demo.synthetic import illumination, make_field
from openhcs_execution.engine.imaging.background import background_surface, noise_level, sharpness, smooth
from openhcs_execution.engine.imaging.colocalisation import manders, pearson
from openhcs_execution.engine.imaging.illumination import correct_illumination, estimate_illumination
from openhcs_execution.engine.imaging.labels import drop_small, remove_border_objects, renumber
from openhcs_execution.engine.imaging.nuclei import NucleiSettings, segment_nuclei
from openhcs_execution.engine.imaging.objects import measure_intensity, measure_shape
from openhcs_execution.engine.imaging.spots import SpotSettings, find_spots

from .conftest import discs, noisy


def matched(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Intersection over union of each true object with the best of the found ones."""
    true, other = int(truth.max()), int(found.max())
    both = np.bincount((truth.astype(np.int64) * (other + 1) + found).ravel(), minlength=(true + 1) * (other + 1))
    both = both.reshape(true + 1, other + 1)
    union = both[1:].sum(1)[:, None] + both[:, 1:].sum(0)[None] - both[1:, 1:]
    return (both[1:, 1:] / np.maximum(union, 1)).max(1, initial=0)


@pytest.mark.parametrize("column", range(12))
def test_nuclei_of_the_synthetic_plate_are_all_found(column: int) -> None:
    """Touching, out of focus, unevenly lit, empty: per well the count is within 2 % of the truth."""
    for well in (plan.well for plan in all_wells() if plan.column == column):
        fields = [make_field(well, number) for number in (1, 2)]
        found = [segment_nuclei(field.image[0], NucleiSettings()) for field in fields]
        true, counted = sum(field.truth.count for field in fields), sum(int(labels.max()) for labels in found)
        assert abs(counted - true) <= 0.02 * true, well
        for field, labels in zip(fields, found, strict=True):
            if not field.truth.empty:
                assert np.mean(matched(field.truth.labels, labels)) > (0.85 if field.truth.out_of_focus else 0.95), well


@pytest.mark.parametrize("diameter", [12.0, 15.0, 18.0, 22.0, 24.0])
def test_the_diameter_need_not_be_exact(diameter: float) -> None:
    field = make_field("C05", 1)
    labels = segment_nuclei(field.image[0], NucleiSettings(diameter=diameter))
    assert abs(int(labels.max()) - field.truth.count) <= 0.02 * field.truth.count


def test_real_dense_nuclei() -> None:
    """Cardiomyocytes covering 70 % of the field, annotated by others: most nuclei match with an overlap above one half."""
    resources = pytest.importorskip("ngio.resources")
    folder = Path(resources.__file__).parent / "20200812-CardiomyocyteDifferentiation14-Cycle1_B03"
    raw = np.asarray(Image.open(folder / "raw.jpg").convert("L"))
    truth = renumber(np.asarray(Image.open(folder / "nuclei.png")).astype(np.int32))
    found = segment_nuclei(raw, NucleiSettings(diameter=38))
    hits = int((matched(truth, found) > 0.5).sum())
    assert 2 * hits / (int(truth.max()) + int(found.max())) > 0.93


@pytest.mark.parametrize("background", [0.0, 5.0, 200.0, 20000.0])
def test_noise_is_not_nuclei(background: float) -> None:
    image = noisy(np.zeros((256, 256)), background)
    assert segment_nuclei(image, NucleiSettings()).max() == 0


@pytest.mark.parametrize("value", [0, 7, 65535])
def test_a_constant_plane_has_no_nuclei(value: int) -> None:
    assert segment_nuclei(np.full((64, 80), value, np.uint16), NucleiSettings()).max() == 0


def test_uneven_background_is_not_nuclei() -> None:
    y, x = np.mgrid[:256, :256] / 255
    assert segment_nuclei(noisy(2000 * (1 - (y - 0.4) ** 2 - (x - 0.6) ** 2)), NucleiSettings()).max() == 0


def test_splitting_and_the_border_are_choices() -> None:
    image = noisy(discs((128, 128), [(40, 40), (40, 57), (127, 100)], 9, 1500))
    assert segment_nuclei(image, NucleiSettings()).max() == 3
    assert segment_nuclei(image, NucleiSettings(split=False)).max() == 2
    assert segment_nuclei(image, NucleiSettings(exclude_border=True)).max() == 2


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (5, 7), (300, 20)])
def test_odd_shapes(shape: tuple[int, int]) -> None:
    labels = segment_nuclei(noisy(np.zeros(shape)), NucleiSettings())
    assert labels.shape == shape
    assert labels.dtype == np.int32


def test_spots_are_counted_on_bright_cells() -> None:
    random = np.random.default_rng(3)
    cells = discs((256, 256), [(70, 70), (180, 170)], 45, 1500)
    cells = ndimage.gaussian_filter(cells, 4)
    centres = [(float(y), float(x)) for y in range(50, 100, 12) for x in range(50, 100, 12)]
    spots = np.zeros((256, 256))
    for y, x in centres:
        spots[int(y), int(x)] = 1
    spots = ndimage.gaussian_filter(spots, 1.4)
    image = random.poisson(cells + 300 + 900 * spots / spots.max()).astype(np.uint16)
    labels = find_spots(image, SpotSettings())
    assert int(labels.max()) == len(centres)
    assert all(labels[int(y), int(x)] for y, x in centres)


def test_cells_without_spots_have_none() -> None:
    cells = ndimage.gaussian_filter(discs((256, 256), [(70, 70), (180, 170)], 45, 1500), 2)
    assert find_spots(noisy(cells, 300), SpotSettings()).max() == 0
    assert find_spots(np.zeros((64, 64), np.uint8), SpotSettings()).max() == 0


def test_spots_are_far_more_in_treated_wells_of_the_real_row(screening_row: Path) -> None:
    """Transfluor: receptors are internalised (spots) at high doses, in the first columns, and not in the last."""
    import tifffile

    def count(well: int) -> int:
        plane = tifffile.imread(screening_row / f"AS_09047_050428030001_O{well:02d}f00d2.TIF")
        return int(find_spots(plane, SpotSettings()).max())

    treated, untreated = [count(well) for well in (5, 6, 7)], [count(well) for well in (20, 21, 22)]
    assert min(treated) > 10 * max(untreated)


def test_illumination_is_found_and_divided_out() -> None:
    truth = illumination(0) / illumination(0).mean()
    fields = np.stack([make_field(well, 1).image[0] for well in ("A02", "A03", "A04")])
    gain = estimate_illumination(fields, dark_level=100)
    assert gain.dtype == np.float32
    assert np.abs(gain / truth - 1).max() < 0.03
    even = correct_illumination(fields, gain, dark_level=100)
    corners = background_surface(smooth(even[0], 3), 96)
    assert corners.max() / corners.min() < 1.06


def test_even_illumination_is_left_alone() -> None:
    fields = np.full((2, 60, 90), 500, np.uint16)
    gain = estimate_illumination(fields)
    np.testing.assert_allclose(gain, 1, atol=1e-6)
    np.testing.assert_allclose(correct_illumination(fields, gain), 500, rtol=1e-6)


def test_dark_fields_do_not_break_the_illumination() -> None:
    gain = estimate_illumination(np.zeros((1, 40, 40), np.uint16))
    assert np.isfinite(gain).all()
    assert (gain > 0).all()


def test_background_noise_and_sharpness() -> None:
    random = np.random.default_rng(0)
    flat = random.normal(100, 5, (256, 256))
    surface = background_surface(flat, 64)
    assert abs(float(surface.mean()) - (100 - 1.28 * 5)) < 0.5  # the 0.1 quantile of a normal distribution
    assert noise_level(flat - surface) == pytest.approx(5, rel=0.15)
    assert noise_level(np.zeros((4, 4))) > 0
    field = make_field("A02", 1).image[0]
    assert sharpness(field) > 1.3 * sharpness(ndimage.gaussian_filter(field.astype(float), 3))
    assert sharpness(np.ones((8, 8))) == 0


def test_shapes_by_hand() -> None:
    labels = np.zeros((10, 12), np.int32)
    labels[0:2, 0:4] = 1  # 2 x 4, at the border
    labels[5, 5] = 2
    shape = measure_shape(labels)
    np.testing.assert_array_equal(shape["label"], [1, 2])
    np.testing.assert_array_equal(shape["area"], [8, 1])
    np.testing.assert_allclose(shape["centroid_y"], [0.5, 5])
    np.testing.assert_allclose(shape["centroid_x"], [1.5, 5])
    np.testing.assert_array_equal(shape["touches_border"], [1, 0])
    # A rectangle of a x b pixels has the variances a²/12 and b²/12, so the eccentricity sqrt(1 - (2/4)²).
    np.testing.assert_allclose(shape["eccentricity"], [np.sqrt(0.75), 0], atol=1e-9)


def test_intensities_by_hand() -> None:
    labels = np.array([[1, 1, 0], [2, 0, 0]], np.int32)
    image = np.array([[10, 30, 99], [7, 99, 99]], np.uint8)
    intensity = measure_intensity(labels, image, 5.0)
    np.testing.assert_allclose(intensity["mean"], [15, 2])
    np.testing.assert_allclose(intensity["standard_deviation"], [10, 0])
    np.testing.assert_allclose(intensity["total"], [30, 2])
    np.testing.assert_allclose(intensity["maximum"], [25, 2])


def test_no_objects_no_rows() -> None:
    nothing = np.zeros((5, 5), np.int32)
    assert all(len(column) == 0 for column in measure_shape(nothing).values())
    assert all(len(column) == 0 for column in measure_intensity(nothing, nothing).values())
    assert len(pearson(nothing, nothing, nothing)) == 0


def test_pearson_by_hand() -> None:
    labels = np.array([[1, 1, 1], [2, 2, 2], [3, 3, 3], [4, 4, 0]], np.int32)
    first = np.array([[1, 2, 3], [1, 2, 3], [5, 5, 5], [1, 2, 0]], np.uint8)
    second = np.array([[2, 4, 6], [3, 2, 1], [1, 2, 3], [1, 2, 0]], np.uint8)
    result = pearson(labels, first, second)
    np.testing.assert_allclose(result[:2], [1, -1])
    assert np.isnan(result[2:]).all()  # a constant channel; fewer than three pixels


def test_manders_by_hand() -> None:
    labels = np.array([[1, 1, 1, 1]], np.int32)
    first = np.array([[10.0, 30.0, -5.0, 0.0]])
    second = np.array([[0.0, 5.0, 15.0, 0.0]])
    m1, m2 = manders(labels, first, second, first > 1, second > 1)
    np.testing.assert_allclose(m1, [30 / 40])  # of the first channel's light, what lies where the second is
    np.testing.assert_allclose(m2, [5 / 20])
    m1, _ = manders(labels, first * 0, second, first > 1, second > 1)
    assert np.isnan(m1).all()


def test_labels() -> None:
    labels = np.array([[5, 5, 0, 0], [0, 0, 0, 0], [0, 9, 9, 0], [0, 9, 9, 0], [0, 0, 0, 0]], np.int32)
    np.testing.assert_array_equal(np.unique(renumber(labels)), [0, 1, 2])
    assert set(np.unique(drop_small(labels, 3))) == {0, 9}
    assert set(np.unique(remove_border_objects(labels))) == {0, 9}
    assert renumber(np.zeros((0, 0), np.int32)).shape == (0, 0)
