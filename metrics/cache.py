"""Statistics of real images on disk, by what the images and the extractor are, not by what they are called."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from . import home
from .errors import MetricError
from .extractors.base import Extractor
from .frechet import Statistics


def default_folder() -> Path:
    """~/.cache/pgan_tf/statistics, below $XDG_CACHE_HOME where that is set."""
    return home.cache() / "pgan_tf" / "statistics"


class StatisticsCache:
    """A folder of .npz files with `mu` and `sigma`, as pytorch-fid reads and writes them."""

    def __init__(self, folder: Path | None = None):
        self.folder = folder or default_folder()

    def path(self, digest: str, count: int, extractor: Extractor) -> Path:
        """Where the statistics of the first `count` images of the set with this content hash are."""
        name = re.sub(r"[^\w.]+", "-", extractor.name).strip("-")
        return self.folder / f"{digest[:16]}-{count}-{name}-{extractor.sha256[:16]}.npz"

    def get(self, digest: str, count: int, extractor: Extractor, work_out: Callable[[], Statistics]) -> Statistics:
        """From the folder, or by `work_out` and into it. A damaged file is replaced; no disk room is no error."""
        path = self.path(digest, count, extractor)
        with suppress(MetricError):  # not there, or damaged
            return Statistics.load(path)
        statistics = work_out()
        with suppress(OSError):  # a home that cannot be written: next time it takes as long again
            self.folder.mkdir(parents=True, exist_ok=True)
            statistics.save(path)
        return statistics
