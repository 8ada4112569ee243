# SPDX-License-Identifier: AGPL-3.0-or-later
"""An unmodified OMERO.web, without the plugin, in front of a sandbox; and a browser-like client for it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
from stack import Server, free_port, write_web_config

from omero_sandbox.testing import RunningSandbox


class PlainWeb:
    """OMERO.web under gunicorn on loopback with as little configuration as possible: the server, and static files."""

    def __init__(self, folder: Path, sandbox: RunningSandbox) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: Server | None = None

    def start(self) -> None:
        """Start it and wait until the login page answers."""
        for part in ("etc/grid", "var/log", "tmp"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OMERO")} | {
            "OMERODIR": str(self.folder),
            "OMERO_USERDIR": str(self.folder / "user"),
            "TMPDIR": str(self.folder / "tmp"),
            "DJANGO_SETTINGS_MODULE": "omeroweb.settings",
            "PYTHONUNBUFFERED": "1",
        }
        specification = importlib.util.find_spec("omeroweb")
        assert specification is not None and specification.submodule_search_locations
        application = Path(specification.submodule_search_locations[0])
        config = {
            "omero.web.server_list": json.dumps([[self.sandbox.host, self.sandbox.port, "omero"]]),
            "omero.web.check_version": "false",
            "omero.web.middleware": [{"index": 0.1, "class": "whitenoise.middleware.WhiteNoiseMiddleware"}],
        }
        write_web_config(self.folder, config, application, environment)
        subprocess.run(
            [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
            cwd=application,
            env=environment,
            check=True,
            capture_output=True,
        )
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}", "--workers", "1", "--timeout", "60"]
        command += ["--no-control-socket", "--worker-tmp-dir", str(self.folder / "tmp"), "omeroweb.wsgi:application"]
        self._server = Server("OMERO.web", command, log=self.folder / "web.log", environment=environment, cwd=application)
        self._server.start()
        self._server.wait_for_http(f"{self.url}/webclient/login/")

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()

    @property
    def log(self) -> str:
        return (self.folder / "var" / "log" / "OMEROweb.log").read_text(encoding="utf-8")

    def sign_in(self, user: str, password: str) -> httpx.Client:
        """Return a client with the cookies of a signed-in user; posts carry the CSRF token."""
        client = httpx.Client(base_url=self.url, timeout=60)
        page = client.get("/webclient/login/").text
        server = re.search(r'<option value="(\d+)"|name="server"[^>]*value="(\d+)"', page)
        assert server is not None
        token = client.cookies["csrftoken"]
        form = {"username": user, "password": password, "server": server[1] or server[2], "csrfmiddlewaretoken": token}
        answer = client.post("/webclient/login/", data=form, headers={"Referer": self.url})
        assert answer.status_code == 302, answer.text
        client.headers.update({"X-CSRFToken": client.cookies["csrftoken"], "Referer": self.url})
        return client
