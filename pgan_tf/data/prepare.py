"""One picture of a source -> the bytes that its data set's files get, or the reason why it has none.

This runs in worker processes, of whatever engine, so that the process that writes only appends bytes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from pgan_tf.data.source import Picture
from pgan_tf.data.writer import encode_levels

# Errors of the drive, not of the picture. Skipping them would skip all the rest of the set.
_DRIVE_ERRORS = frozenset(
    getattr(errno, name)
    for name in (
        "EIO", "ENODEV", "ENXIO", "ESTALE", "ENOTCONN", "ETIMEDOUT", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN",
        "ENETUNREACH", "ECONNRESET", "ECONNABORTED", "EREMOTEIO", "ENOMEDIUM",
    )
    if hasattr(errno, name)
)  # fmt: skip


class Outcome(NamedTuple):
    """What became of a picture.

    size, mode: of its file, where they vary. reason: why it cannot be read, "" where it can. lost: it is not the
    picture that is bad, but the drive that it is on. remarks: as in Picture.
    """

    size: tuple[int, int] | None = None
    mode: str = ""
    reason: str = ""
    lost: bool = False
    remarks: tuple[tuple[str, int], ...] = ()


def prepare(item: Any, load: Callable[[Any], Picture], own_size: bool = False) -> tuple[list[bytes], Outcome]:
    """The records of an item's picture, from the full resolution down to 4 or of its own size; what to say of it."""
    try:
        picture = load(item)
        return encode_levels(picture.pixels, own_size), Outcome(picture.size, picture.mode, remarks=picture.remarks)
    except Exception as error:  # decoders raise anything
        reason = (str(error).splitlines() or [""])[0] or type(error).__name__
        return [], Outcome(reason=reason, lost=_drive_is_gone(error))


def _drive_is_gone(error: BaseException | None) -> bool:
    """Whether this error, or one that it was made of, says that files which were there cannot be reached any more."""
    while error is not None:
        if isinstance(error, OSError):
            dangling = error.filename is not None and os.path.islink(error.filename)
            if error.errno in _DRIVE_ERRORS or (error.errno == errno.ENOENT and not dangling):
                return True
        error = error.__cause__ or error.__context__
    return False
