# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the commands of the command line share: options, and reading the file that an argument names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._documents import LARGEST_DOCUMENT

__all__ = ["AsJson", "read_file", "wants_json"]

_JSON = "openhcs_client.json"


def wants_json(context: typer.Context) -> bool:
    """Did the user ask for JSON, at the command or at one above it?"""
    return bool(context.meta.get(_JSON))


def _remember_json(context: typer.Context, value: bool) -> bool:
    context.meta[_JSON] = value or wants_json(context)  # shared with the parent contexts, so that errors are JSON as well
    return wants_json(context)


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.", callback=_remember_json)]


def read_file(path: Path, argument: str) -> bytes:
    """The content of a file, as far as a document can be long; one byte more shows that it is too long.

    Raises:
        typer.BadParameter: when it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_DOCUMENT + 1)
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error.strerror}", param_hint=argument) from error
