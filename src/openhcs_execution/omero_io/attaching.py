# SPDX-License-Identifier: AGPL-3.0-or-later
"""Attaching a small file to plates and datasets, once per execution.

The annotation, its file object and the first link are one save; the content follows. A file whose checksum is not that of
the content, because the upload was cut short, is written again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import omero
from omero.gateway import BlitzGateway
from omero.rtypes import rlong, rstring

from .annotating import ensure_annotation
from .services import context_of, project
from .target import Container, ResultTarget

__all__ = ["attach_file"]

_FILE = "select f.id, f.size, f.hash from FileAnnotation a join a.file f where a.id = :id"


def attach_file(
    conn: BlitzGateway,
    target: ResultTarget,
    containers: Sequence[Container],
    *,
    ns: str,
    what: str,
    name: str,
    mimetype: str,
    content: bytes,
) -> int:
    """Attach ``content`` as a file called ``name`` to every one of the containers and return the id of the annotation."""

    def make() -> omero.model.FileAnnotation:
        file = omero.model.OriginalFileI()
        file.setName(rstring(name))
        file.setPath(rstring(f"openhcs/executions/{target.execution_id}/"))
        file.setMimetype(rstring(mimetype))
        file.setSize(rlong(0))
        annotation = omero.model.FileAnnotationI()
        annotation.setFile(file)
        return annotation

    annotation_id = ensure_annotation(conn, target, containers, ns, what, make)
    _upload(conn, target, annotation_id, content)
    return annotation_id


def _upload(conn: BlitzGateway, target: ResultTarget, annotation_id: int, content: bytes) -> None:
    context = context_of(conn, target.plate.group_id)
    file_id, size, digest = project(conn, _FILE, omero.sys.ParametersI().addId(annotation_id), context)[0]
    if size == len(content) and digest == hashlib.sha1(content, usedforsecurity=False).hexdigest():
        return
    store = conn.c.sf.createRawFileStore(context)
    try:
        store.setFileId(file_id, context)
        store.truncate(0, context)
        store.write(content, 0, len(content), context)
        store.save(context)
    finally:
        store.close(context)
