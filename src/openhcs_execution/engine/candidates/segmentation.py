# SPDX-License-Identifier: AGPL-3.0-or-later
"""Find objects and spots, and make objects of objects. Every function names what it finds, so later steps can ask for it."""

from __future__ import annotations

from typing import Any

from .model import Candidate, Kind, Shown, shown

__all__ = ["SEGMENTATION"]

_CORRECTION = shown(
    "correction", 1.0, 0.1, 10, None, "Factor on the threshold: above 1 finds less, below 1 finds more.", type="number"
)
_SMOOTHING = shown("smoothing", 1.0, 0, 20, "pixels", "Gaussian smoothing before the threshold; 0 for none.", type="number")
_FILL = shown("fill_holes", True, help="Fill dark holes within objects.", type="boolean")
_SPLIT = shown(
    "split",
    0.0,
    0,
    400,
    "pixels",
    "Separate touching round objects of about this diameter; 0 leaves them together.",
    type="number",
    title="Split touching objects of",
)
_NBINS = shown("nbins", 256, 16, 65536, None, "Number of grey steps that are told apart.", advanced=True)


def _threshold(name: str, title: str, how: str, *parameters: Shown, **more: Any) -> Candidate:
    """A threshold of scikit-image: what is above becomes objects."""
    return Candidate(
        id=f"skimage:filters.threshold_{name}",
        kind=Kind.OBJECTS,
        title=f"Find objects ({title})",
        category="segmentation",
        help=f"{how} Connected pixels above the threshold are an object.",
        import_path=f"skimage.filters.threshold_{name}",
        parameters=(_SMOOTHING, _CORRECTION, *parameters, _FILL, _SPLIT),
        recipe="threshold",
        **more,
    )


_WINDOW = shown(
    "window_size",
    51,
    3,
    501,
    "pixels",
    "Edge of the surroundings; larger than an object. Even numbers count as the next odd one.",
    type="integer",
)

_THRESHOLDS = [
    _threshold("otsu", "Otsu", "Otsu's threshold divides grey values into two classes that spread least.", _NBINS),
    _threshold("li", "Li", "Li's minimum cross-entropy threshold; good for faint objects on a dark background."),
    _threshold("triangle", "triangle", "The triangle threshold: good where objects cover little of the field.", _NBINS),
    _threshold("yen", "Yen", "Yen's maximum correlation threshold; finds the bright parts only.", _NBINS),
    _threshold("isodata", "isodata", "The isodata threshold lies midway between the means of both classes.", _NBINS),
    _threshold("mean", "mean", "The threshold is the mean grey value of the field."),
    _threshold("minimum", "minimum", "The threshold is the valley between two peaks of the histogram.", _NBINS),
    _threshold(
        "multiotsu",
        "multi-Otsu",
        "Otsu's threshold for several classes; the brightest class is taken.",
        shown("classes", 3, 2, 4, None, "Into how many classes grey values are divided.", type="integer"),
        _NBINS,
    ),
    _threshold(
        "local",
        "local mean",
        "The threshold follows the surroundings of each pixel, so uneven illumination does not matter.",
        shown(
            "block_size",
            51,
            3,
            501,
            "pixels",
            "Edge of the surroundings; larger than an object. Even numbers count as the next odd one.",
            type="integer",
        ),
        shown("contrast", 4.0, 0, 100, "times the noise", "How far above its surroundings an object must be.", type="number"),
        in_noise=("contrast",),
    ),
    _threshold(
        "niblack",
        "Niblack",
        "The threshold follows mean and spread of the surroundings of each pixel.",
        _WINDOW,
        shown("k", -0.8, -3, 3, None, "How many spreads below the mean; negative is above.", type="number"),
    ),
    _threshold(
        "sauvola",
        "Sauvola",
        "The threshold follows mean and spread of the surroundings of each pixel, less where there is little spread.",
        _WINDOW,
        shown(
            "k",
            -0.2,
            -1,
            1,
            None,
            "How strongly the spread counts; negative raises the threshold where there is much.",
            type="number",
        ),
    ),
]

