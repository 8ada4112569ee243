# SPDX-License-Identifier: AGPL-3.0-or-later
"""The plugin's settings, set with ``omero config set omero.web.openhcs.<name>`` and processed by OMERO.web at start.

OMERO.web imports this module by name and swallows an ImportError, so it must import nothing that could be missing.
Every entry is ``key: [NAME, default as text, mapping, description]``; after processing, ``settings.NAME`` holds the value.
"""

from __future__ import annotations

from typing import Any

__all__ = ["CUSTOM_SETTINGS_MAPPINGS"]


MINUTES_OF_A_DAY = 24 * 60


def _positive_integer(text: str) -> int:
    value = int(text)
    if value <= 0:
        raise ValueError("must be a whole number above zero")
    return value


def _address(text: str) -> str:
    address = text.strip().rstrip("/")
    if not address.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return address


def _live_address(text: str) -> str:
    address = text.strip()
    if address and not address.startswith(("/", "ws://", "wss://")):
        raise ValueError("must be a path of this site, or start with ws:// or wss://")
    return address.rstrip("/") + "/" if address else ""


def _address_or_none(text: str) -> str:
    return _address(text) + "/" if text.strip() else ""


def _minutes_of_a_day(text: str) -> int:
    value = _positive_integer(text)
    if value > MINUTES_OF_A_DAY:
        raise ValueError("must be at most a day (1440 minutes)")
    return value


def _text(text: str) -> str:
    return text.strip()


# OMERO.web sets these when it processes the mappings.
SERVICE_URL: str
SERVICE_SECRET_FILE: str
SERVICE_TIMEOUT_MS: int
OMERO_SERVER: str
JOB_SESSION_IDLE_MINUTES: int
POLL_INTERVAL_MS: int
LIVE_URL: str
PERSON_CACHE_SECONDS: int
ZARR_TOKEN_MINUTES: int
VIZARR_URL: str

CUSTOM_SETTINGS_MAPPINGS: dict[str, list[Any]] = {
    "omero.web.openhcs.service_url": [
        "SERVICE_URL",
        "http://127.0.0.1:7777",
        _address,
        "Address of the execution service as OMERO.web reaches it. Use https:// when it runs on another machine.",
    ],
    "omero.web.openhcs.service_secret_file": [
        "SERVICE_SECRET_FILE",
        "",
        _text,
        "File with the secret that the plugin shares with the execution service (readable by OMERO.web only).",
    ],
    "omero.web.openhcs.service_timeout_ms": [
        "SERVICE_TIMEOUT_MS",
        "15000",
        _positive_integer,
        "How long one request to the execution service may take; keep it well below gunicorn's timeout (60 s).",
    ],
    "omero.web.openhcs.omero_server": [
        "OMERO_SERVER",
        "",
        _text,
        "host:port of OMERO as the execution service reaches it; empty: the one that the service is configured with.",
    ],
    "omero.web.openhcs.job_session_idle_minutes": [
        "JOB_SESSION_IDLE_MINUTES",
        "60",
        _positive_integer,
        "Idle time after which OMERO closes an execution's own session. Not more than OMERO's max_user_time_to_idle (100 min).",
    ],
    "omero.web.openhcs.poll_interval_ms": [
        "POLL_INTERVAL_MS",
        "1500",
        _positive_integer,
        "How often a page asks for progress while an execution runs.",
    ],
    "omero.web.openhcs.live_url": [
        "LIVE_URL",
        "",
        _live_address,
        "Where browsers reach the live connections of the execution service through the reverse proxy, for example "
        "/openhcs-live/; empty: pages poll.",
    ],
    "omero.web.openhcs.person_cache_seconds": [
        "PERSON_CACHE_SECONDS",
        "60",
        _positive_integer,
        "How long a web worker remembers who a session belongs to, so that polling does not join OMERO every time.",
    ],
    "omero.web.openhcs.zarr_token_minutes": [
        "ZARR_TOKEN_MINUTES",
        "60",
        _minutes_of_a_day,
        "How long an address made for napari, Vizarr or a script opens its image or plate without a cookie (at most 1440).",
    ],
    "omero.web.openhcs.vizarr_url": [
        "VIZARR_URL",
        "",
        _address_or_none,
        "Address of a Vizarr that the viewer links to; empty: no link. Whoever runs it can read the images opened there.",
    ],
}
