# SPDX-License-Identifier: AGPL-3.0-or-later
"""Results are deleted through the service: listed first, exactly those, by those who may, and the execution says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import omero
import pytest
from fastapi.testclient import TestClient
from omero.gateway import BlitzGateway
from omero.rtypes import rstring

from omero_sandbox.testing import RunningSandbox
from openhcs_client import GroupClaim, SavingOptions
from openhcs_execution.api import create_app
from openhcs_execution.omero_io import read_layout
from openhcs_execution.queue import executions
from openhcs_execution.service import Service
from openhcs_execution.settings import Settings
from openhcs_execution.tokens import issue_token
from tests.execution.dispatch.computed_plate import ComputedPlate
from tests.execution.omero_io.world import Lab, count_objects, key_of, small_plate
from tests.execution.service_world import wait_for

pytestmark = pytest.mark.stack


class _OnService(ComputedPlate):
    """A computed plate in the database of a service."""

    def __init__(self, service: Service, folder: Path, conn: BlitzGateway, plate_id: int) -> None:
        self.folder, self.conn = folder, conn
        self.layout = read_layout(conn, plate_id)
        self.database, self.store = service.database, service.results


@dataclass
class World:
    service: Service
    lab: Lab
    owner: BlitzGateway
    folder: Path
    http: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.http = TestClient(create_app(self.service))
        self.plate_id = small_plate(self.owner)

    def execution(self, **saving) -> tuple[int, str]:
        """A finished execution with its results in OMERO."""
        with self.lab.joined(self.owner) as conn:
            plate = _OnService(self.service, self.folder, conn, self.plate_id)
            number = plate.run(**saving)
            plate.save(number)
            executions.finish(self.service.database, number)
            return number, plate.saved(number).execution.execution_id

    def ask(self, conn: BlitzGateway, execution_id: str, what: str, *, admin: bool = False, **body):
        token = issue_token(
            self.service.secret,
            user_id=conn.getUserId(),
            name="Somebody",
            admin=admin,
            groups=[GroupClaim(id=self.lab.group_id, reads_all=self.lab.permissions != "rw----")],
        )
        return self.http.post(
            f"/api/v1/executions/{execution_id}/{what}/",
            json={"omero_session": key_of(conn), **body},
            headers={"Authorization": f"Bearer {token}"},
        )

    def delete(self, conn: BlitzGateway, execution_id: str, *, admin: bool = False) -> dict:
        plan = self.ask(conn, execution_id, "results/deletion-plan", admin=admin).json()
        answer = self.ask(conn, execution_id, "results/delete", admin=admin, digest=plan["digest"])
        assert answer.status_code == 202, answer.text
        assert answer.json()["deletion"]["state"] == "deleting" or answer.json()["deletion"]["ended_at"]
        wait_for(lambda: self.deletion(execution_id)["state"] != "deleting", 60, "the end of the deletion")
        return self.deletion(execution_id)

    def deletion(self, execution_id: str) -> dict:
        return self.detail(execution_id)["deletion"]

    def detail(self, execution_id: str) -> dict:
        token = issue_token(self.service.secret, user_id=self.owner.getUserId(), name="x", admin=True, groups=[])
        return self.http.get(f"/api/v1/executions/{execution_id}/", headers={"Authorization": f"Bearer {token}"}).json()

    def count(self) -> dict[str, int]:
        return count_objects(self.lab.sandbox, self.lab.group_id)


@pytest.fixture(scope="module")
def service(omero_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("service")
    service = Service(Settings(data_dir=data, omero_host=omero_sandbox.host, omero_port=omero_sandbox.port))
    service._deleter.start()  # nothing else of it runs
    yield service
    service._deleter.stop()
    service.close()


@pytest.fixture
def make_world(service: Service, omero_sandbox: RunningSandbox, tmp_path: Path) -> Iterator:
    labs: list[Lab] = []

    def make(permissions: str = "rwra--") -> World:
        labs.append(Lab(omero_sandbox, permissions))
        return World(service, labs[-1], labs[-1].person(), tmp_path)

    yield make
    for lab in labs:
        lab.close()


def tag_plate(conn: BlitzGateway, plate_id: int, text: str) -> None:
    link = omero.model.PlateAnnotationLinkI()
    link.setParent(omero.model.PlateI(plate_id, False))
    tag = omero.model.TagAnnotationI()
    tag.setTextValue(rstring(text))
    link.setChild(tag)
    conn.getUpdateService().saveObject(link, conn.SERVICE_OPTS)


def test_the_plan_lists_everything_and_deletes_nothing(make_world) -> None:
    world = make_world()
    _number, execution_id = world.execution(rois="masks", tags=("{pipeline} run",))
    before = world.count()
    answer = world.ask(world.owner, execution_id, "results/deletion-plan")
    plan = answer.json()
    assert answer.status_code == 200
    assert {item["kind"]: item["count"] for item in plan["items"]} == {
        "plate": 1,
        "image": 4,
        "table": 1,
        "annotation": 3 + 4,
        "roi": 8,
        "tag": 1,
    }
    assert plan["kept"] == []
    assert world.count() == before
    assert world.detail(execution_id)["deletion"] is None


def test_exactly_the_results_go_and_the_execution_says_who_and_when(make_world) -> None:
    world = make_world()
    empty = world.count()
    _kept, neighbour = world.execution(rois="masks")
    with_neighbour = world.count()
    number, execution_id = world.execution(rois="masks", tags=("mine",))
    result_plate = world.detail(execution_id)["results"]["plate_id"]
    tag_plate(world.owner, result_plate, "a tag of mine")
    plan = world.ask(world.owner, execution_id, "results/deletion-plan").json()
    assert plan["kept"] == [
        {
            "kind": "Annotation",
            "name": "1 annotation",
            "reason": "Not saved by this execution; OMERO keeps them without the results.",
        }
    ]
    deletion = world.delete(world.owner, execution_id)
    assert (deletion["state"], deletion["by_name"], deletion["message"]) == ("deleted", "Somebody", "")
    assert deletion["done"] == deletion["total"] == plan["total"]
    assert world.count() == with_neighbour
    assert [tag.getTextValue() for tag in world.owner.getObjects("TagAnnotation")] == ["a tag of mine"]
    assert set(world.detail(execution_id)["results"].values()) <= {None, 0}
    events = [row.kind for row in _events(world.service, number)]
    assert events[-1] == "results_deletion"
    for what in ("results/delete", "retry"):
        again = world.ask(world.owner, execution_id, what, **({"digest": "x"} if "delete" in what else {}))
        assert again.status_code == 409
    world.delete(world.owner, neighbour)
    assert world.count() == empty


def _events(service: Service, number: int):
    from tests.execution.queued import events

    return events(service.database, number)


def test_a_dataset_and_what_others_hold_on_to(make_world) -> None:
    world = make_world()
    _number, execution_id = world.execution(target="new_dataset", table=False)
    dataset_id = world.detail(execution_id)["results"]["dataset_id"]
    images = [image.getId() for image in world.owner.getObject("Dataset", dataset_id).listChildren()]
    other = omero.model.DatasetI()
    other.setName(rstring("Favourites"))
    link = omero.model.DatasetImageLinkI()
    link.setParent(other)
    link.setChild(omero.model.ImageI(images[0], False))
    world.owner.getUpdateService().saveObject(link, world.owner.SERVICE_OPTS)
    plan = world.ask(world.owner, execution_id, "results/deletion-plan").json()
    kept = {item["kind"]: item["reason"] for item in plan["kept"]}
    assert "also in dataset" in kept["Image"]
    assert kept["Dataset"] == "Somebody put other images into it."
    world.delete(world.owner, execution_id)
    assert [image.getId() for image in world.owner.getObjects("Image") if image.getId() in images] == [images[0]]


def test_a_list_that_is_out_of_date_is_not_deleted(make_world) -> None:
    world = make_world()
    _number, execution_id = world.execution()
    before = world.count()
    answer = world.ask(world.owner, execution_id, "results/delete", digest="0" * 64)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "plan_changed")
    assert world.count() == before


def test_an_execution_that_has_not_ended_keeps_its_results(make_world) -> None:
    world = make_world()
    with world.lab.joined(world.owner) as conn:
        plate = _OnService(world.service, world.folder, conn, world.plate_id)
        number = plate.run()
        plate.save(number)
        execution_id = plate.saved(number).execution.execution_id
    plan = world.ask(world.owner, execution_id, "results/deletion-plan").json()
    answer = world.ask(world.owner, execution_id, "results/delete", digest=plan["digest"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_finished")
    executions.finish(world.service.database, number)


@pytest.mark.parametrize("permissions", ["rw----", "rwr---", "rwra--", "rwrw--"])
def test_only_the_owner_or_an_administrator_in_every_kind_of_group(make_world, permissions: str) -> None:
    world = make_world(permissions)
    empty = world.count()
    _number, execution_id = world.execution()
    before = world.count()
    other = world.lab.person()
    for what in ("results/deletion-plan", "results/delete"):
        refused = world.ask(other, execution_id, what, **({"digest": "x"} if what.endswith("delete") else {}))
        assert refused.status_code == (404 if permissions == "rw----" else 403)
    assert world.count() == before
    if permissions in ("rw----", "rwrw--"):
        assert world.delete(world.owner, execution_id)["state"] == "deleted"
    else:
        with world.lab.sandbox.connection() as root:
            assert world.delete(root, execution_id, admin=True)["state"] == "deleted"
    assert world.count() == empty


def test_options_of_an_old_execution_are_the_defaults() -> None:
    assert SavingOptions.model_validate({}) == SavingOptions()
