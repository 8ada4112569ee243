# SPDX-License-Identifier: AGPL-3.0-or-later
"""How good a plate is: the roles of its wells, statistics per measurement, and images worth a second look."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "ControlStatistics",
    "DriftStatistics",
    "EdgeStatistics",
    "ImageFlag",
    "MeasurementQuality",
    "PlateControls",
    "QualityReport",
    "QualityRequest",
    "SaveControls",
    "WellContent",
    "WellRole",
]


class WellRole(StrEnum):
    """What a well is for. A well of which nothing is known counts as ``treatment``."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    EMPTY = "empty"
    TREATMENT = "treatment"


class WellContent(BaseModel):
    """What is in a well: its role, and the compound and its concentration where they are known (as the user wrote them)."""

    model_config = ConfigDict(extra="forbid")

    well: str = Field(min_length=2, max_length=10)
    role: WellRole
    compound: str = Field(default="", max_length=200)
    concentration: str = Field(default="", max_length=50)


class PlateControls(BaseModel):
    """The roles of a plate's wells as the reader gets them, and where they come from.

    ``source``: ``own`` (you marked them), ``plate_owner``, ``colleague`` (somebody else marked them), ``annotations``
    (key-value pairs or tags on the wells) or ``none``. Wells that are not listed are treatments. ``shared``: others see
    them too; ``may_share``: others will see what you mark.
    """

    plate_id: int
    source: Literal["own", "plate_owner", "colleague", "annotations", "none"] = "none"
    marked_by: str = ""
    shared: bool = False
    may_share: bool = False
    wells: list[WellContent] = Field(default_factory=list)


class SaveControls(BaseModel):
    """Your marks for a plate, as wells or as the text of a CSV file. No wells at all takes your marks away."""

    model_config = ConfigDict(extra="forbid")

    wells: list[WellContent] | None = Field(default=None, max_length=2000)
    csv: str | None = Field(default=None, max_length=500_000)


class QualityRequest(BaseModel):
    """What the execution service needs for the statistics: the roles of the wells, and perhaps the one measurement wanted."""

    model_config = ConfigDict(extra="forbid")

    roles: dict[str, WellRole] = Field(default_factory=dict, max_length=2000)
    measurement: str | None = Field(default=None, max_length=200)


class ControlStatistics(BaseModel):
    """How well the controls are told apart; a figure is null where the wells do not allow it, and ``notes`` say why.

    CVs are in percent. ``verdict`` follows Z' (Zhang, Chung and Oldenburg 1999).
    """

    positive_wells: int = 0
    negative_wells: int = 0
    positive_mean: float | None = None
    negative_mean: float | None = None
    positive_cv: float | None = None
    negative_cv: float | None = None
    z_prime: float | None = None
    z_prime_robust: float | None = None
    ssmd: float | None = None
    ssmd_robust: float | None = None
    signal_window: float | None = None
    verdict: Literal["excellent", "marginal", "unusable"] | None = None
    notes: list[str] = Field(default_factory=list)


class EdgeStatistics(BaseModel):
    """Whether the outermost wells differ from the others: ``difference`` of medians (edge minus interior), and the same in
    robust standard deviations (``effect``)."""

    edge_wells: int = 0
    interior_wells: int = 0
    difference: float | None = None
    effect: float | None = None
    p_value: float | None = None
    found: bool = False
    note: str = ""


class DriftStatistics(BaseModel):
    """Whether values rise or fall along the rows (A to H) or columns (1 to 12): Theil-Sen ``slope`` per step, Kendall's tau."""

    along: Literal["rows", "columns"]
    wells: int = 0
    slope: float | None = None
    tau: float | None = None
    p_value: float | None = None
    found: bool = False
    note: str = ""


class MeasurementQuality(BaseModel):
    """The statistics of one measurement over the committed wells."""

    name: str
    wells: int
    missing: int = Field(description="Committed wells without a value.")
    controls: ControlStatistics
    edge: EdgeStatistics
    drift: list[DriftStatistics]
    b_scores: dict[str, float] | None = Field(
        default=None, description="By well; only when one measurement was asked for and enough wells have values."
    )
    b_score_note: str = ""


class ImageFlag(BaseModel):
    """An image (a field of a well) that deserves a second look."""

    well: str
    field: int
    kind: Literal["out_of_focus", "saturated", "nothing_found"]
    message: str


class QualityReport(BaseModel):
    """The quality of an execution so far."""

    execution_id: str
    wells_total: int
    wells_used: int = Field(description="Wells that are committed; the statistics are made of these.")
    positive_wells: int = Field(description="Wells of the execution that are positive controls, computed or not.")
    negative_wells: int
    measurements: list[MeasurementQuality]
    flags: list[ImageFlag]
    controls: PlateControls | None = Field(default=None, description="Where the roles come from; OMERO.web fills this in.")
