# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ``/metrics`` says moves with what happens, to whom it says it, and what it must not say."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event as sqlalchemy_event

from openhcs_client import FailureClass, PipelineDocument
from openhcs_execution.api import create_app
from openhcs_execution.database import Database, QueuePerson
from openhcs_execution.engine.failures import well_failure
from openhcs_execution.metrics.queue_state import QueueMeter
from openhcs_execution.omero_io.failures_counted import OMERO_ERRORS
from openhcs_execution.queue import executions, wells
from openhcs_execution.queue.adding import PriorityClass
from openhcs_execution.queue.audit import Actor
from openhcs_execution.service import Service
from openhcs_execution.settings import Settings
from tests.execution.queued import claim_all, computed, enqueue

TWO_STEPS = PipelineDocument.model_validate(
    {
        "id": "two",
        "name": "Owner's secret name",
        "version": 1,
        "steps": [
            {"name": "Private words", "function": "openhcs:smooth"},
            {"name": "Off", "function": "openhcs:off", "enabled": False},
            {"name": "More words", "function": "openhcs:count"},
        ],
    }
)


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Scrape:
    """One answer, asked by name and labels."""

    def __init__(self, text: str) -> None:
        self.text, self._samples = text, samples(text)

    def __call__(self, name: str, **labels: str) -> float:
        return self._samples.get((name, frozenset(labels.items())), 0.0)


def scrape(service: Service) -> Scrape:
    for collector in service.meters.registry._collector_to_names:  # what is kept for seconds is read anew
        if hasattr(collector, "_read_at"):
            collector._read_at = -1e9
    return Scrape(service.meters.exposition().decode())


def test_the_queue_is_told_by_class_and_kind(service: Service) -> None:
    enqueue(service.database, 3, owner=2)
    enqueue(service.database, 3, owner=3, priority_class=PriorityClass.POWER_USER)
    test = enqueue(service.database, 3, owner=4, test_well=True, priority_class=PriorityClass.ADMINISTRATOR)
    paused = enqueue(service.database, 2, owner=5)
    executions.pause(service.database, paused, Actor(0, "root"))
    told = scrape(service)
    queued = {"status": "queued"}
    assert told("openhcs_executions_open", priority_class="user", kind="plate", **queued) == 2
    assert told("openhcs_executions_open", priority_class="power_user", kind="plate", **queued) == 1
    assert told("openhcs_executions_open", priority_class="administrator", kind="test_well", **queued) == 1
    assert told("openhcs_executions_paused") == 1
    assert told("openhcs_wells", state="waiting") == 3 + 3 + 1 + 2
    assert told("openhcs_queue_oldest_seconds", priority_class="user", kind="plate") > 0
    assert told("openhcs_omero_sessions", state="kept") == 4
    assert told("openhcs_events_total", kind="queued") == 4
    executions.cancel(service.database, test)
    told = scrape(service)
    assert told("openhcs_executions_open", priority_class="administrator", kind="test_well", **queued) == 0
    assert told("openhcs_executions_ended_total", status="cancelled") == 1


def test_wells_steps_failures_and_waiting_are_counted_once(service: Service) -> None:
    enqueue(service.database, 2, document=TWO_STEPS)
    first, second = claim_all(service.database)
    for step, name in ((1, "Private words"), (2, "More words")):
        wells.well_step(service.database, first, step, 2, name)
    told = scrape(service)
    assert told("openhcs_wells", state="in_work") == 2
    assert told("openhcs_execution_wait_seconds_count", priority_class="user", kind="plate") == 1
    assert told("openhcs_step_seconds_count", function="openhcs:smooth") == 0  # only committed wells count
    assert wells.commit_well(service.database, first, computed(1.5))
    assert not wells.commit_well(service.database, first, computed(1.5))
    wells.fail_well(service.database, second, well_failure(FailureClass.BAD_INPUT, "No image."), 1.0, final=True)
    told = scrape(service)
    assert told("openhcs_wells_committed_total", kind="plate") == 1
    assert told("openhcs_well_seconds_sum", kind="plate") == 1.5
    assert told("openhcs_wells_failed_total", failure_class="bad_input") == 1
    for function in ("openhcs:smooth", "openhcs:count"):
        assert told("openhcs_step_seconds_count", function=function) == 1
    assert told("openhcs_step_seconds_count", function="openhcs:off") == 0


def test_a_step_that_the_engine_leaves_out_is_not_taken_for_another(service: Service) -> None:
    enqueue(service.database, 1, document=TWO_STEPS)
    (well,) = claim_all(service.database)
    wells.well_step(service.database, well, 1, 1, "More words")
    assert wells.commit_well(service.database, well, computed(1.5))
    told = scrape(service)
    assert told("openhcs_step_seconds_count", function="openhcs:count") == 1
    assert told("openhcs_step_seconds_count", function="openhcs:smooth") == 0


