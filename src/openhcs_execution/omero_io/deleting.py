# SPDX-License-Identifier: AGPL-3.0-or-later
"""Deleting exactly what one execution saved.

Everything is found by the execution's id and its owner (see :mod:`openhcs_execution.omero_io.target`), never by name alone.
What somebody has linked to something else since stays, and so does what people attached to the results. Deleting goes in
batches, each one transaction, of whole wells; after a crash or a lost session the rest is found by asking again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import omero
import omero.callbacks
import omero.cmd
from omero.gateway import BlitzGateway
from omero.rtypes import rlist, rlong, rstring

from openhcs_client import OpenHCSError

from .services import Context, context_of, project
from .target import LABEL_NS, PROCESSED_NS, Mark, mark

__all__ = ["FoundObject", "FoundResults", "KeptObject", "delete_found", "delete_objects", "delete_results", "find_results"]

_PLATES = (
    "select p.id, p.name, p.details.group.id from Plate p "
    "where p.externalIdentifier = :execution and p.details.owner.id = :owner and p.id <> :source order by p.id"
)
_DATASETS = (
    "select d.id, d.name, d.details.group.id from Dataset d "
    "where d.description = :mark and d.details.owner.id = :owner order by d.id"
)
_GROUP = "select p.details.group.id from Plate p where p.id = :id"
_ANNOTATIONS = (
    "select distinct a.id, a.description from {kind}AnnotationLink l join l.child a "
    "where l.parent.id in (:ids) and a.description in (:marks) and a.details.owner.id = :owner order by a.id"
)
_FILES_OF = "select a.id, f.id, f.name from FileAnnotation a join a.file f where a.id in (:ids) order by a.id"
_IMAGES = (
    "select i.id, i.name, s.well.id from WellSample s join s.image i "
    "where s.well.plate.id in (:ids) and i.details.owner.id = :owner order by s.well.id, i.id"
)
_LABELLED = (
    "select distinct i.id, i.name, d.parent.id, i.details.group.id from DatasetImageLink d join d.child i "
    "join i.annotationLinks l join l.child a where a.ns = :ns and a.description = :mark and a.details.owner.id = :owner "
    "and i.details.owner.id = :owner and i.description like :description order by i.id"
)
_IN_DATASETS = "select d.child.id, d.parent.id from DatasetImageLink d where d.child.id in (:ids) order by d.parent.id"
_LABELS = (
    "select distinct a.id, a.description, l.parent.id from ImageAnnotationLink l join l.child a "
    "where l.parent.id in (:ids) and a.ns = :ns and a.description = :mark and a.details.owner.id = :owner order by a.id"
)
_ROIS = "select r.id, r.name from Roi r where r.description = :mark and r.details.owner.id = :owner order by r.id"
_TABLES = "select f.id, f.name from OriginalFile f where f.name like :name and f.details.owner.id = :owner order by f.id"
_PARENTS = "select l.child.id, l.parent.id from {kind}AnnotationLink l where l.child.id in (:ids) order by l.parent.id"
_ANNOTATED = ("Project", "Dataset", "Image", "Screen", "Plate", "Well")
_IMAGE_KINDS = (
    (LABEL_NS, Mark.LABEL, "% in image %. 0 is background."),
    (PROCESSED_NS, Mark.PROCESSED, "Processed image %, as the last step left it."),
)
"""Namespace and mark of the annotation of each kind of image that is saved, and what its description is like."""
_WAIT_MS = 500
_WAITS = 1200
_IDS_AT_ONCE = 1000
_WELLS_AT_ONCE = 24
_IMAGES_AT_ONCE = 100


@dataclass(frozen=True)
class FoundObject:
    """Something that an execution saved. ``kind`` is OMERO's name of its type."""

    kind: str
    object_id: int
    name: str
    well_id: int | None = None


@dataclass(frozen=True)
class KeptObject:
    """Something that an execution saved, or that hangs on it, and that stays, with the reason as a sentence."""

    kind: str
    name: str
    reason: str


@dataclass
class FoundResults:
    """What an execution saved: what would go, what stays, and the group in which it is."""

    objects: list[FoundObject] = field(default_factory=list)
    kept: list[KeptObject] = field(default_factory=list)
    group_id: int | None = None

    def of(self, *kinds: str) -> list[FoundObject]:
        return [each for each in self.objects if each.kind in kinds]

    def ids(self, *kinds: str) -> list[int]:
        return [each.object_id for each in self.of(*kinds)]


