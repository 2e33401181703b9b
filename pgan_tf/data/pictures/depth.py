"""More than 8 bits a sample -> 8, by a range that is known or given, never by cutting off."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PIL import Image

from pgan_tf.data.errors import DataError

DIM = 4095  # 16-bit pictures without a value above this may be 12-bit ones
_PART = 2**20  # samples converted at a time: each takes some 30 bytes meanwhile
_ADVICE = "dataset_tool.py create_from_images takes it by --range=LOW,HIGH"


class Range(NamedTuple):
    """The sample values that become 0 and 255."""

    low: float
    high: float


FULL = Range(0, 65535)


def parse_range(text: str) -> Range:
    """'0,4095' -> Range. Raises DataError."""
    try:
        low, high = map(float, text.split(","))
        if math.isfinite(low) and math.isfinite(high) and low < high:
            return Range(low, high)
    except ValueError:
        pass
    raise DataError(f"--range={text}: give the values of black and white, the smaller first, such as 0,4095")


def unknown_range(what: str) -> DataError:
    """The refusal of pictures whose samples may mean anything."""
    return DataError(f"{what} pixels have no known range; {_ADVICE}")


def to_8_bits(samples: np.ndarray, given: Range) -> np.ndarray:
    """Any numbers -> uint8 of the same shape, rounded; beyond the range black and white, no number at all is black."""
    if samples.dtype in (np.uint8, np.uint16):
        return _table(samples.dtype, given)[samples]
    rows = max(1, _PART // max(1, samples[0].size))
    parts = [_scaled(samples[begin : begin + rows], given) for begin in range(0, len(samples), rows)]
    return np.concatenate(parts)


@lru_cache(maxsize=4)
def _table(dtype: np.dtype, given: Range) -> np.ndarray:
    return _scaled(np.arange(np.iinfo(dtype).max + 1), given)


def _scaled(samples: np.ndarray, given: Range) -> np.ndarray:
    steps = (samples.astype(np.float64) - given.low) * (255 / (given.high - given.low))
    return np.rint(np.clip(np.nan_to_num(steps, nan=0, posinf=255, neginf=0), 0, 255)).astype(np.uint8)


def is_deep(mode: str) -> bool:
    """Whether Pillow's mode has more than 8 bits a sample."""
    return mode in ("I", "F") or mode.startswith("I;16")


def grey_of(image: Image.Image, given: Range, inverted: bool) -> Image.Image:
    """A deep picture -> L. inverted: black is its greatest value."""
    pixels = to_8_bits(np.asarray(image), given)  # [H,W]
    return Image.fromarray(255 - pixels if inverted else pixels)
