# SPDX-License-Identifier: AGPL-3.0-or-later
"""What crosses Dask, as JSON: a few wells to compute, what happened to them, and how far they are.

Ids, paths and small texts only: pixels stay on the worker, and the OMERO session is encrypted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from openhcs_client import PipelineDocument, PlateLayout, WellFailure
from openhcs_execution.engine import EngineLine

__all__ = ["TOPIC", "Outcome", "Progress", "Report", "Said", "WellBatch", "WorkerSettings", "read_report"]

TOPIC = "openhcs-wells"
"""The Dask topic on which workers report."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WorkerSettings(_Message):
    """What a worker process needs to know once. The secret itself stays in its file."""

    scratch: Path
    results: Path
    engine_home: Path
    secret_file: Path
    omero_host: str
    omero_port: int
    memory_limit_mb: int | None = None
    repository: Path | None = None
    test_memory_mb: int = 0
    test_images_mb: int = 0
    test_images_minutes: float = 15.0


class WellBatch(_Message):
    """Some wells of one execution, each with the attempt that is asked for.

    ``layout`` holds just these wells. ``sealed_session`` is the encrypted key of the job's OMERO session.
    """

    batch_id: str
    number: int
    execution_id: str
    document: PipelineDocument
    layout: PlateLayout
    attempts: dict[str, int]
    sealed_session: str
    time_limit: float
    want_python: bool = False
    test_well: bool = False


class Progress(_Message):
    """A well began to be staged (step 0), or entered a step of the pipeline."""

    kind: Literal["progress"] = "progress"
    number: int
    well: str
    attempt: int
    worker: str
    step: int = 0
    step_count: int = 0
    step_name: str = ""


class Outcome(_Message):
    """What became of one attempt at one well.

    ``computed``: its bundle is complete on disk, the numbers of it are here. ``failed``: ``failure`` says why.
    ``session_lost``, ``omero_unanswered``: it could not be read, for no fault of its own. ``engine_lost``: the engine process
    died under it. ``stopped``: the execution was cancelled or paused.
    """

    kind: Literal["outcome"] = "outcome"
    number: int
    well: str
    attempt: int
    what: Literal["computed", "failed", "session_lost", "omero_unanswered", "engine_lost", "stopped"]
    seconds: float = 0.0
    failure: WellFailure | None = None
    measurements: dict[str, float | None] = Field(default_factory=dict)
    field_rows: int = 0
    object_rows: int = 0
    label_count: int = 0
    versions: dict[str, str] = Field(default_factory=dict)
    python: str | None = None
    sealed_session: str = ""
    reused_steps: int = 0
    address: str = ""
    """Of the worker, as Dask knows it."""


class Said(_Message):
    """What the engine said while it computed one attempt at a well."""

    kind: Literal["said"] = "said"
    execution_id: str
    well: str
    attempt: int
    lines: tuple[EngineLine, ...]


Report: TypeAlias = Progress | Said | Outcome

_REPORT: TypeAdapter[Report] = TypeAdapter(Annotated[Report, Field(discriminator="kind")])


def read_report(text: str) -> Report:
    """Read one of them from its JSON.

    Raises:
        pydantic.ValidationError: when it is none of them.
    """
    return _REPORT.validate_json(text)
