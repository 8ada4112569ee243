# SPDX-License-Identifier: AGPL-3.0-or-later
"""The key of a session is a credential: queries show callers their own sessions only."""

from __future__ import annotations

import dataclasses

import pytest

from omero_sandbox.query.execution import execute_query, load_objects
from omero_sandbox.security.caller import ALL_PRIVILEGES, Caller

from ..store.world import World


def _open(world: World, key: str, owner: str, sudoer: str | None = None) -> int:
    behind = {} if sudoer is None else {"sudoer": world.users[sudoer]}
    return world.database.insert("Session", uuid=key, owner=world.users[owner], node=0, started=1, **behind)


@pytest.fixture
def sessions(world: World) -> dict[str, int]:
    """One session of a member, one of an owner, and one that an administrator opened as the owner."""
    return {
        "member": _open(world, "key-member", "member"),
        "owner": _open(world, "key-owner", "owner"),
        "sudo": _open(world, "key-sudo", "owner", sudoer="admin"),
    }


def _keys(world: World, caller: Caller) -> set[str]:
    rows = execute_query(world.database, "select s.uuid from Session s", None, caller, projection=True)
    loaded = load_objects(world.database, "Session", range(100), caller)
    keys = {row[0].val for row in rows}
    assert {each.uuid.val for each in loaded} == keys
    return {key for key in keys if key.startswith("key-")}


def test_own_sessions_only(world: World, sessions: dict[str, int]) -> None:
    member = dataclasses.replace(world.caller("member"), session_id=sessions["member"])
    assert _keys(world, member) == {"key-member"}
    owner = dataclasses.replace(world.caller("owner"), session_id=sessions["owner"])
    assert _keys(world, owner) == {"key-owner"}, "not the one that an administrator opened in her name"


def test_acting_for_another_does_not_show_her_sessions(world: World, sessions: dict[str, int]) -> None:
    acting = dataclasses.replace(world.caller("owner"), session_id=sessions["sudo"])
    assert _keys(world, acting) == {"key-sudo"}


def test_administrators_need_the_privilege(world: World, sessions: dict[str, int]) -> None:
    assert _keys(world, world.caller("admin")) == {"key-member", "key-owner", "key-sudo"}
    restricted = world.caller("admin", privileges=ALL_PRIVILEGES - {"ReadSession"})
    assert _keys(world, restricted) == set()


@pytest.mark.parametrize(
    "hql",
    [
        "select e.session.uuid from Event e where e.session.uuid is not null",
        "select max(s.uuid), min(s.uuid) from Session s where s.uuid like 'key-%'",
        "select e.id from Event e where exists (select s.id from Session s where s = e.session and s.uuid like 'key-m%')",
        "select n.id from Node n join n.sessions s where s.uuid like 'key-m%'",
        "select n.id from Node n where size(n.sessions) > 0",
        "select n from Node n left outer join fetch n.sessions s where s.uuid like 'key%'",
    ],
)
def test_keys_do_not_come_out_sideways(world: World, sessions: dict[str, int], hql: str) -> None:
    world.database.insert("Event", time=1, status="", experimenter=0, experimenterGroup=0, type=2, session=sessions["member"])
    nobody = dataclasses.replace(world.caller("outsider"), session_id=10**6)
    rows = execute_query(world.database, hql, None, nobody, projection=True)
    assert [row for row in rows if any(value is not None for value in row)] == []


def test_passwords_are_in_no_entity(world: World) -> None:
    """They are in a table of their own that no query can name."""
    columns = {row[1] for row in world.database.rows("PRAGMA table_info(e_Experimenter)")}
    assert not {name for name in columns if "pass" in name.lower() or "hash" in name.lower()}
