# SPDX-License-Identifier: AGPL-3.0-or-later
"""OpenHCS's type hints, resolved once. Runs in the engine's child only.

OpenHCS checks every configuration object that it makes against the annotations of its class, some four hundred times per well,
and resolves these anew each time, which evaluates their text. That was a fifth of what a well with nothing to compute took.
Annotations of a class do not change, so the answer is remembered as long as the class is there.
"""

from __future__ import annotations

import typing
from typing import Any
from weakref import WeakKeyDictionary

from objectstate import context_manager
from python_introspect import validation

__all__ = ["remember_type_hints"]

_known: WeakKeyDictionary[type, dict[str, Any]] = WeakKeyDictionary()


def _type_hints(owner: Any, globalns: Any = None, localns: Any = None, include_extras: bool = False) -> dict[str, Any]:
    """As :func:`typing.get_type_hints`; classes without names of their own are remembered."""
    if not isinstance(owner, type) or globalns is not None or localns is not None or not include_extras:
        return typing.get_type_hints(owner, globalns, localns, include_extras)
    if owner not in _known:
        _known[owner] = typing.get_type_hints(owner, include_extras=True)
    return dict(_known[owner])


def remember_type_hints() -> None:
    """Let the two modules that ask most often remember; more than once does no harm."""
    for module in (validation, context_manager):
        module.get_type_hints = _type_hints
