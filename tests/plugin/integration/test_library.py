# SPDX-License-Identifier: AGPL-3.0-or-later
"""People's pipelines in groups of all four kinds: who sees, copies and changes them, and what an outdated view may do."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import omero
import pytest
from omero.rtypes import rstring
from omero.sys import ParametersI
from pipelines_in_bulk import make_pipelines
from stack import Stack

from omero_openhcs.omero_access.pipelines import NAMESPACE
from openhcs_client import PipelineDocument, RemoteOrchestrator

from .conftest import WebUser, World, error_of, sign_in, wait_until_final

pytestmark = pytest.mark.stack

PRIVATE, READ_ONLY, READ_ANNOTATE, READ_WRITE = "rw----", "rwr---", "rwra--", "rwrw--"
KINDS = {PRIVATE: "private", READ_ONLY: "read-only", READ_ANNOTATE: "read-annotate", READ_WRITE: "read-write"}


@dataclass
class Group:
    """A group of one kind with two members."""

    kind: str
    id: int
    owner: WebUser
    member: WebUser


@pytest.fixture(scope="module")
def groups(world: World) -> dict[str, Group]:
    return {
        kind: Group(kind, world.group(kind), world.person(world.group(kind)), world.person(world.group(kind))) for kind in KINDS
    }


@pytest.fixture(scope="module")
def lab_group(groups: dict[str, Group]) -> Group:
    return groups[READ_ANNOTATE]


@pytest.fixture(scope="module")
def administrator(stack: Stack) -> WebUser:
    return sign_in(stack.web_url, "root", stack.root_password, 0)


@pytest.fixture(scope="module")
def document(lab_group: Group) -> dict[str, Any]:
    owner = lab_group.owner
    return owner.get(owner.api("pipelines/nuclei-count/")).json()["versions"][0]


@pytest.fixture
def save(document: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """Save a pipeline as somebody: ``save(person, name="x", **changes of the document)``; the answer is its line."""

    def save(person: WebUser, **changes: Any) -> dict[str, Any]:
        content = {**document, "id": f"p-{secrets.token_hex(4)}", **changes}
        response = person.post(person.api("pipelines/"), {"document": content})
        assert response.status_code == 201, response.text
        return line_of(person, response.json()["id"])

    return save


def line_of(person: WebUser, pipeline_id: str) -> dict[str, Any]:
    response = person.get(person.api(f"pipelines/{pipeline_id}/"))
    assert response.status_code == 200, response.text
    return response.json()["summary"]


def found(person: WebUser, **query: Any) -> list[str]:
    response = person.client.get(person.base + person.api("pipelines/"), params={"limit": 200, **query})
    assert response.status_code == 200, response.text
    return [line["id"] for line in response.json()["pipelines"]]


def change(person: WebUser, what: str, line: dict[str, Any], **wanted: Any) -> httpx.Response:
    """``rename``, ``share``, ``deprecate``, ``copy`` or ``delete`` with the line's revision."""
    path = person.api(f"pipelines/{line['id']}/")
    if what == "delete":
        return person.delete(f"{path}?revision={wanted.get('revision', line['revision'])}")
    body = wanted if what == "copy" else {"revision": line["revision"], **wanted}
    return person.post(f"{path}{what}/", body)


CHANGES: dict[str, dict[str, Any]] = {
    "rename": {"name": "Taken over"},
    "deprecate": {"note": "taken over"},
    "share": {"group_id": 0},
    "delete": {},
}


@pytest.mark.parametrize("kind", KINDS, ids=KINDS.values())
def test_what_a_fellow_member_may_do(groups: dict[str, Group], save: Callable[..., dict[str, Any]], kind: str) -> None:
    """In a private group nothing; elsewhere read and copy, and change nothing, also where OMERO itself would allow it."""
    group = groups[kind]
    line = save(group.owner, name="Shown to the group")
    assert (line["group_id"], line["private"]) == (group.id, kind == PRIVATE)
    visible = kind != PRIVATE
    assert (line["id"] in found(group.member)) is visible
    assert group.member.get(group.member.api(f"pipelines/{line['id']}/")).status_code == (200 if visible else 404)
    assert group.member.get(group.member.api(f"pipelines/{line['id']}/export/")).status_code == (200 if visible else 404)
    for what, wanted in CHANGES.items():
        response = change(group.member, what, line, **wanted)
        expected = (403, "not_yours_to_change") if visible else (404, "unknown_pipeline")
        assert (response.status_code, error_of(response)["code"]) == expected, what
    copied = change(group.member, "copy", line)
    assert copied.status_code == (201 if visible else 404), copied.text
    if visible:
        own = line_of(group.member, copied.json()["id"])
        assert own["name"] == "Shown to the group (copy)"
        assert own["copied_from"]["id"] == line["id"]
        assert own["owner_id"] == group.member.user_id
        assert change(group.member, "rename", own, name="Mine now").status_code == 200
    assert line_of(group.owner, line["id"]) == line, "nothing of it has changed"


