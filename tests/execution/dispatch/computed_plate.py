# SPDX-License-Identifier: AGPL-3.0-or-later
"""An execution whose wells are computed, without an engine: its bundles are on disk and its wells wait to be saved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from omero.gateway import BlitzGateway
from sqlalchemy import select

from openhcs_client import Measurement, PlateLayout, SavingOptions, WellLayout
from openhcs_execution.database import Database, ExecutionInput, ExecutionRow, WellRow
from openhcs_execution.dispatch.saving import SavedExecution, save_summary, save_well
from openhcs_execution.engine import EngineResult, ImageFile, LabelFile
from openhcs_execution.queue import wells
from openhcs_execution.queue.adding import NewExecution, add_execution
from openhcs_execution.queue.wells import ComputedWell
from openhcs_execution.results.bundle import ResultStore
from tests.execution.omero_io.world import label_files
from tests.execution.queued import DOCUMENT, claim_all, open_database

MEASURED = DOCUMENT.model_copy(
    update={
        "measurements": [Measurement(name="nuclei_count", title="Nuclei", unit="nuclei")],
        "primary_measurement": "nuclei_count",
    }
)


def processed_array(field: int, channel: int, size: tuple[int, int]) -> np.ndarray:
    """What stands for a processed image: no two rows, columns, fields or channels are alike."""
    ramp = np.arange(size[0] * size[1], dtype=np.float32).reshape(size)
    return ramp / 2 + 1000 * np.float32(field) + 10_000 * np.float32(channel)


@dataclass
class ComputedPlate:
    """A database and a result store of its own."""

    folder: Path
    layout: PlateLayout
    conn: BlitzGateway

    def __post_init__(self) -> None:
        self.database: Database = open_database(self.folder)
        self.store = ResultStore(self.folder / "results")

    def run(self, *, crowd: int = 0, sealed_session: str = "sealed", **saving) -> int:
        """Queue and compute; returns the internal number. Two objects in each field, or ``crowd`` of them."""
        new = NewExecution(
            owner_id=self.conn.getUserId(),
            owner_name="Ada Lovelace",
            document=MEASURED,
            applied=MEASURED,
            parameters={},
            layout=self.layout,
            wells=[well.well for well in self.layout.wells],
            sealed_session=sealed_session,
            saving=SavingOptions(**saving),
        )
        execution_id = add_execution(self.database, new)
        for claimed in claim_all(self.database):
            folder = self.folder / execution_id / claimed.name
            files = self._labels(folder, self.layout.well(claimed.name), crowd)
            images = self._images(folder, self.layout.well(claimed.name)) if saving.get("processed") else []
            result = EngineResult(well=claimed.name, seconds=1, fields_table=folder / "f.parquet", labels=files, images=images)
            count = [file.objects for file in files]
            table = {"well": claimed.name, "field": [file.field for file in files], "nuclei_count": count}
            pd.DataFrame(table).to_parquet(folder / "f.parquet")
            bundle = self.store.write(execution_id, claimed.attempt, result)
            measured = {"nuclei_count": float(sum(count))}
            wells.commit_well(self.database, claimed, ComputedWell(1.0, measured, bundle.field_rows, 0, len(files)))
        with self.database.read() as session:
            return session.scalars(select(ExecutionRow.number).where(ExecutionRow.execution_id == execution_id)).one()

    def _labels(self, folder: Path, well: WellLayout, crowd: int) -> list[LabelFile]:
        files = label_files(folder, well)
        if not crowd:
            return files
        for file in files:
            shape = np.load(file.path).shape
            numbers = np.zeros(shape, np.int32)
            numbers[::2, ::2].flat[:crowd] = np.arange(1, crowd + 1)
            np.save(file.path, numbers)
        return [file.model_copy(update={"objects": crowd}) for file in files]

    def _images(self, folder: Path, well: WellLayout) -> list[ImageFile]:
        """Processed images of all fields and channels, float32."""
        files = []
        for each in well.fields:
            for channel in range(1, each.size_c + 1):
                path = folder / f"image-{each.field}-{channel}.npy"
                np.save(path, processed_array(each.field, channel, (each.size_y, each.size_x)))
                files.append(ImageFile(field=each.field, channel=channel, path=path))
        return files

    def saved(self, number: int) -> SavedExecution:
        """The execution as its saver knows it now."""
        with self.database.read() as session:
            return SavedExecution(
                session.get_one(ExecutionRow, number), session.get_one(ExecutionInput, number), self.layout, "sealed"
            )

    def save(self, number: int, conn: object | None = None) -> str:
        """Save all of it, as the saver does; returns the note for the user."""
        to = conn if conn is not None else self.conn
        for well in self.layout.wells:
            images = save_well(to, self.database, self.store, self.saved(number), well.well)
            wells.saved_well(self.database, number, well.well, images)
        return save_summary(to, self.database, self.store, self.saved(number))

    def well(self, number: int, name: str) -> WellRow:
        with self.database.read() as session:
            return session.get_one(WellRow, (number, name))
