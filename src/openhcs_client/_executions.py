# SPDX-License-Identifier: AGPL-3.0-or-later
"""Executions: one pipeline version applied to wells of one plate, with its states, events and results."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ._controls_first import ControlsFirst, FutilityVerdict
from ._pipelines import ParameterValue
from ._plates import PlateShape
from ._queue import WaitingCode
from ._saving import ResultsDeletion, SavingOptions

__all__ = [
    "Event",
    "EventPage",
    "Execution",
    "ExecutionCreated",
    "ExecutionDetail",
    "ExecutionPage",
    "ExecutionStatus",
    "ExecutionStatusName",
    "FailureClass",
    "LabelInfo",
    "MeasurementLevel",
    "MeasurementPage",
    "ResultLinks",
    "SubmitExecution",
    "WellExecution",
    "WellFailure",
    "WellState",
]


class ExecutionStatusName(StrEnum):
    """Where an execution is in its life. The last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING_FOR_SIGN_IN = "waiting_for_sign_in"
    SAVING = "saving"
    COMPLETED = "completed"
    COMPLETED_WITH_ERRORS = "completed_with_errors"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in _FINAL


_FINAL = frozenset(
    {
        ExecutionStatusName.COMPLETED,
        ExecutionStatusName.COMPLETED_WITH_ERRORS,
        ExecutionStatusName.FAILED,
        ExecutionStatusName.CANCELLED,
    }
)


class WellState(StrEnum):
    """What a well of an execution is doing; ``done``, ``failed`` and ``skipped`` are final."""

    WAITING = "waiting"
    STAGING = "staging"
    RUNNING = "running"
    SAVING = "saving"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class FailureClass(StrEnum):
    """Why a well failed, in classes that each have their own remedy."""

    BAD_INPUT = "bad_input"
    OUT_OF_MEMORY = "out_of_memory"
    TIME_LIMIT = "time_limit"
    DISK_FULL = "disk_full"
    OMERO_LOST = "omero_lost"
    ENGINE_ERROR = "engine_error"
    WORKER_LOST = "worker_lost"


