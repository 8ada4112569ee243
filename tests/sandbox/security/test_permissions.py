# SPDX-License-Identifier: AGPL-3.0-or-later
"""The four kinds of groups, for every position a person can be in, as OMERO documents them."""

from __future__ import annotations

import dataclasses
import sqlite3

import omero.model
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omero_sandbox.query.execution import load_objects
from omero_sandbox.security.caller import ALL_GROUPS, ALL_PRIVILEGES, GUEST_USER, SYSTEM_GROUP, USER_GROUP, Caller
from omero_sandbox.security.permissions import (
    NO_RIGHTS,
    can_annotate,
    can_chgrp,
    can_chown,
    can_delete,
    can_edit,
    can_link,
    can_read,
    rights_on,
)
from omero_sandbox.security.read_filter import ReadFilter

from ..store.world import KINDS, World

OWNER, OTHER, GROUP = 10, 11, 7


def bits(kind: str) -> int:
    return omero.model.PermissionsI(KINDS[kind])._perm1


def caller(position: str, **changes: object) -> Caller:
    """Someone in a position towards an object of user `OWNER` in group `GROUP`."""
    base = Caller(OTHER, "x", ALL_GROUPS, GROUP, False, frozenset(), frozenset({GROUP, USER_GROUP}), frozenset(), 1, "uuid")
    positions: dict[str, dict[str, object]] = {
        "owner": {"user_id": OWNER},
        "member": {},
        "leader": {"leader_of": frozenset({GROUP})},
        "outsider": {"member_of": frozenset({USER_GROUP})},
        "admin": {
            "is_admin": True,
            "privileges": ALL_PRIVILEGES,
            "member_of": frozenset({SYSTEM_GROUP, USER_GROUP}),
        },
        "guest": {"user_id": GUEST_USER},
    }
    return dataclasses.replace(base, **{**positions[position], **changes})


# position, kind -> the letters of what is allowed: Read, Link, Edit, Delete, Annotate, moving to a Group, giving to an Owner
TABLE = {
    ("owner", "private"): "RLEDAG",
    ("owner", "read-only"): "RLEDAG",
    ("owner", "read-annotate"): "RLEDAG",
    ("owner", "read-write"): "RLEDAG",
    ("member", "private"): "",
    ("member", "read-only"): "R",
    ("member", "read-annotate"): "RA",
    ("member", "read-write"): "RLEDA",
    ("leader", "private"): "REDO",
    ("leader", "read-only"): "RLEDAO",
    ("leader", "read-annotate"): "RLEDAO",
    ("leader", "read-write"): "RLEDAO",
    ("admin", "private"): "REDGO",
    ("admin", "read-only"): "RLEDAGO",
    ("admin", "read-annotate"): "RLEDAGO",
    ("admin", "read-write"): "RLEDAGO",
    ("outsider", "private"): "",
    ("outsider", "read-only"): "",
    ("outsider", "read-annotate"): "",
    ("outsider", "read-write"): "",
}


@pytest.mark.parametrize(("position", "kind"), TABLE)
def test_documented_rights(position: str, kind: str) -> None:
    who, permissions = caller(position), bits(kind)
    checks = {
        "R": can_read,
        "L": can_link,
        "E": can_edit,
        "D": can_delete,
        "A": can_annotate,
        "G": can_chgrp,
        "O": can_chown,
    }
    allowed = "".join(letter for letter, check in checks.items() if check(who, OWNER, GROUP, permissions))
    assert allowed == TABLE[position, kind]


