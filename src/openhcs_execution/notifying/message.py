# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is told about a run that has ended: JSON for webhooks, plain text for people."""

from __future__ import annotations

from typing import Any

from openhcs_client import ExecutionStatusName
from openhcs_execution.database import ExecutionRow

__all__ = ["ended_payload", "mail_subject", "mail_text"]

_WORDS = {
    ExecutionStatusName.COMPLETED: "is complete",
    ExecutionStatusName.COMPLETED_WITH_ERRORS: "is complete, with errors",
    ExecutionStatusName.FAILED: "has failed",
    ExecutionStatusName.CANCELLED: "was cancelled",
}
_SUBJECT_LENGTH = 150


def ended_payload(execution: ExecutionRow, web_url: str) -> dict[str, Any]:
    """The body of a webhook, without its ``id``. ``web_url`` is the public address of OMERO.web, or empty."""
    address = f"{web_url.rstrip('/')}/openhcs/results/{execution.execution_id}/" if web_url else None
    return {
        "event": "execution_ended",
        "execution_id": execution.execution_id,
        "status": execution.status,
        "message": execution.message,
        "plate_id": execution.plate_id,
        "plate_name": execution.plate_name,
        "pipeline_id": execution.pipeline_id,
        "pipeline_name": execution.pipeline_name,
        "pipeline_version": execution.pipeline_version,
        "owner_id": execution.owner_id,
        "wells_total": execution.wells_total,
        "wells_completed": execution.wells_completed,
        "wells_failed": execution.wells_failed,
        "created_at": execution.created_at.isoformat(),
        "ended_at": None if execution.ended_at is None else execution.ended_at.isoformat(),
        "results_url": address,
    }


def mail_subject(payload: dict[str, Any]) -> str:
    """One line, whatever plates and pipelines are called."""
    text = f"OpenHCS: {payload['pipeline_name']} on {payload['plate_name']} {_words(payload)}"
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= _SUBJECT_LENGTH else f"{line[: _SUBJECT_LENGTH - 1]}…"


def mail_text(payload: dict[str, Any]) -> str:
    """A few lines of plain text."""
    done, total, failed = payload["wells_completed"], payload["wells_total"], payload["wells_failed"]
    lines = [
        f"Your run of “{payload['pipeline_name']}” (version {payload['pipeline_version']}) on the plate "
        f"“{payload['plate_name']}” {_words(payload)}.",
        "",
        f"Wells done: {done} of {total}" + (f", failed: {failed}" if failed else ""),
        f"Ended: {str(payload['ended_at'])[:16].replace('T', ' ')} UTC",
    ]
    if payload["message"]:
        lines.append(payload["message"])
    if payload["results_url"]:
        lines += ["", f"Results: {payload['results_url']}"]
    lines += ["", f"Execution {payload['execution_id']}. You get this mail because you asked for it when you started the run."]
    return "\n".join(lines) + "\n"


def _words(payload: dict[str, Any]) -> str:
    return _WORDS.get(payload["status"], str(payload["status"]))
