# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pipelines that the service offers: those that ship with it, and those in the facility's own folders.

One JSON file per version, ``<id>/<version>.json``, which never changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from openhcs_client import (
    OpenHCSError,
    PipelineDocument,
    PipelineSummary,
    read_document,
    searchable_text,
    words_of_search,
)
from openhcs_execution.engine import check_published

from .folders import read_folders

__all__ = ["PipelineCatalogue"]


class PipelineCatalogue:
    """Published pipelines by id and version; ``problems`` says which files of the facility are not offered, and why."""

    def __init__(self, documents: Iterable[PipelineDocument]) -> None:
        """Index ``documents``.

        Raises:
            ValueError: when an id has the same version twice.
        """
        self.problems: list[str] = []
        self._facility: set[str] = set()
        self._versions: dict[str, dict[int, PipelineDocument]] = {}
        for document in documents:
            versions = self._versions.setdefault(document.id, {})
            if document.version in versions:
                raise ValueError(f"pipeline {document.id!r} has version {document.version} twice")
            versions[document.version] = document

    @classmethod
    def packaged(cls) -> PipelineCatalogue:
        """The pipelines inside :mod:`openhcs_execution.pipelines`."""
        return cls.load(files("openhcs_execution.pipelines"))

    @classmethod
    def with_folders(cls, folders: Sequence[Path]) -> PipelineCatalogue:
        """The packaged pipelines and what can be offered of the facility's ``folders``."""
        packaged = cls.packaged()
        read = read_folders(folders, packaged._versions, check_published)
        catalogue = cls([*packaged._documents(), *read.documents])
        catalogue.problems = read.problems
        catalogue._facility = {document.id for document in read.documents}
        return catalogue

    @classmethod
    def load(cls, folder: Traversable) -> PipelineCatalogue:
        """Read every ``<id>/<version>.json`` below ``folder``.

        Raises:
            ValueError: when a file's content says another id or version than its name.
            OpenHCSError: for bad content; see :func:`~openhcs_client.read_document`.
        """
        documents = []
        for pipeline in sorted((entry for entry in folder.iterdir() if entry.is_dir()), key=lambda entry: entry.name):
            for file in sorted(pipeline.iterdir(), key=lambda entry: entry.name):
                if not file.name.endswith(".json"):
                    continue
                document = read_document(file.read_bytes())
                if (document.id, f"{document.version}.json") != (pipeline.name, file.name):
                    raise ValueError(f"{pipeline.name}/{file.name} says it is {document.id!r} version {document.version}")
                documents.append(document)
        return cls(documents)

    def _documents(self) -> list[PipelineDocument]:
        return [document for versions in self._versions.values() for document in versions.values()]

    def summaries(self, q: str = "", titles: Mapping[str, str] | None = None) -> list[PipelineSummary]:
        """One line per pipeline, as its newest version describes it, by name.

        Only of pipelines that have every word of ``q``, also in their steps and in the ``titles`` of their functions (by id).
        """
        words = words_of_search(q)
        newest = [(versions[max(versions)], sorted(versions, reverse=True)) for versions in self._versions.values()]
        return [
            PipelineSummary(
                id=document.id,
                version=document.version,
                versions=versions,
                name=document.name,
                description=document.description,
                origin="facility" if document.id in self._facility else "built-in",
                minimum_channels=document.minimum_channels,
            )
            for document, versions in sorted(newest, key=lambda entry: entry[0].name.casefold())
            if not words or _has(searchable_text(document, titles or {}), words)
        ]

    def versions(self, pipeline_id: str) -> list[PipelineDocument]:
        """Every version, newest first.

        Raises:
            OpenHCSError: ``unknown_pipeline``, status 404.
        """
        versions = self._versions.get(pipeline_id)
        if versions is None:
            raise OpenHCSError("unknown_pipeline", f"There is no pipeline {pipeline_id!r}.", status=404)
        return [versions[version] for version in sorted(versions, reverse=True)]

    def resolve(self, pipeline_id: str, version: int | None = None) -> PipelineDocument:
        """The given version, or the newest.

        Raises:
            OpenHCSError: ``unknown_pipeline`` or ``unknown_pipeline_version``, status 404.
        """
        versions = self.versions(pipeline_id)
        if version is None:
            return versions[0]
        for document in versions:
            if document.version == version:
                return document
        there = ", ".join(str(document.version) for document in reversed(versions))
        raise OpenHCSError(
            "unknown_pipeline_version",
            f"Pipeline {versions[0].name!r} has no version {version}; there is {there}.",
            status=404,
        )


def _has(text: str, words: Sequence[str]) -> bool:
    return all(word in text for word in words)
