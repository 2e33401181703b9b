"""Faces from scratch: landmarks, geometry, ranking, and the data set with its sheet."""

from __future__ import annotations

import sys
import types
from functools import partial

import numpy as np
import pytest
from PIL import Image, ImageFilter

from pgan_tf.data import DataError, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.faces import FaceOptions, create_from_faces
from pgan_tf.data.faces.align import align, face_square
from pgan_tf.data.faces.create import load_face
from pgan_tf.data.faces.detect import find_faces
from pgan_tf.data.faces.landmarks import Face, read_landmarks, write_landmarks
from pgan_tf.data.faces.quality import scores, spectrum
from pgan_tf.data.verify import verify
from pgan_tf.data.writer import order

FACE = np.array([[-1, -0.8], [1, -0.8], [0, 0], [-0.8, 1], [0.8, 1]])  # upright; eyes 2 apart


def face_at(x: float, y: float, size: float, degrees: float = 0.0) -> np.ndarray:
    """Five points [5,2] around (x, y), turned clockwise."""
    a = np.deg2rad(degrees)
    turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    return FACE @ turn * size + (x, y)


def ramps(height: int, width: int) -> np.ndarray:
    """Red tells the column, green the row, blue nothing: where a pixel comes from is seen in its colour."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.stack([x * 255 / width, y * 255 / height, 0 * x + 99], axis=-1).round().astype(np.uint8)


# ---- geometry --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_the_square_by_complex_numbers(seed):
    """The paper's formulae with points as complex numbers: x' = e1 - e0, y' = (e0 + e1)/2 - (m0 + m1)/2, ..."""
    points = face_at(100, 80, 20, 25) + np.random.RandomState(seed).randn(5, 2)
    left, right, _, mouth_left, mouth_right = (complex(*point) + 0.5 + 0.5j for point in points)
    across, down = right - left, (mouth_left + mouth_right - left - right) / 2
    x = across - 1j * down
    x *= max(2 * abs(across), 1.8 * abs(down)) / abs(x)
    centre = (left + right) / 2 + 0.1 * down
    corners = [centre + (u + 1j * v) * x for u, v in ((-1, -1), (-1, 1), (1, 1), (1, -1))]
    np.testing.assert_allclose(face_square(points), [[c.real, c.imag] for c in corners], rtol=1e-12)


@pytest.mark.parametrize(
    ("numbers", "corners"),
    [
        (
            (667, 177, 747, 185, 704, 216, 668, 247, 733, 254),
            (562.325928, 12.880066, 531.28003, 332.97403, 851.374023, 364.01992, 882.41992, 43.925964),
        ),
        (
            (1350, 228, 1390, 230, 1369, 251, 1353, 273, 1385, 273),
            (1293.209961, 150.992203, 1287.492188, 311.09003, 1447.59009, 316.807800, 1453.307861, 156.70997),
        ),
        (
            (631, 602, 759, 572, 708, 641, 669, 706, 771, 683),
            (382.154205, 402.001587, 501.751556, 914.095825, 1013.845825, 794.498413, 894.248413, 282.404175),
        ),
    ],
)
def test_the_square_is_that_of_celebahq(numbers, corners):
    """Golden numbers of the original's own arithmetic, in float32."""
    square = face_square(np.reshape(numbers, (5, 2)))
    np.testing.assert_allclose(square.ravel(), corners, atol=5e-4)


def test_the_square_of_an_upright_face_is_upright():
    square = face_square(face_at(200, 100, 10))  # eyes 20 apart, 18 above the mouth: half side 40
    np.testing.assert_allclose(square, [[160.5, 54.3], [160.5, 134.3], [240.5, 134.3], [240.5, 54.3]])


@pytest.mark.parametrize(
    ("shape", "face", "size"),
    [
        ((300, 300), (150, 150, 20, 0), 64),  # as it is
        ((300, 300), (150, 150, 20, 33), 64),  # turned
        ((300, 400), (200, 150, 16, -160), 64),  # upside down
        ((1100, 1100), (550, 620, 100, 10), 64),  # shrunk by 3 first
        ((300, 300), (150, 150, 5, 20), 256),  # enlarged by 16 first
    ],
)
def test_every_pixel_comes_from_where_the_square_says(shape, face, size):
    points = face_at(*face)
    picture = ramps(*shape)
    north_west, south_west, _, north_east = face_square(points)
    u, v = np.meshgrid((np.arange(size) + 0.5) / size, (np.arange(size) + 0.5) / size)
    where = north_west + u[..., None] * (north_east - north_west) + v[..., None] * (south_west - north_west)  # [S,S,2]
    expected = where / shape[::-1] * 255
    difference = align(picture, points, size)[..., :2] - expected
    assert np.abs(difference).max() < 1.6  # of 255
    opposite = 255 - align(255 - picture, points, size)[..., :2] - expected  # takes off that Pillow rounds down
    assert np.abs((difference + opposite).mean(axis=(0, 1)) / 2).max() < 0.1  # no shift, not by half a pixel


