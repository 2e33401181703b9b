"""Every layout of samples, written by hand or by tifffile, against numpy and tifffile; what nobody knows is refused."""

from __future__ import annotations

import io
import itertools
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from pgan_tf.data import DataError
from pgan_tf.data.pictures.decode import How, with_decoded
from pgan_tf.data.pictures.depth import Range, parse_range, to_8_bits
from pgan_tf.data.pictures.flatten import flattened
from pgan_tf.data.sources.picture import Target, load_picture, read_picture

BACKGROUND = (10, 200, 30)
HEIGHT, WIDTH = 24, 40


def seen(content: bytes, given: Range | None = None) -> np.ndarray:
    """float [H,W,3], on BACKGROUND."""
    how = How(range=given)
    image = with_decoded(io.BytesIO(content), how, lambda found: flattened(found.image, found.meaning, BACKGROUND))
    return np.asarray(image).astype(float)


def noise(dtype, channels: int, most: int | None = None) -> np.ndarray:
    """[H,W,C]."""
    most = np.iinfo(dtype).max if most is None else most
    return np.random.RandomState(5).randint(0, most + 1, (HEIGHT, WIDTH, channels)).astype(dtype)


def on_background(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colours 0..255 and alpha 0..1 -> what is seen."""
    return colours * alpha + np.array(BACKGROUND) * (1 - alpha)


def differ(a, b) -> float:
    return float(np.abs(np.asarray(a, float) - np.asarray(b, float)).max())


# ---- TIFF against tifffile -------------------------------------------------------------------------------------------

PACKINGS = [{}, {"compression": "zlib"}, {"compression": "zlib", "predictor": True}]
KINDS = [("minisblack", 1), ("miniswhite", 1), ("rgb", 3), ("separated", 4)]


def tiff(array: np.ndarray, photometric: str, planar: str = "contig", **options) -> bytes:
    """[H,W,C] as a TIFF file."""
    channels = array.shape[-1]
    stored = array[..., 0] if channels == 1 else array.transpose(2, 0, 1) if planar == "separate" else array
    options["planarconfig"] = planar if channels > 1 else None
    file = io.BytesIO()
    tifffile.imwrite(file, stored, photometric=photometric, metadata=None, **options)
    return file.getvalue()


def as_tifffile_reads(content: bytes, photometric: str) -> np.ndarray:
    """The samples by the other decoder -> the picture, float [H,W,C] of 0..255."""
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        samples = file.pages[0].asarray()
        separate = file.pages[0].planarconfig == 2 and samples.ndim == 3
    samples = samples.transpose(1, 2, 0) if separate else samples.reshape(HEIGHT, WIDTH, -1)
    full = samples / np.iinfo(samples.dtype).max * 255
    if photometric == "separated":
        return np.asarray(Image.fromarray(np.rint(full).astype(np.uint8), "CMYK").convert("RGB")).astype(float)
    return 255 - full if photometric == "miniswhite" else full


@pytest.mark.parametrize(("photometric", "channels"), KINDS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_tiff_opaque(photometric, channels, dtype, tile):
    planars = ["contig", "separate"] if channels > 1 else ["contig"]
    for packing, planar, order, big in itertools.product(PACKINGS, planars, "<>", (False, True)):
        rows = {} if tile else {"rowsperstrip": 7}
        content = tiff(
            noise(dtype, channels), photometric, planar, byteorder=order, bigtiff=big, tile=tile, **rows, **packing
        )
        expected = as_tifffile_reads(content, photometric)
        assert differ(seen(content), expected) <= 2, (packing, planar, order, big)


@pytest.mark.parametrize(("photometric", "colours"), [("minisblack", 1), ("miniswhite", 1), ("rgb", 3)])
@pytest.mark.parametrize("alpha", ["unassalpha", "assocalpha", "unspecified"])
def test_tiff_with_alpha(photometric, colours, alpha):
    for dtype, planar, packing in itertools.product((np.uint8, np.uint16), ("contig", "separate"), PACKINGS):
        full = np.iinfo(dtype).max
        array = noise(dtype, colours + 1)
        array[..., -1] |= full // 2 + 1  # or little is left of colours that are multiplied by it
        opacity = array[..., -1:] / full if alpha != "unspecified" else np.ones((HEIGHT, WIDTH, 1))
        plain = array[..., :-1] / full * 255
        if alpha == "assocalpha":
            array[..., :-1] = (array[..., :-1] * opacity).astype(dtype)
        if photometric == "miniswhite" and alpha == "assocalpha":
            continue  # no two programs agree on what that is
        plain = 255 - plain if photometric == "miniswhite" else plain
        content = tiff(array, photometric, planar, extrasamples=[alpha], **packing)
        assert differ(seen(content), on_background(plain, opacity)) < 4, (dtype, planar, packing)


UNKNOWN = [np.int8, np.int16, np.uint32, np.int32, np.float16, np.float32, np.float64, np.uint64]


@pytest.mark.parametrize("dtype", UNKNOWN)
@pytest.mark.parametrize(("photometric", "channels"), KINDS[:3])
def test_tiff_of_unknown_range(dtype, photometric, channels):
    """By --range, else refused: nobody can know what is white."""
    low, high, most = (10, 80, 100) if np.dtype(dtype).itemsize == 1 else (100, 800, 1000)
    array = noise(dtype, channels, most)
    expected = np.clip((array.astype(float) - low) / (high - low), 0, 1) * 255
    expected = 255 - expected if photometric == "miniswhite" else expected
    for planar, order in itertools.product(["contig", "separate"][: channels // 2 + 1], "<>"):
        content = tiff(array, photometric, planar, byteorder=order)
        assert differ(seen(content, Range(low, high)), expected) <= 0.5
        with pytest.raises(DataError, match=r"no known range; .* --range=LOW,HIGH"):
            seen(content)


@pytest.mark.parametrize("content", [
    tiff(noise(np.uint8, 3), "icclab"), tiff(noise(np.uint8, 1).astype(np.complex64), "minisblack"),
])  # fmt: skip
def test_tiff_that_nothing_reads_is_named(content):
    with pytest.raises(DataError, match=r"TIFF with \d samples of .* bits .* is not read here; convert it"):
        seen(content)


def test_tiff_of_12_bits():
    """Packed, two samples in three bytes: their range is told."""
    samples = noise(np.uint16, 1, 4095)[..., 0]
    a, b = samples[:, ::2], samples[:, 1::2]
    packed = np.stack([a >> 4, (a & 15) << 4 | b >> 8, b & 255], -1).astype(np.uint8).reshape(HEIGHT, -1)  # [H,W*3/2]
    tags = {256: WIDTH, 257: HEIGHT, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: HEIGHT, 279: packed.size}
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", t, 4, 1, v) for t, v in tags.items())
    content = b"II*\0" + struct.pack("<I", 8 + packed.size) + packed.tobytes() + directory + bytes(4)
    assert differ(seen(content), samples[..., None] / 4095 * 255) <= 0.5


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("packing", PACKINGS)
def test_tiff_that_is_cut_off_is_refused(planar, packing):
    content = tiff(noise(np.uint16, 3), "rgb", planar, **packing)
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(Exception, match=r"."):
            seen(content[: int(len(content) * share)])


# ---- PNG and others, written by hand ---------------------------------------------------------------------------------


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(samples: np.ndarray, bits: int, kind: int, *extra: tuple[bytes, bytes]) -> bytes:
    """[H,W,C] of `bits` each, as PNG's colour type `kind`."""
    if bits < 8:
        digits = np.unpackbits(samples.astype(np.uint8), axis=-1)[..., 8 - bits :]  # [H,W,bits]
        rows = np.packbits(digits.reshape(HEIGHT, -1), axis=-1)
    else:
        rows = samples.astype(f">u{bits // 8}").reshape(HEIGHT, -1).view(np.uint8)
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, kind, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", packed), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_png_grey_with_and_without_a_transparent_value(bits):
    most = 2**bits - 1
    samples = noise(np.uint16, 1, most)
    clear = int(samples[3, 4, 0])
    expected = (samples / most * 255).repeat(3, -1)
    assert differ(seen(png(samples, bits, 0)), expected) <= 0.5
    expected[samples[..., 0] == clear] = BACKGROUND
    assert differ(seen(png(samples, bits, 0, (b"tRNS", struct.pack(">H", clear)))), expected) <= 0.5


@pytest.mark.parametrize("bits", [8, 16])
def test_png_colours_with_and_without_a_transparent_one(bits):
    """Also where the upper halves of the samples are the same, and the lower ones are not."""
    most = 2**bits - 1
    samples = noise(np.uint16, 3, most)
    clear = samples[3, 4].copy()
    samples[5, 5] = clear ^ 1
    expected = samples / most * 255
    assert differ(seen(png(samples, bits, 2)), expected) < 1
    expected[3, 4] = BACKGROUND
    assert differ(seen(png(samples, bits, 2, (b"tRNS", struct.pack(">3H", *clear)))), expected) < 1


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_png_palettes(bits):
    samples = noise(np.uint16, 1, 2**bits - 1)
    palette = np.random.RandomState(6).randint(0, 256, (2**bits, 4)).astype(np.uint8)
    colours, alpha = palette[samples[..., 0]][..., :3], palette[samples[..., 0]][..., 3:] / 255
    chunks = (b"PLTE", palette[:, :3].tobytes()), (b"tRNS", palette[:, 3].tobytes())
    assert differ(seen(png(samples, bits, 3, chunks[0])), colours) == 0
    assert differ(seen(png(samples, bits, 3, *chunks)), on_background(colours, alpha)) <= 1


@pytest.mark.parametrize(("kind", "channels"), [(4, 2), (6, 4)])
@pytest.mark.parametrize("bits", [8, 16])
def test_png_with_alpha(kind, channels, bits):
    samples = noise(np.uint16, channels, 2**bits - 1) / (2**bits - 1)
    content = png(np.rint(samples * (2**bits - 1)).astype(np.uint16), bits, kind)
    assert differ(seen(content), on_background(samples[..., :-1] * 255, samples[..., -1:])) < 2


@pytest.mark.parametrize("channels", [1, 3])
def test_range_of_16_bit_containers(channels):
    """12 bits in 16: by --range as bright as they are meant, exactly; 8-bit pictures are as they are."""
    given = Range(0, 4095)
    samples = noise(np.uint16, channels, 4095)
    expected = np.rint(samples / 4095 * 255)
    assert differ(seen(png(samples, 16, 0 if channels == 1 else 2), given), expected) == 0
    assert differ(seen(tiff(samples, "minisblack" if channels == 1 else "rgb"), given), expected) == 0
    head = b"P%d %d %d 65535 " % (5 if channels == 1 else 6, WIDTH, HEIGHT)
    assert differ(seen(head + samples.astype(">u2").tobytes(), given), expected) == 0
    shallow = noise(np.uint8, channels)
    assert differ(seen(png(shallow, 8, 0 if channels == 1 else 2), given), shallow) == 0


@pytest.mark.parametrize("most", [1, 15, 100, 255, 4095, 65535])
@pytest.mark.parametrize(("magic", "channels"), [(2, 1), (3, 3), (5, 1), (6, 3)])
def test_portable_maps_of_any_greatest_value(magic, channels, most):
    """They tell their range, which no flag changes."""
    samples = noise(np.uint16, channels, most)
    body = (
        samples.astype(">u2" if most > 255 else "u1").tobytes()
        if magic > 4
        else " ".join(map(str, samples.ravel())).encode()
    )
    content = b"P%d\n# by hand\n%d %d\n%d\n" % (magic, WIDTH, HEIGHT, most) + body
    assert differ(seen(content), samples / most * 255) <= 0.5
    if 255 < most < 65535:
        assert differ(seen(content, Range(0, 100)), samples / most * 255) <= 0.5
    with pytest.raises(Exception, match=r"truncated|not enough"):
        seen(content[: -len(body) // 2])


def test_portable_float_map():
    values = noise(np.float32, 1, 1000)[..., 0]
    content = b"Pf\n%d %d\n-1.0\n" % (WIDTH, HEIGHT) + values[::-1].astype("<f4").tobytes()
    assert differ(seen(content, Range(0, 1000)), values[..., None] / 1000 * 255) <= 0.5
    with pytest.raises(DataError, match="floating-point pixels have no known range"):
        seen(content)


def bmp(header: int, alpha: int) -> tuple[bytes, np.ndarray]:
    """A BMP file of 32 bits with masks, and its colours."""
    pixels = noise(np.uint8, 4)
    pixels[..., 3] = alpha
    head = struct.pack("<IiiHHIIiiII", header, WIDTH, HEIGHT, 1, 32, 3, pixels.size, 0, 0, 0, 0)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000 if header > 52 else 0)
    head = (head + masks[: 16 if header > 52 else 12]).ljust(header, b"\0")
    file = b"BM" + struct.pack("<IHHI", 0, 0, 0, 14 + len(head)) + head + pixels[::-1].tobytes()
    return file, pixels[..., 2::-1]


@pytest.mark.parametrize("header", [40, 52, 56, 108, 124])
@pytest.mark.parametrize("alpha", [0, 128, 255])
def test_bmp_whose_alpha_is_zero_everywhere_is_opaque(header, alpha):
    content, colours = bmp(header, alpha)
    opacity = alpha / 255 if alpha and header > 52 else 1  # before V3 the fourth byte means nothing
    assert differ(seen(content), on_background(colours, np.float64(opacity))) <= 1


@pytest.mark.parametrize("kind", ["TGA", "PNG"])
def test_clear_pictures(kind):
    """TGA is like BMP; PNG means it."""
    image = Image.fromarray(noise(np.uint8, 4))
    image.putalpha(0)
    file = io.BytesIO()
    image.save(file, kind)
    assert differ(seen(file.getvalue()), np.asarray(image)[..., :3] if kind == "TGA" else BACKGROUND) == 0


@pytest.mark.parametrize(("mode", "kind"), [
    ("1", "PNG"), ("1", "TIFF"), ("L", "BMP"), ("LA", "TIFF"), ("P", "BMP"), ("PA", "TIFF"), ("RGBA", "WEBP"),
    ("CMYK", "JPEG"), ("CMYK", "TIFF"), ("YCbCr", "JPEG"), ("I;16", "PNG"), ("I;16B", "TIFF"),
    ("L", "JPEG2000"), ("LA", "JPEG2000"), ("RGBA", "JPEG2000"), ("I;16", "JPEG2000"), ("RGB", "AVIF"), ("L", "TGA"),
])  # fmt: skip
def test_pillows_modes(mode, kind):
    """One colour, whatever it is stored as."""
    grey = mode[:1] in "1LI"
    image = Image.new(
        "RGB", (WIDTH, HEIGHT), (255, 255, 255) if mode == "1" else (60, 60, 60) if grey else (60, 180, 75)
    )
    expected = image.getpixel((0, 0))
    if mode.startswith("I"):
        stored = Image.fromarray(np.full((HEIGHT, WIDTH), 60 * 257, "<u2" if mode == "I;16" else ">u2"))
    else:
        stored = image.quantize(4).convert(mode) if mode[0] == "P" else image.convert(mode)
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}, "AVIF": {"quality": 100}}
    file = io.BytesIO()
    stored.save(file, kind, **options.get(kind, {}))
    assert differ(seen(file.getvalue()), expected) <= 3


