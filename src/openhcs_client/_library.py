# SPDX-License-Identifier: AGPL-3.0-or-later
"""Looking for pipelines, and changing what is around them: name, group, recommendation. Documents are in `_pipelines`.

Every change names the ``revision`` that it is based on, as the list gave it; a change of something that somebody else has
changed meanwhile is refused (``pipeline_changed``, 409) and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ._pipelines import PipelineDocument, PipelineOrigin, PipelineSummary, ShortText

__all__ = [
    "ChangeOfPipeline",
    "CopyPipeline",
    "DeprecatePipeline",
    "PipelinePage",
    "PipelinePlace",
    "PipelineSearch",
    "RenamePipeline",
    "SharePipeline",
    "plain_text",
    "searchable_text",
    "words_of_search",
]

_LONGEST_TEXT = 6000
_MOST_WORDS = 8

Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class PipelineSearch(BaseModel):
    """Which pipelines to list, and which page of them. Every word of ``q`` must be found."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field(default="", max_length=200, description="Words of name, description, owner, steps, functions and tags.")
    origin: PipelineOrigin | None = None
    owner: Annotated[int, Field(ge=0, lt=2**63)] | Literal["me"] | None = None
    group: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    deprecated: bool = Field(default=False, description="Also those that are deprecated.")
    page: int = Field(default=1, ge=1, le=100_000)
    limit: int = Field(default=50, ge=1, le=200)

    @property
    def of_users_only(self) -> bool:
        """Whether only users' own pipelines can be meant."""
        return self.origin == "user" or self.owner is not None or self.group is not None


class PipelinePage(BaseModel):
    """A page of the list: built-in pipelines first, then the facility's, then users' own, each by name."""

    pipelines: list[PipelineSummary]
    total: int = Field(default=0, description="How many there are on all pages.")
    page: int = 1
    pages: int = 1


class PipelinePlace(BaseModel):
    """Where a pipeline is attached in OMERO."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["Project", "Dataset", "Screen", "Plate"]
    id: int = Field(ge=1, lt=2**63)


class ChangeOfPipeline(BaseModel):
    """A change of a pipeline of one's own, based on the revision that the list showed."""

    model_config = ConfigDict(extra="forbid")

    revision: int = Field(ge=0)


class RenamePipeline(ChangeOfPipeline):
    """A new name, and new tags where given. The versions stay as they are."""

    name: ShortText
    tags: list[Tag] | None = Field(default=None, max_length=20)


class SharePipeline(ChangeOfPipeline):
    """Move the pipeline with all its versions to another group of yours; that group's permissions decide who sees it.

    Refused (``golden_wells_not_checked`` or ``golden_wells_differ``, 409) when the newest version has golden wells that were
    not all run with it and found to agree, unless ``although_unchecked`` says that you know.
    """

    group_id: int = Field(ge=0, lt=2**63)
    although_unchecked: bool = False


class DeprecatePipeline(ChangeOfPipeline):
    """Hide the pipeline from lists, or show it again. An exact version can still be run."""

    deprecated: bool = True
    note: str = Field(default="", max_length=400, description="Why, and what to use instead.")


class CopyPipeline(BaseModel):
    """Make an own copy of a version, the newest by default."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(default=None, ge=1)
    name: ShortText | None = Field(default=None, description="The name with (copy) behind it when absent.")
    group_id: int | None = Field(default=None, ge=0, lt=2**63, description="Your current group when absent.")
    place: PipelinePlace | None = Field(default=None, description="What to attach it to; yourself when absent.")


def searchable_text(document: PipelineDocument, titles: Mapping[str, str], more: Iterable[str] = ()) -> str:
    """Everything of a document that a search looks at, in small letters and bounded.

    ``titles`` are the functions' titles by id; a function without one is found by the words of its id.
    """
    parts = [document.id, document.name, *more, document.description]
    for step in document.steps:
        parts += [step.name, titles.get(step.function, ""), step.function.rpartition(":")[2].replace("_", " ")]
    return plain_text(" ".join(dict.fromkeys(part for part in parts if part)))[:_LONGEST_TEXT]


def words_of_search(q: str) -> list[str]:
    """The words to look for, as :func:`searchable_text` writes them.

    >>> words_of_search('Count  "NUCLEI"')
    ['count', 'nuclei']
    """
    return list(dict.fromkeys(plain_text(q).split()))[:_MOST_WORDS]


def plain_text(text: str) -> str:
    """Small letters, and spaces for bars and for what JSON would have to escape: the text is the same inside JSON."""
    return "".join(character if character.isprintable() and character not in '"\\|' else " " for character in text.casefold())
