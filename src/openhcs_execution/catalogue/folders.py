# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pipelines that a facility offers: files in folders of its own, laid out like the packaged ones, ``<id>/<version>.json``.

Nothing in such a folder can take the service down or stand in for a packaged pipeline: a file that cannot be offered is left
out and told as a problem, in the log, in the service's health and by ``openhcs-execution pipelines check``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from openhcs_client import LARGEST_DOCUMENT, OpenHCSError, PipelineDocument, ValidationReport, read_document

__all__ = ["FacilityPipelines", "read_folders"]

_OF_A_USER = re.compile(r"^u\d+-")
_VERSION_FILE = re.compile(r"^[1-9]\d{0,8}\.json$")

Check = Callable[[PipelineDocument, Sequence[str] | None], ValidationReport]


@dataclass
class FacilityPipelines:
    """What the folders offer, and why some of their files are not offered: ``<id>/<version>.json: sentence``."""

    documents: list[PipelineDocument] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class _NotOfferedError(ValueError):
    """A file that cannot be offered; the message says why, in words for its author."""


def read_folders(folders: Sequence[Path], taken: Collection[str], check: Check) -> FacilityPipelines:
    """Read every ``<id>/<version>.json`` below ``folders``.

    Args:
        folders: in order; an id of an earlier folder is taken for the later ones.
        taken: ids that are not free, those of the packaged pipelines.
        check: says whether the service can run a document.
    """
    found = FacilityPipelines()
    used = set(taken)
    for folder in folders:
        read = _read_folder(folder, used, check, found.problems)
        used |= {document.id for document in read}
        found.documents += read
    return found


def _read_folder(folder: Path, taken: Collection[str], check: Check, problems: list[str]) -> list[PipelineDocument]:
    documents = []
    for pipeline in _entries(folder, problems):
        files = _entries(pipeline, problems) if pipeline.is_dir() else []
        for file in (file for file in files if file.suffix == ".json"):
            try:
                documents.append(_read_file(file, taken, check))
            except _NotOfferedError as error:
                problems.append(f"{pipeline.name}/{file.name}: {error}")
    return documents


def _entries(folder: Path, problems: list[str]) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        problems.append(f"{folder.name}: the folder cannot be read: {error.strerror}.")
        return []


def _read_file(file: Path, taken: Collection[str], check: Check) -> PipelineDocument:
    if not _VERSION_FILE.match(file.name):
        raise _NotOfferedError("the name of the file must be the version, such as 1.json.")
    if _OF_A_USER.match(file.parent.name):
        raise _NotOfferedError("ids that begin with u and a number belong to users' own pipelines; choose another id.")
    if file.parent.name in taken:
        raise _NotOfferedError("another pipeline has this id already; choose another id.")
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_DOCUMENT + 1)
    except OSError as error:
        raise _NotOfferedError(f"the file cannot be read: {error.strerror}.") from error
    try:
        document = read_document(content)
    except OpenHCSError as error:
        raise _NotOfferedError(_named(*next(iter(error.field_errors.items()), ("", error.message)))) from error
    if (document.id, f"{document.version}.json") != (file.parent.name, file.name):
        raise _NotOfferedError(f"it says that it is {document.id!r} version {document.version}.")
    report = check(document, None)
    if not report.valid:
        raise _NotOfferedError(_named(*next(iter(report.field_errors.items()))))
    return document


def _named(path: str, problem: str) -> str:
    return f"{path or 'document'}: {problem}"
