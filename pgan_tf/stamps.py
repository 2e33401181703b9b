"""The thousands of images in the names of a run's files: network-000110.keras, fakes000110.png.

They are whole, as in the original. Where a moment shares them with the tick before, as ticks of less than 1 kimg do,
its files say how many images more: network-000110.512.keras.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path


def stamp(images: int, before: int) -> str:
    """What stands for `images` real images; `before`: those at the end of the tick before, -1 where there is none."""
    return f"{images // 1000:06d}" if images // 1000 > before // 1000 else f"{images / 1000:010.3f}"


def kimg(path: Path) -> float | None:
    """Thousands of images by the name of a network or of pictures; None where it does not say."""
    match = re.fullmatch(r"(?:network-|fakes|scores|latents)(\d+)(\.\d{3})?\.(?:keras|png)", path.name, re.ASCII)
    if not match:
        return None
    return float(match[1] + match[2]) if match[2] else int(match[1])


def in_time(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder that say their time, oldest first; `pattern`: 'network-*.keras', 'fakes*.png'."""
    return ordered(path for path in folder.glob(pattern) if kimg(path) is not None)


def ordered(paths: Iterable[Path]) -> list[Path]:
    """Files that say their time, oldest first."""
    return sorted(paths, key=lambda path: (kimg(path), path.name))