@pytest.mark.parametrize("kind", KINDS, ids=KINDS.values())
def test_what_the_owner_may_do(groups: dict[str, Group], save: Callable[..., dict[str, Any]], kind: str) -> None:
    owner = groups[kind].owner
    line = save(owner, name="Before")
    renamed = change(owner, "rename", line, name="After", tags=["screen 7", "screen 7", "good"])
    assert renamed.status_code == 200, renamed.text
    assert (renamed.json()["name"], renamed.json()["tags"], renamed.json()["versions"]) == ("After", ["screen 7", "good"], [1])
    hidden = change(owner, "deprecate", renamed.json(), note="use the other")
    assert (hidden.json()["deprecated"], hidden.json()["note"]) == (True, "use the other")
    assert line["id"] not in found(owner)
    assert line["id"] in found(owner, deprecated="true")
    shown = change(owner, "deprecate", hidden.json(), deprecated=False)
    assert (shown.json()["deprecated"], shown.json()["note"]) == (False, "")
    assert line["id"] in found(owner)
    deleted = change(owner, "delete", shown.json())
    assert deleted.status_code == 200, deleted.text
    assert owner.get(owner.api(f"pipelines/{line['id']}/")).status_code == 404
    assert line["id"] not in found(owner, deprecated="true")


@pytest.mark.parametrize("kind", KINDS, ids=KINDS.values())
def test_what_an_administrator_may_do(
    groups: dict[str, Group], administrator: WebUser, save: Callable[..., dict[str, Any]], kind: str
) -> None:
    line = save(groups[kind].owner)
    assert line["id"] in found(administrator, group=groups[kind].id)
    renamed = change(administrator, "rename", line, name="Corrected")
    assert renamed.json()["owner_id"] == groups[kind].owner.user_id, renamed.text
    hidden = change(administrator, "deprecate", renamed.json(), note="harmful")
    assert hidden.json()["deprecated"] is True
    refused = change(administrator, "share", hidden.json(), group_id=0)
    assert (refused.status_code, error_of(refused)["code"]) == (403, "not_yours_to_change")
    assert change(administrator, "delete", hidden.json()).status_code == 200
    assert groups[kind].owner.get(groups[kind].owner.api(f"pipelines/{line['id']}/")).status_code == 404


def test_sharing_moves_every_version_and_the_new_group_decides(
    world: World, groups: dict[str, Group], save: Callable[..., dict[str, Any]], document: dict[str, Any]
) -> None:
    private, lab = groups[PRIVATE], groups[READ_ANNOTATE]
    person = world.person(private.id, lab.id)
    line = save(person, name="First")
    second = person.post(
        person.api("pipelines/"), {"document": {**document, "id": line["id"], "name": "Second"}, "based_on": 1}
    )
    assert second.json()["version"] == 2
    assert line["id"] not in found(lab.member)
    line = line_of(person, line["id"])
    elsewhere = change(person, "share", line, group_id=groups[READ_ONLY].id)
    assert (elsewhere.status_code, error_of(elsewhere)["code"]) == (403, "not_a_group_member")
    shared = change(person, "share", line, group_id=lab.id)
    assert shared.status_code == 200, shared.text
    assert (shared.json()["group_id"], shared.json()["private"], shared.json()["versions"]) == (lab.id, False, [2, 1])
    versions = lab.member.get(lab.member.api(f"pipelines/{line['id']}/")).json()["versions"]
    assert [(entry["version"], entry["name"]) for entry in versions] == [(2, "Second"), (1, "First")]
    again = change(person, "share", shared.json(), group_id=lab.id)
    assert (again.status_code, error_of(again)["code"]) == (422, "already_there")
    # The next version goes where the pipeline is, although the person's own group is the private one.
    third = person.post(person.api("pipelines/"), {"document": {**document, "id": line["id"], "name": "Third"}, "based_on": 2})
    assert third.json()["version"] == 3
    assert line_of(lab.member, line["id"])["version"] == 3
    split = person.post(
        person.api("pipelines/"),
        {"document": {**document, "id": line["id"], "name": "Fourth"}, "based_on": 3, "group_id": private.id},
    )
    assert (split.status_code, error_of(split)["code"]) == (422, "pipeline_elsewhere")
    back = change(person, "share", line_of(person, line["id"]), group_id=private.id)
    assert back.json()["private"] is True
    assert line["id"] not in found(lab.member)