_REGIONS = [
    Candidate(
        id="skimage:segmentation.watershed",
        kind=Kind.OBJECTS,
        title="Find objects (watershed)",
        category="segmentation",
        help="One object per bump of the smoothed plane, within an Otsu threshold; borders run along the valleys.",
        import_path="skimage.segmentation.watershed",
        parameters=(
            shown(
                "smoothing",
                3.0,
                0.5,
                50,
                "pixels",
                "Gaussian smoothing; about a sixth of an object. More gives fewer objects.",
                type="number",
            ),
            _CORRECTION,
            shown("compactness", 0.0, 0, 100, None, "Larger gives rounder regions.", type="number", advanced=True),
        ),
        recipe="watershed",
    ),
    Candidate(
        id="skimage:segmentation.felzenszwalb",
        kind=Kind.OBJECTS,
        title="Divide into regions (Felzenszwalb)",
        category="segmentation",
        help="Divides the whole plane into regions of similar grey value. There is no background.",
        import_path="skimage.segmentation.felzenszwalb",
        parameters=(
            shown("scale", 100.0, 1, 10000, None, "Larger gives larger regions.", type="number"),
            shown("sigma", 0.8, 0.1, 20, "pixels", "Smoothing before regions are looked for.", type="number"),
            shown("min_size", 50, 1, 100000, "pixels", "Smaller regions are joined to their neighbours.", type="integer"),
        ),
        recipe="felzenszwalb",
    ),
    Candidate(
        id="skimage:segmentation.slic",
        kind=Kind.OBJECTS,
        title="Divide into regions (SLIC superpixels)",
        category="segmentation",
        help="Divides the whole plane into compact regions of about equal size. There is no background.",
        import_path="skimage.segmentation.slic",
        parameters=(
            shown("n_segments", 200, 2, 20000, None, "About how many regions.", type="integer"),
            shown("compactness", 0.1, 0.001, 100, None, "Larger gives squarer regions.", type="number"),
            shown("sigma", 1.0, 0, 20, "pixels", "Smoothing before regions are looked for.", type="number"),
        ),
        recipe="slic",
    ),
]

_CONTRAST = shown(
    "contrast",
    8.0,
    0.5,
    200,
    "times the noise",
    "How strongly a spot must stand out. Raise it when noise is taken for spots.",
    type="number",
)
_SIGMAS = (
    shown("min_sigma", 1.0, 0.5, 50, "pixels", "Size of the smallest spots: their radius is 1.4 times this.", type="number"),
    shown("max_sigma", 4.0, 0.5, 50, "pixels", "Size of the largest spots.", type="number"),
)
_OVERLAP = shown(
    "overlap", 0.5, 0, 1, None, "Two spots that share more than this part of their area count as one.", advanced=True
)
_SPOT_SIZE = shown("radius", 2.0, 0.5, 50, "pixels", "Radius of the disc that is drawn for each point.", type="number")

_POINTS = [
    *(
        Candidate(
            id=f"skimage:feature.blob_{name}",
            kind=Kind.POINTS,
            title=f"Find spots ({named})",
            category="spots",
            help=f"Finds bright round spots of different sizes by the {named}. Each is drawn as a disc of its size.",
            import_path=f"skimage.feature.blob_{name}",
            parameters=(*_SIGMAS, _CONTRAST, _OVERLAP),
            in_noise=("contrast",),
            recipe="blobs",
        )
        for name, named in (
            ("log", "Laplacian of Gaussian"),
            ("dog", "difference of Gaussians"),
            ("doh", "determinant of Hessian"),
        )
    ),
    Candidate(
        id="skimage:feature.peak_local_max",
        kind=Kind.POINTS,
        title="Find peaks",
        category="spots",
        help="Finds pixels that are the brightest of their surroundings, after smoothing.",
        import_path="skimage.feature.peak_local_max",
        parameters=(
            shown("min_distance", 3, 1, 200, "pixels", "Two peaks are at least this far apart."),
            shown("smoothing", 1.0, 0, 20, "pixels", "Gaussian smoothing before peaks are looked for.", type="number"),
            _CONTRAST,
            _SPOT_SIZE,
        ),
        in_noise=("contrast",),
        recipe="peaks",
    ),
    Candidate(
        id="skimage:feature.corner_peaks",
        kind=Kind.POINTS,
        title="Find corners",
        category="spots",
        help="Finds the strongest corners (Harris) of a plane, such as ends and branches of structures.",
        import_path="skimage.feature.corner_peaks",
        parameters=(
            shown("min_distance", 5, 1, 200, "pixels", "Two corners are at least this far apart."),
            shown("sigma", 2.0, 0.5, 20, "pixels", "Size of the corners.", type="number"),
            shown("threshold_rel", 0.1, 0.001, 1, "of the strongest", "Weaker corners are dropped.", type="number"),
            _SPOT_SIZE,
        ),
        recipe="corners",
    ),
]

_OWN = "openhcs_execution.engine.imaging.objects_of"


