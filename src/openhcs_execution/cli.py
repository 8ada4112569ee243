# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command ``openhcs-execution``: serve, and look at what would be served.

Worker processes import this module again when it was started with ``python -m``; so everything heavy is imported inside the
commands.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from openhcs_execution.cli_pipelines import app as pipelines

if TYPE_CHECKING:
    from openhcs_execution.settings import Settings

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="The execution service of omero-openhcs."
)
app.add_typer(pipelines, name="pipelines")


@app.command()
def serve() -> None:
    """Run the service until SIGTERM or Ctrl-C. Settings come from OPENHCS_EXECUTION_* variables."""
    from openhcs_execution.database import DatabaseRefused
    from openhcs_execution.secrets import SecretError
    from openhcs_execution.server import run

    try:
        run(_settings())
    except (DatabaseRefused, SecretError) as error:
        _refuse(str(error))
    except OSError as error:
        _refuse(f"the service cannot start: {error}")


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this version (`serve` does so too)."""
    from openhcs_execution.database import Database, DatabaseRefused
    from openhcs_execution.database import migrate as run_migrations

    try:
        database = Database(_settings().database)
        typer.echo(f"database at revision {run_migrations(database)}")
        database.close()
    except DatabaseRefused as error:
        _refuse(str(error))


@app.command()
def catalogue(
    functions: Annotated[bool, typer.Option("--functions", help="List functions instead of pipelines.")] = False,
) -> None:
    """Print the built-in pipelines, or the functions that steps may name, as JSON."""
    from openhcs_execution.catalogue import FunctionCatalogue, PipelineCatalogue

    entries = FunctionCatalogue.packaged().list() if functions else PipelineCatalogue.packaged().summaries()
    typer.echo(json.dumps([entry.model_dump(mode="json") for entry in entries], indent=2, ensure_ascii=False))


@app.command()
def version() -> None:
    """Print the versions of the service and of OpenHCS."""
    from openhcs_execution.version import VERSION, installed_version

    typer.echo(f"omero-openhcs {VERSION}, OpenHCS {installed_version('openhcs') or 'not installed'}")


def _settings() -> Settings:
    from pydantic import ValidationError

    from openhcs_execution.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        problems = [
            f"OPENHCS_EXECUTION_{'.'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            if problem["loc"]
            else str(problem["msg"])
            for problem in error.errors()
        ]
        _refuse("\n".join(problems))


def _refuse(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise typer.Exit(2)


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
