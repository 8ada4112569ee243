# SPDX-License-Identifier: AGPL-3.0-or-later
"""Software that a run uses, and how its authors want it cited. A DOI stands here only where the work has one of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["OMERO", "SOFTWARE", "Reference", "Software", "ported_from", "software_of"]


@dataclass(frozen=True)
class Reference:
    """A paper; ``text`` ends before the DOI."""

    text: str
    doi: str

    @property
    def url(self) -> str:
        return f"https://doi.org/{self.doi}"


@dataclass(frozen=True)
class Software:
    """``package`` is its name in the versions of an execution; ``reference`` is None where no paper is known to us."""

    package: str
    name: str
    url: str
    reference: Reference | None = None


OMERO = Software(
    "omero",
    "OMERO",
    "https://www.openmicroscopy.org/omero/",
    Reference(
        "Allan C et al. OMERO: flexible, model-driven data management for experimental biology. Nat Methods 2012;9:245–253",
        "10.1038/nmeth.1896",
    ),
)

_CELLPROFILER = Software(
    "cellprofiler",
    "CellProfiler",
    "https://cellprofiler.org/",
    Reference(
        "Carpenter AE et al. CellProfiler: image analysis software for identifying and quantifying cell phenotypes. "
        "Genome Biol 2006;7:R100",
        "10.1186/gb-2006-7-10-r100",
    ),
)

SOFTWARE: Mapping[str, Software] = {
    entry.package: entry
    for entry in (
        Software("omero-openhcs", "omero-openhcs", "https://pypi.org/project/omero-openhcs/"),
        Software("openhcs", "OpenHCS", "https://openhcs.readthedocs.io/"),
        Software("python", "Python", "https://www.python.org/"),
        Software(
            "numpy",
            "NumPy",
            "https://numpy.org/",
            Reference("Harris CR et al. Array programming with NumPy. Nature 2020;585:357–362", "10.1038/s41586-020-2649-2"),
        ),
        Software(
            "scipy",
            "SciPy",
            "https://scipy.org/",
            Reference(
                "Virtanen P et al. SciPy 1.0: fundamental algorithms for scientific computing in Python. "
                "Nat Methods 2020;17:261–272",
                "10.1038/s41592-019-0686-2",
            ),
        ),
        Software(
            "scikit-image",
            "scikit-image",
            "https://scikit-image.org/",
            Reference("van der Walt S et al. scikit-image: image processing in Python. PeerJ 2014;2:e453", "10.7717/peerj.453"),
        ),
    )
}
"""By package. Other packages are told by name and version."""


def software_of(versions: Mapping[str, str]) -> list[tuple[Software, str]]:
    """What ran, with its version, the best known first."""
    known = [(software, versions[package]) for package, software in SOFTWARE.items() if package in versions]
    others = [(Software(name, name, ""), version) for name, version in sorted(versions.items()) if name not in SOFTWARE]
    return known + others


def ported_from(libraries: Iterable[str]) -> list[Software]:
    """Software whose methods functions of these libraries of the catalogue are ports of."""
    return [_CELLPROFILER] if any("CellProfiler" in library for library in libraries) else []
