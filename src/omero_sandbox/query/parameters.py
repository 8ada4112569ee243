# SPDX-License-Identifier: AGPL-3.0-or-later
"""Takes the values out of ``omero.sys.Parameters``."""

from __future__ import annotations

from typing import Any

import omero

from omero_sandbox.query.errors import HqlError

__all__ = ["named_values", "page"]


def named_values(parameters: Any) -> dict[str, Any]:
    """The named parameters as plain Python values: numbers, texts, lists; objects as their ids.

    Raises:
        HqlError: a value is of a type that cannot be a parameter.
    """
    if parameters is None or not parameters.map:
        return {}
    return {name: _plain(value) for name, value in parameters.map.items()}


def _plain(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, omero.RCollection):
        return [_plain(each) for each in (value.getValue() or [])]
    if isinstance(value, omero.RObject):
        inner = value.getValue()
        return None if inner is None or inner.id is None else inner.id.val
    if isinstance(value, omero.RBool):
        return int(value.getValue())
    plain = value.getValue() if isinstance(value, omero.RType) else value
    if plain is None or isinstance(plain, (int, float, str)):
        return plain
    raise HqlError(f"A parameter cannot be of type {type(value).__name__}.")


def page(parameters: Any) -> tuple[int | None, int | None]:
    """The wanted part of the result: (limit, offset)."""
    wanted = None if parameters is None else parameters.theFilter
    if wanted is None:
        return None, None
    limit = None if wanted.limit is None else max(0, int(wanted.limit.val))
    offset = None if wanted.offset is None else max(0, int(wanted.offset.val))
    return limit, offset
