# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading pipeline documents: what is wrong is told by path and in words, and the published schema is the model's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from openhcs_client import (
    LARGEST_DOCUMENT,
    OpenHCSError,
    PipelineDocument,
    document_schema,
    field_errors_of,
    read_document,
    read_json,
)

from .fake_service import DOCUMENT

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schemas" / "pipeline-document-1.json"
CONTENT: dict[str, Any] = DOCUMENT.model_dump(mode="json")
STEP: dict[str, Any] = CONTENT["steps"][0]


def refused(data: Any) -> OpenHCSError:
    with pytest.raises(OpenHCSError) as caught:
        read_document(data)
    assert caught.value.message.endswith(".")
    return caught.value


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_a_document_is_read_from_text_bytes_and_parsed_json():
    text = json.dumps(CONTENT)
    assert read_document(text) == read_document(text.encode()) == read_document(CONTENT) == DOCUMENT
    assert read_document(DOCUMENT) is DOCUMENT


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"surprise": 1}, "surprise", "no such field"),
        ({"id": "../x"}, "id", "small letters"),
        ({"name": 5}, "name", "must be text"),
        ({"name": ""}, "name", "must not be empty"),
        ({"name": "a\0b"}, "name", "NUL"),
        ({"name": "a\ud800"}, "name", "half of a character"),
        ({"version": 1.5}, "version", "whole number"),
        ({"steps": []}, "steps", "At least 1"),
        ({"steps": [STEP] * 500}, "steps", "At most 100"),
        ({"steps": {"0": STEP}}, "steps", "must be a list"),
        ({"steps": [STEP, "x"]}, "steps.1", "object with fields"),
        ({"steps": [{"name": "s"}]}, "steps.0.function", "must be given"),
        ({"steps": [STEP | {"function": "os.system"}]}, "steps.0.function", "not the id of a function"),
        ({"steps": [STEP | {"more": 1}]}, "steps.0.more", "no such field"),
        ({"steps": [STEP | {"input": "previous_step"}]}, "steps.0.input", "'previous' or 'start'"),
        ({"steps": [STEP | {"enabled": "perhaps"}]}, "steps.0.enabled", "true or false"),
        ({"steps": [STEP | {"parameters": {"x": float("nan")}}]}, "steps.0.parameters.x", "NaN"),
        ({"steps": [STEP | {"parameters": {"x": [1, float("-inf")]}}]}, "steps.0.parameters.x.1", "infinite"),
        ({"steps": [STEP | {"parameters": {"x": {"nested": 1}}}]}, "steps.0.parameters.x", "flat list"),
        ({"steps": [STEP | {"parameters": {"x": [[1]]}}]}, "steps.0.parameters.x", "flat list"),
        ({"steps": [STEP | {"parameters": {"int": {"float": 1}}}]}, "steps.0.parameters.int", "flat list"),
        ({"steps": [STEP | {"parameters": {"x": 10**30}}]}, "steps.0.parameters.x", "too large"),
        ({"steps": [STEP | {"parameters": {"x": nested(100)}}]}, "steps.0.parameters.x", "nested too deeply"),
        ({"golden_wells": [{"plate_id": 1, "well": "!", "expected": []}]}, "golden_wells.0.well", "name of a well"),
        ({"schema_version": "1.0"}, "schema_version", "must be 1"),
        ({"schema_version": 0}, "schema_version", "must be 1"),
    ],
)
def test_problems_are_told_at_their_path_and_in_words(change, path, words):
    error = refused(CONTENT | change)
    assert (error.code, error.status) == ("invalid_pipeline", 422)
    assert next(iter(error.field_errors)) == path
    assert words in error.field_errors[path]
    assert path in error.message


@pytest.mark.parametrize("version", [2, 17, 10**6])
def test_a_newer_document_asks_for_an_update_and_complains_of_nothing_else(version):
    error = refused({"schema_version": version, "stages": [], "steps": "elsewhere"})
    assert (error.code, error.status) == ("newer_schema", 422)
    assert "made by a newer version of omero-openhcs" in error.message
    assert list(error.field_errors) == ["schema_version"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        ('{"a": NaN}', "NaN"),
        ('{"a": -Infinity}', "-Infinity"),
        ('{"a": 1e999}', "too large"),
        ('{"id": "a", "id": "b"}', "'id' twice"),
        ('{"steps": [{"name": "a", "name": "b"}]}', "'name' twice"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "not JSON"),
    ],
)
def test_text_that_is_not_plain_json_is_refused(text, words):
    error = refused(text)
    assert (error.code, error.status) == ("bad_json", 400)
    assert words in error.message


