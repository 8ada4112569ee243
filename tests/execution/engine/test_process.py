# SPDX-License-Identifier: AGPL-3.0-or-later
"""The child process: limits, killing, losing either side; nothing may be left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from openhcs_client import FailureClass
from openhcs_execution.engine import EngineJob, EngineLost, EngineProcess
from openhcs_execution.engine.environment import engine_environment
from openhcs_execution.engine.warm import warm

from .conftest import document, noisy, step

pytestmark = pytest.mark.engine

MakeJob = Callable[..., EngineJob]
LONG = document(*(step("omero_openhcs:measure_field_intensity", name=f"n{number}") for number in range(60)))
"""Takes far longer than any of these tests wait."""


@pytest.fixture
def engine(engine_home: Path) -> Iterator[EngineProcess]:
    with EngineProcess(engine_home) as running:
        yield running


def long_job(make_job: MakeJob) -> EngineJob:
    return make_job(LONG, {(field, 1, 1): noisy(np.zeros((1024, 1024))) for field in (1, 2, 3)})


def test_kill_in_the_middle(engine: EngineProcess, make_job: MakeJob) -> None:
    pid = engine.pid
    assert pid is not None
    started = threading.Event()
    lost: list[BaseException] = []

    def compute() -> None:
        try:
            engine.run(long_job(make_job), lambda progress: started.set())
        except EngineLost as error:
            lost.append(error)

    thread = threading.Thread(target=compute)
    thread.start()
    assert started.wait(120)
    engine.kill()
    thread.join(10)
    assert len(lost) == 1
    assert "signal 9" in str(lost[0])
    assert not engine.alive
    assert not psutil.pid_exists(pid)
    # The next job starts another child.
    assert (
        engine.run(
            make_job(document(step("omero_openhcs:segment_nuclei")), {(1, 1, 1): noisy(np.zeros((32, 32)))}), print
        ).failure
        is None
    )
    assert engine.pid != pid


REHEARSAL_FAILS = """
from openhcs_client import FailureClass
from openhcs_execution.engine import EngineResult, child, compute
from openhcs_execution.engine.failures import well_failure
failure = well_failure(FailureClass.ENGINE_ERROR, "There is no discs filter.")
compute.rehearse = lambda: EngineResult(well="A01", seconds=0.0, failure=failure)
child.main()
"""


def test_a_child_whose_rehearsal_fails_does_not_start(engine_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda _, **rest: real([sys.executable, "-c", REHEARSAL_FAILS], **rest))
    engine = EngineProcess(engine_home)
    try:
        with pytest.raises(EngineLost) as lost:
            engine.start()
        assert not engine.alive
    finally:
        engine.close()
    assert "ended with code 1" in str(lost.value)
    assert "There is no discs filter." in lost.value.log


def test_the_child_is_killed_by_somebody_else(engine: EngineProcess, make_job: MakeJob) -> None:
    def kill(progress: object) -> None:
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)

    with pytest.raises(EngineLost):
        engine.run(long_job(make_job), kill)


def test_time_limit(engine: EngineProcess, make_job: MakeJob) -> None:
    pid = engine.pid
    result = engine.run(long_job(make_job), lambda progress: None, time_limit=1.0)
    assert result.failure is not None
    assert result.failure.cause == FailureClass.TIME_LIMIT
    assert "within 1 seconds" in result.failure.message
    assert pid is not None
    assert not psutil.pid_exists(pid)


def test_memory_limit(engine_home: Path, make_job: MakeJob) -> None:
    with EngineProcess(engine_home, memory_limit_mb=50) as small:  # less than importing OpenHCS takes
        result = small.run(long_job(make_job), lambda progress: None)
        assert result.failure is not None
        assert result.failure.cause == FailureClass.OUT_OF_MEMORY
        assert "50 MB" in result.failure.message
        assert not small.alive


def test_close_ends_the_child_and_may_be_repeated(engine: EngineProcess) -> None:
    pid = engine.pid
    assert pid is not None
    engine.close()
    assert not psutil.pid_exists(pid)
    engine.close()
    engine.kill()
    assert engine.pid is None


@pytest.mark.parametrize("busy", [False, True])
def test_when_the_parent_dies_the_child_goes(engine_home: Path, make_job: MakeJob, busy: bool) -> None:
    """``kill -9`` of a worker, idle or in the middle of a well, leaves no process behind."""
    program = (
        "import sys; from pathlib import Path\n"
        "from openhcs_execution.engine import EngineJob, EngineProcess\n"
        "engine = EngineProcess(Path(sys.argv[1])); engine.start()\n"
        "say = lambda *_: print(engine.pid, flush=True)\n"
        "engine.run(EngineJob.model_validate_json(sys.argv[2]), say) if sys.argv[3] == 'True' else say()\n"
        "sys.stdin.read()"
    )
    job = long_job(make_job).model_dump_json()
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(engine_home), job, str(busy)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    assert child.is_running()
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs([child], timeout=20)
    assert alive == [], "the engine outlived its worker"


def test_the_child_gets_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENHCS_EXECUTION_SECRET_FILE", "/somewhere/secret")
    monkeypatch.setenv("OMERO_PASSWORD", "secret")
    environment = engine_environment(Path("/home/engine"))
    assert not any("secret" in value.lower() for value in environment.values())
    assert environment["HOME"] == "/home/engine"
    assert environment["OMP_NUM_THREADS"] == "1"


def test_the_child_has_a_process_group_of_its_own(engine: EngineProcess) -> None:
    assert engine.pid is not None
    assert os.getpgid(engine.pid) == engine.pid != os.getpgid(0)


def test_prints_of_libraries_do_not_break_the_conversation(engine_home: Path) -> None:
    """Standard output belongs to the messages; what anybody else writes there goes to the log."""
    program = (
        "from openhcs_execution.engine import child\n"
        "import os, subprocess\n"
        "requests, answers = child._take_pipes()\n"
        "print('a library prints', flush=True); os.write(1, b'so does C\\n'); subprocess.run(['echo', 'and a program'])\n"
        "answers.write('message\\n'); answers.flush()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=engine_environment(engine_home),
        input="",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "message\n"
    assert "a library prints" in done.stderr
    assert "so does C" in done.stderr
    assert "and a program" in done.stderr


def test_a_child_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "openhcs.py").write_text("raise ImportError('no OpenHCS here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(EngineLost) as caught:
        EngineProcess(tmp_path / "home").start()
    assert "no OpenHCS here" in caught.value.log


def test_warming_fills_the_caches(tmp_path: Path) -> None:
    assert warm(tmp_path / "home")["openhcs"] == "0.8.6"
    assert (tmp_path / "home" / ".cache").is_dir()


def test_a_failure_to_start_leaves_no_child(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"file"):
        EngineProcess(tmp_path / "file").start()
