# SPDX-License-Identifier: AGPL-3.0-or-later
"""Control wells kept in OMERO: who sees whose marks, who may write where, and what the statistics make of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import omero
import pytest
from omero.rtypes import rstring

from omero_openhcs.omero_access.control_wells import NAMESPACE

from .conftest import WebUser, World, error_of, wait_until_final

pytestmark = pytest.mark.stack

CSV = "well,role,compound,concentration\nA1,pos,Agonist,1 µM\nA2,neg,DMSO,\n"


@pytest.fixture
def tiny(ada: WebUser, lab: int, make_plate: Callable[..., int]) -> int:
    """A plate of Ada's with two wells, of which nothing is known."""
    return make_plate(ada, lab, name="Controls")


def path(plate: int) -> str:
    return f"/openhcs/api/v1/plates/{plate}/controls/"


def known(person: WebUser, plate: int) -> dict[str, Any]:
    response = person.get(path(plate))
    assert response.status_code == 200, response.text
    return response.json()


def roles(answer: dict[str, Any]) -> dict[str, str]:
    return {entry["well"]: entry["role"] for entry in answer["wells"]}


def annotations(world: World, person: WebUser, plate: int, group: int) -> list[dict[str, str]]:
    connection = world.omero(person, group)
    try:
        return [dict(each.getValue()) for each in connection.getObject("Plate", plate).listAnnotations(ns=NAMESPACE)]
    finally:
        connection.close()


def test_marks_are_seen_by_colleagues_until_they_have_their_own(
    world: World, ada: WebUser, colleague: WebUser, lab: int, tiny: int
) -> None:
    assert (known(ada, tiny)["source"], known(ada, tiny)["wells"]) == ("none", [])
    saved = ada.post(path(tiny), {"csv": CSV})
    assert saved.status_code == 200, saved.text
    assert (saved.json()["source"], saved.json()["shared"]) == ("own", True)
    assert saved.json()["wells"][0] == {"well": "A01", "role": "positive", "compound": "Agonist", "concentration": "1 µM"}
    # Readable in OMERO.web as plain key-value pairs, and there once, however often it is saved.
    ada.post(path(tiny), {"csv": CSV})
    (pairs,) = annotations(world, ada, tiny, lab)
    assert (pairs["positive control"], pairs["negative control"], pairs["compound A02"]) == ("A01", "A02", "DMSO")

    seen = known(colleague, tiny)
    assert (seen["source"], roles(seen)) == ("plate_owner", {"A01": "positive", "A02": "negative"})
    colleague.post(path(tiny), {"wells": [{"well": "A2", "role": "positive"}]})
    assert (known(colleague, tiny)["source"], roles(known(colleague, tiny))) == ("own", {"A02": "positive"})
    assert roles(known(ada, tiny)) == {"A01": "positive", "A02": "negative"}

    ada.post(path(tiny), {"wells": []})
    assert (known(ada, tiny)["source"], roles(known(ada, tiny))) == ("colleague", {"A02": "positive"})


def test_who_may_not_annotate_the_plate_keeps_marks_alone(world: World, make_plate: Callable[..., int]) -> None:
    group = world.group("rwr---")
    owner, reader = world.person(group), world.person(group)
    plate = make_plate(owner, group)
    assert known(reader, plate)["may_share"] is False
    saved = reader.post(path(plate), {"csv": CSV}).json()
    assert (saved["source"], saved["shared"]) == ("own", False)
    assert annotations(world, reader, plate, group) == []
    assert known(owner, plate)["source"] == "none"
    reader.post(path(plate), {"wells": []})
    assert known(reader, plate)["source"] == "none"


def test_refusals(ada: WebUser, stranger: WebUser, tiny: int) -> None:
    for response, status, code in (
        (stranger.get(path(tiny)), 404, "plate_not_found"),
        (stranger.post(path(tiny), {"csv": CSV}), 404, "plate_not_found"),
        (ada.post(path(tiny), {}), 422, "invalid_controls"),
        (ada.post(path(tiny), {"csv": CSV, "wells": []}), 422, "invalid_controls"),
        (ada.post(path(tiny), {"csv": "well,role\nA1,king\n"}), 422, "invalid_controls"),
        (ada.post(path(tiny), {"wells": [{"well": "1A", "role": "empty"}]}), 422, "invalid_controls"),
        (ada.post(path(tiny), {"wells": [{"well": "A1", "role": "king"}]}), 422, "invalid_request"),
    ):
        assert (response.status_code, error_of(response)["code"]) == (status, code)
    assert error_of(ada.post(path(tiny), {"csv": "well,role\nA1,king\n"}))["field_errors"].keys() == {"line 2"}
    assert ada.post(path(tiny), {"csv": CSV}, csrf=False).status_code == 403
    assert known(ada, tiny)["source"] == "none"


def annotate(world: World, person: WebUser, group: int, plate: int, make: Callable[[int], Any]) -> None:
    """Put ``make(column)`` on each well of the plate."""
    connection = world.omero(person, group)
    try:
        for well in connection.getObject("Plate", plate).listChildren():
            link = omero.model.WellAnnotationLinkI()
            link.setParent(omero.model.WellI(well.getId(), False))
            link.setChild(make(well.column))
            connection.getUpdateService().saveObject(link, connection.SERVICE_OPTS)
    finally:
        connection.close()


def test_annotations_of_wells_are_read(
    world: World, ada: WebUser, colleague: WebUser, lab: int, make_plate: Callable[..., int]
) -> None:
    plate = make_plate(ada, lab)

    def tag(column: int) -> Any:
        made = omero.model.TagAnnotationI()
        made.setTextValue(rstring("Positive control" if column == 0 else "plate seeded by robot 2"))
        return made

    def pairs(column: int) -> Any:
        made = omero.model.MapAnnotationI()
        values = [("Control Type", "negative"), ("Concentration (nM)", "3")] if column == 1 else [("Compound", "X")]
        made.setMapValue([omero.model.NamedValue(key, value) for key, value in values])
        return made

    annotate(world, ada, lab, plate, tag)
    annotate(world, ada, lab, plate, pairs)
    seen = known(colleague, plate)
    assert (seen["source"], roles(seen)) == ("annotations", {"A01": "positive", "A02": "negative"})
    assert (seen["wells"][0]["compound"], seen["wells"][1]["concentration"]) == ("X", "3 nM")


def test_quality_of_a_run_with_these_controls(ada: WebUser, stranger: WebUser, tiny: int) -> None:
    ada.post(path(tiny), {"csv": CSV})
    body = {"plate_id": tiny, "pipeline_id": "nuclei-count", "test_well": "A01", "parameters": {"diameter": 11}}
    execution_id = ada.post(ada.api("executions/"), body).json()["execution_id"]
    wait_until_final(ada, execution_id)
    address = ada.api(f"executions/{execution_id}/quality/")
    report = ada.get(f"{address}?measurement=nuclei_count").json()
    assert (report["wells_used"], report["positive_wells"], report["negative_wells"]) == (1, 1, 0)
    assert (report["controls"]["source"], report["controls"]["marked_by"] != "") == ("own", True)
    (counted,) = report["measurements"]
    assert counted["controls"]["z_prime"] is None
    assert "at least two" in counted["controls"]["notes"][0]
    assert len(ada.get(address).json()["measurements"]) > 3
    assert error_of(ada.get(f"{address}?measurement=nope"))["code"] == "unknown_measurement"
    assert error_of(stranger.get(address))["code"] == "execution_not_found"
