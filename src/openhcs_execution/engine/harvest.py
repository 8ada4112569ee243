# SPDX-License-Identifier: AGPL-3.0-or-later
"""Put together everything that might be offered: OpenHCS's registry, the tables of candidates, our own step functions.

Imports OpenHCS; runs in a process of its own.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from openhcs_client import FunctionInfo

from .adapters.calls import import_function
from .adapters.recipes import recipe
from .candidates import CATEGORIES, EXCLUDED, REPLACED, Candidate, Kind, candidates
from .catalogue import PROJECTION, CatalogueEntry, Grouping
from .describe import describe
from .inference import parameter_facts
from .naming import SEES_WELL

__all__ = ["Upstream", "entries", "upstream_functions"]

_ONE_FIELD = Grouping(("channel",), "site")
_WELL = Grouping(("site", "channel"), "z_index")
_OF_STEPS = {
    PROJECTION: Grouping(("z_index",), "channel"),
    "omero_openhcs:correct_illumination": Grouping(("site",), "channel"),
}
_NOT_TRIED = "No adapter calls it in a way that keeps fields and grey values as they are."


@dataclass(frozen=True)
class Upstream:
    """A function of OpenHCS's registry."""

    id: str
    name: str
    library: str
    import_path: str
    doc: str


def upstream_functions() -> list[Upstream]:
    """Everything that OpenHCS registers, found in this process: asking OpenHCS's cache starts another one."""
    from openhcs.agent.services.function_catalog_service import FunctionCatalogService
    from openhcs.processing.backends.lib_registry.registry_service import RegistryService

    RegistryService.prepare_in_current_process()
    service = FunctionCatalogService()
    found = []
    for item in service.catalog().items:
        function = inspect.unwrap(service.resolve(item.function_id))
        path = f"{function.__module__}.{function.__qualname__}"
        found.append(Upstream(item.function_id, item.name, item.library, path, inspect.getdoc(function) or ""))
    return found


def entries(registered: list[Upstream]) -> list[CatalogueEntry]:
    """Entries of everything, in the order of pages; nothing is offered yet except what has no reason against it."""
    made = [_of_step(info) for info in _step_functions()]
    made += [_of_candidate(candidate) for candidate in candidates().values()]
    known = {entry.info.id for entry in made}
    made.sort(key=lambda entry: (_place(entry.info.category), entry.info.library != "omero-openhcs", entry.info.title))
    rest = [_not_offered(function) for function in registered if function.id not in known and function.id not in REPLACED]
    return made + sorted(rest, key=lambda entry: entry.info.title)


def _place(category: str) -> int:
    """Where a category stands on pages; unknown ones come last."""
    return CATEGORIES.index(category) if category in CATEGORIES else len(CATEGORIES)


def _step_functions() -> list[FunctionInfo]:
    text = resources.files(__package__).joinpath("functions.json").read_text(encoding="utf-8")
    return [FunctionInfo.model_validate(entry) for entry in json.loads(text)["functions"]]


def _of_step(info: FunctionInfo) -> CatalogueEntry:
    return _entry(info, Kind.STEP, _OF_STEPS.get(info.id, _ONE_FIELD))


def _of_candidate(candidate: Candidate) -> CatalogueEntry:
    return _entry(describe(candidate, _facts), candidate.kind, _WELL if candidate.kind in SEES_WELL else _ONE_FIELD)


def _entry(info: FunctionInfo, kind: str, grouping: Grouping) -> CatalogueEntry:
    return CatalogueEntry(info, {parameter.name: parameter for parameter in info.parameters}, str(kind), grouping, {})


def _facts(candidate: Candidate) -> Mapping[str, Mapping[str, Any]]:
    """Facts of the function's own parameters, and of those that only its recipe takes."""
    own = parameter_facts(import_function(candidate.import_path))
    return (parameter_facts(recipe(candidate.recipe)) if candidate.recipe else {}) | own


def _not_offered(function: Upstream) -> CatalogueEntry:
    """A registered function that is only listed."""
    info = FunctionInfo(
        id=function.id,
        title=function.name.replace("_", " ").capitalize(),
        library="scikit-image" if function.library == "skimage" else "OpenHCS",
        help=_first_paragraph(function.doc),
        offered=False,
        reason=EXCLUDED.get(function.id, _NOT_TRIED),
        import_path=function.import_path,
        parameters=[],
    )
    return _entry(info, "none", _ONE_FIELD)


def _first_paragraph(doc: str) -> str:
    """The first paragraph of a docstring, as one line of at most 300 characters."""
    line = " ".join(doc.strip().split("\n\n")[0].split())
    return line if len(line) <= 300 else line[:299].rsplit(" ", 1)[0] + "…"
