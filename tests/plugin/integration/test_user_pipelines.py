# SPDX-License-Identifier: AGPL-3.0-or-later
"""People's own pipelines, kept in OMERO: versions, who sees them, and running one."""

from __future__ import annotations

import io
import json
import secrets
from typing import Any

import omero
import pytest
from omero.rtypes import rstring

from omero_openhcs.omero_access.pipelines import NAMESPACE
from openhcs_client import PipelineDocument, document_schema

from .conftest import WebUser, World, error_of, wait_until_final

pytestmark = pytest.mark.stack


@pytest.fixture
def document(ada: WebUser) -> dict[str, Any]:
    built_in = ada.get(ada.api("pipelines/nuclei-count/")).json()["versions"][0]
    return built_in | {"id": f"mine-{secrets.token_hex(4)}", "name": "My nuclei"}


def save(person: WebUser, document: dict[str, Any], **more: Any) -> Any:
    return person.post(person.api("pipelines/"), {"document": document, **more})


def listed(person: WebUser) -> dict[str, dict[str, Any]]:
    return {line["id"]: line for line in person.get(person.api("pipelines/?origin=user&limit=200")).json()["pipelines"]}


def test_a_pipeline_is_saved_listed_read_and_run(ada: WebUser, plate: int, document: dict[str, Any]) -> None:
    response = save(ada, document)
    assert response.status_code == 201, response.text
    saved = response.json()
    assert saved["id"] == f"u{ada.user_id}-{document['id']}"
    assert saved["version"] == 1
    line = listed(ada)[saved["id"]]
    assert (line["origin"], line["name"], line["versions"]) == ("user", "My nuclei", [1])
    assert ada.get(ada.api(f"pipelines/{saved['id']}/")).json()["versions"] == [saved]
    assert "My nuclei" in ada.get(f"/openhcs/pipelines/{saved['id']}/").text
    body = {"plate_id": plate, "pipeline_id": saved["id"], "test_well": "A01", "parameters": {"diameter": 11}}
    execution_id = ada.post(ada.api("executions/"), body).json()["execution_id"]
    assert wait_until_final(ada, execution_id).wells_completed == 1
    assert ada.get(ada.api(f"executions/{execution_id}/")).json()["pipeline_id"] == saved["id"]


def test_versions_are_added_and_never_change(ada: WebUser, document: dict[str, Any]) -> None:
    first = save(ada, document).json()
    assert save(ada, document).json() == first, "saving the same again adds nothing"
    second = save(ada, first | {"name": "My better nuclei"}, based_on=1).json()
    assert (second["id"], second["version"]) == (first["id"], 2)
    versions = ada.get(ada.api(f"pipelines/{first['id']}/")).json()["versions"]
    assert versions == [second, first]
    assert listed(ada)[first["id"]]["versions"] == [2, 1]


def test_an_edit_of_an_old_version_is_refused(ada: WebUser, document: dict[str, Any]) -> None:
    first = save(ada, document).json()
    save(ada, first | {"name": "Second"}, based_on=1)
    response = save(ada, first | {"name": "Third"}, based_on=1)
    assert (response.status_code, error_of(response)["code"]) == (409, "pipeline_changed")
    assert listed(ada)[first["id"]]["versions"] == [2, 1]


def test_omeros_permissions_decide_who_sees_it(
    ada: WebUser, colleague: WebUser, stranger: WebUser, document: dict[str, Any]
) -> None:
    saved = save(ada, document).json()
    assert saved["id"] in listed(colleague)
    assert saved["id"] not in listed(stranger)
    assert stranger.get(stranger.api(f"pipelines/{saved['id']}/")).status_code == 404
    own = save(stranger, document).json()
    assert own["id"] in listed(stranger)
    assert own["id"] not in listed(ada)


def test_only_its_owner_adds_a_version(ada: WebUser, colleague: WebUser, document: dict[str, Any]) -> None:
    saved = save(ada, document).json()
    response = save(colleague, saved | {"name": "Hijacked"}, based_on=1)
    assert (response.status_code, error_of(response)["code"]) == (403, "not_your_pipeline")


