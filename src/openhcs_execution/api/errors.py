# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every refusal and failure leaves as the one error envelope, with the right status and without internals.

Messages of pydantic are kept, the values that they complain about are not: a request may carry an OMERO session key.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from openhcs_client import OpenHCSError, field_errors_of
from openhcs_execution.logging import get_logger

__all__ = ["error_response", "install_error_handlers", "internal_error"]

log = get_logger(__name__)

_STATUS_CODES = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method."),
}


def error_response(error: OpenHCSError, request_id: str = "") -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
    return JSONResponse(error.envelope(request_id).model_dump(mode="json"), status_code=error.status, headers=headers)


def internal_error() -> OpenHCSError:
    return OpenHCSError(
        "internal_error", "Something went wrong in the execution service. Its log tells more under the request id.", status=500
    )


def install_error_handlers(app: FastAPI) -> None:
    """Map our own errors, invalid requests, unknown addresses and the database's troubles to envelopes."""

    @app.exception_handler(OpenHCSError)
    async def _ours(request: Request, error: OpenHCSError) -> JSONResponse:
        return error_response(error, _request_id(request))

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return error_response(_validation_error(error.errors(), error.body), _request_id(request))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        code, message = _STATUS_CODES.get(error.status_code, ("http_error", str(error.detail)))
        return error_response(OpenHCSError(code, message, status=error.status_code), _request_id(request))

    @app.exception_handler(OperationalError)
    async def _database(request: Request, error: OperationalError) -> JSONResponse:
        log.error("database_error", reason=str(error.orig))
        return error_response(_database_error(error), _request_id(request))

    @app.exception_handler(OSError)
    async def _system(request: Request, error: OSError) -> JSONResponse:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise error
        return error_response(_disk_full(), _request_id(request))


def _request_id(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))


def _validation_error(errors: Sequence[Any], body: Any) -> OpenHCSError:
    if any(error["type"] == "json_invalid" for error in errors):
        return OpenHCSError("bad_json", "The body of the request is not JSON.", status=400)
    # The first part says where (body, path, query); the rest is the field as the client knows it.
    problems = [error | {"loc": error["loc"][1:] or error["loc"]} for error in errors]
    fields = field_errors_of(problems, body if isinstance(body, dict) else None)
    newer = next((error for error in errors if error["type"] == "newer_schema"), None)
    if newer is not None:
        return OpenHCSError("newer_schema", f"The pipeline was {newer['msg']}", status=422, field_errors=fields)
    return OpenHCSError("invalid_request", "The request is not valid.", status=422, field_errors=fields)


def _database_error(error: OperationalError) -> OpenHCSError:
    if "disk is full" in str(error.orig):
        return _disk_full()
    return OpenHCSError("database_busy", "The database of the execution service does not answer. Try again soon.", status=503)


def _disk_full() -> OpenHCSError:
    return OpenHCSError("disk_full", "The disk of the execution service is full. Tell your administrator.", status=507)
