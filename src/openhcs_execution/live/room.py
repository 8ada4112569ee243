# SPDX-License-Identifier: AGPL-3.0-or-later
"""How many live connections there may be, in total and of one user: each costs memory and a place among the connections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from openhcs_client import OpenHCSError

__all__ = ["Room"]


class Room:
    """Places for connections. For one thread: the event loop."""

    def __init__(self, total: int, per_user: int) -> None:
        self._total = total
        self._per_user = per_user
        self._by_user: Counter[int] = Counter()

    @property
    def taken(self) -> int:
        """Connections that are open."""
        return self._by_user.total()

    @contextmanager
    def place(self, user_id: int) -> Iterator[None]:
        """Take a place for as long as the block lasts.

        Raises:
            OpenHCSError: ``too_many_live_connections`` (429); the page then polls.
        """
        if self._by_user[user_id] >= self._per_user or self.taken >= self._total:
            raise OpenHCSError(
                "too_many_live_connections",
                "There are too many live connections. The page asks now and then instead.",
                status=429,
            )
        self._by_user[user_id] += 1
        try:
            yield
        finally:
            self._by_user[user_id] -= 1
            if not self._by_user[user_id]:
                del self._by_user[user_id]
