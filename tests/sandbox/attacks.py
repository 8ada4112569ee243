# SPDX-License-Identifier: AGPL-3.0-or-later
"""The attacks of test_attacks.py: functions of an attacker's connection, the victim's data and the people."""

from __future__ import annotations

from collections.abc import Callable

import omero
import omero.cmd
import omero.model
import omero.sys
from omero.gateway import BlitzGateway
from omero.model import (
    AdminPrivilegeI,
    DatasetI,
    DatasetImageLinkI,
    ExperimenterGroupI,
    ExperimenterI,
    GroupExperimenterMapI,
    ImageAnnotationLinkI,
    ImageI,
    PermissionsI,
    PlateI,
    TagAnnotationI,
    WellI,
)
from omero.rtypes import rbool, rdouble, rint, rlong, rstring

from .people import People
from .victim import Victim

Attack = Callable[[BlitzGateway, Victim, People], object]


def command(conn: BlitzGateway, request: omero.cmd.Request) -> omero.cmd.Response:
    """Run a command; a failure in its answer raises omero.CmdError."""
    handle = conn.c.sf.submit(request, conn.SERVICE_OPTS)
    try:
        response = handle.getResponse()
    finally:
        handle.close()
    if isinstance(response, omero.cmd.ERR):
        raise omero.CmdError(response)
    return response


def group_proxy(group_id: int) -> ExperimenterGroupI:
    return ExperimenterGroupI(group_id, False)


def user_proxy(user_id: int) -> ExperimenterI:
    return ExperimenterI(user_id, False)


def me(conn: BlitzGateway) -> ExperimenterI:
    return user_proxy(conn.getUserId())


def privileges() -> list[AdminPrivilegeI]:
    privilege = AdminPrivilegeI()
    privilege.value = rstring("Sudo")
    return [privilege]


def new_user() -> ExperimenterI:
    user = ExperimenterI()
    user.omeName = user.firstName = user.lastName = rstring("intruder")
    return user


def membership(conn: BlitzGateway, group_id: int, owner: bool) -> GroupExperimenterMapI:
    link = GroupExperimenterMapI()
    link.parent, link.child, link.owner = group_proxy(group_id), me(conn), rbool(owner)
    return link


def admin(conn: BlitzGateway):
    return conn.getAdminService()


def save(conn: BlitzGateway, obj: omero.model.IObject) -> omero.model.IObject:
    return conn.getUpdateService().saveAndReturnObject(obj, conn.SERVICE_OPTS)


def loaded(conn: BlitzGateway, query: str) -> omero.model.IObject:
    """Load an object through the attacker's own eyes; a refusal to show it ends the attack."""
    found = conn.getQueryService().findByQuery(query, None, conn.SERVICE_OPTS)
    if found is None:
        raise omero.ValidationException("", "", "not readable")
    return found


# Making oneself group owner or administrator ----------------------------------------------------------------------------


def own_membership_as_owner(conn: BlitzGateway, victim: Victim, people: People) -> object:
    link = loaded(
        conn, f"select m from GroupExperimenterMap m where m.parent.id = {victim.group} and m.child.id = {conn.getUserId()}"
    )
    link.owner = rbool(True)
    return save(conn, link)


def own_membership_elsewhere(conn: BlitzGateway, victim: Victim, people: People) -> object:
    """Turn one's own membership of a group into one of the group system."""
    link = loaded(conn, f"select m from GroupExperimenterMap m where m.parent.id = 1 and m.child.id = {conn.getUserId()}")
    link.parent = group_proxy(0)
    return save(conn, link)


def collection_of_group(conn: BlitzGateway, victim: Victim, people: People) -> object:
    """Save the group system with oneself added to its members."""
    group = loaded(conn, "select g from ExperimenterGroup g left outer join fetch g.groupExperimenterMap where g.id = 0")
    group.addGroupExperimenterMap(membership(conn, 0, True))
    return save(conn, group)


