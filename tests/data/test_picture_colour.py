"""Colours by what a file says of them, against the formulae and against Little CMS called by itself."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from pgan_tf.data import DataError
from pgan_tf.data.pictures.profiles import BT709, BT2020, DISPLAY_P3, rgb_profile
from pgan_tf.data.sources.picture import Target, load_picture, read_picture

GREEN = (60, 180, 75)
GREEN_IN_P3 = (0, 183, 57)  # what a browser shows of it
P3 = rgb_profile(DISPLAY_P3, None)
ADOBE = rgb_profile((0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06), 563 / 256)
# XYZ under D65 of light that is linear, from the standards' own tables.
TO_XYZ = {
    "sRGB": [[0.4123908, 0.3575843, 0.1804808], [0.2126390, 0.7151687, 0.0721923], [0.0193308, 0.1191948, 0.9505322]],
    "P3": [[0.4865709, 0.2656677, 0.1982173], [0.2289746, 0.6917385, 0.0792869], [0.0, 0.0451134, 1.0439444]],
    "Adobe": [[0.5766690, 0.1855582, 0.1882286], [0.2973450, 0.6273636, 0.0752915], [0.0270314, 0.0706889, 0.9913375]],
    "2020": [[0.6369580, 0.1446169, 0.1688810], [0.2627002, 0.6779981, 0.0593017], [0.0, 0.0280727, 1.0609851]],
}
CASES = [("P3", P3, None), ("Adobe", ADOBE, 563 / 256), ("2020", rgb_profile(BT2020, 1.8), 1.8)]


def linear(values: np.ndarray, gamma: float | None) -> np.ndarray:
    x = values / 255
    return x**gamma if gamma else np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def as_srgb(values: np.ndarray, space: str, gamma: float | None) -> np.ndarray:
    """Numbers [...,3] of 0..255 -> those of sRGB, by the formulae alone."""
    light = linear(values, gamma) @ np.array(TO_XYZ[space]).T @ np.linalg.inv(np.array(TO_XYZ["sRGB"])).T
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def colours(side: int = 16) -> np.ndarray:
    """Patches of 2 x 2, uint8 [side,side,3]."""
    return (
        np.random.RandomState(8).randint(0, 256, (side // 2, side // 2, 3)).astype(np.uint8).repeat(2, 0).repeat(2, 1)
    )


def saved(image: Image.Image, kind: str = "PNG", **options) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file


def seen(file, **target) -> np.ndarray:
    return load_picture(file, Target(**{"resolution": 16, **target})).pixels


def differ(a, b) -> float:
    return float(np.abs(np.asarray(a, float) - np.asarray(b, float)).max())


@pytest.mark.parametrize(("space", "profile", "gamma"), CASES)
@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})])
def test_profiles_are_applied(space, profile, gamma, kind, options):
    file = saved(Image.fromarray(colours()), kind, icc_profile=profile, **options)
    expected = as_srgb(colours(), space, gamma)
    assert differ(seen(file), expected) < 2
    assert differ(read_picture(file), expected) < 2


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {"quality": 100, "subsampling": 0}), ("MPO", {"quality": 100}), ("AVIF", {"quality": 100})],
)
def test_profiles_of_formats_that_lose(kind, options):
    file = saved(Image.new("RGB", (16, 16), GREEN), kind, icc_profile=P3, **options)
    assert differ(seen(file)[8, 8], GREEN_IN_P3) < 6


def test_before_flattening_and_resizing():
    """Half transparent on white: the mean of white and the colour as seen; the colour under nothing never shows."""
    image = Image.new("RGBA", (64, 64), (*GREEN, 128))
    image.paste((255, 0, 0, 0), (0, 0, 64, 32))
    pixels = seen(saved(image, icc_profile=P3), background=(255, 255, 255))
    assert differ(pixels[:4], 255) == 0
    assert differ(pixels[12, 8], np.array([255, 255, 255]) * 127 / 255 + np.array(GREEN_IN_P3) * 128 / 255) < 2
    bars = np.zeros((64, 64, 3), np.uint8)
    bars[::2], bars[1::2] = GREEN, (200, 30, 220)
    expected = as_srgb(bars, "P3", None)[:2].mean(axis=0)
    assert differ(seen(saved(Image.fromarray(bars), icc_profile=P3), fit="stretch")[4:-4], expected[0]) < 2


@pytest.mark.parametrize("mode", ["P", "PA", "RGBA", "RGB"])
def test_modes_with_colours(mode):
    image = Image.new("RGB", (16, 16), GREEN)
    image = image.quantize(4) if mode[0] == "P" else image.convert(mode)
    file = saved(image.convert(mode), "TIFF", icc_profile=P3)
    assert load_picture(file, Target(16)).mode == mode
    assert differ(seen(file), GREEN_IN_P3) <= 1


def grey_profile(gamma: float) -> bytes:
    """The tags of an ICC profile of gray: white, and a curve."""
    white = struct.pack(">8x3i", *(round(v * 65536) for v in (0.9642, 1.0, 0.8249)))
    tags = [(b"wtpt", b"XYZ " + white[4:]), (b"kTRC", struct.pack(">4s4xIH2x", b"curv", 1, round(gamma * 256)))]
    at, table, content = 128 + 4 + 24, b"", b""
    for name, data in tags:
        table += struct.pack(">4sII", name, at + len(content), len(data))
        content += data
    head = struct.pack(">I4xI4s4s4s12x4s", at + len(content), 0x02400000, b"mntr", b"GRAY", b"XYZ ", b"acsp")
    head = head.ljust(68, b"\0") + white[8:]
    return head.ljust(128, b"\0") + struct.pack(">I", 2) + table + content


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
@pytest.mark.parametrize("profile", ["grey", "RGB"])
def test_grey_pictures(mode, profile):
    """By a profile of grey, or by one of colours, of which grey is a part."""
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    image = Image.fromarray(ramp.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(ramp).convert(mode)
    icc = grey_profile(1.0) if profile == "grey" else rgb_profile(BT709, 1.0)
    file = saved(image, icc_profile=icc)
    expected = as_srgb(ramp[..., None].repeat(3, -1), "sRGB", 1.0)
    assert differ(seen(file), expected) < 2
    assert differ(seen(file, mode="grey"), expected[..., :1]) < 2
    assert (np.ptp(seen(file).astype(int), axis=-1) == 0).all()


@pytest.mark.parametrize("kind", ["PNG of 16 bits", "AVIF"])
def test_grey_with_alpha_that_decoders_make_colours(kind):
    grey, alpha = np.full((16, 16), 40, np.uint8), np.repeat(np.array([255, 51], np.uint8), 8)[:, None].repeat(16, 1)
    if kind == "AVIF":
        image = Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)])
        file = saved(image, "AVIF", quality=100, icc_profile=grey_profile(1.0))
    else:
        head = struct.pack(">IIBBBBB", 16, 16, 16, 4, 0, 0, 0)
        rows = np.stack([grey, alpha], -1).repeat(2, -1)  # [16,16,4]: 257 times as much
        pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
        parts = [(b"IHDR", head), iccp(grey_profile(1.0)), (b"IDAT", pixels), (b"IEND", b"")]
        file = io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))
    light = as_srgb(np.full((1, 1, 3), 40, np.uint8), "sRGB", 1.0)
    opacity = alpha[..., None] / 255  # [16,16,1]
    assert differ(seen(file), light * opacity + 255 * (1 - opacity)) < 2


def press_profile() -> bytes:
    """A press whose eight solid inks are Lab colours of a table, black is black over all: ICC lut8, A2B0, 2^4 nodes."""
    lab = {(0, 0, 0): (95, 0, 0), (1, 0, 0): (55, -37, -50), (0, 1, 0): (46, 74, -4), (0, 0, 1): (88, -6, 93)}
    lab |= {(1, 1, 0): (24, 20, -46), (1, 0, 1): (50, -68, 27), (0, 1, 1): (47, 68, 47), (1, 1, 1): (22, 0, 0)}
    nodes = [lab[c, m, y] if not k else (10, 0, 0) for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)]
    table = bytes(v for light, a, b in nodes for v in (round(light * 2.55), a + 128, b + 128))
    unit = struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    ramp = bytes(range(256))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + unit + ramp * 4 + table + ramp * 3
    head = struct.pack(">I4xI4s4s4s12x4s", 144 + len(lut), 0x02400000, b"prtr", b"CMYK", b"Lab ", b"acsp")
    head = head.ljust(68, b"\0") + struct.pack(">3i", *(round(v * 65536) for v in (0.9642, 1.0, 0.8249)))
    return head.ljust(128, b"\0") + struct.pack(">I4sII", 1, b"A2B0", 144, len(lut)) + lut


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk_by_its_press(kind):
    """Solid magenta is that of the ink, not [255, 0, 255]; JPEG files of Adobe's hold the inks inverted."""
    inks = Image.new("CMYK", (16, 16), (0, 255, 0, 0))
    options = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    file = saved(inks, kind, icc_profile=press_profile(), **options)
    srgb = ImageCms.createProfile("sRGB")
    profile = ImageCms.ImageCmsProfile(io.BytesIO(press_profile()))
    expected = np.asarray(ImageCms.profileToProfile(inks, profile, srgb, outputMode="RGB"))
    assert differ(expected[0, 0], (217, 0, 117)) < 12  # about the Lab colour of the table
    assert differ(seen(file), expected) <= 2
    assert differ(seen(saved(inks, kind, **options)), (255, 0, 255)) <= 2  # nothing is known of the press


