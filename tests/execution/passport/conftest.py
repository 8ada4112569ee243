# SPDX-License-Identifier: AGPL-3.0-or-later
"""An ended execution of the built-in pipeline that counts nuclei, with bundles of two wells and a third that failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from openhcs_client import FailureClass, Passport, PipelineDocument, WellFailure, read_passport
from openhcs_execution.catalogue import FunctionCatalogue, PipelineCatalogue
from openhcs_execution.database import Database
from openhcs_execution.engine import EngineResult, Hardware, LabelFile
from openhcs_execution.passport import PassportArchive, gather
from openhcs_execution.queue import executions, wells
from openhcs_execution.queue.wells import ComputedWell
from openhcs_execution.results.bundle import ResultStore
from tests.execution.queued import claim_all, enqueue, execution, open_database

VERSIONS = {"openhcs": "0.5.18", "numpy": "2.0.0", "scipy": "1.14.0", "scikit-image": "0.25.0", "python": "3.11.2"}


@pytest.fixture(scope="session")
def document() -> PipelineDocument:
    return PipelineCatalogue.packaged().resolve("nuclei-count", None)


@pytest.fixture(scope="session")
def functions() -> FunctionCatalogue:
    return FunctionCatalogue.packaged()


@pytest.fixture
def database(tmp_path: Path):
    database = open_database(tmp_path)
    yield database
    database.close()


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    return ResultStore(tmp_path / "results")


@pytest.fixture
def run(database: Database, store: ResultStore, document: PipelineDocument, tmp_path: Path) -> Callable[..., int]:
    """Run it and return the internal number; ``area`` is what the first object of each well measures."""

    def make(area: float = 20.0, **more) -> int:
        number = enqueue(database, 3, document=document, **more)
        execution_id = execution(database, number).execution_id
        for position, claimed in enumerate(claim_all(database)):
            if position == 2:
                failure = WellFailure(cause=FailureClass.BAD_INPUT, message="Well A03 is black.", traceback="/secret/path")
                wells.fail_well(database, claimed, failure, 1.0)
                continue
            result = _result(tmp_path / execution_id / claimed.name, claimed.name, position + 1, area)
            bundle = store.write(execution_id, claimed.attempt, result)
            measured = {"nuclei_count": float(position + 1), "area": area, "strange": float("nan")}
            wells.commit_well(
                database, claimed, ComputedWell(1.0, measured, bundle.field_rows, bundle.object_rows, 1, versions=VERSIONS)
            )
            wells.saved_well(database, number, claimed.name, {"1/nuclei": 900 + position})
        executions.finish(database, number)
        return number

    return make


@pytest.fixture
def passport(database: Database, store: ResultStore, functions: FunctionCatalogue, tmp_path: Path) -> Callable[..., Path]:
    """The passport of an execution as a file."""

    def make(number: int, *, labels: bool = False, most: int = 2**30) -> Path:
        with database.read() as session:
            gathered = gather(session, store, execution(database, number), "omero.example.org:4064", labels=labels)
        path = tmp_path / f"passport-{number}.zip"
        path.write_bytes(b"".join(PassportArchive(gathered, functions, tmp_path, most_label_bytes=most).stream()))
        return path

    return make


@pytest.fixture
def read(passport: Callable[..., Path]) -> Callable[..., Passport]:
    return lambda number: read_passport(passport(number))


def _result(folder: Path, well: str, objects: int, area: float) -> EngineResult:
    folder.mkdir(parents=True)
    pd.DataFrame({"well": [well], "field": [1], "nuclei_count": [objects]}).to_parquet(folder / "f.parquet")
    areas = [area] + [2.5] * (objects - 1)
    table = {"well": [well] * objects, "field": 1, "label": list(range(1, objects + 1)), "area": areas}
    pd.DataFrame(table).to_parquet(folder / "o.parquet")
    np.save(folder / "l.npy", np.full((8, 8), objects, np.int32))
    return EngineResult(
        well=well,
        seconds=1,
        fields_table=folder / "f.parquet",
        objects_table=folder / "o.parquet",
        labels=[LabelFile(field=1, name="nuclei", path=folder / "l.npy", objects=objects)],
        versions=VERSIONS,
        input_sha256={1: "ab" * 32},
        hardware=Hardware(processor="A processor", architecture="x86_64", system="Linux", cores=2, memory_mb=4096),
    )
