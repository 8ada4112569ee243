# SPDX-License-Identifier: AGPL-3.0-or-later
"""The on-disk plate of one well that OpenHCS reads.

OpenHCS finds planes by file name and writes its own bookkeeping beside them, so it never gets to see a folder that belongs
to somebody else: planes are copied into a staging folder that lives as long as the job. The layout is OpenHCS's own::

    <root>/openhcs_metadata.json
    <root>/hashes.json                                ours: what the pixels were, for whoever runs it again
    <root>/images/AF48_s001_w1_z001_t001.tif      field 1, channel 1, focal plane 1, time point 1

The ``OMEROFilenameParser`` is the one that accepts every well of a 1536-well plate; the ImageXpress parser stops at row Z.
"""

from __future__ import annotations

import errno
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from openhcs_client import WELL_NAME_PATTERN, OpenHCSError
from openhcs_execution.hashing import array_sha256, field_sha256

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "HASHES",
    "IMAGES",
    "METADATA",
    "StagedPlane",
    "StagingFolder",
    "disk_full_errors",
    "read_input_hashes",
    "read_staged_planes",
    "write_index",
]

IMAGES = "images"
METADATA = "openhcs_metadata.json"
HASHES = "hashes.json"
"""Hash of the pixels of each field; ours, OpenHCS does not look at it."""

_NAME = re.compile(r"^(?P<well>[A-Z]+[0-9]+)_s(?P<field>[0-9]+)_w(?P<channel>[0-9]+)_z(?P<z>[0-9]+)_t(?P<t>[0-9]+)\.tif$")

