# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tables, points, files and small pictures of an execution through OMERO.web: what they say and who may read them."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from .conftest import WebUser, World, error_of, wait_until_final

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def measured(ada: WebUser, plate: int) -> str:
    """A finished execution of Ada's on her plate of two wells with three nuclei each."""
    created = ada.post("/openhcs/api/v1/executions/", {"plate_id": plate, "pipeline_id": "nuclei-count"})
    assert created.status_code == 201, created.text
    execution_id = created.json()["execution_id"]
    assert wait_until_final(ada, execution_id).status == "completed"
    return execution_id


def address(execution_id: str, rest: str = "") -> str:
    return f"/openhcs/api/v1/executions/{execution_id}/{rest}"


def filters(*conditions: tuple) -> str:
    names = ("column", "operator", "value")
    return json.dumps([dict(zip(names, condition, strict=False)) for condition in conditions])


def test_rows_are_filtered_and_sorted_on_the_server(ada: WebUser, measured: str) -> None:
    whole = ada.get(address(measured, "table/?level=object")).json()
    assert whole["total_rows"] == whole["matching_rows"] == 6
    names = [column["name"] for column in whole["columns"]]
    numbers = [column["name"] for column in whole["columns"] if column["numeric"] and column["name"] not in ("field", "label")]
    by = names.index(numbers[0])
    chosen = filters(("well", "eq", "A02"))
    one = ada.client.get(
        ada.base + address(measured, "table/"),
        params={"level": "object", "filters": chosen, "sort": numbers[0], "descending": "true", "limit": 2},
    ).json()
    assert (one["matching_rows"], one["wells"], len(one["rows"])) == (3, {"A02": 3}, 2)
    expected = sorted((row[by] for row in whole["rows"] if row[0] == "A02"), reverse=True)[:2]
    assert [row[by] for row in one["rows"]] == expected

    spread = ada.get(address(measured, f"table/histogram/?level=object&column={numbers[0]}")).json()
    assert sum(spread["counts"]) == 6
    drawn = ada.get(address(measured, f"table/points/?level=object&x={numbers[0]}&y=label")).json()
    assert (drawn["total"], sorted(drawn["wells"]), drawn["density"]) == (6, ["A01", "A02"], None)


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ("table/?sort=volume", "sort"),
        ("table/?level=plate", "level"),
        ("table/?filters=[1]", "filters.0"),
        ("table/?filters={", "filters"),
        ('table/?filters=[{"column":"volume","operator":"gt","value":1}]', "filters.0.column"),
        ("table/?limit=100000", "limit"),
        ("table/?where=1", "where"),
        ("table/histogram/?column=volume", "column"),
        ("table/points/?x=well&y=well", "x"),
        ("table/download/?format=xlsx", "format"),
    ],
)
def test_wrong_questions_are_refused_by_field(ada: WebUser, measured: str, question: str, field: str) -> None:
    response = ada.get(address(measured, question))
    assert response.status_code == 422
    assert field in error_of(response)["field_errors"]


def test_tables_are_downloaded_as_files(ada: WebUser, measured: str) -> None:
    csv = ada.get(address(measured, "table/download/?level=object"))
    assert csv.headers["content-type"] == "text/csv; charset=utf-8"
    assert csv.headers["content-disposition"] == f'attachment; filename="Tiny_plate-{measured}-object.csv"'
    parquet = ada.get(address(measured, "table/download/?level=object&format=parquet"))
    read = pq.read_table(io.BytesIO(parquet.content)).to_pandas()
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(csv.content)), read, check_dtype=False)
    assert len(read) == 6


def picture(sheet: dict) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(sheet["image"].split(",", 1)[1]))).convert("RGB")).astype(int)


