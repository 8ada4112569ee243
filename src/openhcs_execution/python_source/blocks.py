# SPDX-License-Identifier: AGPL-3.0-or-later
"""Comments that carry what OpenHCS has no words for: a marker line, JSON behind ``#``, and an end line.

# --- omero-openhcs pipeline
# {"id": "nuclei-count", …}
# --- end
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from openhcs_client import OpenHCSError, read_json

from .scanning import Comment

__all__ = ["ABOUT", "STEP", "STEP_WITHOUT_CODE", "Block", "block_lines", "read_blocks"]

ABOUT = "pipeline"
STEP = "step"
STEP_WITHOUT_CODE = "step without code"

_BEGIN = "# --- omero-openhcs "
_END = "# --- end"


@dataclass(frozen=True)
class Block:
    """What a block says. ``content`` is ``None`` when it is not the JSON object that was written."""

    kind: str
    line: int
    content: dict[str, Any] | None


def block_lines(kind: str, content: dict[str, Any]) -> Iterator[str]:
    """The lines of a block. The JSON is ASCII, so that no letter in it can end a line."""
    yield f"{_BEGIN}{kind}"
    yield "# {"
    for number, (key, value) in enumerate(content.items(), start=1):
        comma = "," if number < len(content) else ""
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"#   {_ascii(key)}: ["
            yield from (f"#     {_ascii(item)}," for item in value[:-1])
            yield f"#     {_ascii(value[-1])}"
            yield f"#   ]{comma}"
        else:
            yield f"#   {_ascii(key)}: {_ascii(value)}{comma}"
    yield "# }"
    yield _END


def read_blocks(comments: Iterable[Comment]) -> list[Block]:
    """The blocks of a script, in order. A block without an end is taken up to where the next one begins."""
    blocks: list[Block] = []
    kind, begin, lines = "", 0, list[str]()
    for comment in (*comments, Comment(0, _END)):
        begins = comment.text.startswith(_BEGIN)
        if kind and (begins or comment.text.rstrip() == _END):
            blocks.append(Block(kind, begin, _content("\n".join(lines))))
            kind = ""
        if begins:
            kind, begin, lines = comment.text.removeprefix(_BEGIN).strip(), comment.line, []
        elif kind:
            lines.append(comment.text.removeprefix("#"))
    return blocks


def _ascii(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)


def _content(text: str) -> dict[str, Any] | None:
    try:
        content = read_json(text)
    except OpenHCSError:
        return None
    return content if isinstance(content, dict) else None
