# SPDX-License-Identifier: AGPL-3.0-or-later
"""How to call functions whose signature is not *one plane and plain values*.

A recipe gets the function that the table names, then planes and label images, then plain parameters. It never chooses the
function itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import cellprofiler, openhcs, skimage

__all__ = ["recipe"]

_RECIPES: dict[str, Callable[..., Any]] = {
    name: getattr(module, name) for module in (skimage, openhcs, cellprofiler) for name in module.__all__
}


def recipe(name: str) -> Callable[..., Any]:
    """The recipe of this name.

    Raises:
        KeyError: when there is none.
    """
    return _RECIPES[name]
