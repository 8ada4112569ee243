# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which requests can be run: request class -> the function that runs it. A request that is not here is refused and counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import omero
import omero.cmd

if TYPE_CHECKING:
    from omero_sandbox.ice.server import SandboxServer
    from omero_sandbox.ice.sessions import Session
    from omero_sandbox.security.caller import Caller
    from omero_sandbox.store.database import Database

__all__ = ["COMMANDS", "Command", "Context", "runs"]


@dataclass(frozen=True)
class Context:
    """What a command works with. It runs inside one database transaction that is undone if it fails."""

    server: SandboxServer
    session: Session
    caller: Caller
    deleted: dict[str, set[int]] = field(default_factory=dict)  # by class; their files go once the transaction is over

    @property
    def database(self) -> Database:
        """The sandbox's database."""
        return self.server.database


Command = Callable[[omero.cmd.Request, Context], omero.cmd.Response]
COMMANDS: dict[str, Command] = {}


def runs(request: type) -> Callable[[Command], Command]:
    """Register a function as the one that runs requests of this class."""

    def register(command: Command) -> Command:
        COMMANDS[request.__name__] = command
        return command

    return register
