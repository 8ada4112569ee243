# SPDX-License-Identifier: AGPL-3.0-or-later
"""The users and groups of a demo.

=======  =================  ======================================
anna     Screening lab      read-annotate; owns the example plates
ben      Screening lab      read-annotate
clara    Private lab        private
=======  =================  ======================================

Passwords are drawn at random for each data folder, unless given, and kept in ``demo-users.json`` there, readable by the
owner of the folder only::

    {"users": {"anna": {"password": "…", "group": "Screening lab"}, …}}
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import omero.model
from omero.rtypes import rstring

from omero_sandbox.security.accounts import Accounts
from omero_sandbox.security.caller import Caller
from omero_sandbox.services.people import GroupChanges, UserChanges
from omero_sandbox.store.database import Database

__all__ = ["GROUPS", "PEOPLE", "USERS_FILE", "Person", "make_people"]

USERS_FILE = "demo-users.json"

GROUPS = {"Screening lab": "rwra--", "Private lab": "rw----"}


@dataclass(frozen=True)
class Person:
    """A user of the demo."""

    login: str
    first_name: str
    last_name: str
    group: str


PEOPLE = (
    Person("anna", "Anna", "Screener", "Screening lab"),
    Person("ben", "Ben", "Analyst", "Screening lab"),
    Person("clara", "Clara", "Private", "Private lab"),
)


def make_people(database: Database, accounts: Accounts, passwords: Mapping[str, str] | None = None) -> None:
    """Make the groups and users that are not there yet, and see to it that the file of passwords is true.

    Args:
        passwords: by login name; the others keep the password in the file, or get a random one.
    """
    path = database.folder / USERS_FILE
    known = _read(path)
    chosen = {
        person.login: (passwords or {}).get(person.login) or known.get(person.login) or secrets.token_urlsafe(9)
        for person in PEOPLE
    }
    if chosen != known:
        # Before the accounts, so that nobody is left with a password that is written nowhere.
        _write(path, chosen)
    with database.transaction(write=True):
        group_ids = {name: _group(database, name, permissions) for name, permissions in GROUPS.items()}
        for person in PEOPLE:
            user_id = database.value("SELECT id FROM e_Experimenter WHERE c_omeName = ?", person.login)
            if user_id is None:
                user_id = UserChanges(database, accounts).create(_experimenter(person), None, [group_ids[person.group]])
                accounts.set_password(user_id, chosen[person.login])
            elif chosen[person.login] != known.get(person.login):
                accounts.set_password(user_id, chosen[person.login])


def _group(database: Database, name: str, permissions: str) -> int:
    found = database.value("SELECT id FROM e_ExperimenterGroup WHERE c_name = ?", name)
    if found is not None:
        return int(found)
    group = omero.model.ExperimenterGroupI()
    group.name = rstring(name)
    group.description = rstring("Made for the demo.")
    group.details.permissions = omero.model.PermissionsI(permissions)
    return GroupChanges(database, Caller.system()).create(group)


def _experimenter(person: Person) -> omero.model.ExperimenterI:
    user = omero.model.ExperimenterI()
    user.omeName, user.firstName, user.lastName = (
        rstring(text) for text in (person.login, person.first_name, person.last_name)
    )
    return user


def _read(path: Path) -> dict[str, str]:
    try:
        users = json.loads(path.read_text(encoding="utf-8"))["users"]
        return {login: str(users[login]["password"]) for login in users}
    except FileNotFoundError:
        return {}


def _write(path: Path, passwords: Mapping[str, str]) -> None:
    users = {person.login: {"password": passwords[person.login], "group": person.group} for person in PEOPLE}
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump({"users": users}, stream, indent=2)
        stream.write("\n")
    temporary.replace(path)
