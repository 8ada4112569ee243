# SPDX-License-Identifier: AGPL-3.0-or-later
"""For the queue's policy: counters of waiting and claimed wells, pauses, people and their limits, usage, the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OPEN = "executions.status in ('queued', 'running', 'waiting_for_sign_in', 'saving')"


def upgrade() -> None:
    """Add the columns and tables, and fill in what they say about executions that are open."""
    for column in (
        sa.Column("wells_waiting", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("wells_claimed", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("lone_well", sa.String(length=8), nullable=True),
        sa.Column("paused", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("paused_by", sa.String(length=255), nullable=False, server_default=""),
    ):
        op.add_column("executions", column)
    op.add_column("wells", sa.Column("retried", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("wells", sa.Column("alone", sa.Boolean(), nullable=False, server_default=sa.false()))
    _create_tables()
    _create_indexes()
    _fill_in()


def _create_tables() -> None:
    op.create_table(
        "queue_people",
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("served_at", sa.DateTime(), nullable=True),
        sa.Column("executions_at_once", sa.Integer(), nullable=True),
        sa.Column("cpu_hours_per_day", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("owner_id"),
    )
    op.create_table(
        "queue_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("executions_at_once", sa.Integer(), nullable=True),
        sa.Column("cpu_hours_per_day", sa.Float(), nullable=True),
        sa.Column("ageing_minutes", sa.Float(), nullable=True),
        sa.Column("draining", sa.Boolean(), nullable=False),
        sa.Column("drained_by", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "usage",
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("wells", sa.Integer(), nullable=False),
        sa.Column("cpu_seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "day"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("time", sa.DateTime(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("user_name", sa.String(length=255), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_indexes() -> None:
    waiting, in_work = sa.text("wells_waiting > 0"), sa.text("wells_claimed > 0")
    op.create_index(
        "ix_executions_waiting", "executions", ["status", "owner_id"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_index("ix_executions_in_work", "executions", ["owner_id"], sqlite_where=in_work, postgresql_where=in_work)
    op.create_index("ix_audit_target", "audit", ["target", "id"])


def _fill_in() -> None:
    for counter, condition in (("wells_waiting", "state = 'waiting' and not claimed"), ("wells_claimed", "claimed")):
        op.execute(
            f"update executions set {counter} = (select count(*) from wells "  # noqa: S608 - the texts are above
            f"where wells.execution = executions.number and {condition}) where {_OPEN}"
        )
    op.execute("update wells set alone = (losses > 0)")
    op.execute("insert into queue_state (id, draining, drained_by) values (1, false, '')")
    op.execute("insert into queue_people (owner_id, name) select owner_id, max(owner_name) from executions group by owner_id")


def downgrade() -> None:
    """Drop what was added."""
    op.drop_index("ix_audit_target", table_name="audit")
    op.drop_index("ix_executions_in_work", table_name="executions")
    op.drop_index("ix_executions_waiting", table_name="executions")
    for table in ("audit", "usage", "queue_state", "queue_people"):
        op.drop_table(table)
    for column in ("alone", "retried"):
        op.drop_column("wells", column)
    for column in ("paused_by", "paused", "lone_well", "wells_claimed", "wells_waiting"):
        op.drop_column("executions", column)
