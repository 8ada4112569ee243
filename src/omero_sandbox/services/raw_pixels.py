# SPDX-License-Identifier: AGPL-3.0-or-later
"""RawPixelsStore: the pixels themselves, read and written in parts.

The caller's right to read is checked at every call and her right to change at every call that writes. No call holds the
database lock while it reads or writes pixels.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from omero_sandbox.ice.dispatch import Service, own_transactions
from omero_sandbox.ice.errors import api_usage
from omero_sandbox.pixels.buffers import OutOfBoundsError, PixelBuffer
from omero_sandbox.pixels.statistics import histogram, min_max
from omero_sandbox.query.execution import load_objects
from omero_sandbox.services.object_access import anywhere, require_editable, require_readable, resource_error
from omero_sandbox.services.pixel_sources import (
    LARGEST_ANSWER,
    PixelSource,
    SingleResolution,
    answer,
    channel_infos,
    open_pixels,
)

if TYPE_CHECKING:
    from omero_sandbox.ice.server import SandboxServer
    from omero_sandbox.ice.sessions import Session
    from omero_sandbox.security.caller import Caller

__all__ = ["RawPixelsStoreService"]

_MAX_BINS = 1 << 16
_Method = TypeVar("_Method", bound=Callable[..., Any])


def _reads(method: _Method) -> _Method:
    """Check that the caller may (still) read the pixels, and report a place outside the image as a wrong argument."""

    @functools.wraps(method)
    def checked(self: RawPixelsStoreService, *arguments: Any) -> Any:
        require_readable(self.database, "Pixels", self.source.pixels_id, arguments[-1])
        return _in_bounds(method, self, *arguments)

    return own_transactions(checked)  # type: ignore[return-value]


def _writes(method: _Method) -> _Method:
    """The same for calls that change pixels."""

    @functools.wraps(method)
    def checked(self: RawPixelsStoreService, *arguments: Any) -> Any:
        require_editable(self.database, "Pixels", self.source.pixels_id, arguments[-1])
        self.modified = True
        return _in_bounds(method, self, *arguments)

    return own_transactions(checked)  # type: ignore[return-value]


def _in_bounds(method: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return method(*arguments)
    except OutOfBoundsError as error:
        raise api_usage(f"{error}.") from error
    except OSError as error:
        raise resource_error(f"The pixel file cannot be used: {error.strerror}.") from error


class RawPixelsStoreService(SingleResolution, Service):
    """One client's access to one Pixels object at a time."""

    def __init__(self, server: SandboxServer, session: Session) -> None:
        super().__init__(server, session)
        self._source: PixelSource | None = None
        self.modified = False

    @property
    def source(self) -> PixelSource:  # type: ignore[override]
        """The Pixels object in use."""
        if self._source is None:
            raise api_usage("Call setPixelsId first: this service does not know which pixels are meant.")
        return self._source

    @property
    def buffer(self) -> PixelBuffer:
        """The file of the pixels in use."""
        return self.source.buffer

    @own_transactions
    def setPixelsId(self, pixels_id: int, bypass: bool, caller: Caller) -> None:
        """Choose the pixels. ``bypass`` (of the original file) means nothing here: pixels have one place."""
        self.release()
        self._source = open_pixels(self.database, pixels_id, caller)

    def getPixelsId(self, caller: Caller) -> int:
        """Return the id of the pixels in use."""
        return self.source.pixels_id

    def getPixelsPath(self, caller: Caller) -> str:
        """Return the file's place below the data folder."""
        return str(self.buffer.path.relative_to(self.database.folder))

    def prepare(self, pixels_ids: list[int], caller: Caller) -> None:
        """A hint that these pixels will be needed soon; nothing has to be prepared here."""

    # -- sizes ------------------------------------------------------------------------------------------------------

    def getByteWidth(self, caller: Caller) -> int:
        """Bytes per pixel."""
        return self.buffer.dtype.itemsize

    def isSigned(self, caller: Caller) -> bool:
        """Whether intensities can be negative."""
        return self.buffer.dtype.kind in "if"

    def isFloat(self, caller: Caller) -> bool:
        """Whether intensities have a fraction."""
        return self.buffer.dtype.kind == "f"

    def getRowSize(self, caller: Caller) -> int:
        """Bytes per row."""
        return self.buffer.row_size

    def getPlaneSize(self, caller: Caller) -> int:
        """Bytes per plane."""
        return self.buffer.plane_size

    def getStackSize(self, caller: Caller) -> int:
        """Bytes of all sections of a channel at a time point."""
        return self.buffer.stack_size

    def getTimepointSize(self, caller: Caller) -> int:
        """Bytes of a time point."""
        return self.buffer.timepoint_size

    def getTotalSize(self, caller: Caller) -> int:
        """Bytes of the whole image."""
        return self.buffer.total_size

    @_reads
    def getRowOffset(self, y: int, z: int, c: int, t: int, caller: Caller) -> int:
        """Where a row starts in the file."""
        return self.buffer.row_offset(y, z, c, t)

    @_reads
    def getPlaneOffset(self, z: int, c: int, t: int, caller: Caller) -> int:
        """Where a plane starts in the file."""
        return self.buffer.plane_offset(z, c, t)

    @_reads
    def getStackOffset(self, c: int, t: int, caller: Caller) -> int:
        """Where a stack starts in the file."""
        return self.buffer.plane_offset(0, c, t)

    @_reads
    def getTimepointOffset(self, t: int, caller: Caller) -> int:
        """Where a time point starts in the file."""
        return self.buffer.plane_offset(0, 0, t)

    # -- reading ----------------------------------------------------------------------------------------------------

    @_reads
    def getPlane(self, z: int, c: int, t: int, caller: Caller) -> bytes:
        """One plane."""
        return answer(self.buffer.plane(z, c, t))

    @_reads
    def getTile(self, z: int, c: int, t: int, x: int, y: int, w: int, h: int, caller: Caller) -> bytes:
        """A rectangle of one plane."""
        return answer(self.buffer.tile(z, c, t, x=x, y=y, width=w, height=h))

    @_reads
    def getHypercube(self, offset: list[int], size: list[int], step: list[int], caller: Caller) -> bytes:
        """A block in x, y, z, c, t, with steps."""
        return answer(self.buffer.hypercube(offset, size, step))

    @_reads
    def getStack(self, c: int, t: int, caller: Caller) -> bytes:
        """All sections of a channel at a time point."""
        return answer(self.buffer.stack(c, t))

    @_reads
    def getTimepoint(self, t: int, caller: Caller) -> bytes:
        """All channels and sections at a time point."""
        return answer(self.buffer.timepoint(t))

    @_reads
    def getRow(self, y: int, z: int, c: int, t: int, caller: Caller) -> bytes:
        """One row of a plane."""
        return answer(self.buffer.row(y, z, c, t))

    @_reads
    def getCol(self, x: int, z: int, c: int, t: int, caller: Caller) -> bytes:
        """One column of a plane."""
        return answer(self.buffer.column(x, z, c, t))

    @_reads
    def getRegion(self, size: int, offset: int, caller: Caller) -> bytes:
        """Any bytes of the file."""
        if size > LARGEST_ANSWER:
            raise api_usage(f"{size} bytes are too many for one call; ask for at most {LARGEST_ANSWER}.")
        return self.buffer.region(size, offset)

    @_reads
    def getPlaneRegion(self, z: int, c: int, t: int, size: int, offset: int, caller: Caller) -> bytes:
        """``size`` pixels of a plane from pixel ``offset`` of that plane."""
        width = self.buffer.dtype.itemsize
        if offset < 0 or size < 1 or (offset + size) * width > self.buffer.plane_size:
            raise OutOfBoundsError(f"{size} pixels from pixel {offset} are not in the plane")
        return self.buffer.region(size * width, self.buffer.plane_offset(z, c, t) + offset * width)

    @_reads
    def calculateMessageDigest(self, caller: Caller) -> bytes:
        """The SHA-1 of the whole file."""
        return self.buffer.sha1()

    @_reads
    def findMinMax(self, channels: list[int], caller: Caller) -> dict[int, list[float]]:
        """Lowest and highest intensity of each channel."""
        return {channel: list(min_max(self.buffer, channel)) for channel in channels}

    @_reads
    def getHistogram(
        self, channels: list[int], bins: int, global_range: bool, plane: Any, caller: Caller
    ) -> dict[int, list[int]]:
        """Counts of each channel in a plane or a part of it, over the channel's whole range or that of the plane."""
        if not 1 <= bins <= _MAX_BINS:
            raise api_usage(f"A histogram has 1 to {_MAX_BINS} bins, not {bins}.")
        infos = channel_infos(self.database, self.source) if global_range else []
        counts = {}
        for channel in channels:
            if plane.region is None:
                values = self.buffer.plane(plane.z, channel, plane.t)
            else:
                area = plane.region
                values = self.buffer.tile(plane.z, channel, plane.t, x=area.x, y=area.y, width=area.width, height=area.height)
            bounds = (float(values.min()), float(values.max()))
            if global_range:
                bounds = (infos[channel].minimum, infos[channel].maximum)
            counts[channel] = histogram(values, bins, bounds)
        return counts

    # -- writing ----------------------------------------------------------------------------------------------------

    @_writes
    def setPlane(self, values: bytes, z: int, c: int, t: int, caller: Caller) -> None:
        """Write one plane."""
        self.buffer.write_plane(z, c, t, _bytes(values))

    @_writes
    def setTile(self, values: bytes, z: int, c: int, t: int, x: int, y: int, w: int, h: int, caller: Caller) -> None:
        """Write a rectangle of one plane."""
        self.buffer.write_tile(z, c, t, _bytes(values), x=x, y=y, width=w, height=h)

    @_writes
    def setRow(self, values: bytes, y: int, z: int, c: int, t: int, caller: Caller) -> None:
        """Write one row of a plane."""
        self.buffer.write_row(y, z, c, t, _bytes(values))

    @_writes
    def setStack(self, values: bytes, z: int, c: int, t: int, caller: Caller) -> None:
        """Write all sections of a channel at a time point (``z`` is part of OMERO's signature and means nothing)."""
        self.buffer.write_stack(c, t, _bytes(values))

    @_writes
    def setTimepoint(self, values: bytes, t: int, caller: Caller) -> None:
        """Write a whole time point."""
        self.buffer.write_timepoint(t, _bytes(values))

    @_writes
    def setRegion(self, size: int, offset: int, values: bytes, caller: Caller) -> None:
        """Write ``size`` bytes into the file."""
        data = _bytes(values)
        if len(data) != size:
            raise api_usage(f"Announced {size} bytes, sent {len(data)}.")
        self.buffer.write_region(offset, data)

    @_writes
    def save(self, caller: Caller) -> Any:
        """Record the checksum and return the Pixels object."""
        self._record_checksum()
        (pixels,) = load_objects(self.database, "Pixels", [self.source.pixels_id], anywhere(caller))
        return pixels

    @own_transactions
    def close(self, caller: Caller) -> None:
        """Record the checksum of what was written and free the service."""
        super().close(caller)

    def release(self) -> None:
        """Record the checksum when pixels were written. Each write was allowed when it was made."""
        if self.modified:
            self._record_checksum()

    def _record_checksum(self) -> None:
        self.modified = False
        if self.database.value("SELECT 1 FROM e_Pixels WHERE id = ?", self.source.pixels_id) is None:
            return  # deleted meanwhile; reading the file now would make it anew
        digest = self.buffer.sha1().hex()
        with self.database.transaction(write=True):
            self.database.execute("UPDATE e_Pixels SET c_sha1 = ? WHERE id = ?", digest, self.source.pixels_id)


def _bytes(values: bytes | Sequence[int]) -> bytes:
    """Return a byte sequence as Ice hands it in (bytes from most clients) as bytes."""
    return values if isinstance(values, bytes) else bytes(values)