def membership_inside_other_object(conn: BlitzGateway, victim: Victim, people: People) -> object:
    """Save a dataset of one's own whose owner, inside details, carries a new membership of system."""
    dataset, user = DatasetI(), ExperimenterI(conn.getUserId(), True)
    dataset.name = rstring("harmless")
    user.omeName = user.firstName = user.lastName = rstring("x")
    user.addGroupExperimenterMap(membership(conn, 0, True))
    return conn.getUpdateService().saveAndReturnArray([dataset, user], conn.SERVICE_OPTS)


BECOMING: dict[str, Attack] = {
    "setGroupOwner of system": lambda c, v, p: admin(c).setGroupOwner(group_proxy(0), me(c)),
    "setGroupOwner of the group": lambda c, v, p: admin(c).setGroupOwner(group_proxy(v.group), me(c)),
    "addGroupOwners of system": lambda c, v, p: admin(c).addGroupOwners(group_proxy(0), [me(c)]),
    "addGroupOwners of the group": lambda c, v, p: admin(c).addGroupOwners(group_proxy(v.group), [me(c)]),
    "group without id": lambda c, v, p: admin(c).setGroupOwner(named_group("system"), me(c)),
    "addGroups system": lambda c, v, p: admin(c).addGroups(me(c), [group_proxy(0)]),
    "addGroups the group": lambda c, v, p: admin(c).addGroups(me(c), [group_proxy(v.group)]),
    "setAdminPrivileges": lambda c, v, p: admin(c).setAdminPrivileges(me(c), privileges()),
    "createSystemUser": lambda c, v, p: admin(c).createSystemUser(new_user()),
    "createRestrictedSystemUser": lambda c, v, p: admin(c).createRestrictedSystemUser(new_user(), privileges()),
    "createRestrictedSystemUserWithPassword": lambda c, v, p: admin(c).createRestrictedSystemUserWithPassword(
        new_user(), privileges(), rstring("x")
    ),
    "createExperimenter in system": lambda c, v, p: admin(c).createExperimenter(new_user(), group_proxy(0), []),
    "createExperimenterWithPassword in system": lambda c, v, p: admin(c).createExperimenterWithPassword(
        new_user(), rstring("x"), group_proxy(0), []
    ),
    "createUser in system": lambda c, v, p: admin(c).createUser(new_user(), "system"),
    "createGroup": lambda c, v, p: admin(c).createGroup(named_group("intruders")),
    "save a membership of system": lambda c, v, p: save(c, membership(c, 0, True)),
    "save a membership of the group": lambda c, v, p: save(c, membership(c, v.group, True)),
    "save a new user": lambda c, v, p: save(c, new_user()),
    "save a new group": lambda c, v, p: save(c, named_group("intruders")),
    "save one's membership as owner": own_membership_as_owner,
    "move one's membership to system": own_membership_elsewhere,
    "add oneself to the members of system": collection_of_group,
    "hide a membership in other objects": membership_inside_other_object,
    "removeGroups of another": lambda c, v, p: admin(c).removeGroups(user_proxy(v.owner), [group_proxy(v.group)]),
    "unsetGroupOwner of the leader": lambda c, v, p: admin(c).unsetGroupOwner(
        group_proxy(v.group), user_proxy(p.ids["leader"])
    ),
    "removeGroupOwners": lambda c, v, p: admin(c).removeGroupOwners(group_proxy(v.group), [user_proxy(p.ids["leader"])]),
    "setDefaultGroup of another": lambda c, v, p: admin(c).setDefaultGroup(user_proxy(v.owner), group_proxy(v.group)),
    "updateExperimenter root": lambda c, v, p: admin(c).updateExperimenter(_renamed(c, 0)),
    "updateExperimenter oneself": lambda c, v, p: admin(c).updateExperimenter(_renamed(c, c.getUserId())),
    "updateExperimenterWithPassword root": lambda c, v, p: admin(c).updateExperimenterWithPassword(
        _renamed(c, 0), rstring("taken over")
    ),
    "updateSelf for root": lambda c, v, p: admin(c).updateSelf(_renamed(c, 0)),
    "updateSelf as root by name": lambda c, v, p: admin(c).updateSelf(_login_name(c, "root")),
    "save oneself": lambda c, v, p: save(c, _renamed(c, c.getUserId())),
    "save root": lambda c, v, p: save(c, _renamed(c, 0)),
    "delete another's membership": lambda c, v, p: command(
        c, omero.cmd.Delete2(targetObjects={"GroupExperimenterMap": [_a_membership(c, v.owner)]})
    ),
    "delete a user": lambda c, v, p: command(c, omero.cmd.Delete2(targetObjects={"Experimenter": [v.owner]})),
    "delete a group": lambda c, v, p: command(c, omero.cmd.Delete2(targetObjects={"ExperimenterGroup": [v.group]})),
    "deleteObject of a membership": lambda c, v, p: c.getUpdateService().deleteObject(
        GroupExperimenterMapI(_a_membership(c, v.owner), False)
    ),
}


