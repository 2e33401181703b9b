"""Writing a source: nothing half-made is ever taken for whole, and the message says how to go on."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from pgan_tf import files
from pgan_tf.data import DataError, DatasetWriter, RecordDataset, writer
from pgan_tf.data.engine import Output, write
from pgan_tf.data.prepare import prepare
from pgan_tf.data.source import Picture, PictureSource
from pgan_tf.data.verify import verify

ROOT = Path(__file__).parents[2]
FULL = Path("/dev/full")


def picture(index: int) -> Picture:
    return Picture(np.random.RandomState(index).randint(0, 256, (8, 8, 3)).astype(np.uint8), (index, 1), "RGB")


def failing(index: int, bad: dict[int, Exception]) -> Picture:
    if index in bad:
        raise bad[index]
    return picture(index)


def source(count: int = 30, **bad: Exception) -> PictureSource:
    """`count` pictures; i7=ERROR raises that for number 7."""
    errors = {int(name[1:]): error for name, error in bad.items()}
    return PictureSource("numbers", 8, 3, range(count), partial(failing, bad=errors), labels=np.eye(count))


def refused(out, of: PictureSource, output: Output) -> str:
    """The one line with which a source is refused; nothing may be left of the try."""
    with pytest.raises(DataError) as info:
        write(out, of, output)
    assert "\n" not in str(info.value)
    assert list(out.parent.iterdir()) == []
    return str(info.value)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bad_picture_in_the_middle_is_skipped_and_named(tmp_path, workers):
    of = source(30, i7=ValueError("broken\nvery"), i8=OSError("truncated file"), i9=KeyError())
    report = write(tmp_path / "set", of, Output(shuffle=False, workers=workers))
    assert report.skipped == [("7", "broken"), ("8", "truncated file"), ("9", "KeyError")]
    dataset = RecordDataset(tmp_path / "set")
    kept = [index for index in range(30) if index not in (7, 8, 9)]
    np.testing.assert_array_equal(dataset.labels, np.eye(30)[kept])
    np.testing.assert_array_equal(dataset.read(8, np.arange(27))[8], picture(11).pixels)
    assert report.sizes.total() == report.images == 27
    assert report.bytes == sum(path.stat().st_size for path in dataset.folder.glob("*.tfrecords"))


@pytest.mark.parametrize("workers", [1, 2])
def test_strict_stops_at_the_first_bad_picture(tmp_path, workers):
    of = source(30, i20=ValueError("late"), i7=ValueError("early"))
    assert refused(tmp_path / "set", of, Output(False, strict=True, workers=workers)) == "7: early (--strict)"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ENOENT])
def test_a_vanished_drive_is_no_bad_picture(tmp_path, workers, code):
    """Else all the rest would be skipped, and the set taken for whole."""
    gone = OSError(code, os.strerror(code), "/mnt/pictures/7.png")
    message = refused(tmp_path / "set", source(30, i7=gone), Output(False, workers=workers))
    assert message.startswith("7: ")
    assert "the data set was not written; bring it back and run this again" in message


def test_a_vanished_drive_behind_another_error(tmp_path):
    def load(index):
        try:
            (tmp_path / "gone.png").read_bytes()
        except OSError as error:
            raise DataError("cannot read it") from error

    assert prepare(0, load)[1].lost
    (tmp_path / "link.png").symlink_to(tmp_path / "gone.png")
    assert not prepare(tmp_path / "link.png", Path.read_bytes)[1].lost  # a dangling link has always been one


def test_nothing_readable(tmp_path):
    message = refused(tmp_path / "set", source(2, i0=ValueError("a"), i1=ValueError("b")), Output())
    assert "none of the 2 pictures can be read (" in message


def test_unknown_engines_and_options(tmp_path):
    assert "must be one of local, beam" in refused(tmp_path / "set", source(), Output(engine="spark"))
    assert "are for --engine=beam" in refused(tmp_path / "set", source(), Output(beam_options=["--runner=X"]))


# ---- the disk --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not FULL.exists(), reason="has no /dev/full")
@pytest.mark.parametrize("side", [8, 1024])  # refused at the end, when the buffers are emptied, or in the middle
def test_a_full_disk(tmp_path, side, monkeypatch):
    monkeypatch.setattr(DatasetWriter, "paths", lambda self, shard: [FULL] * len(self.resolutions))
    big = DatasetWriter(tmp_path / "set", side, 3)
    with pytest.raises(DataError, match=r"set: cannot be written: No space left .* make room .* run it again"), big:
        big.add(np.zeros((side, side, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_too_little_room_is_said_before_any_work(tmp_path, monkeypatch):
    usage = writer.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(writer.shutil, "disk_usage", lambda path: usage._replace(free=9_000))
    of = source(30, i0=AssertionError("work"))
    assert "set: needs 1 MB, 0 MB are free; make room" in refused(tmp_path / "set", of, Output(strict=True))
    monkeypatch.setattr(writer.shutil, "disk_usage", lambda path: usage._replace(total=0, free=0))  # it does not tell
    write(tmp_path / "set", source(), Output())


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 5)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


RECORDS = ("set-r02.tfrecords", "set-r03.tfrecords")


@pytest.mark.parametrize(
    ("damage", "name"),
    [(cut, "set-rxx.labels"), *[(damage, name) for damage in (cut, flip, os.unlink) for name in RECORDS]],
)
def test_what_the_disk_loses_is_noticed(tmp_path, damage, name, monkeypatch):
    check = DatasetWriter._check_kept

    def after_damage(self):
        damage(self._temporary / name)
        check(self)

    monkeypatch.setattr(DatasetWriter, "_check_kept", after_damage)
    message = refused(tmp_path / "set", source(), Output())
    assert "set: the disk has not kept what was written (" in message
    assert name in message


# ---- processes -------------------------------------------------------------------------------------------------------

WRITER = """
    import os, sys, threading
    from test_engine import picture, source
    from pgan_tf.data.engine import Output, write

    def load(index):
        if index == 20:
            os.write(1, b"at work\\n")
            if not os.read(0, 1):
                threading.Event().wait()
        return picture(index)

    if __name__ == "__main__":
        import dataclasses
        write(sys.argv[1], dataclasses.replace(source(), load=load), Output(False, workers=int(sys.argv[2])))
