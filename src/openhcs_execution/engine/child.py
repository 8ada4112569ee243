# SPDX-License-Identifier: AGPL-3.0-or-later
"""The engine's child process: imports OpenHCS once, then answers one request after the other.

It speaks JSON, one message per line, over the pipes that it was started with. Libraries print to standard output as they
like, so the real one is put aside before anything heavy is imported, and prints go where errors go. When the other end of
the pipe closes, whoever started this process is gone: it leaves at once, even in the middle of a computation.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .jobs import EngineLine
    from .memory import StepMemory

__all__ = ["main"]

Send = Callable[[dict[str, Any]], None]

_NICENESS = 10
_FORGET_AFTER = 900.0
"""Seconds after the last test of a well when what its steps made is forgotten: nobody tries values any more."""
_LOOK_EVERY = 60.0


def main() -> None:
    """Serve requests until the parent closes the pipe."""
    requests, answers = _take_pipes()
    # Pages must answer while every core computes; on an idle machine this changes nothing.
    os.nice(_NICENESS)
    inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    from .memory import StepMemory

    memory = StepMemory(int(sys.argv[1]) * 2**20 if len(sys.argv) > 1 else 0)
    threading.Thread(target=_read, args=(requests, inbox, memory), daemon=True, name="lifeline").start()
    lock = threading.Lock()

    def send(message: dict[str, Any]) -> None:
        with lock:
            answers.write(json.dumps(message) + "\n")
            answers.flush()

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    for handler in logging.getLogger().handlers:
        handler.setLevel(logging.WARNING)  # what wells log in addition goes to their own logs only
    from .compute import rehearse, versions  # the slow import, after the pipes are safe

    logging.getLogger().setLevel(logging.WARNING)  # OpenHCS turns it down to INFO while it is imported
    failure = rehearse().failure
    if failure is not None:
        # Every well would fail in the same way; the parent passes on the end of this log.
        logging.error("%s\nThe rehearsal of the engine failed: %s", failure.traceback, failure.message)
        raise SystemExit(1)
    gc.collect()
    gc.freeze()  # some hundred thousand objects of the libraries, which need not be looked at again and again
    send({"kind": "ready", "versions": dict(versions())})
    while True:
        with contextlib.suppress(queue.Empty):
            _answer(inbox.get(timeout=_LOOK_EVERY), send, memory)
        memory.clear_when_unused(_FORGET_AFTER)


def _take_pipes() -> tuple[IO[str], IO[str]]:
    """Keep the pipes for ourselves; leave nothing on standard input, and standard error on standard output."""
    requests, answers = os.fdopen(os.dup(0), "r", encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


def _read(requests: IO[str], inbox: queue.SimpleQueue[dict[str, Any]], memory: StepMemory) -> None:
    """Fill ``inbox``, and stop what is to be stopped at once; the end of the pipe is the end of the process."""
    try:
        for line in requests:
            request = json.loads(line)
            if request["operation"] == "stop":
                memory.stop(request["execution_id"])
            else:
                inbox.put(request)
    finally:
        os._exit(0)


def _answer(request: dict[str, Any], send: Send, memory: StepMemory) -> None:
    """Do what one request asks, and answer it with a result or an error."""
    from openhcs_client import OpenHCSError, PipelineDocument

    from . import compute, trial
    from .jobs import EngineJob, EngineProgress, TrialKind
    from .well_log import well_log

    try:
        match request["operation"]:
            case "run":
                with well_log(lambda lines: send(_lines(lines))) as hand_on:

                    def tell(progress: EngineProgress) -> None:
                        hand_on()
                        send({"kind": "progress", "progress": progress.model_dump(mode="json")})

                    result = compute.compute(EngineJob.model_validate(request["job"]), tell, memory)
                answer: Any = result.model_dump(mode="json")
            case "try":
                kinds = [TrialKind.model_validate(kind) for kind in request["kinds"]]
                document = PipelineDocument.model_validate(request["document"])
                answer = trial.try_document(document, request["channels"], kinds).model_dump(mode="json")
            case unknown:
                raise OpenHCSError("bad_request", f"The engine cannot {unknown!r}.")
    except Exception as error:
        # The parent raises it again on its side; a bad request must not cost a warm process.
        code = error.code if isinstance(error, OpenHCSError) else "engine_error"
        send({"kind": "error", "code": code, "message": str(error), "traceback": traceback.format_exc()})
        return
    send({"kind": "result", "result": answer})


def _lines(lines: Sequence[EngineLine]) -> dict[str, Any]:
    return {"kind": "lines", "lines": [line.model_dump(mode="json") for line in lines]}


if __name__ == "__main__":
    main()
