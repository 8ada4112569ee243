# SPDX-License-Identifier: AGPL-3.0-or-later
"""Serve the demo on loopback until Ctrl-C or SIGTERM: OMERO.web with the plugin, the service and the embedded OMERO.

`make demo` runs it. When the page answers it prints one line for people and programs::

    READY <url> user=<name> password=<password>
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from pathlib import Path

from stack import Stack, StackError, StackOptions


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=4080, help="port of OMERO.web (0: any free one)")
    parser.add_argument("--folder", type=Path, default=Path("demo-data"), help="where the demo keeps its data")
    parser.add_argument("--prefix", default="", help="URL prefix, for example /omero")
    options = parser.parse_args()

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    def report(line: str) -> None:
        print(f"-- {line}", flush=True)
        if stop.is_set():
            raise KeyboardInterrupt

    stack = Stack(StackOptions(folder=options.folder, web_port=options.port, prefix=options.prefix, report=report))
    try:
        stack.start()
        user = next(iter(stack.users().values()))
        print(f"READY {stack.web_url}/openhcs/ user={user.name} password={user.password}", flush=True)
        while not stop.is_set():
            ended = [server.name for server in (stack.omero, stack.service, stack.web) if server and not server.alive]
            if ended:
                raise StackError(f"{', '.join(ended)} stopped unexpectedly; see {options.folder / 'logs'}")
            stop.wait(1)
    except KeyboardInterrupt:
        pass
    except StackError as error:
        print(f"The demo stopped: {error}", file=sys.stderr)
        return 1
    finally:
        started = time.monotonic()
        stack.stop()
        if stop.is_set():
            print(f"-- stopped everything in {time.monotonic() - started:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
