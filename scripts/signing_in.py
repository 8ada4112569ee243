# SPDX-License-Identifier: AGPL-3.0-or-later
"""How people come in: through the login page of OMERO.web, in a browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

__all__ = ["sign_in"]


def sign_in(page: Page, site: str, user: str, password: str, then: str = "/openhcs/") -> None:
    """Sign in at ``site``, the address of an OMERO.web without a path, and go to the page ``then``."""
    page.goto(f"{site}/webclient/login/?url={then}")
    page.fill("#id_username", user)
    page.fill("#id_password", password)
    page.click("[type=submit]")
    expect(page).to_have_url(f"{site}{then}")
