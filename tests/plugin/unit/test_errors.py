# SPDX-License-Identifier: AGPL-3.0-or-later
"""What leaves a view when something is wrong: a code and a sentence, and never what is not the user's to know."""

from __future__ import annotations

import logging

import Ice
import omero
import omero.gateway
import pytest
from django.http import Http404

from omero_openhcs.errors import explain, new_request_id
from openhcs_client import OpenHCSError


def test_our_own_refusals_pass_as_they_are() -> None:
    refusal = OpenHCSError("plate_not_found", "No such plate.", status=404)
    assert explain(refusal, "r1") is refusal


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (omero.SecurityViolation(), "not_allowed", 403),
        (omero.GroupSecurityViolation(), "not_allowed", 403),
        (omero.SessionTimeoutException(), "session_expired", 403),
        (omero.RemovedSessionException(), "session_expired", 403),
        (Ice.ConnectionLostException(), "omero_unreachable", 503),
        (Ice.ConnectionRefusedException(), "omero_unreachable", 503),
        (Http404(), "not_found", 404),
    ],
)
def test_known_failures_have_their_own_code(error: Exception, code: str, status: int) -> None:
    told = explain(error, "r1")
    assert (told.code, told.status) == (code, status)
    assert told.message.endswith(".")


def test_an_unknown_failure_is_opaque_and_logged_under_its_request_id(caplog: pytest.LogCaptureFixture) -> None:
    request_id = new_request_id()
    with caplog.at_level(logging.ERROR):
        told = explain(RuntimeError("password is hunter2"), request_id)
    assert (told.code, told.status) == ("internal_error", 500)
    assert request_id in told.message
    assert "hunter2" not in told.message
    assert any(request_id in record.getMessage() and record.exc_info for record in caplog.records)


def test_a_refused_service_token_does_not_look_like_an_expired_session() -> None:
    told = explain(OpenHCSError("bad_token", "The token is not signed by us.", status=401), "r1")
    assert (told.code, told.status) == ("service_not_configured", 503)
    assert "administrator" in told.message


def test_a_silent_service_does_not_tell_its_address_to_users() -> None:
    told = explain(OpenHCSError("service_unavailable", "Nothing answers at http://10.0.0.7:7777.", status=503), "r1")
    assert (told.code, told.status) == ("service_unavailable", 503)
    assert "10.0.0.7" not in told.message


def test_request_ids_differ() -> None:
    assert len({new_request_id() for _ in range(100)}) == 100
