"""Every program ends in one line: what the line says of an exception, and that a fault of ours keeps its traceback."""

import errno
import re
import runpy
from pathlib import Path

import pytest
import setuptools
from pgan_tf.metrics.errors import MetricError

from pgan_tf import endings
from pgan_tf.errors import UserError
from pgan_tf.programs import start, train

ROOT = Path(__file__).resolve().parents[2]


class Fault(UserError):
    status = 1


class ResourceExhaustedError(Exception):
    """Called like TensorFlow's."""


class AbortedError(Exception):
    """Called like TensorFlow's."""


ENDINGS = [
    (UserError("--seed=x: no"), "error: --seed=x: no", 2),
    (Fault("too late"), "error: too late", 1),
    (MetricError("too few"), "error: too few", 2),
    (FileNotFoundError(errno.ENOENT, "No such file", "a.png"), "error: a.png: No such file", 2),
    (
        PermissionError(errno.EACCES, "Not allowed", "/x/.tmp123-a.png"),
        "error: /x/a.png: Not allowed; choose a place where you have the rights",
        2,
    ),
    (FileNotFoundError(errno.ENOENT, "No such file", b"/x/.old12-a.png"), "error: /x/a.png: No such file", 2),
    (OSError("the disk is full\nat line 3"), "error: the disk is full", 2),
    (BrokenPipeError(), "", 1),
    (MemoryError("1 TiB for an array"), "error: out of memory (1 TiB for an array); ask for less at a time", 1),
    (ResourceExhaustedError("OOM\n[[node]]"), "error: out of memory (TensorFlow got no more); ask for less at a", 1),
    (AbortedError("calling\ncould not create a primitive"), "error: out of memory (TensorFlow got no more); ask", 1),
    (ModuleNotFoundError("No", name="scipy.linalg"), "error: scipy is not installed: pip install -e '.[metrics]'", 2),
    (ModuleNotFoundError("No", name="PIL"), "error: PIL is not installed: pip install pillow", 2),
    (ImportError("libx.so: no such file", name="h5py"), "error: h5py cannot be loaded: libx.so: no such file; inst", 2),
    (UnicodeEncodeError("utf-8", "a\udcff", 1, 2, "surrogates"), "error: 'a\\udcff': is no valid text", 2),
]


@pytest.mark.parametrize(("error", "line", "status"), ENDINGS, ids=lambda value: type(value).__name__)
def test_what_is_known_ends_in_one_line(error, line, status, monkeypatch, capsys):
    def main(argv):
        raise error

    monkeypatch.setattr(train, "main", main)
    assert start.run("train", []) == status
    out, err = capsys.readouterr()
    assert (out, err[: len(line)], err.count("\n")) == ("", line, 1 if line else 0)


@pytest.mark.parametrize("error", [ValueError("ours"), KeyError("x"), ImportError("no y", name="pgan_tf.grids")])
def test_a_fault_of_ours_keeps_its_traceback(error, monkeypatch):
    def main(argv):
        raise error

    monkeypatch.setattr(train, "main", main)
    with pytest.raises(type(error)):
        start.run("train", [])


def test_without_memory_to_say_what_ended_it(monkeypatch):
    """The process ends at once, with a line that was ready."""
    said = []

    class Ended(BaseException):
        pass

    def end(status):
        said.append(status)
        raise Ended

    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(start, "run", fail)
    monkeypatch.setattr(start.os, "write", lambda *words: said.append(words))
    monkeypatch.setattr(start.os, "_exit", end)
    with pytest.raises(Ended):
        start.start("train", [])
    assert said == [(2, start.NO_MEMORY), 1]


def test_every_package_of_an_extra_has_a_row(monkeypatch):
    """setup.py's extras, with the modules that their packages bring; those that are needed anyway have none, nor have
    the tools of `test` and `docs`, which no program of ours imports."""
    found = {}
    monkeypatch.setattr(setuptools, "setup", lambda **options: found.update(options))
    runpy.run_path(str(ROOT / "setup.py"))
    extras = found["extras_require"]
    needed = {re.match(r"[\w-]+", package)[0].replace("-", "_") for package in found["install_requires"]}
    for package in {
        package for extra, packages in extras.items() if extra not in ("test", "docs") for package in packages
    }:
        module = re.match(r"[\w-]+", package)[0].replace("-", "_")
        if module in needed:
            continue
        assert package in extras[endings.EXTRAS[module]], package
