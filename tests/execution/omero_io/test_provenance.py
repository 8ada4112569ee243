# SPDX-License-Identifier: AGPL-3.0-or-later
"""Provenance and the attached pipeline, read back with plain omero-py."""

from __future__ import annotations

import pytest

from openhcs_execution.omero_io import ensure_result_plate, save_provenance

from .world import count_objects, make_target

PAIRS = [("parameters", '{"sigma": 2}'), ("wells", "A01, A02"), ("execution_id", "forged")]


def annotations(conn, plate_id, ns):
    return {annotation.getId(): annotation for annotation in conn.getObject("Plate", plate_id).listAnnotations(ns)}


@pytest.fixture
def target(conn, plate):
    return make_target(conn, plate)


def test_what_is_recorded(ada, conn, plate, target):
    result = ensure_result_plate(conn, target)
    links = save_provenance(conn, target, '{"id": "µ"}', "pipeline = []\n", PAIRS, result)
    screen = ada.getObject("Plate", result).getParent()
    (annotation,) = annotations(ada, plate.plate_id, "openhcs.org/omero/execution/v1").values()
    assert annotation.getId() == links.provenance_annotation_id
    assert annotation.getDescription() == f"OpenHCS execution {target.execution_id}: provenance"
    assert annotation.getValue() == [
        ("execution_id", target.execution_id),
        ("pipeline_id", "nuclei-count"),
        ("pipeline_name", "Count nuclei"),
        ("pipeline_version", "2"),
        ("pipeline_sha256", "0" * 64),
        ("source_plate_id", str(plate.plate_id)),
        ("result_plate_id", str(result)),
        ("result_location", f"screen Screen [{screen.getId()}]"),
        ("parameters", '{"sigma": 2}'),
        ("wells", "A01, A02"),
    ]
    assert links.plate_id == result


def test_the_pipeline_is_attached_as_json_and_python_to_both_plates(ada, conn, plate, target):
    result = ensure_result_plate(conn, target)
    links = save_provenance(conn, target, '{"id": "µ"}', "pipeline = []\n", [], result)
    on_source = annotations(ada, plate.plate_id, "openhcs.org/omero/pipeline/v1")
    assert set(on_source) == set(annotations(ada, result, "openhcs.org/omero/pipeline/v1"))
    files = {
        each.getFile().getName(): (each.getFile().getMimetype(), b"".join(each.getFileInChunks()).decode())
        for each in on_source.values()
    }
    assert files == {
        "nuclei-count-v2.json": ("application/json", '{"id": "µ"}'),
        "nuclei-count-v2.py": ("text/x-python", "pipeline = []\n"),
    }
    assert on_source[links.pipeline_annotation_id].getFile().getName() == "nuclei-count-v2.json"
    assert all(target.execution_id in each.getDescription() for each in on_source.values())


def test_saving_twice_changes_nothing(lab, conn, target):
    result = ensure_result_plate(conn, target)
    first = save_provenance(conn, target, "{}", "x = 1\n", PAIRS, result)
    before = count_objects(lab.sandbox, lab.group_id)
    assert save_provenance(conn, target, "{}", "x = 1\n", PAIRS, result) == first
    assert count_objects(lab.sandbox, lab.group_id) == before


def test_saving_again_after_a_retry_updates_in_place(lab, ada, conn, plate, target):
    first = save_provenance(conn, target, "{}", "x = 1\n", [("wells_failed", "1")], None)
    before = count_objects(lab.sandbox, lab.group_id)
    assert save_provenance(conn, target, "{}", "x = 22\n", [("wells_failed", "0")], None) == first
    assert count_objects(lab.sandbox, lab.group_id) == before
    (annotation,) = annotations(ada, plate.plate_id, "openhcs.org/omero/execution/v1").values()
    assert dict(annotation.getValue())["wells_failed"] == "0"
    files = annotations(ada, plate.plate_id, "openhcs.org/omero/pipeline/v1").values()
    assert b"x = 22\n" in [b"".join(each.getFileInChunks()) for each in files]


def test_without_a_result_plate_only_the_source_is_annotated(lab, conn, target):
    links = save_provenance(conn, target, "{}", "", [], None)
    assert links.plate_id is None
    assert count_objects(lab.sandbox, lab.group_id)["Plate"] == 1


def test_a_forged_annotation_of_somebody_else_is_not_taken_for_ours(lab, ada, conn, plate, target):
    with lab.joined(lab.person()) as other:
        forged = save_provenance(other, make_target(other, plate, target.execution_id), "{}", "", [], None)
    links = save_provenance(conn, target, '{"genuine": true}', "", [], None)
    assert links.provenance_annotation_id != forged.provenance_annotation_id
    assert links.pipeline_annotation_id != forged.pipeline_annotation_id
