# SPDX-License-Identifier: AGPL-3.0-or-later
"""Saving: what is stored, what is left alone, and how objects change hands between client and store."""

from __future__ import annotations

import omero
import omero.model as m
import pytest
from omero.rtypes import rint, rstring

from omero_sandbox.query.execution import execute_query, load_objects
from omero_sandbox.security.caller import Caller
from omero_sandbox.store.saving import save

from .world import World, make_image


def load(world: World, entity: str, object_id: int, caller: Caller) -> object:
    (found,) = load_objects(world.database, entity, [object_id], caller)
    return found


def dataset(name: str) -> m.DatasetI:
    made = m.DatasetI()
    made.name = rstring(name)
    return made


def test_a_new_object_gets_id_version_owner_group_and_events(world: World) -> None:
    caller = world.caller("owner", "read-annotate")
    (saved,) = save(world.database, [dataset("new")], caller)
    assert saved.id.val > 0
    assert saved.version.val == 0
    assert saved.details.owner.id.val == caller.user_id
    assert saved.details.group.id.val == caller.group_id
    event = saved.details.creationEvent.id.val
    assert saved.details.updateEvent.id.val == event
    (row,) = world.database.rows("SELECT c_experimenter, c_experimenterGroup FROM e_Event WHERE id = ?", event)
    assert row == (caller.user_id, caller.group_id)
    assert saved.details.permissions.canEdit()


def test_values_of_every_kind_come_back(world: World) -> None:
    caller = world.caller("owner", "private")
    data = world.data["private"]
    pixels = load(world, "Pixels", data.pixels, caller)
    assert (pixels.physicalSizeX.getValue(), str(pixels.physicalSizeX.getUnit())) == (0.65, "MICROMETER")
    assert pixels.sizeX.val == 4
    annotation = load(world, "MapAnnotation", data.map_annotation, caller)
    assert [(pair.name, pair.value) for pair in annotation.mapValue] == [("gene", "private"), ("dose", "1")]
    image = load(world, "Image", data.image, caller)
    assert image.acquisitionDate.val == 1_600_000_000_000
    mask = m.MaskI()
    mask.bytes, mask.roi = b"\x00\xff\x10", m.RoiI(data.roi, False)
    save(world.database, [mask], caller)
    assert load(world, "Mask", mask.id.val, caller).bytes == b"\x00\xff\x10"


def test_saving_what_was_loaded_changes_nothing(world: World) -> None:
    """The round trip of every entity in the world is exact: no version moves, no event is made."""
    caller = world.caller("owner")
    events = world.database.value("SELECT count(*) FROM e_Event")
    for entity in ("Project", "Image", "Pixels", "Channel", "LogicalChannel", "Plate", "Well", "WellSample", "Annotation"):
        ids = [row[0] for row in world.database.rows(f"SELECT id FROM e_{entity}")]
        save(world.database, load_objects(world.database, entity, ids, caller), caller)
        assert not world.database.value(f"SELECT count(*) FROM e_{entity} WHERE version > 0")
    assert world.database.value("SELECT count(*) FROM e_Event") == events


def test_a_change_moves_version_and_update_event_only(world: World) -> None:
    caller = world.caller("owner", "private")
    image = load(world, "Image", world.data["private"].image, caller)
    created = image.details.creationEvent.id.val
    image.description = rstring("described")
    save(world.database, [image], caller)
    again = load(world, "Image", image.id.val, caller)
    assert again.description.val == "described"
    assert again.version.val == image.version.val == 1
    assert again.details.creationEvent.id.val == created
    assert again.details.updateEvent.id.val > created


def test_setting_a_value_to_nothing(world: World) -> None:
    caller = world.caller("owner", "private")
    image = load(world, "Image", world.data["private"].image, caller)
    image.acquisitionDate = None
    save(world.database, [image], caller)
    assert load(world, "Image", image.id.val, caller).acquisitionDate is None


def test_unloaded_objects_are_references_only(world: World) -> None:
    caller = world.caller("owner", "private")
    data = world.data["private"]
    link = m.DatasetImageLinkI()
    link.parent, link.child = m.DatasetI(data.dataset, False), m.ImageI(data.field_image, False)
    save(world.database, [link], caller)
    assert load(world, "Image", data.field_image, caller).name.val == "private field"


def test_an_outdated_object_is_refused(world: World) -> None:
    caller = world.caller("owner", "read-write")
    image_id = world.data["read-write"].image
    mine, hers = load(world, "Image", image_id, caller), load(world, "Image", image_id, world.caller("member"))
    hers.name = rstring("hers")
    save(world.database, [hers], world.caller("member", "read-write"))
    mine.name = rstring("mine")
    with pytest.raises(omero.OptimisticLockException):
        save(world.database, [mine], caller)
    assert load(world, "Image", image_id, caller).name.val == "hers"


def test_an_object_that_was_never_loaded_cannot_overwrite_one(world: World) -> None:
    image = m.ImageI(world.data["private"].image, True)
    image.name = rstring("blank everything else")
    with pytest.raises(omero.ApiUsageException):
        save(world.database, [image], world.caller("owner", "private"))


def test_all_or_nothing(world: World) -> None:
    caller = world.caller("owner", "private")
    good, bad = dataset("good"), m.DatasetI()
    with pytest.raises(omero.ValidationException, match="name"):
        save(world.database, [good, bad], caller)
    assert good.id is None
    assert execute_query(world.database, "from Dataset d where d.name = 'good'", None, caller) == []


