"""README and docs can be typed: every command parses, and those of the pages run in order, small, in one folder."""

import ast
import json
import os
import re
import runpy
import shlex
import shutil
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import setuptools
from absl.testing import flagsaver
from PIL import Image

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
            train.config_from_flags()
    elif command.program:
        PARSERS[command.program]().parse_args(command.arguments)
    elif words[:2] == ["pip", "install"]:
        for word in words[2:]:
            asked = re.fullmatch(r"(?:\.|pgan_tf)\[(.*)\]", word)
            assert set(asked[1].split(",") if asked else []) <= extras().keys(), word
    elif words[:2] == ["python", "-m"]:
        assert words[2] in ("pytest", "pgan_tf", "pgan_tf.metrics.train_mnist_classifier"), command
    elif words[0] == "python" and words[1].startswith(("benchmarks/", "examples/")):
        source = (ROOT / words[1]).read_text()
        ast.parse(source)
        for flag in re.findall(r"--(\w+)", command.text):
            assert re.search(rf"\b{flag}\b", source), f"{words[1]} has no --{flag}"
    else:
        assert words[0] in OTHERS, command


# ---- running them ----------------------------------------------------------------------------------------------------

TINY = "--resolution=16 --fmap_base=32 --fmap_max=8 --latent_size=128 --minibatch_base=8"
SHORT = (
    f"{TINY} --total_kimg=0.2 --tick_kimg_base=1 "
    "--lod_training_kimg_dict=4:0.03,8:0.03 --lod_transition_kimg_dict=8:0.03,16:0.03"
)
# What is put in the place of a part of a command, so that it is small or has something to work on.
SMALLER = [
    (r"^(python train\.py --flagfile=configs/quickstart\.flags)$", rf"\1 {SHORT} --precision=float32 --grid_size=4x4"),
    (r"00000-cats-s1000", "00000-quickstart-s1000"),  # a run on pictures like the one on digits
    (r"--num=1000", "--num=8"),
    (r"--images=\d+", "--images=32"),
    (r",kid\b", ""),  # takes 1,000 images
    (r"^(python generate\.py neighbors .*)$", r"\1 --extractor=none"),  # 5,000 images through a network
    (r"^(python evaluate\.py (?!.*--images).*)$", r"\1 --images=32"),
    (r"^(python generate\.py project .*)$", r"\1 --steps=2 --candidates=4 --starts=2"),
    (r"^(python generate\.py (?:interpolate|training_video) .*)$", r"\1 --duration=0.3"),
    (r"--extractor=mnist-classifier", "--extractor=efficientnet-lite0"),
]
# What is not run here: it is not ours, takes what cannot be had, or is what the named test runs.
LEFT_OUT = [
    (r"^(pip|npm|tar|tensorboard|\.|python3|python -m|python (?:benchmarks|examples)/)", "not a program of ours"),
    (r"^python train\.py (?!--flagfile=configs/quickstart\.flags$)", "trains as the first one does"),
    (r"lobehub-fluent-emoji", "the package cannot be had; an archive of pictures like any other"),
    (r"datasets/people3d64", "pictures of that package, which the Python above it chooses"),
    (r"create_celebahq|--engine=beam", "tests/data/test_celebahq_create.py, tests/data/test_beam.py"),
    (r"^python experiment\.py", "tests/experiments"),
    (r"COMMAND NETWORK", "a pattern"),
    (r"generate\.py explore", "serves until it is stopped: tests/explore"),
    (r"--runtime=", "tests/interop/test_web_page.py"),
    (r"00000-roll-s1000", "tests/inference/test_points.py"),
]
# In this order, in one folder; the others tell how something was made, from nothing, with the same commands.
TYPED = ["README.md", "datasets.md", "generate.md", "metrics.md", "networks.md", "export.md"]


def smaller(text: str) -> str:
    for pattern, replacement in SMALLER:
        text = re.sub(pattern, replacement, text)
    return text


def emoji_package(folder: Path, count: int = 40) -> None:
    """What create_emoji reads: an unpacked npm package of the emoji of two categories."""
    rows = [{"category": ("People & Body", "Food & Drink")[i % 2], "image": f"{i:04x}.png", "has_img_google": True,
             "unified": f"{i:04X}", "sort_order": i} for i in range(count)]  # fmt: skip
    (folder / "img" / "google" / "64").mkdir(parents=True)
    (folder / "emoji.json").write_text(json.dumps(rows))
    (folder / "package.json").write_text(json.dumps({"name": "emoji-datasource-google", "version": "16.0.0"}))
    for row in rows:
        picture(folder / "img" / "google" / "64" / row["image"], 64)


def picture(path: Path, size: int = 64) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.RandomState(len(path.name) + sum(path.name.encode()))
    Image.fromarray(random.randint(0, 256, [size, size, 3], np.uint8)).save(path)


def stand_ins(folder: Path) -> None:
    """What the pages take as given: pictures, an emoji package, a network file of NVIDIA's."""
    for i in range(40):
        picture(folder / "Pictures" / "cats" / f"{i}.png")
        picture(folder / "my_pictures" / f"{i}.png")
    picture(folder / "person.png")
    picture(folder / "digit.png")
    emoji_package(folder / "package")
    shutil.copy(ROOT / "tests" / "golden" / "nv_network_nosrc.pkl", folder / "karras2018iclr-celebahq-1024x1024.pkl")
    shutil.copytree(ROOT / "configs", folder / "configs")


def emoji_run(folder: Path) -> None:
    """What training on emoji would leave; its number is free until the first run of the pages has taken its own."""
    from pgan_tf.networks import Generator

    run = folder / "results" / "00000-emoji64-s1000"
    run.mkdir(parents=True)
    config = Config.from_values({"dataset": str(folder / "datasets" / "emoji64"), "latent_size": 64})
    (run / "config.json").write_text(config.to_json())
    Generator(resolution=16, fmap_base=32, fmap_max=8, latent_size=64).save(run / "network-000160.keras")


def test_the_pages_run_as_printed(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    stand_ins(tmp_path)
    ran, failed = [], []
    for page in TYPED:
        for command in commands(next(path for path in PAGES if path.name == page)):
            if any(re.search(pattern, command.text) for pattern, _ in LEFT_OUT):
                continue
            if "00000-emoji64-s1000" in command.text and not Path("results", "00000-emoji64-s1000").is_dir():
                emoji_run(tmp_path)
            monkeypatch.setenv("PGAN_TF_NO_KERAS", "1")  # as the scripts set it; the others take it back
            small = command._replace(text=smaller(command.text))
            with flagsaver.flagsaver():
                status = start.run(small.program, small.arguments)
            ran.append(small.text)
            if status:
                failed.append(f"{page}: {small.text}: {status}, {capfd.readouterr().err[-300:]}")
    assert not failed, "\n".join(failed)
    assert len(ran) > 30


def test_what_is_left_out_is_there():
    """A row of the tables that fits no command any more is a row too many."""
    typed = [command.text for page in PAGES if page.name in TYPED for command in commands(page)]
    for pattern, _ in [*LEFT_OUT, *SMALLER[:2]]:
        assert any(re.search(pattern, text) for text in typed), pattern


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
    for target, heading in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", page.read_text()):
        path = page.parent / target if target else page
        assert path.exists(), target
        assert not heading or heading in anchors(path), f"{target}#{heading}"


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links."""
    headings = re.findall(r"^#+ (.*)", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
