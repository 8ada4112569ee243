# SPDX-License-Identifier: AGPL-3.0-or-later
"""The rights table against the services: nothing is callable that the table does not name."""

from __future__ import annotations

import omero
import omero.cmd
import omero.grid
import pytest
from omero.rtypes import rlong

from omero_sandbox.commands.handles import HandleService
from omero_sandbox.ice.dispatch import Service
from omero_sandbox.ice.operations import operations_of
from omero_sandbox.security.caller import ALL_PRIVILEGES, Caller
from omero_sandbox.security.rights import Right, Rule, authorise, subject_id
from omero_sandbox.security.rights_table import RIGHTS, rule_for
from omero_sandbox.services.service_factory import STATEFUL, STATELESS, ServiceFactoryService, interface_named
from omero_sandbox.services.tables import TableService

SERVED: dict[str, tuple[type, type[Service]]] = {
    **{name: (interface_named(name), service) for name, service in (*STATELESS.values(), *STATEFUL.values())},
    "ServiceFactory": (omero.api.ServiceFactory, ServiceFactoryService),
    "Handle": (omero.cmd.Handle, HandleService),
    "Table": (omero.grid.Table, TableService),
}

# What every stateful service inherits; on a bare `Service`, which stands for an interface that is not implemented at all,
# the base class has these methods too.
_COMMON = {"activate", "passivate", "close", "getCurrentEventContext"}


def implemented(interface: type, service: type[Service]) -> set[str]:
    operations = {name for name in operations_of(interface) if callable(getattr(service, name, None))}
    return operations - _COMMON if service is Service else operations


@pytest.mark.parametrize("name", SERVED)
def test_every_implemented_operation_is_in_the_table(name: str) -> None:
    interface, service = SERVED[name]
    missing = {each for each in implemented(interface, service) if f"{name}.{each}" not in RIGHTS}
    assert missing == set()


def test_every_line_of_the_table_names_an_operation_of_omero() -> None:
    unknown = []
    for line in RIGHTS:
        interface, operation = line.split(".")
        if interface not in SERVED or operation not in operations_of(SERVED[interface][0]):
            unknown.append(line)
    assert unknown == []


def test_an_operation_outside_the_table_is_refused() -> None:
    with pytest.raises(omero.SecurityViolation, match=r"IAdmin\.moveToCommonSpace"):
        rule_for("IAdmin.moveToCommonSpace")


@pytest.mark.parametrize(
    "operation",
    [
        "IAdmin.createGroup",
        "IAdmin.createUser",
        "IAdmin.createExperimenter",
        "IAdmin.createExperimenterWithPassword",
        "IAdmin.createSystemUser",
        "IAdmin.setAdminPrivileges",
        "IAdmin.changeUserPassword",
        "IAdmin.updateExperimenter",
        "IAdmin.setGroupOwner",
        "IAdmin.updateGroup",
        "IConfig.setConfigValue",
        "ITypes.createEnumeration",
        "ISession.createSessionWithTimeouts",
    ],
)
def test_administration_is_not_for_anyone(operation: str) -> None:
    assert RIGHTS[operation].right in (Right.ADMIN, Right.FULL_ADMIN, Right.GROUP_OWNER)


def test_operations_are_read_from_the_generated_modules() -> None:
    operations = operations_of(omero.api.RawPixelsStore)
    assert operations["getPlane"].deferred and operations["getPlane"].returns_value
    assert not operations["setPlane"].returns_value
    assert {"close", "getTileSize"} <= operations.keys()  # inherited from two interfaces
    assert not operations_of(omero.api.ServiceFactory)["getQueryService"].deferred


def _caller(user: int = 7, *, privileges: frozenset[str] | None = None, leads: frozenset[int] = frozenset()) -> Caller:
    return Caller(
        user_id=user,
        user_name=f"user {user}",
        group_id=3,
        session_group_id=3,
        is_admin=privileges is not None,
        privileges=privileges or frozenset(),
        member_of=frozenset({1, 3}),
        leader_of=leads,
        session_id=1,
        session_uuid="key",
    )


def allowed(rule: Rule, caller: Caller, *arguments: object) -> bool:
    try:
        authorise("X.y", rule, caller, arguments)
    except omero.SecurityViolation:
        return False
    return True


def test_self_is_the_user_the_call_is_about() -> None:
    rule = Rule(Right.SELF, subject=0, privilege="ModifyUser")
    assert allowed(rule, _caller(7), omero.model.ExperimenterI(7, False))
    assert not allowed(rule, _caller(7), omero.model.ExperimenterI(8, False))
    assert allowed(rule, _caller(7, privileges=frozenset({"ModifyUser"})), rlong(8))
    assert not allowed(rule, _caller(7, privileges=frozenset({"Sudo"})), rlong(8))


def test_group_owner_is_of_that_very_group() -> None:
    rule = Rule(Right.GROUP_OWNER, subject=0, privilege="ModifyGroup")
    assert allowed(rule, _caller(leads=frozenset({3})), omero.model.ExperimenterGroupI(3, False))
    assert not allowed(rule, _caller(leads=frozenset({3})), omero.model.ExperimenterGroupI(0, False))
    assert not allowed(rule, _caller(), 3)


def test_a_restricted_administrator_has_only_her_privileges() -> None:
    assert allowed(Rule(Right.ADMIN, privilege="Sudo"), _caller(privileges=frozenset({"Sudo"})))
    assert not allowed(Rule(Right.ADMIN, privilege="ModifyUser"), _caller(privileges=frozenset({"Sudo"})))
    assert not allowed(Rule(Right.FULL_ADMIN), _caller(privileges=ALL_PRIVILEGES - {"Chown"}))
    assert allowed(Rule(Right.FULL_ADMIN), _caller(privileges=ALL_PRIVILEGES))


@pytest.mark.parametrize("argument", [None, "0", True, 1.5, omero.model.ExperimenterGroupI()])
def test_permission_is_never_decided_on_something_without_an_id(argument: object) -> None:
    with pytest.raises(omero.ApiUsageException):
        subject_id(argument)
