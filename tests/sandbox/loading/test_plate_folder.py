# SPDX-License-Identifier: AGPL-3.0-or-later
"""Folders of TIFF files: what becomes of good ones, and what is said about bad ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from omero_sandbox.loading.plate_folder import FolderError, plate_format, read_plane, scan_folder


def plane(value: int = 0, shape: tuple[int, ...] = (6, 8), dtype: str = "uint16") -> np.ndarray:
    return np.full(shape, value, dtype)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two wells, two fields, two channels, two sections."""
    for well in ("B02", "C10"):
        for field in (1, 2):
            for channel in (1, 2):
                for z in (1, 2):
                    value = channel * 1000 + field * 100 + z
                    tifffile.imwrite(tmp_path / f"x_{well}_T0001F{field:03}L01A01Z{z:02}C{channel:02}.tif", plane(value))
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "A01.tif").mkdir()
    return tmp_path


def test_a_good_folder(folder: Path) -> None:
    plate = scan_folder(folder)
    assert plate.pattern == "cellvoyager"
    assert plate.fields == {(1, 1): ("001", "002"), (2, 9): ("001", "002")}
    assert (plate.channels, plate.sections, plate.times) == (("01", "02"), ("01", "02"), ("0001",))
    assert (plate.size_x, plate.size_y, plate.dtype, plate.image_count) == (8, 6, "uint16", 4)
    assert [int(each[0, 0]) for each in plate.planes(2, 9, "002")] == [1201, 2201, 1202, 2202]  # z, then channel
    assert plate_format(plate) == (8, 12)


def test_labels_sort_as_numbers(tmp_path: Path) -> None:
    for field in (10, 9, 1):
        tifffile.imwrite(tmp_path / f"A01_s{field}_w1.tif", plane())
    assert scan_folder(tmp_path).fields == {(0, 0): ("1", "9", "10")}


@pytest.mark.parametrize(
    ("wells", "expected"),
    [
        (["A01"], (2, 3)),
        (["H12"], (8, 12)),
        (["H01"], (8, 12)),
        (["O01", "O24"], (16, 24)),
        (["AF48"], (32, 48)),
        (["AZ01"], (52, 1)),
    ],
)
def test_the_format_of_the_plate(tmp_path: Path, wells: list[str], expected: tuple[int, int]) -> None:
    for well in wells:
        tifffile.imwrite(tmp_path / f"{well}.tif", plane())
    plate = scan_folder(tmp_path)
    assert plate_format(plate) == expected
    assert plate_format(plate, 60, 50) == (60, 50)


def test_wells_outside_the_plate_are_named(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "C04.tif", plane())
    for size in ({"rows": 2}, {"columns": 3}):
        with pytest.raises(FolderError, match="Well C04 lies outside a plate"):
            plate_format(scan_folder(tmp_path), **size)


def test_big_endian_files_come_out_right(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "A01.tif", plane(258), byteorder=">")
    read = read_plane(tmp_path / "A01.tif")
    assert read.dtype == np.uint16
    assert read.dtype.isnative
    assert (read == 258).all()


def remove_one_channel(folder: Path) -> None:
    (folder / "x_C10_T0001F002L01A01Z01C02.tif").unlink()
    (folder / "x_C10_T0001F002L01A01Z02C02.tif").unlink()


def resize_one(folder: Path) -> None:
    tifffile.imwrite(folder / "x_C10_T0001F002L01A01Z01C02.tif", plane(shape=(6, 9)))


def retype_one(folder: Path) -> None:
    tifffile.imwrite(folder / "x_C10_T0001F002L01A01Z01C02.tif", plane(dtype="uint8"))


def duplicate_one(folder: Path) -> None:
    tifffile.imwrite(folder / "y_C10_T0001F002L01A01Z01C02.tif", plane())


def colour_one(folder: Path) -> None:
    tifffile.imwrite(folder / "x_B02_T0001F001L01A01Z01C01.tif", plane(shape=(6, 8, 3), dtype="uint8"), photometric="rgb")


def stack_one(folder: Path) -> None:
    tifffile.imwrite(folder / "x_B02_T0001F001L01A01Z01C01.tif", plane(shape=(4, 6, 8)), photometric="minisblack")


def break_one(folder: Path) -> None:
    (folder / "x_B02_T0001F001L01A01Z01C01.tif").write_bytes(b"no TIFF")


def strange_type(folder: Path) -> None:
    for path in folder.glob("*.tif"):
        if path.is_file():
            tifffile.imwrite(path, plane(dtype="uint64"))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (remove_one_channel, r"2 planes are missing: well C10, field 002, channel 02, section 01"),
        (resize_one, "The images differ: .*8 x 6 pixels of uint16.*9 x 6 pixels of uint16"),
        (retype_one, "The images differ: .*uint16.*uint8"),
        (duplicate_one, "are the same plane"),
        (colour_one, "colour image"),
        (stack_one, "holds 4 planes"),
        (break_one, "cannot be read as TIFF"),
        (strange_type, "pixel type uint64"),
    ],
)
def test_a_bad_folder_is_explained(folder: Path, spoil: Callable[[Path], None], words: str) -> None:
    spoil(folder)
    with pytest.raises(FolderError, match=words):
        scan_folder(folder)


def test_nothing_to_load(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(FolderError, match="not a folder"):
        scan_folder(folder / "absent")
    with pytest.raises(FolderError, match="no TIFF files"):
        scan_folder(tmp_path_factory.mktemp("empty"))
    with pytest.raises(FolderError, match=r"No file .* fits the pattern 'z_\{well\}\.tif'.*x_B02_T0001"):
        scan_folder(folder, "z_{well}.tif")
    with pytest.raises(FolderError, match="names no part"):
        scan_folder(folder, "everything")


def test_the_real_screening_row(screening_row: Path) -> None:
    plate = scan_folder(screening_row)
    assert plate.pattern == "cellomics"
    assert list(plate.fields) == [(14, column) for column in range(24)]
    assert set(plate.fields.values()) == {("00", "01", "02")}
    assert (plate.channels, plate.dtype, plate.size_x, plate.image_count) == (("2",), "uint8", 512, 72)
    assert plate_format(plate) == (16, 24)
