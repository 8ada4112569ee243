# SPDX-License-Identifier: AGPL-3.0-or-later
"""What of an execution is saved in OMERO, what of a well was, and that the results were deleted again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; an execution from before saves what executions saved before."""
    op.add_column("execution_inputs", sa.Column("saving", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("wells", sa.Column("rois", sa.Integer(), nullable=True))
    op.add_column("wells", sa.Column("rois_left_out", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "results_deletions",
        sa.Column("execution", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("by_id", sa.BigInteger(), nullable=False),
        sa.Column("by_name", sa.String(length=255), nullable=False),
        sa.Column("sealed_key", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["execution"], ["executions.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("execution"),
    )


def downgrade() -> None:
    """Drop what was added."""
    op.drop_table("results_deletions")
    op.drop_column("wells", "rois_left_out")
    op.drop_column("wells", "rois")
    op.drop_column("execution_inputs", "saving")
