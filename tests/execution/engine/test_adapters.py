# SPDX-License-Identifier: AGPL-3.0-or-later
"""What adapters promise for any function: types kept, planes apart, nothing stretched. No OpenHCS here."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openhcs_client import OpenHCSError
from openhcs_execution.engine.adapters.calls import import_function
from openhcs_execution.engine.adapters.kinds import Asked, adapt
from openhcs_execution.engine.candidates import Candidate, Gives, Grey, Kind, Takes, candidates

DTYPES = ("uint8", "uint16", "float32")


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Functions to adapt, importable as ``skimage.toys``."""
    toys = SimpleNamespace(
        same=lambda plane: plane,
        half=lambda plane: plane / 2,
        negative=lambda plane: -plane.astype(np.float64),
        stretched=lambda plane: plane * 1e9,
        nan=lambda plane: plane * np.nan,
        smaller=lambda plane: plane[:-1],
        text=lambda plane: "no image",
        bright=lambda plane: plane > plane.mean(),
        gaps=lambda plane: np.where(plane > 100, 7, 0),
        means=lambda labels, plane: {"mean": np.array([plane[labels == label].mean() for label in range(1, labels.max() + 1)])},
        too_few=lambda labels, plane: {"mean": np.zeros(labels.max() + 1)},
        number=lambda plane: float(plane.mean()),
        two=lambda plane: (1.0, 2.0),
        together=lambda fields: fields - fields.mean(axis=0),
    )
    monkeypatch.setitem(sys.modules, "skimage.toys", toys)
    return toys


def candidate(name: str, kind: Kind = Kind.IMAGE, **more: Any) -> Candidate:
    return Candidate(f"skimage:toys.{name}", kind, name, "objects", "", f"skimage.toys.{name}", **more)


