# SPDX-License-Identifier: AGPL-3.0-or-later
"""Measure objects and fields."""

from __future__ import annotations

from .model import Candidate, Gives, Grey, Kind, Takes, shown

__all__ = ["MEASUREMENT"]

_OWN = "openhcs_execution.engine.imaging.measure"


def _field(
    name: str, title: str, help: str, *columns: str, takes: Takes = Takes.FLOAT, recipe: str | None = None, **fixed: object
) -> Candidate:
    """A function of scikit-image that returns numbers."""
    return Candidate(
        id=f"skimage:{name}",
        kind=Kind.MEASURE_FIELD,
        title=title,
        category="measurement",
        help=help,
        import_path=f"skimage.{name}",
        takes=takes,
        columns=columns,
        recipe=recipe,
        fixed=fixed,
    )


_MASKED = " Every pixel above zero counts as inside."

_FIELDS = [
    _field("measure.blur_effect", "Measure blur", "How blurred a field is, from 0 (sharp) to 1.", "blur"),
    _field(
        "measure.shannon_entropy",
        "Measure entropy",
        "How varied the grey values of a field are, in bits.",
        "entropy",
        takes=Takes.SAME,
    ),
    _field("restoration.estimate_sigma", "Measure noise", "Standard deviation of the pixel noise, in grey values.", "noise"),
    _field(
        "measure.centroid", "Measure centre of light", "Where the middle of all light is, in pixels.", "centre_y", "centre_x"
    ),
    _field(
        "measure.moments",
        "Measure moments",
        "Sum of all light, and its first moments.",
        "total",
        "moment_x",
        "moment_y",
        "moment_xy",
        recipe="moments",
    ),
    _field(
        "measure.moments_central",
        "Measure spread of light",
        "Second moments of the light around its middle, in pixels squared.",
        "variance_y",
        "variance_x",
        "covariance",
        recipe="central_moments",
    ),
    _field(
        "measure.inertia_tensor",
        "Measure direction of light",
        "How elongated the light of a field is, and along which axis.",
        "elongation",
        "angle",
        recipe="inertia",
    ),
    _field(
        "measure.euler_number",
        "Measure pieces minus holes",
        "Number of pieces of a mask minus number of its holes." + _MASKED,
        "euler_number",
        takes=Takes.MASK,
    ),
    _field(
        "measure.perimeter",
        "Measure perimeter of a mask",
        "Length of all outlines of a mask, in pixels." + _MASKED,
        "perimeter",
        takes=Takes.MASK,
    ),
    _field(
        "measure.perimeter_crofton",
        "Measure perimeter of a mask (Crofton)",
        "Length of all outlines of a mask, in pixels, by Crofton's formula." + _MASKED,
        "perimeter_crofton",
        takes=Takes.MASK,
    ),
    Candidate(
        id="skimage:exposure.is_low_contrast",
        kind=Kind.MEASURE_FIELD,
        title="Tell empty fields",
        category="measurement",
        help="1 for a field with hardly any contrast, 0 for others. Averaged over a well it is the share of empty fields.",
        import_path="skimage.exposure.is_low_contrast",
        takes=Takes.UNIT,
        columns=("low_contrast",),
        parameters=(
            shown("fraction_threshold", 0.005, 0.0001, 1, "of the full range", "Least contrast of a field that is not empty."),
            shown(
                "lower_percentile", 1, 0, 49, "percent", "The darkest pixels that are left out.", advanced=True, type="number"
            ),
            shown(
                "upper_percentile",
                99,
                51,
                100,
                "percent",
                "From here on the brightest pixels are left out.",
                advanced=True,
                type="number",
            ),
        ),
    ),
]


def _objects(
    name: str, title: str, help: str, *parameters: object, columns: tuple[str, ...] = (), of_plane: bool = True
) -> Candidate:
    return Candidate(
        id=f"omero_openhcs:{name}",
        kind=Kind.MEASURE_OBJECTS,
        title=title,
        category="measurement",
        help=help,
        import_path=f"{_OWN}.{name}",
        parameters=parameters,  # type: ignore[arg-type]
        columns=columns,
        of_plane=of_plane,
    )


