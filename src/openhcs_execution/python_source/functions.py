# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which Python function stands for which function of the catalogue, and what its values look like in a script."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from openhcs_client import FunctionInfo

__all__ = ["EnumClass", "FoundFunction", "FunctionTable", "KnownFunction"]

_NAMES_OF_OBJECTS = "__"
_OTHER_BACKENDS = ("cupy", "torch", "jax", "tensorflow", "pyclesperanto")


@dataclass(frozen=True)
class EnumClass:
    """An enumeration of OpenHCS that a parameter takes: its members by the value that documents hold."""

    module: str
    name: str
    members: dict[str, str]


@dataclass(frozen=True)
class KnownFunction:
    """A function of the catalogue as scripts see it.

    Attributes:
        module, attribute: where a script imports the callable from that this version runs.
        over, by: the dimensions that one call sees stacked, and the one that calls are split by.
        name_parameters: parameters whose values are part of the attribute (``attribute__cells``) instead of arguments.
        upstream: dotted path of the function of OpenHCS or scikit-image behind it.
        enums: parameters that the callable takes as a member of an enumeration.
    """

    info: FunctionInfo
    module: str
    attribute: str
    over: tuple[str, ...]
    by: str
    plane_by_plane: bool
    name_parameters: tuple[str, ...] = ()
    upstream: str | None = None
    enums: dict[str, EnumClass] = field(default_factory=dict)

    def attribute_for(self, names: Iterable[str]) -> str:
        """The attribute with the values of :attr:`name_parameters` in it."""
        return _NAMES_OF_OBJECTS.join((self.attribute, *names))


@dataclass(frozen=True)
class FoundFunction:
    """A callable of a script: the function, what its attribute says about names, whether another backend was meant."""

    function: KnownFunction
    names: dict[str, str]
    backend: str = ""


class FunctionTable:
    """Functions by catalogue id and by the dotted path that a script imports."""

    def __init__(self, functions: Iterable[KnownFunction]) -> None:
        self._by_id = {function.info.id: function for function in functions}
        self._by_path: dict[str, KnownFunction] = {}
        for function in self._by_id.values():
            self._by_path[f"{function.module}.{function.attribute}"] = function
        for function in self._by_id.values():
            if function.upstream is not None:
                self._by_path.setdefault(function.upstream, function)

    def get(self, function_id: str) -> KnownFunction | None:
        """The function with a catalogue id."""
        return self._by_id.get(function_id)

    def find(self, path: str) -> FoundFunction | None:
        """The function that a script means by a dotted path."""
        for candidate in (path, path.removeprefix("openhcs.")):
            if (function := self._by_path.get(candidate)) is not None:
                return None if function.name_parameters and candidate != function.upstream else FoundFunction(function, {})
        return self._with_names(path) or self._of_library(path) or self._of_other_backend(path)

    def _with_names(self, path: str) -> FoundFunction | None:
        attribute, *names = path.split(_NAMES_OF_OBJECTS)
        function = self._by_path.get(attribute)
        if function is None or not names or len(names) != len(function.name_parameters):
            return None
        return FoundFunction(function, dict(zip(function.name_parameters, names, strict=True)))

    def _of_library(self, path: str) -> FoundFunction | None:
        """scikit-image exports its functions from packages; OpenHCS names the private module that defines them."""
        parts = path.removeprefix("openhcs.").split(".")
        if parts[0] != "skimage" or not any(part.startswith("_") for part in parts[1:-1]):
            return None
        same = [
            function
            for known, function in self._by_path.items()
            if known.startswith("skimage.") and known.rpartition(".")[2] == parts[-1]
        ]
        return FoundFunction(same[0], {}) if len(same) == 1 else None

    def _of_other_backend(self, path: str) -> FoundFunction | None:
        for backend in _OTHER_BACKENDS:
            function = self._by_path.get(path.replace(f".{backend}_processor.", ".numpy_processor."))
            if function is not None and f".{backend}_processor." in path:
                return FoundFunction(function, {}, backend)
        return None
