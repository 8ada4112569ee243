# SPDX-License-Identifier: AGPL-3.0-or-later
"""One name for a request on its whole way: in the answer's ``X-Request-ID``, in OMERO.web's log and in the service's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .errors import new_request_id

__all__ = ["current_request_id", "named_request"]

_CURRENT: ContextVar[str] = ContextVar("openhcs_request_id", default="")


def current_request_id() -> str:
    """The name of the request that is being answered; empty outside of one."""
    return _CURRENT.get()


@contextmanager
def named_request() -> Iterator[str]:
    """Give the request a name, which everything asked of the service within carries on."""
    request_id = new_request_id()
    token = _CURRENT.set(request_id)
    try:
        yield request_id
    finally:
        _CURRENT.reset(token)
