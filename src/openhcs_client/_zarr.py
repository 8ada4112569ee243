# SPDX-License-Identifier: AGPL-3.0-or-later
"""Addresses of images and plates as OME-Zarr, for software that is not signed in to OMERO.web."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["MakeZarrAddress", "ZarrAddress"]


class MakeZarrAddress(BaseModel):
    """Of what an address is wanted."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["image", "plate"]
    id: int = Field(ge=1, lt=2**63)


class ZarrAddress(BaseModel):
    """Where one image or plate can be read, by whoever has the address, until it expires.

    ``urls`` are paths on the same server, by the version of OME-Zarr (``0.4``, ``0.5``).
    """

    kind: Literal["image", "plate"]
    id: int
    urls: dict[str, str]
    expires_at: datetime
