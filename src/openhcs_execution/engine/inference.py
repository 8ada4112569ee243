# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a parameter takes, from its annotation, or else from its default and its documentation. Knows nothing of OpenHCS."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

__all__ = ["documented", "parameter_facts"]

_PLAIN: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}
_WORDS = (
    (r"\bbool(ean)?\b", "boolean"),
    (r"\b(float|scalar|number|double)\b", "number"),
    (r"\b(int|integer)\b", "integer"),
    (r"\b(str|string)\b", "string"),
)
_CHOICES = re.compile(r"\{([^{}]+)\}")
_NUMPYDOC = re.compile(r"^(?P<names>[A-Za-z_][\w, ]*?)\s*:\s*(?P<kind>.+)$")
_GOOGLE = re.compile(r"^(?P<names>[A-Za-z_]\w*)\s*(\([^)]*\))?:\s*(?P<text>.*)$")


def parameter_facts(function: Callable[..., Any]) -> dict[str, dict[str, Any]]:
    """For each parameter of ``function`` that holds a plain value: ``type``, ``default``, ``choices``, ``help``, ``inferred``.

    Parameters whose kind can be neither read nor guessed are left out: they cannot be offered.
    """
    texts = documented(inspect.getdoc(function) or "")
    facts = {}
    for name, parameter in _signature(function).parameters.items():
        kind, text = texts.get(name, ("", ""))
        found = _from_annotation(parameter.annotation) or _guessed(parameter.default, kind or text)
        if found is not None:
            default = parameter.default
            default = default.value if isinstance(default, Enum) else default
            plain = isinstance(default, bool | int | float | str)
            facts[name] = {"help": _sentence(text)} | found | ({"default": default} if plain else {})
    return facts


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """The signature with annotations as objects where they can be had."""
    try:
        return inspect.signature(function, eval_str=True)
    except (NameError, TypeError, AttributeError):
        return inspect.signature(function)


def _from_annotation(annotation: Any) -> dict[str, Any] | None:
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
        annotation = kinds[0] if len(kinds) == 1 else None
    if annotation in _PLAIN:
        return {"type": _PLAIN[annotation], "inferred": False}
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        values = [str(member.value[0] if isinstance(member.value, tuple) else member.value) for member in annotation]
        return {"type": "choice", "choices": values, "inferred": False}
    return None


def _guessed(default: Any, kind: str) -> dict[str, Any] | None:
    """From the default, corrected by what the documentation says; from the documentation where there is no default."""
    choices = _choices(kind)
    if isinstance(default, str) and choices and default in choices:
        return {"type": "choice", "choices": choices, "inferred": True}
    said = next((word for pattern, word in _WORDS if re.search(pattern, kind.lower())), None)
    if isinstance(default, bool):
        return {"type": "boolean", "inferred": True}
    if isinstance(default, int):
        # 1 as the default of a sigma is a number with decimals, if the documentation says so.
        return {"type": "number" if said == "number" else "integer", "inferred": True}
    if isinstance(default, float):
        return {"type": "number", "inferred": True}
    if isinstance(default, str):
        return {"type": "string", "inferred": True}
    if (
        default in (None, inspect.Parameter.empty)
        and said is not None
        and not re.search(r"array|callable|sequence|tuple", kind)
    ):
        return {"type": said, "inferred": True}
    return None


def _choices(kind: str) -> list[str]:
    """The strings in ``{'reflect', 'nearest'}``."""
    match = _CHOICES.search(kind)
    return [part.strip(" '\"`") for part in match[1].split(",") if part.strip()] if match else []


def documented(text: str) -> Mapping[str, tuple[str, str]]:
    """Kind and explanation of each parameter that a docstring describes, in numpydoc's or Google's way."""
    found: dict[str, tuple[str, str]] = {}
    names: list[str] = []
    kind, lines = "", list[str]()
    inside, indent = "", 0

    def close() -> None:
        for name in names:
            found.setdefault(name, (kind, " ".join(lines).strip()))

    rows = text.splitlines()
    for number, row in enumerate(rows):
        underlined = number + 1 < len(rows) and set(rows[number + 1].strip()) == {"-"}
        if underlined or re.match(r"^\s*(Args|Parameters|Returns|Yields|Raises|Notes|Examples)\s*:?\s*$", row):
            close()
            names, lines = [], []
            title = row.strip().rstrip(":")
            inside = ("numpy" if underlined else "google") if title in ("Args", "Parameters", "Other Parameters") else ""
            indent = -1
            continue
        if not inside or not row.strip() or set(row.strip()) == {"-"}:
            continue
        depth = len(row) - len(row.lstrip())
        indent = depth if indent < 0 else indent
        match = (_NUMPYDOC if inside == "numpy" else _GOOGLE).match(row.strip()) if depth <= indent else None
        if match is not None:
            close()
            names = [name.strip() for name in match["names"].split(",")]
            kind, lines = (match["kind"], []) if inside == "numpy" else ("", [match["text"]])
        else:
            lines.append(row.strip())
    close()
    return found


def _sentence(text: str) -> str:
    """The first sentence, of at most 200 characters."""
    first = re.split(r"(?<=[.!?])\s", re.sub(r"``?|\s+", lambda match: " " if match[0].isspace() else "", text))[0]
    return first if len(first) <= 200 else first[:199].rsplit(" ", 1)[0] + "…"