def test_an_outdated_view_changes_nothing(lab_group: Group, save: Callable[..., dict[str, Any]]) -> None:
    """Every kind of change is refused after any other, and tells what to do."""
    owner = lab_group.owner
    seen = save(owner, name="As seen")
    now = change(owner, "rename", seen, name="Renamed in another window").json()
    for what, wanted in CHANGES.items():
        if what == "share":
            wanted = {"group_id": lab_group.id}
        response = change(owner, what, seen, **wanted)
        if what != "share":
            assert (response.status_code, error_of(response)["code"]) == (409, "pipeline_changed"), what
            assert "Load the page again" in error_of(response)["message"]
    assert line_of(owner, seen["id"]) == now


def test_a_new_version_is_a_change_too(lab_group: Group, save: Callable[..., dict[str, Any]], document: dict[str, Any]) -> None:
    owner = lab_group.owner
    seen = save(owner, name="One")
    content = {**document, "id": seen["id"], "name": "Two"}
    assert owner.post(owner.api("pipelines/"), {"document": content, "based_on": 1}).status_code == 201
    response = change(owner, "delete", seen)
    assert (response.status_code, error_of(response)["code"]) == (409, "pipeline_changed")


def test_of_two_changes_at_the_same_moment_one_is_refused(
    lab_group: Group, save: Callable[..., dict[str, Any]], stack: Stack
) -> None:
    line = save(lab_group.owner)
    windows = [
        sign_in(stack.web_url, lab_group.owner.name, lab_group.owner.password, lab_group.owner.user_id) for _ in range(4)
    ]
    with ThreadPoolExecutor(len(windows)) as pool:
        answers = list(
            pool.map(lambda numbered: change(numbered[1], "rename", line, name=f"Name {numbered[0]}"), enumerate(windows))
        )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    winner = next(answer.json() for answer in answers if answer.status_code == 200)
    assert line_of(lab_group.owner, line["id"]) == winner


def test_an_edit_of_a_pipeline_deleted_meanwhile_is_told_and_can_be_rescued(
    lab_group: Group, save: Callable[..., dict[str, Any]], document: dict[str, Any]
) -> None:
    owner = lab_group.owner
    line = save(owner, name="Mine")
    assert change(owner, "delete", line).status_code == 200
    edit = {**document, "id": line["id"], "version": 1, "name": "My edit"}
    refused = owner.post(owner.api("pipelines/"), {"document": edit, "based_on": 1})
    assert (refused.status_code, error_of(refused)["code"]) == (409, "pipeline_changed")
    assert "save them as a copy" in error_of(refused)["message"]
    for what, wanted in CHANGES.items():
        response = change(owner, what, line, **wanted)
        assert (response.status_code, error_of(response)["code"]) == (404, "unknown_pipeline"), what
    rescued = owner.post(owner.api("pipelines/"), {"document": edit, "as_copy": True})
    assert rescued.status_code == 201, rescued.text
    assert rescued.json()["name"] == "My edit"
    assert rescued.json()["steps"] == document["steps"]


def test_a_name_given_by_renaming_holds_until_a_version_brings_another(
    lab_group: Group, save: Callable[..., dict[str, Any]], document: dict[str, Any]
) -> None:
    owner = lab_group.owner
    line = save(owner, name="In the document")
    change(owner, "rename", line, name="Shown")

    def publish(based_on: int, **changes: Any) -> dict[str, Any]:
        content = {**document, "id": line["id"], **changes}
        assert owner.post(owner.api("pipelines/"), {"document": content, "based_on": based_on}).status_code == 201
        return line_of(owner, line["id"])

    assert publish(1, name="In the document", description="better")["name"] == "Shown"
    versions = owner.get(owner.api(f"pipelines/{line['id']}/")).json()["versions"]
    assert {entry["name"] for entry in versions} == {"In the document"}, "renaming changes no document"
    assert publish(2, name="A new name")["name"] == "A new name"