def named_group(name: str) -> ExperimenterGroupI:
    group = ExperimenterGroupI()
    group.name = rstring(name)
    return group


def _renamed(conn: BlitzGateway, user_id: int) -> ExperimenterI:
    user = loaded(conn, f"select e from Experimenter e where e.id = {user_id}")
    user.lastName = rstring("Renamed")
    return user


def _login_name(conn: BlitzGateway, name: str) -> ExperimenterI:
    user = loaded(conn, f"select e from Experimenter e where e.id = {conn.getUserId()}")
    user.omeName = rstring(name)
    return user


def _a_membership(conn: BlitzGateway, user_id: int) -> int:
    link = loaded(conn, f"select m from GroupExperimenterMap m where m.child.id = {user_id} and m.parent.id = 1")
    return link.id.val


# A group owner is not an administrator ----------------------------------------------------------------------------------

BEYOND_ONES_GROUP: dict[str, Attack] = {
    "owner of system": lambda c, v, p: admin(c).setGroupOwner(group_proxy(0), me(c)),
    "member of system": lambda c, v, p: admin(c).addGroups(me(c), [group_proxy(0)]),
    "another into system": lambda c, v, p: admin(c).addGroups(user_proxy(v.owner), [group_proxy(0)]),
    "owner of another group": lambda c, v, p: admin(c).setGroupOwner(group_proxy(p.outside), me(c)),
    "own group and system at once": lambda c, v, p: admin(c).addGroups(
        user_proxy(p.ids["outsider"]), [group_proxy(v.group), group_proxy(0)]
    ),
    "open another group": lambda c, v, p: admin(c).changePermissions(group_proxy(p.outside), PermissionsI("rwrw--")),
    "world-readable": lambda c, v, p: admin(c).changePermissions(group_proxy(v.group), PermissionsI("rwrwr-")),
    "rename system": lambda c, v, p: admin(c).updateGroup(_group_as(c, 0, None)),
    "rename own group to system": lambda c, v, p: admin(c).updateGroup(_group_renamed(c, v.group, "system")),
    "make a user": lambda c, v, p: admin(c).createExperimenter(new_user(), group_proxy(v.group), []),
    "save a membership of system": lambda c, v, p: save(c, membership(c, 0, True)),
    "make a member administrator by privilege": lambda c, v, p: admin(c).setAdminPrivileges(user_proxy(v.owner), privileges()),
    "another's password": lambda c, v, p: admin(c).changeUserPassword(p.name("owner"), rstring("x")),
    "sudo": lambda c, v, p: sudo(c, p.name("owner")),
    "chown to oneself from another group": lambda c, v, p: command(
        c, omero.cmd.Chown2(targetObjects={"Experimenter": [v.owner]}, userId=c.getUserId())
    ),
}


