# SPDX-License-Identifier: AGPL-3.0-or-later
"""IAdmin: users and groups. Everyone may look; who may change what is in the rights table and, per group, in `memberships`.

Users and groups are listed to every user, as in OMERO: their names, not their data.
"""

from __future__ import annotations

from typing import Any

import omero
import omero.model
import omero.sys
from omero.rtypes import rlist, rlong, rstring

from omero_sandbox.ice.dispatch import Service
from omero_sandbox.ice.errors import api_usage, security_violation
from omero_sandbox.model.reflection import entity_of
from omero_sandbox.query.execution import execute_query
from omero_sandbox.security.caller import ALL_PRIVILEGES, GUEST_GROUP, GUEST_USER, SYSTEM_GROUP, USER_GROUP, Caller
from omero_sandbox.security.permissions import rights_on
from omero_sandbox.security.rights import subject_id
from omero_sandbox.services.people import GroupChanges, UserChanges
from omero_sandbox.store.schema import table

__all__ = ["AdminService"]

_ROOT = 0
_USERS = (
    "select distinct e from Experimenter e left outer join fetch e.groupExperimenterMap m left outer join fetch m.parent g "
)
_GROUPS = (
    "select distinct g from ExperimenterGroup g left outer join fetch g.groupExperimenterMap m "
    "left outer join fetch m.child e left outer join fetch e.groupExperimenterMap m2 left outer join fetch m2.parent "
)