def test_a_turned_picture_gives_the_same_face():
    """A quarter turn of picture and points changes nothing but rounding."""
    picture = np.asarray(Image.fromarray(noise(200, 200)).filter(ImageFilter.GaussianBlur(3)))
    points = face_at(90, 110, 12, 7)
    turned = np.stack([199 - points[:, 1], points[:, 0]], axis=1)  # clockwise
    a, b = align(picture, points, 64), align(np.rot90(picture, -1), turned, 64)
    assert np.abs(a.astype(int) - b).max() <= 2


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.RandomState(seed).randint(0, 256, (height, width, 3)).astype(np.uint8)


def test_a_face_at_the_edge_is_padded_softly():
    """What is in the picture stays; what is not is neither black nor sharp."""
    picture = noise(240, 240)
    points = face_at(20, 120, 20)  # its square begins 60 pixels left of the picture
    found = align(picture, points, 128)  # 160 pixels of the picture
    outside = int(60 * 128 / 160)
    whole = align(np.pad(picture, ((0, 0), (100, 100), (0, 0))), points + np.array([100, 0]), 128)
    assert np.abs(found[:, outside + 50 :].astype(int) - whole[:, outside + 50 :]).max() <= 1  # other rounding
    assert whole[:, : outside - 1].max() < 30  # black there
    assert found[:, : outside - 1].min() > 60
    assert found[:, : outside - 20].std() < 0.3 * found[:, -40:].std()


def test_a_face_that_just_fits_is_not_padded():
    picture = noise(240, 240)
    points = face_at(120, 120, 20)
    left = face_square(points)[0, 0]
    shifted = points - (int(left) - 6, 0)
    whole = align(np.pad(picture, ((0, 0), (100, 100), (0, 0))), shifted + np.array([100, 0]), 64)
    assert np.abs(align(picture, shifted, 64).astype(int) - whole).max() <= 1  # other rounding


@pytest.mark.parametrize(("x", "y"), [(25, 30), (215, 30), (25, 210), (215, 210), (120, 20)])
def test_every_corner_can_be_padded(x, y):
    found = align(noise(240, 240), face_at(x, y, 25, 15), 64)
    assert found.shape == (64, 64, 3)
    assert found.min() > 0


def test_points_that_cannot_be():
    picture = noise(100, 100)
    for points, words in (
        (np.zeros((5, 2)), "no extent"),
        (face_at(300, 50, 10), "do not belong to this picture of 100x100"),
        (face_at(50, 50, 300), "do not belong"),
    ):
        with pytest.raises(DataError, match=words):
            align(picture, points, 64)


# ---- the ranking -----------------------------------------------------------------------------------------------------


def photograph(seed: int = 0, side: int = 128) -> np.ndarray:
    """Noise whose power falls as that of photographs does, 1 / frequency^2: sharp at every scale."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side))
    frequency[0, 0] = np.inf
    values = np.fft.ifft2(np.fft.fft2(np.random.RandomState(seed).randn(side, side)) / frequency).real
    values = 128 + 45 * values / values.std()
    return np.repeat(values[..., None].clip(0, 255).round().astype(np.uint8), 3, axis=-1)


def quality(picture: np.ndarray) -> float:
    """The score before the set's mean is taken off."""
    detail, uneven = spectrum(picture).mean(axis=1)
    return detail - 2 * uneven


def test_the_formula_written_as_sums():
    """spectrum() by a matrix of waves and a loop over frequencies, as the module's text says it."""
    picture = noise(64, 64, 3)
    luminance = picture[..., 0] * 0.299 + picture[..., 1] * 0.587 + picture[..., 2] * 0.114
    line = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(64) / 64)
    window = np.outer(line, line)
    values = (luminance - (luminance * window).sum() / window.sum()) * window
    waves = np.exp(-2j * np.pi * np.outer(np.arange(64), np.arange(64)) / 64)
    power = np.abs(waves @ values @ waves) ** 2 / (window**2).sum()
    bins = {}
    for row in range(64):
        for column in range(33):
            y, x = (row - 64 if row >= 32 else row) / 64, column / 64
            radius, angle = np.hypot(x, y), np.arctan2(y, x) % np.pi
            if 1 / 8 <= radius < 1 / 2:
                key = int(np.log2(radius * 8) * 4), int(angle / np.pi * 12)
                bins.setdefault(key, []).append(power[row, column])
    means = np.array([[np.mean(bins[ring, sector]) for sector in range(12)] for ring in range(8)]) + 1 / 12
    ring = np.log(means.mean(axis=1))
    expected = [ring - np.log(power[:, :33].mean() + 1 / 12), ring - np.log(means).mean(axis=1)]
    np.testing.assert_allclose(spectrum(picture), expected, atol=1e-9)


