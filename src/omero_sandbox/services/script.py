# SPDX-License-Identifier: AGPL-3.0-or-later
"""IScript: the sandbox runs no scripts, so the list that clients show is empty."""

from __future__ import annotations

from typing import Any

from omero_sandbox.ice.dispatch import Service
from omero_sandbox.security.caller import Caller

__all__ = ["ScriptService"]


class ScriptService(Service):
    """No scripts. Uploading or running one is not implemented and says so."""

    def getScripts(self, caller: Caller) -> list[Any]:
        """Official scripts."""
        return []

    def getUserScripts(self, accepted: Any, caller: Caller) -> list[Any]:
        """Scripts of users."""
        return []

    def getScriptsByMimetype(self, mimetype: str, caller: Caller) -> list[Any]:
        """Scripts in one language."""
        return []

    def getScriptID(self, path: str, caller: Caller) -> int:
        """The id of a script by its path; -1: there is none."""
        return -1

    def canRunScript(self, script_id: int, caller: Caller) -> bool:
        """Whether a script could run now."""
        return False
