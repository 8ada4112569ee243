# SPDX-License-Identifier: AGPL-3.0-or-later
"""Filters: a plane becomes a plane."""

from __future__ import annotations

from typing import Any

from .model import Candidate, Gives, Grey, Kind, Shown, Takes, shown

__all__ = ["FILTERS"]

_MODE = shown(
    "mode",
    type="choice",
    choices=["reflect", "nearest", "mirror", "wrap"],
    advanced=True,
    help="What lies beyond the edge of the image: its mirror image, its last pixels, or its other side.",
)
_SIGMA = shown("sigma", 1.0, 0.1, 50, "pixels", "Width of the filter; details smaller than this disappear.")
_RADIUS = shown("radius", 2, 1, 100, "pixels", "Radius of the disc that is looked at around each pixel.", type="integer")


def _skimage(
    name: str, title: str, category: str, help: str, grey: Grey, *parameters: Shown, module: str | None = None, **more: Any
) -> Candidate:
    """A function of scikit-image, called directly on one plane instead of through OpenHCS's stretching wrapper."""
    return Candidate(
        id=f"skimage:{name}",
        kind=Kind.IMAGE,
        title=title,
        category=category,
        help=help,
        import_path=f"skimage.{module or name}",
        grey=grey,
        parameters=parameters,
        **more,
    )


def _gradient(operator: str, named: str) -> list[Candidate]:
    """The edge filters of one operator: strength, and the two directions."""
    return [
        _skimage(
            f"filters.{operator}",
            f"Edges ({named})",
            "pre-processing",
            f"Strength of the edges by the {named} operator: bright where grey values change, zero where they do not.",
            Grey.UNITS,
            _MODE,
        ),
        *(
            _skimage(
                f"filters.{operator}_{letter}",
                f"{way} edges ({named})",
                "pre-processing",
                f"Change of grey values from {across} by the {named} operator; negative where it gets darker, so the result "
                "has decimals.",
                Grey.UNITS,
                gives=Gives.FLOAT32,
            )
            for letter, way, across in (("h", "Horizontal", "top to bottom"), ("v", "Vertical", "left to right"))
        ),
    ]


_SMOOTHING = [
    _skimage(
        "filters.gaussian",
        "Gaussian smoothing",
        "pre-processing",
        "Smooths each plane with a Gaussian. Grey values keep their meaning and type.",
        Grey.KEPT,
        _SIGMA,
        _MODE,
        shown("truncate", 4.0, 1, 10, "sigmas", "Where the filter ends.", advanced=True),
        fixed={"preserve_range": True},
    ),
    _skimage(
        "filters.median",
        "Median filter",
        "pre-processing",
        "Replaces each pixel by the median of its surroundings: removes hot pixels and keeps edges.",
        Grey.UNITS,
        _RADIUS,
        takes=Takes.SAME,
        footprint="footprint",
    ),
    _skimage(
        "filters.unsharp_mask",
        "Sharpen (unsharp mask)",
        "pre-processing",
        "Adds what a Gaussian would remove. Edges overshoot: not before measuring intensities of small objects.",
        Grey.KEPT,
        shown("radius", 1.0, 0.1, 50, "pixels", "Width of the Gaussian.", type="number"),
        shown("amount", 1.0, 0, 10, None, "How much of the detail is added; 1 doubles it."),
        fixed={"preserve_range": True},
    ),
    _skimage(
        "filters.butterworth",
        "Butterworth filter",
        "pre-processing",
        "Keeps the fine (high-pass) or the coarse (low-pass) structures, by their spatial frequency. A high-pass result is "
        "around zero, so it has decimals.",
        Grey.UNITS,
        shown(
            "cutoff_frequency_ratio", 0.05, 0.001, 0.5, "cycles per pixel", "Where fine begins: 0.05 is a period of 20 pixels."
        ),
        shown("high_pass", True, help="Keep fine structures rather than coarse ones.", type="boolean"),
        shown("order", 2.0, 1, 10, None, "How sharply fine and coarse are separated.", advanced=True),
        gives=Gives.FLOAT32,
    ),
    _skimage(
        "restoration.denoise_bilateral",
        "Denoise (bilateral)",
        "pre-processing",
        "Averages neighbouring pixels of similar grey value: smooths within objects and keeps their edges.",
        Grey.KEPT,
        shown(
            "sigma_color",
            3.0,
            0.5,
            50,
            "times the noise",
            "Pixels that differ by more than this are not averaged.",
            type="number",
        ),
        shown("sigma_spatial", 1.0, 0.5, 5, "pixels", "How far around a pixel is averaged.", type="number"),
        fixed={"mode": "reflect", "bins": 1000},
        in_noise=("sigma_color",),
        recipe="denoise_bilateral",
    ),
    _skimage(
        "restoration.denoise_nl_means",
        "Denoise (non-local means)",
        "pre-processing",
        "Averages small patches that look alike: removes noise and keeps texture. Slow.",
        Grey.KEPT,
        shown("h", 0.8, 0.1, 10, "times the noise", "How different patches may be; larger is smoother.", title="Strength"),
        shown("patch_size", 5, 3, 11, "pixels", "Edge of a patch.", advanced=True),
        shown("patch_distance", 5, 2, 15, "pixels", "How far away patches are looked for.", advanced=True),
        fixed={"preserve_range": True, "fast_mode": True},
        in_noise=("h",),
    ),
    _skimage(
        "restoration.denoise_tv_bregman",
        "Denoise (total variation, Bregman)",
        "pre-processing",
        "Makes regions flat and keeps their edges, by split-Bregman total variation.",
        Grey.KEPT,
        shown("strength", 1.0, 0.1, 10, "times the noise", "Larger is flatter.", type="number"),
        shown("max_num_iter", 100, 5, 500, None, "When to stop.", title="Largest number of rounds", advanced=True),
        in_noise=("strength",),
        recipe="denoise_tv_bregman",
    ),
    _skimage(
        "restoration.denoise_tv_chambolle",
        "Denoise (total variation, Chambolle)",
        "pre-processing",
        "Makes regions flat and keeps their edges, by total variation.",
        Grey.KEPT,
        shown("weight", 1.0, 0.1, 20, "times the noise", "Larger is flatter.", title="Strength"),
        shown("max_num_iter", 200, 5, 500, None, "When to stop.", title="Largest number of rounds", advanced=True),
        in_noise=("weight",),
    ),
    _skimage(
        "restoration.denoise_wavelet",
        "Denoise (wavelets)",
        "pre-processing",
        "Drops what is weaker than the noise in each wavelet band.",
        Grey.KEPT,
        shown("sigma", 1.0, 0.1, 10, "times the noise", "Larger is smoother.", type="number", title="Strength"),
        shown(
            "wavelet", "db2", type="choice", choices=["haar", "db1", "db2", "db4", "sym4"], advanced=True, help="The wavelet."
        ),
        shown(
            "mode", "soft", type="choice", choices=["soft", "hard"], advanced=True, help="How weak coefficients are dropped."
        ),
        fixed={"rescale_sigma": True},
        in_noise=("sigma",),
    ),
]

