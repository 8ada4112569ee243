# SPDX-License-Identifier: AGPL-3.0-or-later
"""Wells through the real engine: what comes back, and how each way of failing is said."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omero_sandbox.demo.synthetic import make_field, plate_truth, z_prime
from openhcs_client import FailureClass, PipelineStep
from openhcs_execution.engine import EngineJob, EngineLine, EngineProcess, EngineProgress, EngineResult

from .conftest import PIPELINES, built_in, discs, document, noisy, step

pytestmark = pytest.mark.engine

MakeJob = Callable[..., EngineJob]
COUNT = document(step("omero_openhcs:segment_nuclei"))
PAIR = [(30.0, 30.0), (30.0, 47.0)]


def run(engine: EngineProcess, job: EngineJob) -> EngineResult:
    return engine.run(job, lambda progress: None)


def synthetic_well(well: str) -> dict[tuple[int, int, int], np.ndarray]:
    return {(field, channel, 1): make_field(well, field).image[channel - 1] for field in (1, 2) for channel in (1, 2)}


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_built_in_pipelines_measure_what_they_say(engine: EngineProcess, make_job: MakeJob, pipeline: str) -> None:
    job = make_job(built_in(pipeline), synthetic_well("B07"), well="AF48", channels=("DAPI", "GFP"))  # field 2 is empty
    result = run(engine, job)
    assert result.failure is None
    assert result.well == "AF48"
    assert result.fields_table is not None
    assert result.objects_table is not None
    fields, objects = pd.read_parquet(result.fields_table), pd.read_parquet(result.objects_table)
    described = {
        level: {m.name for m in job.document.measurements if m.level == level} for level in ("well", "field", "object")
    }
    assert set(result.well_measurements) == described["well"]
    assert set(fields.columns) == described["field"] | {"well", "field"}
    position = {"well", "field", "object", "label", "centroid_y", "centroid_x", "touches_border"}
    assert set(objects.columns) == described["object"] | position
    assert job.document.primary_measurement in result.well_measurements
    assert list(fields["field"]) == [1, 2]
    for table in (fields, objects):
        assert set(table["well"]) == {"AF48"}
        assert all(table[name].dtype.kind in "iuf" for name in table.columns.difference(["well", "object"]))
    assert sorted(path.name for path in job.output.iterdir() if path.suffix != ".npy") == ["fields.parquet", "objects.parquet"]


def test_tables_labels_and_truth_agree(engine: EngineProcess, make_job: MakeJob) -> None:
    result = run(engine, make_job(built_in("colocalisation"), synthetic_well("B07"), channels=("DAPI", "GFP")))
    truth = make_field("B07", 1).truth
    assert result.fields_table is not None
    assert result.objects_table is not None
    fields, objects = pd.read_parquet(result.fields_table), pd.read_parquet(result.objects_table)
    assert [(label.field, label.name, label.objects) for label in result.labels] == [
        (1, "nuclei", truth.count),
        (2, "nuclei", 0),
    ]
    assert list(fields["nuclei_count"]) == [truth.count, 0]
    assert result.well_measurements["nuclei_count"] == truth.count
    # A mean over no objects is missing, in the field and not only there, and it does not pull the well's mean down.
    assert np.isnan(fields["marker_mean"][1])
    assert result.well_measurements["marker_mean"] == pytest.approx(objects["marker_mean"].mean())
    labels = np.load(result.labels[0].path)
    assert labels.dtype == np.int32
    assert labels.shape == truth.labels.shape
    for _, row in objects.iterrows():
        inside = np.argwhere(labels == row["label"])
        np.testing.assert_allclose(inside.mean(axis=0), [row["centroid_y"], row["centroid_x"]])
        assert len(inside) == row["area"]


def test_z_prime_of_the_controls_is_that_of_the_truth(engine: EngineProcess, make_job: MakeJob) -> None:
    marker: dict[str, list[float]] = {"negative control": [], "positive control": []}
    for truth in plate_truth().wells.values():
        if truth.plan.role in marker:
            well = truth.plan.well
            result = run(
                engine, make_job(built_in("colocalisation"), synthetic_well(well), well=well, channels=("DAPI", "GFP"))
            )
            assert abs((result.well_measurements["nuclei_count"] or 0) - truth.count) <= 0.02 * truth.count, well
            marker[truth.plan.role].append(result.well_measurements["marker_mean"] or 0.0)
    measured = z_prime(marker["positive control"], marker["negative control"])
    assert measured == pytest.approx(plate_truth().z_prime, abs=0.05)


def test_the_same_well_twice_gives_the_same(engine: EngineProcess, make_job: MakeJob) -> None:
    planes = {(1, 1, 1): noisy(discs((64, 96), PAIR, 8, 1500))}
    first, second = (run(engine, make_job(COUNT, planes)) for _ in range(2))
    assert first.well_measurements == second.well_measurements
    np.testing.assert_array_equal(np.load(first.labels[0].path), np.load(second.labels[0].path))


def test_nothing_of_the_last_well_is_left_for_the_next(engine: EngineProcess, make_job: MakeJob) -> None:
    many = {(field, 1, 1): noisy(discs((64, 96), PAIR, 8, 1500)) for field in (1, 2, 3)}
    none = {(2, 1, 1): noisy(np.zeros((50, 60)))}
    assert run(engine, make_job(COUNT, many, well="A01")).well_measurements["nuclei_count"] == 6
    result = run(engine, make_job(COUNT, none, well="A01"))
    assert result.well_measurements["nuclei_count"] == 0
    assert [label.field for label in result.labels] == [2]


def test_what_openhcs_says_of_a_well_is_handed_on_without_folders(engine: EngineProcess, make_job: MakeJob) -> None:
    said: list[EngineLine] = []
    job = make_job(document(step("omero_openhcs:segment_nuclei")), {(1, 1, 1): noisy(np.zeros((32, 32)))})
    engine.run(job, lambda progress: None, on_lines=said.extend)
    assert said
    assert not any(str(job.planes.parent) in line.text or "/tmp/" in line.text for line in said)


def test_progress_is_told_while_it_happens(engine: EngineProcess, make_job: MakeJob) -> None:
    told: list[EngineProgress] = []
    pipeline = document(step("omero_openhcs:segment_nuclei"), step("omero_openhcs:measure_nuclei_intensity"))
    engine.run(make_job(pipeline, {(1, 1, 1): noisy(np.zeros((32, 32)))}), told.append)
    assert [(progress.step, progress.step_count, progress.step_name) for progress in told] == [
        (1, 2, "segment_nuclei"),
        (2, 2, "measure_nuclei_intensity"),
    ]


def test_fields_of_different_content_do_not_mix(engine: EngineProcess, make_job: MakeJob) -> None:
    """An empty field beside a crowded one, with everything that touches images in between."""
    pipeline = document(
        PipelineStep(name="Blur", function="openhcs:gaussian_blur", parameters={"sigma": 2.0}),
        PipelineStep(name="Background", function="openhcs:tophat", parameters={"selem_radius": 20}),
        step("omero_openhcs:segment_nuclei"),
        step("omero_openhcs:measure_field_intensity"),
    )
    bright = noisy(discs((96, 96), [(y, x) for y in (20, 48, 76) for x in (20, 48, 76)], 9, 3000))
    result = run(engine, make_job(pipeline, {(1, 1, 1): bright, (2, 1, 1): np.zeros((96, 96), np.uint16)}))
    assert result.fields_table is not None
    fields = pd.read_parquet(result.fields_table).set_index("field")
    assert list(fields["nuclei_count"]) == [9, 0]
    assert fields["field_mean"][2] == 0
    assert fields["field_high"][2] == 0


def test_focal_planes_are_projected(engine: EngineProcess, make_job: MakeJob) -> None:
    dark, light = noisy(np.zeros((64, 96))), noisy(discs((64, 96), PAIR, 8, 1500))
    planes = {(1, 1, 1): dark, (1, 1, 2): light, (1, 1, 3): dark}
    assert run(engine, make_job(built_in("nuclei-count"), planes)).well_measurements["nuclei_count"] == 2
    failure = run(engine, make_job(COUNT, planes)).failure
    assert failure is not None
    assert failure.cause == FailureClass.BAD_INPUT
    assert "3 focal planes" in failure.message


def test_channels_by_name(engine: EngineProcess, make_job: MakeJob) -> None:
    planes = {(1, 1, 1): noisy(np.zeros((64, 96))), (1, 2, 1): noisy(discs((64, 96), PAIR, 8, 1500))}
    for channel, count in (("GFP", 2), ("DAPI", 0), (2, 2)):
        pipeline = document(step("omero_openhcs:segment_nuclei", channel=channel))
        assert run(engine, make_job(pipeline, planes, channels=("DAPI", "GFP"))).well_measurements["nuclei_count"] == count


def test_a_read_only_source_is_never_touched(engine: EngineProcess, make_job: MakeJob, tmp_path: Path) -> None:
    """Planes are staged from a folder that cannot be written; even the staging folder is only read by OpenHCS."""
    job = make_job(COUNT, {(1, 1, 1): noisy(np.zeros((32, 32)))})
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in job.planes.rglob("*")}
    for folder in (job.planes, job.planes / "images"):
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert run(engine, job).failure is None
        after = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in job.planes.rglob("*")}
        assert after == before
    finally:
        for folder in (job.planes, job.planes / "images"):
            folder.chmod(stat.S_IRWXU)


def assert_failed(result: EngineResult, cause: FailureClass, *words: str) -> None:
    assert result.failure is not None
    assert result.failure.cause == cause, result.failure.traceback
    for word in words:
        assert word in result.failure.message
    assert result.failure.remedy.endswith(".")
    assert "Traceback" not in result.failure.message
    assert result.fields_table is None
    assert result.labels == []


def test_a_damaged_image(engine: EngineProcess, make_job: MakeJob) -> None:
    job = make_job(COUNT, {(1, 1, 1): noisy(np.zeros((64, 64))), (2, 1, 1): noisy(np.zeros((64, 64)))}, well="C03")
    (job.planes / "images" / "C03_s002_w1_z001_t001.tif").write_bytes(b"this is not an image")
    result = run(engine, job)
    assert_failed(result, FailureClass.BAD_INPUT, "C03", "damaged")
    assert result.failure is not None
    assert "Traceback" in result.failure.traceback


def test_a_truncated_image(engine: EngineProcess, make_job: MakeJob) -> None:
    job = make_job(COUNT, {(1, 1, 1): noisy(np.zeros((64, 64)))})
    path = job.planes / "images" / "A01_s001_w1_z001_t001.tif"
    path.write_bytes(path.read_bytes()[:2000])
    assert_failed(run(engine, job), FailureClass.BAD_INPUT)


def test_a_vanished_image(engine: EngineProcess, make_job: MakeJob) -> None:
    job = make_job(COUNT, {(1, 1, 1): noisy(np.zeros((64, 64))), (2, 1, 1): noisy(np.zeros((64, 64)))})
    (job.planes / "images" / "A01_s002_w1_z001_t001.tif").unlink()
    assert run(engine, job).failure is not None


def test_a_missing_channel_or_field(engine: EngineProcess, make_job: MakeJob) -> None:
    plane = noisy(np.zeros((32, 32)))
    one = make_job(COUNT, {(1, 1, 1): plane, (1, 2, 1): plane, (2, 1, 1): plane}, channels=("DAPI", "GFP"))
    assert_failed(run(engine, one), FailureClass.BAD_INPUT, "GFP", "field 2")
    other = make_job(COUNT, {(1, 1, 1): plane}).model_copy(update={"fields": [1, 2]})
    assert_failed(run(engine, other), FailureClass.BAD_INPUT, "field 2")


def test_a_well_that_is_not_staged_is_not_lost_in_silence(engine: EngineProcess, make_job: MakeJob) -> None:
    job = make_job(COUNT, {(1, 1, 1): noisy(np.zeros((32, 32)))}).model_copy(update={"well": "H12"})
    assert_failed(run(engine, job), FailureClass.BAD_INPUT, "H12")


def test_fields_of_different_size_still_work_one_by_one(engine: EngineProcess, make_job: MakeJob) -> None:
    planes = {(1, 1, 1): noisy(discs((64, 96), PAIR, 8, 1500)), (2, 1, 1): noisy(np.zeros((50, 50)))}
    assert run(engine, make_job(COUNT, planes)).well_measurements["nuclei_count"] == 2


def test_fields_of_different_size_cannot_share_an_illumination(engine: EngineProcess, make_job: MakeJob) -> None:
    planes = {(1, 1, 1): noisy(np.zeros((64, 96))), (2, 1, 1): noisy(np.zeros((50, 50)))}
    assert_failed(run(engine, make_job(built_in("illumination-intensity"), planes)), FailureClass.BAD_INPUT, "differ in size")


def test_a_pipeline_that_is_not_valid(engine: EngineProcess, make_job: MakeJob) -> None:
    planes = {(1, 1, 1): noisy(np.zeros((32, 32)))}
    for pipeline in (document(step("os:system")), document(step("omero_openhcs:segment_nuclei", diameter=-1.0))):
        assert run(engine, make_job(pipeline, planes)).failure is not None
    assert run(engine, make_job(COUNT, planes)).failure is None


def test_pixels_that_are_no_numbers(engine: EngineProcess, make_job: MakeJob) -> None:
    pixels = np.full((64, 64), np.nan, np.float32)
    assert_failed(run(engine, make_job(COUNT, {(1, 1, 1): pixels})), FailureClass.BAD_INPUT, "not a number")


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="needs /dev/full")
def test_no_room_for_the_results(engine: EngineProcess, make_job: MakeJob) -> None:
    """The kernel's own full device in place of a table."""
    job = make_job(COUNT, {(1, 1, 1): noisy(np.zeros((32, 32)))})
    job.output.mkdir(parents=True)
    (job.output / "fields.parquet").symlink_to("/dev/full")
    assert_failed(run(engine, job), FailureClass.DISK_FULL, "full")


def test_versions(engine: EngineProcess) -> None:
    assert engine.versions()["openhcs"] == "0.8.6"
