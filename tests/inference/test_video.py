"""Videos: the frames that went in, one at a time, complete or not there at all."""

import sys
import weakref

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, ImageSequence

from pgan_tf.inference.errors import GenerateError
from pgan_tf.inference.pictures.video import FORMATS, SIDES, write_video

COLOURS = [(200, 40, 40), (40, 200, 40), (120, 40, 200), (240, 220, 30)]  # neighbours differ: WebP joins equal frames


def frames(channels=3, size=(32, 48)):
    """One frame of each colour; grey ones of their first number."""
    for colour in COLOURS:
        yield np.full((*size, channels), colour[:channels], np.uint8)


def decoded(path):
    """RGB frames [T,H,W,3] of a video, by another reader than its writer where there is one."""
    if path.suffix != ".mp4":
        return np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(Image.open(path))])
    reader = imageio_ffmpeg.read_frames(str(path))
    width, height = next(reader)["size"]
    return np.stack([np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in reader])


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_video_shows_its_frames_in_order(tmp_path, suffix, channels):
    path = tmp_path / f"film{suffix}"
    write_video(path, frames(channels), fps=10)
    found, expected = decoded(path), np.stack(list(frames(channels))).repeat(3 // channels, axis=-1)
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).max() <= 8
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_an_animation_repeats_for_ever_at_its_speed(tmp_path, suffix):
    write_video(tmp_path / f"film{suffix}", frames(), fps=10)
    image = Image.open(tmp_path / f"film{suffix}")
    assert image.info["loop"] == 0
    image.seek(1)
    image.load()
    assert image.info["duration"] == 100


def test_a_video_has_its_frames_per_second(tmp_path):
    write_video(tmp_path / "film.mp4", frames(), fps=12.5)
    assert next(imageio_ffmpeg.read_frames(str(tmp_path / "film.mp4")))["fps"] == 12.5


def test_an_odd_size_is_made_even(tmp_path):
    write_video(tmp_path / "film.mp4", frames(size=(33, 47)), fps=10)
    assert decoded(tmp_path / "film.mp4").shape == (4, 34, 48, 3)


@pytest.mark.parametrize("suffix", FORMATS)
def test_frames_are_not_kept(tmp_path, suffix):
    alive = weakref.WeakSet()

    def watched():
        for i in range(40):
            frame = np.full((16, 16, 3), 250 * (i % 2), np.uint8).view(Frame)
            alive.add(frame)
            yield frame
            assert len(alive) <= 3

    write_video(tmp_path / f"film{suffix}", watched(), fps=10)
    assert len(decoded(tmp_path / f"film{suffix}")) == 40


class Frame(np.ndarray):
    """An array that can be watched."""

    __hash__ = object.__hash__


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_broken_off_video_leaves_nothing(tmp_path, suffix, error):
    def broken():
        for _ in range(20):  # more than the pipe holds: ffmpeg has begun to write
            yield from frames(size=(128, 128))
        raise error

    path = tmp_path / f"film{suffix}"
    path.write_text("the old one")
    with pytest.raises(error):
        write_video(path, broken(), fps=10)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "the old one"


def test_what_ffmpeg_says_is_handed_on_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(FORMATS, ".mp4", ["-c:v", "no_such_codec"])
    with pytest.raises(GenerateError, match=r"^[^\n]*film.mp4: ffmpeg could not write it \([^\n]+\)$"):
        write_video(tmp_path / "film.mp4", frames(), fps=10)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_in_the_systems_words(tmp_path, monkeypatch):
    """ffmpeg says it somewhere among its lines, of which the last is about something else."""
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho 'write_frame(): No space left on device' >&2\necho 'went wrong' >&2\nexit 1\n")
    program.chmod(0o700)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
    with pytest.raises(OSError, match="No space left on device") as caught:
        write_video(tmp_path / "film.mp4", frames(), fps=10)
    assert caught.value.filename == str(tmp_path / "film.mp4")
    assert list(tmp_path.iterdir()) == [program]


def test_a_program_that_cannot_be_started_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/gone/ffmpeg")
    with pytest.raises(GenerateError, match=r"^/gone/ffmpeg: ffmpeg cannot be started"):
        write_video(tmp_path / "film.mp4", frames(), fps=10)


@pytest.mark.parametrize("suffix", FORMATS)
def test_frames_have_the_room_that_the_format_has(tmp_path, suffix):
    write_video(tmp_path / f"film{suffix}", iter([np.zeros((2, SIDES[suffix], 3), np.uint8)]), fps=2)
    with pytest.raises(GenerateError, match=f"at most {SIDES[suffix]} pixels a side"):
        write_video(tmp_path / f"wide{suffix}", iter([np.zeros((2, SIDES[suffix] + 1, 3), np.uint8)]), fps=2)
    assert [path.name for path in tmp_path.iterdir()] == [f"film{suffix}"]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("name", ["12:30", "50%d", "file:a", "-y"])
def test_a_name_means_nothing_to_ffmpeg(tmp_path, monkeypatch, name, suffix):
    monkeypatch.chdir(tmp_path)
    write_video(name + suffix, iter([np.zeros((16, 16, 3), np.uint8)] * 2), fps=2)
    assert [path.name for path in tmp_path.iterdir()] == [name + suffix]


def test_other_suffixes_are_refused(tmp_path):
    with pytest.raises(GenerateError, match=r"ends in \.mp4, \.gif, \.webp"):
        write_video(tmp_path / "film.avi", frames(), fps=10)


def test_a_missing_ffmpeg_is_named_with_its_command(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(GenerateError, match="pip install imageio-ffmpeg"):
        write_video(tmp_path / "film.mp4", frames(), fps=10)
