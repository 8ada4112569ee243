# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bring the database to the schema of this version. It runs at every start and does nothing when there is nothing to do."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlalchemy.exc import OperationalError

from .engine import Database, DatabaseRefused

__all__ = ["current_revision", "migrate"]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def current_revision(database: Database) -> str | None:
    """The revision that the database has; None when it is empty."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(database: Database) -> str | None:
    """Run the missing migrations and return the revision reached.

    Raises:
        DatabaseRefused: when the database was made by a newer version, holds tables that are not ours, or does not answer.
    """
    try:
        revision = current_revision(database)
    except OperationalError as error:
        raise DatabaseRefused(f"the database does not answer: {error.orig}") from error
    script = ScriptDirectory.from_config(_config())
    known = {entry.revision for entry in script.walk_revisions()}
    if revision is not None and revision not in known:
        raise DatabaseRefused(
            f"the database is at revision {revision}, made by a newer version of omero-openhcs; upgrade this one"
        )
    if revision is None and inspect(database.engine).get_table_names():
        raise DatabaseRefused("the database holds tables that this service did not make; use an empty one")
    config = _config()
    with database.engine.execution_options(writes=True).connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return current_revision(database)
