# SPDX-License-Identifier: AGPL-3.0-or-later
"""What both ways of delivering share."""

from __future__ import annotations

__all__ = ["DeliveryError"]


class DeliveryError(Exception):
    """A message was not taken. ``final``: trying again cannot help."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.final = reason, final
