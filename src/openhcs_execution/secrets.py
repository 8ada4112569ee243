# SPDX-License-Identifier: AGPL-3.0-or-later
"""The one secret of the service, and what is derived from it.

A file holds a random text that OMERO.web and the service share. It signs service tokens (HS256). A second key, derived by
HKDF so that neither key tells anything about the other, encrypts the OMERO session keys of open executions at rest and on
their way to a worker (Fernet: AES-128-CBC with HMAC-SHA256).
"""

from __future__ import annotations

import base64
import os
import secrets
import stat
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

__all__ = ["SecretError", "SessionVault", "load_secret"]

MINIMUM_LENGTH = 32
"""Characters; HS256 keys shorter than the hash are weak."""


class SecretError(RuntimeError):
    """The secret file cannot be used; the message says why and what to do."""


def load_secret(path: Path) -> str:
    """Read the shared secret, making the file (mode 0600) when it does not exist.

    Raises:
        SecretError: when other users may read the file, or it holds fewer than 32 characters.
    """
    if not path.exists():
        _create(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & stat.S_IRWXO:
        raise SecretError(f"{path} can be read by every user of this machine; run: chmod 600 {path}")
    text = path.read_text(encoding="utf-8").strip()
    if len(text) < MINIMUM_LENGTH:
        raise SecretError(f"{path} must hold at least {MINIMUM_LENGTH} characters; remove it and a new one is made")
    return text


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was faster: its secret is as good
        return
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(secrets.token_urlsafe(48))


class SessionVault:
    """Encrypts and decrypts OMERO session keys.

    >>> vault = SessionVault("a secret of at least thirty-two characters")
    >>> vault.open(vault.seal("7d3f"))
    '7d3f'
    """

    def __init__(self, secret: str) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"omero-openhcs session keys v1").derive(secret.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def seal(self, session_key: str) -> str:
        return self._fernet.encrypt(session_key.encode()).decode("ascii")

    def open(self, sealed: str) -> str:
        """Return the session key.

        Raises:
            SecretError: when it was sealed with another secret, or tampered with.
        """
        try:
            return self._fernet.decrypt(sealed.encode("ascii")).decode()
        except InvalidToken as error:
            raise SecretError("a stored OMERO session cannot be decrypted: the secret file was changed") from error
