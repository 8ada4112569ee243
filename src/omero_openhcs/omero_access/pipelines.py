# SPDX-License-Identifier: AGPL-3.0-or-later
"""Users' own pipelines, kept in OMERO as file annotations: OMERO's permissions decide who sees them.

One annotation is one version of one pipeline. Its file holds the document and never changes; what its description says is in
:mod:`.pipeline_records`. The id of a user's pipeline begins with ``u<user id>-``: it cannot collide with a pipeline of the
service or with another user's, and only its owner can add versions. All versions of a pipeline are in one group.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import omero
import omero.model
from omero.rtypes import rlong, rstring, unwrap
from omero.sys import ParametersI

from openhcs_client import (
    LARGEST_DOCUMENT,
    OpenHCSError,
    PipelineDocument,
    PipelinePlace,
    PipelineSource,
    read_document,
)

from .pipeline_heads import add_version_to_head, fill_annotation, in_all_groups, in_group
from .pipeline_places import attach
from .pipeline_records import COLUMNS, NAMESPACE, Card, Description, StoredVersion, owner_of, stored

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["NAMESPACE", "free_id", "is_owned_by", "is_user_pipeline", "list_user_pipelines", "read_versions", "save_version"]

MIME_TYPE = "application/json"
_VERSIONS = f"select {COLUMNS} where a.ns = :ns and f.name like :name order by a.id"
_OWN_HEADS = (
    "select f.name from FileAnnotation a join a.file f "
    "where a.ns = :ns and a.details.owner.id = :owner and f.name like '%.v1.json'"
)
_HEAD_FILE = ".v1.json"
_LONGEST_ID = 64

logger = logging.getLogger(__name__)


def is_user_pipeline(pipeline_id: str) -> bool:
    """Whether the id is one of a user's own pipelines, not of one that the service offers."""
    return owner_of(pipeline_id) is not None


def is_owned_by(pipeline_id: str, user_id: int) -> bool:
    """Whether the id is one of this user's own pipelines."""
    return owner_of(pipeline_id) == user_id


def list_user_pipelines(conn: BlitzGateway, pipeline_id: str) -> list[StoredVersion]:
    """Every readable version of a user's pipeline, newest first."""
    parameters = ParametersI()
    parameters.addString("ns", NAMESPACE)
    # In the pattern `_` stands for any letter; the ids are compared again below.
    parameters.addString("name", f"{pipeline_id}.v%")
    rows = conn.getQueryService().projection(_VERSIONS, parameters, in_all_groups(conn))
    found: dict[int, StoredVersion] = {}
    for row in rows:
        version = stored(unwrap(row))
        # Should two requests ever have written the same version at once, the first one counts.
        if version is not None and version.about.id == pipeline_id:
            found.setdefault(version.about.version, version)
    return sorted(found.values(), key=lambda version: -version.about.version)


def read_versions(conn: BlitzGateway, pipeline_id: str, version: int | None = None) -> list[PipelineDocument]:
    """Read the documents of a user's pipeline, newest first, or of one ``version`` only.

    Raises:
        OpenHCSError: ``unknown_pipeline`` or ``unknown_pipeline_version`` (404); ``pipeline_damaged`` (409) when a file is
            not what was saved.
    """
    known = list_user_pipelines(conn, pipeline_id)
    if not known:
        raise OpenHCSError("unknown_pipeline", f"Pipeline {pipeline_id!r} does not exist, or you may not read it.", status=404)
    wanted = [entry for entry in known if version in (None, entry.about.version)]
    if not wanted:
        raise OpenHCSError(
            "unknown_pipeline_version",
            f"Pipeline {pipeline_id!r} has no version {version}; the newest is {known[0].about.version}.",
            status=404,
            field_errors={"version": "does not exist"},
        )
    return [_read_document(conn, entry) for entry in wanted]


def save_version(
    conn: BlitzGateway,
    document: PipelineDocument,
    *,
    owner_id: int,
    text: str,
    group_id: int | None = None,
    place: PipelinePlace | None = None,
    based_on: int | None = None,
    copied_from: PipelineSource | None = None,
) -> PipelineDocument:
    """Save ``document`` as the next version of the owner's pipeline and return it as saved, with its id and version.

    Nothing is written when it equals the newest version, which is returned instead, or when ``based_on``, the version that
    was edited, is not the newest any more.

    Args:
        conn: the owner's connection.
        document: what to save.
        owner_id: the owner.
        text: what a search looks at.
        group_id: the group of a new pipeline, by default the current one; a later version goes where the pipeline is.
        place: what to attach a new pipeline to, by default the owner.
        based_on: the version that was edited.
        copied_from: the version that a new pipeline is a copy of.

    Raises:
        OpenHCSError: ``pipeline_changed`` (409), ``not_your_pipeline`` (403), or ``pipeline_elsewhere`` (422) when the
            pipeline is in another group than ``group_id``.
    """
    pipeline_id = _owned_id(document.id, owner_id)
    known = list_user_pipelines(conn, pipeline_id)
    newest = known[0].about.version if known else 0
    if known and known[0].about.hash == _as_version(document, pipeline_id, newest).content_hash():
        return _as_version(document, pipeline_id, newest)
    if based_on not in (None, newest):
        raise _changed(pipeline_id, newest)
    if known and group_id not in (None, known[0].group_id):
        raise _elsewhere(known[0])
    saved = _as_version(document, pipeline_id, newest + 1)
    about = Description.of(saved)
    if known:
        place, target = known[-1].about.known_card().place, known[0].group_id
    else:
        first = Card(revision=0, version=0, name=saved.name, copied_from=copied_from, place=place)
        about = about.with_card(first.with_version(saved, saved.name), text)
        target = group_id if group_id is not None else conn.getEventContext().groupId
    annotation_id = _write(conn, saved, about, group_id=target, owner_id=owner_id, place=place)
    winner = next((entry for entry in list_user_pipelines(conn, pipeline_id) if entry.about.version == saved.version), None)
    if winner is None or winner.annotation_id != annotation_id:
        conn.deleteObjects("Annotation", [annotation_id], wait=True)
        raise _changed(pipeline_id, saved.version)
    if known:
        add_version_to_head(conn, known[-1], saved, known[0].about.name, text)
    return saved


