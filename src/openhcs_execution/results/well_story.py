# SPDX-License-Identifier: AGPL-3.0-or-later
"""The log of a well as people read it: its events as sentences, and between them what the engine said."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from openhcs_client import OpenHCSError, WellLog, WellLogLine
from openhcs_execution.database import EventRow, ExecutionRow, WellRow

from .well_logs import WellLogs

__all__ = ["read_well_log"]

_ATTEMPTS = 3
"""Newest attempts of which the engine's lines are shown."""
_EVENTS = 300


def read_well_log(session: Session, logs: WellLogs, execution: ExecutionRow, well: str) -> WellLog:
    """What is known about a well of an execution that the reader may see.

    Raises:
        OpenHCSError: ``well_not_found``, status 404.
    """
    row = session.get(WellRow, (execution.number, well))
    if row is None:
        raise OpenHCSError("well_not_found", "This execution has no such well.", status=404)
    query = (
        select(EventRow)
        .where(EventRow.execution == execution.number, EventRow.well == well)
        .order_by(EventRow.sequence.desc())
        .limit(_EVENTS)
    )
    lines = [_line(event) for event in reversed(session.scalars(query).all())]
    for attempt in range(max(1, row.attempt - _ATTEMPTS + 1), row.attempt + 1):
        for said in logs.read(execution.execution_id, well, attempt):
            lines.append(WellLogLine(time=said.time, source="engine", level=said.level, text=said.text))
    return WellLog(well=well, attempt=row.attempt, lines=sorted(lines, key=lambda line: line.time))


def _line(event: EventRow) -> WellLogLine:
    level = "error" if event.kind == "well_failed" else "info"
    return WellLogLine.model_validate(
        {"time": event.time, "source": "service", "level": level, "text": _sentence(event.kind, event.data)}
    )


def _sentence(kind: str, data: dict[str, Any]) -> str:
    match kind:
        case "well_staging":
            return f"Attempt {data.get('attempt', 1)}: reading images on {data.get('worker') or 'a worker'}"
        case "well_step":
            return f"Step {data.get('step')} of {data.get('step_count')}: {data.get('step_name')}"
        case "well_saving":
            return f"Computed in {data.get('seconds') or 0:.1f} s; saving label images to OMERO"
        case "well_done":
            return f"Done, computed in {data['seconds']:.1f} s" if data.get("seconds") else "Done"
        case "well_failed":
            failure = data.get("failure") or {}
            return f"Failed: {failure.get('message', '')}".strip()
        case "well_retried":
            return "Waits for another attempt"
        case "well_skipped":
            return "Skipped"
        case _:
            return kind.replace("_", " ")
