# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the whole system costs on top of bare OpenHCS, for wells that take nothing, one second and five.

Nothing: one step that measures the mean of a field of 64 x 64 pixels. One and five seconds: white top hats, one after the
other, on the three fields of real wells, with a measurement at the end. The same documents run on bare OpenHCS with as many
processes as there are workers; its start-up, which a warm service does not pay, is taken off.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import omero
from omero.gateway import BlitzGateway
from omero.rtypes import rint, rstring

from openhcs_client import PipelineDocument, PipelineStep, well_name
from openhcs_execution.engine.bare import run_bare
from openhcs_execution.engine.staging import StagingFolder, read_staged_planes, write_index

__all__ = [
    "Overhead",
    "compare",
    "cost_of_a_run",
    "cost_of_a_well",
    "filters",
    "make_tiny_plate",
    "nothing",
    "stage_tiny_plate",
    "tiny_wells",
]

EDGE, ROWS, COLUMNS = 64, 8, 12
_MEASURE = PipelineStep(name="Intensity", function="omero_openhcs:measure_field_intensity")


@dataclass(frozen=True)
class Overhead:
    """Seconds of wall time of ``wells`` wells on ``slots`` slots. ``bare`` is without the start-up of its processes."""

    wells: int
    slots: int
    whole: float
    bare: float

    @property
    def ratio(self) -> float:
        return self.whole / self.bare

    @property
    def well_seconds(self) -> float:
        """What a well takes on bare OpenHCS."""
        return self.bare * self.slots / self.wells


def cost_of_a_well(few: Overhead, many: Overhead) -> float:
    """Seconds of a slot that one more well costs more than on bare OpenHCS, from runs of a pipeline on few and many wells."""
    more = (many.whole - few.whole) - (many.bare - few.bare)
    return more * many.slots / (many.wells - few.wells)


def cost_of_a_run(few: Overhead, many: Overhead) -> float:
    """Seconds that a run costs more than on bare OpenHCS, whatever its number of wells: sessions, table, provenance."""
    return few.whole - few.bare - cost_of_a_well(few, many) * few.wells / few.slots


def nothing() -> PipelineDocument:
    """A pipeline that computes next to nothing."""
    return PipelineDocument(id="bench-nothing", name="Nothing", steps=[_MEASURE])


def filters(count: int) -> PipelineDocument:
    """A pipeline of ``count`` slow filters."""
    steps = [
        PipelineStep(name=f"Top hat {number}", function="skimage:morphology.white_tophat") for number in range(1, count + 1)
    ]
    return PipelineDocument(id=f"bench-filters-{count}", name="Filters", steps=[*steps, _MEASURE])


def compare(
    document: PipelineDocument,
    local: Path,
    channels: list[str],
    whole: Callable[[PipelineDocument], float],
    *,
    slots: int,
    repeats: int,
    work: Path,
    home: Path,
) -> Overhead:
    """Run ``document`` in both ways, taking turns, and return the medians. ``whole`` runs it on the plate in OMERO."""
    wells = len({plane.well for plane in read_staged_planes(local)})
    bare_seconds, whole_seconds = [], []
    for number in range(repeats):
        output = work / f"{document.id}-{number}"
        done = run_bare(local, document, channels, processes=slots, output=output, home=home)
        shutil.rmtree(output, ignore_errors=True)
        bare_seconds.append(done.seconds - done.startup_seconds)
        whole_seconds.append(whole(document))
    return Overhead(wells, slots, statistics.median(whole_seconds), statistics.median(bare_seconds))


def _tiny(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 255, (EDGE, EDGE), np.uint8)


def make_tiny_plate(connection: BlitzGateway) -> int:
    """A full 96-well plate with one tiny field in each well; returns its id."""
    update, context = connection.getUpdateService(), connection.SERVICE_OPTS
    plate = omero.model.PlateI()
    plate.setName(rstring("Tiny wells"))
    plate.rows, plate.columns = rint(ROWS), rint(COLUMNS)
    plate = update.saveAndReturnObject(plate, context)
    for number in range(ROWS * COLUMNS):
        image = connection.createImageFromNumpySeq(iter([_tiny(number)]), f"tiny {number}")
        well = omero.model.WellI()
        well.plate = omero.model.PlateI(plate.id.val, False)
        well.row, well.column = rint(number // COLUMNS), rint(number % COLUMNS)
        sample = omero.model.WellSampleI()
        sample.image = omero.model.ImageI(image.getId(), False)
        well.addWellSample(sample)
        update.saveObject(well, context)
    return int(plate.id.val)


def tiny_wells(rows: int = ROWS) -> list[str]:
    """Names of the wells of the first rows of the tiny plate."""
    return [well_name(number // COLUMNS, number % COLUMNS) for number in range(rows * COLUMNS)]


def stage_tiny_plate(folder: Path, channels: list[str], rows: int = ROWS) -> Path:
    """The first rows of the same plate as files for bare OpenHCS."""
    planes = []
    for number in range(rows * COLUMNS):
        staging = StagingFolder(folder, well_name(number // COLUMNS, number % COLUMNS), channels, None)
        staging.add_plane(1, 1, 1, 1, _tiny(number))
        staging.finish()
        planes += read_staged_planes(folder)
    write_index(folder, planes, channels, None)
    return folder
