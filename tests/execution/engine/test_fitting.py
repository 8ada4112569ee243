# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether a pipeline fits the images of the wells is known before one of them is read."""

from __future__ import annotations

import pytest

from openhcs_client import FieldShape, PipelineStep, PlateShape, WellKind
from openhcs_execution.engine import find_misfits

from .conftest import built_in, document, step

PROJECT, SEGMENT = "openhcs:create_projection", "omero_openhcs:segment_nuclei"
ILLUMINATION, BLUR = "omero_openhcs:correct_illumination", "openhcs:gaussian_blur"


def field(**changes: object) -> FieldShape:
    return FieldShape.model_validate({"size_x": 64, "size_y": 48, "pixel_type": "uint16"} | changes)


def plate(*kinds: tuple[FieldShape, ...]) -> PlateShape:
    """One well of each kind, called A01, A02, …"""
    wells = [WellKind(wells=(f"A{number:02d}",), fields=fields) for number, fields in enumerate(kinds, start=1)]
    return PlateShape(plate_id=1, channels=("DAPI",), kinds=tuple(wells))


def found(steps: list[PipelineStep], *kinds: tuple[FieldShape, ...]) -> list[tuple[str, str]]:
    return [(misfit.code, misfit.path) for misfit in find_misfits(document(*steps), plate(*kinds))]


def test_ordinary_wells_fit() -> None:
    for name in ("nuclei-count", "spot-count", "illumination-intensity"):
        assert find_misfits(built_in(name), plate((field(),), (field(), field()), (field(size_z=5),))) == []


def test_time_series_are_named() -> None:
    [misfit] = find_misfits(document(step(SEGMENT)), plate((field(),), (field(), field(size_t=3))))
    assert (misfit.code, misfit.path) == ("time_series", "wells")
    assert "A02" in misfit.message and "A01" not in misfit.message


def test_fields_with_unlike_stacks() -> None:
    assert found([step(PROJECT), step(SEGMENT)], (field(size_z=2), field())) == [("stacks_differ", "wells")]


@pytest.mark.parametrize(
    ("steps", "where"),
    [
        ([step(SEGMENT)], "steps.0.function"),
        ([step(BLUR), step(SEGMENT)], "steps.1.function"),
        ([step(SEGMENT), step(PROJECT)], "steps.0.function"),
        ([step(PROJECT), step(SEGMENT).model_copy(update={"input": "start"})], "steps.1.function"),
        ([step(PROJECT).model_copy(update={"enabled": False}), step(SEGMENT)], "steps.1.function"),
    ],
)
def test_a_stack_must_be_projected_before_it_is_measured(steps: list[PipelineStep], where: str) -> None:
    assert found(steps, (field(size_z=3),)) == [("too_many_planes", where)]
    assert found(steps, (field(),)) == []


def test_filters_may_come_before_the_projection() -> None:
    assert found([step(BLUR), step(PROJECT), step(SEGMENT)], (field(size_z=3),)) == []


def test_fields_of_different_size_matter_only_to_steps_that_see_them_together() -> None:
    uneven = (field(), field(size_x=32))
    assert found([step(ILLUMINATION), step(SEGMENT)], uneven) == [("sizes_differ", "steps.0.function")]
    assert found([step(SEGMENT)], uneven) == []
    # Wells may differ from each other.
    assert found([step(ILLUMINATION), step(SEGMENT)], (field(),), (field(size_x=32),)) == []
