# SPDX-License-Identifier: AGPL-3.0-or-later
"""Controls first: compute the control wells before the others, and perhaps stop there when they are not told apart."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ._quality import WellRole
from ._wells import well_name, well_position

__all__ = ["ControlsFirst", "FutilityRule", "FutilityVerdict"]


class FutilityRule(BaseModel):
    """Pause the run when the Z'-factor of ``measurement`` over all control wells is below ``z_prime_below``."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    measurement: str = Field(min_length=1, max_length=200)
    z_prime_below: float = Field(default=0.0, ge=-100, le=1)


class ControlsFirst(BaseModel):
    """The order of the wells of a run: its control wells, positive and negative in turn, then the others.

    ``roles`` are those of wells by name. OMERO.web takes them from the plate when they are left out.
    """

    model_config = ConfigDict(extra="forbid")

    roles: dict[str, WellRole] | None = Field(default=None, max_length=2000)
    futility: FutilityRule | None = None

    @field_validator("roles")
    @classmethod
    def _normal_names(cls, roles: dict[str, WellRole] | None) -> dict[str, WellRole] | None:
        return roles and {well_name(*well_position(well)): role for well, role in roles.items()}

    def controls(self, role: WellRole) -> frozenset[str]:
        """The wells of a role."""
        return frozenset(well for well, its in (self.roles or {}).items() if its is role)


class FutilityVerdict(BaseModel):
    """What a futility rule came to, once all control wells of the run had been computed.

    ``z_prime`` is null when it cannot be told; the run is not paused then, and ``note`` says why.
    """

    measurement: str
    z_prime_below: float
    z_prime: float | None = None
    positive_wells: int = 0
    negative_wells: int = 0
    paused: bool = False
    note: str = ""
