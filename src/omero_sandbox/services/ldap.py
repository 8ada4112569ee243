# SPDX-License-Identifier: AGPL-3.0-or-later
"""ILdap: there is no directory behind the sandbox; clients ask whether there is."""

from __future__ import annotations

from omero_sandbox.ice.dispatch import Service
from omero_sandbox.security.caller import Caller

__all__ = ["LdapService"]


class LdapService(Service):
    """Users live in the sandbox's own database."""

    def getSetting(self, caller: Caller) -> bool:
        """Whether users come from a directory: no."""
        return False
