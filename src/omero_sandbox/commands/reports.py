# SPDX-License-Identifier: AGPL-3.0-or-later
"""Requests that tell something: the files of an image, open sessions; and the one that sets a session's timeout."""

from __future__ import annotations

import omero
import omero.cmd
from omero.rtypes import rstring, rtime

from omero_sandbox.commands.registry import Context, runs
from omero_sandbox.ice.errors import api_usage, removed_session
from omero_sandbox.query.execution import load_objects

__all__ = ["current_sessions", "original_metadata", "session_timeout", "used_files"]


@runs(omero.cmd.OriginalMetadataRequest)
def original_metadata(request: omero.cmd.OriginalMetadataRequest, context: Context) -> omero.cmd.OriginalMetadataResponse:
    """Nothing is imported by Bio-Formats here, so no image has original metadata."""
    _require_image(request.imageId, context)
    return omero.cmd.OriginalMetadataResponse(globalMetadata={}, seriesMetadata={})


@runs(omero.cmd.UsedFilesRequest)
def used_files(request: omero.cmd.UsedFilesRequest, context: Context) -> omero.cmd.UsedFilesResponsePreFs:
    """No image has original files: pixels are written by clients."""
    _require_image(request.imageId, context)
    return omero.cmd.UsedFilesResponsePreFs(archivedFiles=[], companionFiles=[], originalMetadataFiles=[])


@runs(omero.cmd.CurrentSessionsRequest)
def current_sessions(request: omero.cmd.CurrentSessionsRequest, context: Context) -> omero.cmd.CurrentSessionsResponse:
    """The caller's own sessions."""
    sessions = context.server.sessions.of_user(context.caller.user_id)
    described = [context.server.sessions.describe(each) for each in sessions]
    contexts = [context.server.sessions.event_context(each, context.caller) for each in sessions]
    data = [{"started": rtime(int(each.started * 1000)), "agent": rstring(each.agent)} for each in sessions]
    return omero.cmd.CurrentSessionsResponse(sessions=described, contexts=contexts, data=data)


@runs(omero.cmd.UpdateSessionTimeoutRequest)
def session_timeout(request: omero.cmd.UpdateSessionTimeoutRequest, context: Context) -> omero.cmd.OK:
    """Change how long one of the caller's sessions lives; only an administrator may go beyond the limit for users."""
    session = context.server.sessions.find(request.session or "")
    if session is None or session.user_id != context.caller.user_id:
        raise removed_session("You have no open session with this key.")
    idle = session.time_to_idle if request.timeToIdle is None else request.timeToIdle.val
    live = session.time_to_live if request.timeToLive is None else request.timeToLive.val
    longest = context.server.sessions.limits.longest_idle
    if idle < 0 or live < 0 or (not context.caller.is_admin and not 0 < idle <= longest):
        raise api_usage(f"A session may be idle for up to {longest} ms.")
    session.time_to_idle, session.time_to_live = idle, live
    return omero.cmd.OK()


def _require_image(image_id: int, context: Context) -> None:
    if not load_objects(context.database, "Image", [image_id], context.caller):
        raise api_usage(f"There is no image {image_id}.")
