# SPDX-License-Identifier: AGPL-3.0-or-later
"""Moving to another group and giving to another user."""

from __future__ import annotations

import omero
import omero.model as m
import pytest
from omero.rtypes import rstring

from omero_sandbox.security.caller import ALL_PRIVILEGES, USER_GROUP
from omero_sandbox.store.moving import change_group, change_owner
from omero_sandbox.store.relations import REFERENCES_FROM
from omero_sandbox.store.saving import save
from omero_sandbox.store.schema import column, table

from .test_saving_attacks import refused
from .world import World, make_image


def group_of(world: World, entity: str, object_id: int) -> int:
    return world.database.value(f"SELECT group_id FROM e_{entity} WHERE id = ?", object_id)


def mixed_groups(world: World) -> list[str]:
    """References between rows of different groups, anywhere."""
    found = []
    for root, references in REFERENCES_FROM.items():
        for each in references:
            sql = (
                f"SELECT count(*) FROM {table(root)} a JOIN {table(each.target)} b ON b.id = a.{column(each.field)} "
                f"WHERE a.group_id != b.group_id AND b.group_id != {USER_GROUP}"
            )
            if world.database.value(sql):
                found.append(f"{root}.{each.field.name}")
    return found


def test_a_plate_moves_with_all_that_belongs_to_it(world: World) -> None:
    data, target = world.data["read-annotate"], world.groups["read-write"]
    moved = change_group(world.database, "Plate", [data.plate], target, world.caller("owner"))
    assert moved.included["Image"] == {data.field_image}
    assert moved.included["FileAnnotation"] == {data.file_annotation}
    assert set(moved.deleted) == {"ScreenPlateLink"}
    for entity, object_id in (("Plate", data.plate), ("Well", data.well), ("OriginalFile", data.file)):
        assert group_of(world, entity, object_id) == target
    assert group_of(world, "Screen", data.screen) == world.groups["read-annotate"]
    assert mixed_groups(world) == []


def test_what_is_shared_with_what_stays_is_left_there(world: World) -> None:
    data, caller = world.data["read-annotate"], world.caller("owner", "read-annotate")
    link = m.DatasetAnnotationLinkI()
    link.parent, link.child = m.DatasetI(data.dataset, False), m.TagAnnotationI(data.tag, False)
    save(world.database, [link], caller)
    moved = change_group(world.database, "Image", [data.image], world.groups["private"], world.caller("owner"))
    assert "TagAnnotation" not in moved.included
    assert data.image_tag_link in moved.deleted["ImageAnnotationLink"]
    assert group_of(world, "Annotation", data.tag) == world.groups["read-annotate"]
    assert group_of(world, "Roi", data.roi) == world.groups["private"]
    assert mixed_groups(world) == []


def test_a_shared_instrument_holds_images_together(world: World) -> None:
    caller = world.caller("owner", "private")
    instrument, images = m.InstrumentI(), [make_image("a"), make_image("b")]
    for image in images:
        image.instrument = instrument
    save(world.database, images, caller)
    ids = [image.id.val for image in images]
    with refused(world, omero.ValidationException):
        change_group(world.database, "Image", ids[:1], world.groups["read-only"], caller)
    moved = change_group(world.database, "Image", ids, world.groups["read-only"], caller)
    assert moved.included["Instrument"] == {instrument.id.val}


def test_dry_run(world: World) -> None:
    data = world.data["private"]
    with_nothing_changed = change_group(
        world.database, "Plate", [data.plate], world.groups["read-only"], world.caller("owner"), dry_run=True
    )
    assert data.well in with_nothing_changed.included["Well"]
    assert group_of(world, "Plate", data.plate) == world.groups["private"]


@pytest.mark.parametrize(("person", "allowed"), [("owner", True), ("member", False), ("leader", False), ("admin", True)])
def test_who_may_move(world: World, person: str, allowed: bool) -> None:
    """Not even in a read-write group, and not even its owner, moves what belongs to another."""
    data, target = world.data["read-write"], world.groups["read-only"]
    if allowed:
        change_group(world.database, "Project", [data.project], target, world.caller(person))
        assert group_of(world, "Image", data.image) == target
        assert mixed_groups(world) == []
        return
    with refused(world):
        change_group(world.database, "Project", [data.project], target, world.caller(person))


def test_only_to_groups_one_is_a_member_of(world: World) -> None:
    image = world.data["private"].image
    for target in (world.groups["elsewhere"], USER_GROUP, 0):
        with refused(world):
            change_group(world.database, "Image", [image], target, world.caller("owner"))
    with refused(world, omero.ValidationException):
        change_group(world.database, "Image", [image], 10**6, world.caller("owner"))
    restricted = world.caller("admin", privileges=ALL_PRIVILEGES - {"Chgrp"})
    with refused(world):
        change_group(world.database, "Image", [image], world.groups["read-only"], restricted)


def test_users_and_enumerations_are_not_moved(world: World) -> None:
    for entity in ("Experimenter", "PixelsType"):
        with refused(world):
            change_group(world.database, entity, [1], world.groups["private"], world.caller("admin"))
        with refused(world):
            change_owner(world.database, entity, [1], world.users["member"], world.caller("admin"))


def test_giving_away(world: World) -> None:
    data, recipient = world.data["private"], world.users["member"]
    given = change_owner(world.database, "Plate", [data.plate], recipient, world.caller("leader"))
    assert given.deleted == {}
    assert data.field_image in given.included["Image"]
    owners = world.database.rows("SELECT DISTINCT owner_id FROM e_Well WHERE c_plate = ?", data.plate)
    assert owners == [(recipient,)]
    # The link to the screen, which stays, is left as it is.
    assert world.database.value("SELECT owner_id FROM e_ScreenPlateLink WHERE c_child = ?", data.plate) == world.users["owner"]


@pytest.mark.parametrize("person", ["owner", "member"])
def test_owners_of_objects_do_not_give_them_away(world: World, person: str) -> None:
    with refused(world):
        change_owner(world.database, "Image", [world.data["read-write"].image], world.users["member"], world.caller(person))


def test_recipients_are_members_of_the_group(world: World) -> None:
    image, outsider = world.data["private"].image, world.users["outsider"]
    with refused(world):
        change_owner(world.database, "Image", [image], outsider, world.caller("leader"))
    with refused(world, omero.ValidationException):
        change_owner(world.database, "Image", [image], 10**6, world.caller("admin"))
    with refused(world):
        change_owner(world.database, "Image", [image], outsider, world.caller("admin", privileges=ALL_PRIVILEGES - {"Chown"}))
    change_owner(world.database, "Image", [image], outsider, world.caller("admin"))


def test_external_info_moves_along(world: World) -> None:
    caller = world.caller("owner", "private")
    image, info = make_image("with info"), m.ExternalInfoI()
    info.entityId, info.entityType = omero.rtypes.rlong(1), rstring("x")
    image.details.externalInfo = info
    save(world.database, [image], caller)
    change_group(world.database, "Image", [image.id.val], world.groups["read-only"], caller)
    assert group_of(world, "ExternalInfo", info.id.val) == world.groups["read-only"]