def test_a_transaction_that_is_rolled_back_tells_nothing(service: Service) -> None:
    number = enqueue(service.database, 1)
    executions.cancel(service.database, number)
    before = scrape(service)("openhcs_events_total", kind="cancel_requested")
    heard = []
    service.database.listen(heard.append)
    service.database.listen(lambda _told: 1 / 0)  # nobody else's concern
    with pytest.raises(RuntimeError), service.database.write() as session:
        executions.record(session, executions.lock_execution(session, number), "cancel_requested")
        raise RuntimeError("not today")
    assert heard == []
    enqueue(service.database, 1)
    assert [event.kind for told in heard for _execution, event in told] == ["queued"]
    assert scrape(service)("openhcs_events_total", kind="cancel_requested") == before


def test_nobody_is_named(service: Service, http: TestClient, token) -> None:
    enqueue(service.database, 2, document=TWO_STEPS)
    (first, _second) = claim_all(service.database)
    wells.well_step(service.database, first, 1, 2, "Private words")
    wells.commit_well(service.database, first, computed())
    with service.database.write() as session:
        session.get_one(QueuePerson, 2).name = "Marie Curie"
    http.get("/api/v1/executions/0f8fad5b-d9cb-469f-a165-70867728950e/", headers=token(2))
    http.get("/some/address?of=somebody")
    told = scrape(service).text
    for private in ("user 2", "Curie", "secret name", "Private words", "Plate", "0f8fad5b", "some/address"):
        assert private not in told


def test_requests_are_counted_by_template(service: Service, http: TestClient, token) -> None:
    for number in range(3):
        http.get(f"/api/v1/executions/none-{number}/", headers=token(2))
    http.get("/nowhere")
    http.request("BREW", "/api/v1/executions/")
    told = scrape(service)
    route = "/executions/{execution_id}/"
    assert told("openhcs_http_requests_total", method="GET", route=route, status="404") == 3
    assert told("openhcs_http_request_seconds_count", method="GET", route=route) == 3
    assert told("openhcs_http_requests_total", method="GET", route="(none)", status="404") == 1
    assert "BREW" not in told.text


def test_errors_of_omero_are_counted(service: Service) -> None:
    from openhcs_client import OpenHCSError
    from openhcs_execution.omero_io import join_session

    before = scrape(service)("openhcs_omero_errors_total", code="omero_unreachable")
    with pytest.raises(OpenHCSError), join_session(service.omero, "0f8fad5b-d9cb-469f-a165-70867728950e"):
        pass
    assert scrape(service)("openhcs_omero_errors_total", code="omero_unreachable") == before + 1
    assert OMERO_ERRORS.labels("omero_unreachable")._value.get() >= 1


def test_a_scrape_costs_few_queries_and_is_kept(service: Service) -> None:
    for owner in range(30):
        enqueue(service.database, 2, owner=owner)
    statements: list[str] = []
    sqlalchemy_event.listen(
        service.database.engine, "before_cursor_execute", lambda _c, _k, statement, *_: statements.append(statement)
    )
    meter = QueueMeter(service.database)
    first = [family.name for family in meter.collect()]
    assert len(statements) <= 6  # with BEGIN
    assert [family.name for family in meter.collect()] == first
    assert len(statements) <= 6  # with BEGIN


def test_a_silent_database_is_told(tmp_path: Path) -> None:
    from openhcs_execution.database import migrate

    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    migrate(database)
    with database.write() as session:
        session.connection().exec_driver_sql("drop table job_sessions")
    families = {family.name: family for family in QueueMeter(database).collect()}
    assert families["openhcs_database_up"].samples[0].value == 0
    assert list(families) == ["openhcs_database_up"]
    database.close()


# ----------------------------------------------------------------- who may read it


def ask(service: Service, client: str, **headers: str) -> int:
    return TestClient(create_app(service), client=(client, 5000)).get("/metrics", headers=headers).status_code


def test_only_this_machine_may_read_it(service: Service) -> None:
    assert ask(service, "127.0.0.1") == 200
    assert ask(service, "::1") == 200
    assert ask(service, "192.0.2.7") == 403
    # A proxy on this machine brings somebody from another one.
    for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded"):
        assert ask(service, "127.0.0.1", **{header: "192.0.2.7"}) == 403
    assert ask(service, "192.0.2.7", Authorization=f"Bearer {service.secret}") == 403


def test_a_token_opens_it_to_other_machines(tmp_path: Path) -> None:
    file = tmp_path / "token"
    service = Service(Settings(data_dir=tmp_path / "data", omero_port=1, metrics_token_file=file))
    try:
        assert ask(service, "192.0.2.7", Authorization="Bearer ") == 403  # there is no file yet
        file.write_text("short\n")
        assert ask(service, "192.0.2.7", Authorization="Bearer short") == 403
        file.write_text("a-token-of-some-length\n")
        assert ask(service, "192.0.2.7", Authorization="Bearer a-token-of-some-length") == 200
        assert ask(service, "192.0.2.7", Authorization="Bearer a-token-of-some-lengtH") == 403
        assert ask(service, "192.0.2.7") == 403
        assert ask(service, "127.0.0.1") == 200
    finally:
        service.close()
