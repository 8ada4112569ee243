# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which rights saving an object needs: to create it, to change it, and on everything it is attached to."""

from __future__ import annotations

from dataclasses import dataclass

from omero_sandbox.model.reflection import ENTITIES
from omero_sandbox.security.caller import GUEST_USER, SYSTEM_GROUP, USER_GROUP, Caller
from omero_sandbox.security.permissions import rights_on
from omero_sandbox.security.refusals import mixed_group, refused

__all__ = ["Stored", "check_change", "check_creation", "check_reference", "check_system_values"]

# Written by the server alone: sessions are credentials, events and logs are evidence.
_SERVER_ONLY = frozenset({"DBPatch", "Event", "EventLog", "Node", "Session", "Share", "ShareMember"})
# Attaching one of these to an object is annotating it; attaching anything else is linking.
_ANNOTATING = (
    frozenset({"ChannelBinding", "CodomainMapContext", "QuantumDef", "RenderingDef", "Roi", "Shape", "Thumbnail"})
    | ENTITIES["Annotation"].family
    | ENTITIES["Shape"].family
    | {name for name in ENTITIES if name.endswith("AnnotationLink")}
)


@dataclass(frozen=True)
class Stored:
    """What decides about an object: its class, id, owner, group, and the permissions of the group."""

    entity: str
    id: int | None
    owner_id: int | None
    group_id: int | None
    permissions: int

    def __str__(self) -> str:
        return f"{self.entity}:{'new' if self.id is None else self.id}"


def check_creation(caller: Caller, new: Stored) -> None:
    """Refuse objects that the caller may not make, or not for that owner, or not in that group.

    Raises:
        omero.SecurityViolation
    """
    if ENTITIES[new.entity].is_system:
        if new.entity in _SERVER_ONLY and not caller.is_server:
            raise refused(f"{new.entity} is a system type; the server alone makes it.")
        if not rights_on(caller, None, None, 0, entity=new.entity).edit:
            raise refused(f"{new.entity} is a system type; only administrators make it.")
        return
    if caller.user_id == GUEST_USER and not caller.is_admin:
        raise refused("The guest user cannot store anything.")
    in_group = new.group_id in caller.member_of or caller.has_privilege("WriteOwned")
    if not in_group:
        raise refused(f"You are not a member of group {new.group_id}; {new.entity} cannot be stored there.")
    if new.owner_id != caller.user_id and not caller.has_privilege("WriteOwned"):
        raise refused(f"Only administrators may store a {new.entity} for another user.")


def check_change(caller: Caller, stored: Stored) -> None:
    """Refuse changes to what the caller may not edit.

    Raises:
        omero.SecurityViolation
    """
    if stored.entity in _SERVER_ONLY and not caller.is_server:
        raise refused(f"Updating {stored} not allowed: the server alone changes it.")
    if not rights_on(caller, stored.owner_id, stored.group_id, stored.permissions, entity=stored.entity).edit:
        raise refused(f"Updating {stored} not allowed.")


def check_reference(caller: Caller, holder: Stored, target: Stored) -> None:
    """Refuse to attach `holder` (new, or with a changed reference) to `target`.

    Raises:
        omero.GroupSecurityViolation: they are in different groups.
        omero.SecurityViolation: the caller may not link or annotate the target.
    """
    if ENTITIES[target.entity].is_system or ENTITIES[holder.entity].is_system:
        return
    if target.group_id not in (holder.group_id, USER_GROUP):
        raise mixed_group(f"{holder} (group {holder.group_id}) and {target} (group {target.group_id}) cannot be linked.")
    if target.owner_id == holder.owner_id and caller.has_privilege("WriteOwned"):
        return  # an administrator working for the owner, who will see the result
    rights = rights_on(caller, target.owner_id, target.group_id, target.permissions, entity=target.entity)
    annotating = holder.entity in _ANNOTATING
    if not (rights.annotate if annotating else rights.link):
        raise refused(f"{'Annotating' if annotating else 'Linking to'} {target} not allowed.")


def check_system_values(caller: Caller, entity: str, changed: set[str], group_id: int | None) -> None:
    """Refuse changes to system objects by which a restricted administrator could lift her own restrictions.

    Args:
        caller: who saves.
        entity: class of the object.
        changed: names of the fields that are new or differ.
        group_id: of a `GroupExperimenterMap`, the group.

    Raises:
        omero.SecurityViolation
    """
    if not ENTITIES[entity].is_system or caller.is_full_admin:
        return
    if entity in ("Experimenter", "ExperimenterGroup") and "config" in changed:
        raise refused(f"Only a full administrator may change the configuration of an {entity}.")
    if entity == "GroupExperimenterMap" and group_id == SYSTEM_GROUP:
        raise refused("Only a full administrator may make administrators.")