class AdminService(Service):
    """Users, groups, memberships, passwords and privileges."""

    # Who is there ------------------------------------------------------------------------------------------------------

    def getEventContext(self, caller: Caller) -> omero.sys.EventContext:
        """Who is calling, in which group, with which rights."""
        return self.getCurrentEventContext(caller)

    def getSecurityRoles(self, caller: Caller) -> omero.sys.Roles:
        """Ids and names of the users and groups that every OMERO has."""
        return omero.sys.Roles(
            _ROOT, "root", SYSTEM_GROUP, "system", USER_GROUP, "user", GUEST_USER, "guest", GUEST_GROUP, "guest"
        )

    def getExperimenter(self, user_id: int, caller: Caller) -> Any:
        """A user with her groups."""
        return self._one(_USERS + "where e.id = :id", f"user {user_id}", caller, id=rlong(user_id))

    def lookupExperimenter(self, name: str, caller: Caller) -> Any:
        """A user by login name."""
        return self._one(_USERS + "where e.omeName = :name", f"user {name}", caller, name=rstring(name))

    def lookupExperimenters(self, caller: Caller) -> list[Any]:
        """All users."""
        return self._find(_USERS + "order by e.id", caller)

    def getGroup(self, group_id: int, caller: Caller) -> Any:
        """A group with its members."""
        return self._one(_GROUPS + "where g.id = :id", f"group {group_id}", caller, id=rlong(group_id))

    def lookupGroup(self, name: str, caller: Caller) -> Any:
        """A group by name."""
        return self._one(_GROUPS + "where g.name = :name", f"group {name}", caller, name=rstring(name))

    def lookupGroups(self, caller: Caller) -> list[Any]:
        """All groups."""
        return self._find(_GROUPS + "order by g.id", caller)

    def containedGroups(self, user_id: int, caller: Caller) -> list[Any]:
        """The groups of a user."""
        ids = self.server.accounts.groups_of(user_id)
        return self._find(_GROUPS + "where g.id in (:ids)", caller, ids=rlist([rlong(i) for i in ids])) if ids else []

    def containedExperimenters(self, group_id: int, caller: Caller) -> list[Any]:
        """The members of a group."""
        members = "select x.child.id from GroupExperimenterMap x where x.parent.id = :id"
        return self._find(_USERS + f"where e.id in ({members}) order by e.id", caller, id=rlong(group_id))

    def getDefaultGroup(self, user_id: int, caller: Caller) -> Any:
        """The group a user works in unless she says otherwise."""
        return self.getGroup(self.server.accounts.default_group(user_id), caller)

    def getMemberOfGroupIds(self, user: Any, caller: Caller) -> list[int]:
        """Ids of a user's groups."""
        return self.server.accounts.groups_of(subject_id(user))

    def getLeaderOfGroupIds(self, user: Any, caller: Caller) -> list[int]:
        """Ids of the groups that a user owns."""
        return self.server.accounts.groups_owned_by(subject_id(user))

    def lookupLdapAuthExperimenter(self, user_id: int, caller: Caller) -> str:
        """Nobody comes from a directory."""
        return ""

    def lookupLdapAuthExperimenters(self, caller: Caller) -> omero.RList:
        """Nobody comes from a directory."""
        return rlist([])

    def getMyUserPhotos(self, caller: Caller) -> list[Any]:
        """The caller's portrait, if she has attached one."""
        query = (
            "select f from ExperimenterAnnotationLink l join l.child a join a.file f "
            "where l.parent.id = :id and a.ns = 'openmicroscopy.org/omero/experimenter/photo'"
        )
        return self._find(query, caller, id=rlong(caller.user_id))

    def canUpdate(self, obj: Any, caller: Caller) -> bool:
        """Whether the caller may change an object."""
        entity = entity_of(obj)
        if obj.id is None:
            raise api_usage("Only an object with an id can be asked about.")
        rows = self.database.rows(f"SELECT owner_id, group_id FROM {table(entity.name)} WHERE id = ?", obj.id.val)  # noqa: S608
        if not rows:
            return False
        owner, group = rows[0]
        return rights_on(caller, owner, group, self.database.group_permissions(group), entity=entity.name).edit

    # The caller herself ------------------------------------------------------------------------------------------------

    def updateSelf(self, user: Any, caller: Caller) -> None:
        """Change the caller's own name, email and institution."""
        UserChanges(self.database, self.server.accounts).update(user, login_name=False)

    def changePasswordWithOldPassword(self, old: omero.RString, new: omero.RString, caller: Caller) -> None:
        """Change the caller's own password."""
        if self.server.accounts.check_password(caller.user_name, old.val if old is not None else "") is None:
            raise security_violation("The old password is wrong.")
        self.server.accounts.set_password(caller.user_id, new.val if new is not None else "")

    def setDefaultGroup(self, user: Any, group: Any, caller: Caller) -> None:
        """Choose the group a user works in unless she says otherwise; she must be a member."""
        GroupChanges(self.database, caller).set_default(subject_id(user), subject_id(group))

    # Users -------------------------------------------------------------------------------------------------------------

    def updateExperimenter(self, user: Any, caller: Caller) -> None:
        """Change a user's names, email and institution."""
        self._refuse_stronger(subject_id(user), caller)
        UserChanges(self.database, self.server.accounts).update(user, login_name=True)

    def updateExperimenterWithPassword(self, user: Any, password: omero.RString, caller: Caller) -> None:
        """The same, and set a new password."""
        self.updateExperimenter(user, caller)
        self.server.accounts.set_password(subject_id(user), password.val if password is not None else "")

    def changeUserPassword(self, name: str, password: omero.RString, caller: Caller) -> None:
        """Set a user's password."""
        user_id = self.server.accounts.user_id(name)
        self._refuse_stronger(user_id, caller)
        self.server.accounts.set_password(user_id, password.val if password is not None else "")

    def createExperimenterWithPassword(
        self, user: Any, password: omero.RString | None, default: Any, others: list[Any], caller: Caller
    ) -> int:
        """Make a user with a password, a default group and further groups; return the id."""
        groups = [subject_id(group) for group in (default, *(others or []))]
        if SYSTEM_GROUP in groups and not caller.is_full_admin:
            raise security_violation("Only an administrator with every privilege may make administrators.")
        return UserChanges(self.database, self.server.accounts).create(user, None if password is None else password.val, groups)

    def createExperimenter(self, user: Any, default: Any, others: list[Any], caller: Caller) -> int:
        """The same without a password: the user cannot sign in until she has one."""
        return self.createExperimenterWithPassword(user, None, default, others, caller)

    def createUser(self, user: Any, group_name: str, caller: Caller) -> int:
        """Make a user in a group given by name, without a password."""
        group = omero.model.ExperimenterGroupI(self.server.accounts.group_id(group_name), False)
        return self.createExperimenterWithPassword(user, None, group, [], caller)

    def createSystemUser(self, user: Any, caller: Caller) -> int:
        """Make an administrator, without a password."""
        return self.createRestrictedSystemUserWithPassword(user, [*map(_privilege, sorted(ALL_PRIVILEGES))], None, caller)

    def createRestrictedSystemUser(self, user: Any, privileges: list[Any], caller: Caller) -> int:
        """Make an administrator with some privileges, without a password."""
        return self.createRestrictedSystemUserWithPassword(user, privileges, None, caller)

    def createRestrictedSystemUserWithPassword(
        self, user: Any, privileges: list[Any], password: omero.RString | None, caller: Caller
    ) -> int:
        """Make an administrator with some privileges and a password."""
        system = omero.model.ExperimenterGroupI(SYSTEM_GROUP, False)
        user_id = self.createExperimenterWithPassword(user, password, system, [], caller)
        self.server.accounts.set_privileges(user_id, frozenset(each.value.val for each in privileges))
        return user_id

    # Privileges --------------------------------------------------------------------------------------------------------

    def getCurrentAdminPrivileges(self, caller: Caller) -> list[Any]:
        """The caller's privileges."""
        return self._privileges(caller.privileges, caller)

    def getAdminPrivileges(self, user: Any, caller: Caller) -> list[Any]:
        """A user's privileges."""
        return self._privileges(self.server.accounts.privileges_of(subject_id(user)), caller)

    def getAdminsWithPrivileges(self, privileges: list[Any], caller: Caller) -> list[Any]:
        """The administrators who have all of these privileges."""
        wanted = frozenset(each.value.val for each in privileges)
        admins = self.containedExperimenters(SYSTEM_GROUP, caller)
        return [each for each in admins if wanted <= self.server.accounts.privileges_of(each.id.val)]

    def setAdminPrivileges(self, user: Any, privileges: list[Any], caller: Caller) -> None:
        """Set an administrator's privileges."""
        self.server.accounts.set_privileges(subject_id(user), frozenset(each.value.val for each in privileges))

    # Groups ------------------------------------------------------------------------------------------------------------

    def createGroup(self, group: Any, caller: Caller) -> int:
        """Make a group (private unless its details say otherwise); return the id."""
        return GroupChanges(self.database, caller).create(group)

    def updateGroup(self, group: Any, caller: Caller) -> None:
        """Change a group's name, description and permissions."""
        GroupChanges(self.database, caller).update(group)

    def changePermissions(self, group: Any, permissions: Any, caller: Caller) -> None:
        """Change a group's permissions."""
        if not isinstance(group, omero.model.ExperimenterGroup):
            raise api_usage("Permissions are those of a group; no other object has its own.")
        GroupChanges(self.database, caller).change_permissions(subject_id(group), permissions)

    def addGroups(self, user: Any, groups: list[Any], caller: Caller) -> None:
        """Make a user a member of groups."""
        GroupChanges(self.database, caller).add(subject_id(user), [subject_id(group) for group in groups])

    def removeGroups(self, user: Any, groups: list[Any], caller: Caller) -> None:
        """Take a user out of groups."""
        GroupChanges(self.database, caller).remove(subject_id(user), [subject_id(group) for group in groups])

    def setGroupOwner(self, group: Any, user: Any, caller: Caller) -> None:
        """Make a user an owner of a group (and a member, if she is not yet)."""
        GroupChanges(self.database, caller).set_owner(subject_id(group), [subject_id(user)], True)

    def unsetGroupOwner(self, group: Any, user: Any, caller: Caller) -> None:
        """Make an owner of a group a plain member."""
        GroupChanges(self.database, caller).set_owner(subject_id(group), [subject_id(user)], False)

    def addGroupOwners(self, group: Any, users: list[Any], caller: Caller) -> None:
        """Make several users owners of a group."""
        GroupChanges(self.database, caller).set_owner(subject_id(group), [subject_id(user) for user in users], True)

    def removeGroupOwners(self, group: Any, users: list[Any], caller: Caller) -> None:
        """Make several owners of a group plain members."""
        GroupChanges(self.database, caller).set_owner(subject_id(group), [subject_id(user) for user in users], False)

    # -------------------------------------------------------------------------------------------------------------------

    def _find(self, query: str, caller: Caller, **values: Any) -> list[Any]:
        parameters = omero.sys.ParametersI()
        parameters.map.update(values)
        return execute_query(self.database, query, parameters, caller)

    def _one(self, query: str, what: str, caller: Caller, **values: Any) -> Any:
        found = self._find(query, caller, **values)
        if not found:
            raise api_usage(f"There is no {what}.")
        return found[0]

    def _privileges(self, names: frozenset[str], caller: Caller) -> list[Any]:
        return [each for each in self._find("select p from AdminPrivilege p order by p.id", caller) if each.value.val in names]

    def _refuse_stronger(self, user_id: int, caller: Caller) -> None:
        """An administrator with few privileges may not take over the account of one with more."""
        if not self.server.accounts.privileges_of(user_id) <= caller.privileges:
            raise security_violation(f"User {user_id} has privileges that {caller.user_name} lacks.")


def _privilege(name: str) -> omero.model.AdminPrivilegeI:
    privilege = omero.model.AdminPrivilegeI()
    privilege.value = rstring(name)
    return privilege