def test_all_wells_of_a_plate_are_one_picture(ada: WebUser, plate: int, measured: str) -> None:
    path = f"/openhcs/api/v1/plates/{plate}/thumbnails/?size=32"
    answer = ada.get(path)
    assert answer.status_code == 200, answer.text
    sheet = answer.json()
    assert (sheet["wells"], sheet["unreadable"], sheet["tile"]) == (["A01", "A02"], [], 32)
    pixels = picture(sheet)
    assert pixels.shape == (32, 64, 3)
    # A bright square of the image at (14, 15) of 64, and its dark corner, in each thumbnail.
    for left in (0, 32):
        assert pixels[7, left + 7].max() > pixels[30, left + 1].max() + 80
    again = ada.get(path, **{"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert ada.get(f"{path}&field=2").json()["wells"] == []

    labels = ada.get(address(measured, "label-thumbnails/?size=32")).json()
    assert (labels["wells"], labels["without"]) == (["A01", "A02"], [])
    coloured = picture(labels)
    assert coloured[7, 7].max() > 200
    assert coloured[30, 1].max() == 0
    assert ada.get(address(measured, "label-thumbnails/?wells=A02")).json()["wells"] == ["A02"]


def test_who_may_not_read_the_plate_gets_nothing_of_it(
    ada: WebUser, colleague: WebUser, stranger: WebUser, plate: int, measured: str
) -> None:
    questions = [
        address(measured, "table/"),
        address(measured, "table/histogram/?column=well"),
        address(measured, "table/points/?x=a&y=b"),
        address(measured, "table/download/"),
        address(measured, "label-thumbnails/"),
        f"/openhcs/api/v1/plates/{plate}/thumbnails/",
    ]
    etag = ada.get(questions[-1]).headers["etag"]
    for question in questions:
        assert stranger.get(question, **{"If-None-Match": etag}).status_code == 404, question
    for question in (questions[0], *questions[3:]):
        assert colleague.get(question).status_code == 200, question


def test_a_private_plate_is_seen_by_its_owner_only(world: World, make_plate: Callable[..., int]) -> None:
    group = world.group("rw----")
    owner, member = world.person(group), world.person(group)
    private = make_plate(owner, group)
    path = f"/openhcs/api/v1/plates/{private}/thumbnails/"
    assert owner.get(path).json()["wells"] == ["A01", "A02"]
    assert member.get(path).status_code == 404


def run(person: WebUser, plate: int, **more) -> str:
    created = person.post("/openhcs/api/v1/executions/", {"plate_id": plate, "pipeline_id": "nuclei-count", **more})
    assert created.status_code == 201, created.text
    assert wait_until_final(person, created.json()["execution_id"]).status == "completed"
    return created.json()["execution_id"]


def test_two_runs_of_a_plate_are_compared(ada: WebUser, stranger: WebUser, plate: int, measured: str) -> None:
    other = run(ada, plate, wells=["A01"])
    choice = ada.get(f"/openhcs/compare/?a={measured}")
    assert (choice.status_code, f"a={measured}&amp;b={other}" in choice.text) == (200, True)
    shown = ada.get(f"/openhcs/compare/?a={measured}&b={other}")
    assert (shown.status_code, "Comparing two runs" in shown.text) == (200, True)
    values = ada.get(address(measured, "table/wells/?column=nuclei_count")).json()
    assert (values["statistic"], values["values"]) == ("value", {"A01": 3.0, "A02": 3.0})
    for question in (f"a={measured}&b={other}", f"a={measured}"):
        assert stranger.get(f"/openhcs/compare/?{question}").status_code == 404
    assert stranger.get(address(measured, "table/wells/?column=nuclei_count")).status_code == 404


def test_what_cannot_be_compared_is_refused_in_plain_words(
    ada: WebUser, lab: int, make_plate: Callable[..., int], measured: str
) -> None:
    elsewhere = run(ada, make_plate(ada, lab, wells=1, name="Another plate"))
    for question, words in (
        (f"a={measured}&b={elsewhere}", "different plates (Tiny plate and Another plate)"),
        (f"a={measured}&b={measured}", "one and the same run"),
        (f"a={measured}&b=../x", "Choose two runs of one plate"),
        ("", "Choose two runs of one plate"),
    ):
        refused = ada.get(f"/openhcs/compare/?{question}")
        assert (refused.status_code, words in refused.text) == (422, True), question
    assert ada.get(f"/openhcs/compare/?a={measured}&b=no-such-run").status_code == 404
