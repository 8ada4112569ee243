# SPDX-License-Identifier: AGPL-3.0-or-later
"""IContainer: trees of projects, datasets, screens and plates, the images in them, and counts.

Everything is asked in HQL, so the read filter holds for each count as it does for each object.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import omero
import omero.sys
from omero.rtypes import rlist, rlong

from omero_sandbox.ice.dispatch import Service
from omero_sandbox.ice.errors import api_usage
from omero_sandbox.model.reflection import FieldKind, entity_of
from omero_sandbox.query.execution import execute_query
from omero_sandbox.security.caller import Caller
from omero_sandbox.services.query import entity_for
from omero_sandbox.store.deleting import delete
from omero_sandbox.store.saving import save

__all__ = ["ContainerService", "id_parameters"]

_IMAGES = (
    "select distinct i from Image i left outer join fetch i.pixels p left outer join fetch p.pixelsType "
    "left outer join fetch p.dimensionOrder left outer join fetch i.format "
)
_IMAGES_IN = {
    "Image": "where i.id in (:ids)",
    "Dataset": "where i.id in (select l.child.id from DatasetImageLink l where l.parent.id in (:ids))",
    "Project": (
        "where i.id in (select l.child.id from DatasetImageLink l, ProjectDatasetLink k "
        "where l.parent.id = k.child.id and k.parent.id in (:ids))"
    ),
    "Plate": "where i.id in (select s.image.id from WellSample s where s.well.plate.id in (:ids))",
    "Well": "where i.id in (select s.image.id from WellSample s where s.well.id in (:ids))",
}
_TREES = {
    "Project": "select distinct o from Project o left outer join fetch o.datasetLinks l left outer join fetch l.child c",
    "Dataset": "select distinct o from Dataset o left outer join fetch o.imageLinks l left outer join fetch l.child c",
    "Screen": "select distinct o from Screen o left outer join fetch o.plateLinks l left outer join fetch l.child c",
    "Plate": "select distinct o from Plate o left outer join fetch o.plateAcquisitions c",
}


def id_parameters(ids: Iterable[int]) -> omero.sys.ParametersI:
    """Return query parameters with the ids as ``:ids``."""
    parameters = omero.sys.ParametersI()
    parameters.map["ids"] = rlist([rlong(int(each)) for each in ids])
    return parameters


class ContainerService(Service):
    """Containers and what is in them."""

    def getImages(self, class_name: str, ids: list[int], parameters: Any, caller: Caller) -> list[Any]:
        """Images, with pixels, by their own id or by that of what contains them."""
        entity = entity_for(class_name).name
        if entity not in _IMAGES_IN:
            raise api_usage(f"The embedded OMERO does not list the images of a {entity}.")
        if not ids:
            return []
        return execute_query(self.database, f"{_IMAGES}{_IMAGES_IN[entity]} order by i.id", id_parameters(ids), caller)

    def getUserImages(self, parameters: Any, caller: Caller) -> list[Any]:
        """The caller's own images."""
        return execute_query(
            self.database, f"{_IMAGES}where i.details.owner.id = {caller.user_id:d} order by i.id", None, caller
        )

    def loadContainerHierarchy(self, class_name: str, ids: list[int], parameters: Any, caller: Caller) -> list[Any]:
        """Containers with what is directly in them; all of the class when no ids are given."""
        entity = entity_for(class_name).name
        if entity not in _TREES:
            raise api_usage(f"{entity} is not a container.")
        asked = id_parameters(ids or [])
        conditions = ["o.id in (:ids)"] if ids else []
        if not ids:
            asked.map.clear()
            owner, group = _restriction(parameters)
            conditions += [f"o.details.owner.id = {owner:d}"] if owner is not None else []
            conditions += [f"o.details.group.id = {group:d}"] if group is not None else []
        where = f" where {' and '.join(conditions)}" if conditions else ""
        return execute_query(self.database, f"{_TREES[entity]}{where} order by o.id", asked, caller)

    def getCollectionCount(
        self, class_name: str, collection: str, ids: list[int], parameters: Any, caller: Caller
    ) -> dict[int, int]:
        """How many elements of a collection the caller may read, for each object; 0 where she may not read the object."""
        entity = entity_for(class_name)
        # Clients write the Java constant, e.g. "ome.model.containers.Dataset_imageLinks", or only its last part.
        field = entity.fields.get(collection.rsplit("_", 1)[-1])
        if field is None or field.kind is not FieldKind.COLLECTION:
            raise api_usage(f"{entity.name} has no collection {collection}.")
        counts = {int(each): 0 for each in ids}
        if counts:
            query = f"select o.id, count(e.id) from {entity.name} o join o.{field.name} e where o.id in (:ids) group by o.id"
            for key, count in execute_query(self.database, query, id_parameters(ids), caller, projection=True):
                counts[key.val] = count.val
        return counts

    def getImagesBySplitFilesets(self, included: dict[str, list[int]], parameters: Any, caller: Caller) -> dict[int, Any]:
        """Nothing was imported as a fileset here, so no action can split one."""
        return {}

    def createDataObject(self, obj: Any, parameters: Any, caller: Caller) -> Any:
        """Save a new object."""
        return save(self.database, [obj], caller)[0]

    def createDataObjects(self, objects: list[Any], parameters: Any, caller: Caller) -> list[Any]:
        """Save new objects."""
        return save(self.database, objects, caller)

    def updateDataObject(self, obj: Any, parameters: Any, caller: Caller) -> Any:
        """Save a changed object."""
        return save(self.database, [obj], caller)[0]

    def updateDataObjects(self, objects: list[Any], parameters: Any, caller: Caller) -> list[Any]:
        """Save changed objects."""
        return save(self.database, objects, caller)

    def link(self, links: list[Any], parameters: Any, caller: Caller) -> list[Any]:
        """Save links."""
        return save(self.database, links, caller)

    def unlink(self, links: list[Any], parameters: Any, caller: Caller) -> None:
        """Delete links."""
        for link in links:
            if not entity_of(link).is_link:
                raise api_usage("Only links can be unlinked.")
            delete(self.database, entity_of(link).name, [link.id.val], caller)


def _restriction(parameters: Any) -> tuple[int | None, int | None]:
    """Owner and group that parameters restrict a listing to."""
    wanted = None if parameters is None else parameters.theFilter
    if wanted is None:
        return None, None
    owner = None if wanted.ownerId is None else int(wanted.ownerId.val)
    group = None if wanted.groupId is None else int(wanted.groupId.val)
    return owner, group
