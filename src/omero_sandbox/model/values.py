# SPDX-License-Identifier: AGPL-3.0-or-later
"""Translates single values between SQLite and Ice: scalars, measured values with units, name/value lists, bytes."""

from __future__ import annotations

import json
from typing import Any

import omero.model
from omero.rtypes import rbool, rdouble, rfloat, rint, rlong, rmap, rstring, rtime

from omero_sandbox.model.reflection import Field, FieldKind

__all__ = ["decode", "encode", "named_value_pairs", "scalar", "unit_map"]

_WRAPPERS = {
    "string": rstring,
    "int": rint,
    "long": rlong,
    "double": rdouble,
    "float": rfloat,
    "time": rtime,
    "bool": lambda value: rbool(bool(value)),
}


def scalar(kind: str, value: Any) -> Any:
    """Wrap a stored value as an RType of `kind` (``string``, ``long``, ``time`` …); None stays None."""
    return None if value is None else _WRAPPERS[kind](value)


def _unit_enumerator(kind: str, unit: str | None) -> Any:
    enumeration = getattr(omero.model.enums, f"Units{kind}")
    found = getattr(enumeration, unit or "", None)
    return enumeration.valueOf(0) if found is None else found


def unit_map(kind: str, value: float | None, unit: str | None) -> Any:
    """A measured value as projections return it: a map of value, unit and symbol."""
    if value is None:
        return None
    measured = getattr(omero.model, f"{kind}I")(value, _unit_enumerator(kind, unit))
    return rmap({"value": rdouble(value), "unit": rstring(unit or ""), "symbol": rstring(measured.getSymbol())})


def named_value_pairs(stored: str | None) -> list[list[str]]:
    """The pairs of a stored name/value list."""
    return [] if stored is None else [[str(name), str(value)] for name, value in json.loads(stored)]


def decode(field: Field, value: Any, unit: str | None = None) -> Any:
    """The Ice representation of a stored value of any field but references and collections."""
    if field.kind is FieldKind.SCALAR:
        return scalar(field.type, value)
    if field.kind is FieldKind.NAMED_VALUES:
        return None if value is None else [omero.model.NamedValue(name, text) for name, text in named_value_pairs(value)]
    if value is None:
        return None
    if field.kind is FieldKind.UNIT:
        return getattr(omero.model, f"{field.type}I")(value, _unit_enumerator(field.type, unit))
    if field.kind is FieldKind.STRINGS:
        return [str(each) for each in json.loads(value)]
    if field.kind is FieldKind.BYTES:
        return bytes(value)
    raise TypeError(f"{field.kind} has no value of its own")


def encode(field: Field, value: Any) -> tuple[Any, str | None]:
    """What to store of an Ice value: the value and, of measured values, the name of the unit.

    Raises:
        TypeError, ValueError: the value is not what the field holds.
    """
    if value is None:
        return None, None
    if field.kind is FieldKind.SCALAR:
        return _encode_scalar(field.type, value.getValue()), None
    if field.kind is FieldKind.UNIT:
        return float(value.getValue()), str(value.getUnit())
    if field.kind is FieldKind.NAMED_VALUES:
        return json.dumps([[str(pair.name), str(pair.value)] for pair in value if pair is not None]), None
    if field.kind is FieldKind.STRINGS:
        return json.dumps([str(each) for each in value]), None
    if field.kind is FieldKind.BYTES:
        return bytes(value), None
    raise TypeError(f"{field.kind} has no value of its own")


def _encode_scalar(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "string":
        return str(value)
    if kind == "bool":
        return int(bool(value))
    return float(value) if kind in ("double", "float") else int(value)
