# SPDX-License-Identifier: AGPL-3.0-or-later
"""Attacks on a running sandbox, with unmodified omero-py clients: each is refused and leaves no trace.

An attack is a function of an attacker's connection and of the victim's data. "No trace" is checked on disk: no table and no
file differs afterwards (see `state`). Reading is attacked in test_reading.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import Ice
import omero
import omero.cmd
import omero.model
import omero.sys
import pytest
from omero.gateway import BlitzGateway
from omero.rtypes import rstring

from .attacks import (
    BECOMING,
    BEYOND_ONES_GROUP,
    OPENING,
    SERVER,
    WRITING,
    Attack,
    admin,
    command,
    group_proxy,
    named_group,
    new_user,
    privilege,
    privileges,
    sudo,
    tag_it,
    user_proxy,
)
from .people import People
from .state import changes, contents
from .victim import SECRET, Victim, make_victim

pytestmark = pytest.mark.stack

# What a refusal may look like. An InternalException is none: it would be a bug that happened to be in the way.
REFUSALS = (
    omero.SecurityViolation,
    omero.ValidationException,
    omero.ApiUsageException,
    omero.RemovedSessionException,
    omero.CmdError,
    Ice.ObjectNotExistException,
)


@pytest.fixture(scope="module")
def victims(people: People) -> dict[str, Victim]:
    """The owner's data in a group of each kind."""
    return {kind: make_victim(people.connect("owner", kind)) for kind in people.groups}


@pytest.fixture
def no_trace(people: People) -> Iterator[None]:
    before = contents(people.sandbox.folder)
    yield
    assert changes(before, contents(people.sandbox.folder)) == []


def refused(attack: Attack, conn: BlitzGateway, victim: Victim, people: People) -> None:
    """Make an attack; fail unless it is refused, in its answer where a command has run."""
    try:
        attack(conn, victim, people)
    except REFUSALS:
        return
    pytest.fail("the attack was not refused")


@pytest.mark.parametrize("name", BECOMING)
def test_nobody_makes_herself_owner_or_administrator(
    name: str, people: People, victims: dict[str, Victim], no_trace: None
) -> None:
    conn = people.connect("member", "read-write")
    refused(BECOMING[name], conn, victims["read-write"], people)
    context = admin(conn).getEventContext()
    assert not context.isAdmin
    assert context.leaderOfGroups == []


@pytest.mark.parametrize("name", BEYOND_ONES_GROUP)
def test_a_group_owner_stays_within_her_groups(name: str, people: People, victims: dict[str, Victim], no_trace: None) -> None:
    conn = people.connect("leader", "private")
    refused(BEYOND_ONES_GROUP[name], conn, victims["private"], people)
    assert not admin(conn).getEventContext().isAdmin


@pytest.mark.parametrize("role", ["member", "outsider"])
@pytest.mark.parametrize("name", OPENING)
def test_nobody_opens_a_private_group(name: str, role: str, people: People, victims: dict[str, Victim], no_trace: None) -> None:
    refused(OPENING[name], people.connect(role, "private"), victims["private"], people)


@pytest.mark.parametrize("kind", ["private", "read-only", "read-annotate"])
@pytest.mark.parametrize("name", WRITING)
def test_a_member_cannot_change_what_is_not_hers(
    name: str, kind: str, people: People, victims: dict[str, Victim], no_trace: None
) -> None:
    refused(WRITING[name], people.connect("member", kind), victims[kind], people)


@pytest.mark.parametrize("name", [*WRITING, "tag it"])
def test_an_outsider_cannot_change_anything(name: str, people: People, victims: dict[str, Victim], no_trace: None) -> None:
    attack = tag_it if name == "tag it" else WRITING[name]
    refused(attack, people.connect("outsider", "read-write"), victims["read-write"], people)


@pytest.mark.parametrize("kind", ["private", "read-only"])
def test_annotating_needs_a_group_that_allows_it(kind: str, people: People, victims: dict[str, Victim], no_trace: None) -> None:
    refused(tag_it, people.connect("member", kind), victims[kind], people)


# A control: the same calls, made by someone who has the right, do what they say. An attack that could not work for anyone
# would prove nothing by being refused. Left out: what the sandbox implements for nobody, and what is refused to owners too.
_NEVER = {
    "changeOwner",
    "changeGroup",
    "moveToCommonSpace",
    "Chown2",  # for owners of the group; see the leader's control below
    "Chown2 of all the user has",
    "take the image over",  # she has it already
    "Delete2 of the well",  # of the owner's plate: the next control
}


@pytest.mark.parametrize("name", [name for name in WRITING if name not in _NEVER])
def test_the_owner_can_do_it(name: str, people: People) -> None:
    conn = people.connect("owner", "read-annotate")
    victim = make_victim(conn)
    before = contents(people.sandbox.folder)
    WRITING[name](conn, victim, people)
    assert changes(before, contents(people.sandbox.folder)) != []


