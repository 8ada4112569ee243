# SPDX-License-Identifier: AGPL-3.0-or-later
"""The type of an OMERO connection, for annotations elsewhere in the plugin: only this folder imports OMERO."""

from __future__ import annotations

from omero.gateway import BlitzGateway

__all__ = ["BlitzGateway"]
