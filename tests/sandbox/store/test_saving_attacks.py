# SPDX-License-Identifier: AGPL-3.0-or-later
"""What saving refuses, and that a refused save leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import omero
import omero.model as m
import pytest
from omero.rtypes import rbool, rlong, rstring, rtime

from omero_sandbox.query.execution import execute_query, load_objects
from omero_sandbox.security.caller import ALL_PRIVILEGES, SYSTEM_GROUP, Caller
from omero_sandbox.store.saving import save

from .test_saving import dataset, load
from .world import KINDS, World


def _contents(world: World) -> dict[str, list[tuple[object, ...]]]:
    tables = world.database.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    return {name: world.database.rows(f"SELECT * FROM {name} ORDER BY 1") for (name,) in tables}


@contextmanager
def refused(world: World, error: type[Exception] = omero.SecurityViolation) -> Iterator[None]:
    """Expect a refusal that changes nothing at all in the database."""
    before = _contents(world)
    with pytest.raises(error):
        yield
    assert _contents(world) == before


@pytest.mark.parametrize("kind", ["private", "read-only", "read-annotate"])
def test_changing_the_object_of_another(world: World, kind: str) -> None:
    image = load(world, "Image", world.data[kind].image, world.caller("owner"))
    image.name = rstring("mine now")
    with refused(world):
        save(world.database, [image], world.caller("member", kind))


def test_changing_the_object_of_another_is_what_read_write_groups_are_for(world: World) -> None:
    image = load(world, "Image", world.data["read-write"].image, world.caller("member"))
    image.name = rstring("ours")
    save(world.database, [image], world.caller("member", "read-write"))
    assert image.details.owner.id.val == world.users["owner"]


def test_changing_through_a_graph(world: World) -> None:
    """The changed object hides behind an own, new one."""
    image = load(world, "Image", world.data["read-annotate"].image, world.caller("member"))
    image.name = rstring("changed on the way")
    link, tag = m.ImageAnnotationLinkI(), m.TagAnnotationI()
    tag.textValue, link.parent, link.child = rstring("fine"), image, tag
    with refused(world):
        save(world.database, [link], world.caller("member", "read-annotate"))


def test_changing_in_another_group_context(world: World) -> None:
    image = load(world, "Image", world.data["read-only"].image, world.caller("owner"))
    image.name = rstring("elsewhere")
    with refused(world):
        save(world.database, [image], world.caller("owner", "private"))


@pytest.mark.parametrize("kind", KINDS)
def test_annotating_the_object_of_another(world: World, kind: str) -> None:
    link, tag = m.ImageAnnotationLinkI(), m.TagAnnotationI()
    tag.textValue = rstring("hello")
    link.parent, link.child = m.ImageI(world.data[kind].image, False), tag
    caller = world.caller("member", kind)
    if kind in ("read-annotate", "read-write"):
        save(world.database, [link], caller)
        assert link.id is not None
    else:
        with refused(world):
            save(world.database, [link], caller)
        assert link.id is None


@pytest.mark.parametrize("kind", KINDS)
def test_drawing_on_the_image_of_another(world: World, kind: str) -> None:
    roi = m.RoiI()
    roi.image = m.ImageI(world.data[kind].image, False)
    caller = world.caller("member", kind)
    if kind in ("read-annotate", "read-write"):
        save(world.database, [roi], caller)
    else:
        with refused(world):
            save(world.database, [roi], caller)


@pytest.mark.parametrize("kind", KINDS)
def test_putting_the_image_of_another_into_an_own_dataset(world: World, kind: str) -> None:
    own = dataset("own")
    save(world.database, [own], world.caller("member", kind))
    link = m.DatasetImageLinkI()
    link.parent, link.child = own, m.ImageI(world.data[kind].image, False)
    if kind == "read-write":
        save(world.database, [link], world.caller("member", kind))
    else:
        with refused(world):
            save(world.database, [link], world.caller("member", kind))


@pytest.mark.parametrize("person", ["leader", "admin"])
def test_nobody_annotates_for_others_in_a_private_group(world: World, person: str) -> None:
    link, tag = m.ImageAnnotationLinkI(), m.TagAnnotationI()
    tag.textValue = rstring("unseen by the owner")
    link.parent, link.child = m.ImageI(world.data["private"].image, False), tag
    with refused(world):
        save(world.database, [link], world.caller(person, "private"))


def test_an_administrator_may_store_for_the_owner(world: World) -> None:
    link, tag = m.ImageAnnotationLinkI(), m.TagAnnotationI()
    tag.textValue = rstring("from the facility")
    link.parent, link.child = m.ImageI(world.data["private"].image, False), tag
    for each in (link, tag):
        each.details.owner = m.ExperimenterI(world.users["owner"], False)
    save(world.database, [link], world.caller("admin", "private"))
    assert load(world, "TagAnnotation", tag.id.val, world.caller("owner", "private")).textValue.val == "from the facility"


def test_moving_a_well_sample_to_the_plate_of_another(world: World) -> None:
    caller = world.caller("member", "read-annotate")
    plate, well, sample, image = m.PlateI(), m.WellI(), m.WellSampleI(), m.ImageI()
    plate.name = image.name = rstring("own")
    well.plate, sample.well, sample.image = plate, well, image
    save(world.database, [sample], caller)
    mine = load(world, "WellSample", sample.id.val, caller)
    mine.well = m.WellI(world.data["read-annotate"].well, False)
    with refused(world):
        save(world.database, [mine], caller)


def test_stealing_a_well_sample_through_the_collection_of_an_own_well(world: World) -> None:
    caller = world.caller("member", "read-annotate")
    plate, well = m.PlateI(), m.WellI()
    plate.name, well.plate = rstring("own"), plate
    stolen = load(world, "WellSample", world.data["read-annotate"].well_sample, caller)
    stolen.well = well
    well.addWellSample(stolen)
    with refused(world):
        save(world.database, [plate, well], caller)


def test_objects_of_different_groups_are_not_linked(world: World) -> None:
    link = m.DatasetImageLinkI()
    link.parent = m.DatasetI(world.data["read-only"].dataset, False)
    link.child = m.ImageI(world.data["read-write"].image, False)
    with refused(world, omero.GroupSecurityViolation):
        save(world.database, [link], world.caller("owner"))
    with refused(world):
        save(world.database, [link], world.caller("owner", "read-only"))


def test_naming_another_owner_or_group_for_new_objects(world: World) -> None:
    for person in ("member", "leader"):
        foisted = dataset("not mine")
        foisted.details.owner = m.ExperimenterI(world.users["owner"], False)
        with refused(world):
            save(world.database, [foisted], world.caller(person, "read-only"))
    smuggled = dataset("into a group I am no member of")
    smuggled.details.group = m.ExperimenterGroupI(world.groups["elsewhere"], False)
    for context in (None, "private"):
        with refused(world):
            save(world.database, [smuggled], world.caller("owner", context))
    with refused(world):
        save(world.database, [dataset("outsider")], world.caller("outsider", "read-write"))


@pytest.mark.parametrize("person", ["owner", "member", "leader", "admin"])
def test_changing_owner_or_group_of_what_exists(world: World, person: str) -> None:
    caller = world.caller(person, "read-write")
    for part, value in (
        ("owner", m.ExperimenterI(world.users["leader"], False)),
        ("group", m.ExperimenterGroupI(world.groups["elsewhere"], False)),
    ):
        image = load(world, "Image", world.data["read-write"].image, caller)
        setattr(image.details, part, value)
        image.name = rstring("moved")
        with refused(world):
            save(world.database, [image], caller)


def test_details_are_not_taken_over_silently(world: World) -> None:
    """Events and permissions that a client writes into details have no effect."""
    caller = world.caller("owner", "private")
    image = load(world, "Image", world.data["private"].image, caller)
    image.details.creationEvent = m.EventI(0, False)
    image.details.permissions = m.PermissionsI("rwrwrw")
    image.name = rstring("renamed")
    save(world.database, [image], caller)
    again = load(world, "Image", image.id.val, caller)
    assert again.details.creationEvent.id.val != 0
    assert str(again.details.permissions) == "rw----"


def _system_objects(world: World, caller: Caller) -> dict[str, m.IObject]:
    user, group, membership = m.ExperimenterI(), m.ExperimenterGroupI(), m.GroupExperimenterMapI()
    user.omeName = user.firstName = user.lastName = rstring("new")
    user.ldap = group.ldap = rbool(False)
    group.name = rstring("new")
    membership.parent, membership.child = m.ExperimenterGroupI(SYSTEM_GROUP, False), m.ExperimenterI(caller.user_id, False)
    membership.owner = rbool(True)
    enumeration, session, event, log = m.PixelsTypeI(), m.SessionI(), m.EventI(), m.EventLogI()
    enumeration.value = rstring("float128")
    session.uuid, session.owner, session.node = rstring("guessed"), m.ExperimenterI(0, False), m.NodeI(0, False)
    session.timeToIdle = session.timeToLive = rlong(0)
    session.started, session.defaultEventType = rtime(0), rstring("User")
    event.experimenter, event.experimenterGroup = m.ExperimenterI(0, False), m.ExperimenterGroupI(0, False)
    event.type, event.session, event.time = m.EventTypeI(1, False), m.SessionI(0, False), rtime(0)
    log.event, log.action, log.entityId, log.entityType = m.EventI(0, False), rstring("x"), rlong(1), rstring("x")
    namespace = m.NamespaceI()
    namespace.name = rstring("ns")
    return {
        "user": user,
        "group": group,
        "membership": membership,
        "enumeration": enumeration,
        "session": session,
        "event": event,
        "log": log,
        "namespace": namespace,
    }


SYSTEM_OBJECTS = ("user", "group", "membership", "enumeration", "session", "event", "log", "namespace")


@pytest.mark.parametrize("person", ["member", "leader", "outsider"])
@pytest.mark.parametrize("name", SYSTEM_OBJECTS)
def test_system_objects_are_made_by_administrators(world: World, person: str, name: str) -> None:
    caller = world.caller(person)
    with refused(world):
        save(world.database, [_system_objects(world, caller)[name]], caller)


@pytest.mark.parametrize("name", ["session", "event", "log"])
def test_not_even_administrators_forge_sessions_and_events(world: World, name: str) -> None:
    caller = world.caller("admin")
    with refused(world):
        save(world.database, [_system_objects(world, caller)[name]], caller)


def test_becoming_administrator_or_group_owner_by_changing_a_membership(world: World) -> None:
    caller = world.caller("member")
    hql = f"select x from GroupExperimenterMap x where x.child.id = {caller.user_id} order by x.id"
    for change in ("owner", "parent"):
        mine = execute_query(world.database, hql, None, caller)[0]
        if change == "owner":
            mine.owner = rbool(True)
        else:
            mine.parent = m.ExperimenterGroupI(SYSTEM_GROUP, False)
        with refused(world):
            save(world.database, [mine], caller)


def test_opening_a_private_group(world: World) -> None:
    for person in ("member", "leader"):
        caller = world.caller(person)
        group = load(world, "ExperimenterGroup", world.groups["private"], caller)
        group.details.permissions = m.PermissionsI("rwrw--")
        with refused(world):
            save(world.database, [group], caller)


def test_a_restricted_administrator_cannot_lift_her_restrictions(world: World) -> None:
    caller = world.caller("admin", privileges=frozenset({"ModifyUser", "ModifyGroup", "ModifyGroupMembership"}))
    me = load(world, "Experimenter", caller.user_id, caller)
    me.config = [m.NamedValue("AdminPrivilege:Sudo", "true")]
    with refused(world):
        save(world.database, [me], caller)
    accomplice = m.GroupExperimenterMapI()
    accomplice.parent, accomplice.child = m.ExperimenterGroupI(0, False), m.ExperimenterI(world.users["member"], False)
    accomplice.owner = rbool(False)
    with refused(world):
        save(world.database, [accomplice], caller)


@pytest.mark.parametrize("lacking", ["ModifyUser", "ModifyGroup", "ModifyGroupMembership"])
def test_a_restricted_administrator_lacks_what_she_lacks(world: World, lacking: str) -> None:
    names = {"ModifyUser": "user", "ModifyGroup": "group", "ModifyGroupMembership": "membership"}
    caller = world.caller("admin", privileges=ALL_PRIVILEGES - {lacking})
    with refused(world):
        save(world.database, [_system_objects(world, caller)[names[lacking]]], caller)


def test_a_restricted_administrator_does_not_write_data(world: World) -> None:
    caller = world.caller("admin", "read-write", privileges=ALL_PRIVILEGES - {"WriteOwned"})
    image = load(world, "Image", world.data["read-write"].image, caller)
    image.name = rstring("changed")
    with refused(world):
        save(world.database, [image], caller)
    with refused(world):
        save(world.database, [dataset("new")], caller)


def test_a_refusal_does_not_tell_whether_the_object_exists(world: World) -> None:
    """A private object and none at all are refused in the same words."""
    hidden, missing = world.data["private"].image, 10**6
    messages = []
    for object_id in (hidden, missing):
        link, tag = m.ImageAnnotationLinkI(), m.TagAnnotationI()
        tag.textValue, link.parent, link.child = rstring("t"), m.ImageI(object_id, False), tag
        with pytest.raises(omero.SecurityViolation) as caught:
            save(world.database, [link], world.caller("member", "private"))
        messages.append(caught.value.message.replace(str(object_id), "?"))
    assert messages[0] == messages[1]


def test_a_reference_that_was_hidden_survives_saving(world: World) -> None:
    """A client that got no reference, because she may not see its target, does not erase it."""
    data, caller = world.data["private"], world.caller("member", "private")
    link = world.database.insert(
        "DatasetImageLink",
        parent=data.dataset,
        child=data.image,
        owner_id=caller.user_id,
        group_id=world.groups["private"],
        creation_id=0,
        update_id=0,
    )
    (mine,) = load_objects(world.database, "DatasetImageLink", [link], caller)
    assert mine.child is None
    save(world.database, [mine], caller)
    assert world.database.value("SELECT c_child FROM e_DatasetImageLink WHERE id = ?", link) == data.image


def test_the_repository_of_a_file_is_the_servers(world: World) -> None:
    file = m.OriginalFileI()
    file.name, file.path, file.repo = rstring("x"), rstring("/etc"), rstring("repository")
    with refused(world):
        save(world.database, [file], world.caller("owner", "private"))