def delete_results(
    conn: BlitzGateway,
    execution_id: str,
    plate_id: int,
    dry_run: bool,
    *,
    owner_id: int | None = None,
    dataset_id: int | None = None,
) -> list[FoundObject]:
    """Find what an execution saved, and unless ``dry_run`` delete it. Nothing found is no error.

    Args:
        conn: A session of the owner, or of an administrator.
        execution_id: The execution.
        plate_id: The plate that it ran on; it may be gone by now.
        dry_run: Only say what would be deleted.
        owner_id: Who ran the execution; the session's own user when ``None``.
        dataset_id: A dataset that was there before and that its images went to.

    Raises:
        OpenHCSError: ``omero_not_allowed`` (403) when the user may not delete it; then nothing is deleted.
    """
    owner = owner_id if owner_id is not None else conn.c.sf.getAdminService().getEventContext(context_of(conn)).userId
    found = find_results(conn, execution_id, plate_id, owner, dataset_id)
    if not dry_run:
        delete_found(conn, found)
    return found.objects


def delete_found(conn: BlitzGateway, found: FoundResults, on_progress: Callable[[int], None] = lambda done: None) -> None:
    """Delete in batches; ``on_progress`` gets how many of ``found.objects`` are gone.

    Raises:
        OpenHCSError: ``omero_not_allowed`` (403), or ``delete_failed`` (500) with OMERO's reason.
    """
    if found.group_id is None:
        return
    context = context_of(conn, found.group_id)
    done = 0
    for batch, count in _batches(found):
        delete_objects(conn, batch, context)
        done += count
        on_progress(done)


def _batches(found: FoundResults) -> Iterator[tuple[dict[str, list[int]], int]]:
    """What goes in one transaction, and how many of the found objects that are: the inner things first."""
    for ids in _chunks(found.ids("Roi"), _IDS_AT_ONCE):
        yield {"Roi": ids}, len(ids)
    images = found.of("Image")
    labels: dict[int, list[int]] = {}
    for each in found.of("MapAnnotation"):
        if each.well_id is not None:
            labels.setdefault(each.well_id, []).append(each.object_id)
    wells = list(dict.fromkeys(each.well_id for each in images if each.well_id is not None))
    for chunk in _chunks(wells, _WELLS_AT_ONCE):
        chosen = [each.object_id for each in images if each.well_id in chunk]
        annotations = [each for well in chunk for each in labels.pop(well, [])]
        yield {"Well": chunk, "Image": chosen, "MapAnnotation": annotations}, len(chosen) + len(annotations)
    for chosen in _chunks([each.object_id for each in images if each.well_id is None], _IMAGES_AT_ONCE):
        yield {"Image": chosen}, len(chosen)
    rest: dict[str, list[int]] = {}
    for each in found.objects:
        if each.kind not in ("Roi", "Image") and not (each.kind == "MapAnnotation" and each.well_id in wells):
            rest.setdefault(each.kind, []).append(each.object_id)
    if rest:
        yield rest, sum(len(ids) for ids in rest.values())


