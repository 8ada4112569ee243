# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the descriptions of pipeline annotations say, so that lists and searches read no file.

Every version is one file annotation. Its description holds the facts of that version and never changes. The annotation of
version 1 is the *head* of the pipeline: its description also has a card, which tells the list about the pipeline as a whole
(the shown name, the newest version, whether it is deprecated) and counts every change in ``revision``. What a search looks at
comes last in the head's description; see :data:`TEXT_KEY`.

Nothing of the card is part of the document, so nothing of it changes what a run computes or the content hash it records.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from openhcs_client import PipelineDocument, PipelinePlace, PipelineSource, PipelineSummary, plain_text

__all__ = ["COLUMNS", "DEPRECATED_MARK", "NAMESPACE", "TEXT_KEY", "Card", "Description", "StoredVersion", "owner_of", "stored"]

NAMESPACE = "openhcs.org/omero/pipeline-library/v1"
"""Namespace of the annotations; its version changes when their layout does. What a run attaches to a plate has another one."""

TEXT_KEY = '"text":"'
"""Begins the last entry of a head's description. Quotes inside JSON texts are escaped, so nobody's name can look like this."""

DEPRECATED_MARK = '"deprecated":true'
"""In the description of the head of a deprecated pipeline, and of no other."""

COLUMNS = (
    "a.id, o.id, o.firstName, o.lastName, g.id, g.name, g.details.permissions, a.description "
    "from FileAnnotation a join a.file f join a.details.owner o join a.details.group g"
)
"""What :func:`stored` reads; for ``select``."""

_SHOWN_DESCRIPTION = 400
_SEPARATOR = " | "
_ID = re.compile(r"^u(?P<owner>\d{1,18})-[a-z0-9_-]+$")

logger = logging.getLogger(__name__)


class Card(BaseModel):
    """What a list shows of a pipeline as a whole. ``renamed``: the name is not that of the newest document."""

    model_config = ConfigDict(extra="ignore")

    revision: int = 1
    version: int
    name: str
    renamed: bool = False
    description: str = ""
    minimum_channels: int = 1
    deprecated: bool = False
    note: str = ""
    tags: list[str] = []
    copied_from: PipelineSource | None = None
    place: PipelinePlace | None = None

    def with_version(self, document: PipelineDocument, name_before: str) -> Card:
        """The card after ``document`` was saved as the newest version.

        A name given by renaming holds until a version is saved whose name is not that of the version before it.
        """
        keeps_name = self.renamed and document.name == name_before
        return self.model_copy(
            update={
                "revision": self.revision + 1,
                "version": document.version,
                "name": self.name if keeps_name else document.name,
                "renamed": keeps_name,
                "description": document.description[:_SHOWN_DESCRIPTION],
                "minimum_channels": document.minimum_channels,
            }
        )


class Description(BaseModel):
    """The description of an annotation; ``card`` and ``text`` are those of a head."""

    model_config = ConfigDict(extra="ignore")

    id: str
    version: int
    name: str
    description: str = ""
    minimum_channels: int = 1
    hash: str
    card: Card | None = None
    text: str = ""

    @classmethod
    def of(cls, document: PipelineDocument) -> Description:
        """The facts of one version."""
        return cls(
            id=document.id,
            version=document.version,
            name=document.name,
            description=document.description,
            minimum_channels=document.minimum_channels,
            hash=document.content_hash(),
        )

    def known_card(self) -> Card:
        """The card; that of a pipeline with this version alone where there is none."""
        return self.card or Card(
            revision=0,
            version=self.version,
            name=self.name,
            description=self.description[:_SHOWN_DESCRIPTION],
            minimum_channels=self.minimum_channels,
        )

    def with_card(self, card: Card, text: str | None = None) -> Description:
        """The description with another card; ``text`` is that of the newest document when it is another one now."""
        about = self.text.partition(_SEPARATOR)[2] if text is None else text
        named = plain_text(" ".join([card.name, *card.tags]))
        return self.model_copy(update={"card": card, "text": f"{named}{_SEPARATOR}{about}"})

    def as_json(self) -> str:
        """The text that is stored; facts of a version alone have neither card nor text."""
        return self.model_dump_json(exclude=None if self.card else {"card", "text"})


@dataclass(frozen=True)
class StoredVersion:
    """One version of a user's pipeline. ``private``: the group lets nobody but the owner see it."""

    annotation_id: int
    owner_id: int
    owner_name: str
    group_id: int
    group_name: str
    private: bool
    about: Description

    def summary(self) -> PipelineSummary:
        """The line of the list, of the head of a pipeline."""
        card = self.about.known_card()
        return PipelineSummary(
            id=self.about.id,
            version=card.version,
            versions=list(range(card.version, 0, -1)),
            name=card.name,
            description=card.description,
            minimum_channels=card.minimum_channels,
            origin="user",
            owner=self.owner_name,
            owner_id=self.owner_id,
            group_id=self.group_id,
            group=self.group_name,
            private=self.private,
            deprecated=card.deprecated,
            note=card.note,
            tags=card.tags,
            copied_from=card.copied_from,
            revision=card.revision,
        )


def stored(row: Sequence[Any]) -> StoredVersion | None:
    """A row of :data:`COLUMNS`; None when it is not a version of a pipeline of its owner.

    Anybody can write an annotation that claims to be somebody else's, so its owner must be the one whom the id names.
    """
    annotation_id, owner_id, first_name, last_name, group_id, group_name, permissions, description = row
    try:
        about = Description.model_validate_json(description or "")
    except ValidationError:
        logger.warning("Annotation %s has our namespace but does not describe a pipeline", annotation_id)
        return None
    if owner_of(about.id) != owner_id:
        logger.warning("Annotation %s claims a pipeline of another user", annotation_id)
        return None
    return StoredVersion(
        annotation_id=annotation_id,
        owner_id=owner_id,
        owner_name=f"{first_name or ''} {last_name or ''}".strip(),
        group_id=group_id,
        group_name=group_name,
        private="r" not in permissions["perm"][2:],
        about=about,
    )


def owner_of(pipeline_id: str) -> int | None:
    """The user whom the id names; None for a pipeline that the service offers."""
    match = _ID.match(pipeline_id)
    return None if match is None else int(match["owner"])
