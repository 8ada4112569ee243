# SPDX-License-Identifier: AGPL-3.0-or-later
"""Images of the synthetic plate with the truth behind them.

    >>> field = make_field("A01", 1)
    >>> field.image.shape, field.image.dtype.name, field.truth.count == len(field.truth.centroids)
    ((2, 384, 384), 'uint16', True)

How an image comes about, in photons per pixel:

1. *Nuclei* are ellipses with soft edges (about one pixel) and a faint texture, bright in the DAPI channel. Some of them come as
   touching pairs; none lie on top of one another, and all lie at least 4 pixels inside the image, so that their number is
   beyond doubt. Every nucleus carries GFP, and a dimmer disc of GFP around it (the cell).
2. An *out-of-focus* field is blurred (Gaussian, sigma 2.5 pixels); it has no touching pairs. An *empty* field has no cells.
3. *Uneven illumination*: everything is multiplied by a smooth profile, 1 at its brightest place and about 0.65 in the far
   corner; the profile has another centre in each channel and is the same for all fields.
4. *Camera*: shot noise (Poisson, in its normal limit: there are always more than 75 photons), read noise of 5 counts, an
   offset of 100 counts, one count per photon, 16 bits.

The truth is known before steps 2 to 4: the label of every pixel, the centre of every nucleus, and its GFP (mean over the
nucleus without background, illumination and noise). Every number follows from ``plate_design.SEED``; nothing is stored.

The quality of the controls is Z' = 1 - 3 (sd+ + sd-) / |mean+ - mean-| (Zhang, Chung and Oldenburg 1999, J. Biomol. Screen.
4:67), with means and sample standard deviations of the per-well mean GFP of positive and negative control wells.
"""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from omero_sandbox.demo.plate_design import FIELDS, WellPlan, all_wells, field_condition, generator, plan_well
from openhcs_client import well_position

__all__ = [
    "CHANNELS",
    "PIXEL_SIZE_UM",
    "SIZE",
    "FieldTruth",
    "PlateTruth",
    "SyntheticField",
    "WellTruth",
    "illumination",
    "make_field",
    "plate_truth",
    "well_truth",
    "z_prime",
]

SIZE = 384
"""Height and width of every field in pixels."""

PIXEL_SIZE_UM = 0.65
CHANNELS = ("DAPI", "GFP")
EMISSION_NM = {"DAPI": 461.0, "GFP": 509.0}
COLOURS = {"DAPI": (0, 0, 255), "GFP": (0, 255, 0)}

_MARGIN = 4
_GAP = 5.0
_PAIRED_SHARE = 0.2
_BACKGROUND = (150.0, 120.0)
_NUCLEUS_DAPI = 1800.0
_CELL_SHARE = 0.35  # GFP of the cell body relative to its nucleus
_CELL_REACH = 1.8  # radius of the cell relative to its nucleus
_OFFSET, _READ_NOISE = 100.0, 5.0
_BLUR = 2.5
_ILLUMINATION_CENTRES = ((0.45, 0.55), (0.6, 0.4))
_ILLUMINATION_DEPTH = 0.35


@dataclass(frozen=True)
class FieldTruth:
    """What really is in a field. ``labels`` is uint16 of shape (y, x), 0 is background; centroids are (y, x) in pixels."""

    well: str
    field: int
    labels: np.ndarray
    centroids: np.ndarray
    areas: np.ndarray
    gfp: np.ndarray
    out_of_focus: bool

    @property
    def count(self) -> int:
        """Number of nuclei."""
        return len(self.centroids)

    @property
    def empty(self) -> bool:
        """Whether there is nothing in the field."""
        return self.count == 0


@dataclass(frozen=True)
class SyntheticField:
    """A field as the camera saw it, uint16 of shape (channel, y, x), and the truth behind it."""

    image: np.ndarray
    truth: FieldTruth


@dataclass(frozen=True)
class WellTruth:
    """Nuclei per field and the mean GFP over all nuclei of a well, in photons per pixel."""

    plan: WellPlan
    counts: tuple[int, ...]
    mean_gfp: float

    @property
    def count(self) -> int:
        """Number of nuclei in all fields."""
        return sum(self.counts)


@dataclass(frozen=True)
class PlateTruth:
    """The truth of all wells, by name."""

    wells: dict[str, WellTruth]

    @property
    def z_prime(self) -> float:
        """Z' of the control wells, from their mean GFP."""
        return z_prime(*(self._controls(role) for role in ("positive control", "negative control")))

    def _controls(self, role: str) -> list[float]:
        return [well.mean_gfp for well in self.wells.values() if well.plan.role == role]


