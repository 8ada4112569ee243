# SPDX-License-Identifier: AGPL-3.0-or-later
"""ITypes: enumerations and the kinds of annotations."""

from __future__ import annotations

from typing import Any

import omero
import omero.sys
from omero.rtypes import rstring

from omero_sandbox.ice.dispatch import Service
from omero_sandbox.ice.errors import api_usage
from omero_sandbox.model.reflection import ENTITIES, ENUMERATIONS
from omero_sandbox.query.execution import execute_query
from omero_sandbox.security.caller import Caller
from omero_sandbox.services.query import entity_for
from omero_sandbox.store.database import Database
from omero_sandbox.store.saving import save

__all__ = ["TypesService", "all_enumerations", "enumeration"]


def _enumeration_type(name: str) -> str:
    entity = entity_for(name)
    if entity.name not in ENUMERATIONS:
        raise api_usage(f"{entity.name} is not an enumeration.")
    return entity.name


def all_enumerations(database: Database, name: str, caller: Caller) -> list[Any]:
    """Return all values of an enumeration."""
    return execute_query(database, f"select e from {_enumeration_type(name)} e order by e.id", None, caller)


def enumeration(database: Database, name: str, value: str, caller: Caller) -> Any:
    """Return one value of an enumeration.

    Raises:
        omero.ApiUsageException: the enumeration or the value does not exist.
    """
    kind = _enumeration_type(name)
    parameters = omero.sys.ParametersI()
    parameters.map["value"] = rstring(value)
    found = execute_query(database, f"select e from {kind} e where e.value = :value", parameters, caller)
    if not found:
        raise api_usage(f"{kind} has no value {value}.")
    return found[0]


class TypesService(Service):
    """Enumerations."""

    def allEnumerations(self, name: str, caller: Caller) -> list[Any]:
        """All values of an enumeration."""
        return all_enumerations(self.database, name, caller)

    def getEnumeration(self, name: str, value: str, caller: Caller) -> Any:
        """One value of an enumeration."""
        return enumeration(self.database, name, value, caller)

    def getEnumerationTypes(self, caller: Caller) -> list[str]:
        """Names of all enumerations."""
        return list(ENUMERATIONS)

    def getEnumerationsWithEntries(self, caller: Caller) -> dict[str, list[Any]]:
        """All values of all enumerations."""
        return {name: all_enumerations(self.database, name, caller) for name in ENUMERATIONS}

    def getAnnotationTypes(self, caller: Caller) -> list[str]:
        """Names of the kinds of annotations that can be made."""
        return sorted(name for name in ENTITIES["Annotation"].family if not ENTITIES[name].is_abstract)

    def createEnumeration(self, value: Any, caller: Caller) -> Any:
        """Add a value to an enumeration."""
        _enumeration_type(type(value).__name__)
        return save(self.database, [value], caller)[0]