@pytest.mark.parametrize("kind", KINDS)
def test_another_group_context_hides_everything(kind: str) -> None:
    for position in ("owner", "member", "leader", "admin"):
        who = caller(position, group_id=GROUP + 1)
        assert not can_read(who, OWNER, GROUP, bits(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_guest_changes_nothing(kind: str) -> None:
    assert rights_on(caller("guest"), OWNER, GROUP, bits(kind)) == NO_RIGHTS


def test_restrictions_are_in_the_order_of_omero() -> None:
    names = omero.constants.permissions
    restrictions = rights_on(caller("member"), OWNER, GROUP, bits("read-annotate")).restrictions()
    assert not restrictions[names.ANNOTATERESTRICTION]
    assert all(
        restrictions[each]
        for each in (
            names.LINKRESTRICTION,
            names.EDITRESTRICTION,
            names.DELETERESTRICTION,
            names.CHGRPRESTRICTION,
            names.CHOWNRESTRICTION,
        )
    )


@pytest.mark.parametrize(
    ("privilege", "entity", "right"),
    [
        ("WriteOwned", "Image", "edit"),
        ("WriteOwned", "Image", "annotate"),
        ("WriteOwned", "Image", "link"),
        ("DeleteOwned", "Image", "delete"),
        ("WriteFile", "OriginalFile", "edit"),
        ("DeleteFile", "OriginalFile", "delete"),
        ("Chgrp", "Image", "chgrp"),
        ("Chown", "Image", "chown"),
        ("ModifyUser", "Experimenter", "edit"),
        ("ModifyGroup", "ExperimenterGroup", "edit"),
        ("ModifyGroupMembership", "GroupExperimenterMap", "edit"),
    ],
)
def test_a_restricted_administrator_may_what_her_privilege_says(privilege: str, entity: str, right: str) -> None:
    has = caller("admin", privileges=frozenset({privilege}))
    lacks = caller("admin", privileges=ALL_PRIVILEGES - {privilege})
    details = (None, None, 0) if "xperimenter" in entity else (OWNER, GROUP, bits("read-annotate"))
    assert getattr(rights_on(has, *details, entity=entity), right)
    assert not getattr(rights_on(lacks, *details, entity=entity), right)
    assert can_read(lacks, OWNER, GROUP, bits("private"))


def test_a_privilege_without_being_administrator_is_worth_nothing() -> None:
    who = caller("outsider", privileges=ALL_PRIVILEGES)
    assert rights_on(who, OWNER, GROUP, bits("read-write")) == NO_RIGHTS
    assert not can_read(who, OWNER, GROUP, bits("read-write"))


def test_data_of_the_user_group_is_public_but_its_owners() -> None:
    permissions = omero.model.PermissionsI("rwr-r-")._perm1
    who = caller("outsider")
    assert can_read(who, OWNER, USER_GROUP, permissions)
    rights = rights_on(who, OWNER, USER_GROUP, permissions)
    assert rights.link
    assert not rights.edit
    assert not rights.delete
    assert rights_on(caller("owner"), OWNER, USER_GROUP, permissions).edit


def test_require_admin() -> None:
    with pytest.raises(omero.SecurityViolation):
        caller("leader").require_admin()
    with pytest.raises(omero.SecurityViolation):
        caller("admin", privileges=frozenset({"Sudo"})).require_admin("Chown")
    caller("admin", privileges=frozenset({"Sudo"})).require_admin("Sudo")
    caller("admin").require_admin("Chown")


@given(st.data())
def test_read_filter_and_can_read_agree(data: st.DataObject) -> None:
    """Row by row: the SQL condition says of every (owner, group) what the rule says."""
    owner, group = data.draw(st.sampled_from((OWNER, OTHER))), data.draw(st.sampled_from((GROUP, GROUP + 1, USER_GROUP)))
    texts = [data.draw(st.sampled_from(("rw----", "rwr---", "rwra--", "rwrw--", "rwr-r-"))) for _ in range(2)]
    permissions = {GROUP: texts[0], GROUP + 1: texts[1], USER_GROUP: "rwr-r-"}
    perms = {key: omero.model.PermissionsI(text)._perm1 for key, text in permissions.items()}
    who = caller(
        data.draw(st.sampled_from(("owner", "member", "leader", "outsider", "admin"))),
        group_id=data.draw(st.sampled_from((ALL_GROUPS, GROUP, GROUP + 1, USER_GROUP))),
    )
    visible = ReadFilter(_Groups(perms), who)
    condition = visible.condition("Image", "t") or "1"
    sql = f"WITH t(owner_id, group_id) AS (SELECT :row_owner, :row_group) SELECT count(*) FROM t WHERE {condition}"
    connection = sqlite3.connect(":memory:")
    (count,) = connection.execute(sql, {**visible.parameters, "row_owner": owner, "row_group": group}).fetchone()
    connection.close()
    assert bool(count) == can_read(who, owner, group, perms[group])


class _Groups:
    """All that a read filter reads from a database."""

    def __init__(self, permissions: dict[int, int]) -> None:
        self._permissions = permissions

    def rows(self, _sql: str) -> list[tuple[int, int]]:
        return list(self._permissions.items())


def test_permissions_on_objects_follow_the_rules(world: World) -> None:
    """What clients are told (canEdit, canAnnotate …) is what `save` and `delete` then do."""
    for kind, data in world.data.items():
        for person in ("owner", "member", "leader", "admin"):
            found = load_objects(world.database, "Image", [data.image], world.caller(person))
            if not found:
                assert (person, kind) == ("member", "private")
                continue
            permissions = found[0].details.permissions
            letters = TABLE[person, kind]
            assert permissions.canEdit() == ("E" in letters)
            assert permissions.canAnnotate() == ("A" in letters)
            assert permissions.canLink() == ("L" in letters)
            assert permissions.canDelete() == ("D" in letters)
            assert permissions.canChgrp() == ("G" in letters)
            assert permissions.canChown() == ("O" in letters)
            assert str(permissions) == KINDS[kind]
