# SPDX-License-Identifier: AGPL-3.0-or-later
"""The self-signed certificate: made once, readable by its owner only."""

from __future__ import annotations

import stat
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from omero_sandbox.ice.certificate import certificate_in


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    first = certificate_in(tmp_path).read_bytes()
    assert certificate_in(tmp_path).read_bytes() == first


def test_it_holds_a_certificate_for_loopback_and_its_key(tmp_path: Path) -> None:
    content = certificate_in(tmp_path).read_bytes()
    certificate = x509.load_pem_x509_certificate(content)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert load_pem_private_key(content, None).public_key() == certificate.public_key()


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    assert stat.S_IMODE(certificate_in(tmp_path).stat().st_mode) == 0o600
