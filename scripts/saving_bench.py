# SPDX-License-Identifier: AGPL-3.0-or-later
"""How much of a run's time goes into saving in OMERO: the same run with label images and table, and with neither.

Saving overlaps computing, so what counts is how much later the run ends. Each well has four fields of 1024 x 1024 pixels with
nuclei. A plate has :data:`WELLS` wells instead of 384, so that runs of both kinds, in turns, take about two minutes: label
images are saved well by well, and what is saved once (result plate, table, provenance) weighs more here than on a full plate.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import omero
from omero.gateway import BlitzGateway
from omero.rtypes import rint, rstring

from omero_sandbox.demo.synthetic import make_field
from openhcs_client import RemoteOrchestrator

__all__ = ["SavingCost", "compare", "make_plate"]

PIPELINE = "nuclei-count"
WELLS, COLUMNS, FIELDS, EDGE = 24, 6, 4, 1024
ASK_EVERY = 0.1
"""Seconds; the runs that are compared differ by little."""


@dataclass(frozen=True)
class SavingCost:
    """Seconds of wall time of the same run, medians: with everything that is saved by default, and with provenance alone."""

    saved: float
    unsaved: float
    tail: float
    """From the last computed well to the end of the run that saves everything."""

    @property
    def share(self) -> float:
        """The part of the run that is saving and nothing else."""
        return max(0.0, self.saved - self.unsaved) / self.saved


def make_plate(connection: BlitzGateway) -> int:
    """A plate of nuclei, each image with pixels of its own; returns its id."""
    small = make_field("B07", 1).image[0]
    times = -(-EDGE // min(small.shape))
    large = np.tile(small, (times, times))[:EDGE, :EDGE]
    update, context = connection.getUpdateService(), connection.SERVICE_OPTS
    plate = omero.model.PlateI()
    plate.setName(rstring("Plate of four fields"))
    plate = update.saveAndReturnObject(plate, context)
    for number in range(WELLS):
        well = omero.model.WellI()
        well.plate = omero.model.PlateI(plate.id.val, False)
        well.row, well.column = rint(number // COLUMNS), rint(number % COLUMNS)
        for field in range(FIELDS):
            plane = np.roll(large, 13 * (FIELDS * number + field), axis=0)
            image = connection.createImageFromNumpySeq(iter([plane]), f"well {number + 1} field {field + 1}")
            sample = omero.model.WellSampleI()
            sample.image = omero.model.ImageI(image.getId(), False)
            well.addWellSample(sample)
        update.saveObject(well, context)
    return int(plate.id.val)


def compare(client: RemoteOrchestrator, plate_id: int, *, repeats: int = 2) -> SavingCost:
    """Run the plate in both ways, taking turns."""
    saved, unsaved = [], []
    for _ in range(repeats):
        unsaved.append(_run(client, plate_id, {"labels": False, "table": False})[0])
        saved.append(_run(client, plate_id, {}))
    return SavingCost(
        statistics.median(seconds for seconds, _tail in saved),
        statistics.median(unsaved),
        statistics.median(tail for _seconds, tail in saved),
    )


def _run(client: RemoteOrchestrator, plate_id: int, saving: Mapping[str, bool]) -> tuple[float, float]:
    """Seconds of the run, and of it those after its last well was computed."""
    started = time.monotonic()
    execution_id = client.execute_remote(plate_id=plate_id, pipeline=PIPELINE, config={"saving": dict(saving)})
    while not (status := client.status(execution_id).status).is_final:
        time.sleep(ASK_EVERY)
    if status != "completed":
        raise RuntimeError(f"the run ended as {status}")
    return time.monotonic() - started, _after_the_last_well(client, execution_id)


def _after_the_last_well(client: RemoteOrchestrator, execution_id: str) -> float:
    events, since = [], 0
    while (page := client.events(execution_id, since)).events:
        events += page.events
        since = page.next
    computed = max(event.time for event in events if event.kind == "well_saving")
    return (events[-1].time - computed).total_seconds()
