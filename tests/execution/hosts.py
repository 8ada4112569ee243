# SPDX-License-Identifier: AGPL-3.0-or-later
"""Worker hosts and Dask schedulers as processes of their own, with certificates and scratch folders of their own."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from openhcs_execution.certificates import make_certificates


@dataclass
class Program:
    """One of our programs, running; each line of its standard output can be waited for."""

    process: subprocess.Popen[str]
    log: Path
    lines: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def ready(self, seconds: float = 120) -> str:
        """Wait for its line READY and return what that says."""
        line = self.lines.get(timeout=seconds)
        assert line.startswith("READY "), f"{line}\n{self.log.read_text(encoding='utf-8')[-4000:]}"
        return line.split(maxsplit=1)[1].strip()

    def kill(self) -> None:
        """End it and everything that it started, as a host that loses its power."""
        family = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        for each in family:
            try:
                each.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(family, timeout=30)
        self.process.wait(30)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.kill()


class Hosts:
    """Schedulers and worker hosts of one authority; :meth:`close` ends all of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificates = folder / "tls"
        make_certificates(self.certificates, ["service", "host"], 1)
        self._started: list[Program] = []

    def settings(self) -> dict[str, str]:
        """What the service needs to speak with them."""
        return {
            "TLS_CA_FILE": str(self.certificates / "ca.pem"),
            "TLS_CERT_FILE": str(self.certificates / "service.pem"),
            "TLS_KEY_FILE": str(self.certificates / "service.key"),
        }

    def scheduler(self, port: int = 0) -> tuple[Program, str]:
        program = self._start("scheduler", ["scheduler", "--port", str(port)])
        return program, program.ready()

    def worker(self, name: str, scheduler: str, *options: str, slots: int = 1) -> Program:
        scratch = self.folder / name
        return self._start(
            name,
            ["worker", "--scheduler", scheduler, "--scratch", str(scratch), "--name", name, "--slots", str(slots), *options],
        )

    def _start(self, name: str, command: list[str]) -> Program:
        tls = [
            "--tls-ca-file",
            str(self.certificates / "ca.pem"),
            "--tls-cert-file",
            str(self.certificates / "host.pem"),
            "--tls-key-file",
            str(self.certificates / "host.key"),
        ]
        log = self.folder / f"{name}.log"
        with log.open("a", encoding="utf-8") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "openhcs_execution.cli", *command, *tls],
                env={name: value for name, value in os.environ.items() if not name.startswith("OPENHCS_")},
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )
        program = Program(process, log)
        self._started.append(program)
        return program

    def close(self) -> None:
        for program in reversed(self._started):
            program.stop()
