# SPDX-License-Identifier: AGPL-3.0-or-later
"""Deleting: what goes along, what stays, and who may."""

from __future__ import annotations

import omero
import omero.cmd.graphs
import omero.model as m
import pytest
from omero.rtypes import rbool, rstring

from omero_sandbox.security.caller import ALL_PRIVILEGES
from omero_sandbox.store.deleting import delete, delete_targets
from omero_sandbox.store.saving import save

from .test_saving import dataset
from .test_saving_attacks import refused
from .world import World, make_image


def option(include: tuple[str, ...] = (), exclude: tuple[str, ...] = (), **namespaces: list[str]) -> object:
    """A child option as the gateway makes it."""
    return omero.cmd.graphs.ChildOption(includeType=list(include), excludeType=list(exclude), **namespaces)


def exists(world: World, entity: str, object_id: int) -> bool:
    return world.database.value(f"SELECT 1 FROM e_{entity} WHERE id = ?", object_id) is not None


def leftovers(world: World) -> list[tuple[str, ...]]:
    """References to nothing; SQLite would not commit them."""
    return world.database.rows("PRAGMA foreign_key_check")


def test_a_plate_goes_with_wells_samples_runs_and_images(world: World) -> None:
    data = world.data["read-annotate"]
    found = delete(world.database, "Plate", [data.plate], world.caller("owner"))
    assert found["Plate"] == {data.plate}
    assert found["Well"] == {data.well}
    assert found["WellSample"] == {data.well_sample}
    assert found["Image"] == {data.field_image}
    assert found["PlateAcquisition"] == {data.acquisition}
    assert {"Pixels", "Channel", "LogicalChannel", "StatsInfo", "ScreenPlateLink", "PlateAnnotationLink"} <= set(found)
    assert exists(world, "Screen", data.screen)
    assert exists(world, "Image", data.image)
    assert leftovers(world) == []
    others = world.data["read-only"]
    assert exists(world, "Plate", others.plate)


def test_nothing_is_left_of_all_data(world: World) -> None:
    """Deleting the containers of a group leaves no channel, shape or rendering setting behind."""
    data = world.data["private"]
    delete_targets(world.database, {"Project": [data.project], "Screen": [data.screen]}, world.caller("owner", "private"))
    tables = world.database.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'e\\_%' ESCAPE '\\'")
    left = {
        name: count
        for (name,) in tables
        if (count := world.database.value(f"SELECT count(*) FROM {name} WHERE group_id = ?", world.groups["private"]))
    }
    assert left == {}


def test_dry_run_says_the_same_and_changes_nothing(world: World) -> None:
    data, caller = world.data["private"], world.caller("owner", "private")
    told = delete(world.database, "Plate", [data.plate], caller, dry_run=True)
    assert exists(world, "Plate", data.plate)
    assert delete(world.database, "Plate", [data.plate], caller) == told


def test_the_image_of_a_well_goes_with_its_plate_only(world: World) -> None:
    with refused(world, omero.ValidationException):
        delete(world.database, "Image", [world.data["private"].field_image], world.caller("owner"))


def test_an_image_in_two_datasets_stays_with_one(world: World) -> None:
    data, caller = world.data["private"], world.caller("owner", "private")
    second, link = dataset("second"), m.DatasetImageLinkI()
    link.parent, link.child = second, m.ImageI(data.image, False)
    save(world.database, [link], caller)
    assert "Image" not in delete(world.database, "Dataset", [data.dataset], caller)
    assert exists(world, "Image", data.image)
    assert delete(world.database, "Dataset", [second.id.val], caller)["Image"] == {data.image}


def test_annotations_that_are_used_elsewhere_stay(world: World) -> None:
    data, caller = world.data["private"], world.caller("owner", "private")
    link = m.DatasetAnnotationLinkI()
    link.parent, link.child = m.DatasetI(data.dataset, False), m.TagAnnotationI(data.tag, False)
    save(world.database, [link], caller)
    found = delete(world.database, "Image", [data.image], caller)
    assert "TagAnnotation" not in found
    assert found["MapAnnotation"] == {data.map_annotation}
    assert exists(world, "Annotation", data.tag)


def test_children_can_be_kept(world: World) -> None:
    """As OMERO.web asks when "also delete annotations" and "also delete contents" are off."""
    data, caller = world.data["private"], world.caller("owner", "private")
    keep = [option(exclude=("TagAnnotation", "TermAnnotation", "FileAnnotation", "Image"))]
    assert set(delete(world.database, "Dataset", [data.dataset], caller, keep)) == {
        "Dataset",
        "DatasetImageLink",
        "ProjectDatasetLink",
    }
    found = delete(world.database, "Plate", [data.plate], caller, [option(exclude=("FileAnnotation",))])
    assert "FileAnnotation" not in found
    assert exists(world, "OriginalFile", data.file)


