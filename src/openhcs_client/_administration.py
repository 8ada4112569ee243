# SPDX-License-Identifier: AGPL-3.0-or-later
"""What OMERO administrators can do with the queue: ``orchestrator.administration``."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel

from ._answers import parse
from ._http import ApiConnection, path_of
from ._queue import AuditPage, LimitsChange, PersonLimits, QueueOverview

__all__ = ["Administration"]

Model = TypeVar("Model", bound=BaseModel)


class Administration:
    """The queue of everybody. Anybody else than an OMERO administrator is refused (``not_an_administrator``, 403)."""

    def __init__(self, api: ApiConnection) -> None:
        self._api = api

    def queue(self) -> QueueOverview:
        """The queue in its order, and everybody's part of the machine."""
        return parse(QueueOverview, self._api.get(path_of("admin", "queue")))

    def change_limits(self, change: LimitsChange) -> QueueOverview:
        """Change limits for everybody: those that ``change`` names."""
        return self._changed("limits", body=change.model_dump(mode="json", exclude_unset=True))

    def change_user_limits(self, user_id: int, change: PersonLimits) -> QueueOverview:
        """Change the limits of one user: those that ``change`` names."""
        return self._changed("users", user_id, "limits", body=change.model_dump(mode="json", exclude_unset=True))

    def drain(self, note: str = "") -> QueueOverview:
        """Begin no further well and take no submissions; ``note`` tells those who wait why."""
        return self._changed("drain", body={"note": note})

    def undrain(self) -> QueueOverview:
        """Let the queue go on."""
        return self._changed("undrain")

    def attach(self, address: str) -> QueueOverview:
        """Compute with the Dask scheduler at ``tls://host:port``; what is under way is finished where it is."""
        return self._changed("engine", body={"address": address})

    def detach(self) -> QueueOverview:
        """Compute with the engine of the service's settings again."""
        return self._changed("engine", body={"address": None})

    def audit(
        self,
        target: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
        *,
        user: int | None = None,
        action: str | None = None,
    ) -> AuditPage:
        """Who did what, newest first: all, or only what was done to ``target``, by ``user``, or an ``action``."""
        query = {"target": target, "cursor": cursor, "limit": limit, "user": user, "action": action}
        return parse(AuditPage, self._api.get(path_of("admin", "audit"), query))

    def _changed(self, *path: str | int, body: dict[str, object] | None = None) -> QueueOverview:
        return parse(QueueOverview, self._api.post(path_of("admin", *path), body))
