"""Ctrl-C, SIGTERM and SIGHUP at any moment: one line and status 130."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pgan_tf.config import Config
from pgan_tf.programs import generate, start, train
from pgan_tf.signals import ENDING
from pgan_tf.training import launch
from pgan_tf.workers.team import Alone

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds for a signal to come


def at_work(number=signal.SIGINT):
    os.kill(os.getpid(), number)
    threading.Event().wait(PATIENCE)


def made_into_another_error():
    try:
        at_work()
    except KeyboardInterrupt:
        raise RuntimeError("in the middle of somebody's code") from None


def in_a_destructor():
    class Fragile:
        def __del__(self):
            raise KeyboardInterrupt

    Fragile()
    threading.Event().wait(PATIENCE)


def during_the_tidying():
    try:
        at_work()
    finally:
        at_work()


MOMENTS = [
    *(lambda number=number: at_work(number) for number in ENDING),
    made_into_another_error,
    in_a_destructor,
    during_the_tidying,
]


@pytest.mark.parametrize("training", [False, True])
def test_an_interrupt_speaks_of_resuming_only_where_there_is_a_run(training, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(launch, "prepare", lambda *_: None if training else interrupted())
    monkeypatch.setattr(launch, "train", interrupted)
    monkeypatch.setattr(train, "run", lambda rest, argv: train._train(Config.from_values({"dataset": "set"}), Alone()))
    assert start.run("train", []) == 130
    said = capsys.readouterr().err
    assert ("--resume" in said, "nothing was begun" in said) == (training, not training)


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_interrupt_is_one_line_at_any_moment(moment, monkeypatch, capsys):
    before = [signal.getsignal(number) for number in ENDING]
    monkeypatch.setattr(generate, "main", lambda argv: moment())
    assert start.run("generate", []) == 130
    assert capsys.readouterr() == ("", generate.INTERRUPTED + "\n")
    assert [signal.getsignal(number) for number in ENDING] == before


def test_somebody_elses_import_is_not_disturbed(monkeypatch, capsys, tmp_path):
    """Its `except` would swallow the interrupt; it comes when the import is over."""
    text = (
        "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\n    whole = 1\nexcept BaseException: pass\n"
    )
    (tmp_path / "swallowing.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    found = []

    def main(argv):
        import swallowing

        found.append(swallowing.whole)
        threading.Event().wait(PATIENCE)

    monkeypatch.setattr(generate, "main", main)
    assert start.run("generate", []) == 130
    assert found == [1]
    assert capsys.readouterr().err == generate.INTERRUPTED + "\n"


@pytest.mark.parametrize("number", ENDING)
def test_what_only_loads_ends_at_once_and_says_so(number):
    """Also while libraries are kept from writing to the terminal."""
    code = (
        "import os, sys\nfrom pgan_tf.programs.interrupts import INTERRUPTS\n"
        "with INTERRUPTS.handled(), INTERRUPTS.loading():\n"
        "    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)\n"
        "    try:\n        os.kill(os.getpid(), int(sys.argv[1]))\n    finally:\n        print('not at once')"
    )
    command, light = [sys.executable, "-c", code, str(int(number))], {**os.environ, "PGAN_TF_NO_KERAS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=light, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_a_reader_who_has_read_enough_hears_nothing():
    """`train.py --help | head -1`."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, ROOT / "train.py", "--help"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")
