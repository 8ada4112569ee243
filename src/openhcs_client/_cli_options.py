# SPDX-License-Identifier: AGPL-3.0-or-later
"""Options that commands of the command line share."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["AsJson", "wants_json"]

_JSON = "openhcs_client.json"


def wants_json(context: typer.Context) -> bool:
    """Did the user ask for JSON, at the command or at one above it?"""
    return bool(context.meta.get(_JSON))


def _remember_json(context: typer.Context, value: bool) -> bool:
    context.meta[_JSON] = value or wants_json(context)  # shared with the parent contexts, so that errors are JSON as well
    return wants_json(context)


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.", callback=_remember_json)]
