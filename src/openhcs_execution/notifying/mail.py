# SPDX-License-Identifier: AGPL-3.0-or-later
"""Deliver a message by SMTP."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path
from typing import Literal

from .delivery import DeliveryError
from .message import mail_subject, mail_text
from .outbox import Letter

__all__ = ["Mailer"]

_TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True)
class Mailer:
    """One connection per message; runs end seldom. ``tls``: from the start, after STARTTLS, or none (loopback)."""

    host: str
    port: int
    tls: Literal["none", "starttls", "tls"]
    sender: str
    user: str = ""
    password_file: Path | None = None

    def deliver(self, letter: Letter) -> None:
        """Hand the message over.

        Raises:
            DeliveryError: ``final`` when the server says that this receiver or message will never do.
        """
        message = self._message(letter)
        try:
            with self._connect() as server:
                if self.user and self.password_file is not None:
                    server.login(self.user, self.password_file.read_text(encoding="utf-8").strip())
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _text in error.recipients.values()]
            final = all(code >= 500 for code in codes)
            raise DeliveryError(f"the mail server refused the receiver ({codes[0]})", final=final) from error
        except smtplib.SMTPResponseException as error:
            raise DeliveryError(f"the mail server answered {error.smtp_code}") from error
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryError(f"the mail server cannot be used: {type(error).__name__}") from error

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.tls == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=_TIMEOUT_SECONDS, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_SECONDS)
        if self.tls == "starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self.sender, letter.receiver
        message["Subject"] = mail_subject(letter.payload)
        message["Date"] = formatdate()
        # The same for every attempt, so that a mail that was sent twice can be told to be one.
        message["Message-ID"] = f"<{letter.notification_id}@{self.sender.rpartition('@')[2].rstrip('>') or 'openhcs'}>"
        message["Auto-Submitted"] = "auto-generated"
        message["X-OpenHCS-Execution"] = letter.payload["execution_id"]
        message.set_content(mail_text(letter.payload))
        return message
