# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads class and member definitions out of omero-py's generated Ice modules.

Ice keeps its type descriptions opaque at run time, but the modules that ``slice2py`` generates spell every class out::

    _M_omero.model._t_Well = IcePy.defineClass('::omero::model::Well', Well, -1, (), True, False,
        _M_omero.model._t_IObject, (), (
        ('_row', (), _M_omero._t_RInt, False, 0),
        …
    ))

Reading these files as text needs no particular import order, so the model can be reflected in any process, whether or not
``omero`` was imported before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import omero

__all__ = ["SliceClass", "SliceMember", "read_model_classes"]

_CLASS = re.compile(
    r"_M_omero\.model\._t_\w+ = IcePy\.defineClass\('::omero::model::(?P<name>\w+)', \w+, -?\d+, \(\), \w+, \w+, "
    r"(?P<base>[\w.]+), \(\), \((?P<members>.*?)\)\)\n",
    re.DOTALL,
)
_MEMBER = re.compile(r"\('(?P<name>\w+)', \(\), (?P<type>[\w.]+), \w+, \d+\)")
_SEQUENCE = re.compile(r"(?P<name>_M_\w+\.\w+\._t_\w+) = IcePy\.defineSequence\('[\w:]+', \(\), (?P<element>[\w.]+)\)")


@dataclass(frozen=True)
class SliceMember:
    """One data member: its attribute (``_row``), its type (``RInt``, ``Plate``) and, of sequences, that of their elements."""

    attribute: str
    type: str
    element: str | None


@dataclass(frozen=True)
class SliceClass:
    """One Ice class of ``omero.model`` with the members it adds to its base class."""

    name: str
    base: str | None
    members: tuple[SliceMember, ...]


def _short(dotted: str) -> str:
    """``_M_omero.model._t_Plate`` -> ``Plate``."""
    return dotted.rsplit("_t_", 1)[-1]


def read_model_classes() -> dict[str, SliceClass]:
    """Return every class of ``omero.model`` by name, as the installed omero-py defines it.

    Raises:
        RuntimeError: the installed omero-py has no readable generated modules.
    """
    folder = Path(omero.__file__).parent.parent
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("omero_*_ice.py"))]
    sequences = {m["name"]: _short(m["element"]) for text in texts for m in _SEQUENCE.finditer(text)}
    classes: dict[str, SliceClass] = {}
    for text in texts:
        for found in _CLASS.finditer(text):
            members = tuple(
                SliceMember(member["name"], _short(member["type"]), sequences.get(member["type"]))
                for member in _MEMBER.finditer(found["members"])
            )
            base = None if found["base"] == "None" else _short(found["base"])
            classes[found["name"]] = SliceClass(found["name"], base, members)
    if "Image" not in classes:
        raise RuntimeError(f"No generated OMERO model modules (omero_model_*_ice.py) in {folder}.")
    return classes
