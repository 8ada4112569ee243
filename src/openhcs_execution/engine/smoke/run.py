# SPDX-License-Identifier: AGPL-3.0-or-later
"""Try functions in child processes, with a time limit each; results are kept, so that only what changed is tried again."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..adapters.recipes import recipe
from ..candidates import candidates
from ..catalogue import CatalogueEntry, installed_versions
from ..environment import engine_environment

__all__ = ["TIME_LIMIT", "Tried", "key_of", "smoke_test"]

TIME_LIMIT = 240.0
"""Seconds that a function may take for all its wells; some compile themselves for a minute when they are first called."""

_START_LIMIT = 300.0
_SOURCES = (
    "adapters/calls.py",
    "adapters/kinds.py",
    "adapters/planes.py",
    "adapters/recipes/rows.py",
    "functions/adapted.py",
    "naming.py",
    "smoke/checks.py",
    "smoke/trial.py",
    "smoke/wells.py",
)
Tried = dict[str, Any]
"""``{"passed": …}`` or ``{"failed": reason}``."""


def smoke_test(
    entries: Sequence[CatalogueEntry],
    chosen: Sequence[CatalogueEntry],
    home: Path,
    *,
    jobs: int = 1,
    cache: Path | None = None,
    time_limit: float = TIME_LIMIT,
    on_result: Callable[[CatalogueEntry, Tried], None] = lambda entry, tried: None,
) -> dict[str, Tried]:
    """Try ``chosen`` and return what was found by id. ``entries`` is everything, because functions need others before them."""
    results: dict[str, Tried] = {}
    waiting: queue.SimpleQueue[CatalogueEntry] = queue.SimpleQueue()
    for entry in chosen:
        known = _known(cache, entry)
        if known is None:
            waiting.put(entry)
        else:
            results[entry.info.id] = known

    def work() -> None:
        with _Child(entries, home) as child:
            while True:
                try:
                    entry = waiting.get_nowait()
                except queue.Empty:
                    return
                tried = child.attempt(entry.info.id, time_limit)
                results[entry.info.id] = tried
                _keep(cache, entry, tried)
                on_result(entry, tried)

    with ThreadPoolExecutor(jobs) as pool:
        for future in [pool.submit(work) for _ in range(jobs if not waiting.empty() else 0)]:
            future.result()
    return results


def key_of(entry: CatalogueEntry) -> str:
    """What a result depends on: the entry, the candidate, the code that calls and judges it, and the versions, as one hash."""
    unimportant = {"help", "title", "category", "cost", "offered", "reason"}
    parts = [repr(entry.info.model_dump(exclude=unimportant)), entry.kind, repr(entry.grouping)]
    candidate = candidates().get(entry.info.id)
    if candidate is not None:
        parts.append(repr(replace(candidate, title="", help="", category="")))
        parts.append(Path(inspect.getfile(recipe(candidate.recipe))).read_text(encoding="utf-8") if candidate.recipe else "")
    parts += [repr(installed_versions()), *(_source(path) for path in _SOURCES), _source_of_own(entry.info.import_path or "")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


@lru_cache
def _source(path: str) -> str:
    return (Path(__file__).parent.parent / path).read_text(encoding="utf-8")


def _source_of_own(import_path: str) -> str:
    """The module of a function of our own; those of others are told apart by their versions."""
    beginning = "openhcs_execution.engine."
    module = import_path.rpartition(".")[0]
    return _source(module.removeprefix(beginning).replace(".", "/") + ".py") if module.startswith(beginning) else ""


def _known(cache: Path | None, entry: CatalogueEntry) -> Tried | None:
    if cache is None:
        return None
    path = cache / f"{key_of(entry)}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _keep(cache: Path | None, entry: CatalogueEntry, tried: Tried) -> None:
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
        (cache / f"{key_of(entry)}.json").write_text(json.dumps(tried), encoding="utf-8")


class _Child:
    """A child process that tries functions; started again when it had to be killed."""

    def __init__(self, entries: Sequence[CatalogueEntry], home: Path) -> None:
        self._entries = [entry.to_json() for entry in entries]
        self._home = home
        self._process: subprocess.Popen[str] | None = None
        self._said: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()

    def attempt(self, function_id: str, time_limit: float) -> Tried:
        """Try one function; one that hangs or ends the process fails with that reason."""
        self._start()
        self._send({"try": function_id})
        deadline, doing = time.monotonic() + time_limit, "the first well"
        while True:
            try:
                message = self._said.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                self._kill()
                return {"failed": f"It does not finish {doing} within {time_limit:g} seconds."}
            if message is None:
                self._kill()
                return {"failed": f"It ends the process on {doing}."}
            if "doing" in message:
                doing = message["doing"]
                continue
            return message

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self._home.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "openhcs_execution.engine.smoke.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=engine_environment(self._home),
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self._said = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(self._process, self._said), daemon=True).start()
        self._send({"entries": self._entries})
        try:
            answer = self._said.get(timeout=_START_LIMIT)
        except queue.Empty:
            answer = None
        if answer is None:
            self._kill()
            raise RuntimeError("the process that tries functions did not start")

    def _send(self, request: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _listen(process: subprocess.Popen[str], said: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in process.stdout or ():
            said.put(json.loads(line))
    said.put(None)