# ---- ranges ----------------------------------------------------------------------------------------------------------


def test_to_8_bits():
    """Rounded over the whole range, black and white beyond it; what is no number is black."""
    every = np.arange(65536, dtype=np.uint16)[None]
    np.testing.assert_array_equal(to_8_bits(every, Range(0, 65535)), np.rint(every / 257))
    odd = np.array([[np.nan, -np.inf, np.inf, -5, 0, 0.5, 1, 7]], np.float32)
    np.testing.assert_array_equal(to_8_bits(odd, Range(0, 1)), [[0, 0, 255, 0, 0, 128, 255, 255]])
    tall = np.random.RandomState(1).rand(3000, 700)
    np.testing.assert_array_equal(to_8_bits(tall, Range(0, 1)), np.rint(tall * 255))


def test_parse_range():
    assert parse_range("0,4095") == Range(0, 4095)
    assert parse_range("-1.5,1e3") == Range(-1.5, 1000)
    for text in ("", "5", "4095,0", "1,1", "a,b", "0,nan", "0,inf", "0,1,2"):
        with pytest.raises(DataError, match="--range="):
            parse_range(text)


def test_dim_pictures_are_remarked():
    """16 bits of which nobody uses the upper four: perhaps 12 bits are meant."""
    content = png(noise(np.uint16, 1, 4095), 16, 0)
    assert dict(load_picture(io.BytesIO(content), Target(8)).remarks) == {"dim": 1}
    assert load_picture(io.BytesIO(content), Target(8, range=Range(0, 4095))).remarks == ()
    assert load_picture(io.BytesIO(png(noise(np.uint16, 1), 16, 0)), Target(8)).remarks == ()


def test_evaluation_sees_the_same():
    content = tiff(noise(np.uint16, 3), "rgb", "separate")
    np.testing.assert_array_equal(read_picture(io.BytesIO(content)), seen(content))
