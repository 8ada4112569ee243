# SPDX-License-Identifier: AGPL-3.0-or-later
"""A real execution service in a process of its own, a plate with nuclei to run it on, and ways to wait for events."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from omero.gateway import BlitzGateway

from openhcs_client import Event, ExecutionDetail, RemoteOrchestrator
from tests.execution.omero_io.world import key_of, make_image, make_plate

READY_SECONDS = 120.0


@dataclass
class RunningService:
    """``openhcs-execution serve`` on a data folder; ``kill`` is a crash, ``start`` after it is the next start."""

    folder: Path
    omero_port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    url: str = ""
    process: subprocess.Popen[str] | None = None
    log: Path = field(init=False)
    output: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log = self.folder.with_name(f"{self.folder.name}.log")

    @property
    def data(self) -> Path:
        return self.folder

    @property
    def secret(self) -> str:
        return (self.folder / "secret").read_text(encoding="utf-8").strip()

    def start(self) -> RunningService:
        """Start it and wait for its READY line."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENHCS_EXECUTION_")}
        settings = {"DATA_DIR": str(self.folder), "PORT": "0", "OMERO_PORT": str(self.omero_port), "WORKERS": "2"}
        environment |= {f"OPENHCS_EXECUTION_{name}": value for name, value in {**settings, **self.settings}.items()}
        environment |= self.environment
        with self.log.open("a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "openhcs_execution.cli", "serve"],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._listen, args=(self.process, lines), daemon=True).start()
        line = lines.get(timeout=READY_SECONDS)
        assert line.startswith("READY http://127.0.0.1:"), f"{line}\n{self.tail()}"
        self.url = line.split()[1]
        return self

    def _listen(self, process: subprocess.Popen[str], lines: queue.SimpleQueue[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.output.append(line)
            lines.put(line)
        lines.put("")

    def wait_until_workers_are_there(self) -> RunningService:
        """Wait until wells can be computed."""
        import httpx

        wait_for(lambda: httpx.get(f"{self.url}/readyz", timeout=30).status_code == 200, 120, "the workers")
        return self

    def client(self, conn: BlitzGateway) -> RemoteOrchestrator:
        """A client that signs in with a person's OMERO session."""
        return RemoteOrchestrator(base_url=self.url, omero_session=key_of(conn), timeout=60)

    def processes(self) -> list[psutil.Process]:
        """Everything that the service started, as far as it still belongs to it."""
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def workers(self) -> list[psutil.Process]:
        """The Dask worker processes: direct children that have an engine of their own."""
        assert self.process is not None
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if any(is_engine(each) for each in child.children())]

    def engines(self) -> list[psutil.Process]:
        return [process for process in self.processes() if is_engine(process)]

    def stop(self) -> None:
        """Stop it as a process manager does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)

    def kill(self) -> list[psutil.Process]:
        """End it as a crash would, and return what it had started."""
        assert self.process is not None
        orphans = self.processes()
        self.process.kill()
        self.process.wait()
        return orphans

    def tail(self, lines: int = 60) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def is_engine(process: psutil.Process) -> bool:
    try:
        return "openhcs_execution.engine.child" in process.cmdline()
    except psutil.Error:
        return False


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Look until ``condition`` holds; for things outside of us that give no signal."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s for {what}")
        time.sleep(0.05)


def follow(client: RemoteOrchestrator, execution_id: str, seconds: float = 240, since: int = 0) -> Iterator[Event]:
    """Events as they come, until the execution is final and all have been given."""
    deadline = time.monotonic() + seconds
    while True:
        page = client.events(execution_id, since)
        yield from page.events
        since = page.next
        if page.status.is_final and not page.events:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"execution {execution_id} is still {page.status} after {seconds:g} s")
        time.sleep(0.05)


def finish(client: RemoteOrchestrator, execution_id: str, seconds: float = 240) -> ExecutionDetail:
    """Wait for the end of an execution and return it."""
    for _event in follow(client, execution_id, seconds):
        pass
    return client.execution(execution_id)


def nuclei(seed: int, count: int = 6, size: int = 96) -> np.ndarray:
    """A field with ``count`` bright round nuclei that do not touch, uint16."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size]
    pixels = random.normal(400, 20, (size, size))
    places = [(row, column) for row in range(16, size, 32) for column in range(16, size, 32)]
    for row, column in random.permutation(places)[:count]:
        distance = np.hypot(rows - row, columns - column)
        pixels += 8000 / (1 + np.exp((distance - 9) * 1.5))
    return np.clip(pixels, 0, 65535).astype("uint16")


def nuclei_plate(conn: BlitzGateway, rows: int = 2, columns: int = 3, fields: int = 1, size: int = 96) -> int:
    """A plate whose well at (row, column) has ``3 + (row + column) % 5`` nuclei in each field; returns its id."""
    wells = {}
    for row in range(rows):
        for column in range(columns):
            planes = [nuclei(100 * row + 10 * column + number, 3 + (row + column) % 5, size) for number in range(fields)]
            wells[(row, column)] = [
                make_image(conn, f"{row} {column} {number}", [plane]).getId() for number, plane in enumerate(planes)
            ]
    return make_plate(conn, wells, name="Nuclei")


def expected_nuclei(row: int, column: int, fields: int = 1) -> int:
    return fields * (3 + (row + column) % 5)
