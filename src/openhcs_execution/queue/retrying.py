# SPDX-License-Identifier: AGPL-3.0-or-later
"""What happens by itself to a well that failed, by class of failure. Nothing here is endless.

The table in ``docs/administrators/queue.md`` says the same to people; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass

from openhcs_client import FailureClass

__all__ = ["AutomaticBehaviour", "automatic"]


@dataclass(frozen=True)
class AutomaticBehaviour:
    """How often a well is tried again by itself, and whether no other well of its execution is in work then."""

    retries: int = 0
    alone: bool = False


_BEHAVIOUR = {
    # The same images fail the same way, and a slow well is slow again: people must change something first.
    FailureClass.BAD_INPUT: AutomaticBehaviour(),
    FailureClass.TIME_LIMIT: AutomaticBehaviour(),
    FailureClass.DISK_FULL: AutomaticBehaviour(),
    # OMERO answered and refused. While it does not answer at all, the execution pauses and no well fails.
    FailureClass.OMERO_LOST: AutomaticBehaviour(),
    FailureClass.OUT_OF_MEMORY: AutomaticBehaviour(retries=1, alone=True),
    FailureClass.WORKER_LOST: AutomaticBehaviour(retries=2, alone=True),
    FailureClass.ENGINE_ERROR: AutomaticBehaviour(retries=1),
}


def automatic(cause: FailureClass) -> AutomaticBehaviour:
    """What a failure of this class leads to."""
    return _BEHAVIOUR[cause]
