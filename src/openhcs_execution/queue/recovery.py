# SPDX-License-Identifier: AGPL-3.0-or-later
"""A start of the service after any kind of stop: what was in work is put back, what was committed stays.

The processes that worked for the former service are gone or dying, and whatever they still write goes to the folder of an
attempt that nobody waits for.
"""

from __future__ import annotations

from sqlalchemy import or_, select

from openhcs_client import WellState
from openhcs_execution.database import Database, WellRow

from .wells import Well, put_back

__all__ = ["recover"]


def recover(database: Database) -> list[Well]:
    """Put every claimed well that was not committed back to waiting and return the attempts that were given up."""
    with database.read() as session:
        abandoned = [
            Well(row.execution, row.well, row.attempt)
            for row in session.scalars(
                select(WellRow).where(
                    WellRow.committed_at.is_(None),
                    or_(WellRow.claimed.is_(True), WellRow.state.in_([WellState.STAGING, WellState.RUNNING])),
                )
            )
        ]
    return [well for well in abandoned if put_back(database, well)]
