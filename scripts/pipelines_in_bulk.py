# SPDX-License-Identifier: AGPL-3.0-or-later
"""Many users' pipelines at once, to measure and test lists of them: the same annotations and files, stored in a few calls.

    PYTHONPATH=scripts .venv/bin/python -c 'help("pipelines_in_bulk")'

The documents differ in name, description and steps' names, so that searches find few of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import omero
import omero.model
from omero.rtypes import rlong, rstring

from omero_openhcs.omero_access.pipeline_heads import fill_annotation
from omero_openhcs.omero_access.pipeline_records import NAMESPACE, Card, Description
from openhcs_client import PipelineDocument, searchable_text

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["make_pipelines"]

_AT_ONCE = 200
_STAINS = ("Hoechst", "DAPI", "phalloidin", "tubulin", "mitotracker", "WGA", "concanavalin", "SYTO 14", "LAMP1", "GM130")


def make_pipelines(conn: BlitzGateway, document: PipelineDocument, count: int, word: str = "bulk") -> list[str]:
    """Store ``count`` pipelines of the connection's user in its group and return their ids; ``word`` is in every name.

    Their files are registered with size and name but without content, so they can be listed and searched, not opened.
    """
    owner_id = conn.getUserId()
    ids = []
    for begin in range(0, count, _AT_ONCE):
        documents = [_variant(document, owner_id, number, word) for number in range(begin, min(begin + _AT_ONCE, count))]
        links = [_link(each, owner_id) for each in documents]
        conn.getUpdateService().saveAndReturnArray(links, conn.SERVICE_OPTS)
        ids += [each.id for each in documents]
    return ids


def _variant(document: PipelineDocument, owner_id: int, number: int, word: str) -> PipelineDocument:
    stain = _STAINS[number % len(_STAINS)]
    steps = [step.model_copy(update={"name": f"{step.name} {stain}"[:120]}) for step in document.steps]
    return document.model_copy(
        update={
            "id": f"u{owner_id}-{word}-{number:05}",
            "version": 1,
            "name": f"{stain} {word} {number:05}",
            "description": f"Assay {number} with {stain}. {document.description}",
            "steps": steps,
        }
    )


def _link(document: PipelineDocument, owner_id: int) -> omero.model.ExperimenterAnnotationLinkI:
    """The user, the annotation and its file in one graph."""
    file = omero.model.OriginalFileI()
    file.setName(rstring(f"{document.id}.v1.json"))
    file.setPath(rstring(f"{NAMESPACE}/"))
    file.setSize(rlong(len(document.canonical_json())))
    file.setMimetype(rstring("application/json"))
    card = Card(revision=0, version=0, name=document.name).with_version(document, document.name)
    annotation = omero.model.FileAnnotationI()
    annotation.setNs(rstring(NAMESPACE))
    fill_annotation(annotation, Description.of(document).with_card(card, searchable_text(document, {})))
    annotation.setFile(file)
    link = omero.model.ExperimenterAnnotationLinkI()
    link.setParent(omero.model.ExperimenterI(owner_id, False))
    link.setChild(annotation)
    return link