def test_lab():
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    picture = ImageCms.profileToProfile(Image.fromarray(colours() // 2 + 64), srgb, lab, outputMode="LAB")
    exact = ImageCms.Flags.NOOPTIMIZE
    expected = np.asarray(ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB", flags=exact))
    assert differ(seen(saved(picture, "TIFF")), expected) <= 1
    assert differ(expected, colours() // 2 + 64) < 12  # of 8-bit Lab


BROKEN = {
    "no profile": b"rubbish",
    "nothing": b"",
    "cut off": P3[:200],
    "zeros": bytes(len(P3)),
    "of a press": press_profile(),
    "of grey": grey_profile(1.0),
    "of light without colours": P3.replace(P3[P3.index(b"XYZ ", 140) :][:20], bytes(20)),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_what_profile_is_broken_or_unsuitable_is_srgb(name, kind):
    image = Image.new("RGB", (16, 16), (128, 128, 128))
    if BROKEN[name]:
        assert differ(seen(saved(image, kind, icc_profile=BROKEN[name])), 128) <= 1


def test_srgb_profiles_change_no_pixel():
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (own, rgb_profile(BT709, None)):
        for image in (Image.fromarray(colours()), Image.fromarray(colours()[..., 0])):
            expected = np.broadcast_to(np.asarray(image).reshape(16, 16, -1), (16, 16, 3))
            np.testing.assert_array_equal(seen(saved(image, icc_profile=profile)), expected)


# ---- what formats have instead of profiles ---------------------------------------------------------------------------


def png_with(*chunks: tuple[bytes, bytes], image: Image.Image | None = None, spoiled: bool = False) -> io.BytesIO:
    """A PNG file with these chunks after its header; spoiled: with wrong checksums."""
    content = saved(image or Image.new("RGB", (16, 16), GREEN)).getvalue()
    extra = b"".join(chunk(*part, spoiled) for part in chunks)
    return io.BytesIO(content[:33] + extra + content[33:])


def chunk(name: bytes, data: bytes, spoiled: bool = False) -> bytes:
    """One of a PNG file."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) ^ spoiled)


def iccp(profile: bytes) -> tuple[bytes, bytes]:
    return b"iCCP", b"name\0\0" + zlib.compress(profile)


def gama(value: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(value * 100_000))


def chrm(xy) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *(round(v * 100_000) for v in xy))


SRGB, CICP_P3, CICP_SRGB = (b"sRGB", b"\0"), (b"cICP", bytes([12, 13, 0, 1])), (b"cICP", bytes([1, 13, 0, 1]))
PNGS = [  # the chunks, the space and the curve that count: cICP, then iCCP, then sRGB, then gAMA and cHRM
    ([gama(0.45455)], "sRGB", None),
    ([gama(1.0)], "sRGB", 1.0),
    ([gama(1 / 1.8)], "sRGB", 1.8),
    ([gama(0.45455), chrm(DISPLAY_P3)], "P3", None),
    ([chrm(DISPLAY_P3)], "P3", None),
    ([gama(1.0), chrm(BT2020)], "2020", 1.0),
    ([gama(0.45455), chrm(BT709)], "sRGB", None),
    ([SRGB, gama(1.0), chrm(BT2020)], "sRGB", None),
    ([iccp(P3), gama(1.0)], "P3", None),
    ([iccp(b"rubbish"), gama(1.0)], "sRGB", None),
    ([CICP_P3, SRGB, gama(1.0)], "P3", None),
    ([CICP_SRGB, iccp(P3)], "sRGB", None),
    ([gama(0.0)], "sRGB", None),
    ([chrm([0.3, 0.3, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])], "sRGB", None),
    ([chrm([0] * 8)], "sRGB", None),
]


@pytest.mark.parametrize(("chunks", "space", "gamma"), PNGS)
def test_png_by_the_precedence_of_browsers(chunks, space, gamma):
    image = Image.fromarray(colours())
    assert differ(seen(png_with(*chunks, image=image)), as_srgb(colours(), space, gamma)) < 2
    assert differ(seen(png_with(*chunks, image=image, spoiled=True)), colours()) == 0


def test_profiles_of_any_size():
    """Above the megabyte at which Pillow gives up."""
    large = P3 + bytes(3 * 2**20)
    large = struct.pack(">I", len(large)) + large[4:]
    assert differ(seen(png_with(iccp(large))), GREEN_IN_P3) <= 1


def test_jpeg_2000_with_a_profile():
    content = saved(Image.new("RGB", (16, 16), GREEN), "JPEG2000").getvalue()
    at = content.index(b"colr") - 4
    size = int.from_bytes(content[at : at + 4], "big")
    box = struct.pack(">I4sBBB", len(P3) + 11, b"colr", 2, 0, 0) + P3
    header = content.index(b"jp2h") - 4
    longer = int.from_bytes(content[header : header + 4], "big") + len(box) - size
    content = content[:header] + struct.pack(">I", longer) + content[header + 4 : at] + box + content[at + size :]
    assert differ(seen(io.BytesIO(content)), GREEN_IN_P3) <= 1


def avif_of(primaries: int, curve: int) -> io.BytesIO:
    """An AVIF file without an ICC profile, whose colours are told by numbers of H.273."""
    content = saved(Image.new("RGB", (16, 16), GREEN), "AVIF", quality=100, subsampling="4:4:4").getvalue()
    at = content.index(b"colrnclx") + 8
    return io.BytesIO(content[:at] + struct.pack(">HH", primaries, curve) + content[at + 4 :])


def test_avif_by_numbers():
    assert differ(seen(avif_of(1, 13)), GREEN) <= 3
    assert differ(seen(avif_of(2, 2)), GREEN) <= 3
    assert differ(seen(avif_of(12, 13)), GREEN_IN_P3) <= 4
    for curve in (16, 18):
        with pytest.raises(DataError, match=r"an HDR picture .* convert it"):
            seen(avif_of(9, curve))


def test_bmp_with_a_profile():
    pixels = np.full((16, 16, 3), GREEN[::-1], np.uint8).tobytes()
    head = struct.pack("<IiiHHIIiiII", 124, 16, 16, 1, 24, 0, len(pixels), 0, 0, 0, 0) + bytes(16) + b"DEBM"
    head = head.ljust(108, b"\0") + struct.pack("<IIII", 4, 124 + len(pixels), len(P3), 0)
    file = struct.pack("<2sIHHI", b"BM", 138 + len(pixels) + len(P3), 0, 0, 138) + head + pixels + P3
    assert differ(seen(io.BytesIO(file)), GREEN_IN_P3) <= 1
