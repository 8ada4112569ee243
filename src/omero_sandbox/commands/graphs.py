# SPDX-License-Identifier: AGPL-3.0-or-later
"""Delete2, Chgrp2, Chown2 and Chmod2: they follow what belongs to an object; the store checks every object on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import omero
import omero.cmd
import omero.model

from omero_sandbox.commands.registry import Context, runs
from omero_sandbox.ice.errors import api_usage, security_violation
from omero_sandbox.model.reflection import ENTITIES
from omero_sandbox.services.people import GroupChanges
from omero_sandbox.services.query import entity_for
from omero_sandbox.store.deleting import delete_targets
from omero_sandbox.store.moving import Moved, give_targets, move_targets

__all__ = ["chgrp", "chmod", "chown", "delete_objects"]


def _targets(request: omero.cmd.GraphQuery) -> dict[str, list[int]]:
    """Return the ids a request is about by entity; clients also write ``/Image``."""
    targets: dict[str, list[int]] = {}
    for name, ids in (request.targetObjects or {}).items():
        targets.setdefault(entity_for(name.strip("/").split("/")[-1]).name, []).extend(ids)
    return targets


def _named(objects: Mapping[str, Iterable[int]]) -> dict[str, list[int]]:
    """Return ids by the class names that OMERO.server uses in its answers (``ome.model.core.Image``)."""
    return {ENTITIES[name].java_name: sorted(ids) for name, ids in objects.items() if ids}


@runs(omero.cmd.Delete2)
def delete_objects(request: omero.cmd.Delete2, context: Context) -> omero.cmd.Delete2Response:
    """Delete objects and what belongs to them; ``childOptions`` say which annotations stay or go."""
    deleted = delete_targets(context.database, _targets(request), context.caller, request.childOptions, request.dryRun)
    if not request.dryRun:
        for name, ids in deleted.items():
            context.deleted.setdefault(name, set()).update(ids)
    return omero.cmd.Delete2Response(deletedObjects=_named(deleted))


@runs(omero.cmd.Chgrp2)
def chgrp(request: omero.cmd.Chgrp2, context: Context) -> omero.cmd.Chgrp2Response:
    """Move objects and what belongs to them to another group."""
    moved: Moved = move_targets(
        context.database, _targets(request), request.groupId, context.caller, request.childOptions, request.dryRun
    )
    return omero.cmd.Chgrp2Response(includedObjects=_named(moved.included), deletedObjects=_named(moved.deleted))


@runs(omero.cmd.Chown2)
def chown(request: omero.cmd.Chown2, context: Context) -> omero.cmd.Chown2Response:
    """Give objects and what belongs to them to another user."""
    if request.targetUsers:
        raise api_usage("The embedded OMERO gives away named objects only, not everything that a user owns.")
    moved: Moved = give_targets(
        context.database, _targets(request), request.userId, context.caller, request.childOptions, request.dryRun
    )
    return omero.cmd.Chown2Response(includedObjects=_named(moved.included), deletedObjects=_named(moved.deleted))


@runs(omero.cmd.Chmod2)
def chmod(request: omero.cmd.Chmod2, context: Context) -> omero.cmd.Chmod2Response:
    """Change the permissions of groups: for their owners and for administrators with ``ModifyGroup``."""
    targets = _targets(request)
    if set(targets) - {"ExperimenterGroup"}:
        raise api_usage("Permissions are those of a group; no other object has its own.")
    permissions = omero.model.PermissionsI(request.permissions)
    for group_id in targets.get("ExperimenterGroup", []):
        if group_id not in context.caller.leader_of and not context.caller.has_privilege("ModifyGroup"):
            raise security_violation(f"{context.caller.user_name} may not change the permissions of group {group_id}.")
        if not request.dryRun:
            GroupChanges(context.database, context.caller).change_permissions(group_id, permissions)
    return omero.cmd.Chmod2Response(includedObjects=_named(targets), deletedObjects={})
