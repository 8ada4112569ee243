# SPDX-License-Identifier: AGPL-3.0-or-later
"""The live connection: who gets a ticket, who is let in with one, what is sent, and when it closes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from openhcs_client import LIVE_PROTOCOL, TICKET_PREFIX, EventPage
from openhcs_execution.api import create_app
from openhcs_execution.live.tickets import TicketOffice
from openhcs_execution.queue import executions, wells
from openhcs_execution.queue.audit import Actor
from openhcs_execution.service import Service
from openhcs_execution.settings import Settings
from tests.execution.queued import claim_all, computed, enqueue, events, execution

OWNER = 2


@pytest.fixture
def service(tmp_path) -> Iterator[Service]:
    service = Service(
        Settings(
            data_dir=tmp_path / "data",
            omero_port=1,
            live_connections=3,
            live_connections_per_user=2,
            live_origins="https://omero.example",
        )
    )
    yield service
    service.close()


@pytest.fixture
def http(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def number(service: Service) -> int:
    return enqueue(service.database, 2, owner=OWNER)


@pytest.fixture
def execution_id(service: Service, number: int) -> str:
    return execution(service.database, number).execution_id


@pytest.fixture
def ticket(http: TestClient, token: Callable, execution_id: str) -> Callable[..., str]:
    def make(user: int = OWNER, **more) -> str:
        answer = http.post(f"/api/v1/executions/{execution_id}/ticket/", headers=token(user, **more))
        assert answer.status_code == 200, answer.text
        return answer.json()["ticket"]

    return make


def connect(http: TestClient, execution_id: str, ticket: str | None, since: int = 0, **headers: str):
    protocols = [LIVE_PROTOCOL] + ([] if ticket is None else [TICKET_PREFIX + ticket])
    return http.websocket_connect(
        f"/api/v1/live/executions/{execution_id}/?since={since}", subprotocols=protocols, headers=headers
    )


def refused(http: TestClient, execution_id: str, ticket: str | None, **headers: str) -> tuple[int, str]:
    with pytest.raises(WebSocketDenialResponse) as caught, connect(http, execution_id, ticket, **headers):
        pass
    return caught.value.status_code, caught.value.json()["error"]["code"]


def receive(socket) -> EventPage:
    return EventPage.model_validate_json(socket.receive_text())


# ------------------------------------------------------------------ tickets


def test_whoever_may_read_the_events_gets_a_ticket(ticket: Callable) -> None:
    assert len({ticket(), ticket(), ticket(9, reads_all=True), ticket(1, admin=True)}) == 4


@pytest.mark.parametrize(("user", "more", "status"), [(9, {}, 404), (9, {"reads_all": True, "group": 4}, 404)])
def test_others_get_none(http: TestClient, token: Callable, execution_id: str, user: int, more: dict, status: int) -> None:
    answer = http.post(f"/api/v1/executions/{execution_id}/ticket/", headers=token(user, **more))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, "execution_not_found")


def test_nobody_gets_one_without_a_token(http: TestClient, execution_id: str) -> None:
    assert http.post(f"/api/v1/executions/{execution_id}/ticket/").status_code == 401


def test_none_is_given_where_live_connections_are_switched_off(tmp_path, token: Callable) -> None:
    service = Service(Settings(data_dir=tmp_path / "off", omero_port=1, live_connections=0))
    http = TestClient(create_app(service))
    answer = http.post("/api/v1/executions/x/ticket/", headers=token(OWNER, secret=service.secret))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "live_not_offered")
    service.close()


# ------------------------------------------------------------------ who is let in


def test_no_ticket_is_refused(http: TestClient, execution_id: str) -> None:
    assert refused(http, execution_id, None) == (401, "ticket_missing")


def test_a_service_token_is_no_ticket(http: TestClient, token: Callable, execution_id: str) -> None:
    bearer = token(OWNER)["Authorization"].removeprefix("Bearer ")
    assert refused(http, execution_id, bearer) == (401, "ticket_invalid")


def test_an_expired_ticket_is_refused(http: TestClient, ticket: Callable, execution_id: str) -> None:
    http.app.state.live.office._lifetime = -1
    assert refused(http, execution_id, ticket()) == (401, "ticket_expired")


def test_a_ticket_of_another_execution_is_refused(http: TestClient, service: Service, ticket: Callable) -> None:
    other = execution(service.database, enqueue(service.database, 1, owner=OWNER)).execution_id
    assert refused(http, other, ticket()) == (403, "ticket_of_another_execution")


def test_a_ticket_of_another_service_is_refused(http: TestClient, execution_id: str) -> None:
    assert refused(http, execution_id, TicketOffice("x" * 40).issue(OWNER, execution_id)) == (401, "ticket_invalid")


def test_a_ticket_is_used_once(http: TestClient, ticket: Callable, execution_id: str) -> None:
    text = ticket()
    with connect(http, execution_id, text) as socket:
        receive(socket)
    assert refused(http, execution_id, text) == (403, "ticket_used")


def test_pages_of_other_sites_are_refused_and_their_ticket_is_not_used_up(
    http: TestClient, ticket: Callable, execution_id: str
) -> None:
    text = ticket()
    assert refused(http, execution_id, text, origin="https://evil.example") == (403, "wrong_origin")
    with connect(http, execution_id, text, origin="https://omero.example") as socket:
        receive(socket)
    with connect(http, execution_id, ticket(), origin="http://testserver") as socket:
        receive(socket)


def test_too_many_connections_of_a_user_or_in_total_are_refused(http: TestClient, ticket: Callable, execution_id: str) -> None:
    with connect(http, execution_id, ticket()) as first, connect(http, execution_id, ticket()) as second:
        receive(first), receive(second)
        assert refused(http, execution_id, ticket()) == (429, "too_many_live_connections")
        with connect(http, execution_id, ticket(1, admin=True)) as third:
            receive(third)
            assert refused(http, execution_id, ticket(9, reads_all=True)) == (429, "too_many_live_connections")
    with connect(http, execution_id, ticket()) as again:
        receive(again)


# ------------------------------------------------------------------ what is sent


def test_events_after_the_cursor_and_then_new_ones(
    http: TestClient, service: Service, ticket: Callable, number: int, execution_id: str
) -> None:
    known = len(events(service.database, number))
    with connect(http, execution_id, ticket()) as socket:
        assert socket.accepted_subprotocol == LIVE_PROTOCOL
        assert [event.sequence for event in receive(socket).events] == list(range(1, known + 1))
        [claimed, *_] = claim_all(service.database)
        found = []
        wells.well_staging(service.database, claimed, "worker-0")
        wells.well_step(service.database, claimed, 1, 2, "Segment")
        while len(found) < 2 or found[-1].kind != "well_step":
            found += receive(socket).events
        assert [event.sequence for event in found] == list(range(known + 1, known + 1 + len(found)))
        assert found[-1].data["step_name"] == "Segment"
    with connect(http, execution_id, ticket(), since=known) as socket:
        assert receive(socket).events[0].sequence == known + 1


def test_the_end_is_told_and_the_connection_closed(
    http: TestClient, service: Service, ticket: Callable, number: int, execution_id: str
) -> None:
    with connect(http, execution_id, ticket()) as socket:
        receive(socket)
        for claimed in claim_all(service.database):
            wells.well_staging(service.database, claimed, "worker-0")
            wells.commit_well(service.database, claimed, computed())
        executions.finish(service.database, number, "")
        pages = []
        with pytest.raises(WebSocketDisconnect) as closed:
            while True:
                pages.append(receive(socket))
        assert closed.value.code == 1000
    assert pages[-1].events == []
    assert pages[-1].status.is_final
    told = [event.sequence for page in pages for event in page.events]
    assert told[-1] == len(events(service.database, number))
    assert told == list(range(told[0], told[-1] + 1))


def test_the_end_of_a_cancelled_execution_is_told_to_somebody_who_comes_late(
    http: TestClient, service: Service, ticket: Callable, number: int, execution_id: str
) -> None:
    executions.cancel(service.database, number, Actor(OWNER, "Ada"))
    last = len(events(service.database, number))
    with connect(http, execution_id, ticket(), since=last) as socket:
        page = receive(socket)
        assert (page.events, page.status, page.next) == ([], "cancelled", last)
        with pytest.raises(WebSocketDisconnect):
            receive(socket)


def test_after_its_time_the_page_is_told_to_come_again(http: TestClient, ticket: Callable, execution_id: str) -> None:
    http.app.state.live.seconds = 0.3
    with connect(http, execution_id, ticket()) as socket:
        receive(socket)
        with pytest.raises(WebSocketDisconnect) as closed:
            while True:
                receive(socket)
    assert closed.value.code == 4001
    assert http.app.state.live.room.taken == 0


def test_whoever_sends_something_is_hung_up_on(http: TestClient, ticket: Callable, execution_id: str) -> None:
    with connect(http, execution_id, ticket()) as socket:
        receive(socket)
        socket.send_text("hello")
        with pytest.raises(WebSocketDisconnect) as closed:
            receive(socket)
    assert closed.value.code == 1008