def test_white_noise_has_as_much_energy_everywhere():
    detail, uneven = spectrum(noise(1024, 1024))
    np.testing.assert_allclose(detail, 0, atol=0.06)
    np.testing.assert_allclose(uneven, 0, atol=0.02)


def test_scores_are_relative_to_the_set_and_ignore_contrast():
    pictures = [photograph(seed) for seed in range(6)]
    pictures[2] = (pictures[0] // 2 + 60).astype(np.uint8)
    found = scores(np.stack([spectrum(picture) for picture in pictures]))
    assert abs(found.mean()) < 1e-12
    assert abs(found[0] - found[2]) < 0.1
    np.testing.assert_allclose(found - found[0], [quality(picture) - quality(pictures[0]) for picture in pictures])


def test_blur_is_worse_and_more_blur_worse_still():
    image = Image.fromarray(photograph())
    qualities = [quality(np.asarray(image.filter(ImageFilter.GaussianBlur(radius)))) for radius in (0, 0.6, 1, 2, 4)]
    assert np.all(np.diff(qualities) < -0.3)
    small = image.resize((64, 64), Image.Resampling.BICUBIC).resize((128, 128), Image.Resampling.BICUBIC)
    assert quality(np.asarray(small)) < qualities[0] - 1


@pytest.mark.parametrize("degrees", [0, 45, 90, 110])
def test_energy_in_one_direction_is_worse(degrees):
    """Halftone adds detail, and loses all the same; noise of the same energy, from all sides, does not."""
    picture, angle = photograph(), np.deg2rad(degrees)
    y, x = np.mgrid[:128, :128]
    wave = 20 * np.sin(2 * np.pi * 0.27 * (x * np.cos(angle) + y * np.sin(angle)))
    halftone = (picture + wave[..., None]).clip(0, 255).round().astype(np.uint8)
    assert spectrum(halftone)[0].mean() > spectrum(picture)[0].mean()
    assert quality(halftone) < quality(picture) - 0.1
    grain = np.random.RandomState(1).randn(128, 128, 1) * wave.std()
    assert quality((picture + grain).clip(0, 255).round().astype(np.uint8)) > quality(picture)


# ---- landmarks -------------------------------------------------------------------------------------------------------

CELEBA = """2
lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y
000001.jpg    165  184  244  176  196  249  194  271  266  260
000002.jpg    140  204  220  204  168  254  146  289  226  289
"""


def test_celebas_file_is_read(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text(CELEBA)
    faces = read_landmarks(path)
    assert [face.file for face in faces] == ["000001.jpg", "000002.jpg"]
    assert faces[1].points.tolist() == [[140, 204], [220, 204], [168, 254], [146, 289], [226, 289]]
    path.write_text("".join(CELEBA.splitlines(keepends=True)[2:]) + "\n")
    assert read_landmarks(path) == faces


def test_written_landmarks_are_read_again(tmp_path):
    faces = [
        Face("a b/ü 1.jpg", tuple(np.arange(10.0) + 0.25)),
        Face("c.png", tuple(range(10))),
        Face("c.png", (1,) * 10),
    ]
    write_landmarks(tmp_path / "list.txt", faces)
    assert read_landmarks(tmp_path / "list.txt") == faces


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no landmarks"),
        ("0\n", "holds no landmarks"),
        (CELEBA.replace("2", "3", 1), "promises 3 faces, 2 are there"),
        (CELEBA.replace("260", ""), "line 3 is not"),
        (CELEBA.replace("260", "x"), "line 3 is not"),
        (CELEBA.replace("260", "nan"), "line 3 is not"),
    ],
)
def test_bad_landmarks(text, words, tmp_path):
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(DataError, match=words):
        read_landmarks(tmp_path / "list.txt")
    with pytest.raises(DataError, match="no file of landmarks"):
        read_landmarks(tmp_path / "absent.txt")


