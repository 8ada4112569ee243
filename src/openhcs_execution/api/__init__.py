# SPDX-License-Identifier: AGPL-3.0-or-later
"""The HTTP API: thin routes, one module per resource, over plain functions that know nothing of HTTP."""

from .app import create_app

__all__ = ["create_app"]
