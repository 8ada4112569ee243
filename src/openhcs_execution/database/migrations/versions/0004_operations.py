# SPDX-License-Identifier: AGPL-3.0-or-later
"""For operations: the outbox of messages about ended runs, results that were removed, a note with a drained queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table. Nobody is told of runs that have ended already."""
    for column in (
        sa.Column("mail_to", sa.String(length=255), nullable=False, server_default=""),
        sa.Column("end_told", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("results_removed_at", sa.DateTime(), nullable=True),
    ):
        op.add_column("executions", column)
    op.add_column("queue_state", sa.Column("drain_note", sa.String(length=300), nullable=False, server_default=""))
    op.create_table(
        "notifications",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notification_id", sa.String(length=36), nullable=False),
        sa.Column("execution", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("not_before", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["execution"], ["executions.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("notification_id"),
    )
    untold = sa.text("not end_told")
    op.create_index("ix_executions_end_untold", "executions", ["number"], sqlite_where=untold, postgresql_where=untold)
    op.create_index("ix_notifications_due", "notifications", ["state", "not_before"])
    op.create_index("ix_notifications_execution", "notifications", ["execution"])


def downgrade() -> None:
    """Drop what was added."""
    op.drop_table("notifications")
    op.drop_index("ix_executions_end_untold", table_name="executions")
    op.drop_column("queue_state", "drain_note")
    for column in ("results_removed_at", "end_told", "mail_to"):
        op.drop_column("executions", column)