_OTHERS = shown("others", type="objects", help="The other objects.", title="Other objects")

_OWN_MEASURES = [
    _objects(
        "measure_object_intensity",
        "Measure intensity of objects",
        "Mean, spread, sum and maximum of a channel in each object.",
        shown("subtract_background", False, help="Measure above the local background of the field."),
    ),
    _objects(
        "measure_object_edges",
        "Measure intensity at edge and centre",
        "Mean grey value in the rim and in the core of each object, and their ratio.",
        shown("rim", 3.0, 1, 100, "pixels", "Width of the rim."),
    ),
    _objects(
        "measure_object_texture",
        "Measure texture of objects",
        "Contrast, homogeneity, correlation and entropy of neighbouring grey values in each object (Haralick's features from "
        "grey-level co-occurrence), and the strength of its detail.",
        shown("distance", 2, 1, 50, "pixels", "Distance of the pixels that are compared.", type="integer"),
        shown("levels", 32, 4, 256, None, "Number of grey steps that are told apart.", type="integer", advanced=True),
    ),
    _objects(
        "measure_object_shape",
        "Measure shape of objects",
        "Perimeter, roundness, solidity, longest and shortest axis, orientation and largest inner circle of each object.",
        of_plane=False,
    ),
    _objects(
        "measure_object_neighbours",
        "Measure neighbours of objects",
        "Distance to the nearest other object and number of objects within a distance of each object.",
        shown("distance", 50.0, 1, 10000, "pixels", "Within which neighbours are counted, from centre to centre."),
        of_plane=False,
    ),
    _objects(
        "count_objects_inside",
        "Count objects inside objects",
        "How many other objects lie in each object, and which share of its area they cover; such as spots per cell.",
        _OTHERS,
        of_plane=False,
    ),
    _objects(
        "measure_distance_to_objects",
        "Measure distance to other objects",
        "Distance from the centre of each object to the nearest pixel of the other objects.",
        _OTHERS,
        of_plane=False,
    ),
    _objects(
        "measure_colocalisation_in_objects",
        "Measure colocalisation in objects",
        "Pearson's correlation and overlap of two channels in each object.",
        shown("second_channel", 2, type="channel", help="The channel to compare with."),
    ),
    _objects(
        "classify_objects",
        "Positive and negative objects",
        "1 for objects whose mean grey value exceeds a limit, 0 for others; averaged over a well "
        "it is the share of positive ones.",
        shown("limit", 500.0, -1_000_000, 10_000_000, "grey values", "From here on an object is positive."),
    ),
    Candidate(
        id="omero_openhcs:measure_area_occupied",
        kind=Kind.MEASURE_FIELD,
        title="Measure area occupied",
        category="measurement",
        help="Share of a field that is brighter than a threshold, such as confluence.",
        import_path=f"{_OWN}.measure_area_occupied",
        columns=("area_fraction", "threshold"),
        parameters=(
            shown(
                "method",
                "otsu",
                type="choice",
                choices=["otsu", "li", "triangle", "yen", "isodata", "noise", "value"],
                help="How the threshold is found.",
            ),
            shown("value", 0.0, 0, 1_000_000, "grey values or times the noise", "Only for the last two methods."),
        ),
    ),
    Candidate(
        id="omero_openhcs:objects_to_mask",
        kind=Kind.PAINT,
        title="Mask of objects",
        category="objects",
        help="Replaces the channel by a mask: 1 in objects, 0 elsewhere.",
        import_path="openhcs_execution.engine.imaging.objects_of.objects_to_mask",
        gives=Gives.MASK,
        grey=Grey.MASK,
    ),
    Candidate(
        id="omero_openhcs:blank_outside_objects",
        kind=Kind.PAINT,
        title="Keep the image within objects",
        category="objects",
        help="Sets everything outside objects to zero.",
        import_path="openhcs_execution.engine.imaging.objects_of.blank_outside_objects",
        takes=Takes.SAME,
        grey=Grey.UNITS,
    ),
]

MEASUREMENT = [*_FIELDS, *_OWN_MEASURES]
