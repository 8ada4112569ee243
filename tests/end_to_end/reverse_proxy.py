# SPDX-License-Identifier: AGPL-3.0-or-later
"""A real nginx in front of OMERO.web and the service, with the locations that the documentation tells administrators to use."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers import Server, free_port

DEPLOY = Path(__file__).resolve().parents[2] / "docs" / "administrators" / "deploy.md"

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream omeroweb {{ server 127.0.0.1:{web_port}; }}
    server {{
        listen 127.0.0.1:{port};
        {locations}
    }}
}}
"""


def find_nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def documented_locations(service_port: int) -> str:
    """The locations of OMERO.web's site in *Deploying*: the pages, and the live connections."""
    blocks = re.findall(r"^```nginx\n(location .*?)^```$", DEPLOY.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert [block.split()[1] for block in blocks] == ["/", "/openhcs-live/"], "the documented locations are others now"
    live = blocks[1].replace("http://127.0.0.1:7777/", f"http://127.0.0.1:{service_port}/")
    assert live != blocks[1], "the documented location does not go to the service"
    return blocks[0] + live


@contextmanager
def running_nginx(folder: Path, web_port: int, service_port: int, locations: str | None = None) -> Iterator[str]:
    """Serve on a free port of loopback for as long as the block lasts; gives the address of the site."""
    nginx = find_nginx()
    assert nginx is not None
    port = free_port()
    locations = documented_locations(service_port) if locations is None else locations
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, web_port=web_port, port=port, locations=locations))
    command = [nginx, "-c", str(configuration), "-p", str(folder), "-e", str(folder / "error.log")]
    server = Server("nginx", command, log=folder / "output.log", environment=os.environ)
    server.start()
    try:
        server.wait_for_http(f"http://127.0.0.1:{port}/webclient/login/")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()