def test_what_comes_with_the_service_can_be_copied_not_changed(lab_group: Group, administrator: WebUser) -> None:
    line = line_of(administrator, "nuclei-count")
    for what, wanted in CHANGES.items():
        response = change(administrator, what, line, **wanted)
        assert (response.status_code, error_of(response)["code"]) == (403, "not_yours_to_change"), what
    first, second = (change(lab_group.member, "copy", line, name="Mine") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201), first.text
    assert first.json()["id"] != second.json()["id"]
    copied = line_of(lab_group.member, second.json()["id"])
    assert (copied["name"], copied["copied_from"]["id"], copied["copied_from"]["version"]) == ("Mine", "nuclei-count", 1)
    missing = change(lab_group.member, "copy", line, version=99)
    assert (missing.status_code, error_of(missing)["code"]) == (404, "unknown_pipeline_version")


def test_a_deprecated_pipeline_runs_by_exact_version_only(
    ada: WebUser, plate: int, save: Callable[..., dict[str, Any]]
) -> None:
    line = save(ada, name="Old way")
    change(ada, "deprecate", line, note="Use “New way”.")
    wanted = {"plate_id": plate, "pipeline_id": line["id"], "test_well": "A01"}
    refused = ada.post(ada.api("executions/"), wanted)
    assert (refused.status_code, error_of(refused)["code"]) == (409, "pipeline_deprecated")
    assert "Use “New way”." in error_of(refused)["message"]
    response = ada.post(ada.api("executions/"), {**wanted, "version": 1})
    assert response.status_code == 201, response.text
    execution_id = response.json()["execution_id"]
    assert wait_until_final(ada, execution_id).wells_completed == 1
    detail = ada.get(ada.api(f"executions/{execution_id}/")).json()
    hashed = ada.get(ada.api(f"pipelines/{line['id']}/")).json()["versions"][0]
    assert (detail["pipeline_id"], detail["pipeline_version"]) == (line["id"], hashed["version"])
    # The record of a run outlives the pipeline.
    assert change(ada, "delete", line_of(ada, line["id"])).status_code == 200
    kept = ada.get(ada.api(f"executions/{execution_id}/")).json()
    assert (kept["pipeline_version"], kept["pipeline_hash"]) == (1, detail["pipeline_hash"])
    assert kept["document"] == detail["document"]


def test_every_word_is_looked_for_where_people_expect_it(lab_group: Group, save: Callable[..., dict[str, Any]]) -> None:
    owner = lab_group.owner
    mark = f"Größe{secrets.token_hex(3)}"
    steps = [{"name": "Zellkerne finden", "function": "omero_openhcs:segment_nuclei", "parameters": {"channel": 1}}]
    line = save(
        owner,
        name=f'{mark} 100%_"quoted" <b>',
        description="Counts the wobbling ones.",
        steps=steps,
        parameters=[],
        measurements=[],
        primary_measurement=None,
    )
    renamed = change(owner, "rename", line, name=line["name"], tags=["kinase panel"])
    assert renamed.status_code == 200, renamed.text
    person = owner.name.title()
    for query in (
        mark.upper(),
        "wobbling",
        "zellkerne",
        "segment nuclei",
        "KINASE",
        "100%_",
        '"quoted"',
        person,
        f"{person} kinase",
    ):
        assert line["id"] in found(owner, q=f"{mark} {query}"), query
    for query in ("deprecated", "hash", "revision", "100%x", "true", f"{mark}%x", "{", "copied_from"):
        assert line["id"] not in found(owner, q=f"{mark} {query}"), query
    assert "nuclei-count" in found(owner, q="find nuclei", origin="built-in")
    assert "nuclei-count" not in found(owner, q="illumination", origin="built-in")


def test_filters_and_pages(lab_group: Group, save: Callable[..., dict[str, Any]]) -> None:
    owner, member = lab_group.owner, lab_group.member
    mark = secrets.token_hex(4)
    names = [f"{letter} {mark}" for letter in "bdac"]
    lines = {name: save(owner, name=name)["id"] for name in names}
    theirs = save(member, name=f"E {mark}")["id"]
    by_name = [lines[name] for name in sorted(names)]
    assert found(owner, q=mark) == [*by_name, theirs]
    assert found(owner, q=mark, owner="me") == by_name
    assert found(owner, q=mark, owner=member.user_id) == [theirs]
    assert found(owner, q=mark, group=lab_group.id) == [*by_name, theirs]
    assert found(owner, q=mark, group=0) == []
    assert found(owner, q=mark, origin="facility") == []
    pages = [found(owner, q=mark, limit=2, page=page) for page in (1, 2, 3)]
    assert pages == [by_name[:2], by_name[2:], [theirs]]
    page = owner.get(owner.api(f"pipelines/?q={mark}&limit=2&page=2")).json()
    assert (page["total"], page["page"], page["pages"]) == (5, 2, 3)
    # Across the border between the service's pipelines and people's.
    everything = found(owner)
    in_pages: list[str] = []
    for number in range(1, owner.get(owner.api("pipelines/?limit=3")).json()["pages"] + 1):
        in_pages += found(owner, limit=3, page=number)
    assert in_pages == everything


