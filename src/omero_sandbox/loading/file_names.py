# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the name of a file says about it: well, field, channel, section, time point.

A pattern is written in one of three ways:

* the name of a well-known instrument's convention, see :data:`CONVENTIONS`;
* a template such as ``AS_*_{well}f{field}d{channel}.TIF``: placeholders in braces, ``*`` for anything;
* a regular expression with named groups: ``well`` (or ``row`` and ``column``), ``field``, ``channel``, ``z``, ``t``.

Only the well has to be there. Upper and lower case do not matter.

    >>> match_name(compile_pattern("AS_*_{well}f{field}d{channel}.TIF"), "AS_09047_050428030001_O07f02d2.TIF")
    PlaneName(row=14, column=6, field='02', channel='2', z='0', t='0')
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from openhcs_client import well_position

__all__ = ["CONVENTIONS", "PatternError", "PlaneName", "compile_pattern", "guess_pattern", "match_name"]

_WELL = r"(?P<well>[A-Z]{1,2}\d{1,2})"
_ENDING = r"\.tiff?$"

CONVENTIONS: dict[str, str] = {
    "opera-phenix": r"r(?P<row>\d+)c(?P<column>\d+)f(?P<field>\d+)p(?P<z>\d+)-ch(?P<channel>\d+)(?:sk(?P<t>\d+))?.*" + _ENDING,
    "cellvoyager": rf"_{_WELL}_T(?P<t>\d+)F(?P<field>\d+)L\d+A\d+Z(?P<z>\d+)C(?P<channel>\d+){_ENDING}",
    "imagexpress": rf"_{_WELL}_s(?P<field>\d+)(?:_w(?P<channel>\d+))?[^_]*{_ENDING}",
    "cellomics": rf"_{_WELL}f(?P<field>\d+)d(?P<channel>\d+){_ENDING}",
    "simple": rf"(?:^|[_-]){_WELL}(?:[_-](?:s|f|field)?(?P<field>\d+))?(?:[_-](?:w|c|ch|channel)?(?P<channel>\w+))?{_ENDING}",
}
"""File-name conventions that are known by name, from the most to the least specific."""

_GROUPS = ("well", "row", "column", "field", "channel", "z", "t")
_PLACEHOLDERS = {
    "well": _WELL,
    "row": r"(?P<row>[A-Z]{1,2}|\d+)",
    "column": r"(?P<column>\d+)",
    "field": r"(?P<field>\d+)",
    "channel": r"(?P<channel>\w+?)",
    "z": r"(?P<z>\d+)",
    "t": r"(?P<t>\d+)",
}


class PatternError(ValueError):
    """A pattern that cannot be used, or that does not fit the files; the message is for the user."""


@dataclass(frozen=True)
class PlaneName:
    """What a file name says. Row and column count from zero; the others are texts as in the name, ``0`` when absent."""

    row: int
    column: int
    field: str = "0"
    channel: str = "0"
    z: str = "0"
    t: str = "0"


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return the regular expression for a pattern written in any of the three ways.

    Raises:
        PatternError: with what is wrong with it.
    """
    if pattern in CONVENTIONS:
        expression = CONVENTIONS[pattern]
    elif "(?P<" in pattern:
        expression = pattern
    elif "{" in pattern:
        expression = _from_template(pattern)
    else:
        raise PatternError(
            f"The pattern {pattern!r} names no part of a file name. Use placeholders such as {{well}} and {{field}}, named "
            f"groups such as (?P<well>…), or one of: {', '.join(CONVENTIONS)}."
        )
    try:
        compiled = re.compile(expression, re.IGNORECASE)
    except re.error as error:
        raise PatternError(f"The pattern {pattern!r} is not a regular expression: {error}.") from error
    groups = set(compiled.groupindex)
    if unknown := groups - set(_GROUPS):
        raise PatternError(f"The pattern names {', '.join(sorted(unknown))}; it can name {', '.join(_GROUPS)}.")
    if "well" not in groups and not {"row", "column"} <= groups:
        raise PatternError("The pattern does not say where the well is: it needs well, or row and column.")
    return compiled


def guess_pattern(names: Sequence[str]) -> str:
    """Return the name of the first convention that fits all file names.

    Raises:
        PatternError: none does.
    """
    for convention in CONVENTIONS:
        compiled = compile_pattern(convention)
        if names and all(match_name(compiled, name) is not None for name in names):
            return convention
    raise PatternError(
        f"The names of the files (for example {', '.join(names[:3])}) follow none of the known conventions "
        f"({', '.join(CONVENTIONS)}). Give --pattern, for example 'plate_*_{{well}}_s{{field}}_w{{channel}}.tif'."
    )


def match_name(pattern: re.Pattern[str], name: str) -> PlaneName | None:
    """Return what ``name`` says according to ``pattern``, or None when it does not fit or its well cannot be."""
    found = pattern.search(name)
    if found is None:
        return None
    parts = {key: value for key, value in found.groupdict().items() if value is not None}
    try:
        if "well" in parts:
            row, column = well_position(parts.pop("well"))
        else:
            row, column = _row(parts.pop("row")), int(parts.pop("column")) - 1
    except (KeyError, ValueError):
        return None
    if row < 0 or column < 0:
        return None
    return PlaneName(row, column, **parts)


def _row(text: str) -> int:
    return int(text) - 1 if text.isdigit() else well_position(f"{text}1")[0]


def _from_template(template: str) -> str:
    expression = ""
    for part in re.split(r"(\{\w*\}|\*)", template):
        if part == "*":
            expression += ".*?"
        elif part.startswith("{") and part.endswith("}"):
            name = part[1:-1]
            if name not in _PLACEHOLDERS:
                raise PatternError(f"There is no placeholder {part}; use {', '.join(f'{{{each}}}' for each in _PLACEHOLDERS)}.")
            expression += _PLACEHOLDERS[name]
        else:
            expression += re.escape(part)
    return f"^{expression}$"
