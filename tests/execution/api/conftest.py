# SPDX-License-Identifier: AGPL-3.0-or-later
"""The API in this process, over a real database and a real catalogue; no workers are started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from openhcs_client import GroupClaim
from openhcs_execution.api import create_app
from openhcs_execution.service import Service
from openhcs_execution.settings import Settings
from openhcs_execution.tokens import issue_token

GROUP = 3


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service that is not started, with an OMERO address where nobody listens."""
    service = Service(Settings(data_dir=tmp_path / "data", omero_port=1, max_body_bytes=50_000))
    yield service
    service.close()


@pytest.fixture
def http(service: Service) -> TestClient:
    return TestClient(create_app(service), raise_server_exceptions=False)


@pytest.fixture
def token(service: Service) -> Callable[..., dict[str, str]]:
    """Headers with a token of a user: ``token(2)``, ``token(9, reads_all=True)``, ``token(0, admin=True)``."""

    def make(user_id: int, *, admin: bool = False, reads_all: bool = False, group: int = GROUP, **more) -> dict[str, str]:
        groups = [GroupClaim(id=group, reads_all=reads_all)]
        signed = issue_token(
            more.pop("secret", service.secret), user_id=user_id, name="Ada", admin=admin, groups=groups, **more
        )
        return {"Authorization": f"Bearer {signed}"}

    return make