def _group_as(conn: BlitzGateway, group_id: int, permissions: str | None) -> ExperimenterGroupI:
    group = loaded(conn, f"select g from ExperimenterGroup g where g.id = {group_id}")
    group.description = rstring("taken")
    if permissions is not None:
        group.details.permissions = PermissionsI(permissions)
    return group


def _group_renamed(conn: BlitzGateway, group_id: int, name: str) -> ExperimenterGroupI:
    group = _group_as(conn, group_id, None)
    group.name = rstring(name)
    return group


def sudo(conn: BlitzGateway, name: str) -> object:
    principal = omero.sys.Principal(name, "", "User", None)
    return conn.getSessionService().createSessionWithTimeouts(principal, 0, 60_000)


# Opening a private group ------------------------------------------------------------------------------------------------

OPENING: dict[str, Attack] = {
    "updateGroup": lambda c, v, p: admin(c).updateGroup(_group_as(c, v.group, "rwrw--")),
    "changePermissions": lambda c, v, p: admin(c).changePermissions(group_proxy(v.group), PermissionsI("rwrw--")),
    "Chmod2": lambda c, v, p: command(
        c, omero.cmd.Chmod2(targetObjects={"ExperimenterGroup": [v.group]}, permissions="rwrw--")
    ),
    "Chmod2 in DoAll": lambda c, v, p: command(
        c,
        omero.cmd.DoAll(requests=[omero.cmd.Chmod2(targetObjects={"ExperimenterGroup": [v.group]}, permissions="rwrw--")]),
    ),
    "IUpdate on the group": lambda c, v, p: save(c, _group_as(c, v.group, "rwrw--")),
    "changePermissions of an object": lambda c, v, p: admin(c).changePermissions(
        ImageI(v.image, False), PermissionsI("rwrwrw")
    ),
}


# Writing what belongs to another ----------------------------------------------------------------------------------------


def overwrite_file(conn: BlitzGateway, victim: Victim, people: People) -> object:
    store = conn.createRawFileStore()
    try:
        store.setFileId(victim.file, conn.SERVICE_OPTS)
        store.write(b"X", 0, 1)
        return store.save()
    finally:
        store.close()


def truncate_file(conn: BlitzGateway, victim: Victim, people: People) -> object:
    store = conn.createRawFileStore()
    try:
        store.setFileId(victim.file, conn.SERVICE_OPTS)
        return store.truncate(0)
    finally:
        store.close()


def overwrite_pixels(conn: BlitzGateway, victim: Victim, people: People) -> object:
    store = conn.createRawPixelsStore()
    try:
        store.setPixelsId(victim.pixels, True, conn.SERVICE_OPTS)
        return store.setPlane(b"\0" * (64 * 48 * 2), 0, 0, 0)
    finally:
        store.close()


def overwrite_tile(conn: BlitzGateway, victim: Victim, people: People) -> object:
    store = conn.createRawPixelsStore()
    try:
        store.setPixelsId(victim.pixels, True, conn.SERVICE_OPTS)
        return store.setTile(b"\xff\xff", 0, 0, 0, 0, 0, 1, 1)
    finally:
        store.close()


def rename(kind: str) -> Attack:
    def attack(conn: BlitzGateway, victim: Victim, people: People) -> object:
        obj = loaded(conn, f"select o from {kind} o where o.id = {getattr(victim, kind.lower())}")
        obj.name = rstring("defaced")
        return save(conn, obj)

    return attack


def rename_blindly(conn: BlitzGateway, victim: Victim, people: People) -> object:
    """Save a made-up object under the victim's id, without ever having read it."""
    image = ImageI(victim.image, True)
    image.name, image.version = rstring("defaced"), rint(0)
    return save(conn, image)


def change_map(conn: BlitzGateway, victim: Victim, people: People) -> object:
    annotation = loaded(conn, f"select a from MapAnnotation a where a.id = {victim.map_annotation}")
    annotation.setMapValue([omero.model.NamedValue("key", "defaced")])
    return save(conn, annotation)


