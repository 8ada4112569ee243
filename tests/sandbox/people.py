# SPDX-License-Identifier: AGPL-3.0-or-later
"""The people of the permission tests: the same four users in one group of each kind."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from omero.gateway import BlitzGateway

from omero_sandbox.testing import RunningSandbox

KINDS = {"private": "rw----", "read-only": "rwr---", "read-annotate": "rwra--", "read-write": "rwrw--"}


@dataclass
class People:
    """Users by role, signed in on demand: ``owner`` has data, ``member`` shares her groups, ``leader`` owns the groups,
    ``outsider`` shares none of them."""

    sandbox: RunningSandbox
    tag: str
    groups: dict[str, int] = field(default_factory=dict)  # kind -> id
    outside: int = 0  # the outsider's own group
    ids: dict[str, int] = field(default_factory=dict)  # role -> user id
    _open: dict[tuple[str, str], BlitzGateway] = field(default_factory=dict)

    def name(self, role: str) -> str:
        return f"{role}-{self.tag}"

    def password(self, role: str) -> str:
        return f"password of {role}"

    def connect(self, role: str, kind: str) -> BlitzGateway:
        """A connection of one user working in one group; shared between tests, closed at the end."""
        key = (role, kind)
        if key not in self._open:
            conn = self.sandbox.connect(self.name(role), self.password(role))
            group = self.outside if role == "outsider" else self.groups[kind]
            conn.setGroupForSession(group)
            conn.SERVICE_OPTS.setOmeroGroup(group)
            self._open[key] = conn
        return self._open[key]

    def close(self) -> None:
        for conn in self._open.values():
            conn.close()


def make_people(sandbox: RunningSandbox) -> People:
    """Make the groups and users, with names of their own."""
    people = People(sandbox, secrets.token_hex(4))
    for kind, permissions in KINDS.items():
        people.groups[kind] = sandbox.create_group(f"{kind}-{people.tag}", permissions)
    people.outside = sandbox.create_group(f"outside-{people.tag}", "rwra--")
    shared = list(people.groups.values())
    for role in ("owner", "member"):
        people.ids[role] = sandbox.create_user(people.name(role), people.password(role), shared)
    people.ids["leader"] = sandbox.create_user(people.name("leader"), people.password("leader"), owner_of=shared)
    people.ids["outsider"] = sandbox.create_user(people.name("outsider"), people.password("outsider"), [people.outside])
    return people
