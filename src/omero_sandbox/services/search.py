# SPDX-License-Identifier: AGPL-3.0-or-later
"""Search: words in the names, descriptions and texts of objects.

There is no index and no analysis of words: an object is found when one of its own texts contains every word. Restrictions
that the client sets are kept; results come through the read filter like everything else.
"""

from __future__ import annotations

from typing import Any

from omero_sandbox.ice.dispatch import Service
from omero_sandbox.ice.errors import api_usage
from omero_sandbox.security.caller import Caller
from omero_sandbox.services.query import entity_for, find_by_words

__all__ = ["SearchService"]

_DEFAULT_BATCH = 1000


class SearchService(Service):
    """One search in progress: restrictions, then a query, then results batch by batch."""

    def __init__(self, server: Any, session: Any) -> None:
        super().__init__(server, session)
        self._batch = _DEFAULT_BATCH
        self._types: list[str] = []
        self._owner: int | None = None
        self._ids: frozenset[int] | None = None
        self._created: tuple[Any, Any] = (None, None)
        self._found: list[Any] = []

    # Restrictions

    def setBatchSize(self, size: int, caller: Caller) -> None:
        """How many results `results` returns at once."""
        if size < 1:
            raise api_usage("A batch has at least one result.")
        self._batch = size

    def getBatchSize(self, caller: Caller) -> int:
        """How many results `results` returns at once."""
        return self._batch

    def onlyType(self, name: str, caller: Caller) -> None:
        """Search one class."""
        self._types = [entity_for(name).name]

    def onlyTypes(self, names: list[str], caller: Caller) -> None:
        """Search some classes."""
        self._types = [entity_for(name).name for name in names]

    def allTypes(self, caller: Caller) -> None:
        """Search everything that has a name."""
        self._types = ["Project", "Dataset", "Image", "Screen", "Plate"]

    def onlyIds(self, ids: list[int] | None, caller: Caller) -> None:
        """Keep results with these ids."""
        self._ids = None if ids is None else frozenset(ids)

    def onlyOwnedBy(self, details: Any, caller: Caller) -> None:
        """Keep results of one owner."""
        owner = None if details is None else details.owner
        self._owner = None if owner is None or owner.id is None else owner.id.val

    def onlyCreatedBetween(self, start: Any, stop: Any, caller: Caller) -> None:
        """Keep results made in a period."""
        self._created = (start, stop)

    def setCaseSensitive(self, value: bool, caller: Caller) -> None:
        """Accepted; the search never looks at case."""

    def setCaseSentivice(self, value: bool, caller: Caller) -> None:
        """The same, as OMERO's API misspells it."""

    def setAllowLeadingWildcard(self, value: bool, caller: Caller) -> None:
        """Accepted; a word is found anywhere in a text."""

    def unordered(self, caller: Caller) -> None:
        """Results come by id."""

    def resetDefaults(self, caller: Caller) -> None:
        """Forget restrictions and results."""
        SearchService.__init__(self, self.server, self.session)

    # Searching

    def byFullText(self, text: str, caller: Caller) -> None:
        """Find objects that contain every word."""
        self._found = []
        for name in self._types:
            found = find_by_words(self.database, entity_for(name), text, None, caller, self._created)
            self._found += [each for each in found if self._fits(each)]

    def byLuceneQueryBuilder(self, fields: str, start: str, stop: str, kind: str, text: str, caller: Caller) -> None:
        """The same; which fields are searched does not depend on ``fields``."""
        self.byFullText(text, caller)

    def clearQueries(self, caller: Caller) -> None:
        """Forget the results."""
        self._found = []

    def hasNext(self, caller: Caller) -> bool:
        """Whether there are more results."""
        return bool(self._found)

    def next(self, caller: Caller) -> Any:
        """The next result."""
        if not self._found:
            raise api_usage("There are no more results.")
        return self._found.pop(0)

    def results(self, caller: Caller) -> list[Any]:
        """The next batch of results."""
        batch, self._found = self._found[: self._batch], self._found[self._batch :]
        return batch

    def _fits(self, found: Any) -> bool:
        if self._ids is not None and found.id.val not in self._ids:
            return False
        owner = found.details.owner
        return self._owner is None or (owner is not None and owner.id.val == self._owner)
