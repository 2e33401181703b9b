"""Every kind of picture file becomes the picture that a person sees."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pgan_tf.data import DataError
from pgan_tf.data.sources.picture import Target, default_resolution, load_picture, parse_colour

RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (90, 90, 90)


def quadrants(side: int = 16) -> np.ndarray:
    """RGB [side, side, 3]: red, green / blue, grey. Flat patches survive JPEG and resizing away from their edges."""
    half = side // 2
    image = np.zeros((side, side, 3), np.uint8)
    image[:half, :half], image[:half, half:], image[half:, :half], image[half:, half:] = RED, GREEN, BLUE, GREY
    return image


def corners(image: np.ndarray) -> list[tuple[int, ...]]:
    """The colours in the middles of the four quadrants, as read."""
    a, b = image.shape[0] // 4, image.shape[0] * 3 // 4
    return [tuple(map(int, image[y, x])) for y in (a, b) for x in (a, b)]


def load(path, **target) -> np.ndarray:
    return load_picture(path, Target(**{"resolution": 16, **target}))[0]


def is_close(a, b, tolerance=4) -> bool:
    return bool(np.abs(np.asarray(a, int) - np.asarray(b, int)).max() <= tolerance)


@pytest.mark.parametrize("extension", ["png", "bmp", "tif", "gif", "webp"])
def test_lossless_formats(tmp_path, extension):
    path = tmp_path / f"a.{extension}"
    Image.fromarray(quadrants()).save(path, **({"lossless": True} if extension == "webp" else {}))
    np.testing.assert_array_equal(load(path), quadrants())


@pytest.mark.parametrize("extension", ["jpg", "webp"])
def test_lossy_formats(tmp_path, extension):
    path = tmp_path / f"a.{extension}"
    Image.fromarray(quadrants(32)).save(path, quality=95)
    assert is_close(corners(load(path, resolution=32)), [RED, GREEN, BLUE, GREY], 12)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK"])
def test_opaque_modes(tmp_path, mode):
    path = tmp_path / "a.tif"
    Image.fromarray(quadrants()).convert(mode, palette=Image.Palette.ADAPTIVE).save(path)
    pixels, size, seen = load_picture(path, Target(16))[:3]
    assert (size, seen) == ((16, 16), mode)
    np.testing.assert_array_equal(pixels, quadrants())


@pytest.mark.parametrize(("mode", "values"), [("L", [0, 90, 200, 255]), ("1", [0, 255, 255, 0])])
def test_grey_modes(tmp_path, mode, values):
    grey = np.kron(np.array(values, np.uint8).reshape(2, 2), np.ones((8, 8), np.uint8))
    Image.fromarray(grey).convert(mode, dither=Image.Dither.NONE).save(tmp_path / "a.png")
    np.testing.assert_array_equal(load(tmp_path / "a.png"), np.repeat(grey[..., None], 3, axis=2))
    np.testing.assert_array_equal(load(tmp_path / "a.png", mode="grey"), grey[..., None])


@pytest.mark.parametrize("extension", ["png", "tif"])
def test_16_bits_are_scaled_not_clipped(tmp_path, extension):
    values = np.kron(np.array([[0, 128], [25700, 65535]], np.uint16), np.ones((8, 8), np.uint16))
    Image.fromarray(values).save(tmp_path / f"a.{extension}")
    assert corners(load(tmp_path / f"a.{extension}", mode="grey")) == [(0,), (0,), (100,), (255,)]


def test_pixels_without_a_range_are_refused(tmp_path):
    Image.fromarray(np.ones((16, 16), np.float32)).save(tmp_path / "f.tif")
    Image.fromarray(np.full((16, 16), 70000, np.int32)).save(tmp_path / "i.tif")
    for name in ("f.tif", "i.tif"):
        with pytest.raises(DataError, match=r"pixels have no known range; .* --range=LOW,HIGH"):
            load(tmp_path / name)


def save_transparent(path, mode: str) -> None:
    """The upper half opaque red (or grey 90), the lower half transparent; under it, a colour that nobody should see."""
    image = np.zeros((16, 16, 4), np.uint8)
    image[:8], image[8:] = (*(GREY if mode == "LA" else RED), 255), (0, 255, 0, 0)
    if mode == "P":
        picture = Image.fromarray(np.repeat(np.array([0, 1], np.uint8), 128).reshape(16, 16), "P")
        picture.putpalette([*RED, *GREEN])
        picture.save(path, transparency=1)
    elif mode == "L with tRNS":
        Image.fromarray(np.repeat(np.array([90, 7], np.uint8), 128).reshape(16, 16)).save(path, transparency=7)
    elif mode == "RGB with tRNS":
        Image.fromarray(image[..., :3]).save(path, transparency=GREEN)
    else:
        Image.fromarray(image).convert(mode).save(path)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L with tRNS", "RGB with tRNS"])
@pytest.mark.parametrize("background", [(255, 255, 255), (10, 20, 30)])
def test_transparency_shows_the_background(tmp_path, mode, background):
    save_transparent(tmp_path / "a.png", mode)
    top = GREY if mode.startswith("L") else RED
    expected = np.repeat(np.array([top, background], np.uint8), 8, axis=0)[:, None].repeat(16, axis=1)
    np.testing.assert_array_equal(load(tmp_path / "a.png", background=background), expected)


def test_half_transparent_is_half_of_each(tmp_path):
    Image.new("RGBA", (16, 16), (0, 0, 0, 128)).save(tmp_path / "a.png")
    assert is_close(load(tmp_path / "a.png"), np.full((16, 16, 3), 127), 1)


def test_hidden_colours_never_bleed(tmp_path):
    """White on transparent green over white, made smaller: nothing but white."""
    image = np.zeros((64, 64, 4), np.uint8)
    image[:] = (0, 255, 0, 0)
    image[10:41, 10:41] = 255
    Image.fromarray(image).save(tmp_path / "a.png")
    assert (load(tmp_path / "a.png") == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extension", ["jpg", "png", "webp"])
def test_exif_orientation(tmp_path, orientation, extension):
    """A camera that was held otherwise: its file, turned by the tag, is the picture again."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    picture = Image.fromarray(quadrants(32)).resize((32, 48), Image.Resampling.NEAREST)
    stored = picture.transpose(undo[orientation]) if orientation in undo else picture
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / f"a.{extension}", exif=exif, **({} if extension == "png" else {"quality": 95}))
    pixels, size, _ = load_picture(tmp_path / f"a.{extension}", Target(32, fit="stretch"))[:3]
    assert size == (32, 48)
    assert is_close(corners(pixels), [RED, GREEN, BLUE, GREY], 12)


