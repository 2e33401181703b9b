"""The Beam engine: every byte is the local engine's."""

from __future__ import annotations

import errno
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from pgan_tf.data import DataError
from pgan_tf.data.beam import Finished, join_parts, write_part
from pgan_tf.data.engine import Output, write
from pgan_tf.data.prepare import Outcome
from pgan_tf.data.source import Picture, PictureSource

try:
    import apache_beam
except ImportError:
    apache_beam = None

needs_beam = pytest.mark.skipif(apache_beam is None, reason="apache_beam is not installed")
ROOT = Path(__file__).parents[2]
COUNT = 600  # more than two parts


def load(index: int, bad: dict[int, Exception]) -> Picture:
    if index in bad:
        raise bad[index]
    return Picture(np.random.RandomState(index).randint(0, 256, (8, 8, 1)).astype(np.uint8), (index % 5, 1), "L")


def source(bad: dict[int, Exception]) -> PictureSource:
    return PictureSource(
        "numbers", 8, 1, range(COUNT), partial(load, bad=bad), labels=np.eye(COUNT, 7), label_names=list("abcdefg")
    )


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@needs_beam
@pytest.mark.parametrize("shards", [1, 4])
@pytest.mark.parametrize("shuffle", [False, True])
def test_the_same_files_and_the_same_report(tmp_path, shards, shuffle):
    of = source({index: ValueError(f"bad {index}") for index in (0, 100, 255, 256, 511, 599)})
    output = Output(shuffle=shuffle, shards=shards)
    local = write(tmp_path / "local" / "set", of, output)
    beam = write(tmp_path / "beam" / "set", of, output._replace(engine="beam"))
    assert content(beam.folder) == content(local.folder)
    assert len(content(beam.folder)) == 2 * shards + 2
    assert [path.name for path in beam.folder.parent.iterdir()] == ["set"]
    for name in ("images", "bytes", "skipped", "sizes", "modes", "resolutions", "label_size", "label_names"):
        assert getattr(beam, name) == getattr(local, name), name


@needs_beam
def test_two_processes(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # Beam's workers must find pgan_tf, and this file
    of = source({3: ValueError("bad")})
    options = ["--runner=DirectRunner", "--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    local = write(tmp_path / "local" / "set", of, Output(shards=2))
    beam = write(tmp_path / "beam" / "set", of, Output(shards=2, engine="beam", beam_options=options))
    assert content(beam.folder) == content(local.folder)
    assert beam.skipped == local.skipped


@needs_beam
@pytest.mark.parametrize(
    ("bad", "strict"),
    [
        ({500: ValueError("late"), 20: ValueError("early")}, True),
        ({30: ValueError("skipped"), 40: OSError(errno.EIO, "gone")}, False),
        ({index: ValueError("all") for index in range(COUNT)}, False),
    ],
)
def test_refuses_as_the_local_engine_does(tmp_path, bad, strict):
    messages = []
    for engine in ("local", "beam"):
        with pytest.raises(DataError) as info:
            write(tmp_path / "set", source(bad), Output(shuffle=False, strict=strict, engine=engine))
        messages.append(str(info.value))
        assert list(tmp_path.iterdir()) == []
    assert messages[0] == messages[1]
    assert "\n" not in messages[0]


@needs_beam
@pytest.mark.parametrize("option", ["--runner=Nonsense", "--direct_num_workers=many"])
def test_bad_options_are_one_line(tmp_path, option):
    with pytest.raises(DataError) as info:
        write(tmp_path / "set", source({}), Output(engine="beam", beam_options=[option]))
    assert "beam" in str(info.value)
    assert "\n" not in str(info.value)
    assert list(tmp_path.iterdir()) == []


@needs_beam
def test_a_failing_worker_is_one_line(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pgan_tf.data.beam.uuid.uuid4", fail)
    with pytest.raises(DataError, match=r"^--engine=beam: the pipeline failed: .*No space left on device") as info:
        write(tmp_path / "set", source({}), Output(engine="beam"))
    assert "\n" not in str(info.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(apache_beam is not None, reason="apache_beam is installed")
def test_says_what_to_install(tmp_path):
    with pytest.raises(DataError, match="--engine=beam needs Apache Beam: pip install apache-beam"):
        write(tmp_path / "set", source({}), Output(engine="beam"))


# ---- the steps, without Beam: it may run any of them twice -----------------------------------------------------------


def test_parts_and_shards_may_be_made_twice(tmp_path):
    make = partial(
        write_part, folder=str(tmp_path), levels=2, load=partial(load, bad={4: ValueError("bad")}), strict=False
    )
    _, first = make((0, 0, [0, 1, 2]))
    _, again = make((0, 0, [0, 1, 2]))
    _, second = make((0, 3, [3, 4, 5]))
    assert not set(first.files) & set(again.files)
    files = {0: [str(tmp_path / "set-r03.tfrecords"), str(tmp_path / "set-r02.tfrecords")]}
    expected = [
        b"".join(Path(part.files[level]).read_bytes() for part in (first, second)) for level in range(2)
    ]  # fmt: skip
    for _ in range(2):
        assert join_parts((0, [second, first]), folder=str(tmp_path), files=files) == 0
        assert [Path(file).read_bytes() for file in files[0]] == expected
    assert isinstance(second, Finished)
    assert second.outcomes[1] == Outcome(reason="bad")


@pytest.mark.parametrize(
    ("bad", "strict"), [({1: ValueError("bad")}, True), ({1: OSError(errno.ESTALE, "gone")}, False)]
)
def test_a_part_ends_where_the_whole_work_does(tmp_path, bad, strict):
    part = (0, 0, list(range(9)))
    _, finished = write_part(part, folder=str(tmp_path), levels=2, load=partial(load, bad=bad), strict=strict)
    assert len(finished.outcomes) == 2
