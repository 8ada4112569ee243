# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa: S608 - names of tables and columns come from the reflected model alone; every value is bound
"""Moves objects to another group and gives them to another user: what `Chgrp2` and `Chown2` do.

What moves with an object is what would be deleted with it (see `belongings`). Links whose other end stays behind are deleted
by a move, because objects of different groups cannot be linked; giving away leaves them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from omero_sandbox.model.reflection import ENTITIES
from omero_sandbox.security.caller import GUEST_GROUP, SYSTEM_GROUP, USER_GROUP, Caller
from omero_sandbox.security.refusals import invalid, refused
from omero_sandbox.store.belongings import Belongings, ChildRules
from omero_sandbox.store.relations import REFERENCES_FROM, Bond
from omero_sandbox.store.schema import column, table

if TYPE_CHECKING:
    from omero_sandbox.store.database import Database

__all__ = ["Moved", "change_group", "change_owner", "give_targets", "move_targets"]


@dataclass
class Moved:
    """What a move took along and what it had to delete, by concrete class."""

    included: dict[str, set[int]] = field(default_factory=dict)
    deleted: dict[str, set[int]] = field(default_factory=dict)


def change_group(
    database: Database, entity: str, ids: Iterable[int], group_id: int, caller: Caller, dry_run: bool = False
) -> Moved:
    """Move objects of one class; see `move_targets`."""
    return move_targets(database, {entity: list(ids)}, group_id, caller, dry_run=dry_run)


def change_owner(
    database: Database, entity: str, ids: Iterable[int], user_id: int, caller: Caller, dry_run: bool = False
) -> Moved:
    """Give away objects of one class; see `give_targets`."""
    return give_targets(database, {entity: list(ids)}, user_id, caller, dry_run=dry_run)


def move_targets(
    database: Database,
    targets: Mapping[str, Iterable[int]],
    group_id: int,
    caller: Caller,
    options: Sequence[Any] | None = None,
    dry_run: bool = False,
) -> Moved:
    """Move objects and all that belongs to them to another group, all or nothing.

    Args:
        database: the store.
        targets: ids by class.
        group_id: where to; the caller must be a member, or an administrator with the privilege ``Chgrp``.
        caller: who asks; must own each target, or have the privilege ``Chgrp``.
        options: ``omero.cmd.graphs.ChildOption`` objects.
        dry_run: only say what would happen.

    Raises:
        omero.SecurityViolation: a target may not be seen or moved, or not to that group.
        omero.ValidationException: something that is shared with what stays behind would be torn apart.
    """
    with database.transaction(write=not dry_run):
        _check_group(database, group_id, caller)
        moving = Belongings(database, caller, ChildRules(tuple(options or ())), lambda rights: rights.chgrp, "Moving")
        for entity, ids in targets.items():
            moving.add_targets(entity, ids)
        moving.grow()
        moving.check()
        torn = _torn_links(database, moving)
        _check_shared(database, moving, torn, group_id)
        if not dry_run:
            for reference, holders in moving.emptied:
                sql = f"UPDATE {table(reference.holder)} SET {column(reference.field)} = NULL"
                database.execute(f"{sql} WHERE id IN (SELECT value FROM json_each(?))", json.dumps(holders))
            for root, links in torn.items():
                sql = f"DELETE FROM {table(root)} WHERE id IN (SELECT value FROM json_each(?))"
                database.execute(sql, json.dumps(sorted(links)))
            _update(database, moving, "group_id", group_id, torn)
    return _summary(moving, torn, deleted=True)


def give_targets(
    database: Database,
    targets: Mapping[str, Iterable[int]],
    user_id: int,
    caller: Caller,
    options: Sequence[Any] | None = None,
    dry_run: bool = False,
) -> Moved:
    """Give objects and all that belongs to them to another user, all or nothing.

    Args:
        database: the store.
        targets: ids by class.
        user_id: who receives them; a member of their groups, unless an administrator with the privilege ``Chown`` asks.
        caller: who asks; must own the groups of the targets, or have the privilege ``Chown``.
        options: ``omero.cmd.graphs.ChildOption`` objects.
        dry_run: only say what would happen.

    Raises:
        omero.SecurityViolation: a target may not be seen or given away, or not to that user.
    """
    with database.transaction(write=not dry_run):
        if database.value("SELECT 1 FROM e_Experimenter WHERE id = ?", user_id) is None:
            raise invalid(f"There is no Experimenter:{user_id}.")
        giving = Belongings(database, caller, ChildRules(tuple(options or ())), lambda rights: rights.chown, "Giving away")
        for entity, ids in targets.items():
            giving.add_targets(entity, ids)
        if not caller.has_privilege("Chown"):
            _check_recipient(database, giving, user_id)
        giving.grow()
        giving.check()
        torn = _torn_links(database, giving)
        if not dry_run:
            _update(database, giving, "owner_id", user_id, torn)
    return _summary(giving, torn, deleted=False)


def _check_group(database: Database, group_id: int, caller: Caller) -> None:
    if database.value("SELECT 1 FROM e_ExperimenterGroup WHERE id = ?", group_id) is None:
        raise invalid(f"There is no ExperimenterGroup:{group_id}.")
    if group_id in (SYSTEM_GROUP, USER_GROUP, GUEST_GROUP) and not caller.is_full_admin:
        raise refused(f"Nothing may be moved to the group {group_id}.")
    if group_id not in caller.member_of and not caller.has_privilege("Chgrp"):
        raise refused(f"You are not a member of group {group_id}; nothing can be moved there.")


def _check_recipient(database: Database, giving: Belongings, user_id: int) -> None:
    for root, found in giving.taken.items():
        sql = f"SELECT DISTINCT group_id FROM {table(root)} WHERE id IN (SELECT value FROM json_each(?))"
        for (group_id,) in database.rows(sql, json.dumps(sorted(found))):
            sql = "SELECT 1 FROM e_GroupExperimenterMap WHERE c_parent = ? AND c_child = ?"
            if database.value(sql, group_id, user_id) is None:
                raise refused(f"Experimenter:{user_id} is not a member of group {group_id}.")


def _torn_links(database: Database, moving: Belongings) -> dict[str, set[int]]:
    """Links with only one end in the set."""
    torn: dict[str, set[int]] = {}
    for root, found in moving.taken.items():
        if not ENTITIES[root].is_link:
            continue
        for reference in REFERENCES_FROM[root]:
            if reference.bond is Bond.LINK:
                name = column(reference.field)
                sql = f"SELECT id, {name} FROM {table(root)} WHERE id IN (SELECT value FROM json_each(?))"
                for row_id, target in database.rows(sql, json.dumps(sorted(found))):
                    if not ENTITIES[reference.target].is_system and not moving.is_taken(reference.target, target):
                        torn.setdefault(root, set()).add(row_id)
    return torn


def _check_shared(database: Database, moving: Belongings, torn: Mapping[str, set[int]], group_id: int) -> None:
    """Refuse to leave behind what the moved objects use."""
    for root, found in moving.taken.items():
        ids = set(found) - torn.get(root, set())
        for reference in REFERENCES_FROM[root]:
            if ENTITIES[reference.target].is_system:
                continue
            name = column(reference.field)
            sql = (
                f"SELECT held.id, held.dtype, held.group_id FROM {table(root)} holder "
                f"JOIN {table(reference.target)} held ON held.id = holder.{name} "
                "WHERE holder.id IN (SELECT value FROM json_each(?))"
            )
            for row_id, dtype, held_group in database.rows(sql, json.dumps(sorted(ids))):
                if not moving.is_taken(reference.target, row_id) and held_group not in (group_id, USER_GROUP):
                    raise invalid(f"{dtype}:{row_id} is shared with data that would stay behind.")


def _update(database: Database, moving: Belongings, name: str, value: int, torn: Mapping[str, set[int]]) -> None:
    for root, found in moving.taken.items():
        if ENTITIES[root].is_system:
            continue
        ids = json.dumps(sorted(set(found) - torn.get(root, set())))
        database.execute(f"UPDATE {table(root)} SET {name} = ? WHERE id IN (SELECT value FROM json_each(?))", value, ids)
        database.execute(
            f"UPDATE e_ExternalInfo SET {name} = ? WHERE id IN (SELECT external_id FROM {table(root)} "
            "WHERE id IN (SELECT value FROM json_each(?)))",
            value,
            ids,
        )


def _summary(moving: Belongings, torn: Mapping[str, set[int]], deleted: bool) -> Moved:
    moved = Moved()
    for root, found in moving.taken.items():
        for row_id, dtype in found.items():
            if row_id not in torn.get(root, set()):
                moved.included.setdefault(dtype, set()).add(row_id)
            elif deleted:
                moved.deleted.setdefault(dtype, set()).add(row_id)
    return moved
