# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bundles appear whole or not at all; pages cut across wells; what is missing is null."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from openhcs_client import MeasurementLevel, OpenHCSError
from openhcs_execution.database import Database
from openhcs_execution.engine import EngineResult, LabelFile
from openhcs_execution.queue import wells
from openhcs_execution.queue.wells import ComputedWell
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.results.labels import list_labels, read_label_image
from openhcs_execution.results.measurements import read_measurements
from openhcs_execution.results.tidying import discard_unwanted
from tests.execution.queued import claim_all, enqueue, execution, open_database


def engine_result(folder: Path, well: str, objects: int, **columns: list) -> EngineResult:
    """What the engine leaves in its output folder."""
    folder.mkdir(parents=True)
    pd.DataFrame({"well": [well], "field": [1], "count": [objects]}).to_parquet(folder / "f.parquet")
    table = {"well": [well] * objects, "label": list(range(1, objects + 1)), "area": [float("nan")] + [2.0] * (objects - 1)}
    pd.DataFrame(table | columns).to_parquet(folder / "o.parquet")
    np.save(folder / "l.npy", np.full((3, 4), objects, np.int32))
    label = LabelFile(field=1, name="../nuclei", path=folder / "l.npy", objects=objects)
    return EngineResult(
        well=well, seconds=1, fields_table=folder / "f.parquet", objects_table=folder / "o.parquet", labels=[label]
    )


@pytest.fixture
def database(tmp_path: Path):
    database = open_database(tmp_path)
    yield database
    database.close()


@pytest.fixture
def filled(database: Database, tmp_path: Path):
    """Three committed wells with 2, 3 and 4 objects; the second has a column of its own."""
    store = ResultStore(tmp_path / "results")
    number = enqueue(database, 4)
    execution_id = execution(database, number).execution_id
    for position, claimed in enumerate(claim_all(database)[:3]):
        more = {"extra": [1, 2, 3]} if position == 1 else {}
        result = engine_result(tmp_path / claimed.name, claimed.name, position + 2, **more)
        bundle = store.write(execution_id, claimed.attempt, result)
        measured = {"count": float(position), "mean": float("inf") if position == 0 else 1.0}
        wells.commit_well(database, claimed, ComputedWell(1.0, measured, bundle.field_rows, bundle.object_rows, 1))
    return store, number


def page(database: Database, filled, level: str, **more):
    store, number = filled
    with database.read() as session:
        row = execution(database, number)
        return read_measurements(session, store, row, level=MeasurementLevel(level), **more)


def test_pages_cut_across_wells_and_lose_nothing(database: Database, filled) -> None:
    whole = page(database, filled, "object")
    assert whole.columns == ["well", "label", "area", "extra"]
    assert whole.total_rows == len(whole.rows) == 9
    for limit in (1, 2, 4, 9):
        rows, cursor = [], None
        while True:
            part = page(database, filled, "object", cursor=cursor, limit=limit)
            rows += part.rows
            cursor = part.next_cursor
            if cursor is None:
                break
        assert rows == whole.rows


def test_missing_values_are_null(database: Database, filled) -> None:
    rows = page(database, filled, "object").rows
    assert rows[0] == ["A01", 1, None, None]
    assert rows[2] == ["A02", 1, None, 1]
    assert page(database, filled, "well").rows[0] == ["A01", 0.0, None]


def test_one_well_and_unknown_wells(database: Database, filled) -> None:
    assert {row[0] for row in page(database, filled, "object", well="a2").rows} == {"A02"}
    assert page(database, filled, "object", well="A04").rows == []  # not computed yet
    for well in ("H12", "../x"):
        with pytest.raises(OpenHCSError) as refused:
            page(database, filled, "field", well=well)
        assert refused.value.status == 404
    with pytest.raises(OpenHCSError, match="cursor"):
        page(database, filled, "field", cursor="-1")


def test_label_images_are_found_by_name_and_names_are_no_paths(database: Database, filled) -> None:
    store, number = filled
    row = execution(database, number)
    with database.read() as session:
        [(label, image_id)] = list_labels(session, store, row, "A01")
        assert (label.name, image_id) == ("../nuclei", None)
        assert label.path.is_relative_to(store.root)
        assert read_label_image(session, store, row, "A01", 1, "../nuclei").tolist() == [[2] * 4] * 3
        with pytest.raises(OpenHCSError, match="no label image"):
            read_label_image(session, store, row, "A01", 1, "../../secret")
        assert list_labels(session, store, row, "A04") == []


def test_a_bundle_that_cannot_be_finished_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ResultStore(tmp_path / "results")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("openhcs_execution.results.bundle._write_durably", full)
    with pytest.raises(OSError, match="No space"):
        store.write("e", 1, engine_result(tmp_path / "out", "A01", 2))
    assert list(store.root.rglob("*")) == [store.root / "e"]


def test_the_same_attempt_twice_is_the_same_bundle(tmp_path: Path) -> None:
    store = ResultStore(tmp_path / "results")
    first = store.write("e", 1, engine_result(tmp_path / "one", "A01", 2))
    second = store.write("e", 1, engine_result(tmp_path / "two", "A01", 5))
    assert first.folder == second.folder
    assert second.object_rows == 2


def test_only_attempts_that_nobody_waits_for_are_removed(database: Database, tmp_path: Path) -> None:
    store = ResultStore(tmp_path / "results")
    number = enqueue(database, 1)
    execution_id = execution(database, number).execution_id
    [old] = claim_all(database)
    store.write(execution_id, old.attempt, engine_result(tmp_path / "one", "A01", 2))
    assert not discard_unwanted(database, store, old)  # it may still be committed
    wells.put_back(database, old)
    [new] = claim_all(database)
    store.write(execution_id, new.attempt, engine_result(tmp_path / "two", "A01", 3))
    assert discard_unwanted(database, store, old)
    wells.commit_well(database, new, ComputedWell(1.0, {}, 1, 3, 1))
    assert not discard_unwanted(database, store, new)
    assert [folder.name for folder in (store.root / execution_id).iterdir()] == ["A01.2"]
