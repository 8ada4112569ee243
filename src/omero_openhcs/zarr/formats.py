# SPDX-License-Identifier: AGPL-3.0-or-later
"""How OME-Zarr 0.4 (on Zarr version 2) and 0.5 (on Zarr version 3) write the same content down.

Each format knows the names and contents of its metadata documents and the addresses of chunks. Everything else is common.
Specifications: https://ngff.openmicroscopy.org/0.4/, https://ngff.openmicroscopy.org/0.5/, https://zarr-specs.readthedocs.io/.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from .chunks import ArraySpec

__all__ = ["FORMATS", "Format"]

Document = dict[str, Any]


class Format(Protocol):
    """One version of OME-Zarr."""

    version: str

    def group_document(self, name: str, ome: Document, extra: Document) -> Document | None:
        """The document ``name`` of a group with the OME metadata ``ome`` and attributes ``extra``; None if there is none."""

    def array_document(self, name: str, array: ArraySpec) -> Document | None:
        """The document ``name`` of an array; None if there is none."""

    def chunk_index(self, parts: Sequence[str]) -> tuple[int, ...] | None:
        """The chunk that an address below an array names, or None when it does not name one."""


class _Version04:
    version = "0.4"

    def group_document(self, name: str, ome: Document, extra: Document) -> Document | None:
        if name == ".zgroup":
            return {"zarr_format": 2}
        if name == ".zattrs":
            return {key: self._versioned(value) for key, value in ome.items()} | extra
        return None

    def array_document(self, name: str, array: ArraySpec) -> Document | None:
        if name != ".zarray":
            return None
        return {
            "zarr_format": 2,
            "shape": list(array.shape),
            "chunks": list(array.chunks),
            "dtype": array.dtype.str,
            "compressor": {"id": "gzip", "level": array.gzip_level} if array.gzip_level is not None else None,
            "fill_value": 0,
            "filters": None,
            "order": "C",
            "dimension_separator": "/",
        }

    def chunk_index(self, parts: Sequence[str]) -> tuple[int, ...] | None:
        return _numbers(parts)

    def _versioned(self, value: Any) -> Any:
        """0.4 repeats its version in every object; the list of label names is not one."""
        if isinstance(value, dict):
            return {"version": self.version, **value}
        if isinstance(value, list):
            return [self._versioned(item) if isinstance(item, dict) else item for item in value]
        return value


class _Version05:
    version = "0.5"

    def group_document(self, name: str, ome: Document, extra: Document) -> Document | None:
        if name != "zarr.json":
            return None
        if "plate" in ome:
            # The one object of 0.5 that still repeats the version.
            ome = ome | {"plate": {"version": self.version, **ome["plate"]}}
        attributes = ({"ome": {"version": self.version, **ome}} if ome else {}) | extra
        return {"zarr_format": 3, "node_type": "group", "attributes": attributes}

    def array_document(self, name: str, array: ArraySpec) -> Document | None:
        if name != "zarr.json":
            return None
        codecs: list[Document] = [{"name": "bytes", "configuration": {"endian": "little"}}]
        if array.gzip_level is not None:
            codecs.append({"name": "gzip", "configuration": {"level": array.gzip_level}})
        return {
            "zarr_format": 3,
            "node_type": "array",
            "shape": list(array.shape),
            "data_type": array.dtype.name,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(array.chunks)}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": 0,
            "codecs": codecs,
            "dimension_names": list(array.axes),
            "attributes": {},
        }

    def chunk_index(self, parts: Sequence[str]) -> tuple[int, ...] | None:
        return _numbers(parts[1:]) if parts and parts[0] == "c" else None


FORMATS: dict[str, Format] = {"0.4": _Version04(), "0.5": _Version05()}


def _numbers(parts: Sequence[str]) -> tuple[int, ...] | None:
    # Only the canonical way of writing a number is an address: "00" and "٣" are not.
    canonical = all(part.isascii() and part.isdigit() and (part == "0" or part[0] != "0") and len(part) < 10 for part in parts)
    return tuple(int(part) for part in parts) if parts and canonical else None
