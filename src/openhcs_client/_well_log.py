# SPDX-License-Identifier: AGPL-3.0-or-later
"""What was said about one well while it was computed."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

__all__ = ["WellLog", "WellLogLine"]


class WellLogLine(BaseModel):
    """One line: of the service (where the well is) or of the engine (OpenHCS's own messages and warnings)."""

    time: datetime
    source: Literal["service", "engine"]
    level: Literal["info", "warning", "error"] = "info"
    text: str


class WellLog(BaseModel):
    """The lines of the newest attempts at a well, oldest first. What the engine says of one attempt is cut after 64 KB."""

    well: str
    attempt: int
    lines: list[WellLogLine] = Field(default_factory=list)
