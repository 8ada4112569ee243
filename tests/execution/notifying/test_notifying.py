# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mails and webhooks at the end of a run: sent over real sockets, kept over a crash, tried again with a bound, signed."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import select, update

from openhcs_execution.database import Database, ExecutionRow, NotificationRow
from openhcs_execution.notifying import Notifier, outbox
from openhcs_execution.notifying.message import mail_subject
from openhcs_execution.queue import executions, wells
from openhcs_execution.queue.events import now
from openhcs_execution.secrets import SecretError
from openhcs_execution.settings import Settings
from tests.execution.queued import claim_all, computed, enqueue, execution, open_database

from .receivers import MailServer, WebhookServer, mail_server, webhook_server


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def hooks() -> Iterator[WebhookServer]:
    with webhook_server() as server:
        yield server


@pytest.fixture
def notifier(tmp_path: Path, database: Database, mails: MailServer, hooks: WebhookServer) -> Callable[..., Notifier]:
    """A notifier with a mail server and a webhook; a second one is the service after its next start."""

    def make(**changes: object) -> Notifier:
        values = {
            "data_dir": tmp_path,
            "smtp_host": "127.0.0.1",
            "smtp_port": mails.port,
            "smtp_tls": "none",
            "mail_from": "OpenHCS <openhcs@example.org>",
            "webhook_urls": (hooks.url,),
            "web_url": "https://omero.example.org/omero",
        }
        return Notifier(database, Settings(**{**values, **changes}))

    return make


def run_to_the_end(database: Database, **more: object) -> int:
    number = enqueue(database, 2, **more)
    for well in claim_all(database):
        wells.commit_well(database, well, computed())
    executions.finish(database, number)
    assert execution(database, number).status == "completed"
    return number


def rows(database: Database) -> list[NotificationRow]:
    with database.read() as session:
        return list(session.scalars(select(NotificationRow).order_by(NotificationRow.id)))


def let_pauses_end(database: Database) -> None:
    with database.write() as session:
        session.execute(update(NotificationRow).values(not_before=now() - timedelta(seconds=1)))


def test_the_owner_gets_a_mail_and_the_address_is_forgotten(
    database: Database, notifier: Callable[..., Notifier], mails: MailServer
) -> None:
    number = run_to_the_end(database, mail_to="ada@example.org")
    notifier().send_what_is_due()
    mail = mails.mails.get(timeout=10)
    assert mails.receivers == [mail["To"]] == ["ada@example.org"]
    assert mail["From"] == "OpenHCS <openhcs@example.org>"
    assert mail["Subject"] == "OpenHCS: Count on Plate is complete"
    assert mail.get_content_type() == "text/plain"
    text = mail.get_content()
    assert "Wells done: 2 of 2" in text
    assert f"https://omero.example.org/omero/openhcs/results/{execution(database, number).execution_id}/" in text
    assert mail["Message-ID"].endswith("@example.org>")
    assert execution(database, number).mail_to == ""
    assert "ada@" not in json.dumps([[row.receiver, row.payload] for row in rows(database)])


def test_without_a_wish_there_is_no_mail_and_a_test_of_a_well_tells_nobody(
    database: Database, notifier: Callable[..., Notifier], mails: MailServer, hooks: WebhookServer
) -> None:
    run_to_the_end(database)
    test = enqueue(database, 1, test_well=True, mail_to="ada@example.org")
    executions.cancel(database, test)
    notifier().send_what_is_due()
    assert hooks.calls.get(timeout=10)
    assert hooks.calls.empty()
    assert mails.mails.empty()


def test_a_webhook_is_signed_and_has_an_id(
    tmp_path: Path, database: Database, notifier: Callable[..., Notifier], hooks: WebhookServer
) -> None:
    number = run_to_the_end(database)
    notifier().send_what_is_due()
    call = hooks.calls.get(timeout=10)
    secret = (tmp_path / "webhook-secret").read_text(encoding="utf-8").strip()
    assert (tmp_path / "webhook-secret").stat().st_mode & 0o077 == 0
    signed = call.headers["x-openhcs-timestamp"].encode() + b"." + call.body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert call.headers["x-openhcs-signature"] == f"sha256={expected}"
    told = json.loads(call.body)
    assert told["id"] == call.headers["x-openhcs-delivery"]
    assert (told["event"], told["status"], told["wells_completed"]) == ("execution_ended", "completed", 2)
    assert told["execution_id"] == execution(database, number).execution_id
    assert [row.state for row in rows(database)] == ["delivered"]


def test_a_receiver_that_is_away_is_tried_again_and_given_up_at_last(
    database: Database, notifier: Callable[..., Notifier], hooks: WebhookServer
) -> None:
    run_to_the_end(database)
    hooks.answers += [500, 302]
    sender = notifier()
    sender.send_what_is_due()
    (row,) = rows(database)
    assert (row.state, row.tries, row.last_error) == ("waiting", 1, "the receiver answered 500")
    first_pause = (row.not_before - now()).total_seconds()
    assert 5 < first_pause <= 10
    sender.send_what_is_due()  # its time has not come
    assert rows(database)[0].tries == 1
    let_pauses_end(database)
    sender.send_what_is_due()  # a redirection is not followed
    (row,) = rows(database)
    assert (row.tries, row.last_error) == (2, "the receiver answered 302")
    assert first_pause < (row.not_before - now()).total_seconds() <= 20
    let_pauses_end(database)
    sender.send_what_is_due()
    ids = [hooks.calls.get(timeout=10).headers["x-openhcs-delivery"] for _ in range(3)]
    assert len(set(ids)) == 1
    assert hooks.calls.empty()
    assert rows(database)[0].state == "delivered"


