# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command line against real sockets: what it prints, its exit codes, and how it keeps secrets."""

from __future__ import annotations

import csv
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from openhcs_client import PipelineDocument
from openhcs_client.cli import app

from .fake_service import DOCUMENT, FakeService, FakeWeb, served


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "openhcs"


@pytest.fixture
def web() -> FakeWeb:
    return FakeWeb("/omero")


@pytest.fixture
def web_url(web: FakeWeb) -> Iterator[str]:
    with served(web) as url:
        yield f"{url}omero/"


@pytest.fixture
def signed_in(web_url: str) -> str:
    assert invoke("login", web_url, "--user", "ada", "--stdin", stdin="secret\n").exit_code == 0
    return web_url


def invoke(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, arguments, input=stdin, catch_exceptions=False)


def test_login_keeps_the_session_for_its_owner_alone(signed_in, config):
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in config.iterdir()}
    assert modes == {"profile.json": 0o600, "cookies.txt": 0o600}
    assert stat.S_IMODE(config.stat().st_mode) == 0o700
    assert not any("secret" in path.read_text() for path in config.iterdir())


def test_login_is_private_whatever_the_umask(web_url, config):
    before = os.umask(0)
    try:
        invoke("login", web_url, "--user", "ada", "--stdin", stdin="secret\n")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in config.iterdir()} == {0o600}


def test_login_asks_for_name_and_password(web_url):
    result = invoke("login", web_url, stdin="ada\nsecret\n")
    assert result.exit_code == 0
    assert "secret" not in result.output


def test_a_password_cannot_be_an_argument(web_url):
    assert invoke("login", web_url, "--user", "ada", "--password", "secret").exit_code == 2


def test_a_refused_login_leaves_nothing(web_url, config):
    result = invoke("login", web_url, "--user", "ada", "--stdin", stdin="wrong\n")
    assert result.exit_code == 1
    assert "did not accept" in result.stderr
    assert not config.exists()


def test_logout_ends_the_session_and_forgets_it(signed_in, web, config):
    assert invoke("logout").exit_code == 0
    assert web.requests[-1].url.path == "/omero/webclient/logout/"
    assert list(config.iterdir()) == []
    result = invoke("pipelines")
    assert result.exit_code == 1
    assert "openhcs login" in result.stderr


def test_the_service_is_used_with_an_omero_session(config):
    service = FakeService()
    with served(service) as url:
        assert invoke("login", url, "--service", "--stdin", stdin="key-of-ada\n").exit_code == 0
        assert stat.S_IMODE((config / "session").stat().st_mode) == 0o600
        assert invoke("run", "51", "nuclei-count").stdout == "e1\n"
    assert service.bodies("POST", "executions/")[0]["omero_session"] == "key-of-ada"


def test_a_session_that_is_over_is_not_kept(config):
    with served(FakeService()) as url:
        assert invoke("login", url, "--service", "--stdin", stdin="old\n").exit_code == 1
    assert not config.exists()


def test_run_sends_what_was_asked(signed_in, web):
    result = invoke(
        "run", "51", "nuclei-count", "--wells", "A01, A02", "--set", "sigma=2.5", "--set", "mode=otsu", "--set", "dark=true"
    )
    assert (result.exit_code, result.stdout) == (0, "e1\n")
    body = web.bodies("POST", "executions/")[0]
    assert body["wells"] == ["A01", "A02"]
    assert body["parameters"] == {"sigma": 2.5, "mode": "otsu", "dark": True}


def test_run_takes_a_document_from_a_file(signed_in, web, tmp_path):
    (tmp_path / "mine.json").write_text(DOCUMENT.model_copy(update={"name": "Mine"}).model_dump_json())
    assert invoke("run", "51", str(tmp_path / "mine.json")).exit_code == 0
    assert web.bodies("POST", "executions/")[0]["version"] == 7


