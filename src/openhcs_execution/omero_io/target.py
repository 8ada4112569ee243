# SPDX-License-Identifier: AGPL-3.0-or-later
"""What results are saved for, and how everything that belongs to one execution is marked and found again in OMERO.

=====================  =================================================================================================
object                 carries the execution id in
=====================  =================================================================================================
result plate           ``externalIdentifier``
annotations            ``description``, always ``OpenHCS execution <id>: <what it is>``
OMERO.table            its file's name
label images           the key ``execution_id`` of their map annotation
=====================  =================================================================================================

Only objects of the execution's owner count: in a shared group anybody can write any text into an annotation.
"""

from __future__ import annotations

from dataclasses import dataclass

from openhcs_client import PlateLayout

__all__ = ["EXECUTION_NS", "LABEL_NS", "PIPELINE_NS", "Mark", "ResultTarget", "mark"]

EXECUTION_NS = "openhcs.org/omero/execution/v1"
"""Namespace of the provenance annotation."""

PIPELINE_NS = "openhcs.org/omero/pipeline/v1"
"""Namespace of the attached pipeline, as JSON and as Python."""

LABEL_NS = "openhcs.org/omero/label/v1"
"""Namespace of the annotation of a label image."""

_LONGEST_NAME = 255
"""OMERO's name columns end here."""


class Mark:
    """What an annotation is, as the end of its description."""

    PROVENANCE = "provenance"
    PIPELINE_JSON = "pipeline (JSON)"
    PIPELINE_PYTHON = "pipeline (Python)"
    TABLE = "measurements"
    LABEL = "label image"
    ON_PLATES = (PROVENANCE, PIPELINE_JSON, PIPELINE_PYTHON, TABLE)


@dataclass(frozen=True)
class ResultTarget:
    """An execution whose results are saved: ``user_id`` owns it, and ``plate`` is the one it ran on."""

    execution_id: str
    user_id: int
    plate: PlateLayout
    pipeline_id: str
    pipeline_name: str
    pipeline_version: int
    pipeline_hash: str

    @property
    def result_plate_name(self) -> str:
        """``<plate> – <pipeline> v<version> (<start of the execution id>)``, within OMERO's limit for names."""
        ending = f" – {self.pipeline_name} v{self.pipeline_version} ({self.execution_id[:8]})"
        return self.plate.name[: _LONGEST_NAME - len(ending)] + ending

    def mark(self, what: str) -> str:
        """The description of one of this execution's annotations."""
        return mark(self.execution_id, what)


def mark(execution_id: str, what: str) -> str:
    """The description of an annotation of an execution.

    >>> mark("3f2a", Mark.TABLE)
    'OpenHCS execution 3f2a: measurements'
    """
    return f"OpenHCS execution {execution_id}: {what}"
