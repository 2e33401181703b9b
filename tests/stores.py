"""Stores for tests: one in TensorFlow's memory, one in fsspec's, and one that fails when it is told to."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import fsspec
from fsspec.implementations.memory import MemoryFileSystem

from pgan_tf.places import place

_numbers = itertools.count()
KINDS = ("ram", "memory")


class ScriptedStore(MemoryFileSystem):
    """fsspec's memory, of which each call is shown to `script` first: (name of the call, path)."""

    protocol, store, pseudo_dirs, cachable = "scripted", {}, [""], True
    script: Callable[[str, str], None] = staticmethod(lambda call, path: None)

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.removeprefix("scripted://"))

    def put_file(self, lpath, rpath, **kwargs):
        self.script("put", rpath)
        return super().put_file(lpath, rpath, **kwargs)

    def cat_file(self, path, version_id=None, start=None, end=None, **kwargs):  # s3fs' order
        self.script("read", path)
        return super().cat_file(path, start, end, **kwargs)

    def _rm(self, path):
        self.script("remove", path)
        return super()._rm(path)


fsspec.register_implementation("scripted", ScriptedStore)


def new_root(kind: str):
    """A folder of a store that no other test has."""
    return place(f"{kind}://test{next(_numbers)}/data")


def tree(folder) -> dict[str, bytes]:
    """{name within the folder: content} of all files in it and below."""
    found = {}
    for path in folder.iterdir():
        if path.is_dir():
            found |= {f"{path.name}/{name}": content for name, content in tree(path).items()}
        else:
            found[path.name] = path.read_bytes()
    return found
