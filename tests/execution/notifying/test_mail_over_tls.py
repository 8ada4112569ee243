# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mail over TLS: the password and the message go to a server whose certificate is trusted, and to no other."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from openhcs_client import ExecutionStatusName
from openhcs_execution.certificates import make_certificates
from openhcs_execution.notifying.delivery import DeliveryError
from openhcs_execution.notifying.mail import Mailer
from openhcs_execution.notifying.outbox import Letter

from .receivers import mail_server

USER, PASSWORD = "openhcs", "correct horse"

LETTER = Letter(
    id=1,
    notification_id="n1",
    channel="mail",
    receiver="ada@example.org",
    payload={
        "execution_id": "e1",
        "status": ExecutionStatusName.COMPLETED,
        "message": "",
        "plate_name": "Plate 7",
        "pipeline_name": "Count nuclei",
        "pipeline_version": 2,
        "wells_total": 2,
        "wells_completed": 2,
        "wells_failed": 0,
        "ended_at": "2026-11-26T12:00:00+00:00",
        "results_url": None,
    },
)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of ``localhost``, by an authority that this process trusts."""
    authority, certificate, _key = make_certificates(tmp_path / "trusted", ["localhost"], days=1)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    return certificate


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\n", encoding="utf-8")
    return path


def mailer(port: int, tls: Literal["none", "starttls", "tls"], password_file: Path, host: str = "localhost") -> Mailer:
    return Mailer(host, port, tls, "OpenHCS <openhcs@example.org>", USER, password_file)


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_mail_and_the_password_go_over_tls(certificate: Path, password_file: Path, tls: Literal["starttls", "tls"]) -> None:
    with mail_server(tls, certificate) as server:
        mailer(server.port, tls, password_file).deliver(LETTER)
        mail = server.mails.get(timeout=10)
    assert server.logins == [(USER, PASSWORD)]
    assert mail["To"] == "ada@example.org"
    assert "Plate 7" in mail.get_content()
    clear = [line.split()[0].upper() for line in server.in_the_clear]
    assert clear == (["EHLO", "STARTTLS"] if tls == "starttls" else [])


@pytest.mark.parametrize("tls", ["starttls", "tls"])
@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_a_server_that_is_not_the_one_of_its_certificate_gets_nothing(
    certificate: Path, password_file: Path, tmp_path: Path, tls: Literal["starttls", "tls"], wrong: str
) -> None:
    if wrong == "authority":
        certificate = make_certificates(tmp_path / "other", ["localhost"], days=1)[1]
    else:
        certificate = make_certificates(tmp_path / "trusted", ["mail.example.org"], days=1)[1]
    with mail_server(tls, certificate) as server:
        with pytest.raises(DeliveryError, match="SSLCertVerificationError") as refused:
            mailer(server.port, tls, password_file).deliver(LETTER)
        assert not refused.value.final  # somebody may mend it
    assert server.logins == []
    assert server.mails.empty()
    assert PASSWORD not in str(refused.value)


def test_a_server_that_offers_no_tls_gets_nothing(password_file: Path) -> None:
    """Whoever sits between us and the server could take its offer away."""
    with mail_server("none") as server, pytest.raises(DeliveryError, match="SMTPNotSupportedError"):
        mailer(server.port, "starttls", password_file).deliver(LETTER)
    assert server.logins == []
    assert server.mails.empty()
    assert not any(line.upper().startswith(("AUTH", "MAIL", "RCPT")) for line in server.in_the_clear)
