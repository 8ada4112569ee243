# SPDX-License-Identifier: AGPL-3.0-or-later
"""Does an installation work: make a small plate in OMERO, run a pipeline on it through OMERO.web, check what came out.

Run it in an environment that has omero-py and omero-openhcs, with an account that may write::

    OMERO_PASSWORD=… python deploy/smoke.py --omero 127.0.0.1:4064 --web http://127.0.0.1:4080 --user root

It prints what it checks and ends with 1 when something is wrong. The plate and its results stay unless ``--clean`` is given.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import omero
from omero.gateway import BlitzGateway
from omero.rtypes import rint, rstring

from openhcs_client import RemoteOrchestrator

WELLS = {(0, 0): 3, (0, 1): 5}
"""Nuclei that are painted into the wells, by row and column."""
SIZE = 128

Result = TypeVar("Result")


def main() -> int:
    options = _options()
    password = os.environ.get("OMERO_PASSWORD")
    if not password:
        print("set OMERO_PASSWORD", file=sys.stderr)
        return 2
    host, _, port = options.omero.rpartition(":")
    conn = _retry(lambda: _connect(host, int(port), options.user, password), options.patience, "OMERO.server")
    try:
        plate_id = make_plate(conn)
        print(f"plate {plate_id} is in OMERO")
        problems = run_and_check(options, password, plate_id)
        if options.clean:
            conn.deleteObjects("Plate", [plate_id], deleteAnns=True, deleteChildren=True, wait=True)
    finally:
        conn.close()
    for problem in problems:
        print(f"WRONG: {problem}", file=sys.stderr)
    print("everything is as it should be" if not problems else f"{len(problems)} things are wrong")
    return 1 if problems else 0


def run_and_check(options: argparse.Namespace, password: str, plate_id: int) -> list[str]:
    """Run *Count nuclei* on the plate and return what is not as expected."""
    client = _retry(
        lambda: RemoteOrchestrator.sign_in_to_web(options.web, options.user, password), options.patience, "OMERO.web"
    )
    with client:
        _retry(lambda: _ready(client), options.patience, "the workers of the execution service")
        execution_id = client.execute_remote(plate_id=plate_id, pipeline="nuclei-count")
        print(f"execution {execution_id} is queued")
        ended = client.wait(execution_id, progress=False)
        detail = client.execution(execution_id)
    problems = [] if ended.status == "completed" else [f"the run ended as {ended.status}: {ended.message}"]
    found = {(well.row, well.column): well.measurements.get("nuclei_count") for well in detail.wells}
    for place, count in WELLS.items():
        if found.get(place) != count:
            problems.append(f"well {place}: {found.get(place)} nuclei instead of {count}")
    if detail.results.table_file_id is None:
        problems.append("no table was saved in OMERO")
    return problems


def make_plate(conn: BlitzGateway) -> int:
    """A plate of two wells with one field each, in the user's default group."""
    update = conn.getUpdateService()
    plate = omero.model.PlateI()
    plate.setName(rstring("OpenHCS smoke test"))
    plate = update.saveAndReturnObject(plate, conn.SERVICE_OPTS)
    for (row, column), count in WELLS.items():
        image = conn.createImageFromNumpySeq(iter([_nuclei(count)]), f"{row} {column}", sizeZ=1, sizeC=1, sizeT=1)
        well, sample = omero.model.WellI(), omero.model.WellSampleI()
        well.plate = omero.model.PlateI(plate.id.val, False)
        well.row, well.column = rint(row), rint(column)
        sample.image = omero.model.ImageI(image.getId(), False)
        well.addWellSample(sample)
        update.saveObject(well, conn.SERVICE_OPTS)
    return int(plate.id.val)


def _nuclei(count: int) -> np.ndarray:
    """A field with ``count`` bright round nuclei that do not touch, uint16 of shape (y, x)."""
    pixels = np.random.default_rng(count).normal(400, 20, (SIZE, SIZE))
    rows, columns = np.mgrid[:SIZE, :SIZE]
    places = [(row, column) for row in range(16, SIZE, 32) for column in range(16, SIZE, 32)]
    for row, column in places[:count]:
        pixels += 8000 / (1 + np.exp((np.hypot(rows - row, columns - column) - 9) * 1.5))
    return np.clip(pixels, 0, 65535).astype("uint16")


def _connect(host: str, port: int, user: str, password: str) -> BlitzGateway:
    conn = BlitzGateway(user, password, host=host, port=port, secure=True)
    if not conn.connect():
        raise ConnectionError(conn.getLastError())
    return conn


def _ready(client: RemoteOrchestrator) -> bool:
    if client.health().status != "ok":
        raise ConnectionError("it is starting")
    return True


def _retry(ask: Callable[[], Result], seconds: float, what: str) -> Result:
    """Servers may be starting: ask again until they answer or the patience is over."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except Exception as error:
            if time.monotonic() > deadline:
                raise SystemExit(f"{what} does not answer: {error}") from error
            time.sleep(3)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--omero", default="127.0.0.1:4064", help="host:port of OMERO.server")
    parser.add_argument("--web", default="http://127.0.0.1:4080", help="address of OMERO.web")
    parser.add_argument("--user", default="root")
    parser.add_argument("--patience", type=float, default=300, help="seconds to wait for servers that are starting")
    parser.add_argument("--clean", action="store_true", help="delete the plate afterwards")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