def test_a_file_goes_with_its_last_annotation(world: World) -> None:
    data, caller = world.data["private"], world.caller("owner", "private")
    found = delete(world.database, "FileAnnotation", [data.file_annotation], caller)
    assert found == {
        "FileAnnotation": {data.file_annotation},
        "OriginalFile": {data.file},
        "PlateAnnotationLink": found["PlateAnnotationLink"],
    }


def test_a_file_takes_its_annotations_along(world: World) -> None:
    data, caller = world.data["private"], world.caller("owner", "private")
    assert delete(world.database, "OriginalFile", [data.file], caller)["FileAnnotation"] == {data.file_annotation}


def test_included_children_go_even_when_used_elsewhere(world: World) -> None:
    data, caller = world.data["private"], world.caller("owner", "private")
    link = m.DatasetAnnotationLinkI()
    link.parent, link.child = m.DatasetI(data.dataset, False), m.TagAnnotationI(data.tag, False)
    save(world.database, [link], caller)
    found = delete(world.database, "Image", [data.image], caller, [option(include=("TagAnnotation",))])
    assert found["TagAnnotation"] == {data.tag}
    assert found["DatasetAnnotationLink"] == {link.id.val}


def test_options_by_namespace(world: World) -> None:
    data, caller = world.data["private"], world.caller("owner", "private")
    only = [option(exclude=("Annotation",), includeNs=["test/tag"])]
    found = delete(world.database, "Image", [data.image], caller, only)
    assert "TagAnnotation" not in found
    assert "MapAnnotation" in found


def test_a_fileset_is_not_split(world: World) -> None:
    caller = world.caller("owner", "private")
    fileset, images = m.FilesetI(), [make_image("a"), make_image("b")]
    fileset.templatePrefix = rstring("x")
    for image in images:
        image.fileset = fileset
    save(world.database, images, caller)
    ids = [image.id.val for image in images]
    with refused(world, omero.ValidationException):
        delete(world.database, "Image", ids[:1], caller)
    assert delete(world.database, "Image", ids, caller)["Fileset"] == {fileset.id.val}


@pytest.mark.parametrize(
    ("person", "kind", "allowed"),
    [
        ("member", "private", False),
        ("member", "read-only", False),
        ("member", "read-annotate", False),
        ("member", "read-write", True),
        ("leader", "private", True),
        ("leader", "read-only", True),
        ("admin", "private", True),
        ("outsider", "read-write", False),
    ],
)
def test_who_may_delete(world: World, person: str, kind: str, allowed: bool) -> None:
    data, caller = world.data[kind], world.caller(person)
    if allowed:
        assert data.plate in delete(world.database, "Plate", [data.plate], caller)["Plate"]
        return
    with refused(world):
        delete(world.database, "Plate", [data.plate], caller)


def test_a_restricted_administrator_needs_the_privilege(world: World) -> None:
    caller = world.caller("admin", privileges=ALL_PRIVILEGES - {"DeleteOwned"})
    with refused(world):
        delete(world.database, "Plate", [world.data["private"].plate], caller)


def test_one_refusal_stops_all(world: World) -> None:
    caller = world.caller("member", "read-annotate")
    mine = dataset("mine")
    save(world.database, [mine], caller)
    with refused(world):
        delete(world.database, "Dataset", [mine.id.val, world.data["read-annotate"].dataset], caller)


def test_another_group_context_sees_nothing_to_delete(world: World) -> None:
    with refused(world):
        delete(world.database, "Image", [world.data["private"].image], world.caller("owner", "read-only"))


def test_orphaned_children_of_others_stay(world: World) -> None:
    """The dataset is mine, the image in it is not."""
    data = world.data["read-annotate"]
    mine, link = dataset("mine"), m.DatasetImageLinkI()
    save(world.database, [mine], world.caller("member", "read-annotate"))
    link.parent, link.child = m.DatasetI(mine.id.val, False), m.ImageI(data.image, False)
    save(world.database, [link], world.caller("leader", "read-annotate"))
    owner = world.caller("owner", "read-annotate")
    delete(world.database, "DatasetImageLink", [data.dataset_image_link], owner, [option(exclude=("Image",))])
    assert "Image" not in delete(world.database, "Dataset", [mine.id.val], world.caller("member", "read-annotate"))
    assert exists(world, "Image", data.image)


