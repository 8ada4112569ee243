# SPDX-License-Identifier: AGPL-3.0-or-later
"""A small world for the tests of the data layer: a group of each kind, people in each position, data of every sort.

No Ice and no server: callers are made by hand, and everything is stored through `save` as its owner would.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import omero.model as m
from omero.rtypes import rbool, rdouble, rint, rlong, rstring, rtime

from omero_sandbox.security.caller import ALL_GROUPS, ALL_PRIVILEGES, SYSTEM_GROUP, USER_GROUP, Caller
from omero_sandbox.store.database import Database
from omero_sandbox.store.saving import save

__all__ = ["KINDS", "PEOPLE", "Data", "World", "copy_world", "make_data", "make_group", "make_user", "make_world"]

KINDS = {"private": "rw----", "read-only": "rwr---", "read-annotate": "rwra--", "read-write": "rwrw--"}
PEOPLE = ("owner", "member", "leader", "outsider", "admin")


@dataclass
class Data:
    """The ids of what one user stored in one group."""

    project: int
    dataset: int
    image: int
    pixels: int
    screen: int
    plate: int
    acquisition: int
    well: int
    well_sample: int
    field_image: int
    tag: int
    map_annotation: int
    file_annotation: int
    file: int
    roi: int
    rectangle: int
    rendering: int
    image_tag_link: int
    dataset_image_link: int


@dataclass
class World:
    """The database with its people and groups."""

    database: Database
    groups: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    data: dict[str, Data] = field(default_factory=dict)

    def caller(self, person: str, kind: str | None = None, privileges: frozenset[str] | None = None) -> Caller:
        """A caller in the context of one kind of group, or of all her groups.

        Args:
            person: one of `PEOPLE`; "owner" owns `data`, "leader" owns the groups themselves.
            kind: the group context, or None for all groups.
            privileges: of "admin": all unless given.
        """
        is_admin = person == "admin"
        user_id = self.users[person]
        rows = self.database.rows("SELECT c_parent, c_owner FROM e_GroupExperimenterMap WHERE c_child = ?", user_id)
        member_of = frozenset(row[0] for row in rows)
        own_groups = sorted(member_of - {USER_GROUP})
        return Caller(
            user_id=user_id,
            user_name=person,
            group_id=ALL_GROUPS if kind is None else self.groups[kind],
            session_group_id=own_groups[0] if own_groups else USER_GROUP,
            is_admin=is_admin,
            privileges=(ALL_PRIVILEGES if privileges is None else privileges) if is_admin else frozenset(),
            member_of=member_of,
            leader_of=frozenset(row[0] for row in rows if row[1]),
            session_id=0,
            session_uuid=f"session-of-{person}",
        )


def make_group(database: Database, name: str, permissions: str) -> int:
    """Store a group and return its id."""
    group = m.ExperimenterGroupI()
    group.name, group.ldap = rstring(name), rbool(False)
    group.details.permissions = m.PermissionsI(permissions)
    save(database, [group], Caller.system())
    return group.id.val


def make_user(database: Database, name: str, groups: dict[int, bool]) -> int:
    """Store a user who is a member of groups (group id -> is she its owner) and return her id."""
    user = m.ExperimenterI()
    user.omeName, user.firstName, user.lastName, user.ldap = rstring(name), rstring(name), rstring("Test"), rbool(False)
    for group_id, is_owner in {**groups, USER_GROUP: False}.items():
        membership = m.GroupExperimenterMapI()
        membership.parent, membership.owner = m.ExperimenterGroupI(group_id, False), rbool(is_owner)
        user.addGroupExperimenterMap(membership)
    save(database, [user], Caller.system())
    return user.id.val


def make_pixels(size: int = 4) -> Any:
    """New pixels with one channel."""
    pixels = m.PixelsI()
    pixels.sizeX = pixels.sizeY = rint(size)
    pixels.sizeZ = pixels.sizeC = pixels.sizeT = rint(1)
    pixels.sha1 = rstring("pending")
    pixels.dimensionOrder = m.DimensionOrderI(1, False)
    pixels.pixelsType = m.PixelsTypeI(5, False)
    pixels.physicalSizeX = m.LengthI(0.65, m.enums.UnitsLength.MICROMETER)
    channel, logical, statistics = m.ChannelI(), m.LogicalChannelI(), m.StatsInfoI()
    logical.name = rstring("DAPI")
    logical.emissionWave = m.LengthI(461.0, m.enums.UnitsLength.NANOMETER)
    statistics.globalMin, statistics.globalMax = rdouble(0), rdouble(255)
    channel.logicalChannel, channel.statsInfo = logical, statistics
    pixels.addChannel(channel)
    return pixels


def make_image(name: str) -> Any:
    """A new image with pixels."""
    image = m.ImageI()
    image.name, image.acquisitionDate = rstring(name), rtime(1_600_000_000_000)
    image.addPixels(make_pixels())
    return image


def _rendering(pixels: Any) -> Any:
    rendering, quantum, binding = m.RenderingDefI(), m.QuantumDefI(), m.ChannelBindingI()
    quantum.cdStart, quantum.cdEnd, quantum.bitResolution = rint(0), rint(255), rint(255)
    rendering.pixels, rendering.quantization = pixels, quantum
    rendering.defaultZ = rendering.defaultT = rint(0)
    rendering.model = m.RenderingModelI(1, False)
    binding.family, binding.coefficient = m.FamilyI(1, False), rdouble(1)
    binding.inputStart, binding.inputEnd = rdouble(0), rdouble(255)
    binding.active, binding.noiseReduction = rbool(True), rbool(False)
    binding.red = binding.green = binding.blue = binding.alpha = rint(255)
    rendering.addChannelBinding(binding)
    return rendering


def make_data(database: Database, caller: Caller, prefix: str) -> Data:
    """Store one of everything as `caller`, in her group context."""
    project, dataset, image = m.ProjectI(), m.DatasetI(), make_image(f"{prefix} image")
    project.name, dataset.name = rstring(f"{prefix} project"), rstring(f"{prefix} dataset")
    dataset_image_link = dataset.linkImage(image)
    project.linkDataset(dataset)
    screen, plate, acquisition = m.ScreenI(), m.PlateI(), m.PlateAcquisitionI()
    screen.name, plate.name, acquisition.name = (rstring(f"{prefix} {each}") for each in ("screen", "plate", "run"))
    screen.linkPlate(plate)
    plate.addPlateAcquisition(acquisition)
    well, well_sample, field_image = m.WellI(), m.WellSampleI(), make_image(f"{prefix} field")
    well.row, well.column = rint(1), rint(2)
    plate.addWell(well)
    well.addWellSample(well_sample)
    acquisition.addWellSample(well_sample)
    well_sample.image = field_image
    tag, mapping, attached = m.TagAnnotationI(), m.MapAnnotationI(), m.FileAnnotationI()
    tag.textValue, tag.ns = rstring(f"{prefix} tag"), rstring("test/tag")
    mapping.ns, mapping.mapValue = rstring("test/map"), [m.NamedValue("gene", prefix), m.NamedValue("dose", "1")]
    file = m.OriginalFileI()
    file.name, file.path, file.size = rstring(f"{prefix}.csv"), rstring("/"), rlong(3)
    attached.file = file
    image_tag_link = image.linkAnnotation(tag)
    image.linkAnnotation(mapping)
    plate.linkAnnotation(attached)
    roi, rectangle = m.RoiI(), m.RectangleI()
    rectangle.x = rectangle.y = rectangle.width = rectangle.height = rdouble(1)
    rectangle.textValue = rstring(f"{prefix} cell")
    roi.addShape(rectangle)
    image.addRoi(roi)
    pixels = image.getPrimaryPixels()
    rendering = _rendering(pixels)
    save(database, [project, screen, roi, rendering], caller)
    return Data(
        project=project.id.val,
        dataset=dataset.id.val,
        image=image.id.val,
        pixels=pixels.id.val,
        screen=screen.id.val,
        plate=plate.id.val,
        acquisition=acquisition.id.val,
        well=well.id.val,
        well_sample=well_sample.id.val,
        field_image=field_image.id.val,
        tag=tag.id.val,
        map_annotation=mapping.id.val,
        file_annotation=attached.id.val,
        file=file.id.val,
        roi=roi.id.val,
        rectangle=rectangle.id.val,
        rendering=rendering.id.val,
        image_tag_link=image_tag_link.id.val,
        dataset_image_link=dataset_image_link.id.val,
    )


def make_world(folder: Path) -> World:
    """A fresh database with a group of each kind; "owner" has data in each."""
    world = World(Database(folder))
    for kind, permissions in KINDS.items():
        world.groups[kind] = make_group(world.database, kind, permissions)
    members = dict.fromkeys(world.groups.values(), False)
    world.users["owner"] = make_user(world.database, "owner", members)
    world.users["member"] = make_user(world.database, "member", members)
    world.users["leader"] = make_user(world.database, "leader", dict.fromkeys(members, True))
    elsewhere = make_group(world.database, "elsewhere", "rwra--")
    world.users["outsider"] = make_user(world.database, "outsider", {elsewhere: False})
    world.groups["elsewhere"] = elsewhere
    world.users["admin"] = make_user(world.database, "admin", {SYSTEM_GROUP: False})
    for kind in KINDS:
        world.data[kind] = make_data(world.database, world.caller("owner", kind), kind)
    return world


def copy_world(template: World, folder: Path) -> World:
    """Another world with the same contents: far quicker than making one. The template's database must be closed."""
    shutil.copytree(template.database.folder, folder, dirs_exist_ok=True)
    return replace(template, database=Database(folder))
