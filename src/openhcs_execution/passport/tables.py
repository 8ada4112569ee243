# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tables of a passport: those of all wells in one file, and a hash of each that does not depend on the file format.

The hash of a table: SHA-256 over its columns in alphabetical order without ``well``. Of each column its name and a line end,
then for numbers ``number`` and a line end and the values as little-endian float64, one bit pattern for every NaN and for a
missing value; for text ``text`` and a line end and each value in UTF-8 after its length in bytes as text and a colon.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as kinds

from openhcs_client import PassportWellOutput

__all__ = ["join_tables", "table_sha256", "wells_csv"]

_NAN = np.array([np.nan], "<f8")


def table_sha256(path: Path) -> str:
    """The hash of the values in a Parquet file."""
    table = pq.read_table(path)
    digest = hashlib.sha256()
    for name in sorted(set(table.column_names) - {"well"}):
        digest.update(f"{name}\n".encode())
        column = table.column(name)
        if _is_number(column.type):
            values = np.array(column.cast(pa.float64()).to_numpy(), dtype="<f8")
            values[np.isnan(values)] = _NAN
            digest.update(b"number\n" + values.tobytes())
        else:
            digest.update(b"text\n")
            for value in column.to_pylist():
                text = ("" if value is None else str(value)).encode()
                digest.update(f"{len(text)}:".encode() + text)
    return digest.hexdigest()


def _is_number(kind: pa.DataType) -> bool:
    return bool(kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_boolean(kind) or kinds.is_null(kind))


def join_tables(sources: Sequence[Path], target: Path) -> bool:
    """Write all rows of ``sources`` into one Parquet file, a table at a time; a column that one lacks is null there.

    False, and no file, when there is no source.
    """
    if not sources:
        return False
    # A column may hold whole numbers in one well and not in another.
    schema = pa.unify_schemas([pq.read_schema(source).remove_metadata() for source in sources], promote_options="permissive")
    with pq.ParquetWriter(target, schema) as writer:
        for source in sources:
            table = pq.read_table(source)
            columns = [
                table.column(field.name).cast(field.type)
                if field.name in table.column_names
                else pa.nulls(table.num_rows, field.type)
                for field in schema
            ]
            writer.write_table(pa.table(columns, schema=schema))
    return True


def wells_csv(wells: Sequence[PassportWellOutput]) -> str:
    """The measurements of the wells that have some, a row for each; nothing stands for no value."""
    names = list(dict.fromkeys(name for well in wells for name in well.measurements))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["well", *names])
    writer.writerows([well.well, *(well.measurements.get(name) for name in names)] for well in wells if well.measurements)
    return text.getvalue()
