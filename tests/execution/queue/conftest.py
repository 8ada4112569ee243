# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from openhcs_execution.database import Database


@pytest.fixture
def database(new_url: Callable[[], str]) -> Iterator[Database]:
    """An empty queue, once on each of the two kinds of database."""
    database = Database(new_url())
    yield database
    database.close()
