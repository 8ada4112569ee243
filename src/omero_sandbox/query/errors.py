# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can be wrong with a query."""

from __future__ import annotations

__all__ = ["HqlError"]


class HqlError(Exception):
    """A query that cannot be understood or is not supported; becomes an ``omero.QueryException`` for clients."""
