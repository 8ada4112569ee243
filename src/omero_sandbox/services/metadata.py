# SPDX-License-Identifier: AGPL-3.0-or-later
"""IMetadata: annotations, tags and acquisition metadata, all read through HQL and so through the read filter."""

from __future__ import annotations

from typing import Any

import omero
import omero.sys
from omero.rtypes import rlist, rlong, rstring

from omero_sandbox.ice.dispatch import Service
from omero_sandbox.ice.errors import api_usage, validation_error
from omero_sandbox.model.reflection import ENTITIES
from omero_sandbox.query.execution import execute_query
from omero_sandbox.security.caller import Caller
from omero_sandbox.services.container import id_parameters
from omero_sandbox.services.query import entity_for

__all__ = ["MetadataService"]

_TAGGED = ("Project", "Dataset", "Image", "Screen", "Plate", "PlateAcquisition", "Well")
_INSTRUMENT = ("objective", "detector", "filter", "dichroic", "filterSet", "lightSource")


class MetadataService(Service):
    """What is known about objects beyond their own fields."""

    def loadAnnotations(
        self, class_name: str, ids: list[int], kinds: list[str], annotators: list[int], parameters: Any, caller: Caller
    ) -> dict[int, list[Any]]:
        """The annotations of objects, by object id; only some kinds, or by some annotators, where that is asked."""
        found: dict[int, list[Any]] = {int(each): [] for each in ids}
        if not found:
            return found
        wanted = {entity_for(kind).name for kind in kinds or []}
        asked = id_parameters(ids)
        condition = ""
        if annotators:
            asked.map["annotators"] = rlist([rlong(each) for each in annotators])
            condition = " and l.details.owner.id in (:annotators)"
        query = (
            f"select l from {_link_of(class_name)} l join fetch l.child a left outer join fetch a.file "
            f"where l.parent.id in (:ids){condition} order by l.id"
        )
        for link in execute_query(self.database, query, asked, caller):
            if not wanted or type(link.child).__name__[:-1] in wanted:
                found[link.parent.id.val].append(link.child)
        return found

    def loadSpecifiedAnnotations(
        self, kind: str, include: list[str], exclude: list[str], parameters: Any, caller: Caller
    ) -> list[Any]:
        """Annotations of one kind, by namespace."""
        entity = _annotation(kind)
        asked, where = _namespaces(include, exclude, parameters)
        fetch = " left outer join fetch a.file" if "file" in entity.fields else ""
        return execute_query(self.database, f"select a from {entity.name} a{fetch}{where} order by a.id", asked, caller)

    def countSpecifiedAnnotations(
        self, kind: str, include: list[str], exclude: list[str], parameters: Any, caller: Caller
    ) -> omero.RLong:
        """How many annotations of one kind and namespace the caller may read."""
        asked, where = _namespaces(include, exclude, parameters)
        rows = execute_query(
            self.database, f"select count(a.id) from {_annotation(kind).name} a{where}", asked, caller, projection=True
        )
        return rlong(rows[0][0].val)

    def loadSpecifiedAnnotationsLinkedTo(
        self,
        kind: str,
        include: list[str],
        exclude: list[str],
        class_name: str,
        ids: list[int],
        parameters: Any,
        caller: Caller,
    ) -> dict[int, list[Any]]:
        """Annotations of one kind and namespace on objects, by object id."""
        annotations = self.loadAnnotations(class_name, ids, [kind], [], parameters, caller)

        def fits(annotation: Any) -> bool:
            namespace = annotation.ns.val if annotation.ns is not None else None
            return (not include or namespace in include) and (not exclude or namespace not in exclude)

        return {key: [each for each in found if fits(each)] for key, found in annotations.items()}

    def loadAnnotation(self, ids: list[int], caller: Caller) -> list[Any]:
        """Annotations by id."""
        if not ids:
            return []
        query = "select a from Annotation a left outer join fetch a.file where a.id in (:ids) order by a.id"
        return execute_query(self.database, query, id_parameters(ids), caller)

    def getTaggedObjectsCount(self, ids: list[int], parameters: Any, caller: Caller) -> dict[int, int]:
        """How many objects that the caller may read carry each tag."""
        counts = {int(each): 0 for each in ids}
        if counts:
            for entity in _TAGGED:
                query = (
                    f"select a.id, count(distinct o.id) from {entity}AnnotationLink l join l.child a join l.parent o "
                    "where a.id in (:ids) group by a.id"
                )
                for key, count in execute_query(self.database, query, id_parameters(ids), caller, projection=True):
                    counts[key.val] += count.val
        return counts

    def loadTagContent(self, ids: list[int], parameters: Any, caller: Caller) -> dict[int, list[Any]]:
        """The projects, datasets, images, screens, plates … that carry each tag."""
        found: dict[int, list[Any]] = {int(each): [] for each in ids}
        if found:
            for entity in _TAGGED:
                query = f"select l from {entity}AnnotationLink l join fetch l.parent where l.child.id in (:ids) order by l.id"
                for link in execute_query(self.database, query, id_parameters(ids), caller):
                    found[link.child.id.val].append(link.parent)
        return found

    def loadTagSets(self, parameters: Any, caller: Caller) -> list[Any]:
        """Tag sets with their tags."""
        query = (
            "select distinct t from TagAnnotation t left outer join fetch t.annotationLinks l left outer join fetch l.child "
            "where t.ns = 'openmicroscopy.org/omero/insight/tagset' order by t.id"
        )
        return execute_query(self.database, query, None, caller)

    def loadChannelAcquisitionData(self, ids: list[int], caller: Caller) -> list[Any]:
        """Logical channels with how they were acquired."""
        if not ids:
            return []
        query = (
            "select c from LogicalChannel c left outer join fetch c.photometricInterpretation "
            "left outer join fetch c.illumination left outer join fetch c.contrastMethod left outer join fetch c.mode "
            "left outer join fetch c.detectorSettings ds left outer join fetch ds.detector "
            "left outer join fetch c.lightSourceSettings ls left outer join fetch ls.lightSource "
            "left outer join fetch c.lightPath left outer join fetch c.filterSet where c.id in (:ids) order by c.id"
        )
        return execute_query(self.database, query, id_parameters(ids), caller)

    def loadInstrument(self, instrument_id: int, caller: Caller) -> Any:
        """An instrument with its parts."""
        fetch = " ".join(f"left outer join fetch i.{part}" for part in _INSTRUMENT)
        query = f"select i from Instrument i left outer join fetch i.microscope {fetch} where i.id in (:ids)"
        found = execute_query(self.database, query, id_parameters([instrument_id]), caller)
        if not found:
            raise validation_error(f"There is no instrument {instrument_id}.")
        return found[0]

    def loadLogFiles(self, class_name: str, ids: list[int], caller: Caller) -> dict[int, list[Any]]:
        """Nothing is imported on the server here, so there are no import logs."""
        return {int(each): [] for each in ids}


