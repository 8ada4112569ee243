# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bodies read by the strict parser that every part shares, instead of Python's own, which takes NaN and a key twice."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from openhcs_client import read_json

__all__ = ["StrictJsonRoute"]


class StrictJsonRoute(APIRoute):
    """A route whose JSON body has been parsed when FastAPI asks for it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def read_then_handle(request: Request) -> Response:
            body = await request.body()
            if not body:
                return await handler(request)
            return await handler(_ParsedRequest(request, body, read_json(body)))

        return read_then_handle


class _ParsedRequest(Request):
    def __init__(self, request: Request, body: bytes, content: Any) -> None:
        super().__init__(request.scope, request.receive)
        self._body = body
        self._content = content

    async def json(self) -> Any:
        return self._content
