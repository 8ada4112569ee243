# SPDX-License-Identifier: AGPL-3.0-or-later
"""The catalogue that ships: what it offers, what it says, what it was tested with; and pipelines made of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from openhcs_client import PipelineStep
from openhcs_execution.engine import (
    EngineJob,
    EngineProcess,
    catalogue_source,
    check_document,
    choose_catalogue,
    load_functions,
)
from openhcs_execution.engine.build import packaged_catalogue, table_of
from openhcs_execution.engine.candidates import CATEGORIES, EXCLUDED, Kind, candidates
from openhcs_execution.engine.catalogue import CATALOGUE_FILE, CatalogueEntry, catalogue_entry, installed_versions, use_entries
from openhcs_execution.engine.naming import name_parameters

from .conftest import discs, document, noisy, step

REPOSITORY = Path(__file__).resolve().parents[3]
OFFERED = [info for info in load_functions() if info.offered]


def test_more_than_a_hundred_functions_of_every_category_are_offered() -> None:
    assert len(OFFERED) >= 150
    assert {info.category for info in OFFERED} == set(CATEGORIES)


def test_the_shipped_catalogue_was_tested_with_what_is_installed() -> None:
    source = catalogue_source()
    assert source.differences == {}
    assert source.versions["openhcs"] == "0.8.6"


def test_every_function_of_openhcs_is_listed_offered_or_with_a_reason() -> None:
    infos = {info.id: info for info in load_functions()}
    upstream = [name for name in infos if name.startswith(("skimage:", "openhcs:"))]
    assert len(upstream) == 265, "OpenHCS 0.8.6 registers 265 functions, three of which have shorter ids here"
    for info in infos.values():
        assert info.offered or len(info.reason) > 15, info.id
        assert info.help or not info.offered, info.id
        assert info.import_path, info.id
    assert all(not infos[name].offered and infos[name].reason == reason for name, reason in EXCLUDED.items())


@pytest.mark.parametrize(
    "name",
    ["run_imagej_macro", "save_images", "export_to_database", "export_to_spreadsheet", "match_template"],
)
def test_what_touches_files_or_programs_is_never_offered(name: str) -> None:
    function = f"openhcs:cellprofiler_{name}"
    assert function not in candidates()
    errors = check_document(document(step(function), step("omero_openhcs:segment_nuclei")), None).field_errors
    assert "cannot be used" in errors["steps.0.function"]


def test_an_excluded_function_is_no_candidate() -> None:
    assert not EXCLUDED.keys() & candidates().keys()


def test_candidates_are_imported_from_the_three_known_places_only() -> None:
    beginnings = ("skimage.", "openhcs.processing.backends.", "openhcs_execution.engine.imaging.")
    assert [candidate.id for candidate in candidates().values() if not candidate.import_path.startswith(beginnings)] == []


def test_what_is_offered_is_described() -> None:
    for info in OFFERED:
        assert info.cost is not None, info.id
        for parameter in info.parameters:
            assert parameter.help, (info.id, parameter.name)
            if parameter.type == "choice":
                assert parameter.default in (parameter.choices or []), (info.id, parameter.name)
            if parameter.type in ("integer", "number"):
                assert parameter.minimum is not None, (info.id, parameter.name)
                assert parameter.maximum is not None, (info.id, parameter.name)


def test_inferred_types_are_marked() -> None:
    gaussian = catalogue_entry("skimage:filters.gaussian")
    assert gaussian.parameter("sigma").inferred, "scikit-image does not annotate it"
    assert not catalogue_entry("openhcs:cellprofiler_gaussian_filter").parameter("sigma").inferred, "OpenHCS does"


def test_restrictable_functions_change_images_only() -> None:
    for info in OFFERED:
        assert not info.restrictable or info.outputs == ["image"], info.id


def test_the_table_of_the_documentation_is_that_of_the_shipped_catalogue() -> None:
    content = json.loads(packaged_catalogue().read_text(encoding="utf-8"))
    assert (REPOSITORY / "docs" / "functions.md").read_text(encoding="utf-8") == table_of(content)


@pytest.fixture
def one_entry(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Write a catalogue of one function, tested with some versions."""

    def write(versions: dict[str, str]) -> Path:
        entry = catalogue_entry("skimage:filters.gaussian").to_json()
        (tmp_path / "catalogue.json").write_text(json.dumps({"versions": versions, "functions": [entry]}), encoding="utf-8")
        return tmp_path

    return write


