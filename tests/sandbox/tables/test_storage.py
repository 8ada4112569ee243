# SPDX-License-Identifier: AGPL-3.0-or-later
"""Table files: every column type, and the same file read by OMERO's own storage class and the other way round."""

from __future__ import annotations

import pickle
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import omero
import omero.columns
import omero.grid
import pytest
from omero.columns import (
    BoolColumnI,
    DatasetColumnI,
    DoubleArrayColumnI,
    DoubleColumnI,
    FileColumnI,
    FloatArrayColumnI,
    ImageColumnI,
    LongArrayColumnI,
    LongColumnI,
    MaskColumnI,
    PlateColumnI,
    RoiColumnI,
    StringColumnI,
    WellColumnI,
)

from omero_sandbox.tables.columns import ColumnError
from omero_sandbox.tables.storage import TableError, TableFile


def every_column() -> list[Any]:
    return [
        FileColumnI("File", "a file", [1, 2]),
        ImageColumnI("Image", "", [3, 4]),
        WellColumnI("Well", "", [5, 6]),
        PlateColumnI("Plate", "", [7, 8]),
        DatasetColumnI("Dataset", "", [9, 10]),
        RoiColumnI("Roi", "", [11, 12]),
        BoolColumnI("Hit", "", [True, False]),
        DoubleColumnI("Mean intensity", "µm²", [0.5, float("nan")]),
        LongColumnI("Count", "", [2**62, -1]),
        StringColumnI("Compound", "", 10, ["é", ""]),
        FloatArrayColumnI("Profile", "", 2, [[0.5, 1.5], [2.5, 3.5]]),
        DoubleArrayColumnI("One", "", 1, [[1.25], [2.25]]),
        LongArrayColumnI("Box", "", 3, [[1, 2, 3], [4, 5, 6]]),
    ]


def values_of(columns: list[Any]) -> dict[str, Any]:
    return {column.name: column.values for column in columns}


