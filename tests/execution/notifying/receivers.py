# SPDX-License-Identifier: AGPL-3.0-or-later
"""Receivers on this machine: a mail server that speaks enough SMTP for ``smtplib``, and a web server that takes webhooks."""

from __future__ import annotations

import queue
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class MailServer:
    """Keeps what it gets. ``refuse`` is answered to the receiver, while there is an entry."""

    mails: queue.Queue[EmailMessage] = field(default_factory=queue.Queue)
    receivers: list[str] = field(default_factory=list)
    refuse: list[str] = field(default_factory=list)
    port: int = 0


@contextmanager
def mail_server() -> Iterator[MailServer]:
    state = MailServer()

    class Session(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 here")
            while line := self.rfile.readline().decode().strip():
                verb = line[:4].upper()
                if verb == "RCPT" and state.refuse:
                    self.say(state.refuse.pop(0))
                elif verb == "RCPT":
                    state.receivers.append(line.partition(":")[2].strip(" <>"))
                    self.say("250 ok")
                elif verb == "DATA":
                    self.say("354 go on")
                    lines = []
                    while (text := self.rfile.readline()) != b".\r\n":
                        lines.append(text[1:] if text.startswith(b"..") else text)
                    message: Any = message_from_bytes(b"".join(lines), policy=policy.default)
                    state.mails.put(message)
                    self.say("250 taken")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        server.daemon_threads = True
        state.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield state
        finally:
            server.shutdown()


@dataclass
class Call:
    headers: dict[str, str]
    body: bytes


@dataclass
class WebhookServer:
    """Keeps what it gets; answers with the next of ``answers``, and with 204 when there is none."""

    calls: queue.Queue[Call] = field(default_factory=queue.Queue)
    answers: list[int] = field(default_factory=list)
    url: str = ""


@contextmanager
def webhook_server() -> Iterator[WebhookServer]:
    state = WebhookServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = state.answers.pop(0) if state.answers else 204
            self.send_response(status)
            if status == 302:
                self.send_header("Location", state.url + "elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
            state.calls.put(Call({name.lower(): value for name, value in self.headers.items()}, body))

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}/hook/"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield state
        finally:
            server.shutdown()
