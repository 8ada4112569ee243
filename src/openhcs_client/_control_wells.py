# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which wells are controls, as people write it: words for roles, and CSV files with a line per well.

>>> role_of("Positive_Control")
<WellRole.POSITIVE: 'positive'>
>>> read_controls_csv("well,role,compound\\nA1,neg,DMSO\\n")[0].well
'A01'
"""

from __future__ import annotations

import csv
import io
import re

from ._errors import OpenHCSError
from ._quality import WellContent, WellRole
from ._wells import well_name, well_position

__all__ = ["is_role_key", "normal_contents", "read_controls_csv", "role_of"]

_WORDS = {
    WellRole.POSITIVE: ("positive", "positive control", "pos", "pos control", "pc"),
    WellRole.NEGATIVE: ("negative", "negative control", "neg", "neg control", "nc", "vehicle", "vehicle control"),
    WellRole.EMPTY: ("empty", "empty well", "blank"),
    WellRole.TREATMENT: ("treatment", "treated", "sample", "compound", "test"),
}
_ROLES = {word: role for role, words in _WORDS.items() for word in words}
_ROLE_KEYS = frozenset({"role", "well role", "control type", "control", "well type"})

_COLUMNS = {
    "well": "well",
    "well name": "well",
    **dict.fromkeys(_ROLE_KEYS, "role"),
    "compound": "compound",
    "concentration": "concentration",
}

_MOST_ERRORS = 20
_LONGEST = {"compound": 200, "concentration": 50}


def role_of(word: str) -> WellRole | None:
    """The role that ``word`` names, whatever its case and with ``_`` or ``-`` for a space; ``None`` for any other word."""
    return _ROLES.get(_plain(word))


def is_role_key(key: str) -> bool:
    """Whether a key of a key-value pair or a column says what a well is for: ``Role``, ``Control Type``, ``control_type``…"""
    return _plain(key) in _ROLE_KEYS


def normal_contents(wells: list[WellContent]) -> list[WellContent]:
    """The same wells under their normal names (``a1`` is ``A01``), in plate order.

    Raises:
        OpenHCSError: ``invalid_controls`` (422), by field, when a name is none or a well comes twice.
    """
    errors: dict[str, str] = {}
    found: dict[str, WellContent] = {}
    for number, entry in enumerate(wells):
        _take(entry, f"wells.{number}", found, errors)
    return _sorted_or_refused(found, errors)


def read_controls_csv(text: str) -> list[WellContent]:
    """Read a file with the columns *well* and *role*, and perhaps *compound* and *concentration*.

    Commas, semicolons or tabs stand between the columns; the first line names them, in any order. Empty lines are left
    out, other columns are not read.

    Raises:
        OpenHCSError: ``invalid_controls`` (422); ``field_errors`` say what is wrong by line (``line 3``).
    """
    lines = io.StringIO(text.removeprefix("\ufeff"), newline="")
    reader = csv.reader(lines, delimiter=_delimiter(text), strict=True)
    errors: dict[str, str] = {}
    found: dict[str, WellContent] = {}
    names: list[str | None] | None = None
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            line = f"line {reader.line_num}"
            if names is None:
                names = _header(cells, line)
                continue
            values = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name}
            entry = _entry(values, line, errors)
            if entry is not None:
                _take(entry, line, found, errors)
    except csv.Error as error:
        errors[f"line {reader.line_num}"] = f"this is not CSV: {error}"
    if names is None and not errors:
        raise _refusal({"line 1": "the file is empty"})
    if not found and not errors:
        raise _refusal({"line 1": "there is no well below the header"})
    return _sorted_or_refused(found, errors)


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=first.count)


def _header(cells: list[str], line: str) -> list[str | None]:
    names = [_COLUMNS.get(_plain(re.sub(r"[(\[].*", "", cell))) for cell in cells]
    for wanted in ("well", "role"):
        if names.count(wanted) != 1:
            problem = "there is no column" if wanted not in names else "there is more than one column"
            raise _refusal({line: f"{problem} “{wanted}”; the first line must name the columns, such as: well,role"})
    return names


def _entry(values: dict[str, str], line: str, errors: dict[str, str]) -> WellContent | None:
    role = role_of(values.get("role", ""))
    if role is None:
        said = values.get("role", "")
        errors[line] = f"“{said[:40]}” is not a role" if said else "there is no role"
        errors[line] += "; use positive, negative, empty or treatment"
        return None
    for name, longest in _LONGEST.items():
        if len(values.get(name, "")) > longest:
            errors[line] = f"the {name} is longer than {longest} characters"
            return None
    well = values.get("well", "")
    try:
        name = well_name(*well_position(well))
    except ValueError:
        errors[line] = f"“{well[:20]}” is not the name of a well" if well else "there is no well"
        return None
    return WellContent(well=name, role=role, compound=values.get("compound", ""), concentration=values.get("concentration", ""))


def _take(entry: WellContent, place: str, found: dict[str, WellContent], errors: dict[str, str]) -> None:
    try:
        name = well_name(*well_position(entry.well))
    except ValueError:
        errors[place] = f"“{entry.well[:20]}” is not the name of a well"
        return
    if name in found:
        errors[place] = f"well {name} is there twice"
        return
    found[name] = entry.model_copy(update={"well": name})


def _sorted_or_refused(found: dict[str, WellContent], errors: dict[str, str]) -> list[WellContent]:
    if errors:
        raise _refusal(errors)
    return sorted(found.values(), key=lambda entry: well_position(entry.well))


def _refusal(errors: dict[str, str]) -> OpenHCSError:
    place, problem = next(iter(errors.items()))
    more = f" {len(errors) - 1} more {'line is' if len(errors) == 2 else 'lines are'} wrong." if len(errors) > 1 else ""
    shown = dict(list(errors.items())[:_MOST_ERRORS])
    return OpenHCSError("invalid_controls", f"{place[:1].upper()}{place[1:]}: {problem}.{more}", status=422, field_errors=shown)


def _plain(word: str) -> str:
    return " ".join(re.split(r"[\s_-]+", word.strip().lower())).strip()
