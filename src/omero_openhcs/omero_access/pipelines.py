# SPDX-License-Identifier: AGPL-3.0-or-later
"""Users' own pipelines, kept in OMERO as file annotations: OMERO's permissions decide who sees them.

One annotation is one version of one pipeline. Its file holds the document and never changes; its description holds the
few facts that a list needs, so that listing a thousand pipelines reads no file. The id of a user's pipeline begins with
``u<user id>-``: it cannot collide with a built-in pipeline or with another user's, and only its owner can add versions.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import omero.model
from omero.rtypes import rlong, rstring, unwrap
from omero.sys import ParametersI
from pydantic import BaseModel, ConfigDict, ValidationError

from openhcs_client import LARGEST_DOCUMENT, OpenHCSError, PipelineDocument, PipelineSummary, read_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from omero.gateway import BlitzGateway

__all__ = ["NAMESPACE", "is_user_pipeline", "list_user_pipelines", "read_versions", "save_version", "summaries"]

NAMESPACE = "openhcs.org/omero/pipeline-library/v1"
"""Namespace of the annotations; its version changes when their layout does. What a run attaches to a plate has another one."""

MIME_TYPE = "application/json"
_VERSIONS = (
    "select a.id, f.id, a.details.group.id, o.id, o.firstName, o.lastName, a.description "
    "from FileAnnotation a join a.file f join a.details.owner o where a.ns = :ns and f.name like :name order by a.id"
)

_ID = re.compile(r"^u(?P<owner>\d+)-[a-z0-9_-]+$")
_LONGEST_ID = 64

logger = logging.getLogger(__name__)


class _Description(BaseModel):
    """What the description of an annotation says about its document."""

    model_config = ConfigDict(extra="ignore")

    id: str
    version: int
    name: str
    description: str = ""
    minimum_channels: int = 1
    hash: str


@dataclass(frozen=True)
class StoredVersion:
    """One version of a user's pipeline as a list shows it."""

    annotation_id: int
    file_id: int
    group_id: int
    owner_id: int
    owner_name: str
    about: _Description


def is_user_pipeline(pipeline_id: str) -> bool:
    """Whether the id is one of a user's own pipelines, not of a built-in one."""
    return _ID.match(pipeline_id) is not None


def list_user_pipelines(conn: BlitzGateway, pipeline_id: str | None = None) -> list[StoredVersion]:
    """Every readable version of users' pipelines (or of one), by id and then newest first.

    An annotation is taken only when its owner is the one whom the id names, so nobody can pose as somebody else.
    """
    parameters = ParametersI()
    parameters.addString("ns", NAMESPACE)
    # In the pattern `_` stands for any letter; the ids are compared again below.
    parameters.addString("name", f"{pipeline_id}.v%" if pipeline_id is not None else "%")
    rows = conn.getQueryService().projection(_VERSIONS, parameters, conn.SERVICE_OPTS)
    stored: dict[tuple[str, int], StoredVersion] = {}
    for row in rows:
        version = _stored_version(unwrap(row))
        # Should two requests ever have written the same version at once, the first one counts.
        if version is not None and (pipeline_id is None or version.about.id == pipeline_id):
            stored.setdefault((version.about.id, version.about.version), version)
    return sorted(stored.values(), key=lambda version: (version.about.id, -version.about.version))


def summaries(versions: Iterable[StoredVersion]) -> list[PipelineSummary]:
    """One line per pipeline, told by its newest version."""
    newest: dict[str, PipelineSummary] = {}
    for version in versions:
        about = version.about
        known = newest.get(about.id)
        if known is not None:
            known.versions.append(about.version)
            continue
        newest[about.id] = PipelineSummary(
            id=about.id,
            version=about.version,
            versions=[about.version],
            name=about.name,
            description=about.description,
            origin="user",
            owner=version.owner_name,
            minimum_channels=about.minimum_channels,
        )
    return list(newest.values())


def read_versions(conn: BlitzGateway, pipeline_id: str, version: int | None = None) -> list[PipelineDocument]:
    """Read the documents of a user's pipeline, newest first, or of one ``version`` only.

    Raises:
        OpenHCSError: ``unknown_pipeline`` or ``unknown_pipeline_version`` (404); ``pipeline_damaged`` (409) when a file is
            not what was saved.
    """
    known = list_user_pipelines(conn, pipeline_id)
    if not known:
        raise OpenHCSError("unknown_pipeline", f"Pipeline {pipeline_id!r} does not exist, or you may not read it.", status=404)
    stored = [entry for entry in known if version in (None, entry.about.version)]
    if not stored:
        raise OpenHCSError(
            "unknown_pipeline_version",
            f"Pipeline {pipeline_id!r} has no version {version}; the newest is {known[0].about.version}.",
            status=404,
            field_errors={"version": "does not exist"},
        )
    return [_read_document(conn, entry) for entry in stored]