def plain_equal(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert left.keys() == right.keys()
    for name in left:
        np.testing.assert_equal(left[name], right[name], err_msg=name)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "1"


@pytest.fixture
def table(path: Path) -> TableFile:
    table = TableFile(path)
    table.initialise([LongColumnI("Well", "", []), DoubleColumnI("Area", "", []), StringColumnI("Name", "", 8, [])])
    table.append(
        [
            LongColumnI("Well", "", [1, 1, 2, 3]),
            DoubleColumnI("Area", "", [1.0, 2.0, 3.0, 4.0]),
            StringColumnI("Name", "", 8, ["a", "b", "a", "µ"]),
        ]
    )
    return table


def test_every_column_type_comes_back(path: Path) -> None:
    table = TableFile(path)
    assert not table.initialised
    table.initialise(every_column())
    assert table.initialised
    assert table.row_count() == 0
    table.append(every_column())
    headers = table.headers()
    assert [(c.ice_staticId(), c.name, c.description) for c in headers] == [
        (c.ice_staticId(), c.name, c.description) for c in every_column()
    ]
    assert headers[9].size == 10
    assert headers[12].size == 3
    read = table.read(range(len(headers)), 0, 2)
    plain_equal(values_of(read), values_of(every_column()))
    assert type(read[8].values[0]) is int
    assert type(read[6].values[0]) is bool


def test_masks_come_back(path: Path) -> None:
    def masks(name: str, bits: list[bytes]) -> MaskColumnI:
        return MaskColumnI(name, "", [1, 2], [0, 0], [0, 1], [0.5, 1.5], [2.0, 3.0], [4.0, 8.0], [1.0, 1.0], bits)

    table = TableFile(path)
    columns = [masks("Nucleus", [b"\x01\xff", b""]), LongColumnI("N", "", [7, 8]), masks("Cell", [b"\x03", b"\x04\x05"])]
    table.initialise(columns)
    table.append(columns)
    table.append(columns)
    (cell, nucleus) = table.read_rows([2, 0], [3, 0])
    assert cell.bytes == [b"\x04\x05", b"\x03"]
    assert nucleus.bytes == [b"", b"\x01\xff"]
    assert (nucleus.imageId, nucleus.theT, nucleus.w) == ([2, 1], [1, 0], [8.0, 4.0])


def test_rows_are_read_in_the_order_asked_for(table: TableFile) -> None:
    (names,) = table.read_rows([2], [3, 0, 3])
    assert names.values == ["µ", "a", "µ"]
    assert table.read_rows([0], [])[0].values == []


def test_where(table: TableFile) -> None:
    assert table.where("(Well==1) | (Name=='µ')", {}) == [0, 1, 3]
    assert table.where("Area > limit", {"limit": 1.5}) == [1, 2, 3]
    assert table.where("x == 1", {"x": "Well"}) == [0, 1]
    assert table.where("Well == Area", {"Area": 1}) == [0, 1]  # a variable hides a column, as in PyTables
    assert table.where("Area > 0", {}, 1, 4, 2) == [1, 3]
    assert table.where("Area > 0", {}, 0, 2) == [0, 1]
    assert table.where("Area > 0", {}, 4, 9) == []
    for condition in ("Colour == 1", "Area", "__import__('os')", ""):
        with pytest.raises(TableError, match="Bad condition"):
            table.where(condition, {})
    with pytest.raises(TableError, match="no column 'Colour'"):
        table.where("x == 1", {"x": "Colour"})


def test_update(table: TableFile) -> None:
    table.update([DoubleColumnI("Area", "", [9.0, 8.0])], [3, 0])
    assert table.read([1], 0, 4)[0].values == [8.0, 2.0, 3.0, 9.0]
    with pytest.raises(TableError):
        table.update([DoubleColumnI("Area", "", [9.0])], [4])
    with pytest.raises(ColumnError):
        table.update([DoubleColumnI("Area", "", [9.0])], [0, 1])
    with pytest.raises(TableError):
        table.update([LongColumnI("Area", "", [9])], [0])
    assert table.read([1], 0, 4)[0].values == [8.0, 2.0, 3.0, 9.0]


def test_add_column(path: Path) -> None:
    table = TableFile(path)
    table.initialise(every_column())
    table.append(every_column())
    table.set_metadata({"unit": "µm"})
    table.add_column(LongArrayColumnI("Extra", "new", 2, [[1, 2], [3, 4]]))
    plain_equal(values_of(table.read(range(13), 0, 2)), values_of(every_column()))
    (extra,) = table.read([13], 0, 2)
    assert (extra.name, extra.description, extra.size, extra.values) == ("Extra", "new", 2, [[1, 2], [3, 4]])
    assert table.metadata()["unit"] == "µm"
    table.append([*every_column(), LongArrayColumnI("Extra", "", 2, [[5, 6], [7, 8]])])
    assert table.where("Hit", {}) == [0, 2]
    for column, error in (
        (LongColumnI("Extra", "", [1, 2, 3, 4]), TableError),
        (LongColumnI("Short", "", [1]), ColumnError),
        (LongColumnI("", "", [1, 2, 3, 4]), ColumnError),
        (MaskColumnI("Mask", "", *[[1, 2, 3, 4]] * 8), TableError),
    ):
        with pytest.raises(error):
            table.add_column(column)
    assert len(table.headers()) == 14


def test_metadata(table: TableFile) -> None:
    table.set_metadata({"unit": "µm", "count": 3, "threshold": 0.25})
    stored = table.metadata()
    assert stored["__version"] == "2"
    assert isinstance(stored["__initialized"], float)
    assert {key: value for key, value in stored.items() if not key.startswith("__")} == {
        "unit": "µm",
        "count": 3,
        "threshold": 0.25,
    }
    table.set_metadata({"count": 4}, replace=True)
    assert {key for key in table.metadata() if not key.startswith("__")} == {"count"}
    for key in ("__version", "CLASS", "FIELD_0_NAME", "NROWS", ""):
        with pytest.raises(TableError, match="reserved"):
            table.set_metadata({key: 1})


@pytest.mark.parametrize(
    "columns",
    [
        [],
        [None],
        [LongColumnI("", "", [])],
        [LongColumnI("__x", "", [])],
        [LongColumnI("a/b", "", [])],
        [LongColumnI("a", "", []), DoubleColumnI("a", "", [])],
        [omero.grid.StringColumn("a", "", 0, [])],
        [omero.grid.LongArrayColumn("a", "", 0, [])],
        [omero.grid.Column("a", "")],
    ],
)
def test_columns_that_cannot_be_stored(path: Path, columns: list[Any]) -> None:
    with pytest.raises(ColumnError):
        TableFile(path).initialise(columns)
    assert not path.exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.pop(),
        lambda c: c.append(LongColumnI("More", "", [1])),
        lambda c: c.append(c[0]),
        lambda c: c.__setitem__(0, DoubleColumnI("Well", "", [1.0])),
        lambda c: c[0].values.append(2),
        lambda c: c[2].values.__setitem__(0, "much too long"),
        lambda c: c[0].values.__setitem__(0, "text"),
        lambda c: c[0].values.__setitem__(0, 2**70),
    ],
)
def test_rows_that_do_not_fit_change_nothing(table: TableFile, change: Callable[[list[Any]], object]) -> None:
    columns = [LongColumnI("Well", "", [1]), DoubleColumnI("Area", "", [1.0]), StringColumnI("Name", "", 8, ["a"])]
    change(columns)
    with pytest.raises((TableError, ColumnError)):
        table.append(columns)
    assert table.row_count() == 4