class FakeDetector:
    """Finds a face wherever the picture is red, and something doubtful in every picture."""

    def detect_faces(self, picture):
        names = ("nose", "mouth_right", "right_eye", "left_eye", "mouth_left")
        doubtful = {"box": [0, 0, 1, 1], "confidence": 0.9, "keypoints": {name: [0, 0] for name in names}}
        columns = np.flatnonzero((picture[..., 0] > 200).any(axis=0))
        found = [
            {"box": [c, 0, 1, 1], "confidence": 0.99, "keypoints": {n: [c, i] for i, n in enumerate(names)}}
            for c in columns[::-1]
        ]
        return [*found, doubtful]


@pytest.fixture
def mtcnn(monkeypatch):
    module = types.ModuleType("mtcnn")
    module.MTCNN = FakeDetector
    module.__spec__ = types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, "mtcnn", module)


def test_found_faces(mtcnn, tmp_path):
    picture = np.zeros((50, 60, 3), np.uint8)
    Image.fromarray(picture).save(tmp_path / "none.png")
    picture[0, [40, 7]] = 255
    Image.fromarray(picture).save(tmp_path / "two.png")
    wide = np.zeros((100, 8192, 3), np.uint8)
    wide[:, 400:404] = 255
    Image.fromarray(wide).save(tmp_path / "wide.png")
    (tmp_path / "bad.png").write_text("no")
    faces, skipped = find_faces(tmp_path, ["bad.png", "none.png", "two.png", "wide.png"])
    assert [face.file for face in faces] == ["two.png", "two.png", "wide.png"]
    assert faces[0].points.tolist() == [[7, 3], [7, 2], [7, 0], [7, 4], [7, 1]]
    assert faces[1].points[0].tolist() == [40, 3]
    assert faces[2].points[0].tolist() == [401.5, 13.5]  # the middle of four of the large picture's pixels
    assert [name for name, _ in skipped] == ["bad.png", "none.png"]
    assert skipped[1][1] == "no face was found"


def test_without_mtcnn_one_line_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mtcnn", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"pip install 'pgan_tf\[faces\]'; or give their points by --landmarks"):
        create_from_faces(tmp_path / "out", tmp_path, FaceOptions(resolution=64), Output())
    assert not (tmp_path / "out").exists()


def test_found_points_are_kept_to_be_corrected(mtcnn, tmp_path):
    picture = np.full((90, 90, 3), 128, np.uint8)
    picture[0, 50] = 255
    (tmp_path / "in").mkdir()
    Image.fromarray(picture).save(tmp_path / "in" / "a.png")
    out, options = tmp_path / "new" / "hq", FaceOptions(num=2, resolution=64)
    with pytest.raises(DataError, match="--num=2: only 1 faces"):
        create_from_faces(out, tmp_path / "in", options, Output())
    assert [path.name for path in out.parent.iterdir()] == ["hq-landmarks.txt"]
    (face,) = read_landmarks(out.parent / "hq-landmarks.txt")
    assert (face.file, face.points[0].tolist()) == ("a.png", [50, 3])
    Image.new("RGB", (8, 8)).save(tmp_path / "in" / "a.png")
    (out.parent / "hq-landmarks.txt").unlink()
    with pytest.raises(DataError, match="no face was found in its 1 pictures"):
        create_from_faces(out, tmp_path / "in", options, Output())
    assert list(out.parent.iterdir()) == []


# ---- the whole -------------------------------------------------------------------------------------------------------

BLURRED = (1, 4, 5, 9)


@pytest.fixture
def people(tmp_path):
    """A dozen pictures in which the numbers of BLURRED are blurred, and the points of their faces."""
    folder, faces = tmp_path / "people", []
    (folder / "more").mkdir(parents=True)
    for number in range(12):
        image = Image.fromarray(photograph(number, 256))
        if number in BLURRED:
            image = image.filter(ImageFilter.GaussianBlur(1 + 0.3 * number))
        file = f"{'more/' * (number % 2)}{number:02d}.png"
        image.save(folder / file)
        points = face_at(128, 128, 15 + number / 4, 10 * number)
        faces.append(Face(file, tuple(points.round(1).ravel().tolist())))
    write_landmarks(tmp_path / "list.txt", faces)
    return folder, tmp_path / "list.txt", faces