def test_first_frame_of_animations(tmp_path):
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, BLUE)]
    for name in ("a.gif", "a.webp", "a.png", "a.tif"):
        options = {"lossless": True} if name.endswith("webp") else {}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
        assert (load(tmp_path / name) == RED).all()


def stripes(width: int, height: int, along_x: bool) -> np.ndarray:
    """Three equal bands red, green, blue along the longer side."""
    bands = np.repeat(np.array([RED, GREEN, BLUE], np.uint8), (width if along_x else height) // 3, axis=0)
    return np.broadcast_to(bands[None] if along_x else bands[:, None], (height, width, 3)).copy()


@pytest.mark.parametrize("along_x", [True, False])
def test_fits(tmp_path, along_x):
    width, height = (48, 16) if along_x else (16, 48)
    Image.fromarray(stripes(width, height, along_x)).save(tmp_path / "a.png")
    crop, pad, stretch = (load(tmp_path / "a.png", fit=fit, background=GREY) for fit in ("crop", "pad", "stretch"))
    turn = (lambda image: image) if along_x else (lambda image: image.transpose(1, 0, 2))
    assert (crop == GREEN).all()  # the middle third
    row = turn(stretch)[8]
    assert is_close([row[2], row[8], row[13]], [RED, GREEN, BLUE])
    column = turn(pad)[:, 8]
    assert (column[:5] == GREY).all()
    assert (column[10:] == GREY).all()
    assert is_close(column[5:10], [GREEN] * 5)


def test_a_picture_that_fits_is_kept_as_it_is(tmp_path):
    noise = np.random.RandomState(0).randint(0, 256, (16, 19, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    np.testing.assert_array_equal(load(tmp_path / "a.png", fit="crop"), noise[:, 1:17])
    Image.fromarray(noise[:, :16]).save(tmp_path / "a.png")
    for fit in ("crop", "pad", "stretch"):
        np.testing.assert_array_equal(load(tmp_path / "a.png", fit=fit), noise[:, :16])


def test_extreme_proportions(tmp_path):
    Image.new("RGB", (300, 1), RED).save(tmp_path / "a.png")
    assert (load(tmp_path / "a.png", fit="crop") == RED).all()
    assert (load(tmp_path / "a.png", fit="pad") == RED).all(axis=(1, 2)).sum() == 1


@pytest.mark.parametrize(("size", "expected"), [((64, 64), 64), ((63, 90), 32), ((2, 2), 4), ((3000, 2100), 1024)])
def test_default_resolution(tmp_path, size, expected):
    Image.new("L", size).save(tmp_path / "a.png")
    assert default_resolution(tmp_path / "a.png") == expected


def test_colours():
    assert parse_colour("white") == (255, 255, 255)
    assert parse_colour("#0a141e") == (10, 20, 30)
    for text in ("whyte", "#12", "#11223344", ""):
        with pytest.raises(DataError, match=f"--background={text}: not a colour"):
            parse_colour(text)


@pytest.mark.parametrize("target", [{"resolution": 48}, {"resolution": 2}, {"fit": "squeeze"}, {"mode": "cmyk"}])
def test_refused_targets(target):
    flag, value = next(iter(target.items()))
    with pytest.raises(DataError, match=f"--{flag}={value}: must be"):
        Target(**{"resolution": 16, **target})