def test_links_of_others_to_my_object_go_with_it(world: World) -> None:
    data = world.data["read-annotate"]
    link, tag = m.ImageAnnotationLinkI(), m.TagAnnotationI()
    tag.textValue, link.parent, link.child = rstring("hers"), m.ImageI(data.image, False), tag
    save(world.database, [link], world.caller("member", "read-annotate"))
    found = delete(world.database, "Image", [data.image], world.caller("owner", "read-annotate"))
    assert link.id.val in found["ImageAnnotationLink"]
    assert exists(world, "Annotation", tag.id.val)


def test_a_tag_in_use_on_data_of_others_stays(world: World) -> None:
    link, tag = m.ImageAnnotationLinkI(), m.TagAnnotationI()
    tag.textValue, link.parent, link.child = rstring("mine"), m.ImageI(world.data["read-annotate"].image, False), tag
    member = world.caller("member", "read-annotate")
    save(world.database, [link], member)
    with refused(world):
        delete(world.database, "TagAnnotation", [tag.id.val], member)
    delete(world.database, "ImageAnnotationLink", [link.id.val], member)
    assert delete(world.database, "TagAnnotation", [tag.id.val], member) == {"TagAnnotation": {tag.id.val}}


def test_taking_an_image_out_of_its_dataset_keeps_it(world: World) -> None:
    data, caller = world.data["private"], world.caller("owner", "private")
    found = delete(world.database, "DatasetImageLink", [data.dataset_image_link], caller)
    assert found == {"DatasetImageLink": {data.dataset_image_link}}
    assert exists(world, "Image", data.image)


@pytest.mark.parametrize("entity", ["Experimenter", "ExperimenterGroup", "GroupExperimenterMap", "PixelsType", "Namespace"])
def test_system_objects_are_not_for_members(world: World, entity: str) -> None:
    object_id = world.database.value(f"SELECT max(id) FROM e_{entity}") or 1
    with refused(world):
        delete(world.database, entity, [object_id], world.caller("leader"))


@pytest.mark.parametrize("entity", ["Session", "Event", "Node"])
def test_the_servers_own_objects_are_for_nobody(world: World, entity: str) -> None:
    with refused(world):
        delete(world.database, entity, [0], world.caller("admin"))


def test_a_user_with_data_stays(world: World) -> None:
    with refused(world, omero.ValidationException):
        delete(world.database, "Experimenter", [world.users["owner"]], world.caller("admin"))
    assert delete(world.database, "Experimenter", [world.users["outsider"]], world.caller("admin"))["Experimenter"]


def test_administrators_are_unmade_by_full_administrators_only(world: World) -> None:
    membership = world.database.value("SELECT id FROM e_GroupExperimenterMap WHERE c_parent = 0 AND c_child = 0")
    with refused(world):
        delete(
            world.database,
            "GroupExperimenterMap",
            [membership],
            world.caller("admin", privileges=frozenset({"ModifyGroupMembership"})),
        )


def test_unknown_classes_and_ids(world: World) -> None:
    with refused(world, omero.ApiUsageException):
        delete(world.database, "Nonsense", [1], world.caller("admin"))
    with refused(world):
        delete(world.database, "Image", [10**6], world.caller("admin"))
    with refused(world):  # an id of another class in the same table
        delete(world.database, "MapAnnotation", [world.data["private"].tag], world.caller("admin"))


def test_loose_references_are_emptied(world: World) -> None:
    caller = world.caller("owner", "private")
    outer, inner = m.FolderI(), m.FolderI()
    outer.name, inner.name, inner.parentFolder = rstring("outer"), rstring("inner"), outer
    save(world.database, [inner], caller)
    delete(world.database, "Folder", [outer.id.val], caller)
    assert world.database.rows("SELECT c_parentFolder FROM e_Folder") == [(None,)]


def test_shared_settings_stay_until_the_last_user_is_gone(world: World) -> None:
    caller = world.caller("owner", "private")
    instrument, detector = m.InstrumentI(), m.DetectorI()
    detector.type = m.DetectorTypeI(1, False)
    instrument.addDetector(detector)
    images = [make_image("a"), make_image("b")]
    for image in images:
        image.instrument = instrument
    images[0].archived = rbool(False)
    save(world.database, images, caller)
    assert "Instrument" not in delete(world.database, "Image", [images[0].id.val], caller)
    assert delete(world.database, "Image", [images[1].id.val], caller)["Detector"] == {detector.id.val}