def test_out_of_range_and_not_initialised(table: TableFile, tmp_path: Path) -> None:
    for call in (
        lambda: table.read([0], 0, 5),
        lambda: table.read([3], 0, 1),
        lambda: table.read([-1], 0, 1),
        lambda: table.read_rows([0], [4]),
        lambda: table.read_rows([0], [-1]),
        lambda: table.where("Area > 0", {}, 0, None, 0),
        lambda: table.initialise([LongColumnI("x", "", [])]),
        lambda: TableFile(tmp_path / "2").headers(),
        lambda: TableFile(tmp_path / "2").append([]),
    ):
        with pytest.raises(TableError):
            call()


def test_a_file_that_is_no_table(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("not HDF5 at all")
    other = tmp_path / "other"
    with h5py.File(other, "w") as file:
        file["OME/Measurements"] = 3
    for path in (text, other):
        with pytest.raises(TableError, match="not hold a table"):
            TableFile(path).headers()


def test_pickles_in_an_uploaded_file_stay_asleep(table: TableFile, path: Path, tmp_path: Path) -> None:
    """PyTables would unpickle this attribute; whoever may upload a file could then run code in the server."""
    witness = tmp_path / "witness"

    class Attack:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (witness,))

    with h5py.File(path, "r+") as file:
        file["OME/Measurements"].attrs["note"] = np.bytes_(pickle.dumps(Attack(), 0))
        file["OME"].attrs["FILTERS"] = np.bytes_(pickle.dumps(Attack(), 0))
    assert isinstance(table.metadata()["note"], str)
    assert table.where("Well == 1", {}) == [0, 1]
    assert not witness.exists()


def test_many_threads_append(table: TableFile, path: Path) -> None:
    def append() -> None:
        own = TableFile(path)  # as the servants of several clients do
        for _ in range(5):
            own.append([LongColumnI("Well", "", [9]), DoubleColumnI("Area", "", [1.0]), StringColumnI("Name", "", 8, ["z"])])

    threads = [threading.Thread(target=append) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(table.where("Well == 9", {})) == 20


@pytest.fixture
def communicator() -> Any:
    factories = {cls.ice_staticId(): factory for cls, factory in omero.columns.ObjectFactories.items()}
    return SimpleNamespace(
        adapter=SimpleNamespace(getCommunicator=lambda: SimpleNamespace(findObjectFactory=factories.__getitem__)), ctx={}
    )


def test_omero_reads_our_file(path: Path, communicator: Any) -> None:
    from omero.hdfstorageV2 import HDFLIST, HdfStorage

    ours = TableFile(path)
    ours.initialise(every_column())
    ours.append(every_column())
    ours.set_metadata({"unit": "µm", "count": 3})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTables dislikes column names with spaces
        theirs = HdfStorage(str(path), HDFLIST._lock)
        owner = object()
        theirs.incr(owner)
        try:
            data = theirs.read(theirs._stamp, list(range(13)), 0, 2, communicator)
            plain_equal(values_of(data.columns), values_of(every_column()))
            assert theirs.getWhereList(theirs._stamp, "(Well==6) & (Count<0)", None, None, 0, 2, 1) == [1]
            assert theirs.getWhereList(theirs._stamp, "Hit", None, None, 0, 2, 1) == [0]
            metadata = {key: value.val for key, value in theirs.get_meta_map().items()}
            assert (metadata["__version"], metadata["unit"], metadata["count"]) == ("2", "µm", 3)
            theirs.append(every_column())
        finally:
            theirs.decr(owner)
    assert ours.row_count() == 4
    plain_equal(values_of(ours.read(range(13), 2, 4)), values_of(every_column()))


def test_we_read_omeros_file(path: Path) -> None:
    from omero.hdfstorageV2 import HDFLIST, HdfStorage

    columns = [column for column in every_column() if column.description != "µm²"]  # OMERO's own code wants ASCII here
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = HdfStorage(str(path), HDFLIST._lock)
        owner = object()
        theirs.incr(owner)
        try:
            theirs.initialize(columns)
            theirs.append(columns)
            theirs.add_meta_map({"unit": omero.rtypes.rstring("µm"), "count": omero.rtypes.rlong(3)})
        finally:
            theirs.decr(owner)
    ours = TableFile(path)
    plain_equal(values_of(ours.read(range(len(columns)), 0, 2)), values_of(columns))
    assert ours.headers()[0].description == "a file"
    assert ours.where("Hit & (Compound == 'é')", {}) == [0]
    assert (ours.metadata()["unit"], ours.metadata()["count"], ours.metadata()["__version"]) == ("µm", 3, "2")
    ours.append(columns)
    assert ours.row_count() == 4
