# SPDX-License-Identifier: AGPL-3.0-or-later
"""From what a user writes in a notebook to a submission that can be sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ._controls_first import ControlsFirst
from ._errors import OpenHCSError
from ._executions import SubmitExecution
from ._field_errors import field_errors_of, summary_of
from ._pipelines import ParameterValue, PipelineDocument
from ._plates import PlateShape
from ._saving import SavingOptions
from ._service import ServiceSubmission

__all__ = ["RunSettings", "as_json", "submission_body"]

_OPTIONS = ("saving", "mail_when_done", "controls_first", "expected_plate")


class RunSettings(BaseModel):
    """The ``config`` of ``execute_remote``."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    wells: list[str] | None = None
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    version: int | None = None
    test_well: str | None = None
    saving: SavingOptions = Field(default_factory=SavingOptions)
    controls_first: ControlsFirst | None = None
    expected_plate: PlateShape | None = None

    @classmethod
    def read(cls, config: Mapping[str, Any] | None) -> Self:
        """Check a ``config``.

        Raises:
            OpenHCSError: ``invalid_config``, naming what is wrong.
        """
        content = dict(config or {})
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise _invalid("invalid_config", "The config", error, content) from error

    def submission(self, plate_id: int, pipeline: str | PipelineDocument) -> SubmitExecution:
        """The submission for a pipeline by its id, or for a document, which names its own version."""
        pipeline_id, version = (pipeline, self.version) if isinstance(pipeline, str) else (pipeline.id, pipeline.version)
        try:
            return SubmitExecution(
                plate_id=plate_id,
                pipeline_id=pipeline_id,
                version=version,
                wells=self.wells,
                parameters=self.parameters,
                test_well=self.test_well,
                saving=self.saving,
                controls_first=self.controls_first,
                expected_plate=self.expected_plate,
            )
        except ValidationError as error:
            raise _invalid("invalid_submission", "The submission", error, None) from error


def as_json(document: PipelineDocument | Mapping[str, Any]) -> dict[str, Any]:
    """A document as JSON, also one that is not right and is sent to be checked."""
    return document.model_dump(mode="json") if isinstance(document, PipelineDocument) else dict(document)


def submission_body(submission: SubmitExecution) -> dict[str, Any]:
    """The JSON body of a submission, with the session key that pydantic would mask.

    Options are told only when they are not the defaults, so that a server from before there were any understands it.
    """
    body = submission.model_dump(mode="json")
    for name in _OPTIONS:
        if getattr(submission, name) == SubmitExecution.model_fields[name].get_default(call_default_factory=True):
            del body[name]
    if isinstance(submission, ServiceSubmission):
        body["omero_session"] = submission.omero_session.get_secret_value()
    return body


def _invalid(code: str, subject: str, error: ValidationError, content: Any) -> OpenHCSError:
    fields = field_errors_of(error, content)
    return OpenHCSError(code, f"{subject} is not right: {summary_of(fields, 'it')}", status=422, field_errors=fields)
