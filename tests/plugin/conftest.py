# SPDX-License-Identifier: AGPL-3.0-or-later
"""OMERO.web's real settings with the plugin, in this process: no server, no mocks of omeroweb.

Django is configured once per test process from a temporary ``OMERODIR`` whose ``config.xml`` is written as an administrator's
would be. Nothing listens at the configured addresses, which is what the tests of refusals want.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import pytest
from stack import free_port, shipped_config_lines

SERVICE_SECRET = secrets.token_urlsafe(32)


def configure_omero_web(home: Path) -> None:
    """Write ``config.xml`` under ``home`` and set Django up with it."""
    from omero.config import ConfigXml

    for part in ("etc/grid", "var/log"):
        (home / part).mkdir(parents=True)
    secret_file = home / "service-secret"
    secret_file.write_text(SERVICE_SECRET, encoding="ascii")
    config: dict[str, Any] = {
        "omero.web.server_list": json.dumps([["127.0.0.1", free_port(), "omero"]]),
        "omero.web.openhcs.service_url": f"http://127.0.0.1:{free_port()}",
        "omero.web.openhcs.service_secret_file": str(secret_file),
    }
    for key, item in shipped_config_lines():
        config.setdefault(key, []).append(item)
    xml = ConfigXml(str(home / "etc" / "grid" / "config.xml"))
    for key, value in config.items():
        xml[key] = json.dumps(value) if isinstance(value, list) else value
    xml.close()
    os.environ["OMERODIR"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "omeroweb.settings"

    import django
    import omeroweb

    sys.path.append(str(Path(omeroweb.__file__).parent))  # OMERO.web refers to its own apps by their bare names
    django.setup()


@pytest.fixture(scope="session", autouse=True)
def _omero_web(tmp_path_factory: pytest.TempPathFactory) -> None:
    configure_omero_web(tmp_path_factory.mktemp("omero-web"))
    from django.test.utils import setup_test_environment

    setup_test_environment()


@pytest.fixture
def django_client() -> Any:
    """Django's test client, not signed in."""
    from django.test import Client

    return Client()
