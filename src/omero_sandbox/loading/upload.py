# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sends a plate to OMERO over a plain BlitzGateway."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import omero.gateway
import omero.model
import omero.sys
from omero.model.enums import UnitsLength
from omero.rtypes import rint, rstring, unwrap

from omero_sandbox.loading.plate_folder import FolderError, PlateFolder, plate_format
from openhcs_client import well_name

__all__ = ["PlateOptions", "upload_plate"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PlateOptions:
    """How the plate is to be. ``channel_names`` are in the order of the folder's channels."""

    name: str
    screen: str | None = None
    rows: int | None = None
    columns: int | None = None
    channel_names: Sequence[str] = ()
    pixel_size_um: float | None = None


def upload_plate(
    conn: omero.gateway.BlitzGateway,
    plate: PlateFolder,
    options: PlateOptions,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Make a plate of a folder in the connection's current group and return its id.

    When something goes wrong, what was made so far is deleted again.

    Args:
        progress: called with the number of images that are there and the number that there will be.

    Raises:
        FolderError: the options do not fit the folder, or a file cannot be read.
    """
    rows, columns = plate_format(plate, options.rows, options.columns)
    if options.channel_names and len(options.channel_names) != len(plate.channels):
        raise FolderError(
            f"The folder has {len(plate.channels)} channels ({', '.join(plate.channels)}), but {len(options.channel_names)} "
            "names were given."
        )
    upload = _Upload(conn, plate, options)
    try:
        upload.make_plate(rows, columns)
        for done, (well, label) in enumerate(upload.images(), 1):
            log.debug("%s field %s", well, label)
            progress(done, plate.image_count)
        upload.name_channels()
        upload.link_to_screen()
    except BaseException:
        upload.undo()
        raise
    return upload.plate_id


class _Upload:
    """One plate on its way."""

    def __init__(self, conn: omero.gateway.BlitzGateway, plate: PlateFolder, options: PlateOptions) -> None:
        self._conn = conn
        self._plate = plate
        self._options = options
        self._update = conn.getUpdateService()
        self._loose_images: list[int] = []
        self._run_id = 0
        self.plate_id = 0

    def make_plate(self, rows: int, columns: int) -> None:
        plate = omero.model.PlateI()
        plate.name = rstring(self._options.name)
        plate.description = rstring(f"Loaded from the folder {self._plate.folder.name}.")
        plate.rows, plate.columns = rint(rows), rint(columns)
        plate.rowNamingConvention, plate.columnNamingConvention = rstring("letter"), rstring("number")
        run = omero.model.PlateAcquisitionI()
        run.name = rstring(self._plate.folder.name)
        plate.addPlateAcquisition(run)
        saved = self._save(plate)
        self.plate_id = unwrap(saved.id)
        self._run_id = unwrap(saved.copyPlateAcquisitions()[0].id)

    def images(self) -> Any:
        """Upload well by well; yields the name of the well and the label of the field after each image."""
        for (row, column), labels in self._plate.fields.items():
            well = omero.model.WellI()
            well.plate = omero.model.PlateI(self.plate_id, False)
            well.row, well.column = rint(row), rint(column)
            for label in labels:
                image_id = self._image(row, column, label)
                sample = omero.model.WellSampleI()
                sample.image = omero.model.ImageI(image_id, False)
                sample.plateAcquisition = omero.model.PlateAcquisitionI(self._run_id, False)
                well.addWellSample(sample)
                yield well_name(row, column), label
            self._save(well)
            self._loose_images.clear()

    def _image(self, row: int, column: int, label: str) -> int:
        plate = self._plate
        image = self._conn.createImageFromNumpySeq(
            plate.planes(row, column, label),
            f"{self._options.name} [{well_name(row, column)}, field {label}]",
            sizeZ=len(plate.sections),
            sizeC=len(plate.channels),
            sizeT=len(plate.times),
        )
        self._loose_images.append(image.getId())
        if self._options.pixel_size_um is not None:
            pixels = image.getPrimaryPixels()._obj
            size = omero.model.LengthI(self._options.pixel_size_um, UnitsLength.MICROMETER)
            pixels.physicalSizeX = pixels.physicalSizeY = size
            self._save(pixels)
        return int(image.getId())

    def name_channels(self) -> None:
        names = self._options.channel_names or [f"Channel {label}" for label in self._plate.channels]
        self._conn.setChannelNames("Plate", [self.plate_id], dict(enumerate(names, 1)))

    def link_to_screen(self) -> None:
        if self._options.screen is None:
            return
        link = omero.model.ScreenPlateLinkI()
        link.parent = omero.model.ScreenI(self._screen_id(self._options.screen), False)
        link.child = omero.model.PlateI(self.plate_id, False)
        self._save(link)

    def _screen_id(self, name: str) -> int:
        """The caller's own screen of that name in the current group, made when there is none."""
        own = [
            screen.getId()
            for screen in self._conn.getObjects("Screen", attributes={"name": name})
            if screen.getOwner().getId() == self._conn.getUserId()
            and screen.getDetails().group.id.val == self._conn.getEventContext().groupId
        ]
        if own:
            return int(min(own))
        screen = omero.model.ScreenI()
        screen.name = rstring(name)
        return int(unwrap(self._save(screen).id))

    def undo(self) -> None:
        """Delete what is there of the plate; says so when even that fails, and keeps the first error."""
        for kind, ids in (("Plate", [self.plate_id] if self.plate_id else []), ("Image", self._loose_images)):
            if not ids:
                continue
            try:
                self._conn.deleteObjects(kind, ids, deleteAnns=True, deleteChildren=True, wait=True)
            except Exception:  # the error that led here matters more; this one is in the log
                log.exception("could not delete the half loaded %s %s", kind, ids)

    def _save(self, instance: Any) -> Any:
        return self._update.saveAndReturnObject(instance, self._conn.SERVICE_OPTS)
