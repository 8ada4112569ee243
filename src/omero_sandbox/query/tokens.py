# SPDX-License-Identifier: AGPL-3.0-or-later
"""Splits HQL text into tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from omero_sandbox.query.errors import HqlError

__all__ = ["Token", "TokenKind", "tokenize"]

MAX_LENGTH = 200_000
"""Longest query text that is accepted, in characters."""

_TOKEN = re.compile(
    r"""(?P<number>\d+\.\d+(?:[eE][+-]?\d+)?|\d+)[lLfFdD]?(?![\w.])
      | (?P<text>'(?:[^']|'')*')
      | (?P<quoted>"[^"]*")
      | (?P<parameter>:[A-Za-z_]\w*|\?\d*)
      | (?P<name>[A-Za-z_$][\w$]*(?:\s*\.\s*[A-Za-z_$][\w$]*)*)
      | (?P<operator><>|!=|\^=|<=|>=|\|\||[=<>+\-*/%(),])""",
    re.VERBOSE,
)
_SPACE = re.compile(r"\s*")

KEYWORDS = frozenset(
    [
        "select",
        "distinct",
        "from",
        "where",
        "and",
        "or",
        "not",
        "in",
        "is",
        "null",
        "like",
        "ilike",
        "between",
        "exists",
        "as",
        "left",
        "right",
        "inner",
        "outer",
        "full",
        "join",
        "fetch",
        "with",
        "group",
        "by",
        "having",
        "order",
        "asc",
        "desc",
        "new",
        "case",
        "when",
        "then",
        "else",
        "end",
        "true",
        "false",
    ]
)


class TokenKind(Enum):
    """What a token is."""

    NUMBER = "number"
    TEXT = "text"
    PARAMETER = "parameter"
    NAME = "name"  # an identifier or a dotted path
    KEYWORD = "keyword"
    OPERATOR = "operator"
    END = "end"


@dataclass(frozen=True)
class Token:
    """One token; keywords are in lower case, texts without their quotes, paths without blanks."""

    kind: TokenKind
    value: str


def _classify(match: re.Match[str]) -> Token:
    kind = str(match.lastgroup)
    value = match.group(kind)
    if kind == "text":
        return Token(TokenKind.TEXT, value[1:-1].replace("''", "'"))
    if kind == "quoted":
        return Token(TokenKind.TEXT, value[1:-1])
    if kind == "name":
        value = re.sub(r"\s+", "", value)
        if value.lower() in KEYWORDS:
            return Token(TokenKind.KEYWORD, value.lower())
    return Token(TokenKind(kind), value[1:] if kind == "parameter" else value)


def tokenize(hql: str) -> list[Token]:
    """Return the tokens of a query, the last of kind `END`.

    ``group`` and ``order`` are names of fields as well (``share.group``); they are keywords only before ``by``.

    Raises:
        HqlError: the text holds what HQL has no token for, or is too long.
    """
    if len(hql) > MAX_LENGTH:
        raise HqlError(f"The query is longer than {MAX_LENGTH} characters.")
    text = hql.strip().rstrip(";")
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise HqlError(f"unexpected char near: {text[position : position + 30]!r}")
        tokens.append(_classify(match))
        space = _SPACE.match(text, match.end())
        position = space.end() if space else match.end()
    tokens.append(Token(TokenKind.END, ""))
    by = Token(TokenKind.KEYWORD, "by")
    for number, token in enumerate(tokens[:-1]):
        if token.kind is TokenKind.KEYWORD and token.value in ("group", "order") and tokens[number + 1] != by:
            tokens[number] = Token(TokenKind.NAME, token.value)
    return tokens
