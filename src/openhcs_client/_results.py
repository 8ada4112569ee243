# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an execution measured, as plain columns and rows, and its label images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ._errors import OpenHCSError
from ._executions import ExecutionDetail, MeasurementLevel, MeasurementPage, ResultLinks

__all__ = ["ExecutionResults", "LabelImage", "MeasurementRows", "MeasurementTable", "Value"]

Value = float | int | str | None
"""A cell; ``None`` where nothing could be measured."""


@dataclass(frozen=True)
class MeasurementTable:
    """All measurements of one level in memory."""

    level: MeasurementLevel
    columns: list[str]
    rows: list[list[Value]]

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> list[Value]:
        """The values of one column, in the order of the rows.

        Raises:
            KeyError: when there is no such column.
        """
        if name not in self.columns:
            raise KeyError(name)
        position = self.columns.index(name)
        return [row[position] for row in self.rows]

    def records(self) -> list[dict[str, Value]]:
        """One dictionary per row; what ``pandas.DataFrame`` takes."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class MeasurementRows:
    """Measurements read page by page, for levels too large for memory: ``columns``, then an iteration over the rows, once."""

    def __init__(self, pages: Iterator[MeasurementPage]) -> None:
        self._pages = pages
        self._first = next(pages)
        self.level = self._first.level
        self.columns = list(self._first.columns)
        self.total_rows = self._first.total_rows

    def __iter__(self) -> Iterator[list[Value]]:
        yield from self._first.rows
        for page in self._pages:
            if page.columns != self.columns:
                raise OpenHCSError(
                    "measurements_changed", "The measurements changed while they were being read. Read them again.", status=409
                )
            yield from page.rows


@dataclass(frozen=True)
class ExecutionResults:
    """What came out of an execution; measurements are fetched when asked for."""

    execution: ExecutionDetail
    _read: Callable[[MeasurementLevel], MeasurementRows]

    @property
    def links(self) -> ResultLinks:
        """OMERO ids of the table, the result plate and the annotations."""
        return self.execution.results

    def rows(self, level: MeasurementLevel | str = MeasurementLevel.WELL) -> MeasurementRows:
        """Read the measurements of ``level`` page by page."""
        return self._read(MeasurementLevel(level))

    def measurements(self, level: MeasurementLevel | str = MeasurementLevel.WELL) -> MeasurementTable:
        """Read all measurements of ``level`` (``well``, ``field`` or ``object``) into memory."""
        rows = self.rows(level)
        return MeasurementTable(level=rows.level, columns=rows.columns, rows=list(rows))


@dataclass(frozen=True)
class LabelImage:
    """A label image: ``data`` holds ``shape[0] * shape[1]`` little-endian int32 values, row by row; 0 is background.

    ``numpy.asarray(image)`` gives the array without a copy.
    """

    shape: tuple[int, int]
    data: bytes

    def __post_init__(self) -> None:
        if len(self.data) != 4 * self.shape[0] * self.shape[1]:
            raise OpenHCSError("unexpected_answer", "The label image arrived incomplete. Try again.", status=502)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return {"shape": self.shape, "typestr": "<i4", "data": self.data, "version": 3}
