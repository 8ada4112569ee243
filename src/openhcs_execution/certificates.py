# SPDX-License-Identifier: AGPL-3.0-or-later
"""Certificates of an authority of one's own, for the TLS between the service, schedulers and workers.

Dask asks the other side for a certificate of this authority and does not compare names. So the authority must not be used for
anything else: whoever has a certificate of it can run programs on the hosts that compute.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["make_certificates"]

_AUTHORITY = "omero-openhcs workers"


def make_certificates(folder: Path, names: Sequence[str], days: int) -> list[Path]:
    """Write ``ca.pem`` (made when absent, with ``ca.key``), and ``<name>.pem`` and ``<name>.key`` for each name.

    Raises:
        ValueError: for a name that is no host name.
        FileExistsError: when a host has a key already; remove it first.
    """
    for name in names:
        if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}", name) is None or name == "ca":
            raise ValueError(f"{name!r} is not the name of a host")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / "ca.key").exists():
        _make_authority(folder, days)
    key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    authority = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    written = [folder / "ca.pem"]
    for name in names:
        own = ec.generate_private_key(ec.SECP256R1())
        _write_key(folder / f"{name}.key", own)
        builder = _builder(name, days).issuer_name(authority.subject).public_key(own.public_key())
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        _write(folder / f"{name}.pem", builder.sign(key, hashes.SHA256()))
        written += [folder / f"{name}.pem", folder / f"{name}.key"]
    return written


def _make_authority(folder: Path, days: int) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    _write_key(folder / "ca.key", key)
    builder = _builder(_AUTHORITY, max(days, 3650)).public_key(key.public_key())
    builder = builder.issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _AUTHORITY)]))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    _write(folder / "ca.pem", builder.sign(key, hashes.SHA256()))


def _builder(name: str, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks differ
        .not_valid_after(now + timedelta(days=days))
    )


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
