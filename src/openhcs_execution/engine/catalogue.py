# SPDX-License-Identifier: AGPL-3.0-or-later
"""The functions that a pipeline may name: read from a file that ``openhcs-execution catalogue build`` wrote. No OpenHCS here.

OpenHCS registers some 265 functions. Most need more than an image, change grey values, or touch files, so being registered is
no licence. The file lists them all; those are offered that passed their smoke test with the versions that the file names.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata, resources
from pathlib import Path
from typing import Any, Literal

from openhcs_client import FunctionInfo, FunctionParameter

__all__ = [
    "CATALOGUE_FILE",
    "PROJECTION",
    "CatalogueEntry",
    "CatalogueSource",
    "Grouping",
    "catalogue_entry",
    "catalogue_source",
    "choose_catalogue",
    "function",
    "installed_versions",
    "load_functions",
    "use_entries",
]

CATALOGUE_FILE = "OPENHCS_EXECUTION_CATALOGUE_FILE"
"""Environment variable with the path of the file to use instead of the one that ships with the package."""

PROJECTION = "openhcs:create_projection"
"""Sees the focal planes of a field together."""

Dimension = Literal["site", "channel", "z_index"]

_PACKAGES = ("openhcs", "scikit-image", "numpy", "scipy", "omero-openhcs")


@dataclass(frozen=True)
class Grouping:
    """Which planes one call of a function sees together: stacked ``over`` dimensions, one call for each of ``by``.

    OpenHCS leaves this to each step; with the wrong choice a function silently mixes fields. So it belongs to the function.
    """

    over: tuple[Dimension, ...]
    by: Dimension


@dataclass(frozen=True)
class CatalogueEntry:
    """A function of the catalogue, with its parameters by name, its kind and what its smoke test found."""

    info: FunctionInfo
    parameters: dict[str, FunctionParameter]
    kind: str
    grouping: Grouping
    tests: dict[str, Any]

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> CatalogueEntry:
        """Read what :meth:`to_json` wrote.

        Raises:
            pydantic.ValidationError, KeyError: when it is something else.
        """
        info = FunctionInfo.model_validate(entry["info"])
        grouping = Grouping(tuple(entry["over"]), entry["by"])
        return cls(info, {parameter.name: parameter for parameter in info.parameters}, entry["kind"], grouping, entry["tests"])

    def to_json(self) -> dict[str, Any]:
        """Plain data for the file."""
        return {
            "info": self.info.model_dump(mode="json", exclude_defaults=True) | {"offered": self.info.offered},
            "kind": self.kind,
            "over": list(self.grouping.over),
            "by": self.grouping.by,
            "tests": self.tests,
        }

    def parameter(self, name: str) -> FunctionParameter:
        """Return the parameter called ``name``.

        Raises:
            KeyError: when the function has none.
        """
        return self.parameters[name]

    @property
    def names_objects(self) -> bool:
        """Whether its parameter ``name`` names the objects that it makes."""
        return "objects" in self.info.outputs


@dataclass(frozen=True)
class CatalogueSource:
    """Where the catalogue in use comes from. ``differences`` says which installed versions are not those of its tests."""

    path: str
    versions: dict[str, str]
    differences: dict[str, tuple[str, str]]
    functions: int
    offered: int


def installed_versions() -> dict[str, str]:
    """Versions of what decides how functions behave; part of the key of a catalogue. Absent packages are empty."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = ""
    return versions


def choose_catalogue(folder: Path) -> None:
    """Use a catalogue that was built into ``folder``, unless only the packaged one was tested with what is installed.

    The choice is left in the environment, for the processes that are started from here.
    """
    built = folder / "catalogue.json"
    if not built.is_file():
        return
    installed = installed_versions()
    if _versions(_read(str(built))) == installed or _versions(_read("")) != installed:
        os.environ[CATALOGUE_FILE] = str(built)
        _loaded.cache_clear()


def catalogue_source() -> CatalogueSource:
    """What is in use, and whether it was tested with the versions that are installed."""
    path = os.environ.get(CATALOGUE_FILE, "")
    versions, installed = _versions(_read(path)), installed_versions()
    differences = {
        name: (versions.get(name, ""), version) for name, version in installed.items() if versions.get(name, "") != version
    }
    infos = [entry.info for entry in _entries().values()]
    return CatalogueSource(path or "packaged", versions, differences, len(infos), sum(1 for info in infos if info.offered))


def _read(path: str) -> dict[str, Any]:
    if path:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    return json.loads(resources.files(__package__).joinpath("catalogue.json").read_text(encoding="utf-8"))


def _versions(content: dict[str, Any]) -> dict[str, str]:
    return dict(content["versions"])


_used: dict[str, CatalogueEntry] | None = None


def use_entries(entries: Iterable[CatalogueEntry] | None) -> None:
    """Use ``entries`` in this process instead of a file, while a catalogue is built; ``None`` ends that."""
    global _used
    _used = None if entries is None else {entry.info.id: entry for entry in entries}


def _entries() -> dict[str, CatalogueEntry]:
    return _used if _used is not None else _loaded()


@lru_cache(maxsize=1)
def _loaded() -> dict[str, CatalogueEntry]:
    content = _read(os.environ.get(CATALOGUE_FILE, ""))
    entries = [CatalogueEntry.from_json(entry) for entry in content["functions"]]
    return {entry.info.id: entry for entry in entries}


def load_functions() -> list[FunctionInfo]:
    """Every function of the catalogue, in the order in which pages show them; those not offered carry a reason."""
    return [entry.info.model_copy(deep=True) for entry in _entries().values()]


def catalogue_entry(function_id: str) -> CatalogueEntry:
    """Return one entry.

    Raises:
        KeyError: when the catalogue has no such function.
    """
    return _entries()[function_id]


def function(function_id: str) -> FunctionInfo | None:
    """Return what is known about one function, or ``None`` when the catalogue has no such function."""
    entry = _entries().get(function_id)
    return entry.info.model_copy(deep=True) if entry else None
