# SPDX-License-Identifier: AGPL-3.0-or-later
"""What goes into the engine for one well and what comes out: plain JSON, because it crosses a pipe to a child process."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from openhcs_client import PipelineDocument, WellFailure

__all__ = ["EngineJob", "EngineLine", "EngineProgress", "EngineResult", "ImageFile", "LabelFile", "TrialKind", "TrialResult"]


class EngineJob(BaseModel):
    """One well to compute.

    ``planes`` is the staging folder written by :mod:`openhcs_execution.engine.staging`; ``output`` receives everything the
    engine writes and is emptied by the caller. ``scratch`` is OpenHCS's own and is emptied by the engine: where it is the same
    for all wells of a worker, OpenHCS resolves its configuration once and not for each. ``document`` has the user's parameters
    already applied. ``remember`` lets the engine take from memory what it made of the same images before, and keep what it
    makes now: for wells that somebody tries values on. With ``keep_images`` the images as the last step leaves them are among
    the results.
    """

    model_config = ConfigDict(extra="forbid")

    execution_id: str
    well: str
    document: PipelineDocument
    channels: list[str]
    fields: list[int]
    planes: Path
    output: Path
    scratch: Path
    remember: bool = False
    keep_images: bool = False


class EngineProgress(BaseModel):
    """The engine entered step ``step`` (from 1) of ``step_count``."""

    step: int
    step_count: int
    step_name: str


class EngineLine(BaseModel):
    """Something that OpenHCS or a library said while a well was computed; already cleaned of folders and keys."""

    time: datetime
    level: Literal["info", "warning", "error"]
    text: str


class Hardware(BaseModel):
    """The machine that a well was computed on, as far as it says; no name and no address."""

    model_config = ConfigDict(frozen=True)

    processor: str = ""
    architecture: str = ""
    system: str = ""
    cores: int = Field(default=0, description="Logical cores that the process may use.")
    memory_mb: int = Field(default=0, description="Memory of the machine in MiB.")


class LabelFile(BaseModel):
    """A label image of one field: a ``.npy`` of shape (y, x), int32, 0 is background. ``name`` says of what (``nuclei``)."""

    field: int
    name: str
    path: Path
    objects: int
    sha256: str = Field(default="", description="Of the pixels, see openhcs_execution.hashing; filled in with the bundle.")


class ImageFile(BaseModel):
    """The image of one field and channel (both counted from 1) after the last step: a ``.npy`` of shape (y, x)."""

    field: int
    channel: int
    path: Path


class EngineResult(BaseModel):
    """A computed well, or the reason why it could not be computed.

    ``fields_table`` and ``objects_table`` are Parquet files with one row per field and per object; every cell is a number or
    a string. Columns that are always there: ``well``, ``field``, and for objects ``label`` (the value in the label image),
    ``centroid_y``, ``centroid_x`` in pixels. ``well_measurements`` are the well's own values.
    """

    well: str
    seconds: float
    failure: WellFailure | None = None
    fields_table: Path | None = None
    objects_table: Path | None = None
    labels: list[LabelFile] = Field(default_factory=list)
    images: list[ImageFile] = Field(default_factory=list, description="Only where they were asked for.")
    well_measurements: dict[str, float | None] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    reused_steps: int = Field(default=0, description="Steps that took everything from memory.")
    input_sha256: dict[int, str] = Field(
        default_factory=dict, description="Hash of the pixels of each field, see openhcs_execution.hashing."
    )
    hardware: Hardware | None = None


class TrialKind(BaseModel):
    """What OpenHCS's opinion of a pipeline may depend on: whether there are several fields or focal planes, not how many."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fields: int = Field(ge=1, le=2)
    focal_planes: int = Field(ge=1, le=2)
    pixel_type: str


class TrialResult(BaseModel):
    """What came of trying a pipeline on made-up wells: ``error`` when it cannot run, ``warnings`` when it may not."""

    error: str | None = None
    warnings: list[str] = Field(default_factory=list)
