"""Files and folders under their names: whole or not there, at any moment, also that of a power cut or a kill."""

import multiprocessing
import os
import signal

import pytest
from power_cut import PowerCut

from pgan_tf import files
from pgan_tf.signals import ENDING

BIG = 100_000


def write(path, text: str) -> None:
    with files.new_file(path) as temporary:
        temporary.write_text(text * BIG)


def fill(folder, text: str) -> None:
    with files.new_folder(folder) as temporary:
        (temporary / "below").mkdir()
        for name in ("a", "below/b"):
            (temporary / name).write_text(text * BIG)


def content(path) -> set[str]:
    """The letters of a file, or of all files of a folder of whole files; nothing where it is not there."""
    found = [path] if path.is_file() else [entry for entry in path.rglob("*") if entry.is_file()]
    assert path.is_file() or len(found) in (0, 2)
    texts = [entry.read_text() for entry in found]
    assert all(len(text) == BIG for text in texts)
    return {text[0] for text in texts}


# ---- power cuts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("make", "exchange"), [(write, True), (fill, False)])
def test_a_name_means_the_old_or_the_new_after_a_power_cut(tmp_path, make, exchange):
    """(Two renamings cannot be one: of a folder the old may still bear its other name.)"""
    place, seen = tmp_path / "place", set()
    place.mkdir()
    make(place / "out", "a")

    def law(disk):
        if not exchange:
            files.clear_away(disk / "out")
        found = content(disk / "out")
        assert found in ({"a"}, {"b"})
        seen.add(*found)

    with pytest.MonkeyPatch.context() as patch, PowerCut(place, tmp_path / "disk", law) as cut:
        patch.setattr(os, "getpid", lambda: 2**22 + 1)  # no process has it by the time the disk is looked at
        make(place / "out", "b")
        assert seen == {"a", "b"}
        assert cut.cuts > 8
    assert content(place / "out") == {"b"}
    assert [entry.name for entry in place.iterdir()] == ["out"]


def test_what_has_returned_is_on_the_disk(tmp_path):
    """New names, in new folders, and lines added to a file."""
    place, done = tmp_path / "place", []
    place.mkdir()

    def law(disk):
        for check in done:
            check(disk)

    with PowerCut(place, tmp_path / "disk", law):
        files.make_folder(place / "x" / "y")
        done.append(lambda disk: (disk / "x" / "y").is_dir() or pytest.fail("a folder is gone"))
        write(place / "x" / "y" / "file", "f")
        done.append(lambda disk: content(disk / "x/y/file") == {"f"} or pytest.fail("a file is gone"))
        fill(place / "x" / "folder", "g")
        done.append(lambda disk: content(disk / "x/folder") == {"g"} or pytest.fail("a folder is empty"))
        for line in ("1\n", "2\n"):
            files.append_text(place / "x" / "lines", line)
            done.append(lambda disk, line=line: (disk / "x/lines").read_text().index(line))
        files.sync(place)


# ---- kills -----------------------------------------------------------------------------------------------------------


def interrupted_between(folder, number) -> None:
    """Fills a folder; the signal comes between the two renamings. Runs in a process of its own."""
    rename, calls = os.rename, []

    def rename_and_get_the_signal(*names):
        rename(*names)
        calls.append(names)
        if len(calls) == 1:
            os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, lambda *_: exec("raise KeyboardInterrupt"))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells let what runs behind them ignore it
    files.os.rename = rename_and_get_the_signal
    fill(folder, "b")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_between_two_renamings_loses_neither_folder(tmp_path, number):
    fill(tmp_path / "out", "a")
    process = multiprocessing.get_context("fork").Process(target=interrupted_between, args=(tmp_path / "out", number))
    process.start()
    process.join()
    killed = number == signal.SIGKILL
    assert process.exitcode == (-number if killed else 1)
    assert (tmp_path / "out").exists() is not killed
    files.clear_away(tmp_path / "out")
    assert content(tmp_path / "out") == {"a" if killed else "b"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_a_renaming_that_fails_puts_the_old_folder_back(tmp_path, monkeypatch):
    fill(tmp_path / "out", "a")
    rename, calls = os.rename, []

    def second_fails(*names):
        calls.append(names)
        if len(calls) == 2:
            raise OSError("no")
        rename(*names)

    monkeypatch.setattr(os, "rename", second_fails)
    with pytest.raises(OSError, match="no"):
        fill(tmp_path / "out", "b")
    assert content(tmp_path / "out") == {"a"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def gone() -> int:
    """The number of a process that has ended."""
    process = multiprocessing.get_context("fork").Process(target=int)
    process.start()
    process.join()
    return process.pid


@pytest.mark.parametrize("make", [write, fill])
def test_leftovers_of_what_is_gone_go_and_all_else_stays(tmp_path, make):
    """By the next that makes the same; of the same name, and of nobody who is still there."""
    left, own = gone(), os.getpid()
    (tmp_path / f".tmp{left}-out").write_text("cut off")
    (tmp_path / f".tmp{own}-out").mkdir()  # a number comes again
    (tmp_path / f".old{left}-out").mkdir()
    (tmp_path / f".old{left}-out" / "file").touch()
    stays = {f".tmp{os.getppid()}-out", f".tmp{left}-out2", f".tmp{left}-an-out", ".tmp-out", ".tmpabc-out", "out.tmp"}
    for name in stays:
        (tmp_path / name).touch()
    (tmp_path / "out").mkdir()
    make(tmp_path / ("out" if make is fill else "x"), "a")
    files.clear_away(tmp_path / "out")
    assert {entry.name for entry in tmp_path.iterdir()} - {"x"} == stays | {"out"}


def test_signals_wait_for_the_end_of_the_block_and_no_longer():
    came = []
    before = {number: signal.signal(number, lambda n, _: came.append(n)) for number in ENDING}
    try:
        with files.signals_deferred():
            for number in ENDING:
                signal.raise_signal(number)
            assert came == []
        assert came == list(ENDING)
        signal.raise_signal(signal.SIGTERM)
        assert came == [*ENDING, signal.SIGTERM]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