planes = st.builds(
    lambda dtype, seed, channels: np.random.default_rng(seed).integers(0, 250, (channels, 6, 7)).astype(dtype),
    st.sampled_from(DTYPES), st.integers(0, 99), st.integers(1, 3),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(planes, st.sampled_from(list(Takes)), st.data())
def test_only_chosen_channels_change_and_the_type_stays(image: np.ndarray, takes: Takes, data: st.DataObject) -> None:
    channel = data.draw(st.integers(1, len(image)))
    [result] = adapt(
        Asked(candidate("half", takes=takes if takes is not Takes.MASK else Takes.FLOAT), image, channels=(channel,))
    )
    assert result.dtype == image.dtype
    for index in range(len(image)):
        if index != channel - 1:
            assert np.array_equal(result[index], image[index])
    rounding = 0.51 if image.dtype.kind == "u" else 1e-3
    assert np.abs(result[channel - 1] - image[channel - 1] / 2).max() <= rounding


@settings(max_examples=40, deadline=None)
@given(planes, st.sampled_from([Takes.FLOAT, Takes.UNIT, Takes.SAME, Takes.STACK, Takes.FLOAT_STACK]))
def test_a_function_that_does_nothing_changes_nothing(image: np.ndarray, takes: Takes) -> None:
    [result] = adapt(Asked(candidate("same", takes=takes), image))
    assert result.dtype == image.dtype
    assert np.allclose(result, image, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_what_a_type_cannot_hold_is_clipped_never_stretched_or_wrapped(dtype: str) -> None:
    image = np.array([[[0, 3, 200]]], dtype)
    assert adapt(Asked(candidate("negative"), image))[0].max() == 0
    assert adapt(Asked(candidate("stretched"), image))[0].tolist() == [[[0, np.iinfo(dtype).max, np.iinfo(dtype).max]]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_decimals_and_masks(dtype: str) -> None:
    image = np.array([[[0, 4, 200]]], dtype)
    [result] = adapt(Asked(candidate("negative", gives=Gives.FLOAT32), image))
    assert (result.dtype, result.tolist()) == (np.float32, [[[0, -4, -200]]])
    [mask] = adapt(Asked(candidate("bright", gives=Gives.MASK, grey=Grey.MASK), image))
    assert (mask.dtype, mask.tolist()) == (np.dtype(dtype), [[[0, 0, 1]]])


@pytest.mark.parametrize("name", ["smaller", "text"])
def test_an_answer_that_is_no_image_of_the_same_size_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match="the function turned"):
        adapt(Asked(candidate(name), np.ones((1, 4, 4), np.uint16)))


def test_a_score_is_never_nan() -> None:
    [result] = adapt(Asked(candidate("nan", gives=Gives.SCORE), np.ones((1, 4, 4), np.uint16)))
    assert not result.any()


def test_pixels_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(OpenHCSError, match="not a number"):
        adapt(Asked(candidate("same"), np.full((1, 3, 3), np.nan, np.float32)))


def test_objects_are_numbered_without_gaps_and_counted() -> None:
    image = np.zeros((1, 20, 20), np.uint16)
    image[0, 2:8, 2:8] = 200
    asked = Asked(candidate("gaps", Kind.OBJECTS), image, names={"name": "cells"}, parameters={"channel": 1, "smallest": 5})
    same, labels, measured = adapt(asked)
    assert same is image
    assert (labels.dtype, labels.max()) == (np.int32, 1)
    assert (measured.kind, measured.counts, measured.objects["cells_area"].tolist()) == ("cells", {"cells_count": 1}, [36.0])
    small = Asked(asked.candidate, image, names={"name": "cells"}, parameters={"channel": 1, "smallest": 37})
    assert adapt(small)[2].counts == {"cells_count": 0}


def test_columns_carry_the_names_of_objects_and_measurement() -> None:
    labels = np.array([[1, 1, 0], [2, 2, 0]], np.int32)
    image = np.array([[[10, 20, 99], [30, 50, 99]]], np.uint16)
    asked = Asked(
        candidate("means", Kind.MEASURE_OBJECTS),
        image,
        {"objects": labels},
        {"objects": "cells", "name": "gfp"},
        {"channel": 1},
    )
    _, measured = adapt(asked)
    assert measured.objects["cells_gfp_mean"].tolist() == [15, 40]
    none = Asked(asked.candidate, image, {"objects": np.zeros_like(labels)}, asked.names, asked.parameters)
    assert adapt(none)[1].objects.keys() == {"label"}


def test_a_function_that_loses_objects_is_refused() -> None:
    labels = np.array([[1, 1, 0], [2, 2, 0]], np.int32)
    asked = Asked(
        candidate("too_few", Kind.MEASURE_OBJECTS), np.ones((1, 2, 3), np.uint16), {"objects": labels},
        {"objects": "cells", "name": "gfp"}, {"channel": 1},
    )  # fmt: skip
    with pytest.raises(TypeError, match="3 values of mean for 2 objects"):
        adapt(asked)


def test_numbers_of_a_field_have_the_names_of_the_table() -> None:
    image = np.full((2, 4, 4), 7, np.uint16)
    names, parameters = {"name": "field"}, {"channel": 2}
    one = Asked(candidate("number", Kind.MEASURE_FIELD, columns=("mean",)), image, names=names, parameters=parameters)
    assert adapt(one)[1].values == {"field_mean": 7.0}
    with pytest.raises(TypeError, match="2 numbers rather than 1"):
        adapt(Asked(candidate("two", Kind.MEASURE_FIELD, columns=("mean",)), image, names=names, parameters=parameters))


def test_fields_of_a_well_are_grouped_by_channel() -> None:
    # Two fields of two channels, field by field: planes of one value each.
    image = np.stack([np.full((2, 2), value, np.float32) for value in (10, 100, 30, 500)])
    well = candidate("together", Kind.WELL_IMAGE)
    [result] = adapt(Asked(well, image, channels_per_field=2))
    assert result[:, 0, 0].tolist() == [-10, -200, 10, 200]
    [only] = adapt(Asked(well, image, channels=(2,), channels_per_field=2))
    assert only[:, 0, 0].tolist() == [10, -200, 30, 200]


@pytest.mark.parametrize("channels_per_field", [0, 3])
def test_a_well_without_its_number_of_channels_is_refused_rather_than_guessed(channels_per_field: int) -> None:
    with pytest.raises(OpenHCSError, match="how many channels"):
        adapt(Asked(candidate("together", Kind.WELL_IMAGE), np.ones((4, 2, 2)), channels_per_field=channels_per_field))


@pytest.mark.parametrize("name", ["filters.gaussian", "filters.sobel", "filters.median", "morphology.white_tophat"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_scikit_image_in_two_dimensions_without_stretching(name: str, dtype: str) -> None:
    """The same as the function itself on the same plane with decimals, rounded."""
    plane = (np.random.default_rng(1).poisson(60, (24, 24)) + 20).astype(dtype)
    asked = candidates()[f"skimage:{name}"]
    parameters = {"sigma": 1.5} if "gaussian" in name else {"radius": 2} if asked.footprint else {}
    other = np.full_like(plane, 255)
    [result] = adapt(Asked(asked, np.stack([plane, other]), parameters=parameters))
    function = import_function(asked.import_path)
    from skimage.morphology import disk

    arguments = {"footprint": disk(2)} if asked.footprint else dict(parameters)
    expected = function(plane.astype(np.float32), **arguments, **asked.fixed)
    assert result.dtype == dtype
    assert np.abs(result[0] - np.clip(expected, 0, None)).max() <= 0.51, "rounded and nothing else"