def _chunks(ids: Sequence[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(ids), size):
        yield list(ids[start : start + size])


def delete_objects(conn: BlitzGateway, targets: Mapping[str, Iterable[int]], context: Context) -> None:
    """Delete objects with what is part of them, in one transaction, and wait until it is done.

    Annotations that are not among the targets stay, also those that then hang on nothing, as in OMERO's own clients.

    Raises:
        OpenHCSError: ``omero_not_allowed`` (403), or ``delete_failed`` (500) with OMERO's reason.
    """
    request = omero.cmd.Delete2(
        targetObjects={kind: sorted(set(ids)) for kind, ids in targets.items() if ids},
        childOptions=[omero.cmd.graphs.ChildOption(excludeType=["Annotation"])],
    )
    handle = conn.c.sf.submit(request, context)
    callback = omero.callbacks.CmdCallbackI(conn.c, handle)
    try:
        callback.loop(_WAITS, _WAIT_MS)
        response = callback.getResponse()
    finally:
        callback.close(True)
    if isinstance(response, omero.cmd.ERR):
        reason = response.parameters.get("message", response.name)
        if "SecurityViolation" in response.category or "not permitted" in reason.lower():
            raise OpenHCSError("omero_not_allowed", f"OMERO does not let you delete all of these results: {reason}", status=403)
        raise OpenHCSError("delete_failed", f"OMERO could not delete the results: {reason}", status=500)


def find_results(
    conn: BlitzGateway, execution_id: str, plate_id: int, owner: int, dataset_id: int | None = None
) -> FoundResults:
    """Find everything that an execution of ``owner`` saved, as this session sees it. Nothing is changed.

    ``dataset_id`` is a dataset that was there before and that its images went to.
    """
    search = _Search(conn, execution_id, owner)
    found = FoundResults()
    named = omero.sys.ParametersI().addString("execution", execution_id).addLong("owner", owner).addLong("source", plate_id)
    plates = project(conn, _PLATES, named, context_of(conn))
    datasets = search.marked(_DATASETS, Mark.DATASET)
    labelled = search.images_in_datasets()
    groups = [row[2] for row in [*plates, *datasets]] + [row[3] for row in labelled]
    groups += [row[0] for row in project(conn, _GROUP, omero.sys.ParametersI().addId(plate_id), context_of(conn))]
    found.group_id = groups[0] if groups else None
    plate_ids, dataset_ids = [row[0] for row in plates], [row[0] for row in datasets]
    in_plates = [FoundObject("Image", row[0], row[1], row[2]) for row in search.among(_IMAGES, plate_ids, owned=True)]
    loose = list(dict.fromkeys(FoundObject("Image", row[0], row[1]) for row in labelled))
    own_datasets = dataset_ids + ([dataset_id] if dataset_id is not None else [])
    images = search.without_linked(in_plates + loose, own_datasets, found)
    crowded = search.datasets_with_others(dataset_ids, {image.object_id for image in images})
    for object_id, name, _group in datasets:
        if object_id in crowded:
            found.kept.append(KeptObject("Dataset", name, "Somebody put other images into it."))
        else:
            found.objects.append(FoundObject("Dataset", object_id, name))
    found.objects += [FoundObject("Plate", row[0], row[1]) for row in plates]
    parents = {
        "Plate": [plate_id, *plate_ids],
        "Dataset": own_datasets,
        "Image": [image.object_id for image in images],
    }
    found.objects += search.annotations(parents, found)
    found.objects += images
    found.objects += search.labels(images, parents, found)
    found.objects += [FoundObject("Roi", row[0], row[1] or "") for row in search.marked(_ROIS, Mark.ROI)]
    known = set(found.ids("OriginalFile")) | search.kept_files
    found.objects += [each for each in search.table_files() if each.object_id not in known]
    others = search.other_annotations({"Plate": plate_ids, "Dataset": dataset_ids, "Image": parents["Image"]}, found)
    if others:
        what = "1 annotation" if others == 1 else f"{others} annotations"
        found.kept.append(KeptObject("Annotation", what, "Not saved by this execution; OMERO keeps them without the results."))
    found.objects.sort(key=lambda each: each.kind != "Plate")
    return found


class _Search:
    """Queries for the traces of one execution."""

    def __init__(self, conn: BlitzGateway, execution_id: str, owner: int) -> None:
        self._conn, self._execution_id, self._owner = conn, execution_id, owner
        self.kept_files: set[int] = set()
        """Files of annotations that stay."""

    def _mark(self, what: str) -> str:
        return mark(self._execution_id, what)

    def _ask(self, hql: str, parameters: omero.sys.Parameters) -> list[list[Any]]:
        return project(self._conn, hql, parameters, context_of(self._conn))

    def marked(self, hql: str, what: str) -> list[list[Any]]:
        return self._ask(hql, omero.sys.ParametersI().addString("mark", self._mark(what)).addLong("owner", self._owner))

    def among(self, hql: str, ids: Sequence[int], *, owned: bool = False, **texts: str) -> list[list[Any]]:
        """Rows of a query about ``ids``, a bounded number at a time."""
        rows: list[list[Any]] = []
        for chunk in _chunks(ids, _IDS_AT_ONCE):
            parameters = omero.sys.ParametersI()
            parameters.add("ids", rlist([rlong(each) for each in chunk]))
            if owned:
                parameters.addLong("owner", self._owner)
            for name, text in texts.items():
                parameters.addString(name, text)
            rows += self._ask(hql, parameters)
        return rows

    def images_in_datasets(self) -> list[list[Any]]:
        """Images in datasets: id, name, dataset, group. By their description: anybody can put an annotation on others."""
        rows: list[list[Any]] = []
        for namespace, what, description in _IMAGE_KINDS:
            parameters = omero.sys.ParametersI().addString("ns", namespace).addString("mark", self._mark(what))
            parameters.addLong("owner", self._owner).addString("description", description)
            rows += self._ask(_LABELLED, parameters)
        return rows

    def without_linked(
        self, images: Sequence[FoundObject], own_datasets: Sequence[int], found: FoundResults
    ) -> list[FoundObject]:
        """The images that nobody put into another dataset; the others stay."""
        ours = set(own_datasets)
        elsewhere: dict[int, int] = {}
        for image_id, dataset_id in self.among(_IN_DATASETS, [image.object_id for image in images]):
            if dataset_id not in ours:
                elsewhere.setdefault(image_id, dataset_id)
        for image in images:
            if image.object_id in elsewhere:
                reason = f"It is also in dataset {elsewhere[image.object_id]}."
                found.kept.append(KeptObject("Image", image.name, reason))
        return [image for image in images if image.object_id not in elsewhere]

    def datasets_with_others(self, dataset_ids: Sequence[int], image_ids: set[int]) -> set[int]:
        """Those datasets of the execution that hold images which stay."""
        hql = "select d.parent.id, d.child.id from DatasetImageLink d where d.parent.id in (:ids)"
        return {dataset for dataset, image in self.among(hql, dataset_ids) if image not in image_ids}

    def annotations(self, parents: Mapping[str, Sequence[int]], found: FoundResults) -> list[FoundObject]:
        """The execution's annotations and tags on containers, with their files."""
        rows: dict[int, str] = {}
        for kind in ("Plate", "Dataset"):
            if not parents[kind]:
                continue
            parameters = omero.sys.ParametersI().addLong("owner", self._owner)
            parameters.add("ids", rlist([rlong(each) for each in parents[kind]]))
            marks = (*Mark.ON_CONTAINERS, Mark.TAG)
            parameters.add("marks", rlist([rstring(self._mark(what)) for what in marks]))
            rows |= {row[0]: row[1] for row in self._ask(_ANNOTATIONS.format(kind=kind), parameters)}
        types = {self._mark(Mark.PROVENANCE): "MapAnnotation", self._mark(Mark.TAG): "TagAnnotation"}
        all_of_them = [FoundObject(types.get(text, "FileAnnotation"), each, text) for each, text in sorted(rows.items())]
        objects = self._only_ours(all_of_them, parents, found)
        gone = {each.object_id for each in objects}
        for annotation_id, file_id, name in self.among(_FILES_OF, [each.object_id for each in all_of_them]):
            if annotation_id in gone:
                objects.append(FoundObject("OriginalFile", file_id, name))
            else:
                self.kept_files.add(file_id)
        return objects

    def labels(
        self, images: Sequence[FoundObject], parents: Mapping[str, Sequence[int]], found: FoundResults
    ) -> list[FoundObject]:
        """The annotations of the images."""
        wells = {image.object_id: image.well_id for image in images}
        rows = [
            row
            for namespace, what, _description in _IMAGE_KINDS
            for row in self.among(_LABELS, list(wells), owned=True, ns=namespace, mark=self._mark(what))
        ]
        objects = {row[0]: FoundObject("MapAnnotation", row[0], row[1], wells[row[2]]) for row in rows}
        return self._only_ours(list(objects.values()), parents, found)

    def _only_ours(
        self, annotations: Sequence[FoundObject], parents: Mapping[str, Sequence[int]], found: FoundResults
    ) -> list[FoundObject]:
        """The annotations that hang on nothing but the results and the source plate; the others stay."""
        elsewhere: dict[int, str] = {}
        for kind in _ANNOTATED:
            ours = set(parents.get(kind, ()))
            for child, parent in self.among(_PARENTS.format(kind=kind), [each.object_id for each in annotations]):
                if parent not in ours:
                    elsewhere.setdefault(child, f"{kind.lower()} {parent}")
        for each in annotations:
            if each.object_id in elsewhere:
                found.kept.append(KeptObject(each.kind, each.name, f"It is also on {elsewhere[each.object_id]}."))
        return [each for each in annotations if each.object_id not in elsewhere]

    def other_annotations(self, parents: Mapping[str, Sequence[int]], found: FoundResults) -> int:
        """How many annotations on the results are not the execution's own."""
        ours = set(found.ids("MapAnnotation", "FileAnnotation", "TagAnnotation"))
        hql = "select distinct l.child.id from {kind}AnnotationLink l where l.parent.id in (:ids)"
        rows = {row[0] for kind, ids in parents.items() for row in self.among(hql.format(kind=kind), ids)}
        return len(rows - ours)

    def table_files(self) -> list[FoundObject]:
        prefix = f"openhcs_{self._execution_id}_"
        parameters = omero.sys.ParametersI().addString("name", f"{prefix}%").addLong("owner", self._owner)
        rows = self._ask(_TABLES, parameters)
        return [FoundObject("OriginalFile", row[0], row[1]) for row in rows if row[1].startswith(prefix)]
