# SPDX-License-Identifier: AGPL-3.0-or-later
"""Delete2, Chgrp2, Chown2 and Chmod2: they follow what belongs to an object; the store checks every object on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import omero
import omero.cmd
import omero.model

from omero_sandbox.commands.registry import Context, runs
from omero_sandbox.ice.errors import api_usage, security_violation
from omero_sandbox.model.reflection import ENTITIES
from omero_sandbox.services.people import GroupChanges
from omero_sandbox.services.query import entity_for
from omero_sandbox.store.deleting import delete
from omero_sandbox.store.moving import change_group, change_owner

__all__ = ["chgrp", "chmod", "chown", "delete_objects"]


class _DryRun(Exception):
    """Undoes what a dry run did."""


def _targets(request: omero.cmd.GraphQuery) -> Iterator[tuple[str, list[int]]]:
    """Yield entity and ids of what a request is about; targets may be written as in ``/Image``."""
    for name, ids in (request.targetObjects or {}).items():
        yield entity_for(name.strip("/").split("/")[-1]).name, list(ids)


def _named(objects: Mapping[str, Any]) -> dict[str, list[int]]:
    """Return ids by the class names that OMERO.server uses in its answers (``ome.model.core.Image``)."""
    return {ENTITIES[name].java_name: sorted(ids) for name, ids in objects.items() if ids}


def _apply(
    request: omero.cmd.GraphModify2, context: Context, act: Callable[[str, list[int]], Mapping[str, Any]]
) -> dict[str, Any]:
    done: dict[str, set[int]] = {}
    try:
        with context.database.transaction(write=True):
            for entity, ids in _targets(request):
                for name, touched in act(entity, ids).items():
                    done.setdefault(name, set()).update(touched)
            if request.dryRun:
                raise _DryRun
    except _DryRun:
        pass
    return done


@runs(omero.cmd.Delete2)
def delete_objects(request: omero.cmd.Delete2, context: Context) -> omero.cmd.Delete2Response:
    """Delete objects and what belongs to them; ``childOptions`` say which annotations stay or go."""
    done = _apply(
        request, context, lambda entity, ids: delete(context.database, entity, ids, context.caller, request.childOptions)
    )
    return omero.cmd.Delete2Response(deletedObjects=_named(done))


@runs(omero.cmd.Chgrp2)
def chgrp(request: omero.cmd.Chgrp2, context: Context) -> omero.cmd.Chgrp2Response:
    """Move objects and what belongs to them to another group."""
    done = _apply(
        request, context, lambda entity, ids: change_group(context.database, entity, ids, request.groupId, context.caller)
    )
    return omero.cmd.Chgrp2Response(includedObjects=_named(done), deletedObjects={})


@runs(omero.cmd.Chown2)
def chown(request: omero.cmd.Chown2, context: Context) -> omero.cmd.Chown2Response:
    """Give objects and what belongs to them to another user."""
    if request.targetUsers:
        raise api_usage("The embedded OMERO gives away named objects only, not everything that a user owns.")
    done = _apply(
        request, context, lambda entity, ids: change_owner(context.database, entity, ids, request.userId, context.caller)
    )
    return omero.cmd.Chown2Response(includedObjects=_named(done), deletedObjects={})


@runs(omero.cmd.Chmod2)
def chmod(request: omero.cmd.Chmod2, context: Context) -> omero.cmd.Chmod2Response:
    """Change the permissions of groups: for their owners and for administrators with ``ModifyGroup``."""

    def act(entity: str, ids: list[int]) -> Mapping[str, list[int]]:
        if entity != "ExperimenterGroup":
            raise api_usage("Permissions are those of a group; no other object has its own.")
        for group_id in ids:
            if group_id not in context.caller.leader_of and not context.caller.has_privilege("ModifyGroup"):
                raise security_violation(f"{context.caller.user_name} may not change the permissions of group {group_id}.")
            permissions = omero.model.PermissionsI(request.permissions)
            GroupChanges(context.database, context.caller).change_permissions(group_id, permissions)
        return {entity: ids}

    return omero.cmd.Chmod2Response(includedObjects=_named(_apply(request, context, act)), deletedObjects={})
