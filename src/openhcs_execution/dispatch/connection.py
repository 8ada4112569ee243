# SPDX-License-Identifier: AGPL-3.0-or-later
"""An OMERO connection that is kept between two uses, because joining a session takes most of a second."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, TypeVar

from openhcs_client import OpenHCSError
from openhcs_execution.omero_io import OmeroServer, join_session
from openhcs_execution.omero_io.connect import omero_errors
from openhcs_execution.secrets import SessionVault

__all__ = ["KeptConnection"]

T = TypeVar("T")

_MAY_BE_STALE = ("omero_session_lost", "omero_unreachable")


class KeptConnection:
    """Joins one session at a time and stays joined until another one is wanted. For one thread."""

    def __init__(self, server: OmeroServer, vault: SessionVault) -> None:
        self._server = server
        self._vault = vault
        self._joined: tuple[str, int] | None = None
        self._connection: Any = None
        self._stack = ExitStack()

    def use(self, sealed_session: str, group_id: int, call: Callable[[Any], T]) -> T:
        """Return ``call(connection)``, with the session joined and ``group_id`` as group of calls that name none.

        A kept connection may have been closed by the other side while nobody looked; then ``call`` is repeated once with a
        fresh one, so it must be repeatable.

        Raises:
            OpenHCSError: ``omero_session_lost``, ``omero_unreachable``, ``omero_not_allowed``, or what ``call`` raises.
        """
        kept = self._joined == (sealed_session, group_id)
        try:
            return self._try(sealed_session, group_id, call)
        except OpenHCSError as error:
            if not kept or error.code not in _MAY_BE_STALE:
                raise
        return self._try(sealed_session, group_id, call)

    def _try(self, sealed_session: str, group_id: int, call: Callable[[Any], T]) -> T:
        try:
            if self._joined != (sealed_session, group_id):
                self.close()
                session = join_session(self._server, self._vault.open(sealed_session), group_id=group_id)
                self._connection = self._stack.enter_context(session)
                self._joined = (sealed_session, group_id)
            with omero_errors():
                return call(self._connection)
        except BaseException:
            self.close()  # whatever it was, the next use begins afresh
            raise

    def close(self) -> None:
        """Leave the session, which lives on for others."""
        self._joined = self._connection = None
        stack, self._stack = self._stack, ExitStack()
        stack.close()
