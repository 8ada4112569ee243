# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading answers of the API into models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from ._errors import OpenHCSError
from ._pipelines import PipelineDocument, PipelineSummary

__all__ = ["PipelineVersions", "RenderedPipeline", "parse", "version_of"]


class PipelineVersions(BaseModel):
    """Every version of a pipeline, newest first."""

    versions: list[PipelineDocument]
    summary: PipelineSummary | None = None

    def known_summary(self) -> PipelineSummary:
        """The pipeline's line.

        Raises:
            OpenHCSError: ``not_in_omero_web`` when the answer is that of an execution service, which has no such line.
        """
        if self.summary is None:
            raise OpenHCSError("not_in_omero_web", "This is possible through OMERO.web only; sign in there.", status=400)
        return self.summary


class RenderedPipeline(BaseModel):
    """A pipeline as Python source."""

    python: str


def parse(shape: Any, response: httpx.Response) -> Any:
    """Read an answer into a model or adapter; an answer of another shape is the other side's fault."""
    try:
        if isinstance(shape, TypeAdapter):
            return shape.validate_json(response.content)
        return shape.model_validate_json(response.content)
    except ValidationError as error:
        raise OpenHCSError(
            "unexpected_answer",
            f"{response.request.url.host} answered in a form that this client does not know. Are both of the same version?",
            status=502,
        ) from error


def version_of(versions: Sequence[PipelineDocument], version: int | None) -> PipelineDocument:
    """The asked version of a pipeline, or its newest (the first).

    Raises:
        OpenHCSError: ``unknown_pipeline_version``, status 404.
    """
    for document in versions:
        if version is None or document.version == version:
            return document
    there = ", ".join(str(document.version) for document in reversed(versions))
    raise OpenHCSError("unknown_pipeline_version", f"There is no version {version}; there is {there}.", status=404)