def test_the_best_are_kept(people, tmp_path):
    folder, landmarks, faces = people
    report = create_from_faces(tmp_path / "hq", folder, FaceOptions(landmarks, 8, 64), Output(shuffle=False))
    assert verify(tmp_path / "hq", cascade=True).problems == []
    dataset = RecordDataset(tmp_path / "hq")
    sharp = [face for number, face in enumerate(faces) if number not in BLURRED]
    expected = np.stack([load_face(face, folder, 64) for face in sharp])
    np.testing.assert_array_equal(dataset.read(64, np.arange(8)), expected)
    assert "the best 8 of 12" in str(report)
    lines = (tmp_path / "hq" / "hq-quality.txt").read_text().splitlines()
    assert {line.split()[2] for line in lines[8:]} == {faces[number].file for number in BLURRED}
    assert lines[-1].endswith(faces[9].file)
    numbers = [float(line.split()[1]) for line in lines]
    assert numbers == sorted(numbers, reverse=True)


def test_the_sheet_shows_the_ranking(people, tmp_path):
    folder, landmarks, faces = people
    create_from_faces(tmp_path / "hq", folder, FaceOptions(landmarks, 8, 64), Output())
    sheet = np.asarray(Image.open(tmp_path / "hq" / "hq-quality.png"))
    assert sheet.shape == (2 * (24 + 160), 8 * 160, 3)  # six best, six worst
    by_file = {face.file: face for face in faces}
    ranked = [line.split()[2] for line in (tmp_path / "hq" / "hq-quality.txt").read_text().splitlines()]
    for place, top, left in ((0, 24, 0), (5, 24, 800), (6, 208, 0), (11, 208, 800)):
        image = Image.fromarray(load_face(by_file[ranked[place]], folder, 64))
        tile = np.asarray(image.resize((160, 160), Image.Resampling.BOX))
        np.testing.assert_array_equal(sheet[top : top + 160, left : left + 160], tile)


def test_all_are_kept_shuffled_and_workers_change_nothing(people, tmp_path):
    folder, landmarks, faces = people
    create_from_faces(tmp_path / "a" / "hq", folder, FaceOptions(landmarks, None, 64), Output())
    create_from_faces(tmp_path / "b" / "hq", folder, FaceOptions(landmarks, None, 64), Output(workers=2))
    files = sorted(path.name for path in (tmp_path / "a" / "hq").iterdir())
    for name in files:
        assert (tmp_path / "a" / "hq" / name).read_bytes() == (tmp_path / "b" / "hq" / name).read_bytes()
    first = RecordDataset(tmp_path / "a" / "hq").read(64, np.array([0]))[0]
    np.testing.assert_array_equal(first, load_face(faces[order(12)[0]], folder, 64))


def test_a_bad_picture_is_left_out_or_stops(people, tmp_path):
    folder, landmarks, faces = people
    (folder / faces[0].file).write_text("no picture")
    (folder / faces[2].file).unlink()
    report = create_from_faces(tmp_path / "hq", folder, FaceOptions(landmarks, None, 64), Output())
    assert report.images == 10
    assert [name for name, _ in report.skipped] == [faces[0].file]
    assert any("1 faces of" in note for note in report.notes)
    options = FaceOptions(landmarks, None, 64)
    with pytest.raises(DataError, match=rf"{faces[0].file}: .*\(--strict\)"):
        create_from_faces(tmp_path / "strict", folder, options, Output(strict=True))
    assert not (tmp_path / "strict").exists()


def test_refusals_before_any_work(people, tmp_path, monkeypatch):
    folder, landmarks, _ = people
    make = partial(create_from_faces, tmp_path / "hq")
    for where, options, words in (
        (tmp_path / "absent", FaceOptions(landmarks), "absent: no such folder"),
        (folder, FaceOptions(landmarks, resolution=32), "--resolution=32"),
        (folder, FaceOptions(landmarks, resolution=100), "--resolution=100"),
        (folder, FaceOptions(landmarks, 0, 64), "--num=0"),
        (folder, FaceOptions(tmp_path / "absent.txt", None, 64), "no file of landmarks"),
        (tmp_path, FaceOptions(landmarks, None, 64), "holds none of the pictures"),
        (folder, FaceOptions(landmarks, 13, 64), "--num=13: only 12 faces"),
    ):
        with pytest.raises(DataError, match=words):
            make(where, options, Output())
    assert not (tmp_path / "hq").exists()
    (tmp_path / "hq").mkdir()
    (tmp_path / "hq" / "mine").touch()
    monkeypatch.setattr("pgan_tf.data.faces.create.rank", lambda *_: pytest.fail("too late"))
    with pytest.raises(DataError, match="exists already"):
        make(folder, FaceOptions(landmarks, None, 64), Output())
