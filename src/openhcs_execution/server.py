# SPDX-License-Identifier: AGPL-3.0-or-later
"""Serve the API with uvicorn and say when it answers."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from types import FrameType
from typing import TextIO

import uvicorn

from openhcs_execution.api import create_app
from openhcs_execution.logging import configure_logging, get_logger
from openhcs_execution.service import Service
from openhcs_execution.settings import Settings

__all__ = ["run", "settle_garbage_collection"]

log = get_logger(__name__)


class _AnnouncingServer(uvicorn.Server):
    """Prints one line when requests are answered."""

    def __init__(self, config: uvicorn.Config, stream: TextIO, address: str) -> None:
        super().__init__(config)
        self._stream = stream
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            settle_garbage_collection()
            print(f"READY http://{self._address}", file=self._stream, flush=True)


def settle_garbage_collection() -> None:
    """Take what is there now, some 400,000 objects of libraries, out of what is looked at again and again.

    Each full look at them would stop all threads for some 200 ms.
    """
    gc.collect()
    gc.freeze()


def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; then stop the workers and their children.

    Raises:
        OSError: when the address cannot be listened on.
    """
    # Standard output says READY and nothing else, whatever a library or a worker process may print.
    announce = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # Threads that save results share the interpreter with the event loop; it gets its turn after 1 ms instead of 5.
    sys.setswitchinterval(0.001)
    configure_logging(settings.log_level, settings.log_format)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)  # uvicorn raises the signal again when it has shut down
    # With the protocol named, asyncio switches Nagle off; otherwise the body of each answer waits 40 ms for an ACK.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        service = Service(settings)
        try:
            service.start()
            host = f"[{settings.host}]" if family == socket.AF_INET6 else settings.host
            config = uvicorn.Config(
                create_app(service),
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=5,
                limit_concurrency=500 + settings.live_connections,
                ws="websockets-sansio",
                ws_max_size=1024,  # pages only listen
                ws_ping_interval=20.0,
                ws_ping_timeout=20.0,
            )
            _AnnouncingServer(config, announce, f"{host}:{listener.getsockname()[1]}").run(sockets=[listener])
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            service.stop()
            log.info("stopped")


def _exit(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
