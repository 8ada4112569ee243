# SPDX-License-Identifier: AGPL-3.0-or-later
"""The shared vocabulary: well names, pipeline documents, and errors."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from openhcs_client import (
    ErrorEnvelope,
    ExecutionStatusName,
    OpenHCSError,
    PipelineDocument,
    ServiceSubmission,
    well_name,
    well_position,
)

from .fake_service import DOCUMENT


@given(st.integers(0, 26 * 27 - 1), st.integers(0, 998))
def test_every_position_has_a_name_of_its_own(row, column):
    assert well_position(well_name(row, column)) == (row, column)


@pytest.mark.parametrize(("text", "position"), [("A1", (0, 0)), (" a01 ", (0, 0)), ("P024", (15, 23)), ("AF48", (31, 47))])
def test_names_as_people_write_them(text, position):
    assert well_position(text) == position


@pytest.mark.parametrize("text", ["", "A", "1", "A0", "A1000", "AAA1", "A-1", "A1;B2", "Á1", "../A1"])
def test_names_that_are_none(text):
    with pytest.raises(ValueError, match="not the name of a well"):
        well_position(text)


@pytest.mark.parametrize("position", [(-1, 0), (0, -1), (702, 0), (0, 999)])
def test_positions_beyond_any_plate(position):
    with pytest.raises(ValueError, match="no well"):
        well_name(*position)


def test_the_hash_of_a_document_does_not_depend_on_the_order_of_its_keys():
    backwards = dict(reversed(DOCUMENT.model_dump(mode="json").items()))
    assert PipelineDocument.model_validate(backwards).content_hash() == DOCUMENT.content_hash()
    assert DOCUMENT.model_copy(update={"version": 3}).content_hash() != DOCUMENT.content_hash()


@pytest.mark.parametrize(
    "change",
    [
        {"surprise": 1},
        {"id": "../x"},
        {"steps": []},
        {"steps": [{"name": "s", "function": "os.system"}]},
        {"steps": [{"name": "s", "function": "a:b", "parameters": {"x": float("nan")}}]},
        {"steps": [{"name": "s", "function": "a:b", "parameters": {"x": {"nested": 1}}}]},
        {"parameters": [{"name": "p", "title": "P", "step": 5, "parameter": "sigma", "type": "number", "default": 1}]},
        {"parameters": [{"name": "p", "title": "P", "step": 0, "parameter": "x", "type": "number", "default": 1}] * 2},
    ],
)
def test_documents_mean_exactly_what_they_say(change):
    with pytest.raises(ValidationError):
        PipelineDocument.model_validate(DOCUMENT.model_dump() | change)


def test_final_states_are_the_last_four():
    final = [status.value for status in ExecutionStatusName if status.is_final]
    assert final == ["completed", "completed_with_errors", "failed", "cancelled"]


def test_an_error_survives_the_way_through_its_envelope():
    error = OpenHCSError("x", "Sentence.", status=422, field_errors={"a": "b"})
    body = ErrorEnvelope.model_validate(json.loads(error.envelope("r-9").model_dump_json())).error
    assert (body.code, body.message, body.field_errors, body.request_id) == ("x", "Sentence.", {"a": "b"}, "r-9")


def test_an_error_survives_the_way_to_another_process():
    error = pickle.loads(pickle.dumps(OpenHCSError("x", "Sentence.", status=422, field_errors={"a": "b"}, request_id="r")))
    assert str(error) == "Sentence."
    assert (error.code, error.status, error.field_errors, error.request_id) == ("x", 422, {"a": "b"}, "r")


def test_a_session_key_is_masked_in_dumps_and_representations():
    submission = ServiceSubmission(plate_id=1, pipeline_id="p", omero_session="key-1")
    assert "key-1" not in repr(submission) + submission.model_dump_json()