def z_prime(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Return Z' of two sets of control wells.

    Raises:
        ValueError: when a set has fewer than two values or both have the same mean.
    """
    if len(positive) < 2 or len(negative) < 2:
        raise ValueError("Z' needs at least two positive and two negative control wells")
    distance = abs(statistics.fmean(positive) - statistics.fmean(negative))
    if distance == 0:
        raise ValueError("Z' is not defined when both controls have the same mean")
    return 1 - 3 * (statistics.stdev(positive) + statistics.stdev(negative)) / distance


def make_field(well: str, field: int) -> SyntheticField:
    """Make field ``field`` (counted from 1) of the well called ``well``, always the same.

    Raises:
        ValueError: when the plate has no such well or field.
    """
    scene = _Scene(well, field)
    return SyntheticField(scene.photograph(), scene.truth())


def well_truth(well: str) -> WellTruth:
    """Return the truth of a well without making its images."""
    plan = plan_well(*well_position(well))
    truths = [_Scene(well, field).truth() for field in range(1, FIELDS + 1)]
    gfp = np.concatenate([truth.gfp for truth in truths])
    return WellTruth(plan, tuple(truth.count for truth in truths), float(gfp.mean()))


@functools.cache
def plate_truth() -> PlateTruth:
    """Return the truth of the whole plate (about a second the first time)."""
    return PlateTruth({plan.well: well_truth(plan.well) for plan in all_wells()})


@functools.cache
def illumination(channel: int) -> np.ndarray:
    """Return the illumination profile of a channel, float32 of shape (y, x), at most 1."""
    centre_y, centre_x = _ILLUMINATION_CENTRES[channel]
    y, x = np.mgrid[0:SIZE, 0:SIZE] / (SIZE - 1)
    distance = (y - centre_y) ** 2 + (x - centre_x) ** 2
    return (1 - _ILLUMINATION_DEPTH * distance / distance.max()).astype(np.float32)


@dataclass(frozen=True)
class _Nucleus:
    y: float
    x: float
    long_axis: float  # semi-axes in pixels
    short_axis: float
    angle: float
    dapi: float
    gfp: float
    texture: tuple[float, float, float]

    def reach_towards(self, angle: float) -> float:
        """Return the radius of the ellipse in the direction ``angle``."""
        cosine, sine = math.cos(angle - self.angle), math.sin(angle - self.angle)
        return 1 / math.hypot(cosine / self.long_axis, sine / self.short_axis)

    def clear_of(self, others: list[_Nucleus]) -> bool:
        for other in others:
            distance = math.hypot(other.y - self.y, other.x - self.x)
            if distance >= self.long_axis + other.long_axis + _GAP:
                continue
            angle = math.atan2(other.y - self.y, other.x - self.x)
            if distance < self.reach_towards(angle) + other.reach_towards(angle) + _GAP:
                return False
        return True

    @property
    def inside(self) -> bool:
        low, high = self.long_axis + _MARGIN, SIZE - 1 - self.long_axis - _MARGIN
        return low <= self.y <= high and low <= self.x <= high


class _Scene:
    """The cells of one field before the microscope sees them."""

    def __init__(self, well: str, field: int) -> None:
        if not 1 <= field <= FIELDS:
            raise ValueError(f"the synthetic plate has fields 1 to {FIELDS}, not {field}")
        self._plan = plan_well(*well_position(well))
        self._field = field
        self._condition = field_condition(self._plan.well, field)
        self._random = generator("field", self._plan.well, field)
        self._nuclei = [] if self._condition == "empty" else self._place()
        self._dapi = np.zeros((SIZE, SIZE), np.float32)
        self._gfp = np.zeros((SIZE, SIZE), np.float32)
        self._labels = np.zeros((SIZE, SIZE), np.uint16)
        self._nearest = np.full((SIZE, SIZE), np.inf, np.float32)
        for label, nucleus in enumerate(self._nuclei, 1):
            self._draw(label, nucleus)

    def truth(self) -> FieldTruth:
        y, x = np.nonzero(self._labels)
        labels, count = self._labels[y, x], len(self._nuclei)

        def summed(values: np.ndarray | None) -> np.ndarray:
            return np.bincount(labels, values, minlength=count + 1)[1:]

        areas = summed(None)
        return FieldTruth(
            well=self._plan.well,
            field=self._field,
            labels=self._labels,
            centroids=np.stack([summed(y), summed(x)], axis=1) / areas[:, None],
            areas=areas,
            gfp=summed(self._gfp[y, x]) / areas,
            out_of_focus=self._condition == "out of focus",
        )

    def photograph(self) -> np.ndarray:
        image = np.empty((len(CHANNELS), SIZE, SIZE), np.uint16)
        camera = generator("camera", self._plan.well, self._field)
        for channel, light in enumerate((self._dapi, self._gfp)):
            seen = ndimage.gaussian_filter(light, _BLUR) if self._condition == "out of focus" else light
            photons = (seen + np.float32(_BACKGROUND[channel])) * illumination(channel)
            noise = camera.standard_normal((SIZE, SIZE), np.float32) * np.sqrt(photons + np.float32(_READ_NOISE**2))
            image[channel] = np.rint(np.clip(photons + noise + np.float32(_OFFSET), 0, 65535))
        return image

    def _place(self) -> list[_Nucleus]:
        """Place the planned number of nuclei; a fifth of them come as the touching partner of another."""
        wanted = self._plan.cells_per_field + int(self._random.integers(-3, 4))
        pairs = 0 if self._condition == "out of focus" else round(wanted * _PAIRED_SHARE / 2)
        placed: list[_Nucleus] = []
        while len(placed) < wanted:
            nucleus = self._nucleus(*self._random.uniform(0, SIZE, 2))
            group = [nucleus]
            if pairs:
                group.append(self._beside(nucleus))
            if all(each.inside and each.clear_of(placed) for each in group):
                placed += group
                pairs -= len(group) - 1
        return placed[:wanted]

    def _nucleus(self, y: float, x: float) -> _Nucleus:
        random = self._random
        long_axis = random.uniform(8.0, 10.5)
        return _Nucleus(
            y=y,
            x=x,
            long_axis=long_axis,
            short_axis=long_axis * random.uniform(0.82, 1.0),
            angle=random.uniform(0, math.pi),
            dapi=_NUCLEUS_DAPI * math.exp(0.12 * random.standard_normal()),
            gfp=self._plan.marker * math.exp(0.15 * random.standard_normal()),
            texture=(random.uniform(-0.6, 0.6), random.uniform(-0.6, 0.6), random.uniform(0, 2 * math.pi)),
        )

    def _beside(self, nucleus: _Nucleus) -> _Nucleus:
        """Return a nucleus whose edge is 0 to 1 pixel away from ``nucleus``."""
        direction = self._random.uniform(0, 2 * math.pi)
        other = self._nucleus(0, 0)
        distance = nucleus.reach_towards(direction) + other.reach_towards(direction) + self._random.uniform(0, 1)
        y, x = nucleus.y + distance * math.sin(direction), nucleus.x + distance * math.cos(direction)
        return _Nucleus(**{**vars(other), "y": y, "x": x})

    def _draw(self, label: int, nucleus: _Nucleus) -> None:
        reach = math.ceil(nucleus.long_axis * _CELL_REACH) + 4
        top, left = max(0, int(nucleus.y) - reach), max(0, int(nucleus.x) - reach)
        patch = np.s_[top : int(nucleus.y) + reach + 1, left : int(nucleus.x) + reach + 1]
        height, width = self._dapi[patch].shape
        y = (np.arange(top, top + height, dtype=np.float32) - np.float32(nucleus.y))[:, None]
        x = (np.arange(left, left + width, dtype=np.float32) - np.float32(nucleus.x))[None, :]
        cosine, sine = np.float32(math.cos(nucleus.angle)), np.float32(math.sin(nucleus.angle))
        radius = np.hypot((x * cosine + y * sine) / nucleus.long_axis, (y * cosine - x * sine) / nucleus.short_axis)
        mean_axis = (nucleus.long_axis + nucleus.short_axis) / 2
        body = np.clip(0.5 + (1 - radius) * mean_axis / 2, 0, 1)  # falls from 1 to 0 over two pixels
        cell = np.clip(0.5 + (_CELL_REACH - radius) * mean_axis / 8, 0, 1)
        wave_y, wave_x, phase = nucleus.texture
        self._dapi[patch] += nucleus.dapi * body * (1 + 0.06 * np.sin(wave_y * y + wave_x * x + phase))
        self._gfp[patch] += nucleus.gfp * ((1 - _CELL_SHARE) * body + _CELL_SHARE * cell)
        # Where two touching nuclei claim a pixel it belongs to the one whose centre is nearer, in units of its radius.
        mine = (radius <= 1) & (radius < self._nearest[patch])
        self._labels[patch][mine] = label
        self._nearest[patch][mine] = radius[mine]
