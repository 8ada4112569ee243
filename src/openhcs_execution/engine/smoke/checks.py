# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a function must do to be offered, each check a sentence when it fails. Runs in the smoke test's child.

A function is run as a step on wells that differ in one thing each: the type of the pixels, one field, the brightness, an empty
field. What must not change is compared.
"""

from __future__ import annotations

import inspect
import threading
import time
import tracemalloc
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..candidates import Gives, Grey, Kind, candidates
from ..catalogue import CatalogueEntry
from ..naming import SEES_WELL
from ..steps import callable_of
from ..tables import FieldMeasurements
from .trial import Seen, call_step, needs_mask, run_step, same
from .wells import EDGE, real_plane, synthetic_plane, well

__all__ = ["Failed", "check"]

_DTYPES = ("uint8", "uint16", "float32")
_TOLERANCE = 0.02
_OLD_GREY = {
    "openhcs:gaussian_blur": Grey.KEPT,
    "openhcs:tophat": Grey.UNITS,
    "openhcs:create_projection": Grey.KEPT,
    "omero_openhcs:correct_illumination": Grey.KEPT,
}
_FLOAT_STEPS = ("omero_openhcs:correct_illumination",)
_TOGETHER = SEES_WELL | {"omero_openhcs:correct_illumination"}


class Failed(Exception):  # noqa: N818 - reads as what happened
    """A check failed; the message is the reason that pages show."""


def check(entry: CatalogueEntry, say: Callable[[str], None]) -> dict[str, Any]:
    """Try a function and return what was found; ``say`` hears what is being done.

    Raises:
        Failed: with a plain sentence.
    """
    mask = needs_mask(entry)
    found: dict[str, Any] = {"wells": 0}
    started = time.perf_counter()

    def run(what: str, planes: Mapping[tuple[int, int], np.ndarray], *, orchestrated: bool = False) -> Seen:
        say(what)
        try:
            seen = (run_step if orchestrated else call_step)(entry, planes)
        except Exception as error:
            raise Failed(f"It fails on {what}: {_root(error)}") from error
        found["wells"] += 1
        _check_sound(entry, seen, planes, what)
        return seen

    two = {dtype: run(f"two fields of {dtype}", well((1, 2), 2, dtype, mask=mask)) for dtype in _DTYPES}
    found["first_seconds"] = round(time.perf_counter() - started, 2)
    found["dtype"] = _check_dtypes(entry, two)
    run("one field of one channel", well((1,), 1, "uint16", mask=mask))
    through = run("two fields through the orchestrator", well((1, 2), 2, "uint16", mask=mask), orchestrated=True)
    _check_repeats(two["uint16"], through)
    if entry.kind not in _TOGETHER and entry.info.id not in _TOGETHER:
        other = run("another second field", well((1, 3), 2, "uint16", mask=mask), orchestrated=True)
        _check_alone(through, other)
        found["fields"] = "separate"
    else:
        found["fields"] = "together"
    found["intensity"] = _check_grey(entry, two, run)
    _check_empty(run, mask)
    found |= _cost(entry, mask)
    return found


def _grey(entry: CatalogueEntry) -> Grey:
    candidate = candidates().get(entry.info.id)
    return candidate.grey if candidate is not None else _OLD_GREY.get(entry.info.id, Grey.UNTOUCHED)


def _gives(entry: CatalogueEntry) -> Gives:
    candidate = candidates().get(entry.info.id)
    if candidate is None:
        return Gives.FLOAT32 if entry.info.id in _FLOAT_STEPS else Gives.SAME
    return candidate.gives if _grey(entry) is not Grey.UNTOUCHED else Gives.SAME


def _check_sound(entry: CatalogueEntry, seen: Seen, planes: Mapping[tuple[int, int], np.ndarray], what: str) -> None:
    """Nothing is missing, and everything is of the right kind, size and finite."""
    fields = {field for field, _ in planes}
    shape = next(iter(planes.values())).shape
    if set(seen.images) != fields or set(seen.artifacts) != fields:
        raise Failed(f"It loses fields on {what}.")
    for field in fields:
        image = seen.images[field]
        if image.shape[1:] != shape:
            raise Failed(f"It changes the size of images from {shape} to {image.shape[1:]}.")
        if image.dtype.kind == "f" and not np.isfinite(image).all():
            raise Failed(f"It gives pixels that are not a number on {what}.")
        labels = {name: value for name, value in seen.artifacts[field].items() if name.startswith("labels_")}
        tables = [value for value in seen.artifacts[field].values() if isinstance(value, FieldMeasurements)]
        if entry.names_objects and len(labels) != 1:
            raise Failed(f"It gives no objects on {what}.")
        for value in labels.values():
            _check_labels(np.asarray(value), shape)
        if "measurements" in entry.info.outputs and not any(table.objects or table.values or table.counts for table in tables):
            raise Failed(f"It measures nothing on {what}.")


def _check_labels(labels: np.ndarray, shape: tuple[int, ...]) -> None:
    if labels.shape != shape or labels.dtype != np.int32:
        raise Failed(f"Its objects are {labels.dtype} of {labels.shape} rather than int32 of {shape}.")
    present = np.unique(labels[labels > 0])
    if labels.min() < 0 or not np.array_equal(present, np.arange(1, len(present) + 1)):
        raise Failed("Its objects are not numbered 1, 2, 3 without gaps.")


def _check_dtypes(entry: CatalogueEntry, seen: Mapping[str, Seen]) -> str:
    """The type is kept or is float32 as documented; the same grey values give the same result whatever their type."""
    decimals = _gives(entry) in (Gives.FLOAT32, Gives.SCORE)
    for dtype, result in seen.items():
        wanted = "float32" if decimals else dtype
        got = {str(image.dtype) for image in result.images.values()}
        if got != {wanted}:
            raise Failed(f"It turns {dtype} into {', '.join(sorted(got))}.")
    if _grey(entry) in (Grey.KEPT, Grey.UNITS):
        for field, image in seen["uint16"].images.items():
            _compare(
                image,
                np.clip(seen["float32"].images[field], 0, 65535) if not decimals else seen["float32"].images[field],
                "It gives other grey values for whole numbers than for the same numbers with decimals",
            )
    return "float32" if decimals else "kept"


def _compare(first: np.ndarray, second: np.ndarray, complaint: str) -> None:
    """Whether two results are the same but for rounding: within 2 % of their range on 98 % of the pixels.

    Raises:
        Failed: with ``complaint`` and the difference.
    """
    first, second = first.astype(np.float64), second.astype(np.float64)
    span = max(float(np.ptp(second)), 1e-12)
    away = float(np.quantile(np.abs(first - second), 0.98))
    if away > _TOLERANCE * span + 1.5:
        raise Failed(f"{complaint}: they differ by {away:.3g} over a range of {span:.3g}.")


def _check_alone(first: Seen, other: Seen) -> None:
    """Field 1 is the same in both wells; only field 2 differs."""
    if not np.array_equal(first.images[1], other.images[1]):
        raise Failed("It mixes fields: the image of a field changes with another field.")
    for name, value in first.artifacts[1].items():
        if name not in other.artifacts[1] or not same(value, other.artifacts[1][name]):
            raise Failed("It mixes fields: the result of a field changes with another field.")


def _check_repeats(first: Seen, again: Seen) -> None:
    """The second time, and through the orchestrator, everything is the same."""
    for field, image in first.images.items():
        once, twice = (_artifacts(seen, field) for seen in (first, again))
        if not np.array_equal(image, again.images[field]) or not all(map(same, once, twice)) or len(once) != len(twice):
            raise Failed("It gives another result for the same image.")


def _artifacts(seen: Seen, field: int) -> list[Any]:
    """Label images first, then measurements, whatever they are called."""
    return [seen.artifacts[field][name] for name in sorted(seen.artifacts[field])]


def _check_grey(entry: CatalogueEntry, seen: Mapping[str, Seen], run: Callable[..., Seen]) -> str:
    """Hold the function to what its table says about grey values."""
    grey, planes = _grey(entry), well((1, 2), 2, "uint16", mask=needs_mask(entry))
    result = seen["uint16"]
    originals = {field: np.stack([planes[field, channel] for channel in (1, 2)]) for field in (1, 2)}
    if grey is Grey.UNTOUCHED and any(not np.array_equal(result.images[field], originals[field]) for field in originals):
        raise Failed("It changes the image, although it should only measure.")
    if grey is Grey.MASK and any(not set(np.unique(image)) <= {0, 1} for image in result.images.values()):
        raise Failed("Its mask has other values than 0 and 1.")
    if grey in (Grey.KEPT, Grey.UNITS):
        double = run("twice as bright fields", well((1, 2), 2, "uint16", scale=2.0))
        for field, image in result.images.items():
            _compare(
                double.images[field],
                2.0 * image.astype(np.float64),
                "It stretches grey values: twice the light does not give twice the result",
            )
    if grey is Grey.KEPT:
        for field, image in result.images.items():
            mean, before = float(image.mean()), float(originals[field].mean())
            if abs(mean - before) > _TOLERANCE * before:
                raise Failed(f"It changes the mean grey value from {before:.4g} to {mean:.4g}.")
            if np.corrcoef(image.ravel(), originals[field].ravel())[0, 1] < 0.7:
                raise Failed("Its result no longer resembles the image.")
    if grey is Grey.UNITS:
        highest = max(float(np.abs(image).max()) for image in result.images.values())
        if highest > 20 * max(float(image.max()) for image in originals.values()):
            raise Failed(f"Its grey values reach {highest:.3g}, far above those of the image.")
    return str(grey)


def _check_empty(run: Callable[..., Seen], mask: bool) -> None:
    """Fields without anything in them must not stop a plate."""
    black = {(field, channel): np.zeros((EDGE, EDGE), np.uint16) for field in (1, 2) for channel in (1, 2)}
    run("black fields", black)
    if not mask:
        noise = np.random.default_rng(5).poisson(150, (2, 2, EDGE, EDGE)).astype(np.uint16)
        run("fields of noise", {(field, channel): noise[field - 1, channel - 1] for field in (1, 2) for channel in (1, 2)})


def _cost(entry: CatalogueEntry, mask: bool) -> dict[str, Any]:
    """Seconds and megabytes per megapixel of one more plane, from a direct call on a real image if there is one."""
    plane = real_plane()
    found: dict[str, Any] = {"real_image": plane is not None}
    plane = synthetic_plane(9) if plane is None else plane.astype(np.float64) * 16
    plane = (plane > 500) if mask else plane
    arguments: dict[str, Any] = {}
    labels = _labels_of(plane)
    for parameter in entry.info.parameters:
        if parameter.type == "objects":
            arguments[parameter.name] = labels
    if "nuclei" in entry.info.inputs:
        arguments["labels"] = labels
    planes = 2 if entry.kind in SEES_WELL or "second_channel" in entry.parameters else 1
    function = inspect.unwrap(callable_of(entry.info.id))
    if entry.kind in SEES_WELL:
        arguments["channels_per_field"] = 1
    if entry.kind == Kind.WELL_FIELDS:
        arguments |= {"rows": 1, "columns": 2}
    if entry.info.id == "omero_openhcs:measure_colocalisation":
        planes = 2
    stack = np.stack([plane.astype(np.uint16)] * planes)
    restrict = {"channels": (1,)} if entry.info.restrictable and entry.kind != Kind.WELL_IMAGE else {}
    try:
        seconds, megabytes = _measured(lambda: function(stack, **arguments, **restrict))
    except Exception as error:
        raise Failed(f"It fails on a larger image: {_root(error)}") from error
    megapixels = plane.size * (planes if not restrict else 1) / 1e6
    return found | {
        "seconds_per_megapixel": round(seconds / megapixels, 4),
        "memory_mb_per_megapixel": round(megabytes / megapixels, 1),
    }


def _labels_of(plane: np.ndarray) -> np.ndarray:
    from ..imaging.objects_of import find_objects, label_mask

    return label_mask(plane) if plane.dtype == bool else find_objects(plane.astype(np.float32), split=20.0)


def _measured(work: Callable[[], Any]) -> tuple[float, float]:
    """Time of the faster of two calls, and how far resident memory rose above what it was."""
    import psutil

    process = psutil.Process()
    before = process.memory_info().rss
    highest, done = [before], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            highest[0] = max(highest[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    times = []
    try:
        for _ in range(2):
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
            if times[0] > 20:
                break
    finally:
        highest[0] = max(highest[0], process.memory_info().rss)
        done.set()
        watcher.join()
    return min(times), max((highest[0] - before) / 2**20, _allocated(work) if min(times) < 3 else 0.0)


def _allocated(work: Callable[[], Any]) -> float:
    """Megabytes that NumPy and Python allocated at most; memory that the process had kept for itself counts too."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def _root(error: BaseException) -> str:
    """The first line of what really happened, without our own class names."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines()
    text = lines[0][:200] if lines else type(error).__name__
    return text if text.endswith(".") else f"{text}."