_EDGES = [
    *_gradient("sobel", "Sobel"),
    *_gradient("scharr", "Scharr"),
    *_gradient("prewitt", "Prewitt"),
    *_gradient("farid", "Farid"),
    _skimage(
        "filters.roberts",
        "Edges (Roberts)",
        "pre-processing",
        "Strength of the edges over two pixels, by Roberts' cross.",
        Grey.UNITS,
    ),
    _skimage(
        "filters.roberts_pos_diag",
        "Rising diagonal edges (Roberts)",
        "pre-processing",
        "Change of grey values along one diagonal; signed, so the result has decimals.",
        Grey.UNITS,
        gives=Gives.FLOAT32,
    ),
    _skimage(
        "filters.roberts_neg_diag",
        "Falling diagonal edges (Roberts)",
        "pre-processing",
        "Change of grey values along the other diagonal; signed, so the result has decimals.",
        Grey.UNITS,
        gives=Gives.FLOAT32,
    ),
    _skimage(
        "filters.laplace",
        "Laplace filter",
        "pre-processing",
        "Difference between a pixel and its neighbours: bright on small bright things, negative beside them.",
        Grey.UNITS,
        shown("ksize", 3, 3, 15, "pixels", "Size of the surroundings.", advanced=True),
        gives=Gives.FLOAT32,
    ),
    _skimage(
        "segmentation.inverse_gaussian_gradient",
        "Edge stopping map",
        "pre-processing",
        "Near 1 in flat regions and near 0 on edges.",
        Grey.SCORE,
        shown("sigma", 3.0, 0.5, 20, "pixels", "Smoothing before edges are looked for.", type="number"),
        shown("strength", 2.0, 0.1, 100, None, "How quickly the map falls on an edge, in units of the noise.", type="number"),
        gives=Gives.SCORE,
        recipe="inverse_gaussian_gradient",
    ),
]

_RIDGE_WIDTHS = (
    shown("narrowest", 1, 1, 30, "pixels", "Half the width of the thinnest ridges.", type="integer"),
    shown("widest", 4, 1, 30, "pixels", "Half the width of the widest ridges.", type="integer"),
    shown("black_ridges", False, help="Look for dark ridges rather than bright ones.", type="boolean", title="Dark ridges"),
)

_RIDGES = [
    _skimage(
        f"filters.{name}",
        f"Ridges ({name.capitalize()})",
        "neurites",
        help,
        grey,
        *_RIDGE_WIDTHS,
        gives=gives,
        recipe="ridges",
        fixed={"method": name},
    )
    for name, help, grey, gives in (
        ("sato", "Brings out bright lines such as neurites, in grey values.", Grey.UNITS, Gives.FLOAT32),
        ("meijering", "Brings out neurites, from 0 to 1 within each plane.", Grey.SCORE, Gives.SCORE),
        ("frangi", "Brings out vessel-like lines, as a score from 0 to 1.", Grey.SCORE, Gives.SCORE),
        ("hessian", "Brings out line-like structures, as a score.", Grey.SCORE, Gives.SCORE),
    )
]

