# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors that every part of the system shares: a code for programs and a sentence for people.

The JSON form, the *error envelope*, is the same from OMERO.web and from the execution service::

    {"error": {"code": "plate_not_found", "message": "…", "field_errors": {}, "request_id": "…"}}
"""

from __future__ import annotations

from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ErrorBody", "ErrorEnvelope", "OpenHCSError"]


class ErrorBody(BaseModel):
    """What went wrong: ``code`` for programs, ``message`` for people, ``field_errors`` by path (``parameters.min_area``)."""

    model_config = ConfigDict(extra="ignore")

    code: str
    message: str
    field_errors: dict[str, str] = Field(default_factory=dict)
    request_id: str = ""


class ErrorEnvelope(BaseModel):
    """The body of every answer that is not a success."""

    model_config = ConfigDict(extra="ignore")

    error: ErrorBody


class OpenHCSError(Exception):
    """A refusal or failure with a stable code, an HTTP status and a sentence a biologist understands.

    >>> raise OpenHCSError("plate_not_found", "Plate 7 does not exist, or you may not read it.", status=404)
    Traceback (most recent call last):
    ...
    openhcs_client._errors.OpenHCSError: Plate 7 does not exist, or you may not read it.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        field_errors: dict[str, str] | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.field_errors = dict(field_errors or {})
        self.request_id = request_id

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are rebuilt from their positional arguments alone, which is not enough here; errors cross processes.
        rebuild = partial(type(self), status=self.status, field_errors=self.field_errors, request_id=self.request_id)
        return rebuild, (self.code, self.message)

    def envelope(self, request_id: str = "") -> ErrorEnvelope:
        """Return the JSON form; ``request_id`` names the request in the logs."""
        return ErrorEnvelope(
            error=ErrorBody(
                code=self.code,
                message=self.message,
                field_errors=self.field_errors,
                request_id=request_id or self.request_id,
            )
        )
