# SPDX-License-Identifier: AGPL-3.0-or-later
"""Images of a well, from OMERO to a staging folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from openhcs_client import PlateLayout
from openhcs_execution.engine import StagingFolder
from openhcs_execution.logging import get_logger
from openhcs_execution.omero_io import OmeroServer, ReadTally, Repository, Unreadable, read_planes
from openhcs_execution.secrets import SessionVault

from .connection import KeptConnection
from .tasks import WorkerSettings

__all__ = ["ImageReader"]

log = get_logger(__name__)


class ImageReader:
    """Reads with the session of one execution at a time. For one thread."""

    def __init__(self, settings: WorkerSettings) -> None:
        server = OmeroServer(settings.omero_host, settings.omero_port)
        self._connection = KeptConnection(server, SessionVault(settings.session_secret.get_secret_value()))
        self._repository = None if settings.repository is None else _repository(settings.repository)

    def stage(self, sealed_session: str, layout: PlateLayout, well: str, folder: Path) -> None:
        """Copy the planes of ``well`` into ``folder``.

        Raises:
            OpenHCSError: ``omero_session_lost``, ``omero_unreachable``, ``disk_full``, or what is wrong with the images.
        """

        tally = ReadTally()

        def copy(connection: Any) -> None:
            shutil.rmtree(folder, ignore_errors=True)
            staging = StagingFolder(folder, well, layout.channels, layout.pixel_size_um)
            for plane in read_planes(connection, layout.well(well), repository=self._repository, tally=tally):
                staging.add_plane(plane.field, plane.channel, plane.z, plane.t, plane.pixels)
            staging.finish()

        self._connection.use(sealed_session, layout.group_id, copy)
        if self._repository is not None:
            self._report(well, tally)

    def _report(self, well: str, tally: ReadTally) -> None:
        """Say how a well was read, loudly when images that have files were read through OMERO."""
        say = log.warning if tally.reasons else log.debug
        say("planes_read", well=well, files=tally.from_files, omero=tally.from_api, reasons=dict(tally.reasons))

    def close(self) -> None:
        """Leave the session, which lives on for others."""
        self._connection.close()


def _repository(root: Path) -> Repository | None:
    """OMERO's data folder, when this worker can see it: not all workers have to."""
    try:
        return Repository(root)
    except Unreadable as reason:
        log.warning("repository_not_seen", path=str(root), reason=str(reason))
        return None
