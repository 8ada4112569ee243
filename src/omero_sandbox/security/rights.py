# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a right means, and the check that the gate makes with it before every call.

The table itself, ``Interface.operation`` -> `Rule`, is in `omero_sandbox.security.rights_table`. It is deny-by-default:
an operation that is not in it is refused, whatever a service could do. The table answers "may this *kind* of caller make
this call?"; what the call then reads is filtered row by row by the query layer, and what it writes is checked object by
object through `omero_sandbox.security.permissions`. Operations that rest on that second check are marked `Right.OBJECT`.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omero_sandbox.ice.errors import api_usage, security_violation

if TYPE_CHECKING:
    from omero_sandbox.security.caller import Caller

__all__ = ["Right", "Rule", "authorise", "subject_id"]


class Right(enum.Enum):
    """What a caller needs to make a call at all."""

    ANYONE = "anyone who is signed in; what is read is filtered row by row"
    SELF = "the user whom the call is about, or an administrator"
    GROUP_OWNER = "an owner of the group that the call is about, or an administrator"
    ADMIN = "an administrator with the privilege that the rule names"
    FULL_ADMIN = "an administrator with every privilege"
    OBJECT = "anyone who is signed in; the service checks the permission on every object it touches"


@dataclass(frozen=True)
class Rule:
    """One line of the table.

    ``writes``: the operation may change the database, so its transaction takes SQLite's write lock at the start.
    ``subject``: which argument names the user (`Right.SELF`) or the group (`Right.GROUP_OWNER`) the call is about.
    ``privilege``: the privilege an administrator needs, one of OMERO's ``AdminPrivilege`` values.
    """

    right: Right
    writes: bool = False
    subject: int = 0
    privilege: str | None = None


def authorise(operation: str, rule: Rule, caller: Caller, arguments: Sequence[Any]) -> None:
    """Raise ``omero.SecurityViolation`` unless ``caller`` has what ``rule`` asks for this call."""
    if rule.right in (Right.ANYONE, Right.OBJECT):
        return
    if rule.right is Right.SELF and subject_id(arguments[rule.subject]) == caller.user_id:
        return
    if rule.right is Right.GROUP_OWNER and subject_id(arguments[rule.subject]) in caller.leader_of:
        return
    if rule.right is Right.FULL_ADMIN and not caller.is_full_admin:
        raise security_violation(f"{caller.user_name} may not call {operation}: it is for {rule.right.value}.")
    if not caller.is_admin or (rule.privilege is not None and rule.privilege not in caller.privileges):
        raise security_violation(f"{caller.user_name} may not call {operation}: it is for {rule.right.value}.")


def subject_id(argument: Any) -> int:
    """Return the id in an argument: a number, a boxed number or an object of the model.

    An object without an id is refused: permission is never decided on a name that the server would look up later.
    """
    value = argument
    if hasattr(value, "_id"):
        value = value._id
    if hasattr(value, "val"):
        value = value.val
    if isinstance(value, bool) or not isinstance(value, int):
        raise api_usage("The user or group of this call must be given with its id.")
    return value
