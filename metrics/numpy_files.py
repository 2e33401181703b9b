"""What numpy's archives may unpack to: few bytes can promise many."""

from __future__ import annotations

from numpy.lib.npyio import NpzFile


class UnpackedTooLarge(ValueError):
    """The words for it, without the file's name."""


def check_unpacked(file: NpzFile, most: int) -> None:
    """Raises UnpackedTooLarge where the arrays of an .npz have more than `most` bytes in all."""
    size = sum(info.file_size for info in file.zip.infolist())
    if size > most:
        raise UnpackedTooLarge(f"its arrays have {size:,} bytes, more than {most:,}")