@pytest.mark.parametrize(
    ("query", "field"),
    [("origin=nowhere", "origin"), ("page=0", "page"), ("limit=1000", "limit"), ("sql=1", "sql"), ("owner=x", "owner")],
)
def test_a_wrong_search_is_refused(ada: WebUser, query: str, field: str) -> None:
    response = ada.get(ada.api(f"pipelines/?{query}"))
    assert response.status_code == 422
    assert any(path.startswith(field) for path in error_of(response)["field_errors"])


def test_export_and_import_lose_nothing(lab_group: Group, save: Callable[..., dict[str, Any]]) -> None:
    owner, member = lab_group.owner, lab_group.member
    line = save(owner, name="To take away")
    exported = owner.get(owner.api(f"pipelines/{line['id']}/export/?version=1"))
    assert exported.headers["content-disposition"] == f'attachment; filename="{line["id"]}.v1.json"'
    content = json.loads(exported.content)
    assert content == owner.get(owner.api(f"pipelines/{line['id']}/")).json()["versions"][0]
    imported = member.post(member.api("pipelines/"), {"document": content, "as_copy": True})
    assert imported.status_code == 201, imported.text
    own = imported.json()
    assert own["id"].startswith(f"u{member.user_id}-")
    assert {**own, "id": content["id"], "version": content["version"]} == content
    assert line_of(member, own["id"])["copied_from"] == {
        "id": content["id"],
        "version": 1,
        "hash": line_hash(owner, line["id"]),
    }
    bad = member.post(member.api("pipelines/"), {"document": {**content, "steps": [{"name": "x"}]}, "as_copy": True})
    assert bad.status_code == 422
    assert any(path.startswith("document.steps.0") for path in error_of(bad)["field_errors"])


def line_hash(person: WebUser, pipeline_id: str) -> str:
    versions = person.get(person.api(f"pipelines/{pipeline_id}/")).json()["versions"]
    return PipelineDocument.model_validate(versions[0]).content_hash()


def links_of(world: World, person: WebUser, pipeline_id: str, kind: str) -> list[int]:
    """What of this kind the versions of a pipeline are attached to, in the order of the versions."""
    connection = world.omero(person)
    try:
        parameters = ParametersI()
        parameters.addString("ns", NAMESPACE)
        parameters.addString("name", f"{pipeline_id}.v%")
        context = connection.SERVICE_OPTS.copy()
        context.setOmeroGroup(-1)
        rows = connection.getQueryService().projection(
            f"select l.parent.id from {kind}AnnotationLink l, FileAnnotation a join a.file f "
            "where l.child.id = a.id and a.ns = :ns and f.name like :name order by a.id",
            parameters,
            context,
        )
        return [row[0].getValue() for row in rows]
    finally:
        connection.close()


@pytest.fixture
def screen(world: World, lab_group: Group) -> Iterator[int]:
    connection = world.omero(lab_group.owner)
    screen = omero.model.ScreenI()
    screen.setName(rstring("A screen"))
    yield connection.getUpdateService().saveAndReturnObject(screen, connection.SERVICE_OPTS).getId().getValue()
    connection.close()