def test_trying_ends(database: Database, notifier: Callable[..., Notifier]) -> None:
    run_to_the_end(database)
    noted = []
    sender = notifier(smtp_host=None, webhook_urls=("http://127.0.0.1:1/",))
    sender._note = lambda channel, outcome: noted.append((channel, outcome))
    for _ in range(outbox.MAXIMUM_TRIES + 3):
        let_pauses_end(database)
        sender.send_what_is_due()
    (row,) = rows(database)
    assert (row.state, row.tries) == ("given_up", outbox.MAXIMUM_TRIES)
    assert noted == [("webhook", "failed")] * (outbox.MAXIMUM_TRIES - 1) + [("webhook", "given_up")]


def test_a_refused_address_is_given_up_and_one_put_off_is_not(
    database: Database, notifier: Callable[..., Notifier], mails: MailServer
) -> None:
    run_to_the_end(database, mail_to="nobody@example.org")
    mails.refuse += ["450 later", "550 no such user"]
    sender = notifier(webhook_urls=())
    sender.send_what_is_due()
    assert [(row.state, row.tries) for row in rows(database)] == [("waiting", 1)]
    let_pauses_end(database)
    sender.send_what_is_due()
    assert [(row.state, row.receiver) for row in rows(database)] == [("given_up", "")]


def test_a_crash_before_sending_loses_nothing_and_after_it_repeats_the_same_id(
    database: Database, notifier: Callable[..., Notifier], hooks: WebhookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_to_the_end(database)

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr("openhcs_execution.notifying.notifier.due_letters", die)
        notifier().send_what_is_due()  # it has written its letters
    assert hooks.calls.empty()
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr("openhcs_execution.notifying.notifier.note_delivered", die)
        notifier().send_what_is_due()  # it has sent them
    notifier().send_what_is_due()
    notifier().send_what_is_due()
    first, second = hooks.calls.get(timeout=10), hooks.calls.get(timeout=10)
    assert first.headers["x-openhcs-delivery"] == second.headers["x-openhcs-delivery"]
    assert hooks.calls.empty()
    assert len(rows(database)) == 1


def test_a_run_that_goes_on_and_ends_again_is_told_of_again(
    database: Database, notifier: Callable[..., Notifier], hooks: WebhookServer
) -> None:
    number = enqueue(database, 2)
    executions.cancel(database, number)
    executions.retry(database, number)
    notifier().send_what_is_due()  # it has ended, but goes on by now
    assert rows(database) == []
    executions.cancel(database, number)
    notifier().send_what_is_due()
    assert json.loads(hooks.calls.get(timeout=10).body)["status"] == "cancelled"
    executions.retry(database, number)
    executions.cancel(database, number)
    notifier().send_what_is_due()
    assert hooks.calls.get(timeout=10)
    assert len(rows(database)) == 2


def test_the_thread_is_woken_by_the_end_of_a_run(
    database: Database, notifier: Callable[..., Notifier], hooks: WebhookServer
) -> None:
    sender = notifier()
    database.listen(sender.told)
    sender.start()
    try:
        run_to_the_end(database)
        assert hooks.calls.get(timeout=20)
    finally:
        sender.stop()


def test_a_webhook_that_was_taken_out_of_the_settings_is_not_called(
    database: Database, notifier: Callable[..., Notifier], hooks: WebhookServer
) -> None:
    run_to_the_end(database)
    hooks.answers.append(503)
    notifier().send_what_is_due()
    hooks.calls.get(timeout=10)
    let_pauses_end(database)
    notifier(webhook_urls=()).send_what_is_due()
    assert [row.state for row in rows(database)] == ["given_up"]
    assert hooks.calls.empty()


def test_names_cannot_add_headers() -> None:
    payload = {"pipeline_name": "Count\r\nBcc: all@example.org", "plate_name": "P" * 400, "status": "failed"}
    subject = mail_subject(payload)
    assert "\n" not in subject
    assert "\r" not in subject
    assert len(subject) <= 150


def test_wrong_settings_are_refused(tmp_path: Path, database: Database) -> None:
    with pytest.raises(ValidationError, match="MAIL_FROM"):
        Settings(smtp_host="localhost")
    with pytest.raises(ValidationError, match="webhook"):
        Settings(webhook_urls="ftp://a, https://b")
    with pytest.raises(ValidationError):
        Settings(web_url="javascript:alert(1)")
    secret = tmp_path / "key"
    secret.write_text("k" * 40)
    secret.chmod(0o644)
    with pytest.raises(SecretError):
        Notifier(database, Settings(data_dir=tmp_path, webhook_urls="http://a/", webhook_secret_file=secret))


def test_nobody_is_told_of_what_ended_before(database: Database, notifier: Callable[..., Notifier]) -> None:
    number = run_to_the_end(database)
    with database.write() as session:  # as the migration leaves it
        session.get_one(ExecutionRow, number).end_told = True
    notifier().send_what_is_due()
    assert rows(database) == []
