# SPDX-License-Identifier: AGPL-3.0-or-later
"""IUpdate: saving graphs of objects. The store checks the caller's permission on every object it would write."""

from __future__ import annotations

from typing import Any

from omero_sandbox.ice.dispatch import Service, own_transactions
from omero_sandbox.ice.errors import api_usage
from omero_sandbox.model.reflection import entity_of
from omero_sandbox.security.caller import Caller
from omero_sandbox.services.stored_data import remove_data
from omero_sandbox.store.deleting import delete
from omero_sandbox.store.saving import save

__all__ = ["UpdateService"]


class UpdateService(Service):
    """The write interface of the model."""

    def saveObject(self, obj: Any, caller: Caller) -> None:
        """Save one object and what it refers to."""
        self.saveAndReturnArray([obj], caller)

    def saveCollection(self, objects: list[Any], caller: Caller) -> None:
        """Save several objects."""
        self.saveAndReturnArray(objects, caller)

    def saveArray(self, objects: list[Any], caller: Caller) -> None:
        """Save several objects."""
        self.saveAndReturnArray(objects, caller)

    def saveAndReturnObject(self, obj: Any, caller: Caller) -> Any:
        """Save one object and return it with ids, versions and details filled in."""
        return self.saveAndReturnArray([obj], caller)[0]

    def saveAndReturnArray(self, objects: list[Any], caller: Caller) -> list[Any]:
        """Save several objects and return them with ids, versions and details filled in."""
        if any(each is None for each in objects):
            raise api_usage("There is nothing to save in an empty place of the list.")
        return save(self.database, objects, caller)

    def saveAndReturnIds(self, objects: list[Any], caller: Caller) -> list[int]:
        """Save several objects and return their ids only."""
        return [each.id.val for each in self.saveAndReturnArray(objects, caller)]

    @own_transactions
    def deleteObject(self, obj: Any, caller: Caller) -> None:
        """Delete one object with what belongs to it."""
        if obj is None or obj.id is None:
            raise api_usage("Only an object with an id can be deleted.")
        remove_data(self.database, delete(self.database, entity_of(obj).name, [obj.id.val], caller))

    def indexObject(self, obj: Any, caller: Caller) -> None:
        """Nothing to do: search reads the objects themselves."""
