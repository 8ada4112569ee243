# SPDX-License-Identifier: AGPL-3.0-or-later
"""How fast pixels are read: through OMERO's API, from the files of its repository, and what the disk itself gives.

The same images each time, all planes, as a worker reads them (bytes to arrays, not yet staged). *Cold* means that the kernel
was told to forget the files (``POSIX_FADV_DONTNEED``) just before; *warm* that they were read a moment ago.

    .venv/bin/python scripts/pixel_bench.py       # alone, on an embedded OMERO of its own
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import omero
from omero.gateway import BlitzGateway
from omero.rtypes import rint, rstring

from omero_sandbox.pixels.buffers import pixel_path
from omero_sandbox.testing import start_sandbox
from openhcs_client import PlateLayout
from openhcs_execution.omero_io import ReadTally, Repository, read_layout, read_planes

__all__ = ["Speeds", "make_images", "measure_reading"]

EDGE, CHANNELS, IMAGES = 2048, 3, 8
SMALL_EDGE, SMALL_IMAGES = 512, 64
REPEATS = 5
_CHUNK = 4 * 2**20


@dataclass(frozen=True)
class Speeds:
    """Medians in MB (10^6 bytes) of pixels in a second. ``files_first`` includes the check of each file."""

    disk_cold: float
    disk_warm: float
    api_cold: float
    api_warm: float
    files_first_cold: float
    files_first_warm: float
    files_again_warm: float

    def __str__(self) -> str:
        return "\n".join(f"{name:18} {value:8.0f} MB/s" for name, value in vars(self).items())


def make_images(connection: BlitzGateway, *, edge: int, channels: int, images: int, dtype: str) -> int:
    """A plate of one well with so many fields of noise, which no cache can guess; returns its id."""
    update, context = connection.getUpdateService(), connection.SERVICE_OPTS
    plate = omero.model.PlateI()
    plate.setName(rstring(f"{images} fields of {edge} x {edge}"))
    plate = update.saveAndReturnObject(plate, context)
    well = omero.model.WellI()
    well.plate, well.row, well.column = omero.model.PlateI(plate.id.val, False), rint(0), rint(0)
    random = np.random.default_rng(1)
    for number in range(images):
        planes = (random.integers(0, np.iinfo(dtype).max, (edge, edge), dtype) for _ in range(channels))
        image = connection.createImageFromNumpySeq(planes, f"field {number + 1}", sizeZ=1, sizeC=channels, sizeT=1)
        sample = omero.model.WellSampleI()
        sample.image = omero.model.ImageI(image.getId(), False)
        well.addWellSample(sample)
    update.saveObject(well, context)
    return int(plate.id.val)


def measure_reading(connection: BlitzGateway, data: Path, plate_id: int, repeats: int = REPEATS) -> Speeds:
    """Read the images of a plate in every way; ``data`` is the data folder of the OMERO that ``connection`` speaks to.

    Raises:
        RuntimeError: when an image was not read from its file.
    """
    layout = read_layout(connection, plate_id)
    files = [pixel_path(data, connection.getObject("Image", field.image_id).getPixelsId()) for field in layout.wells[0].fields]
    megabytes = sum(file.stat().st_size for file in files) / 1e6
    known = Repository(data)
    _from_files(connection, layout, known)

    def speed(read: Callable[[], object], *, cold: bool) -> float:
        times = []
        for _ in range(repeats):
            (_forget if cold else _read)(files)
            started = time.monotonic()
            read()
            times.append(time.monotonic() - started)
        return megabytes / statistics.median(times)

    return Speeds(
        disk_cold=speed(lambda: _read(files), cold=True),
        disk_warm=speed(lambda: _read(files), cold=False),
        api_cold=speed(lambda: _from_api(connection, layout), cold=True),
        api_warm=speed(lambda: _from_api(connection, layout), cold=False),
        files_first_cold=speed(lambda: _from_files(connection, layout, Repository(data)), cold=True),
        files_first_warm=speed(lambda: _from_files(connection, layout, Repository(data)), cold=False),
        files_again_warm=speed(lambda: _from_files(connection, layout, known), cold=False),
    )


def _from_api(connection: BlitzGateway, layout: PlateLayout) -> None:
    for _ in read_planes(connection, layout.wells[0]):
        pass


def _from_files(connection: BlitzGateway, layout: PlateLayout, repository: Repository) -> None:
    tally = ReadTally()
    for _ in read_planes(connection, layout.wells[0], repository=repository, tally=tally):
        pass
    if tally.from_api:
        raise RuntimeError(f"read through the API: {dict(tally.reasons)}")


def _read(files: Sequence[Path]) -> None:
    """Read files as ``dd`` does, in order and in large pieces."""
    buffer = bytearray(_CHUNK)
    for path in files:
        with path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass


def _forget(files: Sequence[Path]) -> None:
    for path in files:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sandbox = start_sandbox(Path(folder))
        try:
            with sandbox.connection() as connection:
                large = make_images(connection, edge=EDGE, channels=CHANNELS, images=IMAGES, dtype="uint16")
                small = make_images(connection, edge=SMALL_EDGE, channels=1, images=SMALL_IMAGES, dtype="uint8")
                for name, plate_id in (("large", large), ("small", small)):
                    print(f"{name}\n{measure_reading(connection, sandbox.folder, plate_id, options.repeats)}")
        finally:
            sandbox.stop()


if __name__ == "__main__":
    main()
