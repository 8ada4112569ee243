# SPDX-License-Identifier: AGPL-3.0-or-later
"""Golden wells over the whole stack: recorded from a run, checked, and what a changed version differs in."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from openhcs_client import GoldenCheck, SharingCheck
from openhcs_client.cli import app

from .conftest import WebUser, World, error_of, wait_until_final

pytestmark = pytest.mark.stack

VALUES = {"diameter": 11}


def save(person: WebUser, document: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = person.post(person.api("pipelines/"), {"document": document, **more})
    assert response.status_code == 201, response.text
    return response.json()


def run_well(person: WebUser, plate: int, pipeline_id: str, well: str = "A01") -> str:
    body = {"plate_id": plate, "pipeline_id": pipeline_id, "test_well": well, "parameters": VALUES}
    response = person.post(person.api("executions/"), body)
    assert response.status_code == 201, response.text
    execution_id = response.json()["execution_id"]
    assert wait_until_final(person, execution_id).wells_completed == 1
    return execution_id


def record(person: WebUser, pipeline_id: str, execution_id: str, **more: Any) -> Any:
    body = {"execution_id": execution_id, "well": "A01", **more}
    return person.post(person.api(f"pipelines/{pipeline_id}/golden-wells/"), body)


def known(person: WebUser, pipeline_id: str, query: str = "") -> GoldenCheck:
    response = person.get(person.api(f"pipelines/{pipeline_id}/check/{query}"))
    assert response.status_code == 200, response.text
    return GoldenCheck.model_validate(response.json())


def sharing(person: WebUser, pipeline_id: str) -> SharingCheck:
    return SharingCheck.model_validate(person.get(person.api(f"pipelines/{pipeline_id}/check/sharing/")).json())


@pytest.fixture(scope="module")
def own(ada: WebUser) -> dict[str, Any]:
    """A pipeline of ada's own, without golden wells."""
    built_in = ada.get(ada.api("pipelines/nuclei-count/")).json()["versions"][0]
    return save(ada, built_in | {"id": f"golden-{secrets.token_hex(4)}", "name": "My nuclei"})


@pytest.fixture(scope="module")
def finished(ada: WebUser, plate: int, own: dict[str, Any]) -> str:
    """A test run of that pipeline."""
    return run_well(ada, plate, own["id"])


@pytest.fixture(scope="module")
def recorded(ada: WebUser, own: dict[str, Any], finished: str) -> dict[str, Any]:
    """The version of the pipeline with the well of that run as a golden well."""
    response = record(ada, own["id"], finished, note="three bright squares")
    assert response.status_code == 201, response.text
    return response.json()


