"""README and docs can be typed: every command parses."""

import ast
import os
import re
import runpy
import shlex
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import setuptools
from absl.testing import flagsaver

from pgan_tf import flagfiles
from pgan_tf.config import Config
from pgan_tf.programs import dataset_tool, evaluate, experiment, generate, network_tool, start, train

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PARSERS = {program.__name__.split(".")[-1]: program.parser for program in
           (dataset_tool, evaluate, experiment, generate, network_tool)}  # fmt: skip
OTHERS = {"pip", "npm", "tar", "tensorboard", ".", "python3", "unzip", "cd", "export"}  # not ours: not run


class Command(NamedTuple):
    page: str
    text: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text)

    @property
    def program(self) -> str | None:
        """The program of ours that it starts, if it is one."""
        words = self.words
        if words[0].startswith("pgan-"):
            return next(name for name in start.PROGRAMS if name.removesuffix("_tool") == words[0][5:])
        if words[:3] == ["python", "-m", "pgan_tf"]:
            return words[3] if len(words) > 3 else None
        name = words[1].removesuffix(".py") if words[0] == "python" and len(words) > 1 else ""
        return name if name in start.PROGRAMS else None

    @property
    def arguments(self) -> list[str]:
        first = 1 if self.words[0].startswith("pgan-") else 4 if self.words[1] == "-m" else 2
        return [os.path.expanduser(word) for word in self.words[first:]]


def blocks(text: str) -> list[str]:
    """The blocks of commands of a page: fenced as bash, or indented by four and beginning with a command."""
    found = re.findall(r"^```bash\n(.*?)^```", text, re.M | re.S)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    indented = re.findall(r"(?:^|\n\n)((?:    .+\n)+)", rest)
    first = ("python", "pip", "npm", "pgan-")
    return [*found, *(block.replace("    ", "", 1).replace("\n    ", "\n") for block in indented
                      if block.strip().startswith(first))]  # fmt: skip


def commands(page: Path) -> list[Command]:
    """In the order of the page; fenced blocks and indented ones do not mix in ours."""
    found = []
    for block in blocks(page.read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.sub(r"(^|\s+)#.*", "", line).split(" && "):
                if part.strip():
                    found.append(Command(page.name, part.strip()))
    return found


def heads() -> list[Command]:
    """What the heads of our configurations and suites tell to type."""
    found = []
    for path in sorted(flagfiles.CONFIGS.rglob("*.*")):
        for text in re.findall(r"^#.* (python \w+\.py [^;\n]*)", path.read_text(), re.M):
            found.append(Command(path.name, text.split(" && ")[0]))
    return found


EVERY = [command for page in PAGES for command in commands(page)] + heads()


@cache
def extras() -> dict[str, list[str]]:
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setuptools, "setup", lambda **options: found.update(options))
        runpy.run_path(str(ROOT / "setup.py"))
    return found["extras_require"]


PLACEHOLDERS = {"COMMAND NETWORK [OUT] [flags]": "grid RUN OUT.png"}  # where a page says how commands look


@pytest.mark.parametrize("command", dict.fromkeys(EVERY), ids=lambda command: f"{command.page}: {command.text[:60]}")
def test_every_command_parses(command, monkeypatch):
    monkeypatch.chdir(ROOT)
    for placeholder, words in PLACEHOLDERS.items():
        command = command._replace(text=command.text.replace(placeholder, words))
    words = command.words
    if command.program == "train":
        with flagsaver.flagsaver():
            rest = train.parse_flags(["train.py", *flagfiles.first(command.arguments)])
            assert len(rest) == 1
            Config.from_values({name: train.FLAGS[name].value for name in train.option_names()})
    elif command.program:
        PARSERS[command.program]().parse_args(command.arguments)
    elif words[:2] == ["pip", "install"]:
        for word in words[2:]:
            asked = re.fullmatch(r"(?:\.|pgan_tf)\[(.*)\]", word)
            assert set(asked[1].split(",") if asked else []) <= extras().keys(), word
    elif words[:2] == ["python", "-m"]:
        assert words[2] in ("pytest", "pgan_tf", "pgan_tf.metrics.train_mnist_classifier"), command
    elif words[0] == "python" and words[1].startswith("benchmarks/"):
        source = (ROOT / words[1]).read_text()
        ast.parse(source)
        for flag in re.findall(r"--(\w+)", command.text):
            assert re.search(rf"\b{flag}\b", source), f"{words[1]} has no --{flag}"
    else:
        assert words[0] in OTHERS, command


# ---- the pages themselves --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_are_whole(page):
    """A bar inside a cell would break its row."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        rows = [len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()]
        assert len(set(rows)) == 1, f"{rows}: {table[:200]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
