# SPDX-License-Identifier: AGPL-3.0-or-later
"""For workers on other machines: the attached scheduler, what an execution needs of a worker, a budget of GPU hours."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("queue_state", sa.Column("engine_address", sa.String(length=255), nullable=True))
    for table in ("queue_state", "queue_people"):
        op.add_column(table, sa.Column("gpu_hours_per_day", sa.Float(), nullable=True))
    op.add_column("usage", sa.Column("gpu_seconds", sa.Float(), nullable=False, server_default="0"))
    op.add_column("executions", sa.Column("needs", sa.String(length=255), nullable=False, server_default=""))
    op.add_column("executions", sa.Column("needs_memory_mb", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Drop what was added."""
    for column in ("needs_memory_mb", "needs"):
        op.drop_column("executions", column)
    op.drop_column("usage", "gpu_seconds")
    for table in ("queue_people", "queue_state"):
        op.drop_column(table, "gpu_hours_per_day")
    op.drop_column("queue_state", "engine_address")
