"""The differences that make a processed photograph a picture of CelebA-HQ: how they are stored, locked and added.

`deltas00000.zip` holds `delta00000.dat` to `delta00999.dat` and so on. Each is a bz2 file of uint8 [3,1024,1024],
encrypted by Fernet with a key that is derived from the bytes of the original JPEG file: only who has that can open it.
"""

from __future__ import annotations

import base64
import bz2
import hashlib
import os
import zipfile
from pathlib import Path

import numpy as np

from pgan_tf.data.celebahq.geometry import SIDE
from pgan_tf.data.errors import DataError

_PER_ZIP = 1000
_ITERATIONS = 100_000
_BYTES = 3 * SIDE * SIDE


def require_cryptography() -> None:
    """DataError if the package for the decryption is not installed."""
    try:
        import cryptography.fernet  # noqa: F401
    except ImportError as error:
        raise DataError(
            "create_celebahq: needs the package cryptography for the deltas; pip install 'pgan_tf[celebahq]'"
        ) from error


def zip_name(index: int) -> str:
    """The archive with the delta of picture `index`."""
    return f"deltas{index - index % _PER_ZIP:05d}.zip"


def delta_name(index: int) -> str:
    """The file in the archive."""
    return f"delta{index:05d}.dat"


def read_delta(folder: str | os.PathLike, index: int, jpeg: bytes, jpeg_name: str) -> np.ndarray:
    """The delta of picture `index`, uint8 [1024,1024,3]. `jpeg`: content of the original file. Raises DataError."""
    path = Path(folder, zip_name(index))
    try:
        with zipfile.ZipFile(path) as archive:
            token = archive.read(delta_name(index))
    except (OSError, KeyError, zipfile.BadZipFile, RuntimeError, EOFError, NotImplementedError) as error:
        raise DataError(f"{path}: {delta_name(index)} cannot be read: {error}; fetch the archive again") from error
    return unlock_delta(token, jpeg, jpeg_name, f"{path}: {delta_name(index)}")


def unlock_delta(token: bytes, jpeg: bytes, jpeg_name: str, where: str) -> np.ndarray:
    """An encrypted delta -> uint8 [1024,1024,3]. `where` names it in a DataError."""
    require_cryptography()
    from cryptography.fernet import Fernet, InvalidToken

    try:
        packed = Fernet(delta_key(jpeg, jpeg_name)).decrypt(token)
    except InvalidToken as error:
        raise DataError(
            f"{where}: does not open with {jpeg_name}; that is not the original file, or the archive is damaged"
        ) from error
    try:
        content = bz2.BZ2Decompressor().decompress(packed, max_length=_BYTES + 1)
    except (OSError, ValueError) as error:
        raise DataError(f"{where}: no bz2 data: {error}; fetch the archive again") from error
    if len(content) != _BYTES:
        raise DataError(f"{where}: not the {_BYTES} bytes of a picture; fetch the archive again")
    return np.frombuffer(content, np.uint8).reshape(3, SIDE, SIDE).transpose(1, 2, 0)  # [1024,1024,3]


def delta_key(jpeg: bytes, jpeg_name: str) -> bytes:
    """The Fernet key that belongs to an original file and its bare name."""
    key = hashlib.pbkdf2_hmac("sha256", jpeg, jpeg_name.encode("ascii"), _ITERATIONS, dklen=32)
    return base64.urlsafe_b64encode(key)


def picture_md5(picture: np.ndarray) -> str:
    """The md5 of uint8 [H,W,C] in C,H,W order, as image_list.txt has it."""
    pixels = np.ascontiguousarray(picture.transpose(2, 0, 1))  # [C,H,W]
    return hashlib.md5(pixels.tobytes(), usedforsecurity=False).hexdigest()
