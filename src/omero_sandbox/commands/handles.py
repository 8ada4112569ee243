# SPDX-License-Identifier: AGPL-3.0-or-later
"""The handle of a submitted command: its answer, its status, and a call back to the client that waits for it.

A command has run by the time the client gets its handle, in one database transaction: all of it happened, or nothing.
What went wrong is told in the answer, an ``omero.cmd.ERR``, as OMERO does; submitting itself does not fail.
"""

from __future__ import annotations

import logging
import time
import traceback
from typing import TYPE_CHECKING, Any

import Ice
import omero
import omero.cmd

from omero_sandbox.commands import composite, graphs, reports
from omero_sandbox.commands.registry import COMMANDS, Context
from omero_sandbox.ice.dispatch import Service, current_call
from omero_sandbox.services.stored_data import remove_data

if TYPE_CHECKING:
    from omero_sandbox.ice.server import SandboxServer
    from omero_sandbox.ice.sessions import Session
    from omero_sandbox.security.caller import Caller

__all__ = ["HandleService", "run_request"]

log = logging.getLogger(__name__)
COMMAND_MODULES = (composite, graphs, reports)  # importing them registers their commands


def run_request(request: omero.cmd.Request, context: Context) -> omero.cmd.Response:
    """Run one request; raises what goes wrong. A request of an unknown class is counted and refused by name."""
    command = COMMANDS.get(type(request).__name__)
    if command is None:
        raise context.server.gate.count_unimplemented(f"omero.cmd.{type(request).__name__}")
    return command(request, context)


class HandleService(Service):
    """One command that has been run."""

    def __init__(self, server: SandboxServer, session: Session, request: omero.cmd.Request, caller: Caller) -> None:
        super().__init__(server, session)
        self._request = request
        self._status = omero.cmd.Status(name=type(request).__name__, flags=[], parameters={}, currentStep=1, steps=1)
        self._status.stepStartTimes, self._status.stepStopTimes = [_now()], []
        self._status.startTime = _now()
        self._response = self._run(request, Context(server, session, caller))
        self._status.stopTime = _now()
        self._status.stepStopTimes = [self._status.stopTime]

    def _run(self, request: omero.cmd.Request, context: Context) -> omero.cmd.Response:
        try:
            with self.database.transaction(write=True):
                response = run_request(request, context)
            remove_data(self.database, context.deleted)
        except omero.ServerError as error:
            log.info("%s refused: %s", type(request).__name__, error.message)
            return self._failed(type(error).__name__, error.message or "", "")
        except Exception as error:
            log.exception("%s failed", type(request).__name__)
            return self._failed(type(error).__name__, str(error), traceback.format_exc())
        self._status.flags = [omero.cmd.State.ALL, omero.cmd.State.INACTIVE, omero.cmd.State.SUCCESS]
        return response

    def _failed(self, name: str, message: str, stack: str) -> omero.cmd.ERR:
        self._status.flags = [omero.cmd.State.ALL, omero.cmd.State.INACTIVE, omero.cmd.State.FAILURE]
        return omero.cmd.ERR(category=f"::omero::{name}", name=name, parameters={"message": message, "stacktrace": stack})

    def getRequest(self, caller: Caller) -> omero.cmd.Request:
        """What was asked for."""
        return self._request

    def getResponse(self, caller: Caller) -> omero.cmd.Response:
        """The answer."""
        return self._response

    def getStatus(self, caller: Caller) -> omero.cmd.Status:
        """How it went."""
        return self._status

    def cancel(self, caller: Caller) -> bool:
        """Too late: the command has run."""
        return False

    def addCallback(self, callback: Any, caller: Caller) -> None:
        """Tell the client, over its own connection, that the command has finished."""
        if callback is None:
            return
        reachable = omero.cmd.CmdCallbackPrx.uncheckedCast(current_call().con.createProxy(callback.ice_getIdentity()))

        def not_reached(error: Ice.Exception) -> None:
            # The client may have its answer already (it also polls) and have gone.
            log.debug("a command's callback could not be reached: %s", error)

        reachable.begin_finished(self._response, self._status, lambda: None, not_reached)

    def removeCallback(self, callback: Any, caller: Caller) -> None:
        """Nothing to do: a callback is called once, when it is added."""


def _now() -> int:
    return int(time.time() * 1000)
