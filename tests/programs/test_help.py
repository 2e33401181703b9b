"""--help and --version of every program, in the names by which it was called."""

import argparse
import importlib
import re
import sys

import pytest

import pgan_tf
from pgan_tf import __main__, called
from pgan_tf.config import option_names
from pgan_tf.programs import start, train, train_help

WAYS = {  # sys.argv[0], and what the pages call train.py
    "script": ("train.py", "train.py"),
    "installed": ("/usr/bin/pgan-train", "pgan-train"),
    "module": ("python -m pgan_tf train", "python -m pgan_tf train"),
}


def pages(parser: argparse.ArgumentParser) -> dict[str, str]:
    """The help of a program and of each of its commands."""
    found = {"": parser.format_help()}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= {
                f"{name} {inner}": page for name, sub in action.choices.items() for inner, page in pages(sub).items()
            }
    return found


def all_pages(name: str) -> dict[str, str]:
    if name == "train":
        return {"": train_help.text(train.OWN_FLAGS)}
    return pages(importlib.import_module(f"pgan_tf.programs.{name}").parser())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", start.PROGRAMS)
def test_help_fits_and_names_programs_as_they_were_called(name, way, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(
        sys, "argv", [WAYS[way][0].replace("train", {"installed": called.installed(name)[5:]}.get(way, name))]
    )
    for command, page in all_pages(name).items():
        assert max(map(len, page.splitlines())) <= 100, f"{name} {command}"
        if way != "script":
            assert not re.search(
                r"(?<![\w/])(train|dataset_tool|evaluate|experiment|generate|network_tool)\.py", page
            ), page
    program = {"script": f"{name}.py", "installed": called.installed(name), "module": f"python -m pgan_tf {name}"}[way]
    page = all_pages(name)[""]
    assert f"\n  {program} " in page  # an example
    assert name == "train" or page.startswith(f"usage: {program} ")


@pytest.mark.parametrize("way", WAYS)
def test_text_names_programs_as_they_were_called(way, monkeypatch):
    argv0, expected = WAYS[way]
    monkeypatch.setattr(sys, "argv", [argv0])
    found = called.as_called(
        "go on with: python train.py --resume=x/train.py; benchmarks/train.py, my-train.py, train.pyc"
    )
    python = "python " if way == "script" else ""
    assert found == f"go on with: {python}{expected} --resume=x/train.py; benchmarks/train.py, my-train.py, train.pyc"


def test_every_option_is_explained_once_and_the_most_used_come_first():
    page = train_help.text(train.OWN_FLAGS)
    for name in [*option_names(), "flagfile", "resume", "dry_run", "help", "version"]:
        assert len(re.findall(rf"^  --{name}\b", page, re.M)) == 1, name
    first = page[: page.index("\nThe networks")]
    assert all(f"\n  --{name}" in first for name in ["flagfile", "resume", "dry_run", *train_help.MOST_USED])
    assert set(train_help.MOST_USED) <= set(option_names())


@pytest.mark.parametrize("name", start.PROGRAMS)
def test_every_program_has_a_version(name, capsys):
    try:
        status = start.run(name, ["--version"])
    except SystemExit as end:  # argparse's
        status = end.code
    finally:
        train.FLAGS.unparse_flags()
        train.FLAGS["version"].unparse()
    assert not status
    assert capsys.readouterr().out == f"pgan_tf {pgan_tf.__version__}\n"


MODULE = {  # python -m pgan_tf ...: status, what stdout and stderr say
    "": (0, "pgan-dataset", ""),
    "--help": (0, "train a progressive GAN", ""),
    "--version": (0, f"pgan_tf {pgan_tf.__version__}", ""),
    "trian": (2, "", "error: trian: no such program; choose one of train, "),
}


@pytest.mark.parametrize("words", MODULE)
def test_the_package_lists_its_programs(words, capsys):
    status, out, err = MODULE[words]
    assert __main__.main(words.split()) == status
    found = capsys.readouterr()
    assert out in found.out
    assert err in found.err
    assert bool(found.out) == bool(out)
