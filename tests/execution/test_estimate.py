# SPDX-License-Identifier: AGPL-3.0-or-later
"""Estimates are arithmetic that can be done by hand."""

from __future__ import annotations

import pytest

from openhcs_client import FieldShape, FunctionCost, FunctionInfo, PipelineDocument, PipelineStep, PlateShape, WellKind
from openhcs_execution.engine import load_functions
from openhcs_execution.estimate import (
    ENGINE_MB,
    SECONDS_PER_MEGAPIXEL,
    WELL_SECONDS,
    MeasuredWells,
    Resources,
    estimate_run,
    warnings_about,
)

PLENTY = Resources(workers=2, memory_mb=8000, free_mb=50_000, well_time_limit=1800)
SEGMENT, INTENSITY = "omero_openhcs:segment_nuclei", "omero_openhcs:measure_nuclei_intensity"
PROJECT = "openhcs:create_projection"


def functions(**seconds: float) -> dict[str, FunctionInfo]:
    """The catalogue, with a cost for the functions whose short names are given and none for the others."""
    costs = {name: FunctionCost(seconds_per_megapixel=cost, memory_mb_per_megapixel=100) for name, cost in seconds.items()}
    return {info.id: info.model_copy(update={"cost": costs.get(info.id.rpartition(":")[2])}) for info in load_functions()}


def pipeline(*ids: str, **more: object) -> PipelineDocument:
    steps = [PipelineStep(name=function, function=function, **more) for function in ids]
    return PipelineDocument(id="p", name="P", steps=steps)


def plate(wells: int, fields: int = 4, edge: int = 1000, z: int = 1, channels: int = 2) -> PlateShape:
    field = FieldShape(size_x=edge, size_y=edge, size_z=z, pixel_type="uint16")
    names = tuple(f"A{number:02d}" for number in range(1, wells + 1))
    kind = WellKind(wells=names, fields=(field,) * fields)
    return PlateShape(plate_id=1, channels=tuple(f"c{number}" for number in range(channels)), kinds=(kind,))


def test_time_is_the_functions_cost_for_the_planes_they_look_at() -> None:
    """Four fields of one megapixel; segmenting and measuring look at one channel each."""
    costs = functions(segment_nuclei=0.5, measure_nuclei_intensity=0.1)
    estimate = estimate_run(pipeline(SEGMENT, INTENSITY), plate(10), costs, PLENTY)
    well = WELL_SECONDS + 4 * 0.5 + 4 * 0.1
    assert estimate.seconds_per_well == pytest.approx(well, rel=0.01)
    assert estimate.seconds == pytest.approx(10 * well / 2, rel=0.01)
    assert "measured cost" in estimate.basis


def test_focal_planes_cost_until_they_are_projected() -> None:
    costs = functions(segment_nuclei=0.5, create_projection=0.01)
    flat = estimate_run(pipeline(PROJECT, SEGMENT), plate(1), costs, PLENTY)
    deep = estimate_run(pipeline(PROJECT, SEGMENT), plate(1, z=10), costs, PLENTY)
    assert deep.seconds_per_well - flat.seconds_per_well == pytest.approx(4 * 9 * 0.01, rel=0.02)


def test_a_switched_off_step_costs_nothing() -> None:
    costs = functions(segment_nuclei=0.5, measure_nuclei_intensity=0.1)
    document = pipeline(SEGMENT, INTENSITY)
    document.steps[1].enabled = False
    alone = estimate_run(pipeline(SEGMENT), plate(3), costs, PLENTY)
    assert estimate_run(document, plate(3), costs, PLENTY) == alone


def test_one_well_takes_as_long_with_many_workers() -> None:
    costs = functions(segment_nuclei=0.5)
    estimate = estimate_run(pipeline(SEGMENT), plate(1), costs, PLENTY)
    assert estimate.seconds == estimate.seconds_per_well


def test_what_was_measured_on_the_plate_beats_the_catalogue() -> None:
    costs = functions(segment_nuclei=0.5)
    estimate = estimate_run(pipeline(SEGMENT), plate(10), costs, PLENTY, MeasuredWells(seconds=8.0, count=3))
    assert (estimate.seconds_per_well, estimate.seconds) == (8.0, 40.0)
    assert estimate.basis == "measured on 3 wells of this plate"


def test_other_plates_count_by_their_size_where_a_cost_is_missing() -> None:
    elsewhere = MeasuredWells(seconds=WELL_SECONDS + 2.0, count=5, megapixels=1.0)
    estimate = estimate_run(pipeline(SEGMENT), plate(10), functions(), PLENTY, elsewhere)
    assert estimate.seconds_per_well == pytest.approx(WELL_SECONDS + 4 * 2.0, rel=0.01)
    assert "other plates" in estimate.basis
    known = estimate_run(pipeline(SEGMENT), plate(10), functions(segment_nuclei=0.5), PLENTY, elsewhere)
    assert "measured cost" in known.basis


def test_without_anything_measured_it_says_that_it_guesses() -> None:
    estimate = estimate_run(pipeline(SEGMENT), plate(10), functions(), PLENTY)
    assert estimate.seconds_per_well == pytest.approx(WELL_SECONDS + 4 * SECONDS_PER_MEGAPIXEL, rel=0.01)
    assert "rough guess" in estimate.basis


def test_memory_and_output() -> None:
    """Two channels of four uint16 fields, a label image of int32, 100 MB for the function; labels of ten wells on disk."""
    estimate = estimate_run(pipeline(SEGMENT), plate(10), functions(segment_nuclei=0.5), PLENTY)
    assert estimate.memory_mb == pytest.approx(ENGINE_MB + 2 * 4 * 2 + 4 * 4 + 100, abs=1)
    assert estimate.output_mb == pytest.approx(10 * (4 * 4 + 0.1), rel=0.01)
    nothing_drawn = estimate_run(pipeline("omero_openhcs:measure_field_intensity"), plate(10), functions(), PLENTY)
    assert nothing_drawn.output_mb == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        (Resources(2, 300, 50_000, 1800), "memory"),
        (Resources(2, 8000, 1, 1800), "disk"),
        (Resources(2, 8000, 50_000, 1), "stopped after 1"),
    ],
)
def test_what_is_scarce_is_said(resources: Resources, said: str) -> None:
    estimate = estimate_run(pipeline(SEGMENT), plate(10), functions(segment_nuclei=0.5), resources)
    [warning] = warnings_about(estimate, resources)
    assert said in warning
    assert warnings_about(estimate, PLENTY) == []


def test_a_long_run_is_said() -> None:
    estimate = estimate_run(pipeline(SEGMENT), plate(99, fields=99), functions(segment_nuclei=9.0), PLENTY)
    assert any("12 hours" in warning for warning in warnings_about(estimate, PLENTY))