def change_roi(conn: BlitzGateway, victim: Victim, people: People) -> object:
    roi = loaded(conn, f"select r from Roi r join fetch r.shapes where r.id = {victim.roi}")
    roi.copyShapes()[0].x = rdouble(99)
    return save(conn, roi)


def change_inside_graph(conn: BlitzGateway, victim: Victim, people: People) -> object:
    """Save a dataset of one's own whose image is the victim's, changed."""
    dataset, link = DatasetI(), DatasetImageLinkI()
    dataset.name = rstring("mine")
    image = ImageI(victim.image, True)
    image.name, image.version = rstring("defaced"), rint(0)
    link.parent, link.child = dataset, image
    return save(conn, link)


def take_over(conn: BlitzGateway, victim: Victim, people: People) -> object:
    """Save the victim's image with oneself as owner in its details."""
    image = loaded(conn, f"select i from Image i where i.id = {victim.image}")
    image.name = rstring("mine now")
    image.details.owner = me(conn)
    return save(conn, image)


def pixels_to_other_image(conn: BlitzGateway, victim: Victim, people: People) -> object:
    pixels = loaded(conn, f"select p from Pixels p where p.id = {victim.pixels}")
    pixels.image = ImageI(_own_image(conn), False)
    return save(conn, pixels)


def _own_image(conn: BlitzGateway) -> int:
    found = conn.getQueryService().findAllByQuery(
        f"select i from Image i where i.details.owner.id = {conn.getUserId()}", None, conn.SERVICE_OPTS
    )
    return found[0].id.val if found else 0


def tag_it(conn: BlitzGateway, victim: Victim, people: People) -> object:
    link, tag = ImageAnnotationLinkI(), TagAnnotationI()
    tag.textValue = rstring("graffiti")
    link.parent, link.child = ImageI(victim.image, False), tag
    return save(conn, link)


def into_dataset(conn: BlitzGateway, victim: Victim, people: People) -> object:
    """Put a new image into the victim's dataset."""
    image, link = ImageI(), DatasetImageLinkI()
    image.name = rstring("smuggled")
    link.parent, link.child = DatasetI(victim.dataset, False), image
    return save(conn, link)


def well_into_plate(conn: BlitzGateway, victim: Victim, people: People) -> object:
    """Add a well to the victim's plate."""
    well = WellI()
    well.row, well.column, well.plate = rint(0), rint(1), PlateI(victim.plate, False)
    return save(conn, well)


def steal_well(conn: BlitzGateway, victim: Victim, people: People) -> object:
    """Move the victim's well into a plate of one's own."""
    plate = PlateI()
    plate.name = rstring("mine")
    well = loaded(conn, f"select w from Well w where w.id = {victim.well}")
    well.plate = plate
    return save(conn, well)


def steal_sample(conn: BlitzGateway, victim: Victim, people: People) -> object:
    """Move the victim's field of view into a well of one's own."""
    plate, well = PlateI(), WellI()
    plate.name = rstring("mine")
    well.row, well.column = rint(0), rint(0)
    plate.addWell(well)
    sample = loaded(conn, f"select s from WellSample s where s.well.id = {victim.well}")
    sample.well = well
    return conn.getUpdateService().saveAndReturnArray([plate, sample], conn.SERVICE_OPTS)


def move_link(conn: BlitzGateway, victim: Victim, people: People) -> object:
    """Point the victim's dataset link at another image."""
    link = loaded(conn, f"select l from DatasetImageLink l where l.id = {victim.dataset_link}")
    link.child = ImageI(_own_image(conn), False)
    return save(conn, link)


def delete(kind: str, attribute: str | None = None) -> Attack:
    def attack(conn: BlitzGateway, victim: Victim, people: People) -> object:
        key = getattr(victim, attribute or kind.lower())
        response = command(conn, omero.cmd.Delete2(targetObjects={kind: [key]}))
        if not response.deletedObjects:  # not there for this caller: that is a refusal too
            raise omero.ValidationException("", "", "nothing was deleted")
        return response

    return attack