def test_it_is_attached_to_what_was_chosen_or_to_its_owner(
    world: World, lab_group: Group, document: dict[str, Any], screen: int, groups: dict[str, Group]
) -> None:
    owner = lab_group.owner
    content = {**document, "id": f"p-{secrets.token_hex(4)}"}
    place = {"kind": "Screen", "id": screen}
    first = owner.post(owner.api("pipelines/"), {"document": content, "place": place}).json()
    owner.post(owner.api("pipelines/"), {"document": {**first, "name": "Better"}, "based_on": 1})
    assert links_of(world, owner, first["id"], "Screen") == [screen, screen]
    assert links_of(world, owner, first["id"], "Experimenter") == []
    other = owner.post(owner.api("pipelines/"), {"document": {**content, "id": f"p-{secrets.token_hex(4)}"}}).json()
    assert links_of(world, owner, other["id"], "Experimenter") == [owner.user_id]
    for wrong, code in (
        ({"place": {"kind": "Screen", "id": 999_999_999}}, "unknown_place"),
        ({"place": place, "group_id": groups[READ_ONLY].id}, "place_elsewhere"),
        ({"place": {"kind": "Session", "id": 1}}, "invalid_request"),
    ):
        refused = owner.post(owner.api("pipelines/"), {"document": content, **wrong})
        assert (refused.status_code, error_of(refused)["code"]) == (422, code)
    # Attaching needs the right to annotate: in a read-only group nobody attaches to what is somebody else's.
    read_only = groups[READ_ONLY]
    connection = world.omero(read_only.owner)
    theirs = omero.model.ScreenI()
    theirs.setName(rstring("Theirs"))
    theirs_id = connection.getUpdateService().saveAndReturnObject(theirs, connection.SERVICE_OPTS).getId().getValue()
    connection.close()
    body = {"document": content, "place": {"kind": "Screen", "id": theirs_id}}
    refused = read_only.member.post(read_only.member.api("pipelines/"), body)
    assert (refused.status_code, error_of(refused)["code"]) == (403, "not_allowed")
    assert found(read_only.member, owner="me", q=content["id"]) == []


def test_deleting_leaves_no_file_behind(world: World, lab_group: Group, save: Callable[..., dict[str, Any]]) -> None:
    owner = lab_group.owner
    line = save(owner)
    assert files_of(world, owner, line["id"]) == 1
    assert change(owner, "delete", line).status_code == 200
    assert files_of(world, owner, line["id"]) == 0


def files_of(world: World, person: WebUser, pipeline_id: str) -> int:
    connection = world.omero(person)
    try:
        parameters = ParametersI()
        parameters.addString("name", f"{pipeline_id}.v%")
        rows = connection.getQueryService().projection(
            "select count(f.id) from OriginalFile f where f.name like :name", parameters, connection.SERVICE_OPTS
        )
        return int(rows[0][0].getValue())
    finally:
        connection.close()


def test_hundreds_of_pipelines_are_found_page_by_page(world: World, groups: dict[str, Group], document: dict[str, Any]) -> None:
    """Each exactly once, in pages of two projections; searched down to one of them."""
    group = groups[READ_ONLY]
    connection = world.omero(group.owner)
    try:
        word = f"many{secrets.token_hex(3)}"
        made = make_pipelines(connection, PipelineDocument.model_validate(document), 300, word)
    finally:
        connection.close()
    member = group.member
    pages = [found(member, q=word, limit=40, page=page) for page in range(1, 9)]
    assert [len(page) for page in pages] == [40] * 7 + [20]
    assert sorted(line for page in pages for line in page) == sorted(made)
    assert found(member, q=f"{word} 00123") == [made[123]]
    page = member.get(f"/openhcs/pipelines/?q={word}&page=12")
    assert "300 pipelines, page 12 of 12" in page.text
    assert page.text.count("data-oh-pipeline=") == 25


@pytest.mark.parametrize("what", ["rename", "share", "deprecate", "copy", "delete"])
def test_changes_need_the_csrf_token(lab_group: Group, save: Callable[..., dict[str, Any]], what: str) -> None:
    owner = lab_group.owner
    line = save(owner)
    path = owner.api(f"pipelines/{line['id']}/")
    if what == "delete":
        response = owner.delete(f"{path}?revision={line['revision']}", csrf=False)
    else:
        response = owner.post(f"{path}{what}/", {"revision": line["revision"], **CHANGES.get(what, {})}, csrf=False)
    assert response.status_code == 403
    assert line_of(owner, line["id"]) == line


def test_the_python_client_does_the_same(stack: Stack, lab_group: Group) -> None:
    member = lab_group.member
    with RemoteOrchestrator.sign_in_to_web(stack.web_url, member.name, member.password, timeout=30) as client:
        copied = client.copy_pipeline("nuclei-count", name="From a notebook")
        line = client.pipeline_summary(copied.id)
        line = client.rename_pipeline(copied.id, "Renamed", revision=line.revision, tags=["t"])
        assert [entry.id for entry in client.pipelines("renamed", owner="me")] == [copied.id]
        line = client.deprecate_pipeline(copied.id, revision=line.revision, note="old")
        assert client.pipelines("renamed", owner="me") == []
        assert client.import_pipeline(copied).id != copied.id
        client.delete_pipeline(copied.id, revision=line.revision)
        assert client.pipelines("renamed", owner="me", deprecated=True) == []
