# SPDX-License-Identifier: AGPL-3.0-or-later
"""The synthetic plate: its truth is true, and a good segmentation can find it."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from scipy import ndimage

from omero_sandbox.demo.plate_design import COLUMNS, FIELDS, ROWS, all_wells, field_condition, plan_well
from omero_sandbox.demo.synthetic import SIZE, FieldTruth, illumination, make_field, plate_truth, well_truth, z_prime

PLANS = list(all_wells())


def segment(dapi: np.ndarray) -> np.ndarray:
    """A plain classical segmentation: smooth, threshold, split by distance. Knows nothing of how the image was made.

    The threshold is Otsu's, but never so low that an empty field would be split into noise.
    """
    from skimage.feature import peak_local_max
    from skimage.filters import gaussian, threshold_otsu
    from skimage.measure import label
    from skimage.segmentation import watershed

    smooth = gaussian(dapi.astype(float), 1, preserve_range=True)
    background = np.median(smooth)
    noise = 1.4826 * np.median(np.abs(smooth - background))
    foreground = ndimage.binary_opening(smooth > max(threshold_otsu(smooth), background + 8 * noise), iterations=2)
    distance = ndimage.gaussian_filter(ndimage.distance_transform_edt(foreground), 1)
    peaks = peak_local_max(distance, min_distance=5, labels=label(foreground), exclude_border=False)
    seeds = np.zeros(dapi.shape, int)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return watershed(-distance, seeds, mask=foreground)


def test_the_layout() -> None:
    assert len(PLANS) == ROWS * COLUMNS == 96
    roles = {column: {plan.role for plan in PLANS if plan.column == column} for column in range(COLUMNS)}
    assert roles[0] == {"negative control"}
    assert roles[11] == {"positive control"}
    assert all(roles[column] == {"sample"} for column in range(1, 11))
    assert (plan_well(2, 1).compound, plan_well(2, 10).concentration_um) == ("Compound C", 30.0)
    with pytest.raises(ValueError, match="no well"):
        plan_well(8, 0)
    conditions = [(plan, field_condition(plan.well, field)) for plan in PLANS for field in range(1, FIELDS + 1)]
    special = [plan for plan, condition in conditions if condition != "normal"]
    assert [condition for _, condition in conditions].count("empty") == 3
    assert [condition for _, condition in conditions].count("out of focus") == 4
    assert {plan.role for plan in special} == {"sample"}


def test_counts_differ_and_no_well_is_empty() -> None:
    counts = [well.count for well in plate_truth().wells.values()]
    assert min(counts) >= 20
    assert len(set(counts)) > 20
    assert plate_truth().wells["D11"].count < 0.4 * plate_truth().wells["D02"].count  # a toxic compound


def test_the_same_field_is_the_same_everywhere() -> None:
    first, again = make_field("C05", 2), make_field("C05", 2)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.truth.labels, again.truth.labels)
    assert (make_field("C05", 1).image != first.image).any()
    # Truth does not depend on floating-point details of the camera; a change of these numbers changes all published results.
    digest = hashlib.sha256(first.truth.labels.astype("<u2").tobytes()).hexdigest()
    assert digest[:16] == "31666c51cde6a158"


@pytest.mark.parametrize(("well", "field"), [("A01", 1), ("H12", 2), ("C09", 2), ("E04", 1), ("D11", 1)])
def test_the_truth_of_a_field(well: str, field: int) -> None:
    made = make_field(well, field)
    truth: FieldTruth = made.truth
    assert made.image.shape == (2, SIZE, SIZE)
    assert made.image.dtype == np.uint16
    assert made.image.max() < 65535
    labels = truth.labels
    assert sorted(np.unique(labels[labels > 0])) == list(range(1, truth.count + 1))
    assert truth.empty == (field_condition(well, field) == "empty")
    assert truth.out_of_focus == (field_condition(well, field) == "out of focus")
    border = np.ones_like(labels, bool)
    border[4:-4, 4:-4] = False
    assert not labels[border].any()  # all nuclei lie inside
    for number, (y, x) in enumerate(truth.centroids, 1):
        assert labels[round(y), round(x)] == number
        _, pieces = ndimage.label(labels == number)
        assert pieces == 1
        assert truth.areas[number - 1] == (labels == number).sum()
        assert 150 < truth.areas[number - 1] < 400


def test_touching_nuclei_are_there_and_none_are_stacked() -> None:
    truth = make_field("A01", 1).truth
    _, blobs = ndimage.label(truth.labels, structure=np.ones((3, 3)))
    assert truth.count - 6 <= blobs < truth.count
    distances = np.linalg.norm(truth.centroids[:, None] - truth.centroids[None], axis=-1)
    assert distances[distances > 0].min() > 12  # more than a radius and a half


def test_illumination_and_camera() -> None:
    for channel in (0, 1):
        profile = illumination(channel)
        assert profile.max() == pytest.approx(1, abs=1e-3)
        assert profile.min() == pytest.approx(0.65, abs=0.01)
    empty = make_field("E04", 1).image[0].astype(float)
    expected = 100 + 150 * illumination(0)
    assert np.abs(ndimage.uniform_filter(empty - expected, 64)[32:-32, 32:-32]).max() < 2
    assert np.var(empty - expected) == pytest.approx(np.mean(150 * illumination(0)) + 25, rel=0.03)


def test_the_true_gfp_is_what_the_camera_sees_without_noise() -> None:
    made = make_field("B12", 1)
    seen = (made.image[1].astype(float) - 100) / illumination(1) - 120
    index = np.arange(1, made.truth.count + 1)
    measured = ndimage.mean(seen, made.truth.labels, index)
    np.testing.assert_allclose(measured, made.truth.gfp, rtol=0.03)


def test_a_classical_segmentation_counts_every_well_within_two_percent() -> None:
    """On a third of the wells, all the special ones and all controls among them."""
    special = {plan.well for plan in PLANS if any(field_condition(plan.well, field) != "normal" for field in (1, 2))}
    chosen = [plan for index, plan in enumerate(PLANS) if plan.role != "sample" or plan.well in special or index % 9 == 4]
    measured: dict[str, float] = {}
    for plan in chosen:
        found, gfp = 0, []
        for field in range(1, FIELDS + 1):
            image = make_field(plan.well, field).image
            labels = segment(image[0])
            found += labels.max()
            gfp += list(ndimage.mean(image[1], labels, np.arange(1, labels.max() + 1)))
        truth = plate_truth().wells[plan.well].count
        assert abs(found - truth) <= 0.02 * truth, plan.well
        measured[plan.well] = float(np.mean(gfp))
    controls = [[measured[plan.well] for plan in chosen if plan.role == f"{kind} control"] for kind in ("positive", "negative")]
    assert z_prime(*controls) == pytest.approx(plate_truth().z_prime, abs=0.05)


def test_z_prime_follows_its_definition() -> None:
    assert z_prime([9, 10, 11], [0, 1, 2]) == pytest.approx(1 - 3 * (1 + 1) / 9)
    assert z_prime([0, 1, 2], [9, 10, 11]) == pytest.approx(1 - 3 * (1 + 1) / 9)
    assert 0.6 < plate_truth().z_prime < 0.9
    for positive, negative in (([1], [2, 3]), ([1, 2], []), ([1, 2], [1, 2])):
        with pytest.raises(ValueError, match="Z'"):
            z_prime(positive, negative)


def test_a_well_sums_its_fields() -> None:
    well = well_truth("B07")
    fields = [make_field("B07", field).truth for field in (1, 2)]
    assert well.counts == tuple(field.count for field in fields)
    assert well.counts[1] == 0
    assert well.mean_gfp == pytest.approx(float(np.concatenate([field.gfp for field in fields]).mean()))


def test_wells_and_fields_that_are_not_there() -> None:
    for well, field in (("A13", 1), ("I01", 1), ("A01", 0), ("A01", 3), ("nonsense", 1)):
        with pytest.raises(ValueError, match=r"no well|fields 1 to 2|name of a well"):
            make_field(well, field)
