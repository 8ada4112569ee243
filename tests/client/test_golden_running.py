# SPDX-License-Identifier: AGPL-3.0-or-later
"""``openhcs pipelines check``: what is run, what is waited for, what is printed, and the exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from openhcs_client import ExecutionStatus, OpenHCSError, PipelineDocument, RemoteOrchestrator, check_golden_wells
from openhcs_client.cli import app

from .fake_service import DOCUMENT, FakeWeb, served


def golden(plate_id: int, well: str = "A01", value: float = 12.0) -> dict:
    expected = [{"name": "nuclei_count", "value": value}, {"name": "area", "value": 50.0}]
    return {"plate_id": plate_id, "well": well, "parameters": {"sigma": 2.0}, "expected": expected}


class CheckedWeb(FakeWeb):
    """OMERO.web with a pipeline whose golden wells can be run: every execution is of one well that measures ``measured``."""

    def __init__(self) -> None:
        super().__init__("/omero")
        self.golden: list[list[dict]] = [[golden(51)], [golden(51, value=10.0)]]
        self.measured: dict[str, float | None] = {"nuclei_count": 12.0, "area": 50.2}
        self.well_state = "done"
        self.statuses = ["completed"]

    def api(self, request: httpx.Request, path: str) -> httpx.Response:
        match [request.method, *path.strip("/").split("/")]:
            case ["GET", "pipelines", "checked"]:
                versions = [
                    {**DOCUMENT.model_dump(mode="json"), "id": "checked", "version": version, "golden_wells": wells}
                    for version, wells in zip((2, 1), self.golden, strict=True)
                ]
                return httpx.Response(200, json={"versions": versions})
            case ["GET", "executions", "e1"]:
                well = {"well": "A01", "row": 0, "column": 0, "well_id": 1, "state": self.well_state}
                detail = {"document": {}, "rows": 2, "columns": 3, "wells": [{**well, "measurements": self.measured}]}
                return httpx.Response(200, json=self.execution() | detail)
        return super().api(request, path)


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CheckedWeb]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    web = CheckedWeb()
    with served(web) as url:
        assert invoke("login", f"{url}omero/", "--user", "ada", "--stdin", stdin="secret\n").exit_code == 0
        yield web


def invoke(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, arguments, input=stdin, catch_exceptions=False)


def check(*arguments: str) -> Result:
    return invoke("pipelines", "check", "checked", *arguments)


def test_agreement_ends_with_0(web):
    result = check()
    assert result.exit_code == 0, result.output
    assert "Plate [51] A01: agrees (2 measurements)" in result.stdout
    assert web.bodies("POST", "executions/") == [
        {
            "plate_id": 51,
            "pipeline_id": "checked",
            "version": 2,
            "wells": None,
            "parameters": {"sigma": 2.0},
            "test_well": "A01",
        }
    ]


def test_a_difference_ends_with_1_and_is_printed(web):
    web.measured = {"nuclei_count": 13.0, "area": 50.0}
    result = check()
    assert result.exit_code == 1
    assert "DIFFERS (1 of 2 measurements)" in result.stdout
    [line] = [line for line in result.stdout.splitlines() if line.startswith("nuclei_count")]
    assert line.split() == ["nuclei_count", "12", "13", "1", "0.12", "differs"]
    assert not any(line.startswith("area") for line in result.stdout.splitlines())
    assert any(line.startswith("area") for line in check("--all").stdout.splitlines())


def test_a_measurement_that_is_gone_is_a_difference(web):
    web.measured = {"nuclei_count": 12.0}
    result = check()
    assert result.exit_code == 1
    assert "not measured" in result.stdout


def test_the_expectations_of_another_version_can_be_asked_for(web):
    assert check("--version", "1").exit_code == 1
    result = check("--version", "2", "--expected-by", "1")
    assert result.exit_code == 1
    assert "version 2, compared with what version 1 expects" in result.stdout
    assert web.bodies("POST", "executions/")[-1]["version"] == 2


def test_a_well_that_cannot_be_run_does_not_keep_the_others_from_running(web):
    web.golden[0] = [golden(404), golden(51)]
    result = check("--json")
    assert result.exit_code == 2
    answer = json.loads(result.stdout)
    assert [well["state"] for well in answer["wells"]] == ["not_run", "agrees"]
    assert "may not read it" in answer["wells"][0]["message"]
    web.measured = {}
    assert check().exit_code == 1, "a difference is told before what could not be run"


def test_a_failed_run_ends_with_2(web):
    web.well_state, web.statuses = "failed", ["failed"]
    result = check()
    assert result.exit_code == 2
    assert "could not be run: The run is failed" in result.stdout


def test_golden_wells_of_some_plates_only(web):
    web.golden[0] = [golden(404), golden(51)]
    assert check("--plate", "51").exit_code == 0
    assert [body["plate_id"] for body in web.bodies("POST", "executions/")] == [51]


@pytest.mark.parametrize("arguments", [["--plate", "7"], ["--version", "9"], ["--expected-by", "9"]])
def test_nothing_to_run_ends_with_2(web, arguments):
    result = check(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr
    assert web.bodies("POST", "executions/") == []


def test_a_pipeline_that_does_not_exist_ends_with_2(web):
    result = invoke("pipelines", "check", "none", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stderr)["error"]["message"]


def test_a_wait_that_takes_too_long_leaves_the_runs_alone(web):
    web.statuses, web.well_state = ["running"], "running"
    result = check("--timeout", "0")
    assert result.exit_code == 2
    assert "still running" in result.stdout
    assert web.bodies("POST", "executions/e1/cancel/") == []


class PatientClient:
    """Runs two golden wells; the first answers of ``status`` are errors, then each run ends after some looks."""

    def __init__(self, silences: int) -> None:
        self.silences = silences
        self.looks: dict[str, int] = {}

    def pipeline(self, pipeline_id: str) -> list[PipelineDocument]:
        wells = [golden(51), golden(52)]
        return [PipelineDocument.model_validate({**DOCUMENT.model_dump(), "id": pipeline_id, "golden_wells": wells})]

    def execute_remote(self, *, plate_id: int, pipeline: str, config: dict) -> str:
        return f"e{plate_id}"

    def status(self, execution_id: str) -> ExecutionStatus:
        if self.silences:
            self.silences -= 1
            raise OpenHCSError("service_unavailable", "Nobody answers.", status=503)
        self.looks[execution_id] = self.looks.get(execution_id, 0) + 1
        over = self.looks[execution_id] >= (1 if execution_id == "e51" else 3)
        status = "completed" if over else "running"
        return ExecutionStatus(execution_id=execution_id, status=status, wells_total=1, wells_completed=0, wells_failed=0)

    def execution(self, execution_id: str):
        answer = CheckedWeb()
        request = httpx.Request("GET", "http://x/")
        client = RemoteOrchestrator(transport=httpx.MockTransport(lambda _: answer.api(request, "executions/e1/")), token="t")
        return client.execution("e1")


def test_all_runs_are_waited_for_and_told_of():
    told: list[tuple[int, int, str]] = []
    client = PatientClient(silences=2)
    found = check_golden_wells(client, "x", report=lambda *now: told.append(now), pause=lambda _seconds: None)
    assert found.state == "agrees"
    assert told == [(1, 2, "running"), (1, 2, "running"), (2, 2, "")]
    assert client.looks == {"e51": 1, "e52": 3}, "what is over is not asked for again"


def test_a_service_that_stays_away_is_given_up():
    times = iter(range(0, 10_000, 100))
    with pytest.raises(OpenHCSError, match="Nobody answers"):
        check_golden_wells(PatientClient(silences=99), "x", clock=lambda: next(times), pause=lambda _seconds: None)
