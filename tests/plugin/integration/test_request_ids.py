# SPDX-License-Identifier: AGPL-3.0-or-later
"""One submission can be followed by its request id: in the answer, OMERO.web's log and the log of the service."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import WebUser, World

pytestmark = pytest.mark.stack


def lines_with(folder: Path, request_id: str) -> list[str]:
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in sorted(folder.rglob("*.log")))
    return [line for text in texts for line in text.splitlines() if request_id in line]


def test_a_submission_is_found_in_both_logs(world: World, ada: WebUser, plate: int) -> None:
    answer = ada.post(ada.api("executions/"), {"plate_id": plate, "pipeline_id": "nuclei-count", "test_well": "A01"})
    assert answer.status_code == 201, answer.text
    request_id, execution_id = answer.headers["X-Request-ID"], answer.json()["execution_id"]
    web = lines_with(world.stack.folder / "web" / "var" / "log", request_id)
    assert any(f"POST /openhcs/api/v1/executions/ by user {ada.user_id}" in line for line in web)
    service = lines_with(world.stack.folder / "logs", request_id)
    assert any("submitted" in line and execution_id in line for line in service)
    assert any(" request " in line and "status=201" in line for line in service)
    # Another request has another one, whatever the browser says.
    again = ada.get(ada.api(f"executions/{execution_id}/"), **{"X-Request-ID": request_id})
    assert again.headers["X-Request-ID"] != request_id
