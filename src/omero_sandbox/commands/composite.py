# SPDX-License-Identifier: AGPL-3.0-or-later
"""DoAll: several requests as one."""

from __future__ import annotations

import omero
import omero.cmd

from omero_sandbox.commands.registry import COMMANDS, Context, runs
from omero_sandbox.ice.errors import api_usage

__all__ = ["do_all"]

_MOST_REQUESTS = 10_000


@runs(omero.cmd.DoAll)
def do_all(request: omero.cmd.DoAll, context: Context) -> omero.cmd.DoAllRsp:
    """Run requests one after the other in one transaction: the first failure undoes them all."""
    requests = request.requests or []
    if len(requests) > _MOST_REQUESTS:
        raise api_usage(f"DoAll takes at most {_MOST_REQUESTS} requests.")
    responses, statuses = [], []
    for each in requests:
        name = type(each).__name__
        if isinstance(each, omero.cmd.DoAll):
            raise api_usage("DoAll does not take another DoAll.")
        command = COMMANDS.get(name)
        if command is None:
            raise context.server.gate.count_unimplemented(f"omero.cmd.{name}")
        responses.append(command(each, context))
        statuses.append(omero.cmd.Status(name=name, flags=[omero.cmd.State.ALL, omero.cmd.State.SUCCESS], parameters={}))
    return omero.cmd.DoAllRsp(responses=responses, status=statuses)
