# SPDX-License-Identifier: AGPL-3.0-or-later
"""IRepositoryInfo: how full the disk with the sandbox's data is."""

from __future__ import annotations

import shutil

from omero_sandbox.ice.dispatch import Service, own_transactions
from omero_sandbox.security.caller import Caller

__all__ = ["RepositoryInfoService"]

_KILOBYTE = 1024


class RepositoryInfoService(Service):
    """Figures of the file system that holds the data folder."""

    @own_transactions
    def getUsedSpaceInKilobytes(self, caller: Caller) -> int:
        """Kilobytes that the sandbox's own files take."""
        return sum(path.stat().st_size for path in self.server.folder.rglob("*") if path.is_file()) // _KILOBYTE

    @own_transactions
    def getFreeSpaceInKilobytes(self, caller: Caller) -> int:
        """Kilobytes free on the disk."""
        return shutil.disk_usage(self.server.folder).free // _KILOBYTE

    @own_transactions
    def getUsageFraction(self, caller: Caller) -> float:
        """How much of the disk is used, 0 to 1."""
        usage = shutil.disk_usage(self.server.folder)
        return usage.used / usage.total
