"""Which files are pictures: told by the name or by the first bytes, and nothing else is ever tried."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pgan_tf.data.pictures.formats import EXTENSIONS, FORMATS, HEAD_BYTES, format_of, looks_like_picture

PIXELS = np.random.RandomState(2).randint(0, 256, (8, 8, 3)).astype(np.uint8)
SAVED = [  # the row of FORMATS, Pillow's name, its options
    ("PNG", "PNG", {}),
    ("JPEG", "JPEG", {}),
    ("JPEG", "MPO", {"save_all": True}),
    ("WebP", "WEBP", {}),
    ("GIF", "GIF", {}),
    ("BMP", "BMP", {}),
    ("TIFF", "TIFF", {}),
    ("TIFF", "TIFF", {"big_tiff": True}),
    ("AVIF", "AVIF", {}),
    ("JPEG 2000", "JPEG2000", {}),
    ("JPEG 2000", "JPEG2000", {"no_jp2": True}),
    ("PPM", "PPM", {}),
]
HEADS = {
    "HEIC": [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", b"\0\0\0\x18ftypmif1\0\0\0\0mif1heix"],
    "AVIF": [b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf"],
    "PPM": [b"P1 8 8", b"P2\n# made by hand\n8 8\n", b"P4\n8 8\n", b"Pf\n8 8\n"],
    "TIFF": [b"MM\0*\0\0\0\x08"],
}
OTHERS = [
    b"", b"B", b"BM", b"BMW is a maker of cars", b"%!PS-Adobe-3.0 EPSF-3.0", b"%PDF-1.7", b"RIFF\0\0\0\0WAVEfmt ",
    b"P", b"P7\nWIDTH 8", b"Photographs of cats", b"P1ctures", b"PK\3\4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", 
    b"\xff\xd8",
    b"\xd7\xcd\xc6\x9a\0\0", b"SIMPLE  =                    T", b"8BPS\0\1", b"\x89HDF\r\n\x1a\n", b"{}", b"\0" * 64,
]  # fmt: skip


def saved(kind: str, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(("name", "kind", "options"), SAVED)
def test_told_by_the_first_bytes(name, kind, options):
    assert format_of(saved(kind, **options)[:HEAD_BYTES]) == name


@pytest.mark.parametrize(("name", "head"), [(name, head) for name, heads in HEADS.items() for head in heads])
def test_told_by_headers_that_others_write(name, head):
    assert format_of(head) == name
    assert looks_like_picture(head)


@pytest.mark.parametrize("head", OTHERS)
def test_other_files_do_not_look_like_pictures(head):
    assert not looks_like_picture(head)


def test_every_extension_belongs_to_one_format():
    assert len(EXTENSIONS) == sum(len(row.extensions) for row in FORMATS.values())
    assert all(extension == extension.lower() and extension[0] == "." for extension in EXTENSIONS)
