# SPDX-License-Identifier: AGPL-3.0-or-later
"""Deliver a message to a webhook of the settings, signed so that the receiver knows who sent it.

``X-OpenHCS-Signature`` is ``sha256=`` and the HMAC-SHA-256, in hexadecimal, of ``<X-OpenHCS-Timestamp>.<body>`` with the secret
of the settings. The time is seconds since 1970; a receiver should refuse one that is some minutes old.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time

import httpx

from .delivery import DeliveryError
from .outbox import Letter

__all__ = ["deliver_webhook", "signature"]

_TIMEOUT_SECONDS = 10.0


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The value of ``X-OpenHCS-Signature``."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def deliver_webhook(letter: Letter, secret: str) -> None:
    """POST the message; only a status of 2xx counts as taken. Redirections are not followed.

    Raises:
        DeliveryError: it was not taken; it is worth another try.
    """
    body = json.dumps(letter.payload, ensure_ascii=False, separators=(",", ":")).encode()
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "omero-openhcs",
        "X-OpenHCS-Delivery": letter.notification_id,
        "X-OpenHCS-Timestamp": timestamp,
        "X-OpenHCS-Signature": signature(secret, timestamp, body),
    }
    try:
        answer = httpx.post(letter.receiver, content=body, headers=headers, timeout=_TIMEOUT_SECONDS, follow_redirects=False)
    except httpx.HTTPError as error:
        raise DeliveryError(f"the receiver does not answer: {type(error).__name__}") from error
    if not answer.is_success:
        raise DeliveryError(f"the receiver answered {answer.status_code}")