def save_version(
    conn: BlitzGateway, document: PipelineDocument, *, owner_id: int, group_id: int, based_on: int | None
) -> PipelineDocument:
    """Save ``document`` as the next version of the owner's pipeline and return it as saved, with its id and version.

    Nothing is written when it equals the newest version, which is returned instead, or when ``based_on``, the version that
    was edited, is not the newest any more.

    Raises:
        OpenHCSError: ``pipeline_changed`` (409) or ``not_your_pipeline`` (403).
    """
    pipeline_id = _owned_id(document.id, owner_id)
    known = list_user_pipelines(conn, pipeline_id)
    newest = known[0].about.version if known else 0
    if known and known[0].about.hash == _as_version(document, pipeline_id, newest).content_hash():
        return _as_version(document, pipeline_id, newest)
    if based_on not in (None, newest):
        raise _changed(pipeline_id, newest)
    saved = _as_version(document, pipeline_id, newest + 1)
    annotation_id = _write(conn, saved, group_id)
    winner = next(entry for entry in list_user_pipelines(conn, pipeline_id) if entry.about.version == saved.version)
    if winner.annotation_id != annotation_id:
        conn.deleteObjects("Annotation", [annotation_id], wait=True)
        raise _changed(pipeline_id, saved.version)
    return saved


def _owned_id(pipeline_id: str, owner_id: int) -> str:
    match = _ID.match(pipeline_id)
    if match is None:
        owned = f"u{owner_id}-{pipeline_id}"
        if len(owned) > _LONGEST_ID:
            too_long = f"at most {_LONGEST_ID - len(owned) + len(pipeline_id)} characters"
            raise OpenHCSError(
                "invalid_request", f"The id is too long: {too_long}.", status=422, field_errors={"document.id": too_long}
            )
        return owned
    if int(match["owner"]) != owner_id:
        raise OpenHCSError(
            "not_your_pipeline",
            "Only its owner can add a version to this pipeline. Save it under a new id instead.",
            status=403,
        )
    return pipeline_id


def _as_version(document: PipelineDocument, pipeline_id: str, version: int) -> PipelineDocument:
    return document.model_copy(update={"id": pipeline_id, "version": version})


def _stored_version(row: Sequence[Any]) -> StoredVersion | None:
    annotation_id, file_id, group_id, owner_id, first_name, last_name, description = row
    try:
        about = _Description.model_validate_json(description or "")
    except ValidationError:
        logger.warning("Annotation %s has our namespace but does not describe a pipeline", annotation_id)
        return None
    match = _ID.match(about.id)
    if match is None or int(match["owner"]) != owner_id:
        logger.warning("Annotation %s claims a pipeline of another user", annotation_id)
        return None
    return StoredVersion(annotation_id, file_id, group_id, owner_id, f"{first_name} {last_name}".strip(), about)


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


def _write(conn: BlitzGateway, document: PipelineDocument, group_id: int) -> int:
    """Write file and annotation into ``group_id`` and return the annotation's id."""
    context = conn.SERVICE_OPTS.copy()
    context.setOmeroGroup(group_id)
    update = conn.getUpdateService()
    content = document.canonical_json().encode()

    file = omero.model.OriginalFileI()
    file.setName(rstring(f"{document.id}.v{document.version}.json"))
    file.setPath(rstring(f"{NAMESPACE}/"))
    file.setSize(rlong(len(content)))
    file.setMimetype(rstring(MIME_TYPE))
    file = update.saveAndReturnObject(file, context)

    store = conn.c.sf.createRawFileStore()
    try:
        store.setFileId(file.getId().getValue(), context)
        store.write(content, 0, len(content), context)
        file = store.save(context)
    finally:
        store.close(context)

    about = _Description(
        id=document.id,
        version=document.version,
        name=document.name,
        description=document.description,
        minimum_channels=document.minimum_channels,
        hash=document.content_hash(),
    )
    annotation = omero.model.FileAnnotationI()
    annotation.setNs(rstring(NAMESPACE))
    annotation.setDescription(rstring(about.model_dump_json()))
    annotation.setFile(omero.model.OriginalFileI(file.getId().getValue(), False))
    return update.saveAndReturnObject(annotation, context).getId().getValue()


def _changed(pipeline_id: str, newest: int) -> OpenHCSError:
    what = f"has version {newest} by now" if newest else "does not exist (any more)"
    return OpenHCSError(
        "pipeline_changed", f"Pipeline {pipeline_id!r} {what}. Load it again, then save your changes on top.", status=409
    )


def _damaged(entry: StoredVersion) -> OpenHCSError:
    return OpenHCSError(
        "pipeline_damaged",
        f"The file of version {entry.about.version} of {entry.about.name!r} in OMERO is not what was saved; it is not used.",
        status=409,
    )
