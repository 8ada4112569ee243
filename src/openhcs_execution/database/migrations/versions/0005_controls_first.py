# SPDX-License-Identifier: AGPL-3.0-or-later
"""The order of wells with controls first, and the rule for stopping early."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; runs from before keep the order of the plate and have no rule."""
    op.add_column("executions", sa.Column("futility", sa.JSON(), nullable=True))
    op.add_column("execution_inputs", sa.Column("controls_first", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Drop what was added."""
    op.drop_column("execution_inputs", "controls_first")
    op.drop_column("executions", "futility")