@pytest.fixture
def command_line(ada: WebUser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command ``openhcs``, signed in as ada."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    def invoke(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(app, arguments, input=stdin, catch_exceptions=False)

    assert invoke("login", ada.base, "--user", ada.name, "--stdin", stdin=f"{ada.password}\n").exit_code == 0
    return invoke


def test_a_well_becomes_golden_with_what_it_measured(
    ada: WebUser, plate: int, own: dict[str, Any], finished: str, recorded: dict[str, Any]
) -> None:
    assert (recorded["id"], recorded["version"]) == (own["id"], own["version"] + 1)
    assert recorded["steps"] == own["steps"]
    [golden] = recorded["golden_wells"]
    assert (golden["plate_id"], golden["well"], golden["parameters"]) == (plate, "A01", VALUES)
    assert golden["note"] == "three bright squares"
    expected = {entry["name"]: entry for entry in golden["expected"]}
    [well] = ada.get(ada.api(f"executions/{finished}/")).json()["wells"]
    assert {name: entry["value"] for name, entry in expected.items()} == well["measurements"]
    assert (expected["nuclei_count"]["value"], expected["nuclei_count"]["relative"]) == (3, 0.02)
    assert expected["area"]["relative"] == 0.01


def test_a_check_runs_the_well_again_and_agrees_until_the_pipeline_changes(
    ada: WebUser, colleague: WebUser, plate: int, recorded: dict[str, Any], command_line: Callable[..., Result]
) -> None:
    pipeline_id, version = recorded["id"], recorded["version"]
    assert known(ada, pipeline_id).state == "not_checked", "the run it was recorded from is of the version before"

    started = GoldenCheck.model_validate(ada.post(ada.api(f"pipelines/{pipeline_id}/check/"), {"version": version}).json())
    assert (started.state, started.version, started.wells[0].plate_name) == ("running", version, "Tiny plate")
    execution_id = str(started.wells[0].execution_id)
    wait_until_final(ada, execution_id)
    check = known(ada, pipeline_id)
    assert (check.state, check.wells[0].execution_id) == ("agrees", execution_id)
    assert check.wells[0].versions["openhcs"]
    assert known(colleague, pipeline_id).state == "agrees", "a member who may read the plate sees the same"
    detail = ada.get(ada.api(f"executions/{execution_id}/")).json()
    assert detail["test_well"]
    assert not any(detail["results"].values()), "a check writes nothing to OMERO"

    result = command_line("pipelines", "check", pipeline_id)
    assert result.exit_code == 0, result.output
    assert sharing(ada, pipeline_id).state == "agrees"

    changed = json.loads(json.dumps(recorded))
    changed["steps"][2]["parameters"]["subtract_background"] = False
    changed = save(ada, changed, based_on=version)
    assert sharing(ada, pipeline_id).state == "not_checked", "what is known of another version does not count"
    result = command_line("pipelines", "check", pipeline_id, "--json")
    assert result.exit_code == 1, result.output
    [well] = json.loads(result.stdout)["wells"]
    differing = {entry["name"] for entry in well["differences"] if not entry["agrees"]}
    assert "stain_mean" in differing
    assert not differing & {"nuclei_count", "area"}
    assert sharing(ada, pipeline_id).state == "differs"
    assert known(ada, pipeline_id, f"?version={version}").state == "agrees"

    tolerant = json.loads(json.dumps(changed))
    for entry in tolerant["golden_wells"][0]["expected"]:
        entry["relative"] = entry["absolute"] = 1
        entry["absolute"] = 1e9
    save(ada, tolerant, based_on=changed["version"])
    assert command_line("pipelines", "check", pipeline_id).exit_code == 0
    shared = sharing(ada, pipeline_id)
    assert [check.expected_by for check in shared.checks] == [changed["version"] + 1, changed["version"]]
    assert shared.state == "differs", "looser expectations do not hide what the version before expects"


def test_a_version_that_is_not_known_to_agree_is_shared_only_by_who_says_so(
    world: World, plate: int, lab: int, make_plate: Callable[..., int]
) -> None:
    private, shared = world.group("rw----"), lab
    eve = world.person(private, shared)
    own_plate = make_plate(eve, private, wells=1)
    mine = run_well(eve, own_plate, "nuclei-count")
    copy = record(eve, "nuclei-count", mine, copy_pipeline=True).json()
    line = next(line for line in eve.get(eve.api("pipelines/")).json()["pipelines"] if line["id"] == copy["id"])

    def share(**more: Any) -> Any:
        body = {"revision": line["revision"], "group_id": shared, **more}
        return eve.post(eve.api(f"pipelines/{copy['id']}/share/"), body)

    refused = share()
    assert (refused.status_code, error_of(refused)["code"]) == (409, "golden_wells_not_checked")
    changed = json.loads(json.dumps(copy))
    changed["golden_wells"][0]["expected"] = [{"name": "nuclei_count", "value": 99}]
    save(eve, changed, based_on=1)
    line = next(line for line in eve.get(eve.api("pipelines/")).json()["pipelines"] if line["id"] == copy["id"])
    started = eve.post(eve.api(f"pipelines/{copy['id']}/check/")).json()
    wait_until_final(eve, started["wells"][0]["execution_id"])
    refused = share()
    assert (refused.status_code, error_of(refused)["code"]) == (409, "golden_wells_differ")
    assert line["group_id"] == private
    done = share(although_unchecked=True)
    assert (done.status_code, done.json()["group_id"]) == (200, shared), done.text


def test_a_plate_that_may_not_be_read_does_not_keep_the_others_from_running(
    world: World,
    ada: WebUser,
    stranger: WebUser,
    plate: int,
    make_plate: Callable[..., int],
    recorded: dict[str, Any],
) -> None:
    private = make_plate(stranger, world.group("rw----"), wells=1, name="Nobody else's")
    [golden] = recorded["golden_wells"]
    golden_wells = [golden | {"plate_id": private}, golden | {"plate_id": 2**62}, golden | {"well": "H12"}, golden]
    document = {**recorded, "id": f"several-{secrets.token_hex(4)}", "golden_wells": golden_wells}
    saved = save(ada, document)
    response = ada.post(ada.api(f"pipelines/{saved['id']}/check/"))
    assert response.status_code == 201, response.text
    started = GoldenCheck.model_validate(response.json())
    assert [well.state for well in started.wells] == ["not_run", "not_run", "not_run", "running"]
    assert all("may not read it" in well.message for well in started.wells[:2])
    assert "H12" in started.wells[2].message
    assert "Nobody" not in response.text
    wait_until_final(ada, str(started.wells[3].execution_id))
    check = known(ada, saved["id"])
    assert [well.state for well in check.wells] == ["not_run", "not_run", "not_checked", "agrees"]
    assert [well.plate_name for well in check.wells] == [None, None, "Tiny plate", "Tiny plate"]


def test_a_repeated_request_starts_nothing_twice(ada: WebUser, recorded: dict[str, Any]) -> None:
    address, key = ada.api(f"pipelines/{recorded['id']}/check/"), secrets.token_hex(8)
    body = {"version": recorded["version"]}
    first, second = (ada.post(address, body, **{"Idempotency-Key": key}).json() for _ in range(2))
    assert first["wells"][0]["execution_id"] == second["wells"][0]["execution_id"]
    wait_until_final(ada, first["wells"][0]["execution_id"])


def test_who_may_not_read_the_pipeline_gets_nothing(
    ada: WebUser, stranger: WebUser, finished: str, recorded: dict[str, Any]
) -> None:
    for response in (
        stranger.get(stranger.api(f"pipelines/{recorded['id']}/check/")),
        stranger.get(stranger.api(f"pipelines/{recorded['id']}/check/sharing/")),
        stranger.post(stranger.api(f"pipelines/{recorded['id']}/check/")),
        record(stranger, recorded["id"], finished),
    ):
        assert (response.status_code, error_of(response)["code"]) in {(404, "unknown_pipeline"), (404, "execution_not_found")}


def test_without_a_csrf_token_nothing_is_started_or_saved(ada: WebUser, finished: str, recorded: dict[str, Any]) -> None:
    for path, body in (
        (f"pipelines/{recorded['id']}/check/", {}),
        (f"pipelines/{recorded['id']}/golden-wells/", {"execution_id": finished, "well": "A01"}),
    ):
        assert ada.post(ada.api(path), body, csrf=False).status_code == 403


def test_a_run_of_somebody_else_is_not_hers_to_record(colleague: WebUser, finished: str, recorded: dict[str, Any]) -> None:
    response = record(colleague, recorded["id"], finished, copy_pipeline=True)
    assert (response.status_code, error_of(response)["code"]) == (403, "not_owner")


def test_a_pipeline_that_is_not_hers_is_copied_when_she_wants_it(colleague: WebUser, plate: int, own: dict[str, Any]) -> None:
    mine = run_well(colleague, plate, "nuclei-count")
    refused = record(colleague, "nuclei-count", mine)
    assert (refused.status_code, error_of(refused)["code"]) == (409, "copy_needed")
    copied = record(colleague, "nuclei-count", mine, copy_pipeline=True, measurements=[{"name": "area", "relative": 0.5}])
    assert copied.status_code == 201, copied.text
    copy = copied.json()
    assert (copy["id"], copy["version"]) == (f"u{colleague.user_id}-nuclei-count", 1)
    [golden] = copy["golden_wells"]
    assert [(entry["name"], entry["relative"]) for entry in golden["expected"]] == [("area", 0.5)]
    again = record(colleague, "nuclei-count", mine, copy_pipeline=True).json()
    assert (again["id"], again["version"]) == (copy["id"], 2), "the copy that computes the same is used again"
    assert len(again["golden_wells"]) == 1, "the same well is replaced, not doubled"


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"relative": -0.1}, 422, "invalid_request"),
        ({"relative": 1.5}, 422, "invalid_request"),
        ({"relative": "NaN"}, 422, "invalid_request"),
        ({"measurements": [{"name": "area", "relative": 2}]}, 422, "invalid_request"),
        ({"measurements": [{"name": "area", "absolute": -1}]}, 422, "invalid_request"),
        ({"measurements": [{"name": "area", "value": 1}]}, 422, "invalid_request"),
        ({"measurements": [{"name": "never_measured"}]}, 422, "invalid_request"),
        ({"measurements": []}, 422, "invalid_request"),
        ({"well": "A02"}, 409, "well_not_done"),
        ({"well": "../../x"}, 422, "invalid_request"),
        ({"execution_id": "none"}, 404, "execution_not_found"),
        ({"value": 5}, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_recorded_is_refused(
    ada: WebUser, finished: str, recorded: dict[str, Any], wrong: dict[str, Any], status: int, code: str
) -> None:
    before = ada.get(ada.api(f"pipelines/{recorded['id']}/")).json()["versions"][0]["version"]
    response = record(ada, recorded["id"], **{"execution_id": finished, **wrong})
    assert (response.status_code, error_of(response)["code"]) == (status, code)
    assert ada.get(ada.api(f"pipelines/{recorded['id']}/")).json()["versions"][0]["version"] == before


def test_a_tolerance_that_is_not_a_number_is_not_json(ada: WebUser, finished: str, recorded: dict[str, Any]) -> None:
    content = json.dumps({"execution_id": finished, "well": "A01", "relative": float("nan")}).encode()
    response = ada.post(ada.api(f"pipelines/{recorded['id']}/golden-wells/"), content=content)
    assert (response.status_code, error_of(response)["code"]) == (400, "bad_json")


def test_a_run_of_another_pipeline_is_refused(ada: WebUser, finished: str) -> None:
    response = record(ada, "nuclei-count", finished)
    assert (response.status_code, error_of(response)["code"]) == (409, "other_pipeline")


def test_a_pipeline_without_golden_wells_has_nothing_to_check(ada: WebUser) -> None:
    assert known(ada, "nuclei-count").state == "no_golden_wells"
    response = ada.post(ada.api("pipelines/nuclei-count/check/"))
    assert (response.status_code, error_of(response)["code"]) == (409, "no_golden_wells")
    missing = ada.get(ada.api("pipelines/nuclei-count/check/?version=99"))
    assert (missing.status_code, error_of(missing)["code"]) == (404, "unknown_pipeline_version")
