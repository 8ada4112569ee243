# SPDX-License-Identifier: AGPL-3.0-or-later
"""IShare: there are no shares in the sandbox; clients ask for lists of them and get empty ones."""

from __future__ import annotations

from typing import Any

from omero_sandbox.ice.dispatch import Service
from omero_sandbox.ice.errors import validation_error
from omero_sandbox.security.caller import Caller

__all__ = ["ShareService"]


class ShareService(Service):
    """No share can be made, so every list is empty. Making one is not implemented and says so."""

    def getOwnShares(self, active: bool, caller: Caller) -> list[Any]:
        """Shares of the caller."""
        return []

    def getMemberShares(self, active: bool, caller: Caller) -> list[Any]:
        """Shares that the caller has been invited to."""
        return []

    def getSharesOwnedBy(self, user: Any, active: bool, caller: Caller) -> list[Any]:
        """Shares of a user."""
        return []

    def getMemberSharesFor(self, user: Any, active: bool, caller: Caller) -> list[Any]:
        """Shares that a user has been invited to."""
        return []

    def getShare(self, share_id: int, caller: Caller) -> None:
        """No share has this id."""

    def activate(self, share_id: int, caller: Caller) -> None:  # type: ignore[override]  # IShare's own operation
        """No share can be entered."""
        raise validation_error(f"There is no share {share_id}.")

    def deactivate(self, caller: Caller) -> None:
        """Leave the share that one works in, which is none."""