def delete_object(conn: BlitzGateway, victim: Victim, people: People) -> object:
    return conn.getUpdateService().deleteObject(ImageI(victim.image, False), conn.SERVICE_OPTS)


def delete_in_list(conn: BlitzGateway, victim: Victim, people: People) -> object:
    """Delete the victim's image in the company of something of one's own: neither goes."""
    tag = TagAnnotationI()
    tag.textValue = rstring("own")
    return command(
        conn,
        omero.cmd.DoAll(
            requests=[
                omero.cmd.Delete2(targetObjects={"Image": [victim.image]}),
                omero.cmd.Delete2(targetObjects={"Dataset": [victim.dataset]}),
            ]
        ),
    )


def rendering_settings(conn: BlitzGateway, victim: Victim, people: People) -> object:
    """Change the victim's own rendering settings, which everybody who has none sees."""
    settings = loaded(conn, f"select r from RenderingDef r where r.pixels.id = {victim.pixels}")
    settings.compression = rdouble(0.1)
    return conn.getPixelsService().saveRndSettings(settings, conn.SERVICE_OPTS)


WRITING: dict[str, Attack] = {
    "RawFileStore.write": overwrite_file,
    "RawFileStore.truncate": truncate_file,
    "RawPixelsStore.setPlane": overwrite_pixels,
    "RawPixelsStore.setTile": overwrite_tile,
    "rename the image": rename("Image"),
    "rename the dataset": rename("Dataset"),
    "rename the plate": rename("Plate"),
    "rename the image blindly": rename_blindly,
    "change the key-value pairs": change_map,
    "change the ROI": change_roi,
    "change inside a graph of one's own": change_inside_graph,
    "take the image over": take_over,
    "move pixels to another image": pixels_to_other_image,
    "put an image into the dataset": into_dataset,
    "add a well to the plate": well_into_plate,
    "take the well": steal_well,
    "take the field of view": steal_sample,
    "point the link elsewhere": move_link,
    "setChannelGlobalMinMax": lambda c, v, p: c.getPixelsService().setChannelGlobalMinMax(
        v.pixels, 0, 0.0, 1.0, c.SERVICE_OPTS
    ),
    "Delete2 of the image": delete("Image"),
    "Delete2 of the plate": delete("Plate"),
    "Delete2 of the well": delete("Well"),
    "Delete2 of the tag": delete("TagAnnotation", "tag"),
    "Delete2 of the tag's link": delete("ImageAnnotationLink", "tag_link"),
    "Delete2 of the ROI": delete("Roi"),
    "Delete2 of the file": delete("OriginalFile", "file"),
    "IUpdate.deleteObject": delete_object,
    "DoAll of deletes": delete_in_list,
    "Chown2": lambda c, v, p: command(c, omero.cmd.Chown2(targetObjects={"Image": [v.image]}, userId=c.getUserId())),
    "Chown2 of all the user has": lambda c, v, p: command(c, omero.cmd.Chown2(targetUsers=[v.owner], userId=c.getUserId())),
    "Chgrp2 to another group": lambda c, v, p: command(
        c, omero.cmd.Chgrp2(targetObjects={"Image": [v.image]}, groupId=_another_group(c, v, p))
    ),
    "Chgrp2 of the plate": lambda c, v, p: command(
        c, omero.cmd.Chgrp2(targetObjects={"Plate": [v.plate]}, groupId=_another_group(c, v, p))
    ),
    "changeOwner": lambda c, v, p: admin(c).changeOwner(ImageI(v.image, False), c.getUser().getName()),
    "changeGroup": lambda c, v, p: admin(c).changeGroup(ImageI(v.image, False), "user"),
    "moveToCommonSpace": lambda c, v, p: admin(c).moveToCommonSpace([ImageI(v.image, False)]),
    "rendering settings": rendering_settings,
}