def test_nobody_poses_as_somebody_else(
    world: World, lab: int, ada: WebUser, colleague: WebUser, document: dict[str, Any]
) -> None:
    """A colleague writes an annotation that claims to be a version of ada's pipeline."""
    saved = save(ada, document).json()
    connection = world.omero(colleague, lab)
    try:
        original = connection.createOriginalFileFromFileObj(
            io.BytesIO(b"{}"), None, f"{saved['id']}.v2.json", 2, mimetype="application/json"
        )
        annotation = omero.model.FileAnnotationI()
        annotation.setNs(rstring(NAMESPACE))
        description = json.dumps({"id": saved["id"], "version": 2, "name": "Posing", "hash": "0"})
        annotation.setDescription(rstring(description))
        annotation.setFile(omero.model.OriginalFileI(original.getId(), False))
        connection.getUpdateService().saveObject(annotation, connection.SERVICE_OPTS)
    finally:
        connection.close()
    assert listed(ada)[saved["id"]]["versions"] == [1]


def test_a_changed_file_is_noticed(world: World, lab: int, ada: WebUser, document: dict[str, Any]) -> None:
    saved = save(ada, document).json()
    connection = world.omero(ada, lab)
    try:
        file_id = next(
            annotation.getFile().getId()
            for annotation in connection.getObjects("FileAnnotation", attributes={"ns": NAMESPACE})
            if annotation.getFile().getName() == f"{saved['id']}.v1.json"
        )
        store = connection.c.sf.createRawFileStore()
        store.setFileId(file_id, connection.SERVICE_OPTS)
        store.write(b"x", 5, 1)
        store.save()
        store.close()
    finally:
        connection.close()
    response = ada.get(ada.api(f"pipelines/{saved['id']}/"))
    assert (response.status_code, error_of(response)["code"]) == (409, "pipeline_damaged")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"steps": []}, "document.steps"),
        ({"schema_version": 2}, "document.schema_version"),
        ({"command": "rm -rf /"}, "document.command"),
        ({"id": "../../etc/passwd"}, "document.id"),
        ({"steps": [{"name": "x", "function": "os:system", "parameters": {"command": "true"}}]}, "document.steps.0.function"),
    ],
)
def test_a_wrong_document_is_refused_by_field(
    ada: WebUser, document: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    before = set(listed(ada))
    response = save(ada, {**document, "parameters": [], "measurements": [], "primary_measurement": None, **change})
    assert response.status_code == 422, response.text
    assert field in error_of(response)["field_errors"]
    assert set(listed(ada)) == before


def test_saving_in_a_group_of_others_is_refused(world: World, ada: WebUser, document: dict[str, Any]) -> None:
    response = save(ada, document, group_id=world.group("rw----"))
    assert (response.status_code, error_of(response)["code"]) == (403, "not_a_group_member")


def test_validation_answers_200_with_what_is_wrong(ada: WebUser, document: dict[str, Any]) -> None:
    good = ada.post(ada.api("pipelines/validate/"), {"document": document, "channels": ["DAPI"]})
    assert (good.status_code, good.json()["valid"]) == (200, True)
    bad = ada.post(ada.api("pipelines/validate/"), {"document": {**document, "steps": []}})
    assert (bad.status_code, bad.json()["valid"]) == (200, False)
    assert "steps" in bad.json()["field_errors"]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"schema_version": 2}, "newer_schema", "document.schema_version"),
        ({"steps": [{"name": "s", "function": "openhcs:gaussian_blur"}] * 500}, "invalid_pipeline", "document.steps"),
        ({"steps": [{"name": "s", "function": "openhcs:no_longer_offered"}]}, "invalid_pipeline", "document.steps.0.function"),
        ({"name": {"first": "Ada"}}, "invalid_pipeline", "document.name"),
        ({"description": "\0"}, "invalid_pipeline", "document.description"),
    ],
)
def test_documents_that_cannot_be_used_are_refused_at_every_door(
    ada: WebUser, document: dict[str, Any], change: dict[str, Any], code: str, field: str
) -> None:
    wrong = document | {"parameters": [], "measurements": [], "primary_measurement": None} | change
    before = set(listed(ada))
    response = save(ada, wrong)
    assert (response.status_code, error_of(response)["code"]) == (422, code)
    assert field in error_of(response)["field_errors"]
    report = ada.post(ada.api("pipelines/validate/"), {"document": wrong})
    assert (report.status_code, report.json()["valid"]) == (200, False)
    assert field.removeprefix("document.") in report.json()["field_errors"]
    assert ada.post(ada.api("pipelines/render/"), {"document": wrong}).status_code == 422
    assert set(listed(ada)) == before


