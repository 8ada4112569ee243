# SPDX-License-Identifier: AGPL-3.0-or-later
"""The whole system on one machine: embedded OMERO, execution service, and an unmodified OMERO.web with the plugin.

`make demo` and the tests start it the same way::

    with Stack(StackOptions(folder=Path("demo-data"))) as stack:
        print(stack.web_url)

Every server listens on loopback only. OMERO.web is configured as an administrator would do it: by the `config append` lines
that ship with the plugin, written into its `config.xml`.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from servers import Server, StackError, free_port
from web_config import collect_static, package_folder, shipped_config_lines, write_web_config

__all__ = ["DemoUser", "Server", "Stack", "StackError", "StackOptions", "free_port", "shipped_config_lines"]


@dataclass(frozen=True)
class DemoUser:
    """An account of the embedded OMERO."""

    name: str
    password: str


@dataclass(frozen=True)
class StackOptions:
    """Where and how to run. Ports of 0 are chosen freely; ``prefix`` is a URL prefix such as ``/omero``.

    ``omero_idle_seconds`` is how long OMERO keeps a session without a call; the default is OMERO's own. ``read_files`` lets
    the service read pixels from OMERO's files.
    """

    folder: Path
    web_port: int = 0
    omero_port: int = 0
    service_port: int = 0
    prefix: str = ""
    demo_data: bool = True
    workers: int | None = None
    web_workers: int = 3
    root_password: str | None = None
    omero_idle_seconds: float = 600.0
    read_files: bool = False
    web_config: Mapping[str, Any] = field(default_factory=dict)
    service_environment: Mapping[str, str] = field(default_factory=dict)
    report: Callable[[str], None] = lambda _line: None


class Stack:
    """The three servers and how to reach them. Use it as a context manager, or call :meth:`start` and :meth:`stop`."""

    def __init__(self, options: StackOptions) -> None:
        self.options = options
        self.folder = options.folder.resolve()
        self.root_password = options.root_password or self._remembered_secret("root-password")
        self.omero: Server | None = None
        self.service: Server | None = None
        self.web: Server | None = None
        self.omero_port = 0
        self.service_port = 0
        self.web_port = 0

    # ----------------------------------------------------------------- addresses

    @property
    def web_url(self) -> str:
        """Address of OMERO.web, with the prefix and without a trailing slash."""
        return f"http://127.0.0.1:{self.web_port}{self.options.prefix}"

    @property
    def service_url(self) -> str:
        return f"http://127.0.0.1:{self.service_port}"

    @property
    def secret_file(self) -> Path:
        return self.folder / "secrets" / "service-secret"

    def users(self) -> dict[str, DemoUser]:
        """The accounts that the demo data brought, by name."""
        path = self.folder / "omero" / "demo-users.json"
        accounts = json.loads(path.read_text(encoding="utf-8"))["users"]
        return {name: DemoUser(name, details["password"]) for name, details in accounts.items()}

    # ----------------------------------------------------------------- life

    def __enter__(self) -> Stack:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and return when the pages answer."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._remembered_secret("service-secret")
        try:
            # OMERO.web needs only the ports, so its slow start overlaps with the others'.
            self.omero_port = self.options.omero_port or free_port()
            self.service_port = self.options.service_port or free_port()
            self.web_port = self.options.web_port or free_port()
            self.start_web()
            self.start_omero()
            self.start_service()
            self.wait()
        except BaseException:
            self.stop()
            raise

    def wait(self) -> None:
        assert self.omero and self.service and self.web
        self.options.report("waiting for the embedded OMERO")
        self.omero.wait()
        self.options.report("waiting for the execution service")
        self.service.wait()
        self.options.report("waiting for OMERO.web")
        self.web.wait_for_http(f"{self.web_url}/webclient/login/")

    def stop(self) -> None:
        """Stop everything; the embedded OMERO last, because the others close their sessions there."""
        for server in (self.web, self.service):
            if server is not None:
                server.ask_to_stop()
        for server in (self.web, self.service, self.omero):
            if server is not None:
                server.stop()

    # ----------------------------------------------------------------- servers

    def start_omero(self) -> None:
        command = [
            sys.executable,
            "-m",
            "omero_sandbox.cli",
            "serve",
            "--data",
            str(self.folder / "omero"),
            "--port",
            str(self.omero_port),
            "--idle-timeout",
            str(self.options.omero_idle_seconds),
        ]
        if self.options.demo_data:
            command.append("--demo")
        environment = self._environment() | {"OMERO_SANDBOX_ROOT_PASSWORD": self.root_password}
        self.omero = Server("embedded OMERO", command, log=self.folder / "logs" / "omero.log", environment=environment)
        self.omero.start(ready=r"^READY ")

    def start_service(self) -> None:
        command = [sys.executable, "-m", "openhcs_execution.cli", "serve"]
        settings = {
            "HOST": "127.0.0.1",
            "PORT": str(self.service_port),
            "DATA_DIR": str(self.folder / "service"),
            "SECRET_FILE": str(self.secret_file),
            "OMERO_HOST": "127.0.0.1",
            "OMERO_PORT": str(self.omero_port),
        }
        # There is no proxy here: pages connect to the service's own port, which is another site to the browser.
        settings["LIVE_ORIGINS"] = f"http://127.0.0.1:{self.web_port},http://localhost:{self.web_port}"
        if self.options.read_files:
            settings["REPOSITORY_PATH"] = str(self.folder / "omero")
        if self.options.workers is not None:
            settings["WORKERS"] = str(self.options.workers)
        environment = self._environment()
        environment |= {f"OPENHCS_EXECUTION_{name}": value for name, value in settings.items()}
        environment |= dict(self.options.service_environment)
        self.service = Server("execution service", command, log=self.folder / "logs" / "service.log", environment=environment)
        self.service.start(ready=r"^READY ")

    def start_web(self) -> None:
        home = self.folder / "web"
        for part in ("etc/grid", "var/log", "tmp"):
            (home / part).mkdir(parents=True, exist_ok=True)
        environment = self._environment() | {
            "OMERODIR": str(home),
            "TMPDIR": str(home / "tmp"),
            "DJANGO_SETTINGS_MODULE": "omeroweb.settings",
        }
        application = package_folder("omeroweb")
        write_web_config(home, self.web_config(), application, environment)
        collect_static(home, application, environment)
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "--bind",
            f"127.0.0.1:{self.web_port}",
            "--workers",
            str(self.options.web_workers),
            "--timeout",
            "60",
        ]
        # OMERO.web takes its URL prefix from its settings; gunicorn has to be told of it as well, as behind a proxy.
        if self.options.prefix:
            environment["SCRIPT_NAME"] = self.options.prefix
        command += ["--no-control-socket", "--preload", "--worker-tmp-dir", str(home / "tmp"), "omeroweb.wsgi:application"]
        self.web = Server("OMERO.web", command, log=self.folder / "logs" / "web.log", environment=environment, cwd=application)
        self.web.start()

    def web_config(self) -> dict[str, Any]:
        """The configuration of OMERO.web beyond its defaults: lists are appended, everything else is set."""
        config: dict[str, Any] = {
            "omero.web.server_list": json.dumps([["127.0.0.1", self.omero_port, "omero"]]),
            "omero.web.secure": "true",
            "omero.web.check_version": "false",
            "omero.web.openhcs.service_url": self.service_url,
            "omero.web.openhcs.service_secret_file": str(self.secret_file),
            "omero.web.openhcs.live_url": f"ws://127.0.0.1:{self.service_port}/api/v1/live/",
            # In production nginx serves static files; here whitenoise does.
            "omero.web.middleware": [{"index": 0.1, "class": "whitenoise.middleware.WhiteNoiseMiddleware"}],
        }
        if self.options.prefix:
            config["omero.web.prefix"] = self.options.prefix
            config["omero.web.static_url"] = f"{self.options.prefix}/static/"
        for key, item in shipped_config_lines():
            config.setdefault(key, []).append(item)
        config.update(self.options.web_config)
        return config

    # ----------------------------------------------------------------- helpers

    def _environment(self) -> dict[str, str]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("OPENHCS_EXECUTION_", "OMERO"))
        }
        environment["PYTHONUNBUFFERED"] = "1"
        environment["OMERO_USERDIR"] = str(self.folder / "omero-user")
        return environment

    def _remembered_secret(self, name: str) -> str:
        path = self.folder / "secrets" / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(32))
        return path.read_text(encoding="ascii").strip()
