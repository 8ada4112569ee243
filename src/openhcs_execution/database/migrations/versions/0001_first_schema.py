# SPDX-License-Identifier: AGPL-3.0-or-later
"""The first schema: executions, their inputs, wells, events, job sessions and idempotency keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "executions",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("execution_id", sa.String(length=36), nullable=False),
        sa.Column("plate_id", sa.BigInteger(), nullable=False),
        sa.Column("plate_name", sa.String(length=255), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_name", sa.String(length=255), nullable=False),
        sa.Column("pipeline_id", sa.String(length=200), nullable=False),
        sa.Column("pipeline_name", sa.String(length=255), nullable=False),
        sa.Column("pipeline_version", sa.Integer(), nullable=False),
        sa.Column("pipeline_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("test_well", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("columns", sa.Integer(), nullable=False),
        sa.Column("wells_total", sa.Integer(), nullable=False),
        sa.Column("wells_computed", sa.Integer(), nullable=False),
        sa.Column("wells_completed", sa.Integer(), nullable=False),
        sa.Column("wells_failed", sa.Integer(), nullable=False),
        sa.Column("wells_skipped", sa.Integer(), nullable=False),
        sa.Column("seconds_total", sa.Float(), nullable=False),
        sa.Column("current_well", sa.String(length=8), nullable=True),
        sa.Column("current_step", sa.String(length=255), nullable=True),
        sa.Column("last_event", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("last_commit_at", sa.DateTime(), nullable=True),
        sa.Column("not_before", sa.DateTime(), nullable=True),
        sa.Column("setbacks", sa.Integer(), nullable=False),
        sa.Column("results", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("execution_id"),
    )
    op.create_index("ix_executions_group", "executions", ["group_id", "number"], unique=False)
    op.create_index("ix_executions_owner", "executions", ["owner_id", "number"], unique=False)
    op.create_index("ix_executions_plate", "executions", ["plate_id", "number"], unique=False)
    op.create_index("ix_executions_status", "executions", ["status"], unique=False)

    op.create_table(
        "events",
        sa.Column("execution", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("time", sa.DateTime(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("well", sa.String(length=8), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["execution"], ["executions.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("execution", "sequence"),
    )
    op.create_table(
        "execution_inputs",
        sa.Column("execution", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("applied_document", sa.Text(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("python", sa.Text(), nullable=True),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["execution"], ["executions.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("execution"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("execution", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["execution"], ["executions.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("owner_id", "key"),
    )
    op.create_table(
        "job_sessions",
        sa.Column("execution", sa.Integer(), nullable=False),
        sa.Column("sealed_key", sa.Text(), nullable=False),
        sa.Column("lost", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["execution"], ["executions.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("execution"),
    )
    op.create_table(
        "wells",
        sa.Column("execution", sa.Integer(), nullable=False),
        sa.Column("well", sa.String(length=8), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("column", sa.Integer(), nullable=False),
        sa.Column("well_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("claimed", sa.Boolean(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("save_failures", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("step_count", sa.Integer(), nullable=False),
        sa.Column("step_name", sa.String(length=255), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("worker", sa.String(length=255), nullable=True),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("committed_at", sa.DateTime(), nullable=True),
        sa.Column("field_rows", sa.Integer(), nullable=False),
        sa.Column("object_rows", sa.Integer(), nullable=False),
        sa.Column("label_count", sa.Integer(), nullable=False),
        sa.Column("failure", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("measurements", sa.JSON(), nullable=False),
        sa.Column("label_images", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["execution"], ["executions.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("execution", "well"),
    )
    op.create_index("ix_wells_claimed", "wells", ["claimed"], unique=False)
    op.create_index("ix_wells_state", "wells", ["execution", "state", "position"], unique=False)


def downgrade() -> None:
    """Drop every table."""
    op.drop_index("ix_wells_state", table_name="wells")
    op.drop_index("ix_wells_claimed", table_name="wells")

    op.drop_table("wells")
    op.drop_table("job_sessions")
    op.drop_table("idempotency_keys")
    op.drop_table("execution_inputs")
    op.drop_table("events")
    op.drop_index("ix_executions_status", table_name="executions")
    op.drop_index("ix_executions_plate", table_name="executions")
    op.drop_index("ix_executions_owner", table_name="executions")
    op.drop_index("ix_executions_group", table_name="executions")

    op.drop_table("executions")
