# SPDX-License-Identifier: AGPL-3.0-or-later
"""Receivers on this machine: a mail server that speaks enough SMTP for ``smtplib``, and a web server that takes webhooks."""

from __future__ import annotations

import base64
import queue
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal


@dataclass
class MailServer:
    """Keeps what it gets, and every line as it crossed the wire before TLS.

    ``refuse`` is answered to the receiver, while there is an entry. ``logins`` are what ``AUTH PLAIN`` brought, all over TLS.
    """

    mails: queue.Queue[EmailMessage] = field(default_factory=queue.Queue)
    receivers: list[str] = field(default_factory=list)
    refuse: list[str] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    in_the_clear: list[str] = field(default_factory=list)
    port: int = 0


@contextmanager
def mail_server(tls: Literal["none", "starttls", "tls"] = "none", certificate: Path | None = None) -> Iterator[MailServer]:
    """A mail server on loopback. ``certificate`` is a PEM file with its key beside it, as ``make_certificates`` writes them."""
    state = MailServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate is not None:
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))

    class Session(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        secure = False

        def begin_tls(self) -> bool:
            """False when the other side does not like our certificate."""
            try:
                self.request = context.wrap_socket(self.request, server_side=True)
            except (OSError, ssl.SSLError):
                return False
            self.setup()
            self.secure = True
            return True

        def handle(self) -> None:
            if tls == "tls" and not self.begin_tls():
                return
            self.say("220 here")
            while line := self.rfile.readline().decode().strip():
                verb = line[:4].upper()
                if not self.secure:
                    state.in_the_clear.append(line)
                if verb == "EHLO":
                    can = ["AUTH PLAIN"] if self.secure else ["STARTTLS"] if tls == "starttls" else ["8BITMIME"]
                    for one in ["localhost", *can[:-1]]:
                        self.say(f"250-{one}")
                    self.say(f"250 {can[-1]}")
                elif verb == "STAR":
                    self.say("220 begin")
                    if not self.begin_tls():
                        return
                elif verb == "AUTH":
                    _nobody, user, password = base64.b64decode(line.split()[-1]).decode().split("\0")
                    state.logins.append((user, password))
                    self.say("235 welcome")
                elif verb == "RCPT" and state.refuse:
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
