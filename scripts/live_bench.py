# SPDX-License-Identifier: AGPL-3.0-or-later
"""The part of the benchmark that somebody waits for who sets up a run: testing one well again, and checking the run.

Both are measured through OMERO.web, as the page does it. The well has four fields of 1024 x 1024 pixels in three channels; the
value that changes is the channel of the last step, each time one that was not tried before.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Mapping

import numpy as np
import omero
from omero.gateway import BlitzGateway
from omero.rtypes import rint, rstring

from omero_sandbox.demo.synthetic import make_field
from openhcs_client import ParameterValue, RemoteOrchestrator

__all__ = ["make_well", "seconds_to_check", "seconds_to_test"]

PIPELINE = "nuclei-count"
WELL = "A01"
EDGE, FIELDS, CHANNELS = 1024, 4, 3
ASK_EVERY = 0.25
"""How often the page asks, in seconds."""


def make_well(connection: BlitzGateway) -> int:
    """A plate of one well with nuclei; returns its id."""
    small = make_field("B07", 1).image[0]
    times = -(-EDGE // min(small.shape))
    large = np.tile(small, (times, times))[:EDGE, :EDGE]
    update, context = connection.getUpdateService(), connection.SERVICE_OPTS
    plate = omero.model.PlateI()
    plate.setName(rstring("One well of four fields"))
    plate = update.saveAndReturnObject(plate, context)
    well = omero.model.WellI()
    well.plate, well.row, well.column = omero.model.PlateI(plate.id.val, False), rint(0), rint(0)
    for field in range(FIELDS):
        planes = (np.roll(large, 37 * field + channel, axis=0) for channel in range(CHANNELS))
        image = connection.createImageFromNumpySeq(planes, f"field {field + 1}", sizeZ=1, sizeC=CHANNELS, sizeT=1)
        sample = omero.model.WellSampleI()
        sample.image = omero.model.ImageI(image.getId(), False)
        well.addWellSample(sample)
    update.saveObject(well, context)
    return int(plate.id.val)


def seconds_to_test(client: RemoteOrchestrator, plate_id: int) -> tuple[float, float]:
    """Seconds from the click to the picture: of the first test on warm workers, and again after a change of the last step."""
    first = _test(client, plate_id, {"stain-channel": 1})
    again = [_test(client, plate_id, {"stain-channel": channel}) for channel in range(2, CHANNELS + 1)]
    return first, statistics.median(again)


def _test(client: RemoteOrchestrator, plate_id: int, values: Mapping[str, ParameterValue]) -> float:
    started = time.monotonic()
    config = {"test_well": WELL, "parameters": dict(values)}
    execution_id = client.execute_remote(plate_id=plate_id, pipeline=PIPELINE, config=config)
    cursor, final = 0, False
    while not final:
        page = client.events(execution_id, since=cursor)
        cursor, final = page.next, page.status.is_final
        if not final:
            time.sleep(ASK_EVERY)
    if page.status != "completed":
        raise RuntimeError(f"the test ended as {page.status}")
    label = client.labels(execution_id, WELL)[0]
    client.label_image(execution_id, WELL, label.field, label.name)
    return time.monotonic() - started


def seconds_to_check(client: RemoteOrchestrator, plate_id: int) -> float:
    """Median seconds until a run is checked by OpenHCS and estimated, of pipelines that it was not asked about before."""
    document = client.pipeline(PIPELINE)[0]
    while not client.validate(document, plate_id=plate_id).complete:  # the engine for questions starts last
        time.sleep(ASK_EVERY)
    seconds = []
    for split, border in itertools.product((True, False), repeat=2):
        started = time.monotonic()
        report = client.validate(document, plate_id=plate_id, parameters={"split-touching": split, "exclude-border": border})
        seconds.append(time.monotonic() - started)
        if not (report.valid and report.complete):
            raise RuntimeError(f"the check ended as {report}")
    return statistics.median(seconds[1:])  # the first is the pipeline's own defaults, which were asked about above