def _regroup(
    name: str, title: str, help: str, *parameters: Shown, of_plane: bool = False, category: str = "objects"
) -> Candidate:
    """A function of our own that makes objects of objects."""
    return Candidate(
        id=f"omero_openhcs:{name}",
        kind=Kind.REGROUP,
        title=title,
        category=category,
        help=help,
        import_path=f"{_OWN}.{name}",
        parameters=parameters,
        of_plane=of_plane,
    )


_OWN_OBJECTS = [
    Candidate(
        id="omero_openhcs:find_objects",
        kind=Kind.OBJECTS,
        title="Find objects",
        category="segmentation",
        help="Takes what is brighter than a threshold as objects, after removing the background if asked.",
        import_path=f"{_OWN}.find_objects",
        parameters=(
            shown(
                "method",
                "otsu",
                type="choice",
                choices=["otsu", "li", "triangle", "yen", "isodata", "noise", "value"],
                help="How the threshold is found: from the histogram, from the noise of the background, or as a grey value.",
            ),
            shown("value", 0.0, 0, 1_000_000, "grey values or times the noise", "Only for the last two methods."),
            _CORRECTION,
            _SMOOTHING,
            shown("background", 0.0, 0, 1000, "pixels", "Remove background wider than this before; 0 for none."),
            _FILL,
            _SPLIT,
        ),
    ),
    Candidate(
        id="omero_openhcs:label_mask",
        kind=Kind.OBJECTS,
        title="Objects of a mask",
        category="segmentation",
        help="Makes an object of each connected piece of a mask: of the pixels above zero.",
        import_path=f"{_OWN}.label_mask",
        parameters=(_SPLIT,),
    ),
    _regroup(
        "grow_objects",
        "Grow objects",
        "Grows objects by a distance, each up to its neighbours: cells from nuclei where the cytoplasm is not stained.",
        shown("distance", 10.0, 1, 500, "pixels", "How far."),
    ),
    _regroup(
        "shrink_objects",
        "Shrink objects",
        "Takes a rim off each object.",
        shown("distance", 2.0, 1, 500, "pixels", "Width of the rim."),
    ),
    _regroup(
        "ring_around_objects",
        "Ring around objects",
        "A ring around each object, such as the cytoplasm next to a nucleus, outside every other object.",
        shown("gap", 1.0, 0, 100, "pixels", "Distance between object and ring."),
        shown("width", 5.0, 1, 200, "pixels", "Width of the ring."),
    ),
    _regroup(
        "cells_from_nuclei",
        "Cells around nuclei",
        "One cell around each object, as far as the plane is brighter than a threshold; cells end where they meet.",
        shown(
            "correction",
            1.0,
            0.1,
            10,
            None,
            "Factor on the threshold (Otsu's, outside the nuclei): above 1 gives smaller cells.",
        ),
        shown("largest_distance", 50.0, 1, 1000, "pixels", "A cell reaches at most this far from its nucleus."),
        of_plane=True,
        category="segmentation",
    ),
    _regroup(
        "filter_objects_by_size",
        "Keep objects by size and shape",
        "Drops objects that are too small, too large or not round enough.",
        shown("smallest", 0.0, 0, 10_000_000, "pixels", "Least area."),
        shown("largest", 10_000_000.0, 1, 10_000_000, "pixels", "Largest area."),
        shown("least_solidity", 0.0, 0, 1, None, "Area divided by the area of the convex hull: 1 has no dents."),
        shown("exclude_border", False, help="Also drop objects that are cut by the edge of the field."),
    ),
    _regroup(
        "filter_objects_by_intensity",
        "Keep objects by intensity",
        "Keeps objects whose mean grey value in a channel is within limits, such as positive cells.",
        shown("least", 0.0, -1_000_000, 10_000_000, "grey values", "Least mean."),
        shown("most", 10_000_000.0, -1_000_000, 10_000_000, "grey values", "Largest mean."),
        of_plane=True,
    ),
    _regroup("fill_objects", "Fill holes of objects", "Fills holes within each object."),
    _regroup(
        "split_objects",
        "Split touching objects",
        "Separates touching round objects at their waists.",
        shown("diameter", 18.0, 4, 400, "pixels", "Typical diameter of one."),
    ),
    _regroup(
        "smooth_objects",
        "Smooth outlines",
        "Rounds off the outline of each object.",
        shown("radius", 2.0, 1, 50, "pixels", "Details smaller than this disappear."),
    ),
    _regroup(
        "convex_objects",
        "Convex objects",
        "Encloses each object by a rubber band; where two meet, the earlier one keeps the pixels.",
    ),
    _regroup("object_outlines", "Outlines of objects", "The outermost pixels of each object, as objects."),
]

SEGMENTATION = [*_THRESHOLDS, *_REGIONS, *_POINTS, *_OWN_OBJECTS]
