# SPDX-License-Identifier: AGPL-3.0-or-later
"""Waiting for an execution: it ends with the execution, shows what happens, and outlives a restart of the service."""

from __future__ import annotations

import io

import httpx
import pytest
from rich.console import Console

from openhcs_client import EventPage, ExecutionStatus, OpenHCSError, RemoteOrchestrator
from openhcs_client._progress import describe, progress_bar
from openhcs_client._waiting import follow

from .fake_service import FakeService


def status(name: str, done: int = 0, failed: int = 0, **more: object) -> ExecutionStatus:
    return ExecutionStatus(execution_id="e1", status=name, wells_total=3, wells_completed=done, wells_failed=failed, **more)


class Script:
    """A client whose answers are written down; an exception is raised instead of returned."""

    def __init__(self, *steps: ExecutionStatus | Exception) -> None:
        self.steps = list(steps)
        self.now = 0.0

    def status(self, execution_id: str) -> ExecutionStatus:
        step = self.steps[0]
        assert isinstance(step, ExecutionStatus)
        return step

    def events(self, execution_id: str, since: int = 0) -> EventPage:
        if len(self.steps) > 1:
            self.steps.pop(0)
        step = self.steps[0]
        if isinstance(step, Exception):
            raise step
        return EventPage(events=[], next=since, status=step.status)

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def follow(self, **options: object) -> ExecutionStatus:
        return follow(self, "e1", lambda *_: None, clock=lambda: self.now, pause=self.pause, **options)


AWAY = OpenHCSError("service_unavailable", "Nothing answers.", status=503)


def test_it_ends_with_the_execution():
    assert (
        Script(status("queued"), status("running"), status("completed_with_errors")).follow().status == "completed_with_errors"
    )


def test_a_finished_execution_is_not_waited_for():
    script = Script(status("cancelled"))
    assert script.follow().status == "cancelled"
    assert script.now == 0


def test_a_service_that_restarts_is_waited_for():
    assert Script(status("running"), AWAY, AWAY, status("completed")).follow().status == "completed"


def test_a_service_that_stays_away_is_given_up():
    script = Script(status("running"), AWAY)
    with pytest.raises(OpenHCSError, match="Nothing answers"):
        script.follow(poll_seconds=30)
    assert 300 < script.now <= 360


def test_other_errors_end_the_wait_at_once():
    script = Script(status("running"), OpenHCSError("not_signed_in", "Sign in.", status=401))
    with pytest.raises(OpenHCSError, match="Sign in"):
        script.follow()
    assert script.now == 1


def test_a_time_limit_says_that_the_execution_goes_on():
    with pytest.raises(OpenHCSError, match="still running after 5 seconds; it goes on") as caught:
        Script(status("running")).follow(timeout=5)
    assert caught.value.code == "wait_timed_out"


def test_the_client_waits_with_a_bar(capsys):
    service = FakeService()
    service.failed = 1
    service.statuses = ["running", "completed_with_errors"]
    client = RemoteOrchestrator(omero_session="key-of-ada", transport=httpx.MockTransport(service))
    assert client.wait("e1", poll_seconds=0.01).wells_failed == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "A02 failed: The field is empty." in shown.err
    assert "2/2 wells" in shown.err


def test_the_client_waits_without_a_bar(capsys):
    client = RemoteOrchestrator(omero_session="key-of-ada", transport=httpx.MockTransport(FakeService()))
    assert client.wait("e1", progress=False, poll_seconds=0.01).status == "completed"
    assert capsys.readouterr() == ("", "")


def test_the_bar_counts_finished_wells_and_says_what_runs():
    text = io.StringIO()
    with progress_bar(Console(file=text, force_terminal=True, width=120)) as report:
        report(status("running", done=1, failed=1, current_well="B02", current_step="[red]Label[/red]"), [])
    assert "2/3" in text.getvalue()
    assert "B02: [red]Label[/red] (1 failed)" in text.getvalue()


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (status("queued"), "queued"),
        (status("running", current_well="A01"), "A01"),
        (status("waiting_for_sign_in"), "waits for you to sign in again"),
        (status("completed_with_errors", done=2, failed=1), "completed with errors (1 failed)"),
    ],
)
def test_descriptions(now, words):
    assert describe(now) == words


def test_the_description_gives_the_time_of_the_end():
    assert ", ready about " in describe(status("running", estimated_completion="2026-03-01T10:00:00Z"))
