# SPDX-License-Identifier: AGPL-3.0-or-later
"""The whole system on one machine: embedded OMERO, execution service, and an unmodified OMERO.web with the plugin.

`make demo` and the tests start it the same way::

    with Stack(StackOptions(folder=Path("demo-data"))) as stack:
        print(stack.web_url)

Every server listens on loopback only. OMERO.web is configured as an administrator would do it: by the `config append` lines
that ship with the plugin, written into its `config.xml`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

__all__ = ["DemoUser", "Server", "Stack", "StackError", "StackOptions", "free_port"]

READY_TIMEOUT = 120.0
STOP_TIMEOUT = 20.0


class StackError(RuntimeError):
    """A server did not come up; the message names its log file and quotes the end of it."""


@dataclass(frozen=True)
class DemoUser:
    """An account of the embedded OMERO."""

    name: str
    password: str


@dataclass(frozen=True)
class StackOptions:
    """Where and how to run. Ports of 0 are chosen freely; ``prefix`` is a URL prefix such as ``/omero``."""

    folder: Path
    web_port: int = 0
    omero_port: int = 0
    service_port: int = 0
    prefix: str = ""
    demo_data: bool = True
    workers: int | None = None
    web_workers: int = 3
    root_password: str | None = None
    web_config: Mapping[str, Any] = field(default_factory=dict)
    service_environment: Mapping[str, str] = field(default_factory=dict)
    report: Callable[[str], None] = lambda _line: None


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One server process in its own process group, with its output in a log file and a way to know when it is ready."""

    def __init__(
        self, name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str], cwd: Path | None = None
    ) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self.environment = dict(environment)
        self.cwd = cwd
        self.process: subprocess.Popen[str] | None = None
        self._ready_line: str | None = None
        self._ready = threading.Event()

    def start(self, ready: str | None = None) -> None:
        """Start the process; with ``ready``, a regular expression, :meth:`wait` waits for a line of output that matches."""
        self._ready.clear()
        self._ready_line = None
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(  # noqa: S603 - the command is ours
            self.command,
            cwd=self.cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        pattern = re.compile(ready) if ready else None
        threading.Thread(
            target=self._copy_output, args=(self.process.stdout, pattern), daemon=True, name=f"log-{self.name}"
        ).start()

    def _copy_output(self, stream: IO[str], pattern: re.Pattern[str] | None) -> None:
        with self.log.open("a", encoding="utf-8") as log:
            for line in stream:
                log.write(line)
                log.flush()
                if pattern is not None and not self._ready.is_set() and pattern.search(line):
                    self._ready_line = line.strip()
                    self._ready.set()
        self._ready.set()

    def wait(self, timeout: float = READY_TIMEOUT) -> str:
        """Wait for the line announced to :meth:`start` and return it.

        Raises:
            StackError: when the process ends or ``timeout`` seconds pass first.
        """
        self._ready.wait(timeout)
        if self._ready_line is None:
            self.stop()
            raise StackError(f"{self.name} did not start. The end of {self.log}:\n{self.tail()}")
        return self._ready_line

    def wait_for_http(self, url: str, timeout: float = READY_TIMEOUT) -> None:
        """Wait until ``url`` answers with any status below 500."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.alive:
                break
            try:
                with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own loopback URL
                    answer.read(1)
                    return
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    return
                raise StackError(f"{self.name} answers {error.code}. The end of {self.log}:\n{self.tail()}") from error
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise StackError(f"{self.name} did not answer at {url}. The end of {self.log}:\n{self.tail()}")

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def tail(self, lines: int = 30) -> str:
        try:
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        except OSError:
            return "(no output)"

    def kill(self) -> None:
        """Kill the whole process group at once, as a power cut would."""
        self._signal(signal.SIGKILL)

    def ask_to_stop(self) -> None:
        """Ask the process to stop, without waiting. Only the leader is asked: it stops its own children in the right order."""
        if self.process is not None and self.alive:
            self.process.terminate()

    def stop(self) -> None:
        """Ask the process to stop, and kill what is left of its group after a while."""
        if self.process is None:
            return
        if self.alive:
            self.ask_to_stop()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_TIMEOUT)
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)


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
        application = _package_folder("omeroweb")
        write_web_config(home, self.web_config(), application, environment)
        _collect_static(home, application, environment)
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


# ----------------------------------------------------------------- OMERO.web's configuration


def shipped_config_lines() -> Iterator[tuple[str, Any]]:
    """Yield ``(key, item)`` of every ``config append`` line in the file that ships with the plugin."""
    path = _package_folder("omero_openhcs") / "config" / "omero-openhcs.omero"
    for line in path.read_text(encoding="utf-8").splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        if words[:3] != ["config", "append", "--"] or len(words) != 5:
            raise StackError(f"{path}: cannot read {line!r}")
        yield words[3], json.loads(words[4])


def write_web_config(home: Path, config: Mapping[str, Any], application: Path, environment: Mapping[str, str]) -> None:
    """Write ``config.xml`` under ``home``; list values are appended to OMERO.web's own defaults, as `omero config append` does.

    `omero config` itself refuses to run as root, as containers and CI machines do.
    """
    from omero.config import ConfigXml  # the script must start without OMERO's libraries, to explain what is missing

    appended = {key: value for key, value in config.items() if isinstance(value, list)}
    defaults = _web_defaults(sorted(appended), home, application, environment)
    path = home / "etc" / "grid" / "config.xml"
    path.unlink(missing_ok=True)
    xml = ConfigXml(str(path))
    try:
        for key, value in config.items():
            xml[key] = json.dumps(defaults[key] + value) if isinstance(value, list) else str(value)
    finally:
        xml.close()


def _web_defaults(keys: Sequence[str], home: Path, application: Path, environment: Mapping[str, str]) -> dict[str, list[Any]]:
    """OMERO.web's default values of the list settings ``keys``, remembered per version of OMERO.web."""
    from importlib.metadata import version

    remembered = home / f"defaults-{version('omero-web')}.json"
    if remembered.exists():
        known = json.loads(remembered.read_text(encoding="utf-8"))
        if set(keys) <= set(known):
            return {key: known[key] for key in keys}
    program = (
        "import json, sys; from omeroweb import settings; m = settings.CUSTOM_SETTINGS_MAPPINGS;"
        "print('DEFAULTS ' + json.dumps({k: (m[k][2](m[k][1]) if k in m else []) for k in sys.argv[1:]}))"
    )
    output = _run([sys.executable, "-c", program, *keys], environment, application)
    line = next(line for line in output.splitlines() if line.startswith("DEFAULTS "))
    remembered.write_text(line.removeprefix("DEFAULTS "), encoding="utf-8")
    return json.loads(line.removeprefix("DEFAULTS "))


def _collect_static(home: Path, application: Path, environment: Mapping[str, str]) -> None:
    """Run Django's collectstatic when the plugin's or OMERO.web's files changed since the last time."""
    target = home / "var" / "static"
    stamp = home / "static-stamp"
    state = json.dumps({str(folder): _newest(folder / "static") for folder in (_package_folder("omero_openhcs"), application)})
    if target.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        return
    shutil.rmtree(target, ignore_errors=True)
    _run([sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"], environment, application)
    stamp.write_text(state, encoding="utf-8")


def _newest(folder: Path) -> float:
    return max((path.stat().st_mtime for path in folder.rglob("*")), default=0.0)


def _run(command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> str:
    result = subprocess.run(command, env=dict(environment), cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode != 0:
        raise StackError(f"{shlex.join(command)} failed:\n{result.stdout}\n{result.stderr}")
    return result.stdout


def _package_folder(name: str) -> Path:
    from importlib.util import find_spec

    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise StackError(f"the Python package {name} is not installed")
    return Path(next(iter(spec.submodule_search_locations)))
