"""The named feature extractors.

Results are comparable only between the same extractors with the same sha256: print both with every number.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable

from ..errors import MetricError
from ..extractors.base import Extractor

Loader = Callable[..., Extractor]  # weights: the file's path, or None = look for it


def _loader(module: str, **options: str) -> Loader:
    """`load` of a module of this package, which is imported when it is called: no network loads another's packages."""

    def load(weights: str | os.PathLike | None = None) -> Extractor:
        return importlib.import_module(f"{__name__}.{module}").load(weights, **options)

    return load


EXTRACTORS: dict[str, Loader] = {
    "inception-2015": _loader("inception_2015"),
    "inception-2015 (pytorch-fid)": _loader("inception_2015", mode="pytorch-fid"),
    "inception-keras": _loader("inception_keras"),
    "efficientnet-lite0": _loader("efficientnet_lite0"),
    "mnist-classifier": _loader("mnist_classifier"),
}


def load(name: str | None = None, weights: str | os.PathLike | None = None) -> Extractor:
    """The extractor of that name, by default `default_name()`; `weights` names its file where it is not to be found.

    MetricError for an unknown name, and for weights that are missing or wrong.
    """
    name = name or default_name()
    if name not in EXTRACTORS:
        raise MetricError(f"no extractor is named {name!r}; there are {', '.join(EXTRACTORS)}")
    return EXTRACTORS[name](weights)


def default_name() -> str:
    """'inception-2015' where its weights are found, else 'efficientnet-lite0', which can be had by pip."""
    from ..extractors import inception_2015
    from ..weights import locate

    return "inception-2015" if locate.available(inception_2015.PUBLISHED) else "efficientnet-lite0"
