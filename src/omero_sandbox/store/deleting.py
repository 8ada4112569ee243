# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa: S608 - names of tables and columns come from the reflected model alone; every value is bound
"""Deletes objects with all that belongs to them: what `Delete2` does. See `belongings` for the rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from omero_sandbox.model.reflection import ENTITIES
from omero_sandbox.security.caller import Caller
from omero_sandbox.store.belongings import Belongings, ChildRules
from omero_sandbox.store.schema import column, table

if TYPE_CHECKING:
    from omero_sandbox.store.database import Database

__all__ = ["delete", "delete_targets"]


def delete(
    database: Database,
    entity: str,
    ids: Iterable[int],
    caller: Caller,
    options: Sequence[Any] | None = None,
    dry_run: bool = False,
) -> dict[str, set[int]]:
    """Delete objects of one class; see `delete_targets`."""
    return delete_targets(database, {entity: list(ids)}, caller, options, dry_run)


def delete_targets(
    database: Database,
    targets: Mapping[str, Iterable[int]],
    caller: Caller,
    options: Sequence[Any] | None = None,
    dry_run: bool = False,
) -> dict[str, set[int]]:
    """Delete objects and all that goes with them, all or nothing.

    The pixel and file data of what is returned are the caller's to remove, once the transaction is over.

    Args:
        database: the store.
        targets: ids by class.
        caller: who asks; needs the right to delete each target.
        options: ``omero.cmd.graphs.ChildOption`` objects: classes of children to delete or keep regardless.
        dry_run: only say what would be deleted.

    Returns:
        The ids of all deleted objects by concrete class.

    Raises:
        omero.SecurityViolation: a target does not exist, may not be seen or may not be deleted.
        omero.ValidationException: it would tear apart what belongs together (an image of a well, a part of a fileset).
        omero.ApiUsageException: no such class.
    """
    with database.transaction(write=not dry_run):
        rules = ChildRules(tuple(options or ()))
        doomed = Belongings(database, caller, rules, lambda rights: rights.delete, "Deleting")
        for entity, ids in targets.items():
            doomed.add_targets(entity, ids)
        doomed.grow()
        doomed.check()
        doomed.check_tags()
        if not dry_run:
            _carry_out(database, doomed)
    result: dict[str, set[int]] = {}
    for found in doomed.taken.values():
        for row_id, dtype in found.items():
            result.setdefault(dtype, set()).add(row_id)
    return result


def _carry_out(database: Database, doomed: Belongings) -> None:
    for reference, holders in doomed.emptied:
        sql = f"UPDATE {table(reference.holder)} SET {column(reference.field)} = NULL"
        database.execute(f"{sql} WHERE id IN (SELECT value FROM json_each(?))", json.dumps(holders))
    external: set[int] = set()
    for root, found in doomed.taken.items():
        ids = json.dumps(sorted(found))
        if not ENTITIES[root].is_system and root != "ExternalInfo":
            sql = f"SELECT external_id FROM {table(root)} WHERE external_id IS NOT NULL"
            rows = database.rows(f"{sql} AND id IN (SELECT value FROM json_each(?))", ids)
            external.update(row[0] for row in rows)
        database.execute(f"DELETE FROM {table(root)} WHERE id IN (SELECT value FROM json_each(?))", ids)
    if external:
        sql = "DELETE FROM e_ExternalInfo WHERE id IN (SELECT value FROM json_each(?))"
        database.execute(sql, json.dumps(sorted(external)))
