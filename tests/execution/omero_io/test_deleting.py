# SPDX-License-Identifier: AGPL-3.0-or-later
"""Deleting removes exactly what one execution saved."""

from __future__ import annotations

from collections import Counter

import pytest

from openhcs_client import OpenHCSError
from openhcs_execution.omero_io import delete_results, ensure_result_plate, save_images, save_provenance, save_table

from .test_tables import measured
from .world import count_objects, label_files, make_target


def save_everything(conn, target, folder):
    result = ensure_result_plate(conn, target)
    for well in target.plate.wells:
        save_images(conn, target, result, well, label_files(folder, well))
    save_table(conn, target, measured(target.plate))
    save_provenance(conn, target, "{}", "x = 1\n", [], result)


def test_a_dry_run_says_what_would_go_and_deletes_nothing(lab, conn, plate, tmp_path):
    target = make_target(conn, plate)
    save_everything(conn, target, tmp_path)
    before = count_objects(lab.sandbox, lab.group_id)
    found = delete_results(conn, target.execution_id, plate.plate_id, dry_run=True)
    assert Counter(each.kind for each in found) == {
        "Plate": 1,
        "Image": 4,
        "MapAnnotation": 1 + 4,
        "FileAnnotation": 3,
        "OriginalFile": 3,
    }
    assert found[0].name == target.result_name
    assert count_objects(lab.sandbox, lab.group_id) == before


def test_only_this_execution_goes(lab, conn, plate, tmp_path):
    empty = count_objects(lab.sandbox, lab.group_id)
    kept, gone = make_target(conn, plate), make_target(conn, plate)
    save_everything(conn, kept, tmp_path)
    before = count_objects(lab.sandbox, lab.group_id)
    save_everything(conn, gone, tmp_path)
    found = delete_results(conn, gone.execution_id, plate.plate_id, dry_run=False)
    assert len(found) == 16
    assert count_objects(lab.sandbox, lab.group_id) == before
    assert delete_results(conn, gone.execution_id, plate.plate_id, dry_run=False) == []
    delete_results(conn, kept.execution_id, plate.plate_id, dry_run=False)
    assert count_objects(lab.sandbox, lab.group_id) == empty


def test_an_execution_that_saved_nothing(conn, plate):
    assert delete_results(conn, "never", plate.plate_id, dry_run=False) == []


def test_patterns_in_an_id_match_nothing_else(conn, plate, tmp_path):
    save_everything(conn, make_target(conn, plate), tmp_path)
    for pattern in ("%", "_" * 32, ""):
        assert delete_results(conn, pattern, plate.plate_id, dry_run=True) == []


def test_results_are_found_after_the_source_plate_was_deleted(lab, ada, conn, plate, tmp_path):
    target = make_target(conn, plate)
    save_everything(conn, target, tmp_path)
    ada.deleteObjects("Plate", [plate.plate_id], deleteAnns=True, deleteChildren=True, wait=True)
    delete_results(conn, target.execution_id, plate.plate_id, dry_run=False)
    left = count_objects(lab.sandbox, lab.group_id)
    assert {kind: number for kind, number in left.items() if number} == {}


def test_another_member_finds_nothing_of_mine(lab, conn, plate, tmp_path):
    target = make_target(conn, plate)
    save_everything(conn, target, tmp_path)
    with lab.joined(lab.person()) as other:
        assert delete_results(other, target.execution_id, plate.plate_id, dry_run=False) == []


def test_another_member_who_claims_to_be_me_is_stopped_by_omero(lab, conn, plate, tmp_path):
    target = make_target(conn, plate)
    save_everything(conn, target, tmp_path)
    before = count_objects(lab.sandbox, lab.group_id)
    with lab.joined(lab.person()) as other, pytest.raises(OpenHCSError) as caught:
        delete_results(other, target.execution_id, plate.plate_id, dry_run=False, owner_id=target.user_id)
    assert (caught.value.code, caught.value.status) == ("omero_not_allowed", 403)
    assert count_objects(lab.sandbox, lab.group_id) == before


def test_an_administrator_deletes_for_the_owner(lab, conn, plate, tmp_path):
    empty = count_objects(lab.sandbox, lab.group_id)
    target = make_target(conn, plate)
    save_everything(conn, target, tmp_path)
    with lab.sandbox.connection() as root, lab.joined(root) as admin:
        delete_results(admin, target.execution_id, plate.plate_id, dry_run=False, owner_id=target.user_id)
    assert count_objects(lab.sandbox, lab.group_id) == empty
