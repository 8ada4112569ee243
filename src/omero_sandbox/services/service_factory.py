# SPDX-License-Identifier: AGPL-3.0-or-later
"""The door of a session: gives out the services, and runs commands.

`STATELESS` services live once per session; `STATEFUL` ones are made anew at each request and belong to whoever asked.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import Ice
import omero
import omero.cmd
import omero.grid

from omero_sandbox.commands.handles import HandleService
from omero_sandbox.ice.dispatch import Service, own_transactions
from omero_sandbox.ice.errors import api_usage, security_violation
from omero_sandbox.security.rights import subject_id
from omero_sandbox.services.admin import AdminService
from omero_sandbox.services.config import ConfigService
from omero_sandbox.services.container import ContainerService
from omero_sandbox.services.ldap import LdapService
from omero_sandbox.services.metadata import MetadataService
from omero_sandbox.services.pixels_metadata import PixelsService
from omero_sandbox.services.query import QueryService
from omero_sandbox.services.raw_files import RawFileStoreService
from omero_sandbox.services.raw_pixels import RawPixelsStoreService
from omero_sandbox.services.rendering import RenderingEngineService
from omero_sandbox.services.rendering_settings import RenderingSettingsService
from omero_sandbox.services.repository_info import RepositoryInfoService
from omero_sandbox.services.roi import RoiService
from omero_sandbox.services.script import ScriptService
from omero_sandbox.services.search import SearchService
from omero_sandbox.services.session import SessionService
from omero_sandbox.services.share import ShareService
from omero_sandbox.services.shared_resources import SharedResourcesService
from omero_sandbox.services.thumbnails import ThumbnailStoreService
from omero_sandbox.services.timeline import TimelineService
from omero_sandbox.services.types import TypesService
from omero_sandbox.services.update import UpdateService

if TYPE_CHECKING:
    from omero_sandbox.ice.server import SandboxServer
    from omero_sandbox.ice.sessions import Attachment, Session
    from omero_sandbox.security.caller import Caller

__all__ = ["STATEFUL", "STATELESS", "ServiceFactoryService"]

STATELESS: dict[str, tuple[str, type[Service]]] = {
    "getAdminService": ("IAdmin", AdminService),
    "getConfigService": ("IConfig", ConfigService),
    "getContainerService": ("IContainer", ContainerService),
    "getLdapService": ("ILdap", LdapService),
    "getMetadataService": ("IMetadata", MetadataService),
    "getPixelsService": ("IPixels", PixelsService),
    "getProjectionService": ("IProjection", Service),
    "getQueryService": ("IQuery", QueryService),
    "getRenderingSettingsService": ("IRenderingSettings", RenderingSettingsService),
    "getRepositoryInfoService": ("IRepositoryInfo", RepositoryInfoService),
    "getRoiService": ("IRoi", RoiService),
    "getScriptService": ("IScript", ScriptService),
    "getSessionService": ("ISession", SessionService),
    "getShareService": ("IShare", ShareService),
    "getTimelineService": ("ITimeline", TimelineService),
    "getTypesService": ("ITypes", TypesService),
    "getUpdateService": ("IUpdate", UpdateService),
    "sharedResources": ("SharedResources", SharedResourcesService),
}
"""ServiceFactory operation -> interface and implementation. A bare `Service` implements nothing: each call is counted."""

STATEFUL: dict[str, tuple[str, type[Service]]] = {
    "createExporter": ("Exporter", Service),
    "createJobHandle": ("JobHandle", Service),
    "createRawFileStore": ("RawFileStore", RawFileStoreService),
    "createRawPixelsStore": ("RawPixelsStore", RawPixelsStoreService),
    "createRenderingEngine": ("RenderingEngine", RenderingEngineService),
    "createSearchService": ("Search", SearchService),
    "createThumbnailStore": ("ThumbnailStore", ThumbnailStoreService),
}


def interface_named(name: str) -> type:
    """Return the Ice class of a service interface."""
    return getattr(omero.api, name, None) or getattr(omero.grid, name)


class ServiceFactoryService(Service):
    """One client's door to its session. The operations of `STATELESS` and `STATEFUL` are added below the class."""

    def __init__(self, server: SandboxServer, session: Session, attachment: Attachment) -> None:
        super().__init__(server, session)
        self._attachment = attachment

    def stateless(self, interface: str, implementation: type[Service]) -> Ice.ObjectPrx:
        """Return the session's only instance of a stateless service."""
        return self.session.serve(
            interface_named(interface), f"omero.api.{interface}", lambda: implementation(self.server, self.session)
        )

    def stateful(self, interface: str, implementation: type[Service]) -> Ice.ObjectPrx:
        """Return a new instance of a stateful service."""
        name = f"{uuid.uuid4()}/omero.api.{interface}"
        return self.session.serve(interface_named(interface), name, lambda: implementation(self.server, self.session))

    def getByName(self, name: str, caller: Caller) -> Ice.ObjectPrx:
        """Return a stateful service that is still open, or a stateless one, by its name (``omero.api.IQuery``)."""
        if name in self.session.services:
            return omero.api.ServiceInterfacePrx.uncheckedCast(self.session.proxy(name))
        return self._by_interface(STATELESS, name, self.stateless)

    def createByName(self, name: str, caller: Caller) -> Ice.ObjectPrx:
        """Return a new stateful service by the name of its interface (``omero.api.RawPixelsStore``)."""
        return self._by_interface(STATEFUL, name, self.stateful)

    @staticmethod
    def _by_interface(
        table: dict[str, tuple[str, type[Service]]], name: str, make: Callable[[str, type[Service]], Ice.ObjectPrx]
    ) -> Ice.ObjectPrx:
        wanted = name.replace("::", ".").rsplit(".", 1)[-1]
        for interface, implementation in table.values():
            if interface == wanted:
                return make(interface, implementation)
        raise api_usage(f"There is no service {name}.")

    def setCallback(self, callback: Any, caller: Caller) -> None:
        """Accepted and not used: the sandbox sends neither heartbeats nor notices of shutdown."""

    def closeOnDestroy(self, caller: Caller) -> None:
        """Leaving closes the session if nobody else uses it (the default)."""
        self._attachment.detach = False

    def detachOnDestroy(self, caller: Caller) -> None:
        """Leaving keeps the session open."""
        self._attachment.detach = True

    def activeServices(self, caller: Caller) -> list[str]:
        """Names of the open stateful services."""
        return [name for name in list(self.session.services) if "/" in name]

    def keepAlive(self, proxy: Any, caller: Caller) -> bool:
        """Keep the session alive (the gate has just done so); tells whether the given service is still there."""
        return self.keepAllAlive([proxy], caller) == 0

    def keepAllAlive(self, proxies: list[Any], caller: Caller) -> int:
        """The same for many services; bit n of the answer is set when service n is gone."""
        gone = 0
        for bit, proxy in enumerate(proxies or []):
            if proxy is not None and proxy.ice_getIdentity().name not in self.session.services:
                gone |= 1 << bit
        return gone

    def getSecurityContexts(self, caller: Caller) -> list[Any]:
        """The groups that the caller may work in."""
        return AdminService(self.server, self.session).containedGroups(caller.user_id, caller)

    def setSecurityContext(self, group: Any, caller: Caller) -> Any:
        """Change the session's group and return the one before; refused while stateful services are open."""
        if not isinstance(group, omero.model.ExperimenterGroup):
            raise api_usage("The embedded OMERO only changes the security context to a group.")
        group_id = subject_id(group)
        if group_id not in caller.member_of and not (caller.is_admin and self.server.accounts.has_group(group_id)):
            raise security_violation(f"{caller.user_name} may not work in group {group_id}.")
        if self.activeServices(caller):
            raise security_violation("Close the open stateful services before changing the group.")
        before, self.session.group_id = self.session.group_id, group_id
        return omero.model.ExperimenterGroupI(before, False)

    def setSecurityPassword(self, password: str, caller: Caller) -> None:
        """Check the caller's password again, as clients do before a delicate step."""
        if self.server.accounts.check_password(caller.user_name, password) is None:
            raise security_violation("Wrong password.")

    @own_transactions
    def submit(self, request: omero.cmd.Request, caller: Caller) -> Ice.ObjectPrx:
        """Run a command and return the handle that holds its answer."""
        handle = HandleService(self.server, self.session, request, caller)
        return omero.cmd.HandlePrx.uncheckedCast(
            self.session.serve(omero.cmd.Handle, f"{uuid.uuid4()}/omero.cmd.Handle", lambda: handle)
        )

    @own_transactions
    def destroy(self, caller: Caller) -> None:
        """Leave the session, as the router's destroySession does."""
        self.server.sessions.leave(self._attachment)


def _giving(make: str, interface: str, implementation: type[Service]) -> Callable[..., Ice.ObjectPrx]:
    def give(self: ServiceFactoryService, caller: Caller) -> Ice.ObjectPrx:
        return getattr(self, make)(interface, implementation)

    return give


for _operation, (_interface, _implementation) in STATELESS.items():
    setattr(ServiceFactoryService, _operation, _giving("stateless", _interface, _implementation))
for _operation, (_interface, _implementation) in STATEFUL.items():
    setattr(ServiceFactoryService, _operation, _giving("stateful", _interface, _implementation))
