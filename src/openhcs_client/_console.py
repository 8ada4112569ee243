# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the command line prints: tables for people, JSON for programs, CSV for spreadsheets."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from ._errors import OpenHCSError
from ._executions import Execution, ExecutionStatus
from ._progress import describe
from ._results import MeasurementRows

__all__ = ["print_error", "print_executions", "print_json", "print_status", "print_table", "write_csv"]

_UNLIMITED = 100_000


def print_json(value: BaseModel | Sequence[BaseModel] | dict[str, Any]) -> None:
    """Print a model, a list of models or a dictionary as indented JSON."""
    if isinstance(value, BaseModel):
        plain: Any = value.model_dump(mode="json")
    elif isinstance(value, dict):
        plain = value
    else:
        plain = [entry.model_dump(mode="json") for entry in value]
    print(json.dumps(plain, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their headings. Texts come from other people, so markup in them is not obeyed."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_plain(cell) for cell in row))
    # In a pipe nobody sees the width of a terminal, and ids that are broken over lines are of no use.
    width = None if sys.stdout.isatty() else _UNLIMITED
    Console(markup=False, highlight=False, width=width).print(table)


def print_executions(executions: Iterable[Execution]) -> None:
    """Print a line per execution."""
    print_table(
        ["execution", "status", "wells", "plate", "pipeline", "by"],
        (
            (
                run.execution_id,
                run.status.value,
                f"{run.wells_completed}/{run.wells_total}" + (f" ({run.wells_failed} failed)" if run.wells_failed else ""),
                f"{run.plate_name} [{run.plate_id}]",
                f"{run.pipeline_name} v{run.pipeline_version}",
                run.owner_name,
            )
            for run in executions
        ),
    )


def print_status(status: ExecutionStatus) -> None:
    """Print how far an execution is."""
    finished = status.wells_completed + status.wells_failed
    print(f"{status.execution_id}  {status.status.value}  {finished} of {status.wells_total} wells  {describe(status)}")
    if status.waiting_reason:
        place = f"Place {status.queue_position} in the queue. " if status.queue_position else ""
        print(f"{place}{status.waiting_reason}")
    elif status.message:
        print(status.message)


def print_error(error: OpenHCSError, *, as_json: bool) -> None:
    """Print a refusal on standard error; as JSON it is the error envelope."""
    if as_json:
        print(error.envelope().model_dump_json(), file=sys.stderr)
        return
    print(f"Error: {error.message}", file=sys.stderr)
    for field, message in error.field_errors.items():
        print(f"  {field}: {message}", file=sys.stderr)
    if error.status == 401:
        print("Sign in with: openhcs login", file=sys.stderr)


def write_csv(rows: MeasurementRows, output: Path | None) -> None:
    """Write measurements as CSV, row by row, to a file or to standard output; a missing value is an empty cell."""
    if output is None:
        _write_rows(rows, sys.stdout)
        return
    with output.open("w", newline="", encoding="utf-8") as file:
        _write_rows(rows, file)


def _write_rows(rows: MeasurementRows, file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(rows.columns)
    writer.writerows(rows)


def _plain(cell: object) -> str:
    return "" if cell is None else str(cell)
