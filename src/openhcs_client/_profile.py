# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where the command line keeps who is signed in: ``$XDG_CONFIG_HOME/openhcs/`` (``~/.config/openhcs/``), for you alone.

``profile.json`` names the server; ``cookies.txt`` holds an OMERO.web session, ``session`` the key of an OMERO session. All
have mode 0600 from the moment they exist, in a folder of mode 0700.
"""

from __future__ import annotations

import os
import tempfile
from http.cookiejar import LoadError, LWPCookieJar
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from ._errors import OpenHCSError
from ._orchestrator import RemoteOrchestrator

__all__ = ["Profile", "ProfileStore"]


class Profile(BaseModel):
    """A server to talk to: OMERO.web, or an execution service directly."""

    kind: Literal["web", "service"]
    url: str
    user: str = ""
    allow_insecure: bool = False


class ProfileStore:
    """Reads and writes the files of one profile."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "openhcs"
        self._profile = self.folder / "profile.json"
        self._cookies = self.folder / "cookies.txt"
        self._session = self.folder / "session"

    def save_web(self, profile: Profile, cookies: LWPCookieJar) -> None:
        """Remember an OMERO.web session."""
        self.forget()
        self._write(self._profile, profile.model_dump_json(indent=2))
        self.save_cookies(cookies)

    def save_service(self, profile: Profile, omero_session: str) -> None:
        """Remember the key of an OMERO session."""
        self.forget()
        self._write(self._profile, profile.model_dump_json(indent=2))
        self._write(self._session, omero_session)

    def save_cookies(self, cookies: LWPCookieJar) -> None:
        """Write the cookies as they are now; session cookies too, as there is no browser to end them."""
        self._write(self._cookies, "#LWP-Cookies-2.0\n" + cookies.as_lwp_str(ignore_discard=True, ignore_expires=False))

    def forget(self) -> None:
        """Delete everything."""
        for path in (self._session, self._cookies, self._profile):
            path.unlink(missing_ok=True)

    def load(self) -> Profile:
        """The profile.

        Raises:
            OpenHCSError: ``not_signed_in`` when there is none that can be read.
        """
        try:
            return Profile.model_validate_json(self._profile.read_text())
        except (OSError, ValidationError) as error:
            raise _not_signed_in() from error

    def load_cookies(self) -> LWPCookieJar:
        """The cookies of OMERO.web."""
        jar = LWPCookieJar()
        try:
            jar.load(str(self._cookies), ignore_discard=True)
        except (OSError, LoadError) as error:
            raise _not_signed_in() from error
        return jar

    def connect(self) -> RemoteOrchestrator:
        """A client that is signed in as this profile says."""
        profile = self.load()
        if profile.kind == "web":
            return RemoteOrchestrator(
                base_url=profile.url, web_cookies=self.load_cookies(), allow_insecure=profile.allow_insecure
            )
        try:
            session = self._session.read_text().strip()
        except OSError as error:
            raise _not_signed_in() from error
        return RemoteOrchestrator(base_url=profile.url, omero_session=session, allow_insecure=profile.allow_insecure)

    def _write(self, path: Path, text: str) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        handle, temporary = tempfile.mkstemp(dir=self.folder)  # mkstemp makes it 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _not_signed_in() -> OpenHCSError:
    return OpenHCSError("not_signed_in", "You are not signed in.", status=401)
