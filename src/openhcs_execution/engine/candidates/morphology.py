# SPDX-License-Identifier: AGPL-3.0-or-later
"""Morphology: shapes of grey values and of masks."""

from __future__ import annotations

from typing import Any

from .model import Candidate, Gives, Grey, Kind, Shown, Takes, shown

__all__ = ["MORPHOLOGY"]

_RADIUS = shown("radius", 3, 1, 100, "pixels", "Radius of the disc.", type="integer")
_CONNECTIVITY = shown(
    "connectivity",
    1,
    1,
    2,
    None,
    "1: only pixels that share an edge belong together; 2: corners too.",
    type="integer",
    advanced=True,
)


def _grey(name: str, title: str, help: str, *parameters: Shown, category: str = "morphology", **more: Any) -> Candidate:
    return Candidate(
        id=f"skimage:morphology.{name}",
        kind=Kind.IMAGE,
        title=title,
        category=category,
        help=help,
        import_path=f"skimage.morphology.{name}",
        takes=Takes.SAME,
        grey=Grey.UNITS,
        parameters=parameters,
        footprint="footprint" if any(parameter.name == "radius" for parameter in parameters) else None,
        **more,
    )


def _mask(name: str, title: str, help: str, *parameters: Shown, **more: Any) -> Candidate:
    return Candidate(
        id=f"skimage:morphology.{name}",
        kind=Kind.IMAGE,
        title=title,
        category=more.pop("category", "morphology"),
        help=f"{help} Works on masks: every pixel above zero counts as inside; the result is 1 inside and 0 outside.",
        import_path=f"skimage.morphology.{name}",
        takes=more.pop("takes", Takes.MASK),
        gives=Gives.MASK,
        grey=Grey.MASK,
        parameters=parameters,
        **more,
    )


_DISCS = [
    _grey("erosion", "Erode", "Each pixel becomes the darkest within the disc: bright things shrink.", _RADIUS),
    _grey("dilation", "Dilate", "Each pixel becomes the brightest within the disc: bright things grow.", _RADIUS),
    _grey("opening", "Open", "Removes bright things narrower than the disc.", _RADIUS),
    _grey("closing", "Close", "Fills dark things narrower than the disc.", _RADIUS),
    _grey(
        "white_tophat",
        "White top-hat",
        "Keeps bright things narrower than the disc and removes everything wider, such as background.",
        shown("radius", 10, 1, 100, "pixels", "Larger than the objects that are to stay.", type="integer"),
        category="illumination",
    ),
    _grey("black_tophat", "Black top-hat", "Shows dark things narrower than the disc, as bright ones.", _RADIUS),
]

_ATTRIBUTES = [
    _grey(
        f"{what}_{way}",
        f"{title} by {what}",
        f"{effect} {measure}, whatever their shape; everything else stays as it is.",
        shown(f"{what}_threshold", default, 1, 1_000_000, unit, f"Structures below this {what} disappear."),
        _CONNECTIVITY,
    )
    for what, measure, default, unit in (
        ("area", "smaller than an area", 64, "pixels"),
        ("diameter", "shorter than a length", 8, "pixels"),
    )
    for way, title, effect in (
        ("opening", "Remove bright specks", "Removes bright structures"),
        ("closing", "Fill dark specks", "Fills dark structures"),
    )
]

_MASKS = [
    _mask("binary_erosion", "Erode mask", "Shrinks a mask.", _RADIUS, footprint="footprint"),
    _mask("binary_dilation", "Dilate mask", "Grows a mask.", _RADIUS, footprint="footprint"),
    _mask(
        "binary_opening",
        "Open mask",
        "Removes parts of a mask that are narrower than the disc.",
        _RADIUS,
        footprint="footprint",
    ),
    _mask(
        "binary_closing", "Close mask", "Fills gaps of a mask that are narrower than the disc.", _RADIUS, footprint="footprint"
    ),
    _mask("convex_hull_image", "Convex hull of the mask", "Encloses everything in the mask by one rubber band."),
    _mask(
        "convex_hull_object", "Convex hulls", "Encloses each piece of the mask by a rubber band.", recipe="convex_hull_object"
    ),
    _mask("skeletonize", "Skeleton", "Thins a mask to lines in its middle.", category="neurites"),
    _mask(
        "medial_axis", "Medial axis", "Thins a mask to the lines farthest from its edge.", category="neurites", fixed={"rng": 0}
    ),
    _mask(
        "thin",
        "Thin",
        "Takes away the outer pixels of a mask, round by round, without breaking it apart.",
        shown("rounds", 5, 1, 500, None, "How many times.", type="integer"),
        category="neurites",
        recipe="thin",
    ),
    _mask(
        "local_maxima",
        "Local maxima",
        "Marks pixels, or flat tops, that are brighter than everything around them.",
        shown("allow_borders", True, help="Also at the edge of the image.", type="boolean"),
        takes=Takes.SAME,
        category="spots",
        recipe="local_extrema",
    ),
    _mask(
        "local_minima",
        "Local minima",
        "Marks pixels, or flat bottoms, that are darker than everything around them.",
        shown("allow_borders", True, help="Also at the edge of the image.", type="boolean"),
        takes=Takes.SAME,
        category="spots",
        recipe="local_extrema",
    ),
    _mask(
        "max_tree_local_maxima",
        "Local maxima (max-tree)",
        "Marks pixels, or flat tops, that are brighter than everything around them, found by the max-tree.",
        _CONNECTIVITY,
        takes=Takes.SAME,
        category="spots",
    ),
    Candidate(
        id="skimage:feature.canny",
        kind=Kind.IMAGE,
        title="Edges (Canny)",
        category="pre-processing",
        help="Thin lines along the edges. The result is 1 on an edge and 0 elsewhere.",
        import_path="skimage.feature.canny",
        gives=Gives.MASK,
        grey=Grey.MASK,
        parameters=(
            shown("sigma", 2.0, 0.5, 20, "pixels", "Smoothing before edges are looked for."),
            shown(
                "low_threshold",
                0.8,
                0,
                1,
                "quantile",
                "An edge goes on while it is stronger than this share of all pixels.",
                type="number",
            ),
            shown(
                "high_threshold",
                0.95,
                0,
                1,
                "quantile",
                "An edge begins where it is stronger than this share of all pixels.",
                type="number",
            ),
        ),
        fixed={"use_quantiles": True, "mode": "nearest"},
        recipe="canny",
    ),
    Candidate(
        id="skimage:segmentation.chan_vese",
        kind=Kind.OBJECTS,
        title="Find objects (Chan-Vese)",
        category="segmentation",
        help="Divides the plane into a bright and a dark part of smooth outline, without looking at "
        "edges; each bright piece is an object. Slow.",
        import_path="skimage.segmentation.chan_vese",
        parameters=(
            shown("mu", 0.1, 0.01, 1, None, "How smooth the outline is.", type="number"),
            shown("max_num_iter", 60, 10, 500, None, "When to stop.", title="Largest number of rounds", advanced=True),
        ),
        recipe="chan_vese",
    ),
]

MORPHOLOGY = [*_DISCS, *_ATTRIBUTES, *_MASKS]
