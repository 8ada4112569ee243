# SPDX-License-Identifier: AGPL-3.0-or-later
"""How long people wait for the pictures of a plate of 384 wells, and for answers about the table of its 768,000 objects.

.venv/bin/python scripts/tables_bench.py     # only these, on an embedded OMERO of its own
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import omero
import pandas as pd
from omero.gateway import BlitzGateway
from omero.rtypes import rint, rstring
from stack import Stack, StackOptions

from openhcs_client import MeasurementLevel, RemoteOrchestrator, TableFilter, TableFormat, TableOperator, well_name
from openhcs_execution.engine import EngineResult, LabelFile
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.results.export import pieces_of
from openhcs_execution.results.label_thumbnails import label_thumbnails
from openhcs_execution.results.table_questions import Order, histogram, points, rows
from openhcs_execution.results.tables import CommittedWell, TableStore

ROWS, COLUMNS = 16, 24
SIDE = 512
FIELDS, OBJECTS = 4, 500


def make_plate(conn: BlitzGateway) -> int:
    """A plate of 384 wells with one image of 512 x 512 pixels each, 16 bit."""
    context = conn.SERVICE_OPTS
    update = conn.getUpdateService()
    plate = omero.model.PlateI()
    plate.setName(rstring("384 wells"))
    plate = update.saveAndReturnObject(plate, context)
    rng = np.random.default_rng(0)
    base = rng.integers(90, 400, (SIDE, SIDE)).astype(np.uint16)
    for number in range(ROWS * COLUMNS):
        row, column = divmod(number, COLUMNS)
        pixels = np.roll(base, number * 7, axis=1)
        image = conn.createImageFromNumpySeq(iter([pixels]), well_name(row, column), sizeZ=1, sizeC=1, sizeT=1)
        well, sample = omero.model.WellI(), omero.model.WellSampleI()
        well.plate = omero.model.PlateI(plate.id.val, False)
        well.row, well.column = rint(row), rint(column)
        sample.image = omero.model.ImageI(image.getId(), False)
        well.addWellSample(sample)
        update.saveObject(well, context)
    return int(plate.id.val)


def draw_thumbnails(conn: BlitzGateway, plate_id: int, size: int) -> None:
    """Have OMERO draw and keep the thumbnails, as it does when images are imported."""
    wells = conn.getObject("Plate", plate_id).listChildren()
    pixels = [well.getImage().getPrimaryPixels().getId() for well in wells]
    store = conn.createThumbnailStore()
    store.createThumbnailsByLongestSideSet(rint(size), pixels, conn.SERVICE_OPTS)
    store.close()


def seconds_for_pictures(client: RemoteOrchestrator, plate_id: int, size: int) -> float:
    """One request through OMERO.web, until the whole answer is there."""
    started = time.perf_counter()
    sheet = client.plate_thumbnails(plate_id, size=size)
    seconds = time.perf_counter() - started
    if len(sheet.wells) != ROWS * COLUMNS:
        raise RuntimeError(f"{len(sheet.wells)} of {ROWS * COLUMNS} wells have a picture")
    return seconds


def table_times() -> dict[str, float]:
    """Seconds of the service for questions about 768,000 objects with 12 measurements, without the network."""
    times: dict[str, float] = {}

    def timed(name: str, work: Callable[[], object]) -> None:
        started = time.perf_counter()
        work()
        times[f"table_768k_{name}"] = time.perf_counter() - started

    with tempfile.TemporaryDirectory(prefix="tables-bench-") as folder:
        store, wells = _filled(Path(folder))
        tables = TableStore(store)
        level = MeasurementLevel.OBJECT
        timed("first_read", lambda: tables.table("run", wells, level))
        table = tables.table("run", wells, level)
        large = [TableFilter(column="m3", operator=TableOperator.GREATER, value=120.0)]
        timed("sorted_page", lambda: rows(table, level, order=Order("m3", descending=True), offset=1000))
        timed("filtered_page", lambda: rows(table, level, filters=large))
        timed("histogram", lambda: histogram(table, "m1"))
        timed("points", lambda: points(table, "m1", "m2").model_dump_json())
        timed("csv", lambda: sum(map(len, pieces_of(table, TableFormat.CSV))))
        timed("parquet", lambda: sum(map(len, pieces_of(table, TableFormat.PARQUET))))
        timed("label_pictures_384", lambda: label_thumbnails(store, "run", wells))
    return times


def _filled(folder: Path) -> tuple[ResultStore, list[CommittedWell]]:
    store, wells = ResultStore(folder / "results"), []
    rng = np.random.default_rng(0)
    count = FIELDS * OBJECTS
    for number in range(ROWS * COLUMNS):
        well = well_name(*divmod(number, COLUMNS))
        made = folder / well
        made.mkdir()
        columns = {"well": [well] * count, "field": np.repeat(np.arange(1, FIELDS + 1), OBJECTS), "object": ["nuclei"] * count}
        columns |= {"label": np.tile(np.arange(1, OBJECTS + 1), FIELDS)}
        columns |= {f"m{name}": rng.normal(100, 20, count) for name in range(12)}
        pd.DataFrame(columns).to_parquet(made / "objects.parquet")
        pd.DataFrame({"well": [well], "field": [1]}).to_parquet(made / "fields.parquet")
        np.save(made / "labels.npy", (np.arange(1080 * 1080).reshape(1080, 1080) // 5000).astype(np.int32))
        labels = [LabelFile(field=1, name="nuclei", path=made / "labels.npy", objects=234)]
        result = EngineResult(
            well=well,
            seconds=1,
            fields_table=made / "fields.parquet",
            objects_table=made / "objects.parquet",
            labels=labels,
        )
        store.write("run", 1, result)
        wells.append(CommittedWell(well, 1, {"m0": 1.0}))
    return store, wells


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tables-bench-") as folder, Stack(StackOptions(folder=Path(folder))) as stack:
        user = next(iter(stack.users().values()))
        client = RemoteOrchestrator.sign_in_to_web(stack.web_url, user.name, user.password, timeout=60)
        conn = BlitzGateway(user.name, user.password, host="127.0.0.1", port=stack.omero_port)
        if not conn.connect():
            raise RuntimeError("cannot connect to the embedded OMERO")
        plate_id = make_plate(conn)
        print(f"pictures of 384 wells, not drawn before: {seconds_for_pictures(client, plate_id, 48):.2f} s")
        draw_thumbnails(conn, plate_id, 64)
        print(f"pictures of 384 wells: {seconds_for_pictures(client, plate_id, 64):.2f} s")
        print(f"the same again: {seconds_for_pictures(client, plate_id, 64):.2f} s")
        conn.close()
    for name, seconds in table_times().items():
        print(f"{name}: {seconds:.2f} s")


if __name__ == "__main__":
    main()