def free_id(conn: BlitzGateway, pipeline_id: str, owner_id: int) -> str:
    """An id for a copy of ``pipeline_id`` that none of the owner's pipelines has."""
    parameters = ParametersI()
    parameters.addString("ns", NAMESPACE)
    parameters.addLong("owner", owner_id)
    rows = conn.getQueryService().projection(_OWN_HEADS, parameters, in_all_groups(conn))
    taken = {unwrap(row)[0].removesuffix(_HEAD_FILE) for row in rows}
    _, _, after_owner = pipeline_id.partition("-")
    base = after_owner if is_user_pipeline(pipeline_id) else pipeline_id
    endings = ("", "-copy", *(f"-copy-{number}" for number in range(2, len(taken) + 3)))
    candidates = (f"u{owner_id}-{base}"[: _LONGEST_ID - len(ending)] + ending for ending in endings)
    return next(candidate for candidate in candidates if candidate not in taken)


def _owned_id(pipeline_id: str, owner_id: int) -> str:
    owner = owner_of(pipeline_id)
    if owner is None:
        owned = f"u{owner_id}-{pipeline_id}"
        if len(owned) > _LONGEST_ID:
            too_long = f"at most {_LONGEST_ID - len(owned) + len(pipeline_id)} characters"
            raise OpenHCSError(
                "invalid_request", f"The id is too long: {too_long}.", status=422, field_errors={"document.id": too_long}
            )
        return owned
    if owner != owner_id:
        raise OpenHCSError(
            "not_your_pipeline",
            "Only its owner can add a version to this pipeline. Save it as a copy of your own instead.",
            status=403,
        )
    return pipeline_id


def _as_version(document: PipelineDocument, pipeline_id: str, version: int) -> PipelineDocument:
    return document.model_copy(update={"id": pipeline_id, "version": version})


def _read_document(conn: BlitzGateway, entry: StoredVersion) -> PipelineDocument:
    annotation = conn.getObject("FileAnnotation", entry.annotation_id)
    content = b""
    if annotation is not None:
        for chunk in annotation.getFileInChunks():
            content += chunk
            if len(content) > LARGEST_DOCUMENT:
                break
    try:
        document = read_document(content)
    except OpenHCSError as error:
        if error.code == "newer_schema":
            raise
        raise _damaged(entry) from error
    if (document.id, document.version, document.content_hash()) != (entry.about.id, entry.about.version, entry.about.hash):
        raise _damaged(entry)
    return document


def _write(
    conn: BlitzGateway,
    document: PipelineDocument,
    about: Description,
    group_id: int,
    owner_id: int,
    place: PipelinePlace | None,
) -> int:
    """Write file and annotation into ``group_id``, attach it, and return the annotation's id; all of it or nothing."""
    context = in_group(conn, group_id)
    file_id = _write_file(conn, document, context)
    annotation = omero.model.FileAnnotationI()
    annotation.setNs(rstring(NAMESPACE))
    fill_annotation(annotation, about)
    annotation.setFile(omero.model.OriginalFileI(file_id, False))
    try:
        return attach(conn, annotation, owner_id, place, context)
    except (omero.ServerError, OpenHCSError):
        conn.deleteObjects("OriginalFile", [file_id], wait=True)
        raise


def _write_file(conn: BlitzGateway, document: PipelineDocument, context: omero.gateway.ServiceOptsDict) -> int:
    content = document.canonical_json().encode()
    file = omero.model.OriginalFileI()
    file.setName(rstring(f"{document.id}.v{document.version}.json"))
    file.setPath(rstring(f"{NAMESPACE}/"))
    file.setSize(rlong(len(content)))
    file.setMimetype(rstring(MIME_TYPE))
    file = conn.getUpdateService().saveAndReturnObject(file, context)
    store = conn.c.sf.createRawFileStore()
    try:
        store.setFileId(file.getId().getValue(), context)
        store.write(content, 0, len(content), context)
        store.save(context)
    finally:
        store.close(context)
    return file.getId().getValue()


def _changed(pipeline_id: str, newest: int) -> OpenHCSError:
    if newest:
        what = f"has version {newest} by now. Load it again, then save your changes on top, or save them as a copy"
    else:
        what = "does not exist any more, or you may not read it any more. Your changes are not lost: save them as a copy"
    return OpenHCSError("pipeline_changed", f"Pipeline {pipeline_id!r} {what}.", status=409)


def _elsewhere(known: StoredVersion) -> OpenHCSError:
    return OpenHCSError(
        "pipeline_elsewhere",
        f"This pipeline is in the group “{known.group_name}”, and all of its versions are. Share it with the other group to "
        "move it, or save a copy there.",
        status=422,
        field_errors={"group_id": f"the pipeline is in the group “{known.group_name}”"},
    )


def _damaged(entry: StoredVersion) -> OpenHCSError:
    return OpenHCSError(
        "pipeline_damaged",
        f"The file of version {entry.about.version} of {entry.about.name!r} in OMERO is not what was saved; it is not used.",
        status=409,
    )