_EXPOSURE = [
    _skimage(
        "exposure.adjust_gamma",
        "Gamma correction",
        "pre-processing",
        "Brightens (below 1) or darkens (above 1) the middle tones. Grey values change their meaning.",
        Grey.CHANGED,
        shown("gamma", 0.7, 0.1, 5, None, "Exponent.", type="number"),
        takes=Takes.UNIT,
    ),
    _skimage(
        "exposure.adjust_log",
        "Logarithmic correction",
        "pre-processing",
        "Brightens dark structures by a logarithm. Grey values change their meaning.",
        Grey.CHANGED,
        shown("gain", 1.0, 0.1, 10, None, "Factor on the result.", type="number"),
        takes=Takes.UNIT,
    ),
    _skimage(
        "exposure.adjust_sigmoid",
        "Sigmoid contrast",
        "pre-processing",
        "Raises the contrast around a grey value. Grey values change their meaning.",
        Grey.CHANGED,
        shown("cutoff", 0.1, 0, 1, "of the full range", "Where the contrast is raised most."),
        shown("gain", 10.0, 1, 100, None, "How steep.", type="number"),
        takes=Takes.UNIT,
    ),
    _skimage(
        "exposure.equalize_adapthist",
        "Local contrast (CLAHE)",
        "pre-processing",
        "Makes contrast alike everywhere in the image. Helps to find faint objects; grey values change their meaning.",
        Grey.CHANGED,
        shown("clip_limit", 0.01, 0.001, 0.2, None, "How much contrast may be raised."),
        shown("nbins", 256, 16, 4096, None, "Number of grey steps that are told apart.", advanced=True),
        takes=Takes.UNIT,
        recipe="equalize_adapthist",
    ),
    _skimage(
        "exposure.equalize_hist",
        "Equalise histogram",
        "pre-processing",
        "Makes all grey values equally frequent. Grey values change their meaning.",
        Grey.CHANGED,
        shown("nbins", 256, 16, 65536, None, "Number of grey steps that are told apart.", advanced=True),
        takes=Takes.UNIT,
    ),
    _skimage(
        "exposure.rescale_intensity",
        "Stretch to the full range",
        "pre-processing",
        "Stretches each plane between its darkest and brightest pixels. Fields can no longer be compared in brightness.",
        Grey.CHANGED,
        shown("low", 0.5, 0, 49, "percent", "This share of the darkest pixels becomes black.", type="number"),
        shown("high", 99.5, 51, 100, "percent", "Everything above this share becomes white.", type="number"),
        takes=Takes.UNIT,
        recipe="stretch",
    ),
]

_BACKGROUND = [
    _skimage(
        "restoration.rolling_ball",
        "Subtract background (rolling ball)",
        "illumination",
        "Rolls a ball below the grey values and subtracts what it touches: removes everything wider than the ball.",
        Grey.UNITS,
        shown("radius", 50, 5, 300, "pixels", "Radius of the ball; larger than the objects.", type="integer"),
        shown(
            "shrink", 4, 1, 8, None, "The ball rolls over an image this many times smaller; larger is faster.", type="integer"
        ),
        recipe="subtract_rolling_ball",
    ),
]

_CORNERS = [
    _skimage(
        f"feature.corner_{name}",
        f"Corners ({named})",
        "pre-processing",
        f"How corner-like each pixel is, by {named}. A score, not a grey value.",
        Grey.SCORE,
        *parameters,
        gives=Gives.SCORE,
        **more,
    )
    for name, named, parameters, more in (
        ("harris", "Harris", (_SIGMA, shown("k", 0.05, 0, 0.2, None, "Sensitivity to edges.", advanced=True)), {}),
        ("shi_tomasi", "Shi-Tomasi", (_SIGMA,), {}),
        ("foerstner", "Förstner", (_SIGMA,), {"pick": 0}),
        ("kitchen_rosenfeld", "Kitchen-Rosenfeld", (), {}),
        ("moravec", "Moravec", (shown("window_size", 1, 1, 10, "pixels", "Size of the window."),), {}),
        (
            "fast",
            "FAST",
            (
                shown("n", 12, 6, 16, None, "Neighbours in a row that must be brighter or darker.", advanced=True),
                shown("threshold", 5.0, 0.5, 100, "times the noise", "How much brighter or darker.", type="number"),
            ),
            {"in_noise": ("threshold",)},
        ),
    )
] + [
    _skimage(
        "feature.hessian_matrix_det",
        "Blobness (determinant of Hessian)",
        "spots",
        "Large where the image is curved in both directions, as on spots. A score, not a grey value.",
        Grey.SCORE,
        _SIGMA,
        gives=Gives.SCORE,
        fixed={"approximate": False},
    ),
    _skimage(
        "feature.shape_index",
        "Shape index",
        "pre-processing",
        "From -1 (cup) through 0 (saddle) to 1 (cap), for the surface that the grey values form.",
        Grey.SCORE,
        _SIGMA,
        gives=Gives.SCORE,
        recipe="shape_index",
    ),
]

FILTERS = [*_SMOOTHING, *_EDGES, *_RIDGES, *_EXPOSURE, *_BACKGROUND, *_CORNERS]
