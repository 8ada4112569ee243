# SPDX-License-Identifier: AGPL-3.0-or-later
"""The embedded OMERO as a whole: an Ice communicator, its object adapter, the database, sessions and the gate.

It listens on the loopback interface only. It is no replacement for OMERO.server: see docs/developers/embedded-omero.md.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from pathlib import Path

import Ice
import omero
import omero.all
import omero.rtypes
from omero.ObjectFactoryRegistrar import registerObjectFactory

from omero_sandbox.ice.certificate import certificate_in
from omero_sandbox.ice.dispatch import Gate, Service, make_servant
from omero_sandbox.ice.router import ROUTER_IDENTITY, Router
from omero_sandbox.ice.sessions import Attachment, SessionLimits, Sessions
from omero_sandbox.security.accounts import Accounts
from omero_sandbox.services.service_factory import ServiceFactoryService
from omero_sandbox.services.stored_data import adopt_old_pixels, make_managed_repository, sweep
from omero_sandbox.store.database import Database
from omero_sandbox.store.occupation import occupy, release

__all__ = ["LOOPBACK", "SandboxServer"]

log = logging.getLogger(__name__)
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_EXPIRY_CHECK_SECONDS = 1.0


class SandboxServer:
    """One embedded OMERO with its data in ``folder``.

    Args:
        folder: where database, pixels, files and certificate live; made when missing.
        host: a loopback address; anything else is refused.
        ssl_port: port for TLS, 0 for any free one; what it became is in the attribute of the same name.
        tcp_port: also listen without TLS on this port (0: any free one; None: not at all).
        root_password: the administrator's password when ``folder`` is fresh; later it changes nothing.
        limits: how long sessions live.

    Raises:
        ValueError: ``host`` is not a loopback address.
        FolderInUseError: another sandbox works with this folder.
        Ice.SocketException: the port is taken.
    """

    def __init__(
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        ssl_port: int = 0,
        tcp_port: int | None = None,
        root_password: str = "omero",  # noqa: S107  the documented default of a fresh sandbox
        limits: SessionLimits | None = None,
    ) -> None:
        if host not in LOOPBACK:
            raise ValueError(f"The embedded OMERO listens on loopback only, not on {host}.")
        self.folder = Path(folder)
        self.host = host
        with contextlib.ExitStack() as undo:
            occupation = occupy(self.folder)
            undo.callback(release, occupation)
            self.database = Database(self.folder)
            undo.callback(self.database.close)
            self.accounts = Accounts(self.database)
            self.accounts.prepare(root_password)
            adopt_old_pixels(self.database)
            make_managed_repository(self.database)
            sweep(self.database)
            self.gate = Gate(self)
            self.sessions = Sessions(self, self.accounts, limits or SessionLimits())
            self._communicator = self._make_communicator()
            undo.callback(self._communicator.destroy)
            endpoints = f"ssl -h {host} -p {ssl_port}" + ("" if tcp_port is None else f":tcp -h {host} -p {tcp_port}")
            self._adapter = self._communicator.createObjectAdapterWithEndpoints("OMERO", endpoints)
            self._held = undo.pop_all()
        ports = [endpoint.getInfo().port for endpoint in self._adapter.getEndpoints()]
        self.ssl_port: int = ports[0]
        self.tcp_port: int | None = ports[1] if tcp_port is not None else None
        self._adapter.add(Router(self), self._communicator.stringToIdentity(ROUTER_IDENTITY))
        self._stopping = threading.Event()
        self._expiry = threading.Thread(target=self._close_expired_sessions, name="session-expiry", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._adapter.activate()
        self._expiry.start()
        log.info("listening on %s:%d", self.host, self.ssl_port)

    def stop(self) -> None:
        """Stop answering, end all sessions and close the database. Safe to call twice."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._adapter.deactivate()
        self.sessions.close_all()
        if self._expiry.is_alive():
            self._expiry.join()
        self._held.close()

    # The object adapter ------------------------------------------------------------------------------------------------

    def add_factory(self, attachment: Attachment) -> Ice.ObjectPrx:
        """Give a client that has signed in its ServiceFactory."""
        factory = ServiceFactoryService(self, attachment.session, attachment)
        self._adapter.add(make_servant(omero.api.ServiceFactory, factory, self.gate), attachment.factory)
        return omero.api.ServiceFactoryPrx.uncheckedCast(self._adapter.createProxy(attachment.factory))

    def add_service(self, interface: type, service: Service, identity: Ice.Identity) -> None:
        """Make a service answer under ``identity``."""
        service.identity = identity
        self._adapter.add(make_servant(interface, service, self.gate), identity)

    def proxy(self, identity: Ice.Identity) -> Ice.ObjectPrx:
        """Return a proxy for an identity."""
        return self._adapter.createProxy(identity)

    def remove_servant(self, identity: Ice.Identity) -> None:
        """Take a servant out, if it is still there."""
        try:
            self._adapter.remove(identity)
        except (Ice.NotRegisteredException, Ice.ObjectAdapterDeactivatedException):
            return

    def proxy_with_endpoints(self) -> Ice.ObjectPrx:
        """Return a proxy that names this server's endpoints; no servant has its identity."""
        return self._adapter.createDirectProxy(Ice.Identity("none", "endpoints"))

    # Parts -------------------------------------------------------------------------------------------------------------

    def _make_communicator(self) -> Ice.Communicator:
        settings = Ice.InitializationData()
        settings.properties = Ice.createProperties()
        for key, value in {
            "Ice.ThreadPool.Server.Size": "4",
            "Ice.ThreadPool.Server.SizeMax": "24",
            "Ice.ThreadPool.Client.SizeMax": "8",
            "Ice.MessageSizeMax": "262144",  # KiB: planes and table slices travel in one message
            "Ice.CacheMessageBuffers": "0",
            "Ice.Warn.Connections": "0",
            "Ice.Warn.Dispatch": "0",  # the gate logs refusals; Ice would print them as warnings too
            "Ice.ACM.Server.Timeout": "0",
            "Ice.Plugin.IceSSL": "IceSSL:createIceSSL",
            "IceSSL.CertFile": str(certificate_in(self.folder).resolve()),
            "IceSSL.VerifyPeer": "0",  # clients show no certificate; they sign in with a password
            "IceSSL.Protocols": "tls1_2,tls1_3",
        }.items():
            settings.properties.setProperty(key, value)
        communicator = Ice.initialize(settings)
        registerObjectFactory(communicator, None)
        for factory in list(omero.rtypes.ObjectFactories.values()):
            factory.register(communicator)
        return communicator

    def _close_expired_sessions(self) -> None:
        while not self._stopping.wait(_EXPIRY_CHECK_SECONDS):
            self.sessions.close_expired()
