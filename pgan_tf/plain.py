"""A user's paths for libraries that read more into a path than a name."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PLAIN = re.compile(r"[\w/.,+=@ -]+", re.ASCII)


@contextmanager
def plain_path(folder: str | os.PathLike) -> Iterator[str]:
    """A name of a folder that has neither patterns nor letters in it, for the block; the folder must be there.

    TensorFlow takes [ ] * ? and \\ in the name of a checkpoint for a pattern, and no bytes that are not UTF-8.
    """
    path = os.path.abspath(folder)
    if _PLAIN.fullmatch(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="pgan_tf-") as aside:
        link = Path(aside, "folder")
        link.symlink_to(path, target_is_directory=True)
        yield str(link)