"""


@contextlib.contextmanager
def writing(out: Path, workers: int = 1):
    """Yields another process that is in the middle of writing `out`; it goes on when it is sent a byte."""
    script = out.parent.parent / "script.py"
    script.write_text(textwrap.dedent(WRITER))
    command = [sys.executable, str(script), str(out), str(workers)]
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env={**os.environ, "PYTHONPATH": path}) as process:
        try:
            assert process.stdout.readline() == b"at work\n"
            yield process
        finally:
            process.kill()


@pytest.fixture
def out(tmp_path):
    (tmp_path / "sets").mkdir()
    return tmp_path / "sets" / "set"


def test_a_killed_process_leaves_nothing_that_counts(out):
    with writing(out) as process:
        process.kill()
    assert not out.exists()
    assert any(path.name.startswith(".tmp") for path in out.parent.iterdir())
    other = out.with_name(".tmp123-other-set")  # not of this set
    other.mkdir()
    write(out, source(), Output())
    assert sorted(out.parent.iterdir()) == [other, out]  # and the next one has cleared up
    assert verify(out).problems == []


def test_two_processes_never_mix(out):
    with writing(out) as process:
        with pytest.raises(DataError, match="set: another process is writing it; wait for its end, or choose another"):
            write(out, source(), Output())
        process.stdin.write(b"!")
        process.stdin.close()
        assert process.wait() == 0
    assert RecordDataset(out).count == 30
    assert list(out.parent.iterdir()) == [out]
    with pytest.raises(DataError, match="exists already"):
        write(out, source(), Output())


def test_without_locks_the_second_one_is_refused_at_its_end(out, monkeypatch):
    monkeypatch.setattr(files, "fcntl", None)
    with writing(out) as process, contextlib.ExitStack() as second:
        second.enter_context(DatasetWriter(out, 8, 3)).add(picture(0).pixels)
        process.stdin.write(b"!")
        process.stdin.close()
        assert process.wait() == 0
        with pytest.raises(DataError, match=r"set: cannot be written: .*not empty"):
            second.close()
    assert RecordDataset(out).count == 30
    assert list(out.parent.iterdir()) == [out]


def test_workers_end_with_a_killed_parent(out):
    """Their end of the pipe closes: reading it to its end would hang otherwise."""
    with writing(out, workers=2) as process:
        process.kill()
        process.communicate(timeout=60)
