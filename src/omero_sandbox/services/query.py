# SPDX-License-Identifier: AGPL-3.0-or-later
"""IQuery: reading objects by id, by a field and by HQL, always through the caller's read filter."""

from __future__ import annotations

from typing import Any

import omero
import omero.sys
from omero.rtypes import rstring

from omero_sandbox.ice.dispatch import Service
from omero_sandbox.ice.errors import api_usage, validation_error
from omero_sandbox.model.reflection import Entity, FieldKind, entity_named, entity_of
from omero_sandbox.query.execution import execute_query, load_objects
from omero_sandbox.security.caller import Caller
from omero_sandbox.store.database import Database

__all__ = ["QueryService", "entity_for", "find_by_words"]


def entity_for(name: str) -> Entity:
    """Return the entity a client names (``Image``, ``omero.model.Image``, …); the name is never used in a query before this.

    Raises:
        omero.ApiUsageException: there is none.
    """
    entity = entity_named(name or "")
    if entity is None:
        raise api_usage(f"There is no type {name} in the OMERO model.")
    return entity


class QueryService(Service):
    """The read interface of the model."""

    def findAllByQuery(self, query: str, parameters: Any, caller: Caller) -> list[Any]:
        """Return what an HQL query selects."""
        return execute_query(self.database, query, parameters, caller)

    def findByQuery(self, query: str, parameters: Any, caller: Caller) -> Any:
        """Return the one object that an HQL query selects, or None.

        Raises:
            omero.ApiUsageException: it selects several.
        """
        found = execute_query(self.database, query, parameters, caller)
        if len({id(each) for each in found}) > 1:
            raise api_usage(f"findByQuery: {len(found)} results where at most one was expected.")
        return found[0] if found else None

    def projection(self, query: str, parameters: Any, caller: Caller) -> list[list[Any]]:
        """Return the rows of an HQL query, column by column."""
        return execute_query(self.database, query, parameters, caller, projection=True)

    def find(self, class_name: str, object_id: int, caller: Caller) -> Any:
        """Return one object, or None when it is not there or may not be read."""
        found = load_objects(self.database, entity_for(class_name).name, [object_id], caller)
        return found[0] if found else None

    def get(self, class_name: str, object_id: int, caller: Caller) -> Any:
        """Return one object.

        Raises:
            omero.ValidationException: it is not there or may not be read (which of the two is not told).
        """
        found = self.find(class_name, object_id, caller)
        if found is None:
            raise validation_error(f"The requested object ({class_name},{object_id}) is not available.")
        return found

    def findAll(self, class_name: str, filter_: Any, caller: Caller) -> list[Any]:
        """Return all objects of a class that the caller may read."""
        parameters = omero.sys.ParametersI()
        parameters.theFilter = filter_
        return execute_query(self.database, f"select o from {entity_for(class_name).name} o order by o.id", parameters, caller)

    def findAllByString(
        self, class_name: str, field: str, value: str, case_sensitive: bool, filter_: Any, caller: Caller
    ) -> list[Any]:
        """Return the objects whose field has this text."""
        entity = entity_for(class_name)
        described = entity.find_field(field)
        if described is None or described.kind is not FieldKind.SCALAR or described.type != "string":
            raise api_usage(f"{entity.name} has no text field {field}.")
        parameters = omero.sys.ParametersI()
        parameters.theFilter = filter_
        parameters.map["value"] = rstring(value if case_sensitive else value.lower())
        path = f"o.{described.name}" if case_sensitive else f"lower(o.{described.name})"
        return execute_query(
            self.database, f"select o from {entity.name} o where {path} = :value order by o.id", parameters, caller
        )

    def findByString(self, class_name: str, field: str, value: str, caller: Caller) -> Any:
        """Return the one object whose field has this text, or None.

        Raises:
            omero.ApiUsageException: there are several.
        """
        found = self.findAllByString(class_name, field, value, True, None, caller)
        if len(found) > 1:
            raise api_usage(f"findByString: {len(found)} results where at most one was expected.")
        return found[0] if found else None

    def findAllByExample(self, example: Any, filter_: Any, caller: Caller) -> list[Any]:
        """Return the objects whose text and number fields equal those set in an example."""
        entity = entity_of(example)
        parameters = omero.sys.ParametersI()
        parameters.theFilter = filter_
        conditions = []
        for field in entity.stored_fields():
            value = getattr(example, field.attribute, None)
            if field.kind is FieldKind.SCALAR and value is not None:
                parameters.map[field.name] = value
                conditions.append(f"o.{field.name} = :{field.name}")
        if not conditions:
            raise api_usage("The example has no field to search by.")
        query = f"select o from {entity.name} o where {' and '.join(conditions)} order by o.id"
        return execute_query(self.database, query, parameters, caller)

    def findByExample(self, example: Any, caller: Caller) -> Any:
        """Return the one object that is like an example, or None."""
        found = self.findAllByExample(example, None, caller)
        if len(found) > 1:
            raise api_usage(f"findByExample: {len(found)} results where at most one was expected.")
        return found[0] if found else None

    def refresh(self, example: Any, caller: Caller) -> Any:
        """Return an object as it is now."""
        if example is None or example.id is None:
            raise api_usage("Only an object with an id can be refreshed.")
        return self.get(entity_of(example).name, example.id.val, caller)

    def findAllByFullText(self, class_name: str, text: str, parameters: Any, caller: Caller) -> list[Any]:
        """Return the objects whose name, description or text contains every word of ``text`` (no word forms, no index)."""
        return find_by_words(self.database, entity_for(class_name), text, parameters, caller)


def find_by_words(
    database: Database, entity: Entity, text: str, parameters: Any, caller: Caller, created: tuple[Any, Any] = (None, None)
) -> list[Any]:
    """Return the objects of ``entity`` that contain every word of ``text``, whatever the case, in one of their texts.

    ``created``: keep those made between two times (``omero.RTime``; None: no limit on this side).
    """
    # Clients add Lucene's wildcards and quotes; those of SQL are dropped so that a word stands for itself.
    words = "".join(" " if character in '*"%_' else character for character in text).lower().split()
    fields = [name for name in ("name", "description", "textValue", "label") if name in entity.fields]
    if not words or not fields:
        return []
    asked = omero.sys.ParametersI()
    if parameters is not None:
        asked.theFilter = parameters.theFilter
    conditions = []
    for number, word in enumerate(words):
        asked.map[f"word{number}"] = rstring(f"%{word}%")
        conditions.append("(" + " or ".join(f"lower(o.{field}) like :word{number}" for field in fields) + ")")
    for name, comparison, time in (("earliest", ">=", created[0]), ("latest", "<=", created[1])):
        if time is not None:
            asked.map[name] = time
            conditions.append(f"o.details.creationEvent.time {comparison} :{name}")
    query = f"select o from {entity.name} o where {' and '.join(conditions)} order by o.id"
    return execute_query(database, query, asked, caller)
