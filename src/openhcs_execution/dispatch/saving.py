# SPDX-License-Identifier: AGPL-3.0-or-later
"""What of an execution goes into OMERO: label images, the table of fields, and where it all came from."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openhcs_client import OpenHCSError, PipelineDocument, PlateLayout
from openhcs_execution.database import Database, ExecutionInput, ExecutionRow, WellRow
from openhcs_execution.logging import get_logger
from openhcs_execution.queue import executions
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.results.labels import label_key
from openhcs_execution.results.measurements import committed_wells
from openhcs_execution.version import VERSION

__all__ = ["SavedExecution", "save_summary", "save_well"]

log = get_logger(__name__)


@dataclass(frozen=True)
class SavedExecution:
    """An execution as its saver knows it; ``layout`` holds the wells that were asked for."""

    execution: ExecutionRow
    inputs: ExecutionInput
    layout: PlateLayout
    sealed_session: str


def save_well(conn: Any, database: Database, store: ResultStore, saved: SavedExecution, name: str) -> dict[str, int]:
    raise NotImplementedError


def save_summary(
    conn: Any, database: Database, store: ResultStore, saved: SavedExecution, render: Callable[[PipelineDocument], str]
) -> None:
    raise NotImplementedError
