# SPDX-License-Identifier: AGPL-3.0-or-later
"""Markdown pages as the tests of the documentation see them: text, links, headings and code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

__all__ = ["REPOSITORY", "Page", "pages"]

REPOSITORY = Path(__file__).resolve().parents[2]

_NOT_OURS = {"node_modules", "build", "dist", "demo-data", "test-results"}
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[a-z]*)\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Page:
    """One page. ``name`` is its path in the repository."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(REPOSITORY).as_posix()

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """The text without blocks of code."""
        return _FENCE.sub("", self.text)

    def blocks(self, *languages: str) -> list[str]:
        """The blocks of code in one of ``languages``, or all; without the indentation of a list."""
        return [
            re.sub(f"^{found['indent']}", "", found["code"], flags=re.MULTILINE)
            for found in _FENCE.finditer(self.text)
            if not languages or found["language"] in languages
        ]

    def commands(self) -> list[str]:
        """Whatever may be a command: each line of blocks for a shell, and each piece of code in a sentence."""
        blocks = self.blocks("", "sh", "console", "ini")
        return [line.strip() for block in blocks for line in block.splitlines()] + self.code_in_sentences()

    def code_in_sentences(self) -> list[str]:
        return _INLINE.findall(self.prose)

    def links(self) -> list[str]:
        """Targets of links and pictures, code aside."""
        return _LINK.findall(_INLINE.sub("", self.prose))

    def anchors(self) -> set[str]:
        """What a link may name after ``#``: the headings, as GitHub writes them."""
        headings = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def pages() -> list[Page]:
    """Every page of the project."""
    found = []
    for path in sorted(REPOSITORY.rglob("*.md")):
        folders = path.relative_to(REPOSITORY).parts[:-1]
        if not any(folder in _NOT_OURS or folder.startswith(".") for folder in folders):
            found.append(Page(path))
    return found
