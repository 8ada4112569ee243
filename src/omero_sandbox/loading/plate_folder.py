# SPDX-License-Identifier: AGPL-3.0-or-later
"""A folder of single-plane TIFF files, checked and sorted into a plate.

:func:`scan_folder` looks at names and headers only; it finds everything that is wrong with a folder before anything is sent
anywhere, and says it in a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tifffile

from omero_sandbox.loading.file_names import PatternError, PlaneName, compile_pattern, guess_pattern, match_name
from openhcs_client import well_name

__all__ = ["PLATE_FORMATS", "FolderError", "PlateFolder", "plate_format", "read_plane", "scan_folder"]

PLATE_FORMATS = ((2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48))
"""Rows and columns of the usual plates, from 6 to 1536 wells."""

_DTYPES = frozenset({"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"})
_NAMED_AT_MOST = 3


class FolderError(ValueError):
    """A folder that cannot become a plate; the message tells the user why and what to do."""


@dataclass(frozen=True)
class PlateFolder:
    """A folder as a plate. ``fields`` gives, by well (row, column), the labels of its fields in order.

    ``files`` gives the file of every plane by (row, column, field, channel, z, t); channels, sections and time points are
    the same in all fields, sorted by number where they are numbers.
    """

    folder: Path
    pattern: str
    fields: dict[tuple[int, int], tuple[str, ...]]
    channels: tuple[str, ...]
    sections: tuple[str, ...]
    times: tuple[str, ...]
    size_x: int
    size_y: int
    dtype: str
    files: dict[tuple[int, int, str, str, str, str], Path] = field(repr=False)

    @property
    def image_count(self) -> int:
        """Number of images (fields of all wells)."""
        return sum(len(labels) for labels in self.fields.values())

    def planes(self, row: int, column: int, label: str) -> Iterator[np.ndarray]:
        """Yield the planes of a field, z slowest, then channel, then time: the order of ``createImageFromNumpySeq``.

        Raises:
            FolderError: a file cannot be read.
        """
        for z in self.sections:
            for channel in self.channels:
                for t in self.times:
                    yield read_plane(self.files[row, column, label, channel, z, t])


def scan_folder(folder: Path, pattern: str | None = None) -> PlateFolder:
    """Sort the TIFF files of a folder (not of folders in it) into a plate.

    Args:
        pattern: see `file_names`; None: the first known convention that fits all files.

    Raises:
        FolderError: the folder cannot become a plate.
    """
    if not folder.is_dir():
        raise FolderError(f"{folder} is not a folder.")
    tiffs = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".tif", ".tiff") and path.is_file())
    if not tiffs:
        raise FolderError(f"There are no TIFF files in {folder}.")
    try:
        chosen = pattern or guess_pattern([path.name for path in tiffs])
        compiled = compile_pattern(chosen)
    except PatternError as error:
        raise FolderError(str(error)) from error
    planes = {path: name for path in tiffs if (name := match_name(compiled, path.name)) is not None}
    if not planes:
        raise FolderError(
            f"No file in {folder} fits the pattern {chosen!r}. The {len(tiffs)} TIFF files there are called, for example, "
            f"{_some(path.name for path in tiffs)}."
        )
    files = _without_duplicates(planes)
    size_y, size_x, dtype = _common_header(list(files.values()))
    channels = _ordered({channel for _, _, _, channel, _, _ in files})
    sections = _ordered({z for _, _, _, _, z, _ in files})
    times = _ordered({t for _, _, _, _, _, t in files})
    wells = sorted({key[:2] for key in files})
    fields = {well: _ordered({label for row, column, label, *_ in files if (row, column) == well}) for well in wells}
    result = PlateFolder(folder, chosen, fields, channels, sections, times, size_x, size_y, dtype, files)
    _check_complete(result)
    return result


def plate_format(plate: PlateFolder, rows: int | None = None, columns: int | None = None) -> tuple[int, int]:
    """Return rows and columns of the plate: as given, else of the smallest usual plate that has all its wells.

    Raises:
        FolderError: a well lies outside the plate.
    """
    last_row, last_column = (max(well[part] for well in plate.fields) for part in (0, 1))
    fitting = [each for each in PLATE_FORMATS if last_row < each[0] and last_column < each[1]]
    usual_rows, usual_columns = fitting[0] if fitting else (last_row + 1, last_column + 1)
    rows, columns = rows or usual_rows, columns or usual_columns
    for row, column in plate.fields:
        if row >= rows or column >= columns:
            raise FolderError(f"Well {well_name(row, column)} lies outside a plate of {rows} rows and {columns} columns.")
    return rows, columns


def read_plane(path: Path) -> np.ndarray:
    """Return the only plane of a TIFF file, shape (y, x), in the byte order of this computer.

    Raises:
        FolderError: the file cannot be read.
    """
    try:
        plane = tifffile.imread(path)
    except (OSError, ValueError, tifffile.TiffFileError) as error:
        raise FolderError(f"{path.name} cannot be read: {error}.") from error
    return np.ascontiguousarray(plane, plane.dtype.newbyteorder("="))


def _without_duplicates(planes: dict[Path, PlaneName]) -> dict[tuple[int, int, str, str, str, str], Path]:
    files: dict[tuple[int, int, str, str, str, str], Path] = {}
    for path, name in planes.items():
        key = (name.row, name.column, name.field, name.channel, name.z, name.t)
        if key in files:
            raise FolderError(
                f"{files[key].name} and {path.name} are the same plane (well {well_name(name.row, name.column)}, field "
                f"{name.field}, channel {name.channel}). Does the pattern miss a part that tells them apart?"
            )
        files[key] = path
    return files


def _common_header(paths: list[Path]) -> tuple[int, int, str]:
    """Return height, width and dtype that all files share."""
    first_path, first = paths[0], _header(paths[0])
    for path in paths[1:]:
        header = _header(path)
        if header != first:
            raise FolderError(
                f"The images differ: {first_path.name} has {_described(first)}, {path.name} has {_described(header)}. "
                "All images of a plate need the same size and pixel type."
            )
    return first


def _header(path: Path) -> tuple[int, int, str]:
    try:
        with tifffile.TiffFile(path) as file:
            pages = len(file.pages)
            shape, dtype = file.pages[0].shape, str(file.pages[0].dtype)
    except (OSError, ValueError, IndexError, tifffile.TiffFileError) as error:
        raise FolderError(f"{path.name} cannot be read as TIFF: {error}.") from error
    if pages != 1:
        raise FolderError(f"{path.name} holds {pages} planes; each file must hold one.")
    if len(shape) != 2:
        raise FolderError(f"{path.name} is a colour image (shape {shape}); each file must hold one channel.")
    if dtype not in _DTYPES:
        raise FolderError(f"{path.name} has the pixel type {dtype}; OMERO takes {', '.join(sorted(_DTYPES))}.")
    return shape[0], shape[1], dtype


def _described(header: tuple[int, int, str]) -> str:
    height, width, dtype = header
    return f"{width} x {height} pixels of {dtype}"


def _check_complete(plate: PlateFolder) -> None:
    missing = []
    for (row, column), labels in plate.fields.items():
        for label in labels:
            for channel in plate.channels:
                for z in plate.sections:
                    for t in plate.times:
                        if (row, column, label, channel, z, t) not in plate.files:
                            where = f"well {well_name(row, column)}, field {label}, channel {channel}"
                            where += f", section {z}" if len(plate.sections) > 1 else ""
                            missing.append(where + (f", time point {t}" if len(plate.times) > 1 else ""))
    if missing:
        raise FolderError(
            f"{len(missing)} planes are missing: {'; '.join(missing[:_NAMED_AT_MOST])}"
            f"{' …' if len(missing) > _NAMED_AT_MOST else ''}. Every field needs all channels, sections and time points "
            f"(channels here: {', '.join(plate.channels)})."
        )


def _ordered(labels: set[str]) -> tuple[str, ...]:
    """Sort labels by number where they are numbers, and then by text."""
    return tuple(sorted(labels, key=lambda label: (not label.isdigit(), int(label) if label.isdigit() else 0, label)))


def _some(names: Iterator[str]) -> str:
    return ", ".join(name for name, _ in zip(names, range(_NAMED_AT_MOST), strict=False))