def _another_group(conn: BlitzGateway, victim: Victim, people: People) -> int:
    """A group that the attacker is in and the victim's data are not."""
    mine = [people.outside] if conn.getUserId() == people.ids["outsider"] else list(people.groups.values())
    return next(group for group in mine if group != victim.group)


def privilege(value: str) -> AdminPrivilegeI:
    privilege = AdminPrivilegeI()
    privilege.value = rstring(value)
    return privilege


# The server's settings, others' passwords, enumerations -----------------------------------------------------------------

SERVER: dict[str, Attack] = {
    "setConfigValue": lambda c, v, p: c.getConfigService().setConfigValue("omero.client.web.host", "http://evil.example"),
    "setConfigValueIfEquals": lambda c, v, p: c.getConfigService().setConfigValueIfEquals(
        "omero.client.web.host", "http://evil.example", ""
    ),
    "getConfigValues with a costly pattern": lambda c, v, p: c.getConfigService().getConfigValues("(o*)*(m*)*x$"),
    "changeUserPassword of another": lambda c, v, p: admin(c).changeUserPassword(p.name("owner"), rstring("x")),
    "changeUserPassword of root": lambda c, v, p: admin(c).changeUserPassword("root", rstring("x")),
    "changePassword without the old": lambda c, v, p: admin(c).changePassword(rstring("x")),
    "changePasswordWithOldPassword, wrong": lambda c, v, p: admin(c).changePasswordWithOldPassword(
        rstring("guess"), rstring("x")
    ),
    "changeExpiredCredentials": lambda c, v, p: admin(c).changeExpiredCredentials(p.name("owner"), "x", "y"),
    "reportForgottenPassword": lambda c, v, p: admin(c).reportForgottenPassword(p.name("owner"), "a@b"),
    "setSecurityPassword, wrong": lambda c, v, p: c.c.sf.setSecurityPassword("guess"),
    "createEnumeration": lambda c, v, p: c.getTypesService().createEnumeration(_enumeration("intruder")),
    "updateEnumeration": lambda c, v, p: c.getTypesService().updateEnumeration(_enumeration("intruder")),
    "deleteEnumeration": lambda c, v, p: c.getTypesService().deleteEnumeration(_enumeration("uint8")),
    "resetEnumerations": lambda c, v, p: c.getTypesService().resetEnumerations("PixelsType"),
    "save an enumeration": lambda c, v, p: save(c, _enumeration("intruder")),
    "delete an enumeration": lambda c, v, p: command(c, omero.cmd.Delete2(targetObjects={"PixelsType": [1]})),
    "save a session": lambda c, v, p: save(c, _session_row()),
    "save an event": lambda c, v, p: save(c, omero.model.EventI()),
    "work in the group system": lambda c, v, p: admin(c).getEventContext({"omero.group": "0"}),
    "setSecurityContext to system": lambda c, v, p: c.c.sf.setSecurityContext(group_proxy(0)),
    "removeUnusedFiles": lambda c, v, p: c.getRepositoryInfoService().removeUnusedFiles(),
    "ResetPasswordRequest": lambda c, v, p: command(c, omero.cmd.ResetPasswordRequest("root", "")),
    "SendEmailRequest": lambda c, v, p: command(c, omero.cmd.SendEmailRequest(subject="x", body="x", everyone=True)),
    "uploadOfficialScript": lambda c, v, p: c.getScriptService().uploadOfficialScript("/evil.py", "print()"),
    "runScript": lambda c, v, p: c.getScriptService().runScript(1, {}, None),
}


def _enumeration(value: str) -> omero.model.PixelsTypeI:
    kind = omero.model.PixelsTypeI()
    kind.value, kind.bitSize = rstring(value), rint(8)
    return kind


def _session_row() -> omero.model.SessionI:
    session = omero.model.SessionI()
    session.uuid, session.owner = rstring("11111111-1111-1111-1111-111111111111"), user_proxy(0)
    session.timeToIdle = session.timeToLive = rlong(0)
    session.node = omero.model.NodeI(0, False)
    return session
