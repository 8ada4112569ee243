# SPDX-License-Identifier: AGPL-3.0-or-later
"""The loop that tells of ended runs. It works on the outbox only, so it may be killed at any moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from openhcs_execution.background import BackgroundLoop
from openhcs_execution.database import Database, Told
from openhcs_execution.logging import get_logger
from openhcs_execution.secrets import load_secret
from openhcs_execution.settings import Settings

from .delivery import DeliveryError
from .mail import Mailer
from .outbox import Letter, due_letters, note_delivered, note_failed, seconds_until_next, write_letters
from .webhook import deliver_webhook

__all__ = ["Notifier"]

log = get_logger(__name__)

_LONGEST_REST = 60.0


class Notifier:
    """One thread; messages are delivered one after the other."""

    def __init__(self, database: Database, settings: Settings, note: Callable[[str, str], None] = lambda _c, _o: None) -> None:
        """``note`` is told the channel and what became of each attempt: ``delivered``, ``failed`` or ``given_up``.

        Raises:
            SecretError: when webhooks are set and the file of their secret can be read by everybody, or is too short.
        """
        self._database, self._settings, self._note = database, settings, note
        self._webhook_secret = load_secret(settings.webhook_secret_path) if settings.webhook_urls else ""
        self._mailer = _mailer(settings)
        self._loop = BackgroundLoop("notifier", self._turn, trouble="notifying_failed")

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop(25)

    def told(self, events: Sequence[Told]) -> None:
        """A listener of the database: when a run has ended there is something to send."""
        if any(event.kind == "finished" for _execution, event in events):
            self._loop.wake()

    def _turn(self) -> float:
        self.send_what_is_due()
        return seconds_until_next(self._database, _LONGEST_REST)

    def send_what_is_due(self) -> None:
        """Write messages for runs that have ended, and try those whose time has come."""
        settings = self._settings
        write_letters(self._database, settings.webhook_urls, mail=self._mailer is not None, web_url=settings.web_url or "")
        for letter in due_letters(self._database):
            if self._loop.stopping:
                return
            self._send(letter)

    def _send(self, letter: Letter) -> None:
        try:
            self._deliver(letter)
        except DeliveryError as error:
            given_up = note_failed(self._database, letter, error.reason, final=error.final)
            self._note(letter.channel, "given_up" if given_up else "failed")
            log.warning(
                "notification_given_up" if given_up else "notification_failed",
                channel=letter.channel,
                notification_id=letter.notification_id,
                execution_id=letter.payload["execution_id"],
                reason=error.reason,
            )
        else:
            note_delivered(self._database, letter)
            self._note(letter.channel, "delivered")

    def _deliver(self, letter: Letter) -> None:
        if letter.channel == "webhook":
            # One that was taken out of the settings is not called any more.
            if letter.receiver not in self._settings.webhook_urls:
                raise DeliveryError("the webhook is not in the settings any more", final=True)
            deliver_webhook(letter, self._webhook_secret)
        elif self._mailer is None:
            raise DeliveryError("mail is not set up any more", final=True)
        else:
            self._mailer.deliver(letter)


def _mailer(settings: Settings) -> Mailer | None:
    if not settings.smtp_host or not settings.mail_from:
        return None
    return Mailer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        tls=settings.smtp_tls,
        sender=settings.mail_from,
        user=settings.smtp_user or "",
        password_file=settings.smtp_password_file,
    )
