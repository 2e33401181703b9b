"""The locked deltas: the key, the archives, and everything that can be wrong with them."""

from __future__ import annotations

import bz2
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pgan_tf.data import DataError
from pgan_tf.data.celebahq import deltas

GOLDEN = Path(__file__).parents[1] / "golden" / "celebahq_fixture"
JPEG = b"the bytes of a photograph"


def lock(content: bytes, jpeg: bytes = JPEG, name: str = "000007.jpg") -> bytes:
    fernet = pytest.importorskip("cryptography.fernet")
    return fernet.Fernet(deltas.delta_key(jpeg, name)).encrypt(content)


def archive(folder: Path, files: dict[str, bytes], name: str = "deltas02000.zip") -> Path:
    with zipfile.ZipFile(folder / name, "w") as file:
        for inner, content in files.items():
            file.writestr(inner, content)
    return folder


def test_names():
    assert (deltas.zip_name(0), deltas.zip_name(999), deltas.zip_name(29999)) == (
        "deltas00000.zip",
        "deltas00000.zip",
        "deltas29000.zip",
    )
    assert deltas.delta_name(29999) == "delta29999.dat"


def test_what_was_locked_comes_out(tmp_path):
    pixels = np.arange(3 * 1024 * 1024, dtype=np.uint32).astype(np.uint8).reshape(3, 1024, 1024)
    archive(tmp_path, {"delta02007.dat": lock(bz2.compress(pixels.tobytes(), 1))})
    found = deltas.read_delta(tmp_path, 2007, JPEG, "000007.jpg")
    np.testing.assert_array_equal(found, pixels.transpose(1, 2, 0))


def test_the_original_s_archive_opens():
    pytest.importorskip("cryptography")
    jpeg = (GOLDEN / "CelebA/img_celeba/000002.jpg").read_bytes()
    assert deltas.read_delta(GOLDEN / "CelebA-HQ", 0, jpeg, "000002.jpg").shape == (1024, 1024, 3)


@pytest.mark.parametrize(("jpeg", "name"), [(JPEG + b" ", "000007.jpg"), (JPEG, "000008.jpg")])
def test_another_photograph_does_not_open_it(jpeg, name):
    with pytest.raises(DataError, match=f"HERE: does not open with {name}"):
        deltas.unlock_delta(lock(b"x"), jpeg, name, "HERE")


DAMAGED = {
    "no bz2": (b"BZh9" + b"x" * 50, "no bz2 data"),
    "too short": (bz2.compress(b"x" * 100), "not the 3145728 bytes"),
    "a bomb": (bz2.compress(bytes(3145728 * 8)), "not the 3145728 bytes"),
    "cut off": (bz2.compress(bytes(range(256)) * 12288)[:-30], "not the 3145728 bytes"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_other_contents_are_refused(kind):
    content, message = DAMAGED[kind]
    with pytest.raises(DataError, match=message):
        deltas.unlock_delta(lock(content), JPEG, "000007.jpg", "HERE")


def test_an_archive_without_the_delta_is_refused(tmp_path):
    archive(tmp_path, {"delta02006.dat": b"x"})
    with pytest.raises(DataError, match=r"deltas02000.zip: delta02007.dat cannot be read: .*; fetch the archive again"):
        deltas.read_delta(tmp_path, 2007, JPEG, "000007.jpg")


@pytest.mark.parametrize("content", [None, b"", b"PK but no archive"])
def test_no_archive_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "deltas02000.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"deltas02000.zip: delta02007.dat cannot be read"):
        deltas.read_delta(tmp_path, 2007, JPEG, "000007.jpg")


def test_a_flipped_bit_in_the_archive_is_refused(tmp_path):
    archive(tmp_path, {"delta02007.dat": lock(b"x" * 500)})
    path = tmp_path / "deltas02000.zip"
    content = bytearray(path.read_bytes())
    content[200] ^= 4
    path.write_bytes(content)
    with pytest.raises(DataError, match="fetch the archive again"):
        deltas.read_delta(tmp_path, 2007, JPEG, "000007.jpg")


def test_without_the_package_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cryptography.fernet", None)
    with pytest.raises(DataError, match=r"pip install 'pgan_tf\[celebahq\]'"):
        deltas.unlock_delta(b"x", JPEG, "000007.jpg", "HERE")
