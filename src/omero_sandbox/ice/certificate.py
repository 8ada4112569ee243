# SPDX-License-Identifier: AGPL-3.0-or-later
"""The self-signed certificate of a sandbox, made at its first start and kept with its data.

A default omero-py client and OMERO.web speak TLS without checking who answers, exactly as with a fresh OMERO.server;
a certificate (in place of anonymous Diffie-Hellman) is what current OpenSSL accepts without client configuration.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["certificate_in"]

_VALID = dt.timedelta(days=3650)
_RENEW_BEFORE = dt.timedelta(days=30)


def certificate_in(folder: Path) -> Path:
    """Return the PEM file with certificate and private key in ``folder``; make a new one when it is missing or about to expire.

    Only its owner can read it.
    """
    path = folder / "certificate.pem"
    if not _is_usable(path):
        _make(path)
    return path


def _is_usable(path: Path) -> bool:
    if not path.is_file():
        return False
    expires = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    return expires - dt.datetime.now(dt.UTC) > _RENEW_BEFORE


def _make(path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    # Created with its final mode and put in place when whole: the key is never readable by others, the file never half there.
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private + certificate.public_bytes(serialization.Encoding.PEM))
    new.replace(path)