def test_a_catalogue_built_with_the_installed_versions_takes_precedence(
    one_entry: Callable[[dict[str, str]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CATALOGUE_FILE, raising=False)
    try:
        choose_catalogue(one_entry(installed_versions()))
        assert [info.id for info in load_functions()] == ["skimage:filters.gaussian"]
        assert catalogue_source().differences == {}
    finally:
        _packaged_again()


def test_a_catalogue_of_other_versions_does_not_replace_the_packaged_one(
    one_entry: Callable[[dict[str, str]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CATALOGUE_FILE, raising=False)
    try:
        choose_catalogue(one_entry(installed_versions() | {"openhcs": "0.8.5"}))
        assert len(load_functions()) > 100
    finally:
        _packaged_again()


def test_other_versions_than_the_tested_ones_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "openhcs_execution.engine.catalogue.installed_versions", lambda: installed_versions() | {"numpy": "9.9"}
    )
    assert catalogue_source().differences == {"numpy": (installed_versions()["numpy"], "9.9")}


def _packaged_again() -> None:
    """Undo a choice. Not with *monkeypatch*, which would put it back at the end of the test."""
    from openhcs_execution.engine import catalogue

    os.environ.pop(CATALOGUE_FILE, None)
    catalogue._loaded.cache_clear()


# ----------------------------------------------------------------- objects by name

FIND = "omero_openhcs:find_objects"
MEASURE = "omero_openhcs:measure_object_intensity"
INSIDE = "omero_openhcs:count_objects_inside"


def errors(*steps: PipelineStep) -> dict[str, str]:
    return check_document(document(*steps), None).field_errors


def test_objects_are_asked_for_by_the_name_that_an_earlier_step_gave() -> None:
    assert errors(step(FIND, name="cells"), step(MEASURE, objects="cells")) == {}
    assert errors(step("omero_openhcs:segment_nuclei"), step(MEASURE, objects="nuclei")) == {}
    found = errors(step(FIND, name="cells"), step(MEASURE, objects="nuclei"))
    assert found == {"steps.1.parameters.objects": "No earlier step makes objects called 'nuclei'; they make cells."}
    assert set(errors(step(MEASURE, objects="cells"), step(FIND, name="cells"))) == {"steps.0.parameters.objects"}
    off = step(FIND, name="cells").model_copy(update={"enabled": False})
    assert "steps.1.parameters.objects" in errors(off, step(MEASURE, objects="cells"))
    assert set(errors(step(FIND, name="cells"), step(INSIDE, objects="cells", others="dots"))) == {"steps.1.parameters.others"}


def test_two_steps_may_not_make_objects_of_the_same_name() -> None:
    assert set(errors(step(FIND, name="cells"), step(FIND, name="cells"))) == {"steps.1.parameters.name"}
    assert set(errors(step(FIND), step("skimage:filters.threshold_otsu"))) == {"steps.1.parameters.name"}
    nuclei = "omero_openhcs:segment_nuclei"
    assert set(errors(step(FIND, name="nuclei"), step(nuclei))) == {"steps.1.function"}
    assert errors(step(FIND, name="cells"), step(FIND, name="dots")) == {}


@pytest.mark.parametrize("name", ["a__b", "_a", "a_", "1a", "a b", "__import__", "field", "é", "x" * 41, 3, None])
def test_names_of_objects(name: Any) -> None:
    assert set(errors(step(FIND, name=name))) == {"steps.0.parameters.name"}


def test_two_measurements_of_the_same_objects_need_different_names() -> None:
    cells = step(FIND, name="cells")
    twice = (step(MEASURE, objects="cells", name="gfp"), step(MEASURE, objects="cells", name="gfp", channel=1))
    assert set(errors(cells, *twice)) == {"steps.2.parameters.name"}
    other = (step(MEASURE, objects="cells", name="gfp"), step(MEASURE, objects="rims", name="gfp"))
    ring = step("omero_openhcs:ring_around_objects", objects="cells", name="rims")
    assert errors(cells, ring, *other) == {}


def test_measuring_functions_cannot_be_restricted_to_channels() -> None:
    measure = step(FIND).model_copy(update={"channels": ["1"]})
    assert set(errors(measure)) == {"steps.0.channels"}


def test_a_function_that_is_no_longer_offered_is_refused_with_the_reason() -> None:
    entry = catalogue_entry(FIND)
    gone = CatalogueEntry(
        entry.info.model_copy(update={"offered": False, "reason": "It stretches grey values."}),
        entry.parameters,
        entry.kind,
        entry.grouping,
        {},
    )
    use_entries([gone])
    try:
        assert errors(step(FIND))["steps.0.function"] == "Find objects cannot be used: It stretches grey values."
    finally:
        use_entries(None)


def test_name_parameters_are_in_the_catalogue() -> None:
    for candidate in candidates().values():
        known = catalogue_entry(candidate.id).parameters
        assert all(name in known for name in name_parameters(candidate)), candidate.id


# ----------------------------------------------------------------- through the engine

CELLS = [(30.0, 30.0), (30.0, 90.0), (90.0, 40.0), (80.0, 100.0)]


@pytest.mark.engine
def test_cells_nuclei_and_spots_by_composed_steps(engine: EngineProcess, make_job: Callable[..., EngineJob]) -> None:
    """Otsu's nuclei, a ring around each, intensity in both channels, spots counted inside: the truth is known."""
    nuclei = discs((120, 128), CELLS, 8, 900)
    signal = discs((120, 128), CELLS[:2], 12, 600)
    spots = discs((120, 128), [(28.0, 28.0), (32.0, 34.0), (90.0, 42.0)], 1.5, 3000)
    planes = {
        (1, 1, 1): noisy(nuclei, seed=1), (1, 2, 1): noisy(signal + spots, seed=2),
        (2, 1, 1): noisy(nuclei[::-1], seed=3), (2, 2, 1): noisy(np.zeros_like(signal), seed=4),
    }  # fmt: skip
    pipeline = document(
        PipelineStep(name="Smooth", function="skimage:filters.gaussian", parameters={"sigma": 1.0}, channels=["DAPI"]),
        step("skimage:filters.threshold_otsu", name="nuclei", smallest=60),
        step("omero_openhcs:ring_around_objects", objects="nuclei", name="rings", gap=0.0, width=3.0),
        step("omero_openhcs:measure_object_intensity", objects="nuclei", channel="GFP", name="gfp"),
        step("omero_openhcs:measure_object_intensity", objects="rings", channel=2, name="gfp"),
        step("skimage:feature.peak_local_max", channel=2, name="dots", contrast=60.0, min_distance=2),
        step("omero_openhcs:count_objects_inside", objects="nuclei", others="dots"),
        step("openhcs:cellprofiler_measure_image_intensity", channel=2),
    )
    result = engine.run(make_job(pipeline, planes, channels=("DAPI", "GFP")), lambda progress: None)
    assert result.failure is None, result.failure
    assert result.well_measurements["nuclei_count"] == 8
    assert result.well_measurements["rings_count"] == 8
    assert {(file.field, file.name) for file in result.labels} == {
        (field, name) for field in (1, 2) for name in ("nuclei", "rings", "dots")
    }
    assert result.objects_table is not None
    rows = pq.read_table(result.objects_table).to_pylist()
    first = [row for row in rows if row["field"] == 1 and row["object"] == "nuclei"]
    assert sorted(round(row["nuclei_inside_count"]) for row in first) == [0, 0, 1, 2]
    bright = [row for row in first if row["centroid_y"] < 60]
    assert sorted(round(row["nuclei_gfp_mean"], -2) for row in bright) == [800, 1000], "600 above 200; two spots add some 200"
    assert all(row["nuclei_gfp_mean"] < 300 for row in rows if row["field"] == 2 and row["object"] == "nuclei")
    assert all("rings_gfp_mean" not in row or row["rings_gfp_mean"] is None for row in first), "columns of rings are theirs"


@pytest.mark.engine
def test_neurites_by_composed_steps(engine: EngineProcess, make_job: Callable[..., EngineJob]) -> None:
    """A line of known length, brought out as a ridge, thresholded, thinned and measured."""
    image = np.zeros((96, 128))
    image[47:50, 20:110] = 800
    planes = {(1, 1, 1): noisy(image)}
    pipeline = document(
        step("skimage:filters.sato", narrowest=1, widest=2),
        step("openhcs:cellprofiler_threshold"),
        step("skimage:morphology.skeletonize"),
        step("omero_openhcs:label_mask", name="neurites", smallest=40),
        step("openhcs:cellprofiler_measure_image_skeleton"),
    )
    result = engine.run(make_job(pipeline, planes), lambda progress: None)
    assert result.failure is None, result.failure
    assert result.well_measurements["neurites_count"] == 1
    assert result.well_measurements["neurites_area"] == pytest.approx(90, abs=10), "the length of a skeleton in pixels"


@pytest.mark.engine
def test_positions_of_overlapping_fields(engine: EngineProcess, make_job: Callable[..., EngineJob]) -> None:
    """Two fields cut from one image, 20 % overlapping and 3 pixels lower than they should be."""
    centres = [tuple(place) for place in np.random.default_rng(4).uniform(5, 245, (90, 2))]
    whole = noisy(discs((260, 260), centres, 5, 900))
    planes = {(1, 1, 1): whole[40:168, 10:138], (2, 1, 1): whole[43:171, 112:240]}
    pipeline = document(
        step("openhcs:pos_gen_ashlar_main_cpu_ashlar_compute_tile_positions_cpu", rows=1, columns=2, overlap_ratio=0.2)
    )
    result = engine.run(make_job(pipeline, planes), lambda progress: None)
    assert result.failure is None, result.failure
    fields = pq.read_table(result.fields_table).to_pylist()
    assert (fields[0]["field_tile_x"], fields[0]["field_tile_y"]) == (0.0, 0.0)
    assert (fields[1]["field_tile_x"], fields[1]["field_tile_y"]) == pytest.approx((102, 3), abs=1)


@pytest.mark.engine
def test_a_grid_that_does_not_fit_fails_with_a_sentence(engine: EngineProcess, make_job: Callable[..., EngineJob]) -> None:
    planes = {(field, 1, 1): noisy(np.zeros((64, 64)), seed=field) for field in (1, 2, 3)}
    function = "openhcs:pos_gen_ashlar_main_cpu_ashlar_compute_tile_positions_cpu"
    result = engine.run(make_job(document(step(function, rows=2, columns=2)), planes), lambda progress: None)
    assert result.failure is not None
    assert "3 fields is not 2 rows of 2" in result.failure.message


def test_kinds_of_the_file_are_known() -> None:
    assert {catalogue_entry(info.id).kind for info in OFFERED} <= {str(kind) for kind in Kind}
