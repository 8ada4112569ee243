# SPDX-License-Identifier: AGPL-3.0-or-later
"""Filesets as an import leaves them behind: files in the managed repository, and their entries in OMERO."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

import omero
import omero.model
from omero.gateway import BlitzGateway
from omero.rtypes import rint, rlong, rstring

from openhcs_execution.omero_io.repository.paths import MANAGED, repository_ids

from .world import Lab

__all__ = ["add_fileset"]


def add_fileset(
    lab: Lab,
    conn: BlitzGateway,
    images: Sequence[int],
    source: Path,
    *,
    main: str = "",
    digest: bool = True,
    managed: bool = True,
) -> Path:
    """Copy ``source``, a file or a folder, into the managed repository, as the fileset of these images in their order.

    ``main`` is the file of a folder that comes first. Unless ``managed``, OMERO is not told that the files are in the
    repository. Returns where the copy is.
    """
    root = lab.sandbox.folder / MANAGED
    prefix = f"{conn.getUser().getName()}_{conn.getUserId()}/{uuid.uuid4().hex}"
    copy = root / prefix / source.name
    copy.parent.mkdir(parents=True)
    if source.is_dir():
        shutil.copytree(source, copy)
        files = sorted((path for path in copy.rglob("*") if path.is_file()), key=lambda path: (path != copy / main, path))
    else:
        shutil.copy(source, copy)
        files = [copy]
    fileset = omero.model.FilesetI()
    fileset.templatePrefix = rstring(f"{prefix}/")
    for path in files:
        entry = omero.model.FilesetEntryI()
        entry.clientPath = rstring(str(path))
        entry.originalFile = _original_file(path, root, digest)
        fileset.addFilesetEntry(entry)
    update = conn.getUpdateService()
    fileset = update.saveAndReturnObject(fileset, conn.SERVICE_OPTS)
    for series, image_id in enumerate(images):
        image = conn.getQueryService().get("Image", image_id, conn.SERVICE_OPTS)
        image.fileset = omero.model.FilesetI(fileset.id.val, False)
        image.series = rint(series)
        update.saveObject(image, conn.SERVICE_OPTS)
    if managed:
        _put_into_repository(lab, [entry.originalFile.id.val for entry in fileset.copyUsedFiles()], root.parent)
    return copy


def _original_file(path: Path, root: Path, digest: bool) -> omero.model.OriginalFileI:
    file = omero.model.OriginalFileI()
    file.name = rstring(path.name)
    file.path = rstring(f"{path.parent.relative_to(root)}/")
    file.size = rlong(path.stat().st_size)
    file.mimetype = rstring("image/tiff")
    if digest:
        file.hash = rstring(hashlib.sha1(path.read_bytes()).hexdigest())
        file.hasher = omero.model.ChecksumAlgorithmI()
        file.hasher.value = rstring("SHA1-160")
    return file


def _put_into_repository(lab: Lab, file_ids: Sequence[int], root: Path) -> None:
    """Only the server may say that a file is in a repository; here an administrator takes its part."""
    (repository,) = repository_ids(root)
    with lab.sandbox.connection() as admin:
        context = {"omero.group": str(lab.group_id)}
        for file_id in file_ids:
            file = admin.getQueryService().get("OriginalFile", file_id, context)
            file.repo = rstring(repository)
            admin.getUpdateService().saveObject(file, context)
