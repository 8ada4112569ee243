# SPDX-License-Identifier: AGPL-3.0-or-later
"""Through OMERO.web: run again from its passport the results are equal bit by bit, with another value they differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate
from stack import Stack
from typer.testing import CliRunner, Result

from openhcs_client import read_passport
from openhcs_client.cli import app

from .conftest import WebUser, World, error_of, wait_until_final

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def measured(ada: WebUser, plate: int) -> str:
    """A finished execution of Ada's on her plate of two wells."""
    body = {"plate_id": plate, "pipeline_id": "nuclei-count", "parameters": {"contrast": 7.0}}
    created = ada.post("/openhcs/api/v1/executions/", body)
    assert created.status_code == 201, created.text
    execution_id = created.json()["execution_id"]
    assert wait_until_final(ada, execution_id).status == "completed"
    return execution_id


@pytest.fixture
def openhcs(ada: WebUser, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """The command line, signed in as Ada."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def invoke(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(app, arguments, input=stdin, catch_exceptions=False)

    assert invoke("login", ada.base, "--user", ada.name, "--stdin", stdin=f"{ada.password}\n").exit_code == 0
    yield invoke


def test_run_again_from_its_passport_results_are_equal_and_with_another_value_they_differ(
    openhcs: Callable[..., Result], measured: str, plate: int, tmp_path: Path
) -> None:
    path = tmp_path / "passport.zip"
    assert openhcs("passport", measured, "-o", str(path), "--labels").exit_code == 0
    crate = ROCrate(path)  # an independent reader
    assert crate.mainEntity["name"] == "Count nuclei"
    found = read_passport(path)
    assert (found.inputs.plate_id, found.parameters) == (plate, {"contrast": 7.0})
    assert all(len(field.sha256 or "") == 64 for well in found.inputs.wells for field in well.fields)
    assert [len(well.labels) > 0 for well in found.outputs.wells] == [True, True]
    assert found.run.machines[0].cores >= 1
    assert found.run.software["openhcs"]

    same = openhcs("run", "--from", str(path), "--compare", "--json")
    assert same.exit_code == 0, same.output
    comparison = json.loads(same.stdout)
    assert (comparison["same"], comparison["wells"], comparison["inputs"]) == (True, 2, "same")

    other = openhcs("run", "--from", str(path), "--plate", str(plate), "--set", "diameter=60", "--compare")
    assert other.exit_code == 4, other.output
    assert "Different: 2 of 2 wells" in other.stdout
    assert "Input images: the same pixels." in other.stdout
    assert "Parameter diameter: the default before, 60 now." in other.stdout
    assert "label image" in other.stdout

    assert openhcs("compare-passport", str(path), measured).exit_code == 0


def test_a_plate_that_is_not_alike_is_refused(
    openhcs: Callable[..., Result],
    ada: WebUser,
    measured: str,
    lab: int,
    make_plate: Callable[..., int],
    tmp_path: Path,
) -> None:
    path = tmp_path / "passport.zip"
    openhcs("passport", measured, "-o", str(path))
    smaller = make_plate(ada, lab, wells=1)
    refused = openhcs("run", "--from", str(path), "--plate", str(smaller))
    assert refused.exit_code == 1
    assert "it has no images in A02" in refused.output


def test_who_may_see_the_run_may_take_its_passport(ada: WebUser, stranger: WebUser, world: World, measured: str) -> None:
    for place in ("passport/", "methods/"):
        address = f"/openhcs/api/v1/executions/{measured}/{place}"
        assert ada.get(address).status_code == 200
        refused = stranger.get(address)
        assert (refused.status_code, error_of(refused)["code"]) == (404, "execution_not_found")
    answer = ada.get(f"/openhcs/api/v1/executions/{measured}/passport/")
    assert (answer.headers["Content-Type"], answer.content[:2]) == ("application/zip", b"PK")
    assert "Contrast of nuclei 7 standard deviations (published value 6)" in ada.get(address).json()["text"]
    page = ada.get(f"/openhcs/results/{measured}/").text
    assert f"executions/{measured}/passport/" in page
    assert ada.get(f"/openhcs/api/v1/executions/{measured}/passport/?evil=1").status_code == 422
