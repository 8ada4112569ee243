# SPDX-License-Identifier: AGPL-3.0-or-later
"""The functions that a pipeline step may name, offered or not, as the engine's tested catalogue lists them."""

from __future__ import annotations

from collections.abc import Iterable

from openhcs_client import FunctionInfo, OpenHCSError
from openhcs_execution.engine import load_functions

__all__ = ["FunctionCatalogue"]


class FunctionCatalogue:
    """Functions by id, in the catalogue's order."""

    def __init__(self, functions: Iterable[FunctionInfo]) -> None:
        self._functions = {function.id: function for function in functions}

    @classmethod
    def packaged(cls) -> FunctionCatalogue:
        """The catalogue of the OpenHCS version that this service is made for."""
        return cls(load_functions())

    def list(self, *, offered_only: bool = False) -> list[FunctionInfo]:
        """All functions, or only those that are offered."""
        return [function for function in self._functions.values() if function.offered or not offered_only]

    def get(self, function_id: str) -> FunctionInfo:
        """Return one function.

        Raises:
            OpenHCSError: ``unknown_function``, status 404.
        """
        try:
            return self._functions[function_id]
        except KeyError:
            raise OpenHCSError("unknown_function", f"There is no function {function_id!r}.", status=404) from None
