# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading what a request asks for: JSON bodies and query parameters, checked by models."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from openhcs_client import OpenHCSError, field_errors_of, read_json, summary_of

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["idempotency_key", "mentions", "read_body", "read_query"]

Model = TypeVar("Model", bound=BaseModel)

_KEY = re.compile(r"[A-Za-z0-9._:-]{1,100}")


def read_body(request: HttpRequest, model: type[Model]) -> Model:
    """Parse the JSON body.

    Raises:
        OpenHCSError: ``bad_json`` (400) when it is not JSON; ``invalid_request`` (422) with ``field_errors``.
    """
    content = read_json(request.body)
    if not isinstance(content, dict):
        raise OpenHCSError("bad_json", "The body of the request must be a JSON object.", status=400)
    return _checked(model, content)


def read_query(request: HttpRequest, model: type[Model]) -> Model:
    """Parse the query parameters; empty ones count as absent.

    Raises:
        OpenHCSError: ``invalid_request`` (422) with ``field_errors``.
    """
    return _checked(model, {name: value for name, value in request.GET.items() if value != ""})


def mentions(request: HttpRequest, field: str) -> bool:
    """Whether the JSON body has a value for ``field``; one that cannot be read has none, and is refused by who reads it."""
    try:
        content = read_json(request.body)
    except OpenHCSError:
        return False
    return isinstance(content, dict) and content.get(field) is not None


def idempotency_key(request: HttpRequest) -> str | None:
    """The ``Idempotency-Key`` header, if there is one.

    Raises:
        OpenHCSError: ``invalid_request`` (422) when it is not a short plain word.
    """
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise OpenHCSError(
            "invalid_request",
            "The Idempotency-Key must be 1 to 100 letters, digits or . _ : -",
            status=422,
            field_errors={"Idempotency-Key": "1 to 100 letters, digits or . _ : -"},
        )
    return key


def _checked(model: type[Model], content: dict[str, Any]) -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        fields = field_errors_of(error, content)
        raise OpenHCSError("invalid_request", summary_of(fields, "The request"), status=422, field_errors=fields) from error
