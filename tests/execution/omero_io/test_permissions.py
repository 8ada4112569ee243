# SPDX-License-Identifier: AGPL-3.0-or-later
"""What becomes of a run on a colleague's plate, in each of OMERO's four kinds of groups."""

from __future__ import annotations

import pytest
from omero.constants.namespaces import NSBULKANNOTATIONS

from openhcs_client import OpenHCSError
from openhcs_execution.omero_io import ensure_result_plate, read_layout, save_images, save_provenance, save_table

from .test_tables import measured
from .world import label_files, make_target, small_plate


def run(conn, plate_id, folder):
    """What the service does for an execution; returns the ids of the plate and of the provenance."""
    plate = read_layout(conn, plate_id)
    target = make_target(conn, plate)
    result = ensure_result_plate(conn, target)
    for well in plate.wells:
        save_images(conn, target, result, well, label_files(folder, well))
    table_file, _annotation = save_table(conn, target, measured(plate))
    links = save_provenance(conn, target, "{}", "x = 1\n", [], result)
    return result, table_file, links.provenance_annotation_id


def annotated(conn, plate_id) -> set[str]:
    return {each.getNs() for each in conn.getObject("Plate", plate_id).listAnnotations()}


ALL = {NSBULKANNOTATIONS, "openhcs.org/omero/execution/v1", "openhcs.org/omero/pipeline/v1"}


@pytest.mark.parametrize(
    ("permissions", "on_source", "on_result", "in_screen"),
    [
        ("rwr---", set(), ALL, False),
        ("rwra--", ALL, ALL - {NSBULKANNOTATIONS}, False),
        ("rwrw--", ALL, ALL - {NSBULKANNOTATIONS}, True),
    ],
)
def test_a_run_on_a_colleagues_plate(make_lab, tmp_path, permissions, on_source, on_result, in_screen):
    lab = make_lab(permissions)
    owner, member = lab.person(), lab.person()
    plate_id = small_plate(owner)
    with lab.joined(member) as conn:
        result, table_file, provenance = run(conn, plate_id, tmp_path)
    assert annotated(owner, plate_id) == on_source
    plate = owner.getObject("Plate", result)
    assert annotated(owner, result) == on_result
    assert plate.getDetails().getOwner().getId() == member.getUserId()
    assert owner.getObject("OriginalFile", table_file).getDetails().getOwner().getId() == member.getUserId()
    assert (plate.getParent() is not None) is in_screen
    location = dict(owner.getObject("MapAnnotation", provenance).getValue())["result_location"]
    assert location.startswith("screen Screen") if in_screen else "may not add to the screen" in location


def test_in_a_private_group_a_colleagues_plate_cannot_be_seen(make_lab, tmp_path):
    lab = make_lab("rw----")
    owner, member = lab.person(), lab.person()
    plate_id = small_plate(owner)
    with lab.joined(member) as conn, pytest.raises(OpenHCSError) as caught:
        run(conn, plate_id, tmp_path)
    assert caught.value.code == "plate_not_found"


@pytest.mark.parametrize("permissions", ["rw----", "rwr---", "rwra--", "rwrw--"])
def test_a_run_on_ones_own_plate_is_complete_in_every_group(make_lab, tmp_path, permissions):
    lab = make_lab(permissions)
    owner = lab.person()
    plate_id = small_plate(owner)
    with lab.joined(owner) as conn:
        result, _table, _provenance = run(conn, plate_id, tmp_path)
    assert annotated(owner, plate_id) == ALL
    assert annotated(owner, result) == ALL - {NSBULKANNOTATIONS}
    assert owner.getObject("Plate", result).getParent() is not None


def test_the_owner_of_a_private_group_runs_on_a_members_plate_and_keeps_the_results(make_lab, tmp_path):
    lab = make_lab("rw----")
    member, leader = lab.person(), lab.person(owner=True)
    plate_id = small_plate(member)
    with lab.joined(leader) as conn:
        result, _table, _provenance = run(conn, plate_id, tmp_path)
    assert annotated(member, plate_id) == set()
    assert annotated(leader, result) == ALL
    assert member.getObject("Plate", result) is None