@pytest.mark.parametrize("kind", ["private", "read-only"])
def test_the_group_owner_can_give_away(kind: str, people: People) -> None:
    victim = make_victim(people.connect("owner", kind))
    conn = people.connect("leader", kind)
    command(conn, omero.cmd.Chown2(targetObjects={"Dataset": [victim.dataset]}, userId=people.ids["member"]))
    assert people.connect("member", kind).getObject("Dataset", victim.dataset).getOwner().getId() == people.ids["member"]


@pytest.mark.parametrize("name", ["updateGroup", "changePermissions", "Chmod2", "Chmod2 in DoAll"])
def test_the_group_owner_can_open_a_group(name: str, people: People) -> None:
    sandbox = people.sandbox
    group = sandbox.create_group(f"opened-{name}-{people.tag}", "rw----")
    leader = f"opener-{name}-{people.tag}".replace(" ", "")
    sandbox.create_user(leader, "x", owner_of=[group])
    with sandbox.connection(leader, "x") as conn:
        conn.SERVICE_OPTS.setOmeroGroup(group)
        OPENING[name](conn, make_victim(conn), people)
        assert str(admin(conn).getGroup(group).details.permissions) == "rwrw--"


@pytest.mark.parametrize("name", ["createGroup", "createUser in system", "setAdminPrivileges of another", "addGroups system"])
def test_an_administrator_can_do_it(name: str, people: People) -> None:
    with people.sandbox.connection() as root:
        service = root.getAdminService()
        other = people.sandbox.create_user(f"promoted-{name}-{people.tag}", "x", ["user"])
        if name == "createGroup":
            assert service.createGroup(named_group(f"made-{people.tag}")) > 0
        elif name == "createUser in system":
            user = new_user()
            user.omeName = rstring(f"administrator-{people.tag}")
            assert root.getAdminService().getMemberOfGroupIds(user_proxy(service.createSystemUser(user))) == [0, 1]
        else:
            service.addGroups(user_proxy(other), [group_proxy(0)])
            if name == "setAdminPrivileges of another":
                service.setAdminPrivileges(user_proxy(other), privileges())
                assert [each.value.val for each in service.getAdminPrivileges(user_proxy(other))] == ["Sudo"]
            assert 0 in service.getMemberOfGroupIds(user_proxy(other))


def test_a_restricted_administrator_does_not_free_herself(people: People) -> None:
    sandbox = people.sandbox
    name = f"light-{people.tag}"
    with sandbox.connection() as root:
        user = new_user()
        user.omeName = rstring(name)
        service = root.getAdminService()
        user_id = service.createRestrictedSystemUserWithPassword(user, privileges(), rstring("x"))
        service.addGroups(user_proxy(user_id), [group_proxy(people.groups["private"])])
    before = None
    with sandbox.connection(name, "x") as conn:
        before = contents(sandbox.folder)
        service = conn.getAdminService()
        for attempt in (
            lambda: service.setAdminPrivileges(user_proxy(user_id), [privilege("Chown")]),
            lambda: service.createSystemUser(new_user()),
            lambda: service.changeUserPassword("root", rstring("x")),
            lambda: service.setGroupOwner(group_proxy(0), user_proxy(user_id)),
            lambda: sudo(conn, "root"),
            lambda: conn.getConfigService().setConfigValue("omero.client.web.host", "x"),
        ):
            with pytest.raises(omero.SecurityViolation):
                attempt()
        assert changes(before, contents(sandbox.folder)) == []
        assert sudo(conn, people.name("owner")) is not None  # what she may


MOVING = ("Chown2", "Chgrp2 to another group", "Chgrp2 of the plate", "changeOwner", "moveToCommonSpace")


@pytest.mark.parametrize("name", MOVING)
def test_read_write_does_not_mean_moving(name: str, people: People, victims: dict[str, Victim], no_trace: None) -> None:
    refused(WRITING[name], people.connect("member", "read-write"), victims["read-write"], people)


def test_settings_that_are_not_for_clients_are_for_administrators(people: People) -> None:
    with people.sandbox.connection() as root:
        root.getConfigService().setConfigValue("omero.mail.password", "a secret")
        assert "omero.mail.password" in root.getConfigService().getConfigValues(".*")
        service = people.connect("member", "private").getConfigService()
        assert "omero.mail.password" not in service.getConfigValues(".*")
        with pytest.raises(omero.SecurityViolation):
            service.getConfigValue("omero.mail.password")
        root.getConfigService().setConfigValue("omero.mail.password", "")


@pytest.mark.parametrize("name", SERVER)
def test_a_user_cannot_change_the_server(name: str, people: People, victims: dict[str, Victim], no_trace: None) -> None:
    conn = people.connect("member", "read-write")
    refused(SERVER[name], conn, victims["read-write"], people)


def test_the_victims_data_are_still_whole(people: People, victims: dict[str, Victim]) -> None:
    """The last word: after everything above the owner finds what she stored."""
    for kind, victim in victims.items():
        conn = people.connect("owner", kind)
        assert conn.getObject("Image", victim.image).getName() == SECRET
        plane = conn.getObject("Image", victim.image).getPrimaryPixels().getPlane(0, 0, 0)
        assert (plane.ravel() == range(64 * 48)).all()
        assert b"".join(conn.getObject("FileAnnotation", victim.file_annotation).getFileInChunks()) == SECRET.encode()
