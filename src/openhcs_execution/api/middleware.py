# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every request passes through: a request id and a log line, and a limit on the size of its body."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openhcs_client import OpenHCSError
from openhcs_execution.logging import get_logger

from .errors import error_response, internal_error

__all__ = ["BodyLimit", "RequestLog"]

log = get_logger("openhcs_execution.api")

_REQUEST_ID = re.compile(rb"^[A-Za-z0-9._-]{1,64}$")
_QUIET = ("/healthz", "/readyz", "/metrics")


class RequestLog:
    """Gives the request an id (or keeps a well-formed ``X-Request-ID``), logs it, and answers for crashes.

    Paths are logged without their query; headers and bodies are never logged.
    """

    def __init__(self, app: ASGIApp, note: Callable[[str, str, int, float], None]) -> None:
        """``note`` is told the method, the template of the address, the status and the seconds of each request."""
        self.app = app
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
            await send(message)

        start = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_id)
            except Exception:
                log.exception("request_crashed", method=scope["method"], path=scope["path"])
                if status:  # the answer has begun: it cannot be replaced, only cut
                    raise
                await error_response(internal_error(), request_id)(scope, receive, send_with_id)
            finally:
                write = log.debug if scope["path"] in _QUIET or (status < 400 and scope["method"] == "GET") else log.info
                seconds = time.perf_counter() - start
                self._note(scope["method"], _template(scope), status, seconds)
                milliseconds = round(1000 * seconds, 1)
                write("request", method=scope["method"], path=scope["path"], status=status, milliseconds=milliseconds)


def _template(scope: Scope) -> str:
    """Such as ``/executions/{execution_id}/``; ``(none)`` for an address that there is not.

    Versions of FastAPI differ in whether a route knows the prefix that its router was included with; here it never has it.
    """
    return str(getattr(scope.get("route"), "path", "(none)")).removeprefix("/api/v1")


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.match(value):
            return str(value.decode("ascii"))
    return uuid.uuid4().hex


class BodyLimit:
    """Refuses bodies above ``maximum`` bytes, whether they announce their length or not."""

    def __init__(self, app: ASGIApp, maximum: int) -> None:
        self.app = app
        self.maximum = maximum

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > self.maximum:
            await self._refuse(scope, receive, send)
            return
        # A body is read whole before the app sees it: it is at most `maximum`, and a refusal can still be a clean answer.
        received: list[Message] = []
        size = 0
        while True:
            message = await receive()
            received.append(message)
            if message["type"] != "http.request":
                break
            size += len(message.get("body", b""))
            if size > self.maximum:
                await self._refuse(scope, receive, send)
                return
            if not message.get("more_body", False):
                break
        received.reverse()

        async def replay() -> Message:
            return received.pop() if received else await receive()

        await self.app(scope, replay, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = OpenHCSError("body_too_large", f"The body of the request is larger than {self.maximum} bytes.", status=413)
        await error_response(error, scope.get("state", {}).get("request_id", ""))(scope, receive, send)