class SubmitExecution(BaseModel):
    """What a user asks for. ``wells`` empty means every well with images; ``test_well`` runs one well and saves nothing."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    plate_id: int = Field(ge=1)
    pipeline_id: str = Field(min_length=1, max_length=200)
    version: int | None = Field(default=None, ge=1)
    wells: list[str] | None = Field(default=None, max_length=10_000)
    parameters: dict[str, ParameterValue] = Field(default_factory=dict, max_length=100)
    test_well: str | None = None
    saving: SavingOptions = Field(default_factory=SavingOptions)
    mail_when_done: bool = Field(
        default=False, description="A mail to the address that OMERO has of whoever submits, when the run has ended."
    )
    controls_first: ControlsFirst | None = Field(
        default=None, description="Compute the control wells before the others; null keeps the order of the plate."
    )
    expected_plate: PlateShape | None = Field(
        default=None, description="Refuse the plate when these wells, channels or images are not like this, as from a passport."
    )


class ExecutionCreated(BaseModel):
    """The answer to a submission."""

    execution_id: str
    status_url: str
    results_url: str


class WellFailure(BaseModel):
    """Why a well failed: a class, a sentence, what to do, and the traceback for those who ask for it."""

    cause: FailureClass
    message: str
    remedy: str = ""
    traceback: str = ""


class WellExecution(BaseModel):
    """One well of one execution. ``step`` counts from 1 while the well runs; times are UTC."""

    well: str
    row: int
    column: int
    well_id: int
    state: WellState = WellState.WAITING
    attempt: int = 0
    step: int = 0
    step_count: int = 0
    step_name: str = ""
    seconds: float | None = None
    worker: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    failure: WellFailure | None = None
    reused_steps: int = Field(
        default=0, description="Steps of a test that were taken from an earlier one; told only by the event of its end."
    )
    measurements: dict[str, float | None] = Field(
        default_factory=dict, description="The well's own values (sums, means over its fields) once it is done."
    )


class ResultLinks(BaseModel):
    """OMERO ids of what an execution saved."""

    table_file_id: int | None = None
    table_annotation_id: int | None = None
    plate_id: int | None = None
    dataset_id: int | None = None
    provenance_annotation_id: int | None = None
    pipeline_annotation_id: int | None = None
    rois: int | None = Field(default=None, description="How many ROIs were saved; null when none were asked for.")
    rois_left_out: int = Field(default=0, description="Objects without a ROI, because a cap was reached.")


class Execution(BaseModel):
    """A line of the execution list."""

    execution_id: str
    plate_id: int
    plate_name: str
    group_id: int
    owner_id: int
    owner_name: str
    pipeline_id: str
    pipeline_name: str
    pipeline_version: int
    pipeline_hash: str
    status: ExecutionStatusName
    message: str = ""
    test_well: bool = False
    paused: bool = Field(default=False, description="Wells in work are finished; no further well is begun.")
    waiting_code: WaitingCode | None = Field(default=None, description="Why it does not get the next free worker.")
    waiting_reason: str = Field(default="", description="The same as a sentence.")
    queue_position: int | None = Field(default=None, ge=1, description="Its place among those that wait, from 1.")
    wells_total: int
    wells_completed: int = 0
    wells_failed: int = 0
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    results: ResultLinks = Field(default_factory=ResultLinks)
    results_removed_at: datetime | None = Field(
        default=None, description="When the service removed its copies of the results because they were old."
    )


class ExecutionDetail(Execution):
    """An execution with its wells, its document and the parameters that were changed."""

    document: dict[str, Any]
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    saving: SavingOptions = Field(default_factory=SavingOptions)
    deletion: ResultsDeletion | None = Field(default=None, description="That its results in OMERO were deleted.")
    rows: int
    columns: int
    wells: list[WellExecution]
    controls_first: bool = Field(default=False, description="The control wells are computed before the others.")
    futility: FutilityVerdict | None = Field(default=None, description="Null without a rule, and until the controls are done.")
    last_event: int = Field(default=0, description="Sequence number of the newest event contained in this snapshot.")


class ExecutionStatus(BaseModel):
    """The short answer to *how far is it*. Times are ISO 8601 in UTC."""

    execution_id: str
    status: ExecutionStatusName
    message: str = ""
    paused: bool = Field(default=False, description="Wells in work are finished; no further well is begun.")
    waiting_code: WaitingCode | None = Field(default=None, description="Why it does not get the next free worker.")
    waiting_reason: str = Field(default="", description="The same as a sentence.")
    queue_position: int | None = Field(default=None, ge=1, description="Its place among those that wait, from 1.")
    wells_total: int
    wells_completed: int
    wells_failed: int
    current_well: str | None = None
    current_step: str | None = None
    started_at: datetime | None = None
    estimated_completion: datetime | None = Field(default=None, description="When the last well may be computed.")
    earliest_completion: datetime | None = Field(default=None, description="One run in ten ends before this.")
    latest_completion: datetime | None = Field(default=None, description="One run in ten ends after this.")
    last_event: int = 0


class Event(BaseModel):
    """Something that happened. ``sequence`` counts up by one within an execution, without gaps."""

    sequence: int
    time: datetime
    kind: Literal[
        "queued",
        "started",
        "well_staging",
        "well_step",
        "well_saving",
        "well_done",
        "well_failed",
        "well_retried",
        "well_skipped",
        "saving",
        "waiting_for_sign_in",
        "signed_in",
        "cancel_requested",
        "paused",
        "resumed",
        "finished",
        "results_deletion",
    ]
    well: str | None = None
    data: dict[str, Any] = Field(
        default_factory=dict, description="For wells the fields of WellExecution that changed; for executions of Execution."
    )


class EventPage(BaseModel):
    """Events after a cursor; ask again with ``since=next``."""

    events: list[Event]
    next: int
    status: ExecutionStatusName


class ExecutionPage(BaseModel):
    """A page of executions, newest first; ``next_cursor`` is empty on the last one."""

    executions: list[Execution]
    next_cursor: str | None = None


class MeasurementLevel(StrEnum):
    """What one row of measurements stands for."""

    WELL = "well"
    FIELD = "field"
    OBJECT = "object"


class MeasurementPage(BaseModel):
    """Measurements as columns and rows; a missing value is null, never zero."""

    level: MeasurementLevel
    columns: list[str]
    rows: list[list[float | int | str | None]]
    total_rows: int
    next_cursor: str | None = None


class LabelInfo(BaseModel):
    """A label image of one field of a well; ``omero_image_id`` is set once it is saved in OMERO."""

    field: int
    name: str
    objects: int
    omero_image_id: int | None = None