def test_a_file_that_is_not_there_is_wrong_usage(signed_in, tmp_path):
    assert invoke("run", "51", str(tmp_path / "mine.json")).exit_code == 2


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"schema_version": 2}', '{"a": ' + "9" * 1_000_000 + "}"])
def test_a_file_that_is_no_document_is_an_error(signed_in, web, tmp_path, text):
    (tmp_path / "mine.json").write_text(text)
    result = invoke("run", "51", str(tmp_path / "mine.json"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(("Error: The pipeline", "Error: A pipeline document"))
    assert web.bodies("POST", "executions/") == []


@pytest.mark.parametrize("arguments", [("run", "plate", "p"), ("run", "51", "p", "--set", "sigma"), ("fly",), ("status",)])
def test_wrong_usage_is_2(signed_in, arguments):
    assert invoke(*arguments).exit_code == 2


def test_watching_ends_with_the_execution(signed_in):
    result = invoke("run", "51", "nuclei-count", "--watch")
    assert result.exit_code == 0
    assert "completed" in result.stdout


def test_an_execution_with_failed_wells_is_3(signed_in, web):
    web.failed, web.statuses = 1, ["running", "completed_with_errors"]
    assert invoke("watch", "e1").exit_code == 3
    assert invoke("status", "e1").exit_code == 3


def test_status_of_a_running_execution_is_0(signed_in):
    result = invoke("status", "e1")
    assert result.exit_code == 0
    assert "0 of 2 wells  A01: Smooth" in result.stdout


def test_json_is_json_and_nothing_else(signed_in):
    assert json.loads(invoke("status", "e1", "--json").stdout)["current_well"] == "A01"
    assert json.loads(invoke("pipelines", "--json").stdout)[0]["id"] == "nuclei-count"
    assert json.loads(invoke("pipelines", "nuclei-count", "--json").stdout)[0]["version"] == 2
    assert json.loads(invoke("functions", "--json").stdout)[0]["id"] == "a:b"
    assert json.loads(invoke("executions", "--json").stdout)[0]["execution_id"] == "e1"
    assert json.loads(invoke("run", "51", "p", "--json").stdout) == {"execution_id": "e1"}
    assert json.loads(invoke("run", "51", "p", "--json", "--watch").stdout)["status"] == "completed"
    assert json.loads(invoke("results", "e1", "--json").stdout)["rows"][1] == ["A02", None]


def test_errors_are_json_when_asked(signed_in):
    result = invoke("run", "404", "p", "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert json.loads(result.stderr)["error"]["code"] == "plate_not_found"


def test_errors_are_sentences_with_their_fields(signed_in):
    result = invoke("run", "404", "p")
    assert result.exit_code == 1
    assert result.stderr == "Error: Plate 404 does not exist, or you may not read it.\n  plate_id: unknown\n"


def test_tables_are_whole_lines_in_a_pipe(signed_in):
    assert "e1" in invoke("executions").stdout
    lines = invoke("pipelines").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["id", "version", "name", "from", "description"],
        ["nuclei-count", "2", "Count", "nuclei", "built-in"],
    ]
    assert "sigma" in invoke("pipelines", "nuclei-count").stdout
    assert invoke("pipelines", "show", "nuclei-count").stdout == invoke("pipelines", "nuclei-count").stdout
    assert "a:b" in invoke("functions", "--all").stdout


@pytest.mark.parametrize(
    "arguments", [("--json", "nuclei-count"), ("nuclei-count", "--json"), ("show", "nuclei-count", "--json")]
)
def test_json_may_be_asked_for_anywhere(signed_in, arguments):
    (version,) = json.loads(invoke("pipelines", *arguments).stdout)
    assert version["id"] == "nuclei-count"
    (line,) = json.loads(invoke("pipelines", "--json").stdout)
    assert line["versions"] == [2, 1]


def test_a_pipeline_that_is_not_there_is_told_as_json_too(signed_in):
    result = invoke("pipelines", "none", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stderr)["error"]["message"]


def test_export_writes_the_document(signed_in, tmp_path):
    assert PipelineDocument.model_validate_json(invoke("pipelines", "export", "nuclei-count").stdout) == DOCUMENT
    assert invoke("pipelines", "export", "nuclei-count", "-o", str(tmp_path / "mine.json")).stdout == ""
    assert PipelineDocument.model_validate_json((tmp_path / "mine.json").read_bytes()) == DOCUMENT


def test_export_writes_python(signed_in, web):
    result = invoke("pipelines", "export", "nuclei-count", "--format", "python", "--version", str(DOCUMENT.version))
    assert result.stdout == "pipeline = []\n"
    assert web.bodies("POST", "render/") == [{"document": DOCUMENT.model_dump(mode="json")}]


def test_export_names_the_versions_that_are_there(signed_in):
    result = invoke("pipelines", "export", "nuclei-count", "--version", "99")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"there is {DOCUMENT.version}." in result.stderr


def test_export_needs_a_place_that_can_be_written(signed_in, tmp_path):
    assert invoke("pipelines", "export", "nuclei-count", "-o", str(tmp_path / "none" / "mine.json")).exit_code == 2


def test_long_names_are_not_broken_over_lines(signed_in, web, monkeypatch):
    genuine = web.execution
    monkeypatch.setattr(web, "execution", lambda: genuine() | {"execution_id": "e" * 36, "plate_name": "plate " * 20})
    (line,) = invoke("executions").stdout.splitlines()[1:]
    assert "e" * 36 in line
    assert line.rstrip().endswith("ada")


def test_results_are_csv(signed_in, tmp_path):
    expected = [["well", "count"], ["A01", "12.0"], ["A02", ""], ["A03", "7"]]
    assert list(csv.reader(invoke("results", "e1").stdout.splitlines())) == expected
    assert invoke("results", "e1", "-o", str(tmp_path / "wells.csv"), "--level", "field").exit_code == 0
    assert list(csv.reader((tmp_path / "wells.csv").read_text().splitlines())) == expected


def test_quality_says_the_figures_and_what_was_found(signed_in):
    lines = invoke("quality", "e1").stdout.splitlines()
    assert lines[0] == "9 of 9 wells, 8 positive and 8 negative controls"
    assert lines[2].split() == ["count", "0.718", "–", "–", "–", "–", "–", "excellent"]
    assert lines[3:] == ["count: Edge effect: higher.", "A02 field 1: 2 % of the pixels."]
    assert json.loads(invoke("quality", "e1", "--json").stdout)["measurements"][0]["controls"]["z_prime"] == 0.7183


def test_a_report_is_written_to_a_file_of_its_own(signed_in, tmp_path):
    output = tmp_path / "report.html"
    assert invoke("report", "e1", "-o", str(output)).exit_code == 0
    assert output.read_bytes() == "<!DOCTYPE html>\n<title>Zähler</title>".encode()
    # What is there stays, unless it may be replaced.
    output.write_text("mine")
    refused = invoke("report", "e1", "-o", str(output))
    assert (refused.exit_code, output.read_text()) == (2, "mine")
    assert invoke("report", "e1", "-o", str(output), "--force").exit_code == 0
    assert output.read_bytes().startswith(b"<!DOCTYPE html>")
    assert invoke("report", "e1", "-o", str(tmp_path / "none" / "report.html")).exit_code == 2
    assert invoke("report", "e9", "-o", str(tmp_path / "other.html")).exit_code == 1
    assert not (tmp_path / "other.html").exists()


def test_control_wells_are_shown_and_marked_by_a_file(signed_in, web, tmp_path):
    assert invoke("controls", "51").stdout.splitlines()[1].split() == ["A01", "positive", "Agonist"]
    (tmp_path / "layout.csv").write_text("\ufeffwell,role\nA01,positive\n", encoding="utf-8")
    assert invoke("controls", "51", "--csv", str(tmp_path / "layout.csv")).exit_code == 0
    assert invoke("controls", "51", "--clear").exit_code == 0
    assert web.bodies("POST", "controls/") == [{"csv": "well,role\nA01,positive\n"}, {"wells": []}]
    assert invoke("controls", "51", "--csv", str(tmp_path / "none.csv")).exit_code == 2
    assert invoke("controls", "51", "--csv", str(tmp_path / "layout.csv"), "--clear").exit_code == 2


def test_cancel_and_retry(signed_in, web):
    assert invoke("cancel", "e1").exit_code == 0
    assert invoke("retry", "e1").exit_code == 0
    assert [request.url.path for request in web.requests[-2:]] == [
        "/omero/openhcs/api/v1/executions/e1/cancel/",
        "/omero/openhcs/api/v1/executions/e1/retry/",
    ]


def test_pause_resume_and_running_again(signed_in, web):
    assert invoke("pause", "e1").exit_code == 0
    assert invoke("resume", "e1").exit_code == 0
    assert invoke("rerun", "e1").stdout == "e2\n"
    assert [request.url.path.rsplit("/", 2)[1] for request in web.requests[-3:]] == ["pause", "resume", "rerun"]
    assert invoke("retry", "e1", "--which", "failed").exit_code == 0
    assert web.requests[-1].url.query == b"which=failed"
    assert invoke("retry", "e1", "--which", "all").exit_code == 2


def test_the_queue_of_everybody(signed_in):
    shown = invoke("queue", "show").stdout
    assert "4 workers (local), 0 wells in work. For one user: 2 executions at once, no limit of CPU hours" in shown
    lines = [line.split() for line in shown.splitlines()]
    assert ["1", "e1", "Ada", "Plate", "0", "2", "All", "workers", "are", "busy."] in lines
    assert ["2", "Ada", "1.25", "7", "0", "1", "3", "at", "once"] in lines
    assert json.loads(invoke("queue", "show", "--json").stdout)["limits"]["executions_at_once"] == 2
    assert invoke("queue", "drain").stdout.startswith("The queue is drained, by root")
    assert "drained" not in invoke("queue", "undrain").stdout


def test_limits_of_everybody_and_of_one_user(signed_in, web):
    assert invoke("queue", "limits", "--cpu-hours", "default", "--executions-at-once", "3").exit_code == 0
    assert web.bodies("POST", "admin/limits/") == [{"executions_at_once": 3, "cpu_hours_per_day": None}]
    assert invoke("queue", "limits", "--user", "2", "--cpu-hours", "1.5").exit_code == 0
    assert web.bodies("POST", "users/2/limits/") == [{"cpu_hours_per_day": 1.5}]
    sent = len(web.requests)
    for wrong in (["--cpu-hours", "many"], ["--executions-at-once", "0"], ["--user", "2", "--ageing-minutes", "3"], []):
        assert invoke("queue", "limits", *wrong).exit_code == 2
    assert len(web.requests) == sent


def test_who_did_what(signed_in, web):
    result = invoke("queue", "audit", "--target", "user 2", "--limit", "1")
    assert result.stdout.splitlines()[1].split() == (
        ["2026-11-25", "10:00:00", "root", "change_limits", "user", "2", "name", "Ada,", "cpu_hours_per_day", "default"]
    )
    assert result.stderr == "There are older entries: --cursor 9\n"
    assert dict(web.requests[-1].url.params) == {"target": "user 2", "limit": "1"}


def test_a_damaged_profile_asks_to_sign_in(config):
    config.mkdir(parents=True)
    (config / "profile.json").write_text("{")
    result = invoke("pipelines")
    assert result.exit_code == 1
    assert "openhcs login" in result.stderr


def test_the_installed_command_answers():
    command = Path(sys.executable).with_name("openhcs")
    done = subprocess.run([command, "status", "e1"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == "Error: You are not signed in.\nSign in with: openhcs login\n"


def test_searching_pipelines(signed_in, web):
    assert "nuclei-count" in invoke("pipelines", "list", "--search", "dapi spots", "--mine", "--deprecated").stdout
    assert dict(web.requests[-1].url.params) == {"q": "dapi spots", "owner": "me", "deprecated": "true", "limit": "200"}
    assert "nuclei-count" in invoke("pipelines", "--search", "dapi").stdout
    assert web.requests[-1].url.params["q"] == "dapi"


@pytest.mark.parametrize(
    ("arguments", "path", "body", "told"),
    [
        (("rename", "nuclei-count", "New", "--tag", "a"), "rename", {"revision": 3, "name": "New", "tags": ["a"]}, "to New"),
        (
            ("share", "nuclei-count", "9"),
            "share",
            {"revision": 3, "group_id": 9, "although_unchecked": False},
            "nobody else in the group sees it",
        ),
        (
            ("share", "nuclei-count", "9", "--although-unchecked"),
            "share",
            {"revision": 3, "group_id": 9, "although_unchecked": True},
            "nobody else in the group sees it",
        ),
        (
            ("deprecate", "nuclei-count", "--note", "old"),
            "deprecate",
            {"revision": 3, "deprecated": True, "note": "old"},
            "is deprecated",
        ),
        (
            ("deprecate", "nuclei-count", "--undo"),
            "deprecate",
            {"revision": 3, "deprecated": False, "note": ""},
            "recommended again",
        ),
    ],
)
def test_changes_name_the_revision_that_is_there(signed_in, web, arguments, path, body, told):
    result = invoke("pipelines", *arguments)
    assert result.exit_code == 0, result.output
    assert told in result.stderr
    assert web.bodies("POST", f"pipelines/nuclei-count/{path}/") == [body]


def test_copying_and_importing_print_the_new_id(signed_in, web, tmp_path):
    assert invoke("pipelines", "copy", "nuclei-count", "--name", "Mine").stdout == "u2-nuclei-count\n"
    assert web.bodies("POST", "pipelines/nuclei-count/copy/") == [{"name": "Mine"}]
    (tmp_path / "p.json").write_text(DOCUMENT.model_dump_json())
    assert invoke("pipelines", "import", str(tmp_path / "p.json"), "--group", "4").stdout == "nuclei-count\n"
    (sent,) = web.bodies("POST", "api/v1/pipelines/")
    assert (sent["as_copy"], sent["group_id"]) == (True, 4)
    (tmp_path / "bad.json").write_text('{"steps": 1}')
    result = invoke("pipelines", "import", str(tmp_path / "bad.json"))
    assert result.exit_code == 1
    assert "steps" in result.stderr
    assert invoke("pipelines", "import", str(tmp_path / "none.json")).exit_code == 2


@pytest.mark.parametrize(
    ("source", "options", "code", "told"),
    [
        ("# all", [], 0, ""),
        ("# some", ["--partial"], 0, "p.py:3:5: error: A loop is not run."),
        ("# some", [], 1, "With --partial, what was read is saved."),
        ("# nothing", ["--partial"], 1, "No pipeline could be read"),
        ("# all, wrong", ["--partial"], 1, "At most 100."),
    ],
)
def test_a_script_is_saved_when_all_of_it_was_read_or_on_request(signed_in, web, tmp_path, source, options, code, told):
    (tmp_path / "p.py").write_text(source)
    result = invoke("pipelines", "import", str(tmp_path / "p.py"), *options)
    assert (result.exit_code, result.stdout) == (code, "" if code else "nuclei-count\n"), result.stderr
    assert told in " ".join(result.stderr.split())
    assert web.bodies("POST", "pipelines/import-python/") == [{"source": source, "name": "p"}]
    assert len(web.bodies("POST", "api/v1/pipelines/")) == (1 if code == 0 else 0)


def test_a_script_that_is_no_text_is_not_sent(signed_in, web, tmp_path):
    (tmp_path / "p.py").write_bytes(b"x = '\xff'")
    result = invoke("pipelines", "import", str(tmp_path / "p.py"))
    assert result.exit_code == 2
    assert "UTF-8" in result.stderr
    assert web.bodies("POST", "pipelines/import-python/") == []


def test_results_are_listed_before_they_are_deleted(signed_in, web):
    listed = invoke("delete-results", "e1", "--dry-run")
    assert listed.exit_code == 0
    for told in ("plate", "figure", "6", "It is also in dataset 5."):
        assert told in listed.stdout
    assert json.loads(invoke("delete-results", "e1", "--dry-run", "--json").stdout)["total"] == 7
    assert invoke("delete-results", "e1", stdin="n\n").exit_code == 1
    assert web.bodies("POST", "executions/e1/results/delete/") == []


def test_results_are_deleted_by_the_digest_of_the_list(signed_in, web):
    web.deletions = ["deleting", "deleted"]
    done = invoke("delete-results", "e1", stdin="y\n")
    assert done.exit_code == 0
    assert "Deleted" in done.stderr
    (body,) = web.bodies("POST", "executions/e1/results/delete/")
    assert body["digest"] == "d" * 64


def test_a_deletion_that_breaks_off_is_an_error_with_its_reason(signed_in, web):
    web.deletions = ["failed"]
    done = invoke("delete-results", "e1", "--yes")
    assert done.exit_code == 1
    assert "OMERO did not delete 3 objects." in done.stderr


def test_deleting_asks_first(signed_in, web):
    assert invoke("pipelines", "delete", "nuclei-count", stdin="n\n").exit_code == 1
    assert not [request for request in web.requests if request.method == "DELETE"]
    assert invoke("pipelines", "delete", "nuclei-count", stdin="y\n").exit_code == 0
    assert invoke("pipelines", "delete", "nuclei-count", "--yes").exit_code == 0
    deleted = [request for request in web.requests if request.method == "DELETE"]
    assert [request.url.params["revision"] for request in deleted] == ["3", "3"]


def test_the_library_is_in_omero_web_only(config):
    with served(FakeService()) as url:
        invoke("login", url, "--service", "--stdin", stdin="key-of-ada\n")
        result = invoke("pipelines", "rename", "nuclei-count", "New")
    assert result.exit_code == 1
    assert "through OMERO.web only" in result.stderr
