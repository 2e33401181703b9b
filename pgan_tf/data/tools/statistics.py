"""The numbers of a data set: mean, deviation, histograms, repeated pictures, labels."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field

import numpy as np

from pgan_tf.data.dataset import RecordDataset
from pgan_tf.data.points import Origin, PointDataset, has_points
from pgan_tf.data.tools.batches import batches, label_names

_BARS = " ▁▂▃▄▅▆▇█"
_COLUMNS = 64  # of a histogram in text: four values each
_NAMED = 12  # repeated pictures and classes that the text lists
_CHANNELS = {1: ("grey",), 3: ("red", "green", "blue")}


@dataclass(frozen=True)
class Statistics:
    """Of `measured` of the `count` pictures of a data set, at full resolution.

    histogram: int64 [C,256], how often each channel has each value. repeats: (picture, the earlier one that has the
    same pixels). labels: {class: pictures} of the whole set, {} without labels.
    """

    name: str
    count: int
    resolution: int
    channels: int
    measured: int
    histogram: np.ndarray
    repeats: list[tuple[int, int]] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)

    @property
    def mean(self) -> np.ndarray:
        """float64 [C], 0..255."""
        return self.histogram @ np.arange(256) / self.histogram.sum(axis=1)

    @property
    def std(self) -> np.ndarray:
        """float64 [C], of all values of a channel around its mean."""
        distance = (np.arange(256) - self.mean[:, None]) ** 2  # [C,256]
        return np.sqrt((self.histogram * distance).sum(axis=1) / self.histogram.sum(axis=1))

    @property
    def channel_names(self) -> tuple[str, ...]:
        return _CHANNELS[self.channels]

    def __str__(self) -> str:
        colour = "RGB" if self.channels == 3 else "grey"
        of = "" if self.measured == self.count else f", {self.measured} of them measured"
        lines = [f"{self.name}: {self.count} images, {self.resolution}x{self.resolution} {colour}{of}"]
        for name, mean, std, histogram in zip(self.channel_names, self.mean, self.std, self.histogram, strict=True):
            lines.append(f"  {name:<8} mean {mean:6.2f}  std {std:6.2f}  0|{_bars(histogram)}|255 (logarithmic)")
        lines.append(f"  repeated {len(self.repeats)} images{self._repeats()}")
        lines.append(f"  labels   {_label_text(self.labels)}")
        return "\n".join(lines)

    def _repeats(self) -> str:
        pairs = ", ".join(f"{later} = {earlier}" for later, earlier in self.repeats[:_NAMED])
        return f": {pairs}{', ...' if len(self.repeats) > _NAMED else ''}" if pairs else ""


def _label_text(labels: dict[str, int]) -> str:
    if not labels:
        return "none"
    text = ", ".join(f"{name} ({count})" for name, count in list(labels.items())[:_NAMED])
    return f"{len(labels)} classes: {text}{', ...' if len(labels) > _NAMED else ''}"


@dataclass(frozen=True)
class PointStatistics:
    """Of the points of a data set in the plane. mean, std, low, high: float64 [2]; covariance: that of x and y."""

    name: str
    origin: Origin
    count: int
    mean: np.ndarray
    std: np.ndarray
    low: np.ndarray
    high: np.ndarray
    covariance: float
    repeats: int  # points that are equal to an earlier one
    labels: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.count} points in the plane, {self.origin.distribution}, "
                 f"noise {self.origin.noise:g}, seed {self.origin.seed}"]  # fmt: skip
        for axis, *values in zip("xy", self.mean, self.std, self.low, self.high, strict=True):
            lines.append("  {:<8} mean {:8.4f}  std {:8.4f}  from {:8.4f} to {:8.4f}".format(axis, *values))
        lines.append(f"  covariance {self.covariance:.4f}")
        lines.append(f"  repeated {self.repeats} points")
        lines.append(f"  labels   {_label_text(self.labels)}")
        return "\n".join(lines)


def stats(folder: str | os.PathLike) -> Statistics | PointStatistics:
    """Measures every picture of a data set, a few megabytes at a time and 16 bytes kept of each; or every point.

    Raises DataError.
    """
    if has_points(folder):
        return measure_points(PointDataset(folder))
    dataset = RecordDataset(folder)
    return measure(dataset, np.arange(dataset.count))


def measure_points(dataset: PointDataset) -> PointStatistics:
    """The statistics of all points."""
    points = dataset.points.astype(np.float64)  # [N,2]
    covariance = float(((points - points.mean(axis=0)).prod(axis=1)).mean())
    return PointStatistics(
        dataset.name, dataset.origin, dataset.count, points.mean(axis=0), points.std(axis=0), points.min(axis=0),
        points.max(axis=0), covariance, dataset.count - len(np.unique(points, axis=0)), label_counts(dataset),
    )  # fmt: skip


def measure(dataset: RecordDataset, indices: np.ndarray) -> Statistics:
    """The statistics of the pictures at `indices`, rising; the label counts are those of the whole set."""
    histogram = np.zeros((dataset.channels, 256), np.int64)
    digests = []
    for _, images in batches(dataset, indices, "measuring"):
        for channel in range(dataset.channels):
            histogram[channel] += np.bincount(images[..., channel].ravel(), minlength=256)
        digests.append(_digests(images))
    repeats = [(int(indices[a]), int(indices[b])) for a, b in _repeats(np.concatenate(digests))]
    return Statistics(
        dataset.name, dataset.count, dataset.resolution, dataset.channels, len(indices), histogram, repeats,
        label_counts(dataset),
    )  # fmt: skip


def label_counts(dataset: RecordDataset | PointDataset) -> dict[str, int]:
    """{class: samples that have it}: those whose label is not zero there; {} without labels."""
    if dataset.labels is None:
        return {}
    names = label_names(dataset) or [str(column) for column in range(dataset.label_size)]
    return {name: int(count) for name, count in zip(names, (dataset.labels != 0).sum(axis=0), strict=True)}


def _digests(images: np.ndarray) -> np.ndarray:
    """uint8 [n,...] -> uint64 [n,2]: 128 bits of BLAKE2b of each picture's pixels; nobody meets two alike by chance."""
    digests = b"".join(hashlib.blake2b(image, digest_size=16).digest() for image in images)
    return np.frombuffer(digests, np.uint64).reshape(-1, 2)


def _repeats(digests: np.ndarray) -> list[tuple[int, int]]:
    """Rows [N,2] -> (row, the first row equal to it), by row."""
    _, first, inverse = np.unique(digests, axis=0, return_index=True, return_inverse=True)
    earliest = first[inverse.reshape(-1)]  # [N]
    return [(int(row), int(earliest[row])) for row in np.flatnonzero(earliest != np.arange(len(digests)))]


def log_heights(counts: np.ndarray) -> np.ndarray:
    """int [n] -> [n], 0..1: pictures on a plain background have one value that would dwarf all others."""
    return np.log1p(counts) / np.log1p(counts.max())


def _bars(histogram: np.ndarray) -> str:
    """int [256] -> a line of blocks, each four values, their heights logarithmic; only 0 is empty."""
    heights = np.ceil(log_heights(histogram.reshape(_COLUMNS, -1).sum(axis=1)) * (len(_BARS) - 1)).astype(int)
    return "".join(_BARS[height] for height in heights)
