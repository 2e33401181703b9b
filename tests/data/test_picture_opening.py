"""What is opened at all: files of known formats, as large as is allowed, and nothing that waits or runs."""

from __future__ import annotations

import ast
import io
import os
import socket
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgan_tf.data import DataError
from pgan_tf.data.engine import Output
from pgan_tf.data.pictures import opening
from pgan_tf.data.pictures.decode import size_of
from pgan_tf.data.pictures.formats import FORMATS
from pgan_tf.data.pictures.opening import open_picture
from pgan_tf.data.sources.images import Options, create_from_images
from pgan_tf.data.sources.picture import Target, default_resolution, load_picture, read_picture

ROOT = Path(__file__).resolve().parents[2]
AS_IS = Options(resolution=8, output=Output(shuffle=False))
PIXELS = np.random.RandomState(2).randint(0, 256, (4, 4, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)


def saved(kind: str, size: tuple[int, int] = (32, 32), **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).resize(size, Image.Resampling.NEAREST).save(file, kind, **options)
    return file.getvalue()


def test_one_module_opens_pictures():
    """No other calls Image.open, and that one names the formats."""
    calls = [
        (path.relative_to(ROOT).as_posix(), node)
        for folder in ("pgan_tf", "metrics")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Image.open"
    ]
    assert [name for name, _ in calls] == ["pgan_tf/data/pictures/opening.py"]
    assert [keyword.arg for keyword in calls[0][1].keywords] == ["formats"]


FOREIGN = {
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n8 8 scale\n%%EOF\n",
    "PDF": b"%PDF-1.4\n%%EOF\n",
    "FITS": b"SIMPLE  =                    T".ljust(80) + b"BITPIX  =                    8".ljust(2800),
    "WMF": b"\xd7\xcd\xc6\x9a" + bytes(100),
    "ICO": saved("ICO"),
    "PCX": saved("PCX"),
    "IM": saved("IM"),
    "SGI": saved("SGI"),
    "DDS": saved("DDS"),
    "text": b"no picture",
    "nothing": b"",
    "zeros": bytes(100),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("name", ["cat.jpg", "cat.png", "cat"])
def test_other_formats_are_never_tried(tmp_path, monkeypatch, kind, name):
    """Whatever they are called; Ghostscript is not started."""
    monkeypatch.setattr("subprocess.Popen", None)
    monkeypatch.setattr("os.system", None)
    path = tmp_path / name
    path.write_bytes(FOREIGN[kind])
    for read in (read_picture, default_resolution, lambda file: load_picture(file, Target(8))):
        for file in (path, io.BytesIO(FOREIGN[kind])):
            with pytest.raises(DataError, match="cannot identify image file"):
                read(file)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF", "PPM", "TGA", "WEBP", "AVIF", "JPEG2000", "MPO", "JPEG"])
@pytest.mark.parametrize("name", ["a", "a.jpg", "a.txt"])
def test_formats_are_told_by_content(tmp_path, kind, name):
    (tmp_path / name).write_bytes(saved(kind, **({"lossless": True} if kind == "WEBP" else {})))
    found = read_picture(tmp_path / name).astype(int)
    assert np.abs(found - PIXELS)[2::8, 2::8].mean() < 12
    assert size_of(tmp_path / name) == (32, 32)


def other_files(folder: Path) -> list[Path]:
    """A pipe that nobody writes to, a socket, a link to a device that never ends, a folder."""
    os.mkfifo(folder / "pipe.png")
    listener = socket.socket(socket.AF_UNIX)
    place = os.getcwd()
    os.chdir(folder)  # names of sockets are short
    listener.bind("socket.png")
    os.chdir(place)
    listener.close()
    (folder / "device.png").symlink_to("/dev/zero")
    (folder / "folder.png").mkdir()
    return [folder / f"{name}.png" for name in ("pipe", "socket", "device", "folder")]


def test_only_regular_files_are_opened(tmp_path):
    for path in other_files(tmp_path):
        for read in (read_picture, default_resolution, lambda file: load_picture(file, Target(8))):
            with pytest.raises(DataError, match="is no regular file"):
                read(path)


def test_a_folder_with_them_ends(tmp_path):
    (tmp_path / "in").mkdir()
    other_files(tmp_path / "in")
    (tmp_path / "in" / "good.png").write_bytes(saved("PNG"))
    report = create_from_images(tmp_path / "out", tmp_path / "in", AS_IS._replace(resolution=None))
    assert report.images == 1


def test_the_first_reason_is_shown_without_a_resolution(tmp_path, monkeypatch):
    """With what to install."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    for options in (AS_IS, AS_IS._replace(resolution=None)):
        with pytest.raises(DataError, match=r"none of the 1 .*a.heic: HEIC needs .* pip install 'pgan_tf\[heic\]'"):
            create_from_images(tmp_path / "out", tmp_path / "in", options)


def test_heic(tmp_path):
    import pillow_heif

    pillow_heif.register_heif_opener()
    Image.fromarray(PIXELS).save(tmp_path / "a.heic", quality=95)
    assert np.abs(read_picture(tmp_path / "a.heic").astype(int) - PIXELS)[2::8, 2::8].mean() < 12


@pytest.mark.parametrize("kind", [kind for kind, row in FORMATS.items() if kind in opening.READABLE])
def test_what_pillow_lacks_is_named(kind, monkeypatch):
    monkeypatch.setitem(opening.READABLE, kind, lambda: False)
    monkeypatch.setattr(opening, "kind_of", lambda stream: kind)
    with pytest.raises(DataError, match=rf"{kind} needs .*pip install"):
        read_picture(io.BytesIO(saved("PNG")))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM", "TGA"])
def test_cut_off_files_are_refused_not_half_grey(kind):
    noisy = np.random.RandomState(3).randint(0, 256, (64, 64, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noisy).save(file, kind)
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(Exception, match=r"."):
            read_picture(io.BytesIO(file.getvalue()[: int(file.tell() * share)]))


# ---- limits ----------------------------------------------------------------------------------------------------------


def claiming(width: int, height: int) -> bytes:
    """A PNG file of few bytes that claims to be so large."""
    content = saved("PNG")
    header = b"IHDR" + struct.pack(">II", width, height) + content[24:29]
    return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]


def test_a_picture_that_claims_too_much_is_refused_by_its_header():
    for size in ((100_000, 100_000), (2**31 - 1, 2**31 - 1), (8193, 8192)):
        with pytest.raises(DataError, match=r"more pixels than --max_pixels=67108864 allows; raise the limit"):
            read_picture(io.BytesIO(claiming(*size)))
    with pytest.raises(DataError, match="--max_pixels=1023 allows"):
        load_picture(io.BytesIO(saved("PNG")), Target(8, max_pixels=1023))
    assert load_picture(io.BytesIO(saved("PNG")), Target(8, max_pixels=1024)).size == (32, 32)


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "JPEG2000"])
def test_formats_that_take_more_memory_may_have_fewer_pixels(kind):
    content = saved(kind)
    with pytest.raises(DataError, match=r"--max_pixels=1024 allows \(\d+ of this kind, which takes more memory\)"):
        load_picture(io.BytesIO(content), Target(8, max_pixels=1024))
    assert load_picture(io.BytesIO(content), Target(8, max_pixels=4096)).size == (32, 32)


def test_a_jpeg_counts_as_it_is_decoded(monkeypatch):
    """A large one at a part of its size, if more is not needed; its own size is what is reported."""
    monkeypatch.setattr("pgan_tf.data.pictures.decode.LARGE", 1000)
    content = saved("JPEG", (512, 256), quality=95)
    small = load_picture(io.BytesIO(content), Target(8, max_pixels=512 * 256 // 16))
    assert small.size == (512, 256)
    with pytest.raises(DataError, match="more pixels"):
        load_picture(io.BytesIO(saved("JPEG", (512, 256), progressive=True)), Target(8, max_pixels=512 * 256 // 16))
    monkeypatch.undo()
    full = load_picture(io.BytesIO(content), Target(8))
    assert np.abs(small.pixels.astype(int) - full.pixels).max() < 12
    with pytest.raises(DataError, match="more pixels"):
        load_picture(io.BytesIO(content), Target(64, max_pixels=512 * 256 // 16))
    with open_picture(io.BytesIO(content), 512 * 256 // 64) as image:
        assert image.size == (512, 256)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "I;16"])
@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_large_pictures_in_strips_are_what_they_are_at_once(mode, fit, monkeypatch):
    """Strips change nothing; pixels that are taken together first, hardly anything."""
    smooth = Image.fromarray(PIXELS).resize((301, 211), Image.Resampling.BICUBIC)
    smooth.putalpha(Image.linear_gradient("L").resize(smooth.size))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(smooth.convert("L")).astype(np.uint16) * 257)
    else:
        image = smooth if mode == "RGBA" else smooth.convert("RGB").convert(mode)
    file = io.BytesIO()
    image.save(file, "TIFF")
    whole = load_picture(file, Target(8, fit=fit)).pixels.astype(int)
    monkeypatch.setattr("pgan_tf.data.pictures.flatten.STRIP_PIXELS", 3000)
    np.testing.assert_array_equal(load_picture(file, Target(8, fit=fit)).pixels, whole)
    monkeypatch.setattr("pgan_tf.data.sources.picture.LARGE", 1000)
    assert (
        np.abs(load_picture(file, Target(8, fit=fit)).pixels - whole).max() <= 9
    )  # where a quarter of a pixel is much
