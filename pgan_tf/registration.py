"""Keras gets to know our classes as soon as it is there, so that `import pgan_tf` need not load it."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys

NETWORKS = "pgan_tf.networks"  # importing it registers its classes
LAYERS = "pgan_tf.layers"  # what they are made of, and what loads Keras where it is imported first


def register() -> None:
    """At once where Keras is loaded, else right after it is."""
    if "keras" in sys.modules:
        importlib.import_module(NETWORKS)
    elif not any(isinstance(finder, AfterKeras) for finder in sys.meta_path):
        sys.meta_path.insert(0, AfterKeras())


class AfterKeras(importlib.abc.MetaPathFinder):
    """Finds Keras as the others do, and has our networks imported after it; then it goes."""

    def find_spec(self, name: str, path=None, target=None) -> importlib.machinery.ModuleSpec | None:
        if name != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec("keras")
        if spec and spec.loader:
            spec.loader = Followed(spec.loader)
        return spec


class Followed(importlib.abc.Loader):
    """A loader whose module is followed by our networks."""

    def __init__(self, loader: importlib.abc.Loader):
        self._loader = loader

    def __getattr__(self, name: str):
        """All else is the loader's own: where its files are, what its source is."""
        return getattr(self._loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec):
        return self._loader.create_module(spec)

    def exec_module(self, module) -> None:
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        if not _under_way(LAYERS):
            importlib.import_module(NETWORKS)


def _under_way(name: str) -> bool:
    """Whether a module is being imported just now. The networks cannot be made of layers that are half there."""
    return name in sys.modules and getattr(sys.modules[name].__spec__, "_initializing", False)