def _link_of(class_name: str) -> str:
    name = f"{entity_for(class_name).name}AnnotationLink"
    if name not in ENTITIES:
        raise api_usage(f"{class_name} cannot be annotated.")
    return name


def _annotation(kind: str) -> Any:
    entity = entity_for(kind)
    if "Annotation" not in entity.ancestry:
        raise api_usage(f"{kind} is not a kind of annotation.")
    return entity


def _namespaces(include: list[str], exclude: list[str], parameters: Any) -> tuple[omero.sys.ParametersI, str]:
    asked = omero.sys.ParametersI()
    conditions = []
    if include:
        asked.map["include"] = rlist([rstring(each) for each in include])
        conditions.append("a.ns in (:include)")
    if exclude:
        asked.map["exclude"] = rlist([rstring(each) for each in exclude])
        conditions.append("(a.ns is null or a.ns not in (:exclude))")
    wanted = None if parameters is None else parameters.theFilter
    if wanted is not None and wanted.ownerId is not None and wanted.ownerId.val >= 0:
        asked.map["owner"] = wanted.ownerId
        conditions.append("a.details.owner.id = :owner")
    if wanted is not None and wanted.groupId is not None and wanted.groupId.val >= 0:
        asked.map["group"] = wanted.groupId
        conditions.append("a.details.group.id = :group")
    return asked, f" where {' and '.join(conditions)}" if conditions else ""
