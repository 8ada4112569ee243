# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bodies and query parameters that are not what they should be."""

from __future__ import annotations

from typing import Any

import pytest

from omero_openhcs.api.requests import idempotency_key, read_body, read_query
from openhcs_client import OpenHCSError, SubmitExecution


def post(body: bytes, **headers: str) -> Any:
    from django.test import RequestFactory

    return RequestFactory().post("/openhcs/api/v1/executions/", body, content_type="application/json", headers=headers)


def get(query: str) -> Any:
    from django.test import RequestFactory

    return RequestFactory().get(f"/openhcs/api/v1/executions/?{query}")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"plate=1",
        b"{",
        b'{"plate_id": NaN}',
        b'{"plate_id": Infinity}',
        b"\xff\xfe",
        b"[1]",
        b"null",
        b"[" * 100_000,
        b'{"a": 1, "a": 2}',
        b'{"a": 1e999}',
    ],
    ids=["empty", "form", "cut off", "NaN", "Infinity", "not UTF-8", "array", "null", "deeply nested", "twice", "too large"],
)
def test_what_is_not_a_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(OpenHCSError) as caught:
        read_body(post(body), SubmitExecution)
    assert (caught.value.code, caught.value.status) == ("bad_json", 400)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{}", "plate_id"),
        (b'{"plate_id": 0, "pipeline_id": "p"}', "plate_id"),
        (b'{"plate_id": "x", "pipeline_id": "p"}', "plate_id"),
        (b'{"plate_id": 1, "pipeline_id": ""}', "pipeline_id"),
        (b'{"plate_id": 1, "pipeline_id": "p", "version": 0}', "version"),
        (b'{"plate_id": 1, "pipeline_id": "p", "wells": "A01"}', "wells"),
        (b'{"plate_id": 1, "pipeline_id": "p", "command": "rm"}', "command"),
        (b'{"plate_id": 1, "pipeline_id": "p", "omero_session": "k"}', "omero_session"),
    ],
)
def test_problems_are_told_by_field(body: bytes, field: str) -> None:
    with pytest.raises(OpenHCSError) as caught:
        read_body(post(body), SubmitExecution)
    assert (caught.value.code, caught.value.status) == ("invalid_request", 422)
    assert field in caught.value.field_errors


def test_a_good_body_is_read() -> None:
    wanted = read_body(post(b'{"plate_id": 3, "pipeline_id": "nuclei-count", "wells": ["A01"]}'), SubmitExecution)
    assert (wanted.plate_id, wanted.wells) == (3, ["A01"])


def test_unknown_and_wrong_query_parameters_are_refused_and_empty_ones_ignored() -> None:
    from omero_openhcs.api.executions import _ListQuery

    assert read_query(get("plate=&status="), _ListQuery).plate is None
    for query, field in (
        ("plate=x", "plate"),
        ("status=exploded", "status"),
        ("limit=100000", "limit"),
        ("colour=red", "colour"),
    ):
        with pytest.raises(OpenHCSError) as caught:
            read_query(get(query), _ListQuery)
        assert field in caught.value.field_errors


@pytest.mark.parametrize("key", ["", "a b", "x" * 101, "naïve", "a\tb"])
def test_an_idempotency_key_is_a_short_plain_word(key: str) -> None:
    with pytest.raises(OpenHCSError) as caught:
        idempotency_key(post(b"{}", **{"Idempotency-Key": key}))
    assert "Idempotency-Key" in caught.value.field_errors


def test_a_good_idempotency_key_is_passed_on() -> None:
    assert idempotency_key(post(b"{}", **{"Idempotency-Key": "9f-2_a.b:c"})) == "9f-2_a.b:c"
    assert idempotency_key(post(b"{}")) is None
