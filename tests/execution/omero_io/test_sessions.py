# SPDX-License-Identifier: AGPL-3.0-or-later
"""The user behind a session, and the job's own session."""

from __future__ import annotations

import pytest

from openhcs_client import OpenHCSError
from openhcs_execution.omero_io import close_job_session, join_session, keep_alive, open_job_session, session_user

from .world import key_of


@pytest.mark.parametrize(
    ("permissions", "owner", "reads_all"),
    [
        ("rw----", False, False),
        ("rw----", True, True),
        ("rwr---", False, True),
        ("rwra--", False, True),
        ("rwrw--", False, True),
    ],
)
def test_what_a_user_reads_in_a_group(make_lab, permissions, owner, reads_all):
    lab = make_lab(permissions)
    person = lab.person(owner=owner)
    with lab.joined(person) as conn:
        user = session_user(conn)
    assert user.user_id == person.getUserId()
    assert user.admin is False
    assert {group.id: group.reads_all for group in user.groups}[lab.group_id] is reads_all


def test_names_are_for_people(conn, ada):
    assert session_user(conn).name == f"{ada.getUser().getFirstName()} {ada.getUser().getLastName()}"


def test_an_administrator_reads_everything(lab, omero_sandbox):
    with omero_sandbox.connection() as root, lab.joined(root) as conn:
        user = session_user(conn)
    assert user.admin is True
    assert all(group.reads_all for group in user.groups)


def test_the_job_session_outlives_the_users_and_works_in_the_group(make_lab):
    first, second = make_lab("rwra--"), make_lab("rwrw--")
    person = first.person()
    with first.sandbox.connection() as root:
        root.getAdminService().addGroups(
            root.getObject("Experimenter", person.getUserId())._obj, [root.getObject("ExperimenterGroup", second.group_id)._obj]
        )
    again = first.sandbox.connect(person.getUser().getName(), "a long password")
    with first.joined(again) as conn:
        key = open_job_session(conn, second.group_id, idle_minutes=10)
    again.close()
    with join_session(first.server, key) as job:
        context = job.getEventContext()
        assert (context.userId, context.groupId) == (person.getUserId(), second.group_id)
    close_job_session(first.server, key)


def test_closing_a_job_session_ends_it_for_everyone_and_only_it(lab, ada, conn):
    key = open_job_session(conn, lab.group_id, idle_minutes=10)
    assert keep_alive(lab.server, key) is True
    with join_session(lab.server, key):
        close_job_session(lab.server, key)
    assert keep_alive(lab.server, key) is False
    close_job_session(lab.server, key)
    assert keep_alive(lab.server, key_of(ada)) is True


def test_a_job_session_needs_membership(make_lab, ada, lab):
    other = make_lab("rwra--")
    with lab.joined(ada) as conn, pytest.raises(OpenHCSError) as caught:
        open_job_session(conn, other.group_id, idle_minutes=10)
    assert (caught.value.code, caught.value.status) == ("not_a_group_member", 403)
    with lab.joined(ada) as conn, pytest.raises(OpenHCSError) as caught:
        open_job_session(conn, 999_999, idle_minutes=10)
    assert caught.value.code == "not_a_group_member"
