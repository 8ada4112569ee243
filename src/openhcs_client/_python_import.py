# SPDX-License-Identifier: AGPL-3.0-or-later
"""What comes of reading an OpenHCS pipeline that was written in Python."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ._pipelines import PipelineDocument

__all__ = ["LARGEST_SOURCE", "ImportNote", "ImportPython", "ImportedPipeline"]

LARGEST_SOURCE = 500_000
"""Characters; a script of a hundred steps has some forty thousand."""


class ImportPython(BaseModel):
    """A script to read. It is never run."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(max_length=2_000_000, description="The Python source.")
    name: str = Field(default="", max_length=120, description="What to call the pipeline when the script does not say.")


class ImportNote(BaseModel):
    """What became of a place in the script.

    ``info`` tells how something was understood, ``warning`` that something was left out or changed which may matter, ``error``
    that a part of the pipeline could not be read.
    """

    line: int = Field(ge=1, description="Counted from 1.")
    column: int = Field(ge=1, description="Counted from 1.")
    severity: Literal["info", "warning", "error"]
    message: str


class ImportedPipeline(BaseModel):
    """A document, when at least one step was understood, and what became of every line that matters."""

    document: PipelineDocument | None = None
    notes: list[ImportNote] = Field(default_factory=list)
    field_errors: dict[str, str] = Field(
        default_factory=dict, description="What is still to be put right in the document before it can be saved, by path."
    )

    @property
    def complete(self) -> bool:
        """Whether the whole script is in the document."""
        return self.document is not None and all(note.severity == "info" for note in self.notes)