disk_full_errors = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the operating system says when there is no room: no space, over quota, file size limit."""


@dataclass(frozen=True)
class StagedPlane:
    """Where a staged plane belongs; every number counts from 1."""

    well: str
    field: int
    channel: int
    z: int
    t: int

    @property
    def file_name(self) -> str:
        return f"{self.well}_s{self.field:03d}_w{self.channel}_z{self.z:03d}_t{self.t:03d}.tif"

    @classmethod
    def from_file_name(cls, name: str) -> StagedPlane:
        """Read the position of a plane from its file name.

        Raises:
            ValueError: when the name is not one that this module writes.
        """
        match = _NAME.match(name)
        if match is None:
            raise ValueError(f"{name!r} is not the name of a staged plane")
        return cls(match["well"], *(int(match[part]) for part in ("field", "channel", "z", "t")))


class StagingFolder:
    """Writes the planes of one well and then the index that OpenHCS needs.

    >>> folder = StagingFolder(scratch / "planes", "AF48", ["DAPI", "GFP"], 0.65)      # doctest: +SKIP
    >>> folder.add_plane(field=1, channel=1, z=1, t=1, pixels=pixels)                   # doctest: +SKIP
    >>> folder.finish()                                                                 # doctest: +SKIP
    """

    def __init__(self, root: Path, well: str, channels: Sequence[str], pixel_size_um: float | None) -> None:
        """Create ``root`` (its parents must exist or be creatable).

        ``channels`` are the channel names in order; ``pixel_size_um`` is the edge of a pixel in micrometres, if known.

        Raises:
            OpenHCSError: ``bad_well`` for a well name OpenHCS could not find again; ``disk_full``.
        """
        if re.match(WELL_NAME_PATTERN, well) is None:
            raise OpenHCSError("bad_well", f"{well!r} is not the name of a well.", status=422)
        self.root = Path(root)
        self.well = well
        self.channels = list(channels)
        self.pixel_size_um = pixel_size_um
        self._planes: dict[StagedPlane, str] = {}
        with _saying_when_full():
            (self.root / IMAGES).mkdir(parents=True, exist_ok=True)

    def add_plane(self, field: int, channel: int, z: int, t: int, pixels: np.ndarray) -> Path:
        """Write one plane of shape (y, x) as an uncompressed TIFF of the same dtype; numbers count from 1.

        Raises:
            OpenHCSError: ``bad_plane`` when it is not two-dimensional or its channel is unknown; ``disk_full``.
        """
        import tifffile

        if pixels.ndim != 2 or min(pixels.shape) < 1:
            raise OpenHCSError("bad_plane", f"A plane must have two dimensions, not the shape {pixels.shape}.", status=422)
        if min(field, channel, z, t) < 1 or channel > len(self.channels):
            raise OpenHCSError("bad_plane", f"There is no channel {channel}, field {field}, z {z}, t {t} here.", status=422)
        plane = StagedPlane(self.well, field, channel, z, t)
        path = self.root / IMAGES / plane.file_name
        # By way of memory: NumPy, which tifffile lets write to a file, does not say that a disk is full but "45000 requested
        # and 12 written", without an error number.
        tiff = io.BytesIO()
        with _saying_when_full():
            tifffile.imwrite(tiff, pixels, metadata=None)
            path.write_bytes(tiff.getbuffer())
        self._planes[plane] = array_sha256(pixels)
        return path

    def finish(self) -> None:
        """Write the index and the hashes of the fields. Call it once, after the last plane.

        Raises:
            OpenHCSError: ``no_planes`` when nothing was added; ``disk_full``.
        """
        if not self._planes:
            raise OpenHCSError("no_planes", f"Well {self.well} has no images.", status=422)
        with _saying_when_full():
            write_index(self.root, list(self._planes), self.channels, self.pixel_size_um)
            (self.root / HASHES).write_text(json.dumps(self._hashes()), encoding="utf-8")

    def _hashes(self) -> dict[int, str]:
        fields: dict[int, dict[tuple[int, int, int], str]] = {}
        for plane, digest in self._planes.items():
            fields.setdefault(plane.field, {})[plane.channel, plane.z, plane.t] = digest
        return {field: field_sha256(planes) for field, planes in sorted(fields.items())}


def write_index(root: Path, planes: Sequence[StagedPlane], channels: Sequence[str], pixel_size_um: float | None) -> None:
    """Write the index that tells OpenHCS which ``planes`` lie below ``root``, of any number of wells."""
    index = {
        "microscope_handler_name": "openhcsdata",
        "source_filename_parser_name": "OMEROFilenameParser",
        "grid_dimensions": [1, max(plane.field for plane in planes)],
        # OpenHCS insists on a number; our functions measure in pixels and never read it.
        "pixel_size": pixel_size_um or 1.0,
        "image_files": sorted(f"{IMAGES}/{plane.file_name}" for plane in planes),
        "channels": {str(number): name for number, name in enumerate(channels, start=1)},
        "wells": {plane.well: None for plane in planes},
        "sites": None,
        "z_indexes": None,
        "timepoints": None,
        "available_backends": {"disk": True},
        "main": True,
    }
    (root / METADATA).write_text(json.dumps({"subdirectories": {IMAGES: index}}), encoding="utf-8")


def read_staged_planes(root: Path) -> list[StagedPlane]:
    """List what is staged under ``root``, in order of file names.

    Raises:
        OpenHCSError: ``bad_staging`` when the index is missing or is not one that :class:`StagingFolder` wrote.
    """
    try:
        index = json.loads((Path(root) / METADATA).read_text(encoding="utf-8"))
        files = index["subdirectories"][IMAGES]["image_files"]
        return [StagedPlane.from_file_name(str(name).rpartition("/")[2]) for name in files]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OpenHCSError("bad_staging", f"The staged images in {root} have no readable index.", status=422) from error


def read_input_hashes(root: Path) -> dict[int, str]:
    """The hash of each staged field; see :mod:`openhcs_execution.hashing`."""
    content = json.loads((root / HASHES).read_text(encoding="utf-8"))
    return {int(field): digest for field, digest in content.items()}


class _saying_when_full:  # noqa: N801 - reads as a statement: with _saying_when_full()
    """Turn the operating system's *no space* into a sentence, leave every other error alone."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and error.errno in disk_full_errors:
            raise OpenHCSError("disk_full", "The scratch disk of the execution service is full.", status=507) from error
