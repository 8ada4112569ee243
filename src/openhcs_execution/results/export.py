# SPDX-License-Identifier: AGPL-3.0-or-later
"""A table as a file, made piece by piece while it is sent, so that its size costs no memory.

CSV is for spreadsheets too: text that one of them would take for a formula gets an apostrophe in front. Names of columns are
text as well.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.parquet as pq

from openhcs_client import TableFormat

__all__ = ["MEDIA_TYPES", "pieces_of"]

MEDIA_TYPES = {TableFormat.CSV: "text/csv; charset=utf-8", TableFormat.PARQUET: "application/vnd.apache.parquet"}

ROWS_AT_ONCE = 20_000

FORMULA = r"^[=+\-@\t\r]"


def pieces_of(table: pa.Table, form: TableFormat) -> Iterator[bytes]:
    """The bytes of the file, in order."""
    return _csv(table) if form is TableFormat.CSV else _parquet(table)


def _csv(table: pa.Table) -> Iterator[bytes]:
    if table.num_columns == 0:
        return
    harmless = table.rename_columns([_harmless_name(name) for name in table.column_names])
    for number, part in enumerate(_parts(harmless)):
        file = io.BytesIO()
        options = pv.WriteOptions(include_header=number == 0, quoting_style="needed")
        pv.write_csv(_without_formulas(part), file, options)
        yield file.getvalue()


def _parts(table: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, max(table.num_rows, 1), ROWS_AT_ONCE):
        yield table.slice(start, ROWS_AT_ONCE)


def _harmless_name(name: str) -> str:
    return f"'{name}" if name[:1] in set("=+-@\t\r") else name


def _without_formulas(table: pa.Table) -> pa.Table:
    for position, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            column = table.column(position)
            quoted = pc.binary_join_element_wise(pa.scalar("'", field.type), column, pa.scalar("", field.type))
            safe = pc.if_else(pc.match_substring_regex(column, FORMULA), quoted, column)
            table = table.set_column(position, field, safe)
    return table


def _parquet(table: pa.Table) -> Iterator[bytes]:
    drain = _Drain()
    # Plain numbers of pyarrow's own metadata only: nothing of this machine goes into the file.
    writer = pq.ParquetWriter(pa.PythonFile(drain, mode="w"), table.schema, compression="zstd")
    for part in _parts(table):
        writer.write_table(part)
        yield drain.taken()
    writer.close()
    yield drain.taken()


class _Drain(io.RawIOBase):
    """A file that is only written to, and emptied by whoever sends it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]
        self._parts.append(part)
        self._position += len(part)
        return len(part)

    def tell(self) -> int:
        return self._position

    def taken(self) -> bytes:
        part = b"".join(self._parts)
        self._parts.clear()
        return part
