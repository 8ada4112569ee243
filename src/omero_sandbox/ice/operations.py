# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which operations an Ice interface has, and whether each one returns a value or is answered by a callback.

IcePy keeps the signature of an operation inside an opaque object, so it is read from the one line that slice2py writes
per operation in the generated modules of omero-py::

    IQuery._op_get = IcePy.Operation('get', <mode>, <mode>, <amd>, <format>, <metadata>, <in>, <out>, <return>, <exceptions>)

Reading those lines, instead of replacing ``IcePy.Operation``, works whatever was imported first.
"""

from __future__ import annotations

import ast
import functools
import re
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Operation", "operations_of"]

_LINE = re.compile(r"^ {4}(?P<interface>\w+)\._op_(?P<name>\w+) = (?P<call>IcePy\.Operation\(.*\))$", re.MULTILINE)
_AMD, _OUT, _RETURN = 3, 7, 8  # positions in the arguments of IcePy.Operation


@dataclass(frozen=True)
class Operation:
    """One operation of an interface: ``deferred`` ones are answered through a callback object (Ice's AMD)."""

    name: str
    deferred: bool
    returns_value: bool


@functools.cache
def _by_interface_name() -> dict[str, dict[str, Operation]]:
    found: dict[str, dict[str, Operation]] = {}
    for name, module in sorted(sys.modules.items()):
        if not re.fullmatch(r"(omero_(?!model_)\w+|Glacier2_Session)_ice", name) or not getattr(module, "__file__", None):
            continue
        for match in _LINE.finditer(Path(str(module.__file__)).read_text(encoding="utf-8")):
            call = ast.parse(match["call"], mode="eval").body
            assert isinstance(call, ast.Call)
            out, returned = call.args[_OUT], call.args[_RETURN]
            operation = Operation(
                name=match["name"],
                deferred=ast.literal_eval(call.args[_AMD]),
                returns_value=not (isinstance(returned, ast.Constant) and returned.value is None)
                or (isinstance(out, ast.Tuple) and bool(out.elts)),
            )
            found.setdefault(match["interface"], {})[operation.name] = operation
    return found


@functools.cache
def operations_of(interface: type) -> dict[str, Operation]:
    """Return every operation of an Ice interface class, inherited ones included, by name."""
    known = _by_interface_name()
    operations: dict[str, Operation] = {}
    for ancestor in reversed(interface.__mro__):
        for name, operation in known.get(ancestor.__name__, {}).items():
            if hasattr(interface, f"_op_{name}"):
                operations[name] = operation
    return operations
