"""The folders of a user that caches and weights lie in; a user may have none, as in a container."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def home() -> Path:
    """The user's home; where nobody says which that is, a folder for temporary files that is the user's alone."""
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and an id that the system does not know
        return Path(tempfile.gettempdir(), f"pgan_tf-{getattr(os, 'getuid', int)()}")


def cache() -> Path:
    """$XDG_CACHE_HOME, or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or home() / ".cache")
