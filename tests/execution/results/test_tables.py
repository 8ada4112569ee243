# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tables of whole executions from their bundles, each read once; label images as small pictures."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from openhcs_client import MeasurementLevel
from openhcs_execution.engine import EngineResult, LabelFile
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.results.label_thumbnails import label_thumbnails
from openhcs_execution.results.tables import CommittedWell, TableStore

OBJECT, FIELD, WELL = MeasurementLevel.OBJECT, MeasurementLevel.FIELD, MeasurementLevel.WELL


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    return ResultStore(tmp_path / "results")


def put(
    store: ResultStore, tmp: Path, well: str, objects: pd.DataFrame | None, labels: np.ndarray | None = None
) -> CommittedWell:
    folder = tmp / f"out-{well}"
    folder.mkdir()
    pd.DataFrame({"well": [well], "field": [1], "count": [0 if objects is None else len(objects)]}).to_parquet(
        folder / "f.parquet"
    )
    if objects is not None:
        objects.to_parquet(folder / "o.parquet")
    files = []
    if labels is not None:
        np.save(folder / "l.npy", labels.astype(np.int32))
        files = [LabelFile(field=1, name="nuclei", path=folder / "l.npy", objects=int(labels.max()))]
    table = None if objects is None else folder / "o.parquet"
    store.write(
        "e", 1, EngineResult(well=well, seconds=1, fields_table=folder / "f.parquet", objects_table=table, labels=files)
    )
    return CommittedWell(well, 1, {"count": 0.0 if objects is None else float(len(objects)), "odd": float("nan")})


def test_wells_with_other_columns_and_without_objects_make_one_table(store: ResultStore, tmp_path: Path) -> None:
    wells = [
        put(store, tmp_path, "A01", pd.DataFrame({"well": ["A01"] * 2, "label": [1, 2], "area": [1.0, float("inf")]})),
        put(store, tmp_path, "A02", None),
        put(store, tmp_path, "A03", pd.DataFrame({"well": ["A03"], "label": [1], "area": [3], "extra": ["x"]})),
    ]
    table = TableStore(store).table("e", wells, OBJECT)
    assert table.to_pydict() == {
        "well": ["A01", "A01", "A03"],
        "label": [1, 2, 1],
        "area": [1.0, None, 3.0],
        "extra": [None, None, "x"],
    }
    assert TableStore(store).table("e", wells, FIELD).column("count").to_pylist() == [2, 0, 1]
    by_well = TableStore(store).table("e", wells, WELL).to_pydict()
    assert by_well == {"well": ["A01", "A02", "A03"], "count": [2.0, 0.0, 1.0], "odd": [None, None, None]}


def test_a_new_well_is_the_only_one_that_is_read(store: ResultStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wells = [put(store, tmp_path, f"A0{n}", pd.DataFrame({"well": [f"A0{n}"], "v": [float(n)]})) for n in (1, 2, 3)]
    tables = TableStore(store)
    assert tables.table("e", wells[:2], OBJECT).num_rows == 2
    read = []
    plain = pq.read_table
    monkeypatch.setattr(pq, "read_table", lambda path: read.append(path) or plain(path))
    assert tables.table("e", wells, OBJECT).column("v").to_pylist() == [1.0, 2.0, 3.0]
    assert len(read) == 1


def test_what_is_kept_is_bounded(store: ResultStore, tmp_path: Path) -> None:
    wells = [put(store, tmp_path, f"A0{n}", pd.DataFrame({"well": [f"A0{n}"] * 50, "v": [1.0] * 50})) for n in range(1, 6)]
    one = TableStore(store).table("e", wells[:1], OBJECT).nbytes
    tables = TableStore(store, kept_bytes=2 * one + 10)
    assert tables.table("e", wells, OBJECT).num_rows == 250
    assert 0 < tables.used <= 2 * one + 10


def test_no_well_yet_is_a_table_without_columns(store: ResultStore) -> None:
    for level in MeasurementLevel:
        assert TableStore(store).table("e", [], level).num_columns == 0


def picture(sheet) -> np.ndarray:
    data = base64.b64decode(sheet.image.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def test_label_pictures_show_objects_in_colours_where_they_are(store: ResultStore, tmp_path: Path) -> None:
    labels = np.zeros((128, 64), np.int32)
    labels[:64, :32], labels[64:, 32:] = 1, 2
    wells = [
        put(store, tmp_path, "A01", None, labels),
        put(store, tmp_path, "A02", None),
        put(store, tmp_path, "A03", None, labels * 0),
    ]
    sheet = label_thumbnails(store, "e", wells, tile=32)
    assert (sheet.wells, sheet.without, sheet.names, sheet.name) == (["A01", "A03"], ["A02"], ["nuclei"], "nuclei")
    pixels = picture(sheet)
    assert pixels.shape == (32, 64, 3)
    first = pixels[:, :32]
    assert first[4, 10].max() > 200 and first[28, 20].max() > 200
    assert (first[4, 10] != first[28, 20]).any()
    assert (first[:, :8] == 0).all()  # half as wide as high, so it is centred
    assert (pixels[:, 32:] == 0).all()  # a field without objects is black, and not missing


def test_a_label_image_that_cannot_be_read_is_told(store: ResultStore, tmp_path: Path) -> None:
    wells = [put(store, tmp_path, f"A0{n}", None, np.ones((8, 8))) for n in (1, 2)]
    broken = store.read("e", "A01", 1).result.labels[0].path
    broken.write_bytes(b"not numpy")
    sheet = label_thumbnails(store, "e", wells)
    assert (sheet.wells, sheet.unreadable) == (["A02"], ["A01"])


def test_no_label_images_at_all(store: ResultStore, tmp_path: Path) -> None:
    sheet = label_thumbnails(store, "e", [put(store, tmp_path, "A01", None)])
    assert (sheet.wells, sheet.without, sheet.image, sheet.name) == ([], ["A01"], "", "")
