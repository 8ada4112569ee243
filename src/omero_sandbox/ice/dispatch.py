# SPDX-License-Identifier: AGPL-3.0-or-later
"""The one gate: every call of every client passes `Gate.call`, and nothing reaches a service otherwise.

In this order: the connection must be signed in to the session whose servant it calls; the operation must be implemented
(else the call is counted and refused by name); it must be in `omero_sandbox.security.rights_table` (else refused); the
caller must have the right the table asks for; then the service method runs in one database transaction.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import logging
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import Ice
import omero

from omero_sandbox.ice.errors import api_usage, internal_error
from omero_sandbox.ice.operations import Operation, operations_of
from omero_sandbox.security.rights import authorise
from omero_sandbox.security.rights_table import rule_for

if TYPE_CHECKING:
    from omero_sandbox.ice.server import SandboxServer
    from omero_sandbox.ice.sessions import Session
    from omero_sandbox.security.caller import Caller
    from omero_sandbox.store.database import Database

__all__ = ["Gate", "Service", "current_call", "make_servant", "own_transactions"]

log = logging.getLogger(__name__)
_current: contextvars.ContextVar[Ice.Current] = contextvars.ContextVar("current")
_Method = TypeVar("_Method", bound=Callable[..., Any])


def own_transactions(method: _Method) -> _Method:
    """Mark a service method that opens its own, short, database transactions (it moves pixels or waits)."""
    method.own_transactions = True  # type: ignore[attr-defined]
    return method


def current_call() -> Ice.Current:
    """Return Ice's description of the call being served: its connection and its context."""
    return _current.get()


class Service:
    """Base of every service implementation. Methods carry OMERO's operation names and take the caller last."""

    def __init__(self, server: SandboxServer, session: Session) -> None:
        self.server = server
        self.session = session
        self.identity: Ice.Identity | None = None  # set when the service gets its place in the object adapter

    @property
    def database(self) -> Database:
        """The sandbox's database."""
        return self.server.database

    def activate(self, caller: Caller) -> None:
        """Part of every stateful service; state is always in memory here, so there is nothing to do."""

    def passivate(self, caller: Caller) -> None:
        """Part of every stateful service; state is always in memory here, so there is nothing to do."""

    def close(self, caller: Caller) -> None:
        """Free the service. Subclasses that hold resources override `release`."""
        self.release()
        self.session.remove(self)

    def release(self) -> None:
        """Give resources back; called once, by close or by the end of the session."""

    def getCurrentEventContext(self, caller: Caller) -> omero.sys.EventContext:
        """Return who is calling, in which group, with which rights."""
        return self.server.sessions.event_context(self.session, caller)


class Gate:
    """The choke point of one server. Counts the calls that the sandbox does not implement."""

    def __init__(self, server: SandboxServer) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._unimplemented: Counter[str] = Counter()

    @property
    def unimplemented(self) -> dict[str, int]:
        """How often each missing call was asked for, by ``Interface.operation``."""
        with self._lock:
            return dict(self._unimplemented)

    def count_unimplemented(self, name: str) -> omero.ApiUsageException:
        """Count a call that is not there and return the exception to raise."""
        with self._lock:
            self._unimplemented[name] += 1
        log.warning("not implemented: %s", name)
        return api_usage(f"The embedded OMERO does not implement {name}.")

    def call(self, interface: str, operation: str, service: Service, arguments: tuple[Any, ...], current: Ice.Current) -> Any:
        """Serve one call, or raise one of OMERO's exceptions."""
        name = f"{interface}.{operation}"
        sessions = self._server.sessions
        try:
            sessions.require_signed_in(service.session, current)
            method = getattr(service, operation, None)
            if method is None:
                raise self.count_unimplemented(name)
            rule = rule_for(name)
            token = _current.set(current)
            try:
                with self._server.database.transaction(write=False):
                    caller = sessions.caller(service.session, current.ctx)
                    authorise(name, rule, caller, arguments)
                with self._transaction(method, rule.writes):
                    return method(*arguments, caller)
            finally:
                _current.reset(token)
        except (omero.ServerError, Ice.Exception) as error:
            log.info("%s refused: %s %s", name, type(error).__name__, getattr(error, "message", ""))
            raise
        except Exception as error:
            log.exception("%s failed", name)
            raise internal_error(f"{type(error).__name__} in {name}: {error}", traceback.format_exc()) from error

    def _transaction(self, method: Any, writes: bool) -> contextlib.AbstractContextManager[Any]:
        if getattr(method, "own_transactions", False):
            return contextlib.nullcontext()
        return self._server.database.transaction(write=writes)


def make_servant(interface: type, service: Service, gate: Gate) -> Ice.Object:
    """Return an Ice servant of ``interface`` whose every operation goes through ``gate`` to ``service``."""
    servant = _servant_class(interface)()
    servant.gate, servant.service = gate, service
    return servant


@functools.cache
def _servant_class(interface: type) -> type:
    body: dict[str, Any] = {"__init__": lambda self: None}
    for operation in operations_of(interface).values():
        if operation.deferred:
            body[f"{operation.name}_async"] = _deferred(interface.__name__, operation)
        else:
            body[operation.name] = _direct(interface.__name__, operation)
    return type(f"{interface.__name__}Servant", (interface,), body)


def _direct(interface: str, operation: Operation) -> Callable[..., Any]:
    def serve(self: Any, *arguments: Any) -> Any:
        *values, current = arguments
        return self.gate.call(interface, operation.name, self.service, tuple(values), current)

    return serve


def _deferred(interface: str, operation: Operation) -> Callable[..., None]:
    def serve(self: Any, callback: Any, *arguments: Any) -> None:
        *values, current = arguments
        try:
            result = self.gate.call(interface, operation.name, self.service, tuple(values), current)
        except Exception as error:  # Ice wants it in the callback; the gate has logged it
            callback.ice_exception(error)
            return
        if operation.returns_value:
            callback.ice_response(result)
        else:
            callback.ice_response()

    return serve
