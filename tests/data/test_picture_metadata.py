"""A fault in what is said about a picture never costs the picture; which way up it is, is read and nothing else."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from pgan_tf.data.pictures.orientation import TURNS, orientation_in
from pgan_tf.data.sources.picture import Target, load_picture, read_picture

PICTURE = Image.fromarray(
    np.random.RandomState(1).randint(0, 256, (6, 9, 3)).astype(np.uint8).repeat(4, 0).repeat(4, 1)
)
PIXELS = np.asarray(PICTURE)


def saved(kind: str, image: Image.Image = PICTURE, **options) -> bytes:
    exact = {
        "WEBP": {"lossless": True},
        "JPEG": {"quality": 100, "subsampling": 0},
        "MPO": {"quality": 100, "subsampling": 0},
    }
    exact["AVIF"] = {"quality": 100, "subsampling": "4:4:4"}
    file = io.BytesIO()
    image.save(file, kind, **exact.get(kind, {}), **options)
    return file.getvalue()


def differ(content: bytes, expected: np.ndarray) -> int:
    found = read_picture(io.BytesIO(content))
    assert found.shape == expected.shape
    return int(np.abs(found.astype(int) - expected).max())


# ---- PNG chunks ------------------------------------------------------------------------------------------------------


def chunk(name: bytes, data: bytes, wrong: int = 0) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) ^ wrong)


LARGE, HUGE = zlib.compress(bytes(5 * 2**20)), zlib.compress(bytes(80 * 2**20))
CHUNKS = {
    "much text": chunk(b"zTXt", b"k\0\0" + LARGE),
    "very much text": chunk(b"zTXt", b"k\0\0" + HUGE),
    "much international text": chunk(b"iTXt", b"k\0\1\0\0\0" + LARGE),
    "many texts": chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(2**20))) * 70,
    "text with a wrong checksum": chunk(b"tEXt", b"k\0v", wrong=1),
    "text packed as nobody does": chunk(b"zTXt", b"k\0\7v"),
    "a large profile": chunk(b"iCCP", b"n\0\0" + LARGE),
    "a profile with a wrong checksum": chunk(b"iCCP", b"n\0\0" + zlib.compress(b"x"), wrong=1),
    "a profile packed as nobody does": chunk(b"iCCP", b"n\0\5x"),
    "an empty profile": chunk(b"iCCP", b""),
    "short pHYs": chunk(b"pHYs", b"\0"),
    "short gAMA": chunk(b"gAMA", b"\0"),
    "short cHRM": chunk(b"cHRM", b"\0"),
    "short sRGB": chunk(b"sRGB", b""),
    "short tRNS": chunk(b"tRNS", b"\0"),
    "short acTL": chunk(b"acTL", b"\0"),
    "short cICP": chunk(b"cICP", b"\1"),
    "frames that are not there": chunk(b"acTL", struct.pack(">II", 3, 0)) + chunk(b"fcTL", bytes(26)),
    "an unknown chunk with a wrong checksum": chunk(b"abCd", b"x", wrong=1),
    "EXIF that is none": chunk(b"eXIf", b"none"),
    "EXIF that leads nowhere": chunk(b"eXIf", b"II*\0\xff\xff\xff\xff"),
}


@pytest.mark.parametrize("name", CHUNKS)
@pytest.mark.parametrize("behind", [False, True])
def test_png_chunks(name, behind):
    content = saved("PNG")
    at = len(content) - 12 if behind else 33
    assert differ(content[:at] + CHUNKS[name] + content[at:], PIXELS) == 0


def test_what_is_left_of_a_faulty_png_still_counts():
    """Its transparency, and which way up it is."""
    image = Image.fromarray(PIXELS[..., 0])
    content = saved("PNG", image)
    fine = chunk(b"tRNS", struct.pack(">H", int(PIXELS[0, 0, 0]))) + chunk(b"eXIf", exif(6)[6:])
    expected = np.where(PIXELS[..., :1] == PIXELS[0, 0, 0], 255, PIXELS[..., :1])
    content = content[:33] + fine + CHUNKS["text with a wrong checksum"] + content[33:]
    assert differ(content, np.rot90(expected, -1)) == 0


@pytest.mark.parametrize("name", [b"IHDR", b"IDAT", b"PLTE"])
def test_critical_chunks_are_needed(name):
    content = saved("PNG", PICTURE.quantize(16))
    assert name in content
    with pytest.raises(Exception, match=r"."):
        read_picture(io.BytesIO(content.replace(name, b"QQQQ")))


# ---- orientation -----------------------------------------------------------------------------------------------------


def exif(orientation: int, order: str = "<", kind: int = 3) -> bytes:
    """EXIF data of a camera that counts oddly: rationals over 0, values and directories beyond the end."""
    value = struct.pack(order + ("HH" if kind == 3 else "I"), *([orientation, 0] if kind == 3 else [orientation]))
    entries = [
        (0x010F, 2, 50_000, struct.pack(order + "I", 10)),
        (0x0112, kind, 1, value),
        (0x011A, 5, 1, struct.pack(order + "I", 120)),
        (0x8769, 4, 1, struct.pack(order + "I", 0x0FFFFFFF)),
        (0x9C9E, 7, 0xFFFFFF, struct.pack(order + "I", 5000)),
    ]
    rows = b"".join(struct.pack(order + "HHI", *entry[:3]) + entry[3] for entry in entries)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries))
    content = (head + rows + struct.pack(order + "I", 0xFFFFFF)).ljust(120, b"\0") + struct.pack(order + "II", 1, 0)
    return b"Exif\0\0" + content


def upright(orientation: int) -> np.ndarray:
    return np.asarray(PICTURE.transpose(TURNS[orientation]) if orientation in TURNS else PICTURE)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "MPO", "AVIF"])
@pytest.mark.parametrize("order", "<>")
def test_orientation_beside_odd_metadata(kind, order):
    for orientation in (*range(10), 77, 65535):
        content = saved(kind, exif=exif(orientation, order))
        assert differ(content, upright(orientation)) <= (0 if kind in ("PNG", "WEBP") else 8), orientation


BROKEN = {
    "nothing": b"",
    "no EXIF": b"Exif\0\0none",
    "cut off": exif(6)[:20],
    "its directory is beyond the end": b"Exif\0\0II*\0\xff\xff\xff\xff",
    "more entries than bytes": b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_broken_exif_is_no_orientation(name, kind):
    assert differ(saved(kind, exif=BROKEN[name]), PIXELS) <= 8


def test_avif_with_broken_exif():
    content = saved("AVIF", exif=exif(1))
    for broken in (b"none", b"Exif"):
        assert differ(content.replace(b"II*\0", broken, 1), PIXELS) <= 8


def test_orientation_as_a_long_number_and_by_xmp():
    assert orientation_in(exif(8, kind=4)) == orientation_in(exif(8, ">", 4)) == 8
    assert orientation_in(exif(8)[6:]) == 8
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    assert differ(saved("WEBP", xmp=xmp), upright(6)) == 0


def tiff(orientation: int, extra: tuple, compression: str | None, dtype) -> bytes:
    """With a tag that tifffile itself would not write: put there under another number first."""
    file = io.BytesIO()
    array = PIXELS.astype(dtype) * (257 if dtype == np.uint16 else 1)
    tag, *rest = extra
    tags = [(274, 3, 1, orientation, True), (65000, *rest, True)]
    tifffile.imwrite(file, array, photometric="rgb", compression=compression, metadata=None, extratags=tags)
    return file.getvalue().replace(struct.pack("<HH", 65000, rest[0]), struct.pack("<HH", tag, rest[0]), 1)


ODD_TAGS = [
    (34665, 4, 1, 0x0FFFFFFF), (34665, 4, 1, 8), (34665, 3, 1, 9), (34853, 4, 1, 10), (40965, 4, 1, 5),
    (282, 5, 1, (0, 0)), (283, 5, 1, (1, 0)), (34675, 7, 3, b"abc"), (700, 1, 3, b"abc"), (34377, 7, 7, b"8BIMxxx"),
    (33723, 7, 3, b"abc"), (37500, 7, 10, b"x" * 10), (65010, 12, 1, 1e308),
]  # fmt: skip


@pytest.mark.parametrize("tag", ODD_TAGS)
def test_tiff_with_odd_tags(tag):
    for compression in (None, "zlib"):
        assert differ(tiff(6, tag, compression, np.uint8), upright(6)) == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiff_orientation(orientation):
    """Also in the layouts that are read without Pillow."""
    for compression in (None, "zlib"):
        for dtype in (np.uint8, np.uint16):
            content = tiff(orientation, (65010, 3, 1, 1), compression, dtype)
            assert differ(content, upright(orientation)) <= 1
    planes = np.ascontiguousarray(PIXELS.transpose(2, 0, 1)).astype(np.uint16) * 257
    file = io.BytesIO()
    tags = [(274, 3, 1, orientation, True)]
    tifffile.imwrite(file, planes, photometric="rgb", planarconfig="separate", extratags=tags)
    assert differ(file.getvalue(), upright(orientation)) == 0
    assert load_picture(file, Target(8)).size == upright(orientation).shape[1::-1]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(37, 30), (30, 37), (41, 20)])
def test_a_turned_file_gives_the_set_that_the_upright_one_gives(orientation, size):
    """To the pixel, also where the middle is not in the middle."""
    back = {5: 5, 6: 8, 8: 6}
    picture = PICTURE.resize(size, Image.Resampling.BICUBIC)
    turn = TURNS.get(back.get(orientation, orientation))
    stored = picture.transpose(turn) if turn is not None else picture
    for fit in ("crop", "pad", "stretch"):
        expected = load_picture(io.BytesIO(saved("PNG", picture)), Target(16, fit=fit))
        found = load_picture(io.BytesIO(saved("PNG", stored, exif=exif(orientation))), Target(16, fit=fit))
        np.testing.assert_array_equal(found.pixels, expected.pixels)
        assert found.size == expected.size == size
