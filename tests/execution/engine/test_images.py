# SPDX-License-Identifier: AGPL-3.0-or-later
"""The images as the last step leaves them: kept when that is asked for, in their own type and place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from openhcs_client import OpenHCSError
from openhcs_execution.engine import EngineJob, EngineProcess
from openhcs_execution.engine.images import take_images

from .conftest import document, noisy, step


def well_images(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for number, name in enumerate(names):
        tifffile.imwrite(folder / name, np.full((4, 6), number, np.float32))
    return folder


def test_images_are_taken_over_by_field_and_channel(tmp_path: Path) -> None:
    names = [f"B03_s00{field}_w{channel}_z001_t001.tif" for field in (1, 2) for channel in (1, 2)]
    scratch = well_images(tmp_path / "scratch" / "planes_openhcs" / "images", *names)
    taken = take_images(tmp_path / "scratch", "B03", [1, 2], tmp_path / "output")
    assert [(image.field, image.channel) for image in taken] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    for number, image in enumerate(taken):
        array = np.load(image.path, allow_pickle=False)
        assert array.dtype == np.float32
        assert (array == number).all()
    assert not list(scratch.iterdir())


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["B03_s001_w1_z001_t001.tif"], "fields_missing"),
        (["B03_s001_w1_z001_t001.tif", "B03_s001_w1_z002_t001.tif"], "too_many_planes"),
        (["C03_s001_w1_z001_t001.tif"], "too_many_planes"),
    ],
)
def test_what_is_not_one_plane_for_each_field_is_refused(tmp_path: Path, names: list[str], code: str) -> None:
    well_images(tmp_path / "scratch", *names)
    with pytest.raises(OpenHCSError) as caught:
        take_images(tmp_path / "scratch", "B03", [1, 2], tmp_path / "output")
    assert caught.value.code == code


@pytest.mark.engine
@pytest.mark.parametrize("keep", [True, False])
def test_the_engine_gives_smoothed_images_only_when_asked(
    engine: EngineProcess, make_job: Callable[..., EngineJob], keep: bool
) -> None:
    blur_and_measure = document(step("openhcs:gaussian_blur", sigma=3.0), step("omero_openhcs:measure_field_intensity"))
    original = noisy(np.zeros((64, 80)))
    planes = {(field, channel, 1): original + 100 * channel for field in (1, 2) for channel in (1, 2)}
    job = make_job(blur_and_measure, planes, channels=("DAPI", "GFP")).model_copy(update={"keep_images": keep})
    result = engine.run(job, lambda progress: None)
    assert result.failure is None
    assert [(image.field, image.channel) for image in result.images] == ([(1, 1), (1, 2), (2, 1), (2, 2)] if keep else [])
    for image in result.images:
        pixels = np.load(image.path, allow_pickle=False)
        source = planes[image.field, image.channel, 1]
        assert pixels.shape == source.shape
        assert pixels.mean() == pytest.approx(source.mean(), rel=0.01)
        assert pixels.std() < source.std() / 3


@pytest.mark.engine
def test_what_a_killed_engine_left_does_not_pass_for_an_image_of_the_next_well(
    engine: EngineProcess, make_job: Callable[..., EngineJob]
) -> None:
    blur = document(step("openhcs:gaussian_blur", sigma=3.0), step("omero_openhcs:measure_field_intensity"))
    job = make_job(blur, {(1, 1, 1): noisy(np.zeros((64, 80)))}).model_copy(update={"keep_images": True})
    left = job.scratch / "planes_openhcs" / "images" / "A01_s002_w1_z001_t001.tif"
    left.parent.mkdir(parents=True)
    tifffile.imwrite(left, np.full((8, 8), 7, np.uint16))
    result = engine.run(job, lambda progress: None)
    assert result.failure is None
    assert [image.field for image in result.images] == [1]
    assert not job.scratch.exists()