def test_elements_of_collections_belong_to_their_owner(world: World) -> None:
    caller = world.caller("owner", "private")
    plate, well = m.PlateI(), m.WellI()
    plate.name = rstring("p")
    plate._wellsSeq = [well]  # as Ice delivers it: nothing says on the well whose it is
    well.row, well.column = rint(0), rint(0)
    save(world.database, [plate], caller)
    assert load(world, "Well", well.id.val, caller).plate.id.val == plate.id.val


def test_missing_elements_of_a_collection_are_kept(world: World) -> None:
    caller = world.caller("owner", "private")
    data = world.data["private"]
    hql = f"select d from Dataset d join fetch d.imageLinks where d.id = {data.dataset}"
    (found,) = execute_query(world.database, hql, None, caller)
    found._imageLinksSeq = []
    found.description = rstring("changed")
    save(world.database, [found], caller)
    assert load_objects(world.database, "DatasetImageLink", [data.dataset_image_link], caller)


def test_ordered_collections_keep_their_order(world: World) -> None:
    caller = world.caller("owner", "private")
    well = load(world, "Well", world.data["private"].well, caller)
    for name in ("second", "third"):
        sample = m.WellSampleI()
        sample.well, sample.image = m.WellI(well.id.val, False), make_image(name)
        save(world.database, [sample], caller)
    hql = f"select index(ws), ws.image.name from Well w join w.wellSamples ws where w.id = {well.id.val} order by index(ws)"
    rows = execute_query(world.database, hql, None, caller, projection=True)
    assert [(row[0].val, row[1].val) for row in rows] == [(0, "private field"), (1, "second"), (2, "third")]


def test_an_enumeration_may_be_given_by_value(world: World) -> None:
    caller = world.caller("owner", "private")
    image = make_image("float")
    image.getPrimaryPixels().pixelsType = m.PixelsTypeI()
    image.getPrimaryPixels().pixelsType.value = rstring("float")
    save(world.database, [image], caller)
    hql = f"select p.pixelsType.value from Pixels p where p.image.id = {image.id.val}"
    assert execute_query(world.database, hql, None, caller, projection=True)[0][0].val == "float"
    assert world.database.value("SELECT count(*) FROM e_PixelsType WHERE c_value = 'float'") == 1


def test_external_info(world: World) -> None:
    caller = world.caller("owner", "private")
    image = load(world, "Image", world.data["private"].image, caller)
    info = m.ExternalInfoI()
    info.entityId, info.entityType, info.uuid = omero.rtypes.rlong(1), rstring("test"), rstring("u")
    image.details.externalInfo = info
    save(world.database, [image], caller)
    hql = f"select i from Image i left outer join fetch i.details.externalInfo where i.id = {image.id.val}"
    (found,) = execute_query(world.database, hql, None, caller)
    assert found.details.externalInfo.uuid.val == "u"


def test_all_groups_context_puts_new_objects_where_they_belong(world: World) -> None:
    """With "omero.group = -1": the group the client names, else that of what is referred to, else the session's."""
    caller = world.caller("owner")
    named, attached = dataset("named"), m.RoiI()
    named.details.group = m.ExperimenterGroupI(world.groups["read-write"], False)
    attached.image = m.ImageI(world.data["read-only"].image, False)
    tag, link = m.TagAnnotationI(), m.ImageAnnotationLinkI()
    tag.textValue, link.parent, link.child = rstring("t"), m.ImageI(world.data["read-annotate"].image, False), tag
    save(world.database, [named, attached, link, free := dataset("free")], caller)
    assert named.details.group.id.val == world.groups["read-write"]
    assert attached.details.group.id.val == world.groups["read-only"]
    assert link.details.group.id.val == world.groups["read-annotate"]
    assert free.details.group.id.val == caller.session_group_id


@pytest.mark.parametrize(
    ("value", "error"),
    [(rint(3), None), (rstring("x"), omero.ValidationException), (m.PlateI(1, False), omero.ValidationException)],
)
def test_values_of_the_wrong_type_are_refused(world: World, value: object, error: type[Exception] | None) -> None:
    well = m.WellI()
    well.plate = m.PlateI(world.data["private"].plate, False)
    well._row = value
    if error is None:
        save(world.database, [well], world.caller("owner", "private"))
        return
    with pytest.raises(error):
        save(world.database, [well], world.caller("owner", "private"))


def test_references_of_the_wrong_class_are_refused(world: World) -> None:
    data = world.data["private"]
    link = m.DatasetImageLinkI()
    link.parent, link._child = m.DatasetI(data.dataset, False), m.PlateI(data.plate, False)
    with pytest.raises(omero.ValidationException):
        save(world.database, [link], world.caller("owner", "private"))
    annotation = m.FileAnnotationI()
    annotation.file = m.OriginalFileI(10**9, False)
    with pytest.raises(omero.SecurityViolation):
        save(world.database, [annotation], world.caller("owner", "private"))


def test_what_is_not_an_omero_object_is_refused(world: World) -> None:
    with pytest.raises(omero.ApiUsageException):
        save(world.database, [m.DetailsI()], world.caller("owner", "private"))
