# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which pages may open a live connection: a browser lets the page of any site try, and says in ``Origin`` which it is."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from openhcs_client import OpenHCSError

__all__ = ["check_origin"]


def check_origin(origin: str | None, host: str | None, allowed: Sequence[str]) -> None:
    """Let pages of the site pass that the request was sent to (its ``Host``), and those of the sites in ``allowed``.

    A request without an origin comes from no browser; the ticket alone decides about it.

    Raises:
        OpenHCSError: ``wrong_origin``, status 403.
    """
    if origin is None or origin in allowed:
        return
    parts = urlsplit(origin)
    if parts.scheme in ("http", "https") and host and _with_port(parts.netloc, parts.scheme) == _with_port(host, parts.scheme):
        return
    raise OpenHCSError("wrong_origin", "Pages of this site may not open a live connection to this service.", status=403)


def _with_port(netloc: str, scheme: str) -> str:
    """Host and port in one form: a browser leaves out the port that a scheme has by itself, a proxy may write it."""
    default = ":443" if scheme == "https" else ":80"
    netloc = netloc.lower()
    return netloc if ":" in netloc.rsplit("]", 1)[-1] else netloc + default