@pytest.mark.parametrize("text", ["[]", "1", "null", '"document"'])
def test_json_that_is_no_object_is_refused(text):
    assert refused(text).code == "invalid_pipeline"


def test_five_megabytes_are_refused_unread():
    error = refused('{"id": "' + "x" * 5_000_000)
    assert (error.code, error.status) == ("too_large", 413)
    assert LARGEST_DOCUMENT < 5_000_000


def test_the_answer_to_a_hundred_thousand_mistakes_is_short():
    error = refused(CONTENT | {f"field{number}": number for number in range(100_000)})
    assert len(error.field_errors) == 100


def test_html_is_text():
    name = "<img src=x onerror=alert(1)>"
    assert read_document(CONTENT | {"name": name}).name == name


def test_field_errors_do_not_repeat_the_input():
    class Step(BaseModel):
        sigma: float

    class Document(BaseModel):
        steps: list[Step]

    with pytest.raises(ValidationError) as caught:
        Document.model_validate({"steps": [{"sigma": "<script>"}]})
    assert field_errors_of(caught.value) == {"steps.0.sigma": "This must be a number."}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


# What it makes is slow to make on a machine with other work, which says nothing about what is tested.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(sorted(CONTENT)), json_values, max_size=6))
def test_whatever_is_in_its_fields_a_document_is_read_or_refused_with_a_path(change):
    try:
        document = read_document(CONTENT | change)
    except OpenHCSError as error:
        assert error.status == 422
        assert error.field_errors or not change
    else:
        assert read_document(document.canonical_json()) == document


@given(json_values)
def test_strict_json_reads_what_it_reads_as_python_does(value):
    try:
        text = json.dumps(value, allow_nan=False)
    except ValueError:
        with pytest.raises(OpenHCSError):
            read_json(json.dumps(value))
    else:
        assert read_json(text) == value


# ----------------------------------------------------------------- the published schema


def test_the_published_schema_is_the_models():
    published = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert published == document_schema(), f"write it again: openhcs pipelines schema -o {SCHEMA.relative_to(Path.cwd())}"


def test_the_schema_names_itself_and_explains_every_field():
    schema = document_schema()
    assert (schema["$id"], schema["title"]) == ("urn:omero-openhcs:pipeline-document:1", "OpenHCS pipeline document, version 1")
    for model in (schema, *schema["$defs"].values()):
        assert model["description"]
        assert model["additionalProperties"] is False
        silent = [name for name, field in model["properties"].items() if not field.get("description")]
        assert silent == []


@pytest.mark.parametrize(
    "content",
    [
        CONTENT,
        CONTENT | {"surprise": 1},
        CONTENT | {"id": "../x"},
        CONTENT | {"steps": []},
        CONTENT | {"schema_version": 2},
        CONTENT | {"steps": [STEP] * 101},
        CONTENT | {"steps": [STEP | {"parameters": {"x": {"nested": 1}}}]},
        CONTENT | {"steps": [STEP | {"input": "elsewhere"}]},
    ],
)
def test_the_schema_agrees_with_the_model(content):
    try:
        PipelineDocument.model_validate(content)
        valid = True
    except ValidationError:
        valid = False
    assert conforms(content, document_schema()) is valid


def conforms(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None) -> bool:
    """A reader of the part of JSON Schema that the model's schema uses."""
    root = root or schema
    if "$ref" in schema:
        return conforms(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return any(conforms(value, option, root) for option in schema["anyOf"])
    if "const" in schema and value != schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    kinds = {"string": str, "array": list, "object": dict, "boolean": bool, "null": type(None)}
    kind = schema.get("type")
    if kind in ("integer", "number"):
        number = isinstance(value, int | float) and not isinstance(value, bool) and (kind == "number" or value == int(value))
        return number and schema.get("minimum", value) <= value <= schema.get("maximum", value)
    if kind in kinds and not isinstance(value, kinds[kind]):
        return False
    if kind == "string":
        return len(value) <= schema.get("maxLength", len(value)) and re.search(schema.get("pattern", ""), value) is not None
    if kind == "array":
        size = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        return size and all(conforms(item, schema["items"], root) for item in value)
    if kind == "object":
        properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        if not set(schema.get("required", ())) <= set(value):
            return False
        for name, item in value.items():
            rule = properties.get(name, others)
            if rule is False or (isinstance(rule, dict) and not conforms(item, rule, root)):
                return False
    return True