def test_five_megabytes_are_too_large(ada: WebUser, document: dict[str, Any]) -> None:
    response = save(ada, document | {"description": "x" * 5_000_000})
    assert (response.status_code, error_of(response)["code"]) == (413, "too_large")


def test_scripts_are_read_and_nothing_is_saved(ada: WebUser, document: dict[str, Any]) -> None:
    before = set(listed(ada))
    plain = document | {"id": "mine", "version": 1}
    source = ada.post(ada.api("pipelines/render/"), {"document": plain}).json()["python"]
    imported = ada.post(ada.api("pipelines/import-python/"), {"source": source, "name": "Mine"})
    assert imported.status_code == 200, imported.text
    read = PipelineDocument.model_validate(imported.json()["document"])
    assert read.canonical_json() == PipelineDocument.model_validate(plain).canonical_json()
    for hostile in ("import os\nos.system('true')", "\0", "(" * 10_000, "<script>alert(1)</script>"):
        answer = ada.post(ada.api("pipelines/import-python/"), {"source": hostile})
        assert (answer.status_code, answer.json()["document"]) == (200, None)
        assert answer.json()["notes"]
    for wrong in ({}, {"source": 1}, {"source": "x", "path": "/etc/passwd"}):
        answer = ada.post(ada.api("pipelines/import-python/"), wrong)
        assert (answer.status_code, error_of(answer)["code"]) == (422, "invalid_request"), wrong
    half_letter = b'{"source": "x = \\ud800"}'
    assert ada.post(ada.api("pipelines/import-python/"), content=half_letter).status_code == 422
    answer = ada.post(ada.api("pipelines/import-python/"), {"source": "x" * 5_000_000})
    assert (answer.status_code, error_of(answer)["code"]) == (413, "too_large")
    assert set(listed(ada)) == before


def test_the_schema_is_served(ada: WebUser) -> None:
    assert ada.get(ada.api("pipelines/schema/")).json() == document_schema()


def test_html_in_a_pipeline_is_text_on_every_page(ada: WebUser, plate: int, document: dict[str, Any]) -> None:
    """What somebody writes into a pipeline is shown as written: it can begin no tag, attribute or script of ours."""
    attack = "</script><script>window.attacked=1</script>\"'><img src=x onerror=attack()>"
    hostile = document | {"name": attack, "description": attack}
    for step in hostile["steps"]:
        step["name"] = attack
    for part in (*hostile["parameters"], *hostile["measurements"]):
        part |= {"title": attack, "help": attack, "unit": attack}
    response = save(ada, hostile)
    assert response.status_code == 201, response.text
    saved = response.json()
    assert (saved["name"], saved["steps"][0]["name"]) == (attack, attack), "nothing is rewritten"
    body = {"plate_id": plate, "pipeline_id": saved["id"], "test_well": "A01"}
    execution_id = ada.post(ada.api("executions/"), body).json()["execution_id"]
    pages = (
        "/openhcs/",
        "/openhcs/pipelines/",
        f"/openhcs/pipelines/{saved['id']}/",
        f"/openhcs/execute/{plate}/?pipeline={saved['id']}",
        f"/openhcs/results/{execution_id}/",
        "/openhcs/executions/",
    )
    shown = 0
    for address in pages:
        answer = ada.get(address)
        assert answer.status_code == 200, address
        assert "<img src=x" not in answer.text, address
        assert "<script>window.attacked" not in answer.text, address
        shown += "attacked=1" in answer.text
    assert shown >= 4, "the pages show the name at all"
    wait_until_final(ada, execution_id)
