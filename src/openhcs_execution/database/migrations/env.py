# SPDX-License-Identifier: AGPL-3.0-or-later
"""Alembic's entry point: it runs the migrations on the connection that :mod:`openhcs_execution.database.migrate` hands over."""

from __future__ import annotations

from alembic import context

from openhcs_execution.database.models import Base


def run() -> None:
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",  # SQLite alters tables by copying them
    )
    with context.begin_transaction():
        context.run_migrations()


run()
