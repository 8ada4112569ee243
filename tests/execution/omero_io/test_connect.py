# SPDX-License-Identifier: AGPL-3.0-or-later
"""Joining sessions: they go on afterwards, and what can go wrong has a name."""

from __future__ import annotations

from contextlib import suppress

import Ice
import omero
import pytest

from omero_sandbox.testing import start_sandbox
from openhcs_client import OpenHCSError
from openhcs_execution.omero_io import OmeroServer, join_session
from openhcs_execution.omero_io.connect import omero_errors

from .world import Lab, key_of

GONE = "00000000-0000-4000-8000-000000000000"


def test_a_joined_session_goes_on_when_it_is_left(lab, ada):
    for _ in range(2):
        with join_session(lab.server, key_of(ada)) as conn:
            assert conn.getEventContext().userId == ada.getUserId()
    assert ada.getEventContext().userId == ada.getUserId()
    with join_session(lab.server, key_of(ada)):
        pass


def test_a_joined_session_goes_on_when_the_work_in_it_fails(lab, ada):
    with pytest.raises(ZeroDivisionError), join_session(lab.server, key_of(ada)):
        raise ZeroDivisionError
    with join_session(lab.server, key_of(ada)):
        pass


def test_calls_name_every_group_unless_told(lab, ada):
    with join_session(lab.server, key_of(ada)) as conn:
        assert conn.SERVICE_OPTS.getOmeroGroup() == "-1"
    with join_session(lab.server, key_of(ada), group_id=lab.group_id) as conn:
        assert conn.SERVICE_OPTS.getOmeroGroup() == str(lab.group_id)


def refused(server: OmeroServer, key: str) -> OpenHCSError:
    with pytest.raises(OpenHCSError) as caught, join_session(server, key):
        pass
    return caught.value


def test_a_session_that_is_over(lab):
    person = lab.person()
    key = key_of(person)
    person.close()
    error = refused(lab.server, key)
    assert (error.code, error.status) == ("omero_session_lost", 401)


def test_a_key_that_never_was(lab):
    assert refused(lab.server, GONE).code == "omero_session_lost"


def test_a_user_name_is_not_a_key_even_when_it_is_the_password(lab, omero_sandbox):
    name = f"careless-{lab.name}"
    omero_sandbox.create_user(name, name, [lab.group_id])
    omero_sandbox.connect(name, name).close()  # such an account can sign in
    assert refused(lab.server, name).code == "omero_session_lost"


@pytest.mark.parametrize("key", ["", "root", "x" * 36, f"{GONE}\n", f" {GONE}"])
def test_what_is_no_key_is_not_even_tried(key):
    assert refused(OmeroServer("127.0.0.1", 9), key).code == "omero_session_lost"


def test_a_server_that_is_not_there():
    error = refused(OmeroServer("127.0.0.1", 9), GONE)
    assert (error.code, error.status) == ("omero_unreachable", 503)


def test_a_session_that_is_killed_meanwhile(lab):
    person = lab.person()
    with pytest.raises(OpenHCSError) as caught, join_session(lab.server, key_of(person)) as conn:
        person.close()
        conn.c.sf.getQueryService().findAllByQuery("select p from Plate p", None, {"omero.group": "-1"})
    assert caught.value.code == "omero_session_lost"


def test_a_refusal_of_omero_is_not_allowed(conn, lab):
    with pytest.raises(OpenHCSError) as caught, join_session(lab.server, conn.getEventContext().sessionUuid) as joined:
        joined.c.sf.getAdminService().createGroup(omero.model.ExperimenterGroupI(), {"omero.group": "-1"})
    assert (caught.value.code, caught.value.status) == ("omero_not_allowed", 403)


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (omero.WrappedCreateSessionException(concurrency=True), "omero_unreachable", 503),
        (omero.WrappedCreateSessionException(concurrency=False), "omero_session_lost", 401),
        (omero.DatabaseBusyException(message="busy"), "omero_unreachable", 503),
        (Ice.InvocationTimeoutException(), "omero_unreachable", 503),
        (omero.RemovedSessionException(), "omero_session_lost", 401),
        (omero.SecurityViolation(message="no"), "omero_not_allowed", 403),
        (omero.ValidationException(message="first\nsecond"), "omero_error", 502),
        (omero.InternalException(), "omero_error", 502),
    ],
)
def test_what_omero_reports_has_a_name(error, code, status):
    with pytest.raises(OpenHCSError) as caught, omero_errors():
        raise error
    assert (caught.value.code, caught.value.status) == (code, status)
    assert "second" not in caught.value.message


def test_errors_of_our_own_pass_unchanged():
    with pytest.raises(OpenHCSError, match="mine") as caught, omero_errors():
        raise OpenHCSError("mine", "This is mine.")
    assert caught.value.code == "mine"


def test_a_server_that_crashes_meanwhile_and_comes_back(tmp_path):
    sandbox = start_sandbox(tmp_path)
    try:
        lab = Lab(sandbox)
        key = key_of(lab.person())
        with pytest.raises(OpenHCSError) as caught, join_session(lab.server, key) as conn:
            sandbox.kill()
            conn.c.sf.getQueryService().findAllByQuery("select p from Plate p", None, {"omero.group": "-1"})
        assert caught.value.code == "omero_unreachable"
        sandbox.restart()
        assert refused(lab.server, key).code == "omero_session_lost"  # sessions do not outlive the server
        with suppress(Exception):
            lab.close()
    finally:
        sandbox.stop()
