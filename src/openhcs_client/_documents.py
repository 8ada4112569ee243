# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading a pipeline document from wherever it comes: a request, a file, OMERO. Every way in is this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ._errors import OpenHCSError
from ._field_errors import field_errors_of, summary_of
from ._pipelines import PipelineDocument
from ._strict_json import read_json

__all__ = ["LARGEST_DOCUMENT", "document_schema", "read_document"]

LARGEST_DOCUMENT = 1_000_000
"""Bytes; a document of a hundred steps has some ten thousand."""

SCHEMA_ID = "urn:omero-openhcs:pipeline-document:1"


def read_document(data: PipelineDocument | Mapping[str, Any] | bytes | str) -> PipelineDocument:
    """A pipeline document from JSON text or from parsed JSON.

    Raises:
        OpenHCSError: ``invalid_pipeline`` (422) with ``field_errors`` by path; ``newer_schema`` (422) when it was made by a
            newer version; ``bad_json`` (400) and ``too_large`` (413) for text.
    """
    if isinstance(data, PipelineDocument):
        return data
    content = _parsed(data) if isinstance(data, bytes | str) else dict(data)
    if not isinstance(content, dict):
        raise OpenHCSError("invalid_pipeline", "A pipeline document is a JSON object with fields.", status=422)
    try:
        return PipelineDocument.model_validate(content)
    except ValidationError as error:
        raise _refusal(error, content) from error


def document_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a pipeline document, as published in ``docs/schemas``.

    It says what a single field may hold. What needs the catalogue or several fields together (does the function exist, is the
    step there that an exposed parameter points at) is the validation's.
    """
    schema = PipelineDocument.model_json_schema()
    title = {"title": "OpenHCS pipeline document, version 1", "description": schema.pop("description")}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID} | schema | title


def _parsed(text: bytes | str) -> Any:
    if len(text) > LARGEST_DOCUMENT:
        raise OpenHCSError("too_large", f"A pipeline document has at most {LARGEST_DOCUMENT} bytes.", status=413)
    return read_json(text, "The pipeline document")


def _refusal(error: ValidationError, content: dict[str, Any]) -> OpenHCSError:
    for problem in error.errors(include_url=False, include_input=False):
        if problem["type"] == "newer_schema":
            fields = {"schema_version": problem["msg"]}
            return OpenHCSError("newer_schema", f"The pipeline was {problem['msg']}", status=422, field_errors=fields)
    fields = field_errors_of(error, content)
    return OpenHCSError(
        "invalid_pipeline", f"The pipeline is not right: {summary_of(fields, 'document')}", status=422, field_errors=fields
    )
