# SPDX-License-Identifier: AGPL-3.0-or-later
"""How often a well's worker died before the well began: attempts that were put back for other reasons do not count."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("wells", sa.Column("false_starts", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("wells", "false_starts")
