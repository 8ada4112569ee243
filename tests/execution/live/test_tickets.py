# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tickets, places and origins by themselves; the refusals at the door are in ``tests/execution/api/test_live.py``."""

from __future__ import annotations

import jwt
import pytest

from openhcs_client import GroupClaim, OpenHCSError
from openhcs_execution.live.origins import check_origin
from openhcs_execution.live.room import Room
from openhcs_execution.live.tickets import LIFETIME, Ticket, TicketOffice
from openhcs_execution.tokens import issue_token, read_token

SECRET = "s" * 40


def refusal(call, *arguments) -> str:
    with pytest.raises(OpenHCSError) as caught:
        call(*arguments)
    return caught.value.code


def test_a_ticket_names_user_and_execution_and_lives_for_a_minute() -> None:
    office = TicketOffice(SECRET)
    text = office.issue(7, "execution")
    ticket = office.check(text, "execution")
    assert (ticket.user_id, ticket.execution_id) == (7, "execution")
    claims = jwt.decode(text, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == pytest.approx(LIFETIME)
    assert LIFETIME == 60


def test_a_ticket_opens_one_connection_only() -> None:
    office = TicketOffice(SECRET)
    text = office.issue(7, "execution")
    office.use(office.check(text, "execution"))
    assert refusal(office.check, text, "execution") == "ticket_used"
    assert office.check(office.issue(7, "execution"), "execution").user_id == 7


def test_used_tickets_are_forgotten_when_they_would_have_ended() -> None:
    office = TicketOffice(SECRET, lifetime=-1)
    for number in range(3):
        claims = jwt.decode(office.issue(number, "e"), options={"verify_signature": False})
        office.use(Ticket(number, "e", claims["jti"], claims["exp"]))
    assert len(office._used) == 1


def test_tickets_signed_with_another_secret_are_refused() -> None:
    assert refusal(TicketOffice(SECRET).check, TicketOffice("x" * 40).issue(7, "execution"), "execution") == "ticket_invalid"


def test_an_expired_ticket_and_one_of_another_execution_are_refused() -> None:
    office = TicketOffice(SECRET, lifetime=-1)
    assert refusal(office.check, office.issue(7, "execution"), "execution") == "ticket_expired"
    office = TicketOffice(SECRET)
    assert refusal(office.check, office.issue(7, "execution"), "other") == "ticket_of_another_execution"


def test_tickets_of_a_former_start_are_refused() -> None:
    assert refusal(TicketOffice(SECRET).check, TicketOffice(SECRET).issue(7, "e"), "e") == "ticket_invalid"


def test_a_token_is_no_ticket_and_a_ticket_is_no_token() -> None:
    office = TicketOffice(SECRET)
    token = issue_token(SECRET, user_id=7, name="Ada", admin=True, groups=[GroupClaim(id=3, reads_all=True)])
    assert refusal(office.check, token, "execution") == "ticket_invalid"
    assert refusal(read_token, SECRET, office.issue(7, "execution")) == "token_invalid"


def test_an_unsigned_ticket_is_refused() -> None:
    office = TicketOffice(SECRET)
    claims = jwt.decode(office.issue(7, "e"), options={"verify_signature": False})
    assert refusal(office.check, jwt.encode(claims, None, algorithm="none"), "e") == "ticket_invalid"


def test_places_are_limited_by_user_and_in_total_and_come_free() -> None:
    room = Room(total=3, per_user=2)
    with room.place(1), room.place(1):
        assert refusal(lambda: room.place(1).__enter__()) == "too_many_live_connections"
        with room.place(2):
            assert refusal(lambda: room.place(3).__enter__()) == "too_many_live_connections"
    assert room.taken == 0
    with room.place(1):
        assert room.taken == 1


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "omero.example"),
        ("https://omero.example", "omero.example"),
        ("https://OMERO.example", "omero.example:443"),
        ("http://omero.example:80", "omero.example"),
        ("http://[::1]", "[::1]:80"),
        ("http://127.0.0.1:4080", "127.0.0.1:4080"),
        ("https://listed.example", "127.0.0.1:7777"),
    ],
)
def test_pages_of_the_site_itself_and_listed_ones_pass(origin: str | None, host: str) -> None:
    check_origin(origin, host, ["https://listed.example"])


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "omero.example"),
        ("https://omero.example.evil.example", "omero.example"),
        ("http://127.0.0.1:4080", "127.0.0.1:7777"),
        ("null", "omero.example"),
        ("", "omero.example"),
        ("https://omero.example", None),
        ("https://listed.example.evil", "127.0.0.1:7777"),
        ("https://omero.example:8443", "omero.example"),
    ],
)
def test_pages_of_other_sites_are_refused(origin: str, host: str | None) -> None:
    assert refusal(check_origin, origin, host, ["https://listed.example"]) == "wrong_origin"
