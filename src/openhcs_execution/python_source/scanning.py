# SPDX-License-Identifier: AGPL-3.0-or-later
"""A look at a script before it is parsed: is it text of a bearable size and depth, and which comments does it have?

Python's parser is robust against long chains (it raises), but the depth of a script decides how deep everything behind it has
to go. So depth and length are bounded first, with one pass over the text that knows strings, comments and brackets only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from openhcs_client import LARGEST_SOURCE

__all__ = ["Comment", "RefusedError", "comments_of", "text_of"]

DEEPEST = 40
"""Brackets within brackets; OpenHCS's own scripts have about eight."""

LONGEST_STATEMENT = 40_000
"""Characters of one statement outside brackets and of one line; a chain of operators cannot be deeper than that."""

_PARTS = re.compile(
    r'''(?P<string>"""(?:[^\\]|\\.)*?"""|\'\'\'(?:[^\\]|\\.)*?\'\'\'|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')'''
    r"""|(?P<comment>\#[^\n]*)|(?P<open>[\[({])|(?P<close>[\])}])|(?P<continued>\\\n)|(?P<newline>\n)""",
    re.DOTALL,
)


class RefusedError(ValueError):
    """The script as a whole cannot be read; ``line`` counts from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


@dataclass(frozen=True)
class Comment:
    """A comment with its line (from 1) and its text from the ``#`` on."""

    line: int
    text: str


def text_of(source: bytes | str) -> str:
    """The script as text with plain line ends.

    Raises:
        RefusedError: when it is too long, not UTF-8, or has NUL characters.
    """
    if len(source) > LARGEST_SOURCE:
        raise RefusedError(f"The script is too long: at most {LARGEST_SOURCE} characters are read.")
    text = _decoded(source) if isinstance(source, bytes) else source
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise RefusedError("The file has NUL characters, so it is no text.", text[: text.index("\0")].count("\n") + 1)
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise RefusedError("The file has half characters, so it is no text.")
    return text


def _decoded(source: bytes) -> str:
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        line = source[: error.start].count(b"\n") + 1
        raise RefusedError("The file is not text in UTF-8.", line) from error


def comments_of(text: str) -> list[Comment]:
    """The comments of a script, in order; strings that look like comments are none.

    Raises:
        RefusedError: when brackets are nested too deeply or a statement is too long.
    """
    comments: list[Comment] = []
    depth, line, begin = 0, 1, 0
    for part in _PARTS.finditer(text):
        kind = part.lastgroup
        if kind == "comment":
            comments.append(Comment(line, part[0]))
        elif kind == "open":
            depth += 1
            if depth > DEEPEST:
                raise RefusedError("Brackets are nested too deeply here.", line)
        elif kind == "close":
            depth = max(0, depth - 1)
        elif kind == "string" or kind == "continued":
            line += part[0].count("\n")
        else:
            if part.start() - begin > LONGEST_STATEMENT:
                raise RefusedError("This statement is too long.", line)
            line += 1
            begin = part.end()
    if len(text) - begin > LONGEST_STATEMENT:
        raise RefusedError("This statement is too long.", line)
    return comments
