# SPDX-License-Identifier: AGPL-3.0-or-later
"""IConfig: what clients ask the server's configuration for, and the settings an administrator has changed."""

from __future__ import annotations

import re
import time

import omero
from omero.rtypes import rtime

from omero_sandbox.ice.dispatch import Service
from omero_sandbox.ice.errors import api_usage, security_violation
from omero_sandbox.ice.router import ROUTER_IDENTITY
from omero_sandbox.security.caller import Caller

__all__ = ["CLIENT_DEFAULTS", "OMERO_VERSION", "ConfigService"]

OMERO_VERSION = "5.6.17"
"""The version of OMERO.server whose behaviour the sandbox follows; clients compare it with their own."""

CLIENT_DEFAULTS = {
    "omero.client.browser.thumb_default_size": "96",
    "omero.client.download_as.max_size": "144000000",
    "omero.client.icetransports": "ssl,tcp",
    "omero.client.scripts_to_ignore": "",
    "omero.client.ui.menu.dropdown.colleagues.enabled": "true",
    "omero.client.ui.menu.dropdown.colleagues.label": "Members",
    "omero.client.ui.menu.dropdown.everyone.enabled": "true",
    "omero.client.ui.menu.dropdown.everyone.label": "All Members",
    "omero.client.ui.menu.dropdown.leaders.enabled": "true",
    "omero.client.ui.menu.dropdown.leaders.label": "Owners",
    "omero.client.ui.tree.orphans.description": "This is a virtual container with orphaned images.",
    "omero.client.ui.tree.orphans.enabled": "true",
    "omero.client.ui.tree.orphans.name": "Orphaned Images",
    "omero.client.ui.tree.type_order": "tagset,tag,project,dataset,screen,plate,acquisition,image",
    "omero.client.viewer.initial_zoom_level": "0",
    "omero.client.viewer.interpolate_pixels": "true",
    "omero.client.viewer.roi_limit": "2000",
    "omero.client.web.host": "",
}
"""Settings of clients with OMERO's documented defaults; anyone who is signed in may read them."""

_OPEN_DEFAULTS = {
    "omero.pixeldata.max_plane_height": "3192",
    "omero.pixeldata.max_plane_width": "3192",
    "omero.qa.feedback": "",
    "omero.upgrades.url": "",
}
_LONGEST_PATTERN = 200
_MOST_REPEATS = 3


class ConfigService(Service):
    """Settings: those of clients are open to all users, the rest to administrators."""

    def getVersion(self, caller: Caller) -> str:
        """The version of OMERO that the sandbox stands in for."""
        return OMERO_VERSION

    def getConfigValue(self, key: str, caller: Caller) -> str:
        """Return one setting; an empty string when it is not set."""
        if key == "omero.router.insecure":
            return self._insecure_router()
        stored = self.server.accounts.settings()
        if _is_open(key):
            return stored.get(key, {**CLIENT_DEFAULTS, **_OPEN_DEFAULTS}.get(key, ""))
        if key in stored:
            if not caller.is_admin:
                raise security_violation(f"The setting {key} is for administrators.")
            return stored[key]
        return ""

    def getConfigValues(self, pattern: str, caller: Caller) -> dict[str, str]:
        """Return the settings whose name matches a regular expression, of those that the caller may read one by one."""
        # Every user may send one, and Python has no time limit for a match: groups and many repeats could take for ever.
        if len(pattern) > _LONGEST_PATTERN or "(" in pattern or sum(map(pattern.count, "*+?{")) > _MOST_REPEATS:
            raise api_usage("The pattern is too complicated.")
        try:
            wanted = re.compile(pattern)
        except re.error as error:
            raise api_usage(f"Not a regular expression: {error}") from error
        values = {**CLIENT_DEFAULTS, **_OPEN_DEFAULTS, **self.server.accounts.settings()}
        return {key: value for key, value in values.items() if wanted.search(key) and (caller.is_admin or _is_open(key))}

    def getConfigDefaults(self, caller: Caller) -> dict[str, str]:
        """The settings a fresh sandbox has."""
        return {**CLIENT_DEFAULTS, **_OPEN_DEFAULTS}

    def getClientConfigValues(self, caller: Caller) -> dict[str, str]:
        """The settings of clients as they are now."""
        stored = {key: value for key, value in self.server.accounts.settings().items() if key.startswith("omero.client.")}
        return {**CLIENT_DEFAULTS, **stored}

    def getClientConfigDefaults(self, caller: Caller) -> dict[str, str]:
        """The settings of clients in a fresh sandbox."""
        return dict(CLIENT_DEFAULTS)

    def setConfigValue(self, key: str, value: str, caller: Caller) -> None:
        """Change a setting; an empty value takes it back to the default."""
        self.server.accounts.change_setting(key, value)

    def setConfigValueIfEquals(self, key: str, value: str, test: str, caller: Caller) -> bool:
        """Change a setting if it has the value ``test`` now; tells whether it did."""
        if self.getConfigValue(key, caller) != (test or ""):
            return False
        self.server.accounts.change_setting(key, value)
        return True

    def getDatabaseUuid(self, caller: Caller) -> str:
        """Names this sandbox's database; made with it and never changed."""
        return self.server.accounts.database_uuid()

    def getServerTime(self, caller: Caller) -> omero.RTime:
        """Now, by the server's clock."""
        return rtime(int(time.time() * 1000))

    def getDatabaseTime(self, caller: Caller) -> omero.RTime:
        """Now, by the database's clock, which is the server's."""
        return self.getServerTime(caller)

    def _insecure_router(self) -> str:
        """Where a client goes that asks for an unencrypted connection: to TLS all the same when there is no other."""
        transport, port = ("tcp", self.server.tcp_port) if self.server.tcp_port else ("ssl", self.server.ssl_port)
        return f"{ROUTER_IDENTITY}:{transport} -p {port} -h @omero.host@"


def _is_open(key: str) -> bool:
    return key in _OPEN_DEFAULTS or key.startswith("omero.client.")
